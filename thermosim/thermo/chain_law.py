"""The law of a sampler's chain on a line, without a particle: its quantiles carried through every leg."""

import numpy as np
from scipy.interpolate import PchipInterpolator
from scipy.special import ndtr, ndtri

from ..errors import UserError

# where the kernel of one quantile is looked at, in its standard deviations
PLACES = np.array([-5.0, -3.5, -2.4, -1.6, -1.0, -0.5, 0.0, 0.5, 1.0, 1.6, 2.4, 3.5, 5.0])
NODES = 1600


def chain_law(sampler, denoise, sigmas, start):
    """Where a sampler takes a law on the line.

    A leg without noise moves the quantiles; one with noise turns them into the mixture of its kernels, whose
    distribution function is inverted at the middles of equal shares. Nothing is drawn: the error is that of
    `start`'s number of points, seen by halving it.

    Parameters
    ----------
    sampler : Sampler
        Each leg without noise or with a Gaussian kernel of its own; a memory only where there is no noise.
    denoise : callable (x, sigma) → E[x_0|x], x of shape (m, 1)
    sigmas : (N + 1,) falling noise levels
    start : (m,) array
        Quantiles of the law at σ_0, in the middles of m equal shares.

    Returns
    -------
    (m,) array
        Those at σ_N, sorted.

    Raises
    ------
    UserError
        A sampler of another kind.
    """
    if sampler.draws and sampler.history:
        raise UserError(f"{sampler} has noise and a memory: its law is no chain of laws")
    at, memory = np.asarray(start, float), {"steps": len(sigmas) - 1}
    u = (np.arange(len(at)) + 0.5) / len(at)
    for sigma, after in zip(sigmas[:-1], sigmas[1:]):
        for leg in sampler.legs(float(sigma), float(after), memory):
            if leg.stages or leg.exact:
                raise UserError(f"{sampler} has a leg whose kernel is not Gaussian: its law is not followed here")
            at = leg.mean(at[:, None], denoise)[:, 0]
            if leg.variance > 0:
                at = _spread(np.sort(at), leg.variance**0.5, u)
    return np.sort(at)


def _spread(means, width, u):
    """Quantiles at `u` of the equal mixture of N(means, width²), means sorted."""
    pool = np.sort((means[:, None] + width * PLACES).ravel())
    ends = max(1, len(means) // 100)
    y = np.unique(np.concatenate((pool[: 40 * ends : 4], pool[:: max(1, len(pool) // NODES)], pool[-40 * ends :: 4])))
    F = ndtr((y[:, None] - means) / width).mean(axis=1)
    inside = np.concatenate(([True], np.diff(F) > 1e-12)) & (F > 1e-12) & (F < 1 - 1e-12)
    # in units of a normal's quantiles a Gaussian tail is straight
    return PchipInterpolator(ndtri(F[inside]), y[inside])(ndtri(u))
