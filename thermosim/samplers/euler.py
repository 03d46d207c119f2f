"""Euler on the probability flow dx/dσ = (x − D)/σ; ddim(η = 0) is the same map."""

from .base import Sampler, flow


class Euler(Sampler):
    """x' = x + (σ' − σ)·(x − D(x; σ))/σ.

    Source: Karras et al. 2022 (2206.00364), Alg. 1 without its corrector; Song, Meng, Ermon 2021
    (2010.02502), eq. 13.
    """

    name, also, order = "euler", ("ddim",), 1

    def legs(self, sigma, sigma_next, memory):
        def mean(x, denoise):
            return x + (sigma_next - sigma) / sigma * (x - denoise(x, sigma))

        yield flow(sigma, sigma_next, mean)
