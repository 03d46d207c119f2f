"""A network of normalised radial basis functions: soft cells of its input space, each with its own answer."""
from .conditioning import Nothing
from .layers import Rows, stacked
from .network import Network, widths


class NormalisedBumps:
    """φ_k(x) = e^{a_k}/Σ_j e^{a_j}, a_k = −½ s_k |x − c_k|² (Moody & Darken 1989, Neural Computation 1, 281).

    Parameters are the centres c (inputs, K) and ln s (K,).

    Parameters
    ----------
    inputs, count : int
    """

    def __init__(self, inputs, count):
        self.shapes = (inputs, count), (count,)

    def bind(self, parameters, gradients, device):
        """As `Dense.bind`."""
        (self.centre, self.log_s), (self.centre_gradient, self.log_s_gradient) = parameters, gradients
        self.device = device
        inputs, count = self.shapes[0]
        self._d = Rows(inputs, self.centre.dtype, device)
        self._a, self._phi = (Rows(count, self.centre.dtype, device) for _ in range(2))

    def start(self, normals):
        """Centres as standard normals, where preconditioned data lie, and unit sharpness."""
        self.centre[:] = normals(*self.centre.shape)
        self.log_s[:] = 0

    def forward(self, x, n, level=None):
        """As `Dense.forward`. A tangent t makes a_k grow by α_k = −s_k (x − c_k)·t, and φ_k by φ_k (α_k − Σφα)."""
        device, xp = self.device, self.device.xp
        self._x, a, phi = x, self._a(len(x)), self._phi(len(x))
        self._s = xp.exp(self.log_s)
        device.bumps(x[:n], self.centre, self._s, a[:n], phi[:n])
        if len(x) > n:
            t, alpha, change = (stacked(rows[n:], n) for rows in (x, a, phi))
            device.matmul(x[n:], self.centre, a[n:])
            alpha -= xp.sum(t * x[:n], axis=2, keepdims=True)
            alpha *= self._s
            self._average = xp.sum(phi[:n] * alpha, axis=2, keepdims=True)
            xp.multiply(phi[:n], alpha - self._average, out=change)
        return phi

    def evaluate(self, x, level=None):
        """As `Dense.evaluate`."""
        return self.forward(x, len(x))

    def backward(self, d, n, below=True):
        """As `Dense.backward`. First ∂L/∂φ and ∂L/∂φ̇ become p = ∂L/∂a and q = ∂L/∂α in place, in softmax's way."""
        device, xp = self.device, self.device.xp
        x, a, phi, s = self._x, self._a(len(d)), self._phi(len(d)), self._s
        if len(d) > n:
            e, alpha = stacked(d[n:], n), stacked(a[n:], n)
            mean = xp.sum(phi[:n] * e, axis=2, keepdims=True)
            d[:n] += xp.sum(e * (alpha - self._average) - mean * alpha, axis=0)
            e -= mean
            e *= phi[:n]
        device.soften(phi[:n], d[:n])
        xp.sum(d * a, axis=0, out=self.log_s_gradient)
        d *= s
        device.matmul(x.T, d, self.centre_gradient)
        self.centre_gradient -= self.centre * xp.sum(d[:n], axis=0)
        if not below:
            return None
        dx = device.matmul(d, self.centre.T, self._d(len(d)))
        weight = xp.sum(d, axis=1, keepdims=True)
        dx[:n] -= weight[:n] * x[:n]
        if len(d) > n:
            q, dt = stacked(weight[n:], n), stacked(dx[n:], n)
            dx[:n] -= xp.sum(q * stacked(x[n:], n), axis=0)
            dt -= q * x[:n]
        return dx


class RBFNetwork(Network):
    """F = Σ_k φ_k(x) A_k + b: a blend of answers A_k, by nearness to the centres of their cells.

    As Sohl-Dickstein et al. (2015, 1503.03585, appendix D) take for their swiss roll, with 16 cells and one
    readout a step.

    Parameters
    ----------
    sizes : (inputs, K, outputs)
    dtype, device, seed, parameters
        As for `Network`.
    readout : Nothing, Bumps or Steps
        What of the noise level A and b depend on.
    """

    def __init__(self, sizes, dtype, device, seed=0, readout=Nothing(), parameters=None):
        inputs, count, outputs = sizes = widths(sizes, 3)
        self.readout = readout
        layers = [NormalisedBumps(inputs, count), readout.readout(count, outputs)]
        super().__init__(layers, sizes, dtype, device, seed, parameters)

    @property
    def settings(self):
        """What it is made of, beside dtype and parameters."""
        return {"sizes": self.sizes, "readout": self.readout}
