"""Denoisers from outside: a PyTorch module, a JAX function or a
model of diffusers, its arrays handed over by DLPack and not copied.

DLPack passes the address of an array between libraries. A copy is made only where one is needed: where the
outside code works in another precision than x, and by JAX where x does not begin at a multiple of 64 bytes.
"""

import copy
import inspect

import numpy as np

from ..backend.cpu.device import Cpu
from ..errors import UserError
from ..names import unknown
from .parametrisation import CleanPrediction, NoisePrediction, VelocityPrediction
from .timesteps import TimestepDenoiser, Timesteps

# as diffusers calls them
PREDICTIONS = {"epsilon": NoisePrediction(), "v_prediction": VelocityPrediction(), "sample": CleanPrediction()}


class Foreign:
    """A callable of another array library as denoiser(x, sigma) on arrays of a device.

    Parameters
    ----------
    function : callable (x, sigma) → E[x_0|x]
        On that library's arrays. It must not write to x, nor to what it has returned before: the memory is shared.
        For a `timesteps.TimestepDenoiser` it is (x_t, t) → prediction.
    take : callable
        That library's from_dlpack.
    level : callable (sigma, x) → sigma
        The noise level as `function` wants it beside its x.
    dtype : dtype or None
        Precision that x is handed over in; None: as it is.
    device : Cpu or Gpu, optional
        Whose arrays come and go.

    Calling it returns an array of the device in the dtype of x.

    Raises
    ------
    UserError
        When called: an answer of another shape than x.
    """

    def __init__(self, function, take, level, dtype=None, device=None):
        self.function, self.take, self.level, self.dtype = function, take, level, dtype
        self.device = device or Cpu()

    def __call__(self, x, sigma):
        given = x.astype(self.dtype or x.dtype, copy=False)
        if not getattr(given.flags, "writeable", True):  # not every library takes what it may not write to
            given = given.copy()
        theirs = self.take(given)
        D = self.device.xp.from_dlpack(self.function(theirs, self.level(sigma, theirs)))
        if D.shape != x.shape:
            raise UserError(f"the outside network answers shape {tuple(D.shape)} to x of shape {tuple(x.shape)}; "
                            "it must return an array like x")
        return D.astype(x.dtype, copy=False)


def torch_denoiser(module, device=None):
    """A PyTorch module or function as denoiser(x, sigma), ledger and all.

    Parameters
    ----------
    module : torch.nn.Module or callable (x, sigma) → E[x_0|x]
        x is a tensor (n, d) and sigma a 0-d tensor of its dtype (``sigma.expand(len(x))`` is a column for
        networks that want one). A module is given the dtype of its parameters, a function that of x.
        Gradients are off.
    device : Cpu or Gpu, optional
        Where x lives; the module's parameters must live there too.

    Returns
    -------
    Foreign

    Raises
    ------
    UserError
        Where PyTorch is not installed; parameters of a type that NumPy does not know.
    """
    return _torch(module, lambda x, sigma: module(x, sigma), device)


def _torch(module, answer, device):
    """`answer(x, level)` on tensors of the dtype of the parameters of `module`, as Foreign."""
    try:
        import torch
    except ImportError:
        raise UserError('a PyTorch denoiser needs PyTorch: pip install "thermosim[torch]"') from None

    parameter = next(iter(getattr(module, "parameters", tuple)()), None)
    dtype = None if parameter is None else str(parameter.dtype).removeprefix("torch.")
    if dtype not in (None, "float16", "float32", "float64"):
        raise UserError(f"a module of {dtype} has no NumPy counterpart: give it in float32 or float64, or a function "
                        "that casts")

    def level(sigma, x):
        return torch.as_tensor(sigma, dtype=x.dtype, device=x.device)

    return Foreign(torch.no_grad()(answer), torch.from_dlpack, level, dtype, device)


def jax_denoiser(function, device=None):
    """A JAX function, jitted or not, as denoiser(x, sigma), ledger and all.

    Parameters
    ----------
    function : callable (x, sigma) → E[x_0|x]
        x is a JAX array (n, d), float32 unless jax_enable_x64 is set; sigma is a float.
    device : Cpu or Gpu, optional
        Where x lives.

    Returns
    -------
    Foreign

    Raises
    ------
    UserError
        Where JAX is not installed.
    """
    try:
        import jax
    except ImportError:
        raise UserError('a JAX denoiser needs JAX: pip install "thermosim[jax]"') from None

    dtype = None if jax.config.jax_enable_x64 else np.float32

    # JAX's threads give x back under the interpreter lock, so nobody may hold it while he waits for them: this does not
    def ready(x, sigma):
        return jax.block_until_ready(function(x, sigma))

    return Foreign(ready, jax.numpy.from_dlpack, lambda sigma, x: sigma, dtype, device)


# --- diffusers: a network that knows timesteps, and the scheduler that knows their noise levels -------------------


def diffusers_denoiser(model, scheduler, shape=None, whole=False, device=None):
    """A model of diffusers, or a PyTorch one like it, as denoiser(x, sigma) on rows, ledger and all.

    It is what the network itself says: `clip_sample` and `thresholding`, which some schedulers do to E[x_0|x], are not.

    Parameters
    ----------
    model : torch.nn.Module or callable (x_t, t) → prediction, or an object whose `sample` it is
        ``UNet2DModel`` or one's own, in eval mode; bind prompts, labels and guidance in a function. x_t is a tensor
        (n, c, h, w), t a 0-d tensor. Of an answer of twice the channels (learned variances) the first half counts.
    scheduler : a scheduler of diffusers
        That the model was trained for, or any like it: ᾱ and the kind of prediction are read from it.
    shape : tuple of int, optional
        (c, h, w) of one image; by default that of the model's config.
    whole : bool
        Ask at whole timesteps only, given as integers.
    device : Cpu or Gpu, optional
        Where x lives; the module's parameters must live there too.

    Returns
    -------
    TimestepDenoiser

    Raises
    ------
    UserError
        Where PyTorch is not installed; a scheduler of no
        variance-preserving chain; a kind of prediction that is unknown.
    """
    timesteps = diffusers_timesteps(scheduler)
    kind = scheduler.config.prediction_type
    if kind not in PREDICTIONS:
        raise unknown("prediction_type", kind, PREDICTIONS)
    if shape is None:
        config = getattr(model, "config", None)
        if config is None:
            raise UserError("a model without a config does not say what images it takes: give shape=(c, h, w)")
        sides = config.sample_size if isinstance(config.sample_size, (tuple, list)) else (config.sample_size,) * 2
        shape = (config.in_channels, *sides)

    def answer(x, t):
        told = model(x, t.long() if whole else t)
        told = getattr(told, "sample", told)
        return told[:, : x.shape[1]] if told.shape[1] == 2 * x.shape[1] else told

    return TimestepDenoiser(_torch(model, answer, device), timesteps, PREDICTIONS[kind], shape, whole)


def diffusers_timesteps(scheduler):
    """The `Timesteps` of a scheduler of diffusers; those of pure noise (zero terminal SNR) are left out.

    Raises
    ------
    UserError
        Where it has no ᾱ (flow matching, EDM), or counts time otherwise than in timesteps.
    """
    alpha_bar = getattr(scheduler, "alphas_cumprod", None)
    if alpha_bar is None or scheduler.config.get("timestep_type", "discrete") != "discrete":
        raise UserError(f"{type(scheduler).__name__} is no scheduler of discrete timesteps of a variance-preserving "
                        "chain: "
                        "give one such as DDPMScheduler or EulerDiscreteScheduler")
    alpha_bar = np.asarray(alpha_bar.detach().cpu(), float)
    return Timesteps(alpha_bar[alpha_bar > 0])


def diffusers_grid(scheduler, sigmas):
    """A grid of noise levels as what ``scheduler.set_timesteps(**…)`` takes: {"sigmas": …} or else {"timesteps": …}.

    With `sigmas` (EulerDiscreteScheduler) the grid is run as it is. With `timesteps` (DDPM, DPMSolverMultistep and
    Singlestep, Heun) the levels but the last are rounded to whole timesteps, and the scheduler goes on to a last
    level of its own: 0, or with ``final_sigmas_type="sigma_min"``, where it knows that, the table's least.

    Parameters
    ----------
    scheduler : a scheduler of diffusers
    sigmas : (N + 1,) array
        Falling noise levels, both ends included.

    Raises
    ------
    UserError
        For a scheduler that makes its grids itself (DDIM, EulerAncestral, LMS, PNDM ...), or levels outside its table.
    """
    sigmas = np.asarray(sigmas, float)
    offers = {"sigmas": sigmas.tolist(), "timesteps": diffusers_timesteps(scheduler).stops(sigmas).tolist()}
    taken = inspect.signature(scheduler.set_timesteps).parameters
    for name in (name for name in offers if name in taken):
        try:  # some take it under settings of theirs only
            copy.deepcopy(scheduler).set_timesteps(**{name: offers[name]})
            return {name: offers[name]}
        except ValueError:
            continue
    raise UserError(f"{type(scheduler).__name__} takes no grid of one's own: use EulerDiscreteScheduler (sigmas) or "
                    "DPMSolverMultistepScheduler, HeunDiscreteScheduler or DDPMScheduler (timesteps), of the same "
                    "config")
