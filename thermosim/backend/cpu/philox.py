"""Counter-based random words: Philox4x32-10 (Salmon, Moraes, Dror & Shaw 2011).

A word is a function of where it is used and of nothing else: counter = (particle, component,
draw ÷ 4, stream), key = the 64-bit seed, and draw d takes word d mod 4 of its block. Threads, batches,
devices and restarts therefore cannot change a result.
"""
import numpy as np

from ...errors import UserError
from .compile import instruction, ir, strict, types

_M0, _M1 = 0xD2511F53, 0xCD9E8D57        # multipliers and key increments of the paper
_W0, _W1 = 0x9E3779B9, 0xBB67AE85


@instruction(lambda c0, c1, c2, c3, k0, k1: (types.UniTuple(types.uint64, 4), *6 * [types.uint64]))
def philox(builder, operands, c0, c1, c2, c3, k0, k1):
    """Four 32-bit words of counter (c0, c1, c2, c3) under key (k0, k1), each in a 64-bit lane.

    64-bit lanes give both halves of a 32×32 product from one vector multiply; only the low half of a
    lane counts, so high halves carry rubbish between rounds and are masked where they would matter.
    CUDA: __umulhi and a 32-bit product.
    """
    lane = ir.IntType(64)
    low, half = lane(0xFFFFFFFF), lane(32)
    xor, mul, shr, mask = builder.xor, builder.mul, builder.lshr, lambda c: builder.and_(c, low)
    k0, k1 = mask(k0), mask(k1)
    for _ in range(10):
        p0, p1 = mul(mask(c0), lane(_M0)), mul(mask(c2), lane(_M1))
        c0, c2 = xor(shr(p1, half), xor(c1, k0)), xor(shr(p0, half), xor(c3, k1))
        c1, c3 = p1, p0
        k0, k1 = mask(builder.add(k0, lane(_W0))), mask(builder.add(k1, lane(_W1)))
    return tuple(mask(c) for c in (c0, c1, c2, c3))


@strict
def fill_words(w, lanes, particle, next_particle, component, next_component, block, stream, k0, k1):
    """Words of block number `block` (draw ÷ 4) into w[:, :lanes], w being (4, at least lanes) uint32.

    Lane i stands at particle + i·next_particle, component + i·next_component. All but `lanes` uint64.
    """
    w0, w1, w2, w3 = w[0], w[1], w[2], w[3]
    for i in range(lanes):
        lane = np.uint64(i)
        a, b, c, d = philox(particle + lane * next_particle, component + lane * next_component,
                            block, stream, k0, k1)
        w0[i] = np.uint32(a)
        w1[i] = np.uint32(b)
        w2[i] = np.uint32(c)
        w3[i] = np.uint32(d)


@strict
def fill_particle_words(w, at, lanes, first, component, block, stream, k0, k1):
    """Words of particles first, first + 1, … of one component into w[:, at:at + lanes]. All but w uint64.

    With three words of the counter the same in every lane, part of the first two rounds leaves the loop.
    """
    w0, w1, w2, w3 = w[0], w[1], w[2], w[3]
    for i in range(at, at + lanes):
        a, b, c, d = philox(first + (i - at), component, block, stream, k0, k1)
        w0[i] = np.uint32(a)
        w1[i] = np.uint32(b)
        w2[i] = np.uint32(c)
        w3[i] = np.uint32(d)


def philox4x32(counter, key):
    """The four words of one counter: `counter` is four, `key` two 32-bit integers.

    Returns
    -------
    ndarray, shape (4,), uint32
    """
    w = np.empty((4, 1), np.uint32)
    particle, component, block, stream = (np.uint64(c) for c in counter)
    fill_words(w, 1, particle, np.uint64(0), component, np.uint64(0), block, stream,
               *(np.uint64(k) for k in key))
    return w[:, 0]


def words(seed, stream, draw, n, d, first=0):
    """Random 32-bit words of draw number `draw`, for particles first … first + n − 1.

    Parameters
    ----------
    seed : int in [0, 2⁶⁴)
    stream : int in [0, 2³²)
        Independent sequences of one seed (training noise, initial state, dynamics, …).
    draw : int in [0, 2³⁴)
        Position in the sequence: step × words per step + index.
    n, d : int
        Particles and components.
    first : int
        Number of the first particle; first + n ≤ 2³².

    Returns
    -------
    ndarray, shape (n, d), uint32

    Raises
    ------
    UserError
        If an argument leaves its range.
    """
    k0, k1, stream, first = checked(seed, stream, draw, 1, n, d, first)
    block, zero, one = np.uint64(draw // 4), np.uint64(0), np.uint64(1)
    out = np.empty((n, d), np.uint32)
    w = np.empty((4, max(n, d)), np.uint32)
    if n < d:
        for i in range(n):
            fill_words(w, d, first + np.uint64(i), zero, zero, one, block, stream, k0, k1)
            out[i] = w[draw % 4]
    else:
        for c in range(d):
            fill_words(w, n, first, one, np.uint64(c), zero, block, stream, k0, k1)
            out[:, c] = w[draw % 4]
    return out


def checked(seed, stream, draw, count, n, d, first):
    """Ranges of a request for `count` draws; returns key words, stream and first as uint64."""
    for name, value, low, high in (("seed", seed, 0, 2**64 - 1), ("stream", stream, 0, 2**32 - 1),
                                   ("draw", draw, 0, 2**34 - 1), ("count", count, 0, 2**34 - draw),
                                   ("n", n, 0, 2**32), ("d", d, 0, 2**32), ("first", first, 0, 2**32 - n)):
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or not low <= value <= high:
            raise UserError(f"random numbers: {name} = {value!r} must be an integer within {low}..{high}")
    seed = int(seed)
    return np.uint64(seed & 0xFFFFFFFF), np.uint64(seed >> 32), np.uint64(stream), np.uint64(first)
