"""The law of a sampler's chain on a line, without a particle: weighted points carried through every leg."""

import numpy as np
from scipy.special import ndtr

from ..errors import UserError
from .speed_accuracy import mixture_quantiles

# where the kernel of one point is looked at, in its standard deviations
PLACES = np.array([-7.0, -5.0, -3.5, -2.4, -1.6, -1.0, -0.5, 0.0, 0.5, 1.0, 1.6, 2.4, 3.5, 5.0, 7.0])


def chain_law(sampler, denoise, sigmas, points=300):
    """Where a sampler takes N(0, σ_0²), on the line.

    A leg without noise moves the points; one with noise turns them into the mixture of its kernels, which is cut
    into cells at `points` equal shares and `points` equal distances: the shares resolve where mass is, the distances
    the gaps between, so that how much goes to which mode is not rounded. A cell becomes a point at its middle with the
    mixture's exact mass. Nothing is drawn: the error is that of `points`, seen by halving them.

    Parameters
    ----------
    sampler : Sampler
        Each leg without noise or with a Gaussian kernel of its own; a memory only where there is no noise.
    denoise : callable (x, sigma) → E[x_0|x], x of shape (m, 1)
    sigmas : (N + 1,) falling noise levels
    points : int

    Returns
    -------
    x, weight : (m,) arrays
        Sorted points at σ_N, and their masses.

    Raises
    ------
    UserError
        A sampler of another kind.
    """
    if sampler.draws and sampler.history:
        raise UserError(f"{sampler} has noise and a memory: its law is no chain of laws")
    memory = {"steps": len(sigmas) - 1}
    x, weight = _spread(np.zeros(1), np.ones(1), np.full(1, float(sigmas[0])), points)
    for sigma, after in zip(sigmas[:-1], sigmas[1:]):
        for leg in sampler.legs(float(sigma), float(after), memory):
            if leg.stages or leg.exact:
                raise UserError(f"{sampler} has a leg whose kernel is not Gaussian: its law is not followed here")
            width = np.broadcast_to(leg.variance_at(x[:, None]), (len(x), 1))[:, 0] ** 0.5
            x = leg.mean(x[:, None], denoise)[:, 0]
            if leg.variance > 0:
                x, weight = _spread(x, weight, width, points)
    order = np.argsort(x)
    return x[order], weight[order]


def _spread(x, weight, width, points):
    """Σ weight·N(x, width²) as points and weights."""
    pool = (x[:, None] + width[:, None] * PLACES).ravel()
    order = np.argsort(pool)
    mass = np.cumsum(np.repeat(weight / len(PLACES), len(PLACES))[order])
    shares = pool[order][np.searchsorted(mass, np.linspace(0.0, mass[-1], points + 1)[1:-1])]
    cuts = np.unique(np.concatenate((shares, np.linspace(pool[order[0]], pool[order[-1]], points))))
    masses = np.diff(ndtr((cuts[:, None] - x) / width) @ weight)
    kept = masses > 0
    return (0.5 * (cuts[1:] + cuts[:-1]))[kept], masses[kept] / masses[kept].sum()


def distance_to_mixture(x, weight, mixture, sigma, power=2):
    """Wasserstein distance W_power from weighted points, sorted, to a mixture on the line under noise `sigma`.

    By quantiles. W2 of separated modes goes as the root of the mass in the wrong one, W1 as the mass itself.
    """
    apart = np.abs(x - mixture_quantiles(mixture, np.cumsum(weight) - 0.5 * weight, 1.0, sigma))
    return float((weight @ apart**power) ** (1 / power))
