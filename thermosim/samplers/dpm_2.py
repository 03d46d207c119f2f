"""DPM-Solver-2 in σ: the midpoint rule, its midpoint half way in ln σ."""

import math

from .base import Sampler, flow


class DPM2(Sampler):
    """x' = x + (σ' − σ)·d_2, d_2 the slope (x_2 − D(x_2; σ_mid))/σ_mid where Euler is at σ_mid = √(σσ').

    Source: Karras et al. 2022 (2206.00364), App. D.2, after Lu et al. 2022 (2206.00927), Alg. 1.
    """

    name, order, evaluations = "dpm_2", 2, 2

    def legs(self, sigma, sigma_next, memory):
        def mean(x, denoise):
            d = (x - denoise(x, sigma)) / sigma
            if sigma_next == 0:  # no midpoint in ln σ
                return x + (sigma_next - sigma) * d
            sigma_mid = math.sqrt(sigma * sigma_next)
            x_2 = x + (sigma_mid - sigma) * d
            d_2 = (x_2 - denoise(x_2, sigma_mid)) / sigma_mid
            return x + (sigma_next - sigma) * d_2

        yield flow(sigma, sigma_next, mean)
