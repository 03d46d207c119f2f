"""A network and its parts as text, and back: a name from a file becomes an object here and nowhere else."""
import json
from dataclasses import fields, is_dataclass

from ..errors import UserError
from .activations import LeakyReLU, Sigmoid, SiLU, Tanh
from .conditioning import Bumps, FourierFeatures, Nothing, Steps
from .mlp import MLP
from .parametrisation import PARAMETRISATIONS
from .rbf import RBFNetwork

NETWORKS = MLP, RBFNetwork
PARTS = {
    "activation": (SiLU, Tanh, Sigmoid, LeakyReLU), "readout": (Nothing, Bumps, Steps),
    "features": (Nothing, FourierFeatures, Bumps), "parametrisation": tuple(map(type, PARAMETRISATIONS))}


def recorded(thing):
    """A network, or a part of a denoiser, as JSON: the name of its class, and what it is made of."""
    return json.dumps(thing, default=_as_dict)


def rebuilt_part(role, text):
    """The part that `recorded` wrote, in its role: a key of PARTS; UserError where the text is none."""
    return _understood(text, lambda data: _made(PARTS[role], data))


def rebuilt_network(text, parameters, dtype, device):
    """The network that `recorded` wrote, with these parameters; UserError where text and numbers do not fit."""
    def network(data):
        (name, settings), = data.items()
        parts = {key: _made(PARTS[key], value) if key in PARTS else value for key, value in settings.items()}
        return _made(NETWORKS, {name: parts}, dtype=dtype, device=device, parameters=parameters)

    if dtype not in ("float32", "float64"):
        raise UserError(f"a network works in float32 or float64, not {dtype}")
    return _understood(text, network)


def _as_dict(thing):
    settings = {f.name: getattr(thing, f.name) for f in fields(thing)} if is_dataclass(thing) else thing.settings
    return {type(thing).__name__: settings}


def _made(kinds, data, **others):
    (name, settings), = data.items()
    kind, = (k for k in kinds if k.__name__ == name)
    return kind(**settings, **others)


def _understood(text, build):
    try:
        return build(json.loads(text))
    except (AttributeError, TypeError, ValueError) as error:
        raise UserError("the record of a network names parts or values that do not exist") from error
