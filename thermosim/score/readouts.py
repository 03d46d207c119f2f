"""The last, linear layer of a network: one for all noise levels, one mixed of bumps of them, one for each."""
from .layers import Rows


class _Readout:
    """What the three share: a flat start at 0, so that an untrained network answers 0."""

    def bind(self, parameters, gradients, device):
        (self.W, self.b), (self.W_gradient, self.b_gradient) = parameters, gradients
        self.device = device
        self._out = Rows(self.b.shape[-1], self.W.dtype, device)

    def start(self, normals):
        """Weights and biases 0."""
        self.W[:] = 0
        self.b[:] = 0

    def evaluate(self, x, level=None):
        """As `Dense.evaluate`."""
        return self.forward(x, len(x), level)


class SharedReadout(_Readout):
    """F = x W + b, the same at every noise level; W (fan_in, fan_out)."""

    def __init__(self, fan_in, fan_out):
        self.shapes = (fan_in, fan_out), (fan_out,)

    def bind(self, parameters, gradients, device):
        """As `Dense.bind`."""
        super().bind(parameters, gradients, device)
        self._d = Rows(len(self.W), self.W.dtype, device)

    def forward(self, x, n, level=None):
        """As `Dense.forward`."""
        self._x = x
        out = self.device.matmul(x, self.W, self._out(len(x)))
        out[:n] += self.b
        return out

    def backward(self, d, n, below=True):
        """As `Dense.backward`; d stays as it is."""
        self.device.xp.sum(d[:n], axis=0, out=self.b_gradient)
        self.device.matmul(self._x.T, d, self.W_gradient)
        return self.device.matmul(d, self.W.T, self._d(len(d)))


class MixedReadout(_Readout):
    """F = Σ_j g_j (x W_j + b_j) with weights g(level) (Sohl-Dickstein et al. 2015, 1503.03585, appendix D).

    W (fan_in, J·fan_out) holds the W_j side by side, b (J, fan_out).

    Parameters
    ----------
    fan_in, fan_out : int
    basis : Bumps
        g_j of the noise level.
    """

    def __init__(self, fan_in, fan_out, basis):
        self.shapes = (fan_in, basis.width * fan_out), (basis.width, fan_out)
        self.basis = basis

    def bind(self, parameters, gradients, device):
        """As `Dense.bind`."""
        super().bind(parameters, gradients, device)
        self._d, self._each = (Rows(k, self.W.dtype, device) for k in self.W.shape)
        self._weights, self._bias = (Rows(k, self.W.dtype, device) for k in self.b.shape)

    def forward(self, x, n, level):
        """As `Dense.forward`; level (n,) is what the basis is a function of."""
        self._x, xp = x, self.device.xp
        g = self._weights(n)
        self.basis.fill(g, level, xp)
        each = self.device.matmul(x, self.W, self._each(len(x))).reshape(-1, n, *self.b.shape)
        out = self._out(len(x))
        xp.sum(each * g[:, :, None], axis=2, out=out.reshape(-1, n, self.b.shape[1]))
        out[:n] += self.device.matmul(g, self.b, self._bias(n))
        return out

    def backward(self, d, n, below=True):
        """As `Dense.backward`; d stays as it is."""
        device, g, each = self.device, self._weights(n), self._each(len(d))
        device.matmul(g.T, d[:n], self.b_gradient)
        device.xp.multiply(d.reshape(-1, n, 1, d.shape[1]), g[:, :, None], out=each.reshape(-1, n, *self.b.shape))
        device.matmul(self._x.T, each, self.W_gradient)
        return device.matmul(each, self.W.T, self._d(len(d)))


class StepReadout(_Readout):
    """F = x W_j + b_j, with an own readout for each of J noise levels; W (J, fan_in, fan_out).

    Parameters
    ----------
    fan_in, fan_out : int
    steps : Steps
        Which j a noise level is.
    """

    def __init__(self, fan_in, fan_out, steps):
        self.shapes = (steps.width, fan_in, fan_out), (steps.width, fan_out)
        self.steps = steps

    def bind(self, parameters, gradients, device):
        """As `Dense.bind`."""
        super().bind(parameters, gradients, device)
        self._d = Rows(self.W.shape[1], self.W.dtype, device)

    def forward(self, x, n, level):
        """As `Dense.forward`; level (n,) is what the steps are a function of."""
        self._x, self._which, out = x, self.steps.which(level, self.device), self._out(len(x))
        self.device.own_rows(x, self.W, self.b, self._which, out)
        return out

    def backward(self, d, n, below=True):
        """As `Dense.backward`; d stays as it is."""
        dx = self._d(len(d))
        self.device.own_rows_back(self._x, self.W, self._which, d, dx, self.W_gradient, self.b_gradient)
        return dx
