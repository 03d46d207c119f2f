"""The exact score of a finite set of points: the optimum of every denoising loss, and it memorises.

A network that could fit its data without bound would end here (Karras et al. 2022, 2206.00364, appendix B.3; Gu et
al. 2023, 2310.02664): the law is (1/N)Σ_i N(x_i, σ²), and what it generates are the training points themselves.
"""

import numpy as np

from ..backend.cpu.device import Cpu
from ..errors import UserError
from .exact import DRAWS, Exact

BLOCK = (256, 1024)         # of places × points weighed at once: 2 MB


class Empirical(Exact):
    """The law of a data set, every point equally likely, and its posterior means

        D(x; σ) = Σ_i r_i x_i,    r_i ∝ e^{−|x − x_i|²/2σ²}

    Blocks of points follow one another with a running maximum of the exponents (Milakov, Gimelshein 2018,
    1805.02867), so memory does not grow with their number and nothing overflows. Squared distances come from a
    product of matrices: exponents err by about 1e-16·(R/σ)², R being how far x and the points are from their mean.

    Parameters
    ----------
    points : (N, d) array
    device : Cpu or Gpu, optional
        Whose arrays come and go.
    block : (int, int), optional
        How many places x and how many points are weighed at once.

    Raises
    ------
    UserError
        No finite points of one shape.
    """

    def __init__(self, points, device=None, block=BLOCK):
        points = np.asarray(points, float)
        if points.ndim != 2 or not points.size or not np.isfinite(points).all():
            raise UserError(f"an empirical law needs finite points (N, d), not an array of shape {points.shape}")
        if min(block) < 1:
            raise UserError(f"blocks hold at least one place and one point, not {block}")
        self.d, self.device, self.block = points.shape[1], device or Cpu(), block
        self.mean = self.device.asarray(points.mean(axis=0))
        self.points = self.device.asarray(points) - self.mean
        squares = (self.points**2).sum(axis=1)[:, None]
        # whose weighted sums are all that is asked for
        self.table = self.device.xp.concatenate([self.points, squares, squares**0], axis=1)

    def __call__(self, x, sigma):
        """E[x_0|x], (n, d), at noise level `sigma` > 0."""
        return self.mean + self._posterior(x, sigma)[0]

    def log_density(self, x, sigma):
        """ln p_σ(x), (n,), `sigma` > 0."""
        return self._posterior(x, sigma)[1]

    def posterior_variance(self, x, sigma):
        """tr Cov[x_0|x] = E[|x_0|²|x] − |D|², (n,)."""
        D, _, square = self._posterior(x, sigma)
        return self.device.xp.maximum(square - (D**2).sum(axis=1), 0.0)

    def sample(self, n, seed, device, first=0):
        """Draws `first` … `first + n − 1` of the points, with replacement, (n, d)."""
        words = device.words(seed, DRAWS + 1, 0, n, 1, first=first)[:, 0]
        points = device.asarray(self.device.to_host(self.mean + self.points))
        return points[(words.astype(np.uint64) * len(points)) >> 32]

    def second_moment(self):
        """E‖x_0‖²."""
        return float(self.table[:, self.d].mean() + (self.mean**2).sum())

    def _posterior(self, x, sigma):
        """D − mean (n, d), ln p_σ (n,), and E|x_0 − mean|² given x (n,)."""
        self._noisy(sigma)
        x = self.device.asarray(x, np.float64)
        if x.ndim != 2 or x.shape[1] != self.d:
            raise UserError(f"x has shape {x.shape}; the points ask for (n, {self.d})")
        xp, rows = self.device.xp, self.block[0]
        parts = [self._weigh(x[a:a + rows] - self.mean, 1 / float(sigma) ** 2) for a in range(0, max(len(x), 1), rows)]
        D, log_p, square = (xp.concatenate(part) for part in zip(*parts))
        return D, log_p - np.log(len(self.points)) - 0.5 * self.d * np.log(2 * np.pi * float(sigma) ** 2), square

    def _weigh(self, x, precision):
        """`_posterior` of one block of places, the norm of ln p left out."""
        xp, count, d = self.device.xp, self.block[1], self.d
        top, sums = xp.full((len(x), 1), -np.inf), xp.zeros((len(x), d + 2))
        for table in (self.table[a:a + count] for a in range(0, len(self.table), count)):
            r = self.device.matmul(x, table[:, :d].T, xp.empty((len(x), len(table))))
            r -= 0.5 * table[:, d]
            r *= precision
            before, top = top, xp.maximum(top, r.max(axis=1, keepdims=True))
            r -= top
            # e^{−700} adds nothing, and below it lie the numbers that processors are slow at
            xp.exp(xp.maximum(r, -700.0, out=r), out=r)
            # what was summed under a lower maximum shrinks
            sums = xp.exp(before - top) * sums + self.device.matmul(r, table, xp.empty_like(sums))
        total = sums[:, -1]
        log_p = top[:, 0] + xp.log(total) - 0.5 * precision * (x**2).sum(axis=1)
        return sums[:, :d] / total[:, None], log_p, sums[:, d] / total
