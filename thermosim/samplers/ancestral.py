"""Ancestral sampling: the reverse Markov chain itself, and what makes any one-step flow sampler ancestral."""

import math
from dataclasses import dataclass
from typing import Callable

import numpy as np

from ..errors import UserError
from .base import DRIVEN, Leg, Sampler
from .euler import Euler


class EulerAncestral(Sampler):
    """x' = x + (1 − σ'²/σ²)(D(x; σ) − x) + σ'√(1 − σ'²/σ²)·n, the posterior q(x'|x, x_0 = D).

    It is ddpm with the posterior variance β̃. Source: Ho, Jain, Abbeel 2020 (2006.11239), eq. 7, in σ form.
    """

    name, also, strong, strokes, draws, ancestral = "euler_ancestral", ("ddpm", "ancestral"), 1, (DRIVEN,), 1, True

    def legs(self, sigma, sigma_next, memory):
        pull = 1 - (sigma_next / sigma) ** 2

        def mean(x, denoise):
            return x + pull * (denoise(x, sigma) - x)

        yield Leg(DRIVEN, sigma, sigma_next, mean, sigma_next**2 * pull)


class DDPMBeta(EulerAncestral):
    """The mean of `EulerAncestral` with the variance β of the noising step: ddpm with "fixed large" variance.

    β is that of variance-preserving steps on data of unit variance, β = 1 − (1 + σ'²)/(1 + σ²), and in σ
    form β(1 + σ'²), which is β̃·(1 + 1/σ'²)/(1 + 1/σ²). No noise on a step to σ = 0.

    Source: Ho, Jain, Abbeel 2020 (2006.11239), §3.2 and Alg. 2.
    """

    name, also, ancestral = "ddpm_beta", (), False

    def legs(self, sigma, sigma_next, memory):
        (posterior,) = super().legs(sigma, sigma_next, memory)
        beta = (sigma**2 - sigma_next**2) / (1 + sigma**2)
        yield Leg(DRIVEN, sigma, sigma_next, posterior.mean, beta * (1 + sigma_next**2) if sigma_next > 0 else 0.0)


@dataclass(frozen=True)
class Uneven(Leg):
    """A leg whose noise differs from place to place and between components: x' ~ N(mean(x), `variance`·spread(x)).

    Parameters
    ----------
    spread : callable x → (n, d), or what broadcasts to it, > 0
    """

    spread: Callable = None

    def variance_at(self, x):
        return self.variance * self.spread(x)

    def entropy_env(self, x, mean, x_new, denoise):
        here, there = self.variance_at(x), self.variance_at(x_new)
        back = x - self.mean(x_new, denoise)
        return 0.5 * (back**2 / there - (x_new - mean) ** 2 / here + np.log(there / here)).sum(axis=1)


class DDPM(EulerAncestral):
    """The mean of `EulerAncestral` with reverse variances of one's own: learned ones, or those of least dissipation.

    No noise on a step to σ = 0, whatever the variance there.

    Source: Nichol, Dhariwal 2021 (2102.09672), §3.1, of learned ones; Bao et al. 2022 (2201.06503) of the least.

    Parameters
    ----------
    variance : callable (x, sigma, sigma_next) → (n, d), or what broadcasts to it, > 0
        Of x' given x, in units of the data squared: `variance` of a `score.reverse.Learned` or `score.reverse.Least`.
        Where it is learned, give the very same object as the denoiser: one pass through the network then answers both.
    """

    name, also, ancestral = "ddpm_own", (), False

    def __init__(self, variance):
        self.variance = variance

    def legs(self, sigma, sigma_next, memory):
        (posterior,) = super().legs(sigma, sigma_next, memory)
        if sigma_next > 0:
            yield Uneven(DRIVEN, sigma, sigma_next, posterior.mean, 1.0,
                         spread=lambda x: self.variance(x, sigma, sigma_next))
        else:
            yield posterior


def down_and_up(sigma, sigma_next, eta):
    """(σ_down, σ_up): where the flow goes and what noise then brings the level to σ' = √(σ_down² + σ_up²)."""
    up = eta * sigma_next * math.sqrt(1 - (sigma_next / sigma) ** 2)
    return math.sqrt(sigma_next**2 - up**2), up


class Ancestral(Sampler):
    """A one-step sampler of the flow goes on to σ_down < σ', then noise σ_up brings the level to σ'.

    σ_up = η·σ'√(1 − σ'²/σ²), σ_down² = σ'² − σ_up². Of euler with η = 1 it makes euler_ancestral, of dpm_2
    dpm_2_ancestral, of dpmpp_2s dpmpp_2s_ancestral: k-diffusion's samplers of these names. As steps shrink
    it is the reverse family with ξ = η². An exact flow to σ_down and noise up to σ' turn p_σ into p_σ' exactly,
    so that marginals have the order of the flow sampler; paths have order 1.

    Source: Song, Meng, Ermon 2021 (2010.02502), eq. 16, which is the case of euler.

    Parameters
    ----------
    flow : Sampler
        Deterministic, one-step.
    eta : float
        0 (the flow sampler itself) … 1.

    Raises
    ------
    UserError
        eta out of range, or a `flow` that has noise or a memory.
    """

    strong, strokes, draws = 1, (DRIVEN,), 1

    def __init__(self, flow, eta=1.0):
        if not 0 <= eta <= 1:
            raise UserError(f"eta must lie between 0 (no noise) and 1 (all of the ancestral noise), not {eta}")
        if flow.draws or flow.history:
            raise UserError(f"{flow} cannot be made ancestral: give a one-step sampler of the flow, such as dpm_2")
        self.flow, self.eta = flow, eta
        self.name, self.order, self.evaluations = f"{flow.name}_ancestral", flow.order, flow.evaluations
        if eta == 0:
            self.name, self.strong, self.strokes, self.draws = flow.name, None, flow.strokes, 0

    def legs(self, sigma, sigma_next, memory):
        down, up = down_and_up(sigma, sigma_next, self.eta)
        (leg,) = self.flow.legs(sigma, down, memory)
        yield Leg(DRIVEN, sigma, sigma_next, leg.mean, up**2, self.eta**2) if self.eta > 0 else leg


class DDIM(Ancestral):
    """ddim(η): `Euler` made ancestral. η = 0 is euler itself, η = 1 euler_ancestral.

    Source: Song, Meng, Ermon 2021 (2010.02502), eq. 12 and 16.

    Parameters
    ----------
    eta : float
        0 … 1.
    """

    def __init__(self, eta):
        super().__init__(Euler(), eta)
        self.name = f"ddim_{eta:g}"
