"""Entropy production and free energy of a noising process, by quadrature over a known density in 1-D.

The noising process has local mean velocity ν = f − D∂_x ln p_t and produces entropy at the rate
E|ν|²/D. At constant bath temperature (VP) the free energy is T·KL(p_t‖p_eq) and falls at just that
rate (the H-theorem); the reverse family of noise level ξ has velocity −ν and EPR E|ν|²/(ξD).
"""

import numpy as np
from scipy.integrate import quad

from ..errors import UserError


class Noised:
    """A 1-D density under a noising process.

    Parameters
    ----------
    process : schedules.VP, VE, EDM or SubVP
    density : object with log_density(y, sigma) and score(y, sigma) for y of shape (m, 1)
        Law of x_0 + σn in units of the data, e.g. score.exact.GaussianMixture.
    points : int
        Nodes of the spatial trapezium rule, spectrally accurate for these analytic, decaying densities.
    """

    def __init__(self, process, density, points=4001):
        if density.d != 1:
            raise UserError(f"quadrature over a density is for one dimension, not {density.d}")
        self.process, self.density, self.points = process, density, points

    def _nodes(self, t):
        """(x, weights·p_t(x), score of p_t at x) at time t."""
        alpha, s = self.process.alpha(t), self.process.noise(t)
        lo, hi = self.density.support(s / alpha)
        y = np.linspace(lo, hi, self.points)
        p = np.exp(self.density.log_density(y[:, None], s / alpha))
        return alpha * y, p * (y[1] - y[0]), self.density.score(y[:, None], s / alpha)[:, 0] / alpha

    def entropy_production_rate(self, t):
        """E|ν|²/D at time t, nats per unit time."""
        x, p, score = self._nodes(t)
        D = self.process.diffusivity(t)
        nu = self.process.drift_rate(t) * x - D * score
        return np.sum(p * nu**2) / D

    def entropy_production(self, t0, t1):
        """Σ = ∫E|ν|²/D dt, nats."""
        return _integral(self.entropy_production_rate, t0, t1)

    def kl_to_normal(self, t):
        """KL(p_t‖N(0, 1)), nats: the excess free energy of VP over T."""
        x, p, _ = self._nodes(t)
        alpha = self.process.alpha(t)
        log_p = self.density.log_density((x / alpha)[:, None], self.process.noise(t) / alpha) - np.log(alpha)
        return np.sum(p * (log_p + 0.5 * x**2 + 0.5 * np.log(2 * np.pi)))

    def second_law_work(self, t0, t1, xi=1.0):
        """(ΔF, W_on) of the reverse process from t1 to t0 in U = x²/2 at T = 1, mobility ξ·β/2 (VP).

        ΔF = KL(p_t0‖N) − KL(p_t1‖N); Q = −∫⟨F∘dx⟩ with F the drift over the mobility and mean velocity
        −ν, W_on = ΔU − Q. Neither uses the other: that W_on = ΔF + Σ_rev is a theorem, not a definition.
        """
        process = self.process

        def heat_rate(t):
            x, p, score = self._nodes(t)
            D = process.diffusivity(t)
            nu = process.drift_rate(t) * x - D * score
            drift = -process.drift_rate(t) * x + (1 + xi) * D * score
            return -np.sum(p * drift / (xi * D) * -nu)

        def energy(t):
            x, p, _ = self._nodes(t)
            return np.sum(p * 0.5 * x**2)

        heat = _integral(heat_rate, t0, t1)
        return self.kl_to_normal(t0) - self.kl_to_normal(t1), energy(t0) - energy(t1) - heat

    def diffusion(self, t0, t1):
        """∫D dt."""
        return _integral(self.process.diffusivity, t0, t1)


def _integral(rate, t0, t1):
    # logarithmic time where the interval spans decades: the rates of VE and EDM live on all of them
    if t0 > 0 and t1 / t0 > 10:
        return quad(lambda u: rate(np.exp(u)) * np.exp(u), np.log(t0), np.log(t1), epsabs=1e-10,
                    epsrel=1e-10, limit=400)[0]
    return quad(rate, t0, t1, epsabs=1e-10, epsrel=1e-10, limit=400)[0]
