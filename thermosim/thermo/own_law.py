"""A sampler's own law, known by its particles only: its entropy, and how far it is from another.

On a line both come from sorting; in space entropies from nearest neighbours and distances from an exact match of
points. What such an estimate says of the exact law belongs beside it (`sampler_cycle.Heating.blank`).
"""

import numpy as np
from scipy.spatial import cKDTree
from scipy.special import digamma, gammaln

from ..errors import UserError
from ..samplers.frames import TRAP
from .quality import w2
from .speed_accuracy import mixture_quantiles

PAIRS = 8  # of samples behind a distance of two laws


class Line:
    """Laws on a line, from samples (n, 1).

    Parameters
    ----------
    spacing : int
        Neighbours an entropy is taken over.
    """

    def __init__(self, spacing=4):
        self.spacing = spacing

    def entropy(self, y):
        """Entropy in nats, by spacings.

        ⟨ln(y_(j) − y_(i)) − ψ(j − i)⟩ + ψ(n + 1), i and j the neighbours half the spacing below and above each point
        and no further than the ends: free of bias where the density is level between them.

        Source: Ebrahimi, Pflughoeft, Soofi 1994 (Stat. Probab. Lett. 20, 225) for the ends; van Es 1992 (Scand. J.
        Stat. 19, 61) for ψ.

        Raises
        ------
        UserError
            Fewer than ten points a spacing.
        """
        y, n, m = np.sort(y[:, 0]), len(y), self.spacing
        _enough(n, m)
        low = np.maximum(np.arange(n) - m // 2, 0)
        high = np.minimum(np.arange(n) + m - m // 2, n - 1)
        return float(np.mean(np.log(y[high] - y[low]) - digamma(high - low)) + digamma(n + 1))

    def w2(self, a, b):
        """2-Wasserstein distance of two samples of one size: sorted point to sorted point."""
        return float(np.sqrt(np.mean((np.sort(a[:, 0]) - np.sort(b[:, 0])) ** 2)))

    def transport(self, heating):
        """(W2², its error) between the hot and the cold law of `heating`: by their quantiles, so without one."""
        u = (np.arange(20_000) + 0.5) / 20_000
        hot, cold = (mixture_quantiles(heating.law, u, TRAP.alpha(s), s * TRAP.alpha(s))
                     for s in (heating.sigma_max, heating.sigma_min))
        return float(np.mean((hot - cold) ** 2)), 0.0


class Cloud:
    """Laws in space, from samples (n, d).

    Parameters
    ----------
    neighbours : int
        Nearest neighbour an entropy is taken from.
    points : int
        First points of each sample that a distance is taken between.
    """

    def __init__(self, neighbours=2, points=1000):
        self.neighbours, self.points = neighbours, points

    def entropy(self, y):
        """Entropy in nats, by nearest neighbours.

        d⟨ln r_k⟩ + ln V_d + ψ(n) − ψ(k), r_k the distance to the k-th neighbour and V_d the volume of the unit ball:
        free of bias where the density is level within r_k.

        Source: Kozachenko, Leonenko 1987 (Probl. Inf. Transm. 23, 95); Kraskov, Stögbauer, Grassberger 2004
        (cond-mat/0305641).

        Raises
        ------
        UserError
            Fewer than ten points a neighbour.
        """
        (n, d), k = y.shape, self.neighbours
        _enough(n, k)
        r = cKDTree(y).query(y, k + 1)[0][:, k]  # the first neighbour is the point itself
        return float(d * np.log(r).mean() + 0.5 * d * np.log(np.pi) - gammaln(0.5 * d + 1) + digamma(n) - digamma(k))

    def w2(self, a, b):
        """2-Wasserstein distance of the first points of two samples,
        by the best match of them; too large by their scatter."""
        return w2(a[: self.points], b[: self.points])

    def transport(self, heating):
        """(W2², its error) between the hot and the cold law of `heating`:
        of pairs of samples, and too large by their scatter."""
        squares = [self.w2(heating.sample(heating.sigma_max, self.points, 2 * k),
                           heating.sample(heating.sigma_min, self.points, 2 * k + 1))
                   ** 2 for k in range(PAIRS)]
        return float(np.mean(squares)), float(np.std(squares, ddof=1) / np.sqrt(PAIRS))


def _enough(n, k):
    if n < 10 * k:
        raise UserError(f"an entropy from {k} neighbours needs at least {10 * k} points, not {n}")
