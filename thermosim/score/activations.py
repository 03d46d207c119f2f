"""Activations of a hidden layer: each names the kernel of its device, and that is all it does."""
from dataclasses import dataclass

from ..errors import UserError


class _Activation:
    def value(self, device, x, W, b, h, g):
        """h alone, of `layer`; what g then holds is no matter."""
        self.layer(device, x, W, b, h, g)


@dataclass(frozen=True)
class SiLU(_Activation):
    """f(v) = v/(1 + e^−v) (Elfwing et al. 2018, 1702.03118; "swish", Ramachandran et al. 2017, 1710.05941)."""

    def layer(self, device, x, W, b, h, g):
        """h = f(x W + b) and g = f'(x W + b); x (n, i), W (i, k), b (k,), h and g (n, k)."""
        device.silu_layer(x, W, b, h, g)

    def value(self, device, x, W, b, h, g):
        """h alone, of `layer`, which then is not held up by writing g."""
        device.silu_layer(x, W, b, h)

    def curved(self, device, z, b, g, w):
        """g = f'(z + b), w = f''(z + b), and z becomes f(z + b); all (n, k) but b (k,)."""
        device.silu_curved(z, b, g, w)


@dataclass(frozen=True)
class Tanh(_Activation):
    """f(v) = tanh v."""

    def layer(self, device, x, W, b, h, g):
        """As `SiLU.layer`."""
        device.tanh(device.matmul(x, W, h), b, g)

    def curved(self, device, z, b, g, w):
        """As `SiLU.curved`."""
        device.tanh_curved(z, b, g, w)


@dataclass(frozen=True)
class Sigmoid(_Activation):
    """f(v) = 1/(1 + e^−v)."""

    def layer(self, device, x, W, b, h, g):
        """As `SiLU.layer`."""
        device.sigmoid(device.matmul(x, W, h), b, g)

    def curved(self, device, z, b, g, w):
        """As `SiLU.curved`."""
        device.sigmoid_curved(z, b, g, w)


@dataclass(frozen=True)
class LeakyReLU(_Activation):
    """f(v) = v for v > 0, else slope·v; the slope of the 2015 paper's released code, 0.05, unless given.

    Its second derivative is 0 but at the kink: terms that ask for curvature see none.
    """

    slope: float = 0.05

    def __post_init__(self):
        if not 0 <= self.slope < 1:
            raise UserError(f"a leaky ReLU has a slope of at least 0 and below 1, not {self.slope}")

    def layer(self, device, x, W, b, h, g):
        """As `SiLU.layer`."""
        device.leaky_relu(device.matmul(x, W, h), b, g, self.slope)

    def curved(self, device, z, b, g, w):
        """As `SiLU.curved`."""
        device.leaky_relu(z, b, g, self.slope)
        w.fill(0)
