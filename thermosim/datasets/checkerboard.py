"""Uniform on the dark squares of a board: a law with edges, which no smooth map from noise has."""

from dataclasses import dataclass

import numpy as np

from ..errors import UserError


@dataclass(frozen=True)
class Checkerboard:
    """Squares (i, j) with i + j even, equally likely.

    Parameters
    ----------
    squares : int
        On a side, even, so that half of them are dark.
    half : float
        Half the length of the board's side; its middle is the origin.
    """

    squares: int = 4
    half: float = 2.0

    def __post_init__(self):
        if self.squares < 2 or self.squares % 2 or not self.half > 0:
            raise UserError(f"a board has an even number of squares a side and half > 0, not {self.squares} and "
                            f"{self.half}")

    @property
    def parts(self):
        """Number of dark squares."""
        return self.squares**2 // 2

    @property
    def side(self):
        """Of one square."""
        return 2 * self.half / self.squares

    @property
    def corners(self):
        """Lower left corners of the dark squares, (parts, 2)."""
        i, j = np.divmod(np.arange(self.squares**2), self.squares)
        return np.stack([i, j], axis=1)[(i + j) % 2 == 0] * self.side - self.half

    def sample(self, n, seed=0):
        """n points, (n, 2)."""
        rng = np.random.Generator(np.random.PCG64(seed))
        return self.corners[rng.integers(self.parts, size=n)] + self.side * rng.random((n, 2))

    def log_density(self, x):
        """ln p(x) of points (n, 2), (n,): −∞ off the dark squares."""
        return np.where(self._beyond(x).min(axis=1) > 0, -np.inf, -np.log(self.parts * self.side**2))

    def part(self, x):
        """The nearest dark square of each point, (n,)."""
        return self._beyond(x).argmin(axis=1)

    def _beyond(self, x):
        """How far outside of each dark square, (n, parts)."""
        middle = self.corners + 0.5 * self.side
        return np.linalg.norm(np.maximum(np.abs(np.asarray(x, float)[:, None] - middle) - 0.5 * self.side, 0), axis=2)
