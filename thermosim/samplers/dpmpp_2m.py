"""DPM-Solver++(2M): second order from one evaluation a step, by remembering the last one."""

import math

from .base import Sampler, flow


class DPMpp2M(Sampler):
    """x' = (σ'/σ)x − (e^{−h} − 1)·D̄, h = ln(σ/σ'), D̄ extrapolated from the last two denoised points.

    Source: Lu et al. 2022 (2211.01095), Alg. 2.
    """

    name, order, history = "dpmpp_2m", 2, 1

    def legs(self, sigma, sigma_next, memory):
        def mean(x, denoise):
            D = denoise(x, sigma)
            h = math.log(sigma / sigma_next) if sigma_next > 0 else math.inf
            D_bar = D
            if "denoised" in memory and sigma_next > 0:
                r = memory["h"] / h
                D_bar = (1 + 1 / (2 * r)) * D - (1 / (2 * r)) * memory["denoised"]
            memory["denoised"], memory["h"] = D, h
            return (sigma_next / sigma) * x - math.expm1(-h) * D_bar

        yield flow(sigma, sigma_next, mean)
