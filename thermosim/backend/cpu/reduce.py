"""Sums whose value does not depend on how many threads form them.

Each row is cut into chunks of 4096. Within a chunk, entry j goes to running sum j mod 32 (a fixed order
that vector registers can follow); the running sums are added in order, then the chunks in order. All
sums are float64, and NaN and infinity pass through.
"""
import numpy as np

from ...errors import UserError
from .compile import strict
from .threads import over_threads

CHUNK = 4096
LANES = 32
SHARE = 32                      # chunks worth a thread


@strict
def _add_chunk(row, start, stop, centre):
    """Σ (a − c) and Σ (a − c)² over row[start:stop]."""
    s, q = np.zeros(LANES), np.zeros(LANES)
    whole = start + (stop - start) // LANES * LANES
    for j in range(start, whole, LANES):
        part = row[j:j + LANES]
        for k in range(LANES):
            v = part[k] - centre
            s[k] += v
            q[k] += v * v
    for k in range(stop - whole):
        v = row[whole + k] - centre
        s[k] += v
        q[k] += v * v
    for k in range(1, LANES):
        s[0] += s[k]
        q[0] += q[k]
    return s[0], q[0]


@strict
def _partials(start, stop, a, centre, out):
    chunks = out.shape[1]
    for piece in range(start, stop):
        r, c = piece // chunks, piece % chunks
        out[r, c, 0], out[r, c, 1] = _add_chunk(a[r], c * CHUNK, min(a.shape[1], (c + 1) * CHUNK), centre[r])


@strict
def _in_order(partials):
    total = np.zeros((partials.shape[0], 2))
    for r in range(partials.shape[0]):
        for c in range(partials.shape[1]):
            total[r, 0] += partials[r, c, 0]
            total[r, 1] += partials[r, c, 1]
    return total


def _central_sums(a, centre):
    rows, n = a.shape
    partials = np.empty((rows, -(-n // CHUNK), 2))
    over_threads(_partials, partials.shape[0] * partials.shape[1], SHARE, a, centre, partials)
    return _in_order(partials)


def _rows(a):
    a = np.asarray(a)
    if a.ndim not in (1, 2) or a.dtype not in (np.float64, np.float32):
        raise UserError(f"sums: expected float32 or float64 of shape (n,) or (rows, n), "
                        f"got {a.dtype} {a.shape}")
    return np.ascontiguousarray(np.atleast_2d(a)), a.ndim == 1


def chunked_sum(a):
    """Sum of each row, in an order fixed by the length alone.

    Parameters
    ----------
    a : ndarray, shape (n,) or (rows, n), float32 or float64

    Returns
    -------
    float, or ndarray of shape (rows,), float64

    Raises
    ------
    UserError
        If `a` has another shape or type.
    """
    rows, single = _rows(a)
    total = _central_sums(rows, np.zeros(len(rows)))[:, 0]
    return float(total[0]) if single else total


def chunked_moments(a):
    """Mean and population variance of each row, in an order fixed by the length alone.

    The variance is taken about the mean in a second pass, so a large offset costs no digits.

    Parameters
    ----------
    a : ndarray, shape (n,) or (rows, n) with n ≥ 1, float32 or float64

    Returns
    -------
    mean, variance : floats, or ndarrays of shape (rows,), float64

    Raises
    ------
    UserError
        If `a` has another shape or type, or no entries to average.
    """
    rows, single = _rows(a)
    n = rows.shape[1]
    if n == 0:
        raise UserError("moments: there are no entries to average; give at least one")
    mean = _central_sums(rows, np.zeros(len(rows)))[:, 0] / n
    rest, square = _central_sums(rows, mean).T / n
    mean, variance = mean + rest, square - rest * rest
    return (float(mean[0]), float(variance[0])) if single else (mean, variance)
