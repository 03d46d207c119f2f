"""What network to train: records that a TrainConfig can hold, each of which makes its network for d components."""
from dataclasses import dataclass

from .activations import SiLU
from .conditioning import FourierFeatures, Nothing
from .mlp import MLP
from .rbf import RBFNetwork


@dataclass(frozen=True)
class Perceptron:
    """An `MLP` of `depth` hidden layers of `width` neurons.

    Parameters
    ----------
    width, depth : int
    activation : SiLU, Tanh, Sigmoid or LeakyReLU
    residual : bool
        Skips around the hidden layers.
    features : FourierFeatures, Bumps or Nothing
        What the network sees of the noise level.
    readout : Nothing, Bumps or Steps
        What of it its readout depends on.
    """

    width: int = 384
    depth: int = 3
    activation: object = SiLU()
    residual: bool = False
    features: object = FourierFeatures()
    readout: object = Nothing()

    def network(self, d, outputs, dtype, device, seed):
        """The network, untrained; arguments as for `Network`."""
        sizes = (d + self.features.width, *[self.width] * self.depth, outputs)
        return MLP(sizes, dtype, device, seed, self.activation, self.residual, self.readout)


@dataclass(frozen=True)
class RadialBasis:
    """An `RBFNetwork` of `count` soft cells.

    With a readout a step it is the swiss roll's network of Sohl-Dickstein et al. (2015, 1503.03585).

    Parameters
    ----------
    count : int
    features : FourierFeatures, Bumps or Nothing
        What the cells see of the noise level.
    readout : Nothing, Bumps or Steps
        What of it their answers depend on.
    """

    count: int = 16
    features: object = Nothing()
    readout: object = Nothing()

    def network(self, d, outputs, dtype, device, seed):
        """The network, untrained; arguments as for `Network`."""
        return RBFNetwork((d + self.features.width, self.count, outputs), dtype, device, seed, self.readout)
