"""DPM-Solver++ for the reverse SDE in one step: a stage half way in ln σ, on the same Brownian path."""

import math

from ..errors import UserError
from .ancestral import down_and_up
from .base import DRIVEN, Leg, Sampler

STAGE = "a stage draws noise of its own: x' given x has no density in closed form"


class DPMppSDE(Sampler):
    """An ancestral step to σ_mid = √(σσ') gives x_2; one to σ', pulled by D(x_2; σ_mid), gives x'.

    Both ride on one Brownian path: their normals are ∫dw/σ from σ to σ_mid and to σ', normalised, so that
    their correlation is ρ² = (σ_mid⁻² − σ⁻²)/(σ'⁻² − σ⁻²).

    Source: the sampler of this name in k-diffusion (with σ as the clock of its Brownian path), after
    Lu et al. 2022 (2211.01095), Alg. 1.

    Parameters
    ----------
    eta : float
        Share of the ancestral noise, 0 < η <= 1.

    Raises
    ------
    UserError
        eta out of range.
    """

    name, order, strong, strokes, draws, evaluations = "dpmpp_sde", 2, 1, (DRIVEN,), 2, 2

    def __init__(self, eta=1.0):
        if not 0 < eta <= 1:
            raise UserError(f"eta of dpmpp_sde must lie above 0 and up to 1, not {eta}; without noise take dpmpp_2s")
        self.eta = eta

    def legs(self, sigma, sigma_next, memory):
        if sigma_next == 0:  # no midpoint in ln σ
            yield Leg(DRIVEN, sigma, 0.0, lambda x, denoise: denoise(x, sigma), 0.0, self.eta**2)
            return
        sigma_mid = math.sqrt(sigma * sigma_next)
        down_mid, up_mid = down_and_up(sigma, sigma_mid, self.eta)
        down, up = down_and_up(sigma, sigma_next, self.eta)
        rho = math.sqrt((sigma_mid**-2 - sigma**-2) / (sigma_next**-2 - sigma**-2))

        def toward(x, D, sigma_end):
            return (sigma_end / sigma) * x + (1 - sigma_end / sigma) * D

        def mean(x, denoise, n):
            x_2 = toward(x, denoise(x, sigma), down_mid) + up_mid * n
            return toward(x, denoise(x_2, sigma_mid), down) + rho * up * n

        yield Leg(DRIVEN, sigma, sigma_next, mean, up**2 * (1 - rho**2), self.eta**2, stages=1, blind=STAGE)
