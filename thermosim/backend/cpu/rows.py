"""What a row of the ledger needs from a block: moments, closure of the first law, signs of an explosion.

Sums run in 32 fixed lanes, an order that vector registers follow as it is written.
"""
import numpy as np

from .bits import uniform
from .compile import inlined, strict

LANES = 32


@inlined
def halved(lanes):
    """Sum of 32 lanes: 16 + 16, 8 + 8, …"""
    for k in range(16):
        lanes[k] += lanes[k + 16]
    for k in range(8):
        lanes[k] += lanes[k + 8]
    for k in range(4):
        lanes[k] += lanes[k + 4]
    return (lanes[0] + lanes[2]) + (lanes[1] + lanes[3])


def _moments(B):
    @strict
    def moments(y, T):
        """Mean and sum of squared deviations of y, at most B long; T is scratch of B + 64.

        Deviations are taken from the first entry, so that a large mean costs no digits of the spread. With B
        known to the compiler the sums of a lane are unrolled and stay in registers.
        """
        m, pivot = y.size, np.float64(y[0])
        for i in range(m):
            T[i] = y[i] - pivot
        for i in range(m, B):
            T[i] = 0
        for k in range(LANES):
            s, q = 0.0, 0.0
            for j in range(B//LANES):
                s += T[k + LANES*j]
                q += T[k + LANES*j]*T[k + LANES*j]
            T[B + k], T[B + LANES + k] = s, q
        total, squares = halved(T[B:B + LANES]), halved(T[B + LANES:])
        return pivot + total/m, max(squares - total*(total/m), 0.0)
    return moments


moments_8, moments_16, moments_32, moments_64, moments_128, moments_256, moments_512 = (
    _moments(2**k) for k in range(3, 10))


@strict
def load_state(S, state, p0, m, B):
    """Particles p0 … p0 + m − 1 of state (n, slots) to the first slots of a block."""
    for k in range(state.shape[1]):
        slot = S[k*B:k*B + m]
        for i in range(m):
            slot[i] = state[p0 + i, k]


@strict
def save_state(S, state, p0, m, B):
    """The way back."""
    for k in range(state.shape[1]):
        slot = S[k*B:k*B + m]
        for i in range(m):
            state[p0 + i, k] = slot[i]


@strict
def open_row(S, B, energy, before, books, count):
    """The energy at the beginning of a row is kept; `count` books from slot `books` on begin at zero."""
    for i in range(B):
        S[before*B + i] = S[energy*B + i]
    for i in range(count*B):
        S[books*B + i] = 0


@strict
def close_row(S, R, m, B, books, count, frame, p0):
    """A row's books join the sums R of the run; the frame (recorded, d) gets its positions."""
    gained = S[books*B:(books + count)*B]
    for i in range(count*B):
        R[i] += gained[i]
    for i in range(min(m, frame.shape[0] - p0)):
        for k in range(frame.shape[1]):
            frame[p0 + i, k] = S[k*B + i]


@strict
def add_totals(R, totals, p0, m, B):
    """The sums of a block join totals (n, books)."""
    for k in range(totals.shape[1]):
        for i in range(m):
            totals[p0 + i, k] += R[k*B + i]


@strict
def closure(S, T, m, B, after, before, books):
    """max |ΔE − (work + shadow_work + heat)| over the block, relative to the size of its terms.

    Energies come from scratch at both ends of the row; `books` are the slots of the three columns; T is
    scratch of at least m.
    """
    one = S.dtype.type(1)
    e, e0 = S[after*B:after*B + m], S[before*B:before*B + m]
    w, s, q = S[books[0]*B:books[0]*B + m], S[books[1]*B:books[1]*B + m], S[books[2]*B:books[2]*B + m]
    for i in range(m):
        defect = abs((e[i] - e0[i]) - (w[i] + s[i] + q[i]))
        T[i] = defect/(one + abs(e[i]) + abs(e0[i]) + abs(w[i]) + abs(s[i]) + abs(q[i]))
    # numbers ≥ 0 stand in the order of their bits, and a maximum of integers vectorises
    bits, top = T[:m].view(np.int64), np.int64(0)
    for i in range(m):
        top = max(top, bits[i])
    bits[0] = top
    return T[0]


@strict
def explosion(S, m, dimension, B):
    """The first particle of the block with a coordinate that is no longer a number of sane size, or −1."""
    limit = S.dtype.type(1e30)
    sane = True
    for k in range(dimension):
        y = S[k*B:k*B + m]
        for i in range(m):
            sane &= abs(y[i]) < limit
    if sane:
        return -1
    for i in range(m):
        for k in range(dimension):
            if not abs(S[k*B + i]) < limit:
                return i
    return -1


@strict
def fill_numbers(u, w, lanes):
    """Uniform numbers u[:, :lanes] on (0, 1) of words w[:, :lanes]."""
    one = u.dtype.type(1)
    for k in range(4):
        for i in range(lanes):
            u[k, i] = uniform(w[k, i], one)
