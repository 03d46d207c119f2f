"""The GPU as a device: CuPy arrays, cuBLAS for products, our CUDA kernels for what stands between them.

The only module that imports CuPy. Importing it, or opening a `Gpu`, where CuPy, the driver or a card is
missing raises a UserError that says which and what to do.
"""
import functools

import numpy

from ..errors import UserError
from .cpu.mixture import _tables as mixture_tables
from .cpu.philox import checked
from .cuda import options, source

_INSTALL = ('pip install "thermosim[cuda12]" (or "thermosim[cuda13]" for a CUDA 13 driver), '
            'or run with --device cpu')

try:
    import cupy
except ImportError as cause:
    reason = " ".join(str(cause).split()[:20])
    raise UserError(f"device cuda needs CuPy, which does not import ({reason}): {_INSTALL}") from None

BLOCK = 256        # threads of a block
MOST_BLOCKS = 65535  # along a grid's second axis
CHUNK = 32         # rows a thread adds up in one round of a column sum


class Gpu:
    """What `thermosim.backend.cpu.device.Cpu` is, with CuPy arrays.

    In the portable build random words and normals, and whatever else is strict on the CPU, are bit for
    bit the CPU's; sums over columns and products of matrices differ by rounding. One reservation: CuPy
    compiles everything with -ftz=true, so float32 results below 1.2e-38 are 0. The fast build uses the
    hardware's approximations and promises statistics only.

    Parameters
    ----------
    fast : bool

    Attributes
    ----------
    name : str
        "cuda".
    xp : module
        The array module (cupy).

    Raises
    ------
    UserError
        If there is no driver, no card, or no compiler library.
    """

    name = "cuda"
    xp = cupy

    def __init__(self, fast=False):
        _require_device()
        self.fast = bool(fast)

    def asarray(self, x, dtype=None):
        """x as a C-contiguous array on this device."""
        return cupy.asarray(x, dtype, order="C")

    def to_host(self, x):
        """x as a NumPy array."""
        return cupy.asnumpy(x)

    def empty(self, shape, dtype):
        """An array for anything, C-contiguous."""
        return cupy.empty(shape, dtype)

    def normals(self, seed, stream, draw, n, d, first=0, dtype=numpy.float64, out=None):
        """Standard normals (n, d): particles first .. first+n−1, components 0 .. d−1 of one draw.

        They depend on (seed, stream, draw, particle, component) alone.
        """
        counter = _counter(seed, stream, draw, n, d, first)
        dtype = numpy.dtype(dtype)
        if dtype not in (numpy.float64, numpy.float32):
            raise UserError(f"random numbers: dtype = {dtype} must be float32 or float64")
        if out is None:
            out = cupy.empty((n, d), dtype)
        elif out.shape != (n, d) or out.dtype != dtype or not out.flags.c_contiguous:
            raise UserError(f"random numbers: out must be a C-contiguous {dtype} array of shape {(n, d)}")
        self._run("random", "normals", dtype, (n, d), out, *_integers(n, d), *counter)
        return out

    def words(self, seed, stream, draw, n, d, first=0):
        """32 random bits a place, uint32 (n, d); addressed as the normals are."""
        counter = _counter(seed, stream, draw, n, d, first)
        out = cupy.empty((n, d), numpy.uint32)
        self._run("random", "words", numpy.float64, (n, d), out, *_integers(n, d), *counter)
        return out

    def matmul(self, a, b, out):
        """out = a b; a (n, k) and b (k, m) may be transposed views, out (n, m) is C-contiguous."""
        return cupy.matmul(a, b, out=out)

    def silu_layer(self, x, W, b, h, g=None):
        """h = silu(x W + b), g, where given, silu'(x W + b); x (n, k), W (k, m), b (m,), h and g (n, m), one dtype."""
        self.silu(self.matmul(x, W, h), b, cupy.empty_like(h) if g is None else g)

    def silu(self, z, b, g):
        """g = f'(z + b), and z becomes f(z + b), f(v) = v/(1 + e^−v); z, g (n, k), b (k,), one dtype."""
        self._activate("silu", z, b, g)

    def silu_curved(self, z, b, g, w):
        """As `silu`, and w = f''(z + b), (n, k)."""
        self._activate("silu_curved", z, b, g, w)

    def sigmoid(self, z, b, g):
        """As `silu`, with f(v) = 1/(1 + e^−v)."""
        self._activate("sigmoid", z, b, g)

    def sigmoid_curved(self, z, b, g, w):
        """As `silu_curved`, with f(v) = 1/(1 + e^−v)."""
        self._activate("sigmoid_curved", z, b, g, w)

    def tanh(self, z, b, g):
        """As `silu`, with f = tanh."""
        self._activate("hyperbolic", z, b, g)

    def tanh_curved(self, z, b, g, w):
        """As `silu_curved`, with f = tanh."""
        self._activate("hyperbolic_curved", z, b, g, w)

    def leaky_relu(self, z, b, g, slope):
        """As `silu`, with f(v) = v where v > 0, else slope·v."""
        self._run("activations", "leaky_relu", z.dtype, z.shape, z, b, g, *_integers(*z.shape), z.dtype.type(slope))

    def _activate(self, kernel, z, *arrays):
        self._run("activations", kernel, z.dtype, z.shape, z, *arrays, *_integers(*z.shape))

    def bend(self, d, e, u, g, w):
        """d = g d + w Σ_a e_a u_a, then e = g e, in place; d, g, w (n, k), e, u (m, n, k)."""
        self._run("network", "bend", d.dtype, d.shape, d, e, u, g, w, *_integers(*e.shape))

    def bumps(self, x, centre, sharpness, a, phi):
        """a = −½ s_k |x − c_k|² and its softmax phi; x (n, d), centre (d, K), sharpness (K,), a, phi (n, K)."""
        n, d = x.shape
        self._run("network", "bumps", x.dtype, (n, 1), x, centre, sharpness, a, phi, *_integers(n, d, a.shape[1]))

    def soften(self, phi, d):
        """d = φ(d − Σ_k φ_k d_k) in place, the derivative of a softmax; phi, d (n, K)."""
        self._run("network", "soften", d.dtype, (len(d), 1), phi, d, *_integers(*d.shape))

    def own_rows(self, x, w, b, which, out):
        """out_r = x_r w_j, j = which[r mod n], plus b_j for r < n.

        x (rows, i), w (J, i, k), b (J, k), which (n,) int64, out (rows, k); rows a multiple of n.
        """
        sizes = _integers(len(x), len(which), *w.shape[1:])
        self._run("network", "own_rows", x.dtype, out.shape, x, w, b, which, out, *sizes)

    def own_rows_back(self, x, w, which, d, dx, dw, db):
        """Derivatives of L by x, w and b of `own_rows` into dx, dw, db, from d = ∂L/∂out."""
        (J, inside, k), rows, n = w.shape, len(x), len(which)
        self._run("network", "own_rows_input", x.dtype, dx.shape, w, which, d, dx, *_integers(rows, n, inside, k))
        self._run("network", "own_rows_weights", x.dtype, (J * inside, k), x, which, d, dw,
                  *_integers(rows, n, J, inside, k))
        self._run("network", "own_rows_bias", x.dtype, db.shape, which, d, db, *_integers(n, J, k))

    def scale_columns_sum(self, d, g, s):
        """d *= g in place and s = d.sum(axis=0); d, g (n, k), s (k,). The order of the sum is fixed by n."""
        rows, k = d.shape
        if not rows:
            s.fill(0)
            return
        sums, kernel, operands = None, "scale_sum", (d, g)
        while sums is None or rows > 1:
            chunks = -(-rows // CHUNK)
            sums = s.reshape(1, k) if chunks == 1 else cupy.empty((chunks, k), d.dtype)
            self._run("network", kernel, d.dtype, sums.shape, *operands, sums, *_integers(rows, k, CHUNK))
            rows, kernel, operands = chunks, "chunk_sum", (sums,)

    def adam(self, p, g, m, v, ema, rate, betas, step, eps, decay, follow):
        """Adam (Kingma & Ba 1412.6980, algorithm 1) with decoupled weight decay (1711.05101).

        p, g, m, v, ema : (k,) parameters, gradient, both moments, running mean of p; changed in place.
        step : int, counted from 1. decay : weight decay per unit rate.
        follow : ema += follow · (p − ema).
        """
        beta1, beta2 = betas
        scalars = (rate, beta1, beta2, 1 / (1 - beta1**step), 1 / (1 - beta2**step), eps, decay, follow)
        self._run("network", "adam", p.dtype, (1, p.size), p, g, m, v, ema, *_integers(p.size),
                  *(p.dtype.type(s) for s in scalars))

    def mixture_denoise(self, x, sigma, weights, means, eigvals, eigvecs=None):
        """Exact denoiser and log-density of a Gaussian mixture; see `thermosim.backend.cpu.mixture`.

        x : (n, d) on this device; the mixture in NumPy arrays. Returns denoised (n, d) and logp (n,).
        """
        if x.ndim != 2:
            raise UserError(f"mixture: x has shape {x.shape}; expected (n, d)")
        n, d = x.shape
        _, tables, _ = mixture_tables(numpy.empty((0, d)), sigma, weights, means, eigvals, eigvecs)
        real = numpy.float64
        columns = cupy.asarray(x.T, real, order="C")
        denoised, shifted, y = (cupy.empty((d, n), real) for _ in range(3))
        logp, q = cupy.empty(n, real), cupy.empty((tables[0].size, n), real)
        self._run("mixture", "mixture_denoise", real, (1, n), columns, denoised, logp, shifted, y, q,
                  *_integers(n, d, tables[0].size), *(cupy.asarray(t) for t in tables),
                  numpy.int32(eigvecs is not None))
        return cupy.asarray(denoised.T, order="C"), logp

    def chains(self, up, down, h, ring=False):
        """Tridiagonal chains (I − hK)⁻¹ of rates (outer, n, inner) in NumPy arrays; see
        `thermosim.backend.cpu.chains`."""
        from .cuda.chains import CudaChains

        return CudaChains(up, down, h, ring, self)

    def _run(self, file, kernel, real, shape, *arguments):
        """Launch a kernel of ``file``.cuh on arrays that all have dtype `real`, or are random words or places."""
        real = numpy.dtype(real)
        for a in arguments:     # a kernel sees bare addresses: a wrong type there would be silent
            if isinstance(a, cupy.ndarray) and a.dtype not in (real, numpy.uint32, numpy.int64):
                raise ValueError(f"{kernel}: arrays must be of one dtype, {real}, not {a.dtype}")
        self.launch(source(file), kernel, real, shape, *arguments)

    def launch(self, code, kernel, real, shape, *arguments):
        """Launch a kernel with a thread a place of an array of `shape` (rows, columns).

        Parameters
        ----------
        code : str
            CUDA source, with includes pasted in (`thermosim.backend.cuda.source`).
        kernel : str
            Its name; it finds its places by places.cuh.
        real : dtype
            What REAL stands for, float32 or float64.
        shape : (int, int)
        *arguments : cupy arrays, C-contiguous, and NumPy scalars of the kernel's own types
        """
        rows, columns = shape
        if not rows or not columns:
            return
        if not all(a.flags.c_contiguous for a in arguments if isinstance(a, cupy.ndarray)):
            raise ValueError(f"{kernel}: arrays must be C-contiguous")
        width = min(columns, BLOCK)
        height = BLOCK // width
        grid = (-(-rows // height), min(-(-columns // width), MOST_BLOCKS), 1)
        _kernel(code, kernel, numpy.dtype(real).name, self.fast)(grid, (width, height, 1), arguments)


@functools.cache
def _kernel(code, kernel, real, fast):
    return _module(code, real, fast).get_function(kernel)


@functools.cache
def _module(code, real, fast):
    return cupy.RawModule(code=code, options=options(real, fast))


def _integers(*values):
    return tuple(numpy.int64(v) for v in values)


def _counter(seed, stream, draw, n, d, first):
    """Arguments (first, block, index, stream, k0, k1) of the random kernels, in range."""
    k0, k1, stream, first = checked(seed, stream, draw, 1, n, d, first)
    return tuple(numpy.uint32(v) for v in (first, draw // 4, draw % 4, stream, k0, k1))


def _require_device():
    runtime = cupy.cuda.runtime
    try:
        count = runtime.getDeviceCount()
    except runtime.CUDARuntimeError as cause:
        driver, built = runtime.driverGetVersion(), runtime.runtimeGetVersion()
        if not driver:
            raise UserError("device cuda: this machine has no NVIDIA driver; install one, or run with "
                            "--device cpu") from None
        if driver < built:
            raise UserError(f"device cuda: the driver serves CUDA {_version(driver)}, CuPy was built for "
                            f"{_version(built)}: update the driver, {_INSTALL}") from None
        raise UserError(f"device cuda: {cause}; is CUDA_VISIBLE_DEVICES right? "
                        "Or run with --device cpu") from None
    if not count:
        raise UserError("device cuda: the driver finds no GPU; is CUDA_VISIBLE_DEVICES right? "
                        "Or run with --device cpu")
    try:
        cupy.cuda.nvrtc.getVersion()
    except RuntimeError:
        raise UserError(f"device cuda: CuPy finds no CUDA compiler library (NVRTC): {_INSTALL}") from None


def _version(number):
    return f"{number // 1000}.{number % 1000 // 10}"
