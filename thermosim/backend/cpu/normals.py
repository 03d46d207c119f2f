"""Standard normal numbers from Philox words: Box & Muller (1958) in polynomials.

Words 0 and 1 of a block give normals 0 and 1, words 2 and 3 give normals 2 and 3. The first word of a
pair is the radius, u = (k + ½)·2⁻³²; of the second, 30 bits are an angle θ within ±π/4 and two bits
are signs, so that √(−2 ln u)·(cos φ, sin φ) with φ = θ + π/4 in the first quadrant covers the plane
without any range reduction. The largest |z| is √(66 ln 2) = 6.76 in either precision.
"""
import numpy as np

from ...errors import UserError
from .bits import centred, flip, uniform
from .compile import inlined, strict
from .elementary import cos_small, log_positive, sin_small
from .philox import checked, fill_words
from .threads import over_threads

LANES = 512                 # one block of words and normals fits the first-level cache
MANY = 256                  # components from which lanes run along them
SHARE = 4096                # normals worth a thread
HALF_PI = np.pi / 2


@inlined
def box_muller(a, b, like):
    """Two independent standard normals, in the type of `like`, from two 32-bit words."""
    real = type(like)
    r = np.sqrt(-log_positive(uniform(a, like)))
    t = centred(b, like) * real(HALF_PI)
    c, s = cos_small(t), sin_small(t)
    return flip(r * (c - s), b), flip(r * (c + s), b << np.uint32(1))


@inlined
def fill_pair(ga, gb, at, wa, wb, lane, lanes):
    """Normals ga, gb, from place `at` on, of the words wa, wb, from `lane` on (uint64)."""
    for i in range(lanes):
        ga[at + i], gb[at + i] = box_muller(wa[lane + i], wb[lane + i], ga[at + i])


@strict
def fill_normals(g, row, at, w, lane, lanes):
    """Normals g[row:row + 4, at:at + lanes] of the words w[:, lane:lane + lanes]; at, lane, lanes uint64.

    float32 or float64 by g.
    """
    for j in range(0, 4, 2):
        fill_pair(g[row + j], g[row + j + 1], at, w[j], w[j + 1], lane, lanes)


@strict
def _lanes(out, at, stride, lanes, particle, next_particle, component, next_component,
           draw, stream, k0, k1, w, g):
    """Draws draw … draw + len(out) − 1 of one row of lanes, lane i to out[:, at + i·stride]."""
    last = draw + out.shape[0] - 1
    for block in range(draw // 4, last // 4 + 1):
        fill_words(w, lanes, particle, next_particle, component, next_component,
                   np.uint64(block), stream, k0, k1)
        for j in range(4):
            here = 4 * block + j
            if j % 2 == 0 and draw <= here + 1 and here <= last:
                fill_pair(g[j], g[j + 1], np.uint64(0), w[j], w[j + 1], np.uint64(0), np.uint64(lanes))
            if draw <= here <= last:
                row, normal = out[here - draw], g[j]
                for i in range(lanes):
                    row[at + i * stride] = normal[i]


@strict
def _particles(start, stop, out, d, first, draw, stream, k0, k1):
    """Particles start … stop − 1 of out (draws, n·d); lanes run along components if these are many."""
    w = np.empty((4, LANES), np.uint32)
    g = np.empty((4, LANES), out.dtype)
    if d >= MANY:
        rows, extent, stride = stop - start, d, 1
    else:
        rows, extent, stride = d, stop - start, d
    next_component = np.uint64(d >= MANY)
    for row in range(rows):
        for at in range(0, extent, LANES):
            p, c = (start + row, at) if d >= MANY else (start + at, row)
            _lanes(out, p * d + c, stride, min(LANES, extent - at),
                   first + np.uint64(p), np.uint64(1) - next_component, np.uint64(c), next_component,
                   draw, stream, k0, k1, w, g)


def normal_draws(seed, stream, draw, count, n, d, first=0, dtype=np.float64, out=None):
    """Standard normals of `count` consecutive draws, for particles first … first + n − 1.

    Four draws come from one Philox block, so asking for a multiple of four at a multiple of four is
    cheapest. Bits do not depend on threads, on `count`, or on how particles are split over calls.

    Parameters
    ----------
    seed : int in [0, 2⁶⁴)
    stream : int in [0, 2³²)
    draw : int in [0, 2³⁴)
        Number of the first draw: step × normals per step + index.
    count, n, d : int
        Draws, particles, components.
    first : int
        Number of the first particle; first + n ≤ 2³².
    dtype : numpy.float64 or numpy.float32
        float32 follows float64, the same function of the words, to 1.5e-7 (rms).
    out : ndarray, shape (count, n, d), optional
        C-contiguous array of `dtype` to fill.

    Returns
    -------
    ndarray, shape (count, n, d)

    Raises
    ------
    UserError
        If an argument leaves its range, or `out` does not fit.
    """
    k0, k1, stream, first = checked(seed, stream, draw, count, n, d, first)
    dtype = np.dtype(dtype)
    if dtype not in (np.float64, np.float32):
        raise UserError(f"random numbers: dtype = {dtype} must be float32 or float64")
    if out is None:
        out = np.empty((count, n, d), dtype)
    elif out.shape != (count, n, d) or out.dtype != dtype or not out.flags.c_contiguous:
        raise UserError(f"random numbers: out must be a C-contiguous {dtype} array of shape {(count, n, d)}")
    if out.size:
        over_threads(_particles, n, max(1, SHARE // (d * count)),
                     out.reshape(count, n * d), d, first, draw, stream, k0, k1)
    return out


def normals(seed, stream, draw, n, d, first=0, dtype=np.float64, out=None):
    """Standard normals of draw number `draw`: shape (n, d). Arguments as in `normal_draws`."""
    if out is not None:
        out = out[np.newaxis]
    return normal_draws(seed, stream, draw, 1, n, d, first, dtype, out)[0]
