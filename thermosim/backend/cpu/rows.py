"""What a row of the ledger needs from a block: moments, closure of the first law, signs of an explosion.

A block's slots stand in one flat array S, slot k at S[k·B:]. A `Rows` record says which slot is what. Sums
run in 32 fixed lanes, an order that vector registers and the threads of a GPU follow as it is written.
"""
from typing import NamedTuple

import numpy as np

from .bits import LANES, bits, from_bits, lane_sums, sum_lanes, uniform
from .compile import inlined, strict

whole = np.uint64


class Rows(NamedTuple):
    """Slots of a block, all by number.

    `count` books from slot `books` on; `observed` slots from `first` on, whose moments a row reports; the
    energy and what it was `before` the row; the three columns of the first law, −1 where one is not kept.
    """

    books: int
    count: int
    first: int
    observed: int
    energy: int
    before: int
    work: int = -1
    shadow_work: int = -1
    heat: int = -1


@strict
def load_block(S, R, state, p0, m, B, rows):
    """Particles p0 … p0 + m − 1 of state (n, slots) to the first slots of a block; books and their sums R at zero."""
    for k in range(state.shape[1]):
        for i in range(m):
            S[k*B + i] = state[p0 + i, k]
    for i in range(rows.count*B):
        S[rows.books*B + i] = 0
        R[i] = 0


@strict
def save_block(S, R, state, totals, p0, m, B):
    """The way back, and the books' sums to totals (n, books)."""
    for k in range(state.shape[1]):
        for i in range(m):
            state[p0 + i, k] = S[k*B + i]
    for k in range(totals.shape[1]):
        for i in range(m):
            totals[p0 + i, k] += R[k*B + i]


@inlined
def moments(S, at, m, T):
    """Mean and sum of squared deviations of S[at:at + m]; T is scratch of 64.

    Deviations are taken from the first entry, so that a large mean costs no digits of the spread.
    """
    pivot = np.float64(S[at])
    tail = m % LANES
    lane_sums(T, S, at, m//LANES, pivot)
    for lane in range(tail):
        z = S[at + m - tail + lane] - pivot
        T[lane] += z
        T[LANES + lane] += z*z
    total, squares = sum_lanes(T, 0), sum_lanes(T, LANES)
    return pivot + total/m, max(squares - total*(total/m), 0.0)


@inlined
def closure(S, m, B, rows):
    """max |ΔE − (work + shadow_work + heat)| over the block, relative to the size of its terms.

    Energies come from scratch at both ends of the row. A maximum of integers vectorises.
    """
    one, top = S.dtype.type(1), np.int64(0)
    # places are unsigned: a signed one would be tested for wrapping around at every lane
    e, e0 = whole(rows.energy*B), whole(rows.before*B)
    w, s, q = whole(rows.work*B), whole(rows.shadow_work*B), whole(rows.heat*B)
    for i in range(whole(m)):
        energy, before, work, shadow_work, heat = S[e + i], S[e0 + i], S[w + i], S[s + i], S[q + i]
        defect = abs((energy - before) - (work + shadow_work + heat))
        scale = one + abs(energy) + abs(before) + abs(work) + abs(shadow_work) + abs(heat)
        top = max(top, bits(np.float64(defect/scale)))
    return from_bits(top)


@strict
def close_row(S, R, T, m, B, rows, row, block, p0, statistics, defects, frames):
    """The end of a row: what is reported of it, its books to the sums R, and the next one begins.

    statistics (rows, observed, blocks, 2) and defects (rows, blocks) get the entries of this row and block,
    frames (rows, recorded, d) the positions of the particles recorded.
    """
    defects[row, block] = closure(S, m, B, rows) if rows.heat >= 0 else np.nan
    for k in range(rows.observed):
        mean, squares = moments(S, (rows.first + k)*B, m, T)
        statistics[row, k, block, 0], statistics[row, k, block, 1] = mean, squares
    for i in range(min(m, frames.shape[1] - p0)):
        for k in range(frames.shape[2]):
            frames[row, p0 + i, k] = S[k*B + i]
    books, energy, before = whole(rows.books*B), whole(rows.energy*B), whole(rows.before*B)
    for i in range(whole(rows.count*B)):
        R[i] += S[books + i]
        S[books + i] = 0
    for i in range(whole(B)):
        S[before + i] = S[energy + i]


@strict
def explosion(S, m, dimension, B):
    """The first particle of the block with a coordinate that is no longer a number of sane size, or −1."""
    limit = S.dtype.type(1e30)
    sane = True
    for k in range(whole(dimension)):
        at = k*whole(B)
        for i in range(whole(m)):
            sane &= abs(S[at + i]) < limit
    if sane:
        return -1
    for i in range(m):
        for k in range(dimension):
            if not abs(S[k*B + i]) < limit:
                return i
    return -1


@strict
def fill_numbers(u, row, at, w, lane, lanes):
    """Uniform numbers u[row:row + 4, at:at + lanes] on (0, 1), arguments as in `normals.fill_normals`."""
    one = u.dtype.type(1)
    for k in range(4):
        for i in range(lanes):
            u[row + k, at + i] = uniform(w[k, lane + i], one)
