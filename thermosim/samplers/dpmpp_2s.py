"""DPM-Solver++(2S): second order in one step, by a second look half way in ln σ."""

import math

from .base import Sampler, flow


class DPMpp2S(Sampler):
    """x_2 = (σ_mid/σ)x + (1 − σ_mid/σ)D(x; σ), x' = (σ'/σ)x + (1 − σ'/σ)D(x_2; σ_mid), σ_mid = √(σσ').

    Source: Lu et al. 2022 (2211.01095), Alg. 1 with r = ½.
    """

    name, order, evaluations = "dpmpp_2s", 2, 2

    def legs(self, sigma, sigma_next, memory):
        def toward(x, D, sigma_end):
            return (sigma_end / sigma) * x + (1 - sigma_end / sigma) * D

        def mean(x, denoise):
            D = denoise(x, sigma)
            if sigma_next == 0:  # no midpoint in ln σ
                return D
            sigma_mid = math.sqrt(sigma * sigma_next)
            return toward(x, denoise(toward(x, D, sigma_mid), sigma_mid), sigma_next)

        yield flow(sigma, sigma_next, mean)
