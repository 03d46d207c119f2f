"""Dead leaves: discs fallen one upon another until nothing of the ground shows, seen from above.

Painted from the top leaf down, each new one only where nothing lies yet, until all is covered: that is a sample of
the stationary law itself (Kendall, Thönnes 1999), without a burn-in. Radii of density ∝ r^{−3} give the scale
invariance of natural images (Lee, Mumford, Huang 2001); equal discs give P(same leaf) in closed form (`same_leaf`).
"""

from dataclasses import dataclass

import numpy as np

from ..errors import UserError

BATCH = 4096                # leaves drawn at once


@dataclass(frozen=True)
class DeadLeaves:
    """The law of the images.

    Parameters
    ----------
    smallest, largest : float
        Radii in pixels; equal for equal discs, otherwise of density ∝ r^{−3} between them.
    """

    smallest: float = 1.0
    largest: float = 16.0

    def __post_init__(self):
        if not 0 < self.smallest <= self.largest < np.inf:
            raise UserError(f"radii must obey 0 < smallest <= largest, not {self.smallest} and {self.largest}")

    def leaves(self, size, seed=0):
        """One canvas: (size, size) number of the leaf on top at
        each pixel's middle, and the grey in [0, 1) of each leaf."""
        rng = np.random.Generator(np.random.PCG64(seed))
        top, bare, greys = np.full((size, size), -1), size * size, []
        while bare:
            # of centres uniform about the window, as far out as the largest leaf reaches
            centres = rng.uniform(-self.largest, size + self.largest, (BATCH, 2))
            radii, first = self._radii(rng, BATCH), sum(map(len, greys))
            greys.append(rng.random(BATCH))
            low = np.clip(np.ceil(centres - radii[:, None] - 0.5), 0, size).astype(int)
            high = np.clip(np.floor(centres + radii[:, None] + 0.5), 0, size).astype(int)
            for k in np.flatnonzero((high > low).all(axis=1)):
                (a, b), (c, d) = low[k], high[k]
                window = top[a:c, b:d]
                y, x = np.arange(a, c) + 0.5 - centres[k, 0], np.arange(b, d) + 0.5 - centres[k, 1]
                new = (window < 0) & ((y * y)[:, None] + x * x < radii[k] ** 2)
                window[new] = first + k
                bare -= np.count_nonzero(new)
                if not bare:
                    break
        return top, np.concatenate(greys)

    def sample(self, n, size, seed=0, canvas=512):
        """n patches (n, size, size) of greys in [0, 1), cut side by side from canvases of `canvas` pixels.

        Patches of one canvas share leaves where they touch: they are one another's neighbours, not independent draws.
        """
        if not 1 <= size <= canvas:
            raise UserError(f"patches of {size} pixels are cut from a canvas of {canvas}: give a size from 1 to "
                            f"{canvas}")
        m, found, part = canvas // size, [], 0
        while sum(map(len, found)) < n:
            top, greys = self.leaves(canvas, [seed, part])
            image = greys[top][: m * size, : m * size]
            found.append(image.reshape(m, size, m, size).swapaxes(1, 2).reshape(-1, size, size))
            part += 1
        return np.concatenate(found)[:n]

    def _radii(self, rng, n):
        # of the inverse of F(r) = (s⁻² − r⁻²)/(s⁻² − l⁻²)
        return (self.smallest**-2.0 - rng.random(n) * (self.smallest**-2.0 - self.largest**-2.0)) ** -0.5


def same_leaf(distance):
    """P(two points lie on one leaf) = γ/(2 − γ) of equal discs; `distance` in radii, γ the discs' shared share.

    Either point is covered by the first leaf to touch one of them; it touches both with probability γ/(2 − γ)
    (Bordenave, Gousseau, Roueff 2006).
    """
    half = np.minimum(np.asarray(distance, float) / 2, 1.0)
    gamma = 2 / np.pi * (np.arccos(half) - half * np.sqrt(1 - half**2))
    return gamma / (2 - gamma)
