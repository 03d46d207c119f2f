"""Heun's second-order rule on the probability flow, with or without a little noise put in before each step."""

import math

from ..errors import UserError
from .base import FLOW, FREE, Leg, Sampler, flow


class Heun(Sampler):
    """An Euler step, then the mean of the slopes at its two ends; before it, churn.

    Churn diffuses freely from σ up to σ̂ = (1 + γ)σ, γ = min(s_churn/N, √2 − 1), where s_tmin <= σ <= s_tmax.

    Source: Karras et al. 2022 (2206.00364), Alg. 1 and, with churn, Alg. 2.

    Parameters
    ----------
    s_churn : float
        0 is the deterministic sampler.
    s_tmin, s_tmax : float
        Noise levels between which it churns.
    s_noise : float
        Standard deviation of the normals it churns with.

    Raises
    ------
    UserError
        A negative one, or s_tmin > s_tmax.
    """

    name, order, evaluations = "heun", 2, 2

    def __init__(self, s_churn=0.0, s_tmin=0.0, s_tmax=math.inf, s_noise=1.0):
        if not (s_churn >= 0 and 0 <= s_tmin <= s_tmax and s_noise >= 0):
            raise UserError(f"churn needs s_churn >= 0, 0 <= s_tmin <= s_tmax and s_noise >= 0, not "
                            f"{s_churn}, {s_tmin}, {s_tmax}, {s_noise}")
        self.s_churn, self.s_tmin, self.s_tmax, self.s_noise = s_churn, s_tmin, s_tmax, s_noise
        if s_churn > 0:
            self.name, self.draws, self.strokes = "heun_churn", 1, (FREE, FLOW)

    def legs(self, sigma, sigma_next, memory):
        sigma_hat = sigma
        if self.s_churn > 0 and self.s_tmin <= sigma <= self.s_tmax:
            sigma_hat = sigma * (1 + min(self.s_churn / memory["steps"], math.sqrt(2) - 1))
            yield Leg(FREE, sigma, sigma_hat, lambda x, denoise: x, self.s_noise**2 * (sigma_hat**2 - sigma**2))

        def mean(x, denoise):
            d = (x - denoise(x, sigma_hat)) / sigma_hat
            x_euler = x + (sigma_next - sigma_hat) * d
            if sigma_next == 0:  # the slope at σ = 0 is 0/0
                return x_euler
            d_next = (x_euler - denoise(x_euler, sigma_next)) / sigma_next
            return x + (sigma_next - sigma_hat) * 0.5 * (d + d_next)

        yield flow(sigma_hat, sigma_next, mean)
