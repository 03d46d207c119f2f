"""Relaxation rates and modes of the generator, and the density that it leaves alone."""

from dataclasses import dataclass

import numpy as np

from ..errors import UserError


@dataclass
class Spectrum:
    """The slow end of the spectrum of −K.

    Attributes
    ----------
    rates : (k,) array
        Eigenvalues of −K, slowest first. Where a circulating force makes them complex these are the k
        nearest to 0 in the plane.
    modes : (k, *shape) array
        Densities that decay as e^{−rate·t}; the first of a closed grid is the steady state, the others
        carry no mass and have ∫|mode| = 1.
    """

    rates: np.ndarray
    modes: np.ndarray


def spectrum(generator, k, reversible):
    """The k slowest modes of a generator.

    Where detailed balance holds the generator is similar to the symmetric matrix with entries
    √(k_ij·k_ji), so rates are real and found by a symmetric solver: LAPACK's tridiagonal one on a line,
    shift-and-invert Lanczos otherwise.

    Source: Risken, The Fokker–Planck Equation, 2nd ed. (1989), §5.4.
    """
    grid = generator.grid
    size = int(np.prod(grid.shape))
    if isinstance(k, bool) or int(k) != k or not 1 <= k < size - 1:
        raise UserError(f"k = {k!r} must be a whole number of modes, fewer than the {size} cells")
    k = int(k)
    if reversible and grid.dimension == 1 and not grid.axes[0].periodic:
        rates, modes = _line(generator.up[0], generator.down[0], k)
    elif reversible:
        rates, modes = _symmetric(generator.matrix(), k)
    else:
        rates, modes = _general(generator.matrix(), k)
    if reversible and not grid.has_end("absorbing"):
        rates[0] = 0.0                        # columns of K sum to zero
    modes = modes.T.reshape(k, *grid.shape)
    norm = np.abs(modes).sum(axis=tuple(range(1, modes.ndim)), keepdims=True)
    first = modes[0].sum()
    modes = modes / norm
    modes[0] *= np.sign(first.real) or 1.0
    return Spectrum(rates, modes / grid.volumes)


def _line(up, down, k):
    from scipy.linalg import eigh_tridiagonal

    rates, vectors = eigh_tridiagonal(up + down, -np.sqrt(up[:-1] * down[1:]), select="i", select_range=(0, k - 1))
    # ln of the weight e^{−U/T} that makes the matrix symmetric, from the ratios of the rates
    with np.errstate(divide="ignore"):
        log_weight = np.concatenate(([0.0], np.cumsum(np.log(up[:-1]) - np.log(down[1:]))))
    return rates, vectors * np.exp(0.5 * (log_weight - log_weight.max()))[:, None]


def _symmetric(K, k):
    from scipy.sparse import diags
    from scipy.sparse.linalg import eigsh

    off = K.multiply(K.T).sqrt()
    off.setdiag(0.0)
    S = (-off - diags(K.diagonal())).tocsc()
    rates, vectors = eigsh(S, k=k, sigma=-_nudge(K), which="LM")
    order = np.argsort(rates)
    return rates[order], vectors[:, order] * np.exp(0.5 * _log_weight(K))[:, None]


def _general(K, k):
    from scipy.sparse.linalg import eigs

    rates, vectors = eigs(-K, k=k, sigma=-_nudge(K), which="LM")
    order = np.argsort(rates.real)
    rates, vectors = rates[order], vectors[:, order]
    if np.allclose(rates.imag, 0, atol=1e-12 * np.abs(K.diagonal()).max()):
        rates, vectors = rates.real, vectors.real
    return rates, vectors


def _nudge(K):
    """A shift just below zero: −K itself cannot be inverted where mass is kept."""
    return 1e-9 * np.abs(K.diagonal()).max()


def _log_weight(K):
    """ln w with K·diag(w) symmetric, along a spanning tree of the cells."""
    from scipy.sparse.csgraph import breadth_first_order

    order, parent = breadth_first_order(K, 0, directed=False)
    log_weight, C = np.zeros(K.shape[0]), K.tocsr()
    child = order[1:]
    ratio = np.log(np.asarray(C[child, parent[child]]).ravel()) - np.log(np.asarray(C[parent[child], child]).ravel())
    for c, r in zip(child, ratio):
        log_weight[c] = log_weight[parent[c]] + r
    return log_weight - log_weight.max()


def null_vector(generator):
    """Cell masses m with K m = 0 and Σm = 1, for a closed grid.

    One balance equation follows from the others; normalisation takes its place.
    """
    from scipy.sparse import csc_matrix, vstack
    from scipy.sparse.linalg import spsolve

    K = generator.matrix().tocsr()
    size = K.shape[0]
    A = vstack([K[:-1], csc_matrix(np.ones((1, size)))]).tocsc()
    b = np.zeros(size)
    b[-1] = 1.0
    m = np.maximum(spsolve(A, b), np.finfo(float).tiny)      # rounding may pass zero far out in the tails
    return (m / m.sum()).reshape(generator.grid.shape)
