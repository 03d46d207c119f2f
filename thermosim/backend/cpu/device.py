"""The CPU as a device: NumPy arrays, and kernels of our own for noise and networks."""
import numpy

from . import activations, network
from .chains import Chains
from .matmul import matmul, silu_layer
from .normals import normals
from .philox import words
from .threads import over_threads

ADAM_SHARE = 1 << 13          # parameters worth a thread


class Cpu:
    """What code above the backend may ask of a device; `Gpu` answers the same with CuPy arrays.

    Attributes
    ----------
    name : str
        "cpu".
    xp : module
        The array module (numpy), for what is not in the innermost loop.
    """

    name = "cpu"
    xp = numpy

    def asarray(self, x, dtype=None):
        """x as a C-contiguous array on this device."""
        return numpy.ascontiguousarray(x, dtype)

    def to_host(self, x):
        """x as a NumPy array."""
        return numpy.asarray(x)

    def empty(self, shape, dtype):
        """An array for anything, C-contiguous. It begins with a
        cache line, so that no vector of a kernel straddles two."""
        dtype = numpy.dtype(dtype)
        size = int(numpy.prod(shape)) * dtype.itemsize
        room = numpy.empty(size + 64, numpy.uint8)
        start = -room.ctypes.data % 64
        return room[start:start + size].view(dtype).reshape(shape)

    def normals(self, seed, stream, draw, n, d, first=0, dtype=numpy.float64, out=None):
        """Standard normals (n, d): particles first .. first+n−1, components 0 .. d−1 of one draw.

        They depend on (seed, stream, draw, particle, component) alone.
        """
        return normals(seed, stream, draw, n, d, first=first, dtype=dtype, out=out)

    def words(self, seed, stream, draw, n, d, first=0):
        """32 random bits a place, uint32 (n, d); addressed as the normals are."""
        return words(seed, stream, draw, n, d, first=first)

    def matmul(self, a, b, out):
        """out = a b; a (n, k) and b (k, m) may be transposed views, out (n, m) is C-contiguous."""
        return matmul(a, b, out)

    def silu_layer(self, x, W, b, h, g=None):
        """h = silu(x W + b), g, where given, silu'(x W + b); x (n, k), W (k, m), b (m,), h and g (n, m), one dtype."""
        silu_layer(x, W, b, h, g)

    def silu(self, z, b, g):
        """g = f'(z + b), and z becomes f(z + b), f(v) = v/(1 + e^−v); z, g (n, k), b (k,), one dtype."""
        activations.silu(z, b, g)

    def silu_curved(self, z, b, g, w):
        """As `silu`, and w = f''(z + b), (n, k)."""
        activations.silu_curved(z, b, g, w)

    def sigmoid(self, z, b, g):
        """As `silu`, with f(v) = 1/(1 + e^−v)."""
        activations.sigmoid(z, b, g)

    def sigmoid_curved(self, z, b, g, w):
        """As `silu_curved`, with f(v) = 1/(1 + e^−v)."""
        activations.sigmoid_curved(z, b, g, w)

    def tanh(self, z, b, g):
        """As `silu`, with f = tanh."""
        activations.tanh(z, b, g)

    def tanh_curved(self, z, b, g, w):
        """As `silu_curved`, with f = tanh."""
        activations.tanh_curved(z, b, g, w)

    def leaky_relu(self, z, b, g, slope):
        """As `silu`, with f(v) = v where v > 0, else slope·v."""
        activations.leaky_relu(z, b, g, z.dtype.type(slope))

    def bend(self, d, e, u, g, w):
        """d = g d + w Σ_a e_a u_a, then e = g e, in place; d, g, w (n, k), e, u (m, n, k)."""
        network.bend(d, e, u, g, w)

    def bumps(self, x, centre, sharpness, a, phi):
        """a = −½ s_k |x − c_k|² and its softmax phi; x (n, d), centre (d, K), sharpness (K,), a, phi (n, K)."""
        network.bumps(x, centre, sharpness, a, phi)

    def soften(self, phi, d):
        """d = φ(d − Σ_k φ_k d_k) in place, the derivative of a softmax; phi, d (n, K)."""
        network.soften(phi, d)

    def own_rows(self, x, w, b, which, out):
        """out_r = x_r w_j, j = which[r mod n], plus b_j for r < n.

        x (rows, i), w (J, i, k), b (J, k), which (n,) int64, out (rows, k); rows a multiple of n.
        """
        network.own_rows(x, w, b, which, out)

    def own_rows_back(self, x, w, which, d, dx, dw, db):
        """Derivatives of L by x, w and b of `own_rows` into dx, dw, db, from d = ∂L/∂out."""
        network.own_rows_back(x, w, which, d, dx, dw, db)

    def scale_columns_sum(self, d, g, s):
        """d *= g in place and s = d.sum(axis=0); d, g (n, k), s (k,)."""
        network.scale_columns_sum(d, g, s)

    def adam(self, p, g, m, v, ema, rate, betas, step, eps, decay, follow):
        """Adam (Kingma & Ba 1412.6980, algorithm 1) with decoupled weight decay (1711.05101).

        p, g, m, v, ema : (k,) parameters, gradient, both moments, running mean of p; changed in place.
        step : int, counted from 1. decay : weight decay per unit rate.
        follow : ema += follow · (p − ema).
        """
        beta1, beta2 = betas
        scalars = (rate, beta1, beta2, 1 / (1 - beta1**step), 1 / (1 - beta2**step), eps, decay, follow)
        over_threads(network.adam, p.size, ADAM_SHARE, p, g, m, v, ema, *(p.dtype.type(s) for s in scalars))

    def chains(self, up, down, h, ring=False):
        """Tridiagonal chains (I − hK)⁻¹ of rates (outer, n, inner); see `thermosim.backend.cpu.chains`."""
        return Chains(up, down, h, ring)
