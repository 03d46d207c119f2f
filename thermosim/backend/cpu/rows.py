"""What a row of the ledger needs from a block: moments, closure of the first law, signs of an explosion.

Sums run in 32 fixed lanes, an order that vector registers follow as it is written.
"""
import numpy as np

from .bits import uniform
from .compile import strict

LANES = 32


@strict
def moments(y, T):
    """Mean and sum of squared deviations of y; T is scratch of at least 64.

    Deviations are taken from the first entry, so that a large mean costs no digits of the spread.
    """
    s, q, pivot = T[:LANES], T[LANES:2*LANES], np.float64(y[0])
    s[:] = 0
    q[:] = 0
    whole = y.size//LANES*LANES
    for j in range(0, whole, LANES):
        part = y[j:j + LANES]
        for k in range(LANES):
            z = part[k] - pivot
            s[k] += z
            q[k] += z*z
    for k in range(y.size - whole):
        z = y[whole + k] - pivot
        s[k] += z
        q[k] += z*z
    total, squares = 0.0, 0.0
    for k in range(LANES):
        total += s[k]
        squares += q[k]
    return pivot + total/y.size, max(squares - total*(total/y.size), 0.0)


@strict
def closure(S, T, m, after, before, books):
    """max |ΔE − (work + shadow_work + heat)| over the block, relative to the size of its terms.

    Energies come from scratch at both ends of the row; `books` are the slots of the three columns; T is
    scratch as long as the block.
    """
    B, one = T.size, S.dtype.type(1)
    e, e0 = S[after*B:after*B + m], S[before*B:before*B + m]
    w, s, q = S[books[0]*B:books[0]*B + m], S[books[1]*B:books[1]*B + m], S[books[2]*B:books[2]*B + m]
    for i in range(m):
        defect = abs((e[i] - e0[i]) - (w[i] + s[i] + q[i]))
        T[i] = defect/(one + abs(e[i]) + abs(e0[i]) + abs(w[i]) + abs(s[i]) + abs(q[i]))
    # numbers ≥ 0 stand in the order of their bits, and a maximum of integers vectorises
    bits, top = T.view(np.int64), np.int64(0)
    for i in range(m):
        top = max(top, bits[i])
    T.view(np.int64)[0] = top
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
