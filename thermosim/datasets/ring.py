"""Narrow Gaussians on a circle: modes far apart that a generator may lose, or weigh wrongly."""

from dataclasses import dataclass

import numpy as np

from ..errors import UserError


@dataclass(frozen=True)
class Ring:
    """Equally likely modes at equal angles.

    Parameters
    ----------
    parts : int
        Number of modes.
    radius, noise : float
        Of the circle, and standard deviation of a mode.
    """

    parts: int = 8
    radius: float = 2.0
    noise: float = 0.1

    def __post_init__(self):
        if not (self.parts >= 1 and self.radius >= 0 and self.noise > 0):
            raise UserError(f"a ring has at least one mode, radius >= 0 and noise > 0, not {self.parts}, {self.radius} "
                            f"and {self.noise}")

    @property
    def centres(self):
        """The modes, (parts, 2)."""
        angle = 2 * np.pi * np.arange(self.parts) / self.parts
        return self.radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)

    def sample(self, n, seed=0):
        """n points, (n, 2)."""
        rng = np.random.Generator(np.random.PCG64(seed))
        return self.centres[rng.integers(self.parts, size=n)] + self.noise * rng.standard_normal((n, 2))

    def log_density(self, x):
        """ln p(x) of points (n, 2), (n,)."""
        square = self._squares(x) / (-2 * self.noise**2)
        top = square.max(axis=1)
        return top + np.log(np.exp(square - top[:, None]).mean(axis=1)) - np.log(2 * np.pi * self.noise**2)

    def part(self, x):
        """The nearest mode of each point, (n,)."""
        return self._squares(x).argmin(axis=1)

    def _squares(self, x):
        return ((np.asarray(x, float)[:, None] - self.centres) ** 2).sum(axis=2)
