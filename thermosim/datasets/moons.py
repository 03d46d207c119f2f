"""Two half circles that reach into one another, with Gaussian noise."""

from dataclasses import dataclass

import numpy as np

from .noisy_curve import NoisyCurve


@dataclass(frozen=True)
class Moons(NoisyCurve):
    """The law of scikit-learn's `make_moons`: (cos t, sin t) or
    (1 − cos t, ½ − sin t), t ~ U(0, π), as likely as each other.

    Parameters
    ----------
    noise : float
        Standard deviation of what is added, > 0 for a density to exist.
    """

    noise: float = 0.05

    def at(self, u):
        """The upper moon at u in [0, ½), the lower one above, (n,) → (n, 2)."""
        u = np.asarray(u, float)
        t, lower = 2 * np.pi * np.where(u < 0.5, u, u - 0.5), (u >= 0.5)[:, None]
        x = np.stack([np.cos(t), np.sin(t)], axis=1)
        return np.where(lower, [1.0, 0.5] - x, x)
