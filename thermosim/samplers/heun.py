"""Heun's second-order rule on the probability flow."""

from .base import Sampler, flow


class Heun(Sampler):
    """An Euler step, then the mean of the slopes at its two ends.

    Source: Karras et al. 2022 (2206.00364), Alg. 1.
    """

    name, order = "heun", 2

    def legs(self, sigma, sigma_next, memory):
        def mean(x, denoise):
            d = (x - denoise(x, sigma)) / sigma
            x_euler = x + (sigma_next - sigma) * d
            if sigma_next == 0:  # the slope at σ = 0 is 0/0
                return x_euler
            d_next = (x_euler - denoise(x_euler, sigma_next)) / sigma_next
            return x + (sigma_next - sigma) * 0.5 * (d + d_next)

        yield flow(sigma, sigma_next, mean)
