"""Points on a spiral in the plane, with Gaussian noise: a law whose density is one integral.

The spiral is (t cos t, t sin t), t = 1.5π(1 + 2u), u ~ U(0, 1), each coordinate standardised by the exact mean and
variance over u, not by those of a sample: the density is the same for every seed and n. With t uniform on
[3π/2, 9π/2], ⟨t cos t⟩ = 2, ⟨t sin t⟩ = 2/(3π), ⟨t² cos² t⟩ = 39π²/8 − 1/4, ⟨t² sin² t⟩ = 39π²/8 + 1/4.
The noise is added after that.
"""

from dataclasses import dataclass

import numpy as np

from ..errors import UserError

MEAN = np.array([2, 2 / (3 * np.pi)])
STD = np.sqrt(39 * np.pi**2 / 8 + np.array([-0.25, 0.25]) - MEAN**2)
ROWS = 256                  # of points × nodes held at once


def spiral(u):
    """The noise-free curve at u in [0, 1], (n,) → (n, 2)."""
    t = 1.5 * np.pi * (1 + 2 * np.asarray(u, float))
    return (np.stack([t * np.cos(t), t * np.sin(t)], axis=1) - MEAN) / STD


@dataclass(frozen=True)
class SwissRoll:
    """The law of the noisy spiral.

    Parameters
    ----------
    noise : float
        Standard deviation of what is added, > 0 for a density to exist.
    """

    noise: float = 0.05

    def sample(self, n, seed=0):
        """n points, (n, 2)."""
        rng = np.random.Generator(np.random.PCG64(seed))
        return spiral(rng.random(n)) + self.noise * rng.standard_normal((n, 2))

    def curve(self, nodes=4000):
        """Mid-points of the curve, equally likely, (nodes, 2): Gaussians of variance noise² about them are the law."""
        return spiral((np.arange(nodes) + 0.5) / nodes)

    def log_density(self, x, nodes=4000):
        """ln p(x) of points (n, 2), (n,): the mid-point rule over u, exact to rounding but at the spiral's two ends."""
        if not self.noise > 0:
            raise UserError("a spiral without noise has no density; give noise > 0")
        x, curve = np.asarray(x, float), self.curve(nodes)
        logs = np.empty(len(x))
        for rows in (slice(a, a + ROWS) for a in range(0, len(x), ROWS)):
            square = ((x[rows, None] - curve) ** 2).sum(axis=2) / (-2 * self.noise**2)
            top = square.max(axis=1)
            logs[rows] = top + np.log(np.exp(square - top[:, None]).mean(axis=1))
        return logs - np.log(2 * np.pi * self.noise**2)

    def entropy(self, along=300, across=10):
        """−E ln p, nats: a mean over u, by Gauss–Legendre nodes, of Gauss–Hermite quadrature over the noise."""
        u, w = np.polynomial.legendre.leggauss(along)
        z, v = np.polynomial.hermite_e.hermegauss(across)
        x = spiral(0.5 * (1 + u))[:, None, None] + self.noise * np.stack(np.meshgrid(z, z, indexing="ij"), axis=-1).reshape(1, -1, 1, 2)
        weight = np.outer(0.5 * w, np.outer(v, v).ravel() / (2 * np.pi))
        return float(-(weight.ravel() @ self.log_density(x.reshape(-1, 2))))
