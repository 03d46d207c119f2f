"""Relaxation rates and modes of the generator, and the density that it leaves alone."""

from dataclasses import dataclass

import numpy as np

from .checks import whole


@dataclass
class Spectrum:
    """The slow end of the spectrum of −K.

    Attributes
    ----------
    rates : (k,) array
        Eigenvalues of −K, slowest first: by rising real part, the rate at which a mode decays. A circulating
        force makes pairs complex, the imaginary part being the frequency at which the mode turns; of a pair
        the one with the positive imaginary part stands first, and no pair is cut: there may be k + 1.
    modes : (k, *shape) array
        Densities that decay as e^{−rate·t}; the first of a closed grid is the steady state, the others
        carry no mass and have ∫|mode| = 1. Complex where the rates are: real and imaginary part are densities.
    """

    rates: np.ndarray
    modes: np.ndarray


def spectrum(generator, k, reversible):
    """The k slowest modes of a generator.

    Where detailed balance holds the generator is similar to the symmetric matrix with entries
    √(k_ij·k_ji), so rates are real and found by a symmetric solver: LAPACK's tridiagonal one on a line,
    shift-and-invert Lanczos otherwise; see `_general` for the rest.

    Raises
    ------
    UserError
        For k that is no whole number of modes below the number of cells.

    Source: Risken, The Fokker–Planck Equation, 2nd ed. (1989), §5.4.
    """
    grid = generator.grid
    size = int(np.prod(grid.shape))
    k = whole(k, "k, the number of modes,", most=size - 2)
    if grid.dimension == 1 and not grid.axes[0].periodic:      # on a line nothing circulates, whatever the force
        rates, modes = _line(generator.up[0], generator.down[0], k)
    elif reversible:
        rates, modes = _symmetric(generator.matrix(), k)
    else:
        rates, modes = _general(generator, k)
    if not grid.has_end("absorbing"):
        rates[0] = 0.0                        # columns of K sum to zero
    modes = modes.T.reshape(-1, *grid.shape)
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


def _general(generator, k):
    """The k rates of smallest real part of a circulating flow, and their modes.

    Shift-and-invert finds what is nearest to 0, and a mode that decays slowly but turns fast is not. By
    Cauchy–Schwarz a mode turns no faster than |Im λ|² ≤ σ·Re λ, σ the entropy production rate per probability
    where the mode lives: discs of known rates are laid up the imaginary axis until they hold all that can be
    slower than the k found; below it lie the conjugates.
    """
    K = generator.matrix()
    if K.shape[0] < 6 * (k + 8):
        rates, vectors = np.linalg.eig(-K.toarray())
    else:
        (rates, vectors, radius), discs = _disc(K, 2 * k + 8, 0.0), []
        steady = np.abs(vectors[:, np.argmin(np.abs(rates))].real).reshape(generator.grid.shape)
        turning, centre = _turning(generator, steady / steady.sum()), 0.0
        while True:
            slow = max(np.sort(rates.real)[k - 1], 0.0)
            discs.append((centre, radius))
            top = centre + np.sqrt(max(radius**2 - slow**2, 0.0))      # the strip of slower rates is known so far up
            if top >= np.sqrt(turning * slow):
                break
            # a narrow disc would not reach across the strip: its centre stays where the strip is known
            centre, count, radius = top, k + 8, 0.0
            while radius <= slow and count < K.shape[0] // 2:
                more, shapes, radius = _disc(K, count, centre)
                count *= 2
            if radius <= slow:                 # nearly all rates are asked for
                rates, vectors = np.linalg.eig(-K.toarray())
                break
            new = (more.imag > _nudge(K)) & np.all([np.abs(more - 1j * y) > r for y, r in discs], axis=0)
            rates = np.concatenate([rates, more[new], more[new].conj()])
            vectors = np.concatenate([vectors, shapes[:, new], shapes[:, new].conj()], axis=1)
    order = np.lexsort((-rates.imag, np.round(rates.real, 9)))
    cut = len(order) > k and abs(rates[order[k]].imag) > _nudge(K) and np.isclose(
        rates[order[k]], rates[order[k - 1]].conj(), rtol=1e-9, atol=0)
    order = order[:k + bool(cut)]
    rates, vectors = rates[order], vectors[:, order]
    if np.allclose(rates.imag, 0, atol=1e-12 * np.abs(K.diagonal()).max()):
        rates, vectors = rates.real, vectors.real
    return rates, vectors


def _disc(K, count, height):
    """(rates, modes, radius): all rates in a disc about i·height, `count` of them less those on its rim."""
    from scipy.sparse.linalg import eigs

    centre = 1j * height - _nudge(K) if height else -_nudge(K)
    rates, vectors = eigs(-K.astype(complex) if height else -K, k=count, sigma=centre, which="LM")
    away = np.abs(rates - 1j * height)
    radius = away.max() * (1 - 1e-7)
    return rates[away < radius], vectors[:, away < radius], radius


def _turning(generator, m):
    """The largest entropy production rate per probability among cells that hold all but a thousandth of it."""
    order = np.argsort(m.ravel())
    held = np.cumsum(m.ravel()[order]) > 1e-3
    return float(np.max((generator.local_entropy_production(m) / m).ravel()[order][held]))


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
