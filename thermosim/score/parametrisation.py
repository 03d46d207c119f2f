"""What a network predicts: noise, clean data, velocity, score or EDM's target, and the denoiser each makes of it.

All predictions F stand in one form, D(x, σ) = c_skip x + c_out F, in which |F − target|² c_out² = |D − x_0|² for
target = (x_0 − c_skip x)/c_out. So a weight w(σ) on the network's error is a weight w/c_out² on the denoiser's,
and each loss of F is least at the same D = E[x_0|x].

A parametrisation has two methods, both of columns σ (n, 1) and the data's root mean square σ_d:
``coefficients(xp, sigma, sigma_data)`` gives c_skip and c_out, ``weight(xp, sigma, sigma_data)`` the w of its paper.
"""
from dataclasses import dataclass


@dataclass(frozen=True)
class Preconditioned:
    """EDM: c_skip = σ_d²/(σ² + σ_d²), c_out = σσ_d/√(σ² + σ_d²), so that the target has unit variance at every σ.

    w = 1, which is (σ² + σ_d²)/(σσ_d)² of |D − x_0|². Source: Karras et al. 2022 (2206.00364), table 1.
    """

    def coefficients(self, xp, sigma, sigma_data):
        total = sigma**2 + sigma_data**2
        return sigma_data**2 / total, sigma * sigma_data / xp.sqrt(total)

    def weight(self, xp, sigma, sigma_data):
        return xp.ones_like(sigma)


@dataclass(frozen=True)
class VelocityPrediction(Preconditioned):
    """F is the velocity v = αn − s x_0/σ_d, with α = σ_d/√(σ² + σ_d²) and s = σ/√(σ² + σ_d²): EDM's F, sign turned.

    w = 1. Source: Salimans and Ho 2022 (2202.00512), §4, for σ_d = 1.
    """

    def coefficients(self, xp, sigma, sigma_data):
        c_skip, c_out = super().coefficients(xp, sigma, sigma_data)
        return c_skip, -c_out


@dataclass(frozen=True)
class NoisePrediction:
    """F is the noise n of x = x_0 + σn. w = 1, "L_simple". Source: Ho, Jain, Abbeel 2020 (2006.11239), eq. 14."""

    def coefficients(self, xp, sigma, sigma_data):
        return xp.ones_like(sigma), -sigma

    def weight(self, xp, sigma, sigma_data):
        return xp.ones_like(sigma)


@dataclass(frozen=True)
class CleanPrediction:
    """F is the clean data in units of σ_d. w = 1. Source: Ho, Jain, Abbeel 2020 (2006.11239), §3.2."""

    def coefficients(self, xp, sigma, sigma_data):
        return xp.zeros_like(sigma), xp.full_like(sigma, sigma_data)

    def weight(self, xp, sigma, sigma_data):
        return xp.ones_like(sigma)


@dataclass(frozen=True)
class ScorePrediction:
    """F is the score ∇ln p_σ(x), matched to that of the noise, −n/σ: denoising score matching.

    w = σ^power. Power 2 asks for the same accuracy of σ·score at every level (Song and Ermon 2019, 1907.05600,
    eq. 6); power 0 is the loss at one level. Source: Vincent 2011 (Neural Computation 23, 1661), J_DSM.
    """

    power: float = 2.0

    def coefficients(self, xp, sigma, sigma_data):
        return xp.ones_like(sigma), sigma**2

    def weight(self, xp, sigma, sigma_data):
        return sigma**self.power


PARAMETRISATIONS = (Preconditioned(), VelocityPrediction(), NoisePrediction(), CleanPrediction(), ScorePrediction())
