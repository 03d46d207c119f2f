"""A feed-forward network with its backward pass written by hand, right under its forward pass."""
import numpy as np

_INIT = 0x1417  # the Philox stream of initial weights


class MLP:
    """Fully connected layers with SiLU between them: h_{l+1} = silu(h_l W_l + b_l), the last one linear.

    All parameters live in one flat vector, and all gradients in another, so that the optimiser, the
    running mean and the file each see one array. Layer by layer W_l (fan_in, fan_out), then b_l.

    Initial weights are normal with variance 1/fan_in (LeCun), biases zero, and the last layer is zero:
    an untrained network answers 0, and a preconditioned denoiser starts from its skip path alone.

    Parameters
    ----------
    sizes : sequence of int
        Width of the input, of each hidden layer, and of the output.
    dtype : numpy.float32 or numpy.float64
    device : device
        From `thermosim.backend.open_device`.
    seed : int
        Of the initial weights.

    Attributes
    ----------
    parameters, gradient : (n_parameters,)
    weights, biases : lists of views into `parameters`; weight_gradients, bias_gradients into `gradient`.
    """

    def __init__(self, sizes, dtype, device, seed=0):
        self.sizes = tuple(int(k) for k in sizes)
        self.dtype = np.dtype(dtype)
        self.device = device
        pairs = list(zip(self.sizes, self.sizes[1:]))
        count = sum(a * b + b for a, b in pairs)
        self.parameters = device.xp.zeros(count, self.dtype)
        self.gradient = device.xp.zeros(count, self.dtype)
        self.weights, self.biases = _views(self.parameters, pairs)
        self.weight_gradients, self.bias_gradients = _views(self.gradient, pairs)
        for layer, (a, b) in enumerate(pairs[:-1]):
            self.weights[layer][:] = device.normals(seed, _INIT, layer, a, b) / a**0.5
        self._rows = 0

    def forward(self, x):
        """The network's answer to x (n, sizes[0]): (n, sizes[-1]).

        x must be C-contiguous and of the network's dtype. The answer is a view of a buffer, good
        until the next call.
        """
        n = len(x)
        self._reserve(n)
        h = self._x = x
        for i in range(len(self.weights) - 1):
            below, h = h, self._h[i][:n]
            self.device.silu_layer(below, self.weights[i], self.biases[i], h, self._g[i][:n])
        out = self.device.matmul(h, self.weights[-1], self._out[:n])
        out += self.biases[-1]
        return out

    def backward(self, d, want_input=False):
        """Gradients of L from d = ∂L/∂(answer of the last forward call), (n, sizes[-1]).

        Returns
        -------
        gradient : (n_parameters,)
            ∂L/∂parameters, a view of `self.gradient`.
        dx : (n, sizes[0]), only with want_input
            ∂L/∂x.
        """
        n = len(d)
        matmul, xp = self.device.matmul, self.device.xp
        xp.sum(d, axis=0, out=self.bias_gradients[-1])
        for i in range(len(self.weights) - 1, 0, -1):
            h = self._h[i - 1][:n]
            matmul(h.T, d, self.weight_gradients[i])
            below = self._d[i - 1][:n]
            matmul(d, self.weights[i].T, below)
            self.device.scale_columns_sum(below, self._g[i - 1][:n], self.bias_gradients[i - 1])
            d = below
        matmul(self._x.T, d, self.weight_gradients[0])
        if want_input:
            return self.gradient, matmul(d, self.weights[0].T, xp.empty_like(self._x))
        return self.gradient

    def _reserve(self, n):
        """Buffers for n rows; they grow and never shrink, a smaller batch uses their first rows."""
        if n <= self._rows:
            return
        rows = lambda widths: [self.device.xp.empty((n, k), self.dtype) for k in widths]
        hidden = self.sizes[1:-1]
        self._h, self._g, self._d = rows(hidden), rows(hidden), rows(hidden)
        self._out, = rows(self.sizes[-1:])
        self._rows = n


def _views(flat, pairs):
    weights, biases, start = [], [], 0
    for a, b in pairs:
        weights.append(flat[start:start + a * b].reshape(a, b))
        biases.append(flat[start + a * b:start + a * b + b])
        start += a * b + b
    return weights, biases
