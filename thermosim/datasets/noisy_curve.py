"""Points on a curve in the plane, with Gaussian noise: a law whose density is one integral along the curve."""

import numpy as np

from ..errors import UserError

ROWS = 256                  # of points × nodes held at once


class NoisyCurve:
    """x = at(u) + noise·n, u ~ U(0, 1): the base of such laws.

    A subclass has `noise`, the standard deviation of what is added (> 0 for a density to exist), and
    `at(u)`, (n,) → (n, 2).
    """

    parts = 8               # equally likely pieces of the curve, for `part`

    def at(self, u):
        """The noise-free curve at u in [0, 1], (n,) → (n, 2)."""
        raise NotImplementedError

    def sample(self, n, seed=0):
        """n points, (n, 2)."""
        rng = np.random.Generator(np.random.PCG64(seed))
        return self.at(rng.random(n)) + self.noise * rng.standard_normal((n, 2))

    def curve(self, nodes=4000):
        """Mid-points of the curve, equally likely, (nodes, 2): Gaussians of variance noise² about them are the law."""
        return self.at((np.arange(nodes) + 0.5) / nodes)

    def log_density(self, x, nodes=4000):
        """ln p(x) of points (n, 2), (n,): the mid-point rule over u, exact to rounding but at the curve's ends."""
        if not self.noise > 0:
            raise UserError("a curve without noise has no density; give noise > 0")
        x, curve = np.asarray(x, float), self.curve(nodes)
        logs = np.empty(len(x))
        for rows in (slice(a, a + ROWS) for a in range(0, len(x), ROWS)):
            square = ((x[rows, None] - curve) ** 2).sum(axis=2) / (-2 * self.noise**2)
            top = square.max(axis=1)
            logs[rows] = top + np.log(np.exp(square - top[:, None]).mean(axis=1))
        return logs - np.log(2 * np.pi * self.noise**2)

    def part(self, x):
        """Which eighth of the curve, 0 … 7, each point (n, 2) is nearest to, (n,)."""
        from scipy.spatial import cKDTree

        nodes = 500 * self.parts
        return cKDTree(self.curve(nodes)).query(x)[1] // 500
