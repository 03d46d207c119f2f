"""Ancestral sampling: the reverse Markov chain itself; ddpm with posterior variance is the same kernel."""

from .base import DRIVEN, Leg, Sampler


class EulerAncestral(Sampler):
    """x' = x + (1 − σ'²/σ²)(D(x; σ) − x) + σ'√(1 − σ'²/σ²)·n, the posterior q(x'|x, x_0 = D).

    Source: Ho, Jain, Abbeel 2020 (2006.11239), eq. 7, in σ form; variance β̃, not β.
    """

    name, also, order, draws, ancestral = "euler_ancestral", ("ddpm", "ancestral"), 1, 1, True

    def legs(self, sigma, sigma_next, memory):
        pull = 1 - (sigma_next / sigma) ** 2

        def mean(x, denoise):
            return x + pull * (denoise(x, sigma) - x)

        yield Leg(DRIVEN, sigma, sigma_next, mean, sigma_next**2 * pull)
