"""Points on a spiral in the plane, with Gaussian noise.

The spiral is (t cos t, t sin t), t = 1.5π(1 + 2u), u ~ U(0, 1), each coordinate standardised by the exact mean and
variance over u, not by those of a sample: the density is the same for every seed and n. With t uniform on
[3π/2, 9π/2], ⟨t cos t⟩ = 2, ⟨t sin t⟩ = 2/(3π), ⟨t² cos² t⟩ = 39π²/8 − 1/4, ⟨t² sin² t⟩ = 39π²/8 + 1/4.
The noise is added after that.
"""

from dataclasses import dataclass

import numpy as np

from .noisy_curve import NoisyCurve

MEAN = np.array([2, 2 / (3 * np.pi)])
STD = np.sqrt(39 * np.pi**2 / 8 + np.array([-0.25, 0.25]) - MEAN**2)


@dataclass(frozen=True)
class SwissRoll(NoisyCurve):
    """The law of the noisy spiral.

    Parameters
    ----------
    noise : float
        Standard deviation of what is added, > 0 for a density to exist.
    """

    noise: float = 0.05

    def at(self, u):
        """The spiral at u in [0, 1], (n,) → (n, 2)."""
        t = 1.5 * np.pi * (1 + 2 * np.asarray(u, float))
        return (np.stack([t * np.cos(t), t * np.sin(t)], axis=1) - MEAN) / STD

    def entropy(self, along=300, across=10):
        """−E ln p, nats: a mean over u, by Gauss–Legendre nodes, of Gauss–Hermite quadrature over the noise."""
        u, w = np.polynomial.legendre.leggauss(along)
        z, v = np.polynomial.hermite_e.hermegauss(across)
        x = (self.at(0.5 * (1 + u))[:, None, None]
             + self.noise * np.stack(np.meshgrid(z, z, indexing="ij"), axis=-1).reshape(1, -1, 1, 2))
        weight = np.outer(0.5 * w, np.outer(v, v).ravel() / (2 * np.pi))
        return float(-(weight.ravel() @ self.log_density(x.reshape(-1, 2))))
