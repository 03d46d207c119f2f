"""A feed-forward network of fully connected layers."""
from .activations import SiLU
from .conditioning import Nothing
from .layers import Dense
from .network import Network, widths


class MLP(Network):
    """Fully connected layers h_{l+1} = f(h_l W_l + b_l) below a linear readout.

    Initial weights are normal with variance 1/fan_in (LeCun), biases zero, and the readout is zero:
    an untrained network answers 0, and a preconditioned denoiser starts from its skip path alone.

    Parameters
    ----------
    sizes : sequence of int
        Width of the input, of each hidden layer, and of the output.
    dtype, device, seed, parameters
        As for `Network`.
    activation : SiLU, Tanh, Sigmoid or LeakyReLU
        The f of all hidden layers.
    residual : bool
        h_{l+1} = h_l + f(h_l W_l + b_l) wherever both have the same width.
    readout : Nothing, Bumps or Steps
        What of the noise level the readout depends on.
    """

    def __init__(self, sizes, dtype, device, seed=0, activation=SiLU(), residual=False, readout=Nothing(),
                 parameters=None):
        sizes = widths(sizes)
        self.activation, self.residual, self.readout = activation, bool(residual), readout
        hidden = [Dense(a, b, activation, residual and a == b) for a, b in zip(sizes, sizes[1:-1])]
        super().__init__([*hidden, readout.readout(*sizes[-2:])], sizes, dtype, device, seed, parameters)

    @property
    def settings(self):
        """What it is made of, beside dtype and parameters."""
        return {"sizes": self.sizes, "activation": self.activation, "residual": self.residual, "readout": self.readout}
