"""A network: hidden layers and a readout over one flat vector of parameters."""
import numpy as np

from ..errors import UserError
from .layers import Rows

_INIT = 0x1417  # the Philox stream of initial weights


class Network:
    """Layer upon layer, the last a linear readout; forward, backward, and the same with tangents.

    All parameters live in one flat vector, and all gradients in another, so that the optimiser, the
    running mean and the file each see one array: layer by layer, in the order of each layer's `shapes`.

    An untrained network answers 0, for its readout starts at 0.

    Parameters
    ----------
    layers : list
        Objects with `shapes`, bind, start, forward, evaluate and backward (`layers.Dense`).
    sizes : (inputs, …, outputs)
    dtype : numpy.float32 or numpy.float64
    device : device
        From `thermosim.backend.open_device`.
    seed : int
        Of the initial parameters.
    parameters : (n_parameters,) array_like, optional
        In place of initial ones.

    Attributes
    ----------
    parameters, gradient : (n_parameters,)

    Raises
    ------
    UserError
        Parameters of another number.
    """

    def __init__(self, layers, sizes, dtype, device, seed=0, parameters=None):
        self.layers, self.sizes, self.dtype, self.device = layers, sizes, np.dtype(dtype), device
        shapes = [shape for layer in layers for shape in layer.shapes]
        count = sum(map(np.prod, shapes))
        if parameters is not None and np.shape(parameters) != (count,):
            raise UserError(f"this network has {count} parameters, not {np.size(parameters)}")
        self.parameters, self.gradient = (device.empty(count, self.dtype) for _ in range(2))
        self.parameters.fill(0)
        self.gradient.fill(0)
        views, slopes = (iter(_views(flat, shapes)) for flat in (self.parameters, self.gradient))
        for place, layer in enumerate(layers):
            own = [(next(views), next(slopes)) for _ in layer.shapes]
            layer.bind(*zip(*own), device)
            if parameters is None:
                layer.start(lambda n, d: device.normals(seed, _INIT, place, n, d))
        if parameters is not None:
            self.parameters[:] = device.asarray(parameters, self.dtype)
        self._bundle, self._slopes = (Rows(k, self.dtype, device) for k in (sizes[0], sizes[-1]))

    def forward(self, x, level=None):
        """The network's answer to x (n, inputs): (n, outputs).

        x must be C-contiguous and of the network's dtype; level (n,) is for readouts that depend on it. The answer
        is a view of a buffer, good until the next call.
        """
        return self._up(x, len(x), level)

    def evaluate(self, x, level=None):
        """The answer as from `forward`, to the bit, but `backward` may not follow: what it needs is not kept."""
        for layer in self.layers:
            x = layer.evaluate(x, level)
        return x

    def backward(self, d, want_input=False):
        """Gradients of L from d = ∂L/∂(answer of the last forward call), (n, outputs).

        Returns
        -------
        gradient : (n_parameters,)
            ∂L/∂parameters, a view of `self.gradient`.
        dx : (n, inputs), only with want_input
            ∂L/∂x: for L = w·F the product wᵀJ. A view of a buffer.
        """
        dx = self._down(d, len(d), want_input)
        return (self.gradient, dx) if want_input else self.gradient

    def push(self, x, tangents, level=None):
        """The answer and its directional derivatives.

        Parameters
        ----------
        x : (n, inputs)
        tangents : (m, n, inputs)
            m directions at each point.
        level : (n,), optional

        Returns
        -------
        F : (n, outputs)
        JT : (m, n, outputs)
            J(x_r)·tangents[a, r]. Both are views of a buffer, good until the next call.
        """
        m, n = tangents.shape[:2]
        bundle = self._bundle((1 + m) * n)
        bundle[:n] = x
        bundle[n:].reshape(m, n, -1)[:] = tangents
        out = self._up(bundle, n, level).reshape(1 + m, n, -1)
        return out[0], out[1:]

    def pull(self, d, e, want_input=False):
        """Gradients of L(F, JT) from d = ∂L/∂F (n, outputs) and e = ∂L/∂(JT) (m, n, outputs) of the last `push`.

        With the tangents t as e and d = 0 this is the gradient of Σ t·J t, with unit vectors that of Σ ∇·F.

        Returns
        -------
        gradient : (n_parameters,)
        dx, dt : (n, inputs) and (m, n, inputs), only with want_input
            ∂L/∂x and ∂L/∂tangents.
        """
        m, n = e.shape[:2]
        slopes = self._slopes((1 + m) * n).reshape(1 + m, n, -1)
        slopes[0], slopes[1:] = d, e
        dx = self._down(slopes.reshape((1 + m) * n, -1), n, want_input)
        if not want_input:
            return self.gradient
        dx = dx.reshape(1 + m, n, -1)
        return self.gradient, dx[0], dx[1:]

    def _up(self, h, n, level):
        for layer in self.layers:
            h = layer.forward(h, n, level)
        return h

    def _down(self, d, n, want_input):
        for layer in self.layers[:0:-1]:
            d = layer.backward(d, n)
        return self.layers[0].backward(d, n, want_input)


def widths(sizes, least=2):
    """The sizes as a tuple of `least` or more whole numbers > 0, or a UserError."""
    sizes = tuple(int(k) for k in sizes)
    if len(sizes) < least or min(sizes) < 1:
        raise UserError(f"this network needs {least} or more widths, all at least 1, not {sizes}")
    return sizes


def _views(flat, shapes):
    start = 0
    for shape in shapes:
        stop = start + int(np.prod(shape))
        yield flat[start:stop].reshape(shape)
        start = stop
