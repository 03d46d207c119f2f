"""Linear multistep: Adams–Bashforth on the probability flow, over the uneven levels as they are."""

import math
from collections import deque

import numpy as np

from ..errors import UserError
from .base import Sampler, flow


def adams_weights(levels, sigma, sigma_next):
    """∫_σ^σ' of each Lagrange polynomial on `levels`, (len(levels),), exact."""
    u, w = np.polynomial.legendre.leggauss((len(levels) + 1) // 2)
    half = 0.5 * (sigma_next - sigma)
    tau = sigma + half * (u + 1)
    basis = (math.prod(((tau - other) / (own - other) for other in levels if other != own), start=np.ones_like(tau))
             for own in levels)
    return [float(half * w @ ell) for ell in basis]


class LMS(Sampler):
    """x' = x + Σ_j d_{n−j} ∫_σ^σ' ℓ_j(τ) dτ, d = (x − D)/σ at the last `terms` levels, ℓ_j their Lagrange polynomials.

    The first steps know fewer slopes. The very first is Euler's, so that the global order is 2 however many
    slopes there are; its share is small where the score is still that of noise, and coarse grids show up to 4.

    Source: Bashforth, Adams 1883; for diffusion sampling Liu et al. 2022 (2202.09778), §3.

    Parameters
    ----------
    terms : int
        Slopes, 1 … 4; what k-diffusion calls the order.

    Raises
    ------
    UserError
        Another number of them.
    """

    name = "lms"

    def __init__(self, terms=4):
        if terms not in (1, 2, 3, 4):
            raise UserError(f"a linear multistep sampler takes 1, 2, 3 or 4 slopes, not {terms}")
        self.terms, self.history, self.order = terms, terms - 1, min(terms, 2)

    def legs(self, sigma, sigma_next, memory):
        def mean(x, denoise):
            slopes = memory.setdefault("slopes", deque(maxlen=self.terms))
            slopes.appendleft((sigma, (x - denoise(x, sigma)) / sigma))
            weights = adams_weights([level for level, _ in slopes], sigma, sigma_next)
            return x + sum(w * d for w, (_, d) in zip(weights, slopes))

        yield flow(sigma, sigma_next, mean)
