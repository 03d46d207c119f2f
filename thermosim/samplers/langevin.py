"""Langevin at a fixed noise level, and the two samplers that alternate it with a change of level."""

import math

from .ancestral import EulerAncestral
from .base import ADIABAT, DRIVEN, ISOTHERM, Leg, Sampler


def isotherm(sigma, relaxation, spread=0.0):
    """A Langevin leg at noise level σ for `relaxation` relaxation times σ².

    x' = x + c(D − x) + √(σ²c(2 − c) + c²·spread)·n with c = 1 − e^{−relaxation}: the exact Ornstein–Uhlenbeck
    step in the noise the score sees, so it leaves the variance σ² about D where Euler–Maruyama would raise it.
    What D does not know of x_0 it takes for known: with `spread` = E‖x_0 − D‖²/d the second moment of p_σ stays
    as it is for any data, and p_σ itself for Gaussian data of one variance.
    """
    c = -math.expm1(-relaxation)

    def mean(x, denoise):
        return x + c * (denoise(x, sigma) - x)

    return Leg(ISOTHERM, sigma, sigma, mean, sigma**2 * c * (2 - c) + c**2 * spread)


class AnnealedLangevin(Sampler):
    """The noise level jumps at frozen x (adiabat), then Langevin relaxes x at the new level (isotherms).

    No isotherm at σ = 0, where there is no noise to relax in. Isotherms have an error of their own that more
    levels do not lessen: order 0.

    Source: Song, Ermon 2019 (1907.05600), Alg. 1.

    Parameters
    ----------
    relaxation : float
        Length of an isotherm in relaxation times σ².
    repeats : int
        Isotherms at each level.
    """

    name, order, strokes = "annealed_langevin", 0, (ADIABAT, ISOTHERM)

    def __init__(self, relaxation=1.0, repeats=1):
        self.relaxation, self.repeats, self.draws, self.evaluations = relaxation, repeats, repeats, repeats

    def legs(self, sigma, sigma_next, memory):
        yield Leg(ADIABAT, sigma, sigma_next, lambda x, denoise: x, 0.0)
        for _ in range(self.repeats if sigma_next > 0 else 0):
            yield isotherm(sigma_next, self.relaxation)


class PredictorCorrector(Sampler):
    """An ancestral step to the new level (driven isotherm), then Langevin at it (isotherms).

    Source: Song et al. 2021 (2011.13456), Alg. 1, with the ancestral predictor. Order 0, as AnnealedLangevin.

    Parameters
    ----------
    relaxation, repeats : as for AnnealedLangevin
    """

    name, order, strokes = "predictor_corrector", 0, (DRIVEN, ISOTHERM)

    def __init__(self, relaxation=0.1, repeats=1):
        self.predictor = EulerAncestral()
        self.relaxation, self.repeats = relaxation, repeats
        self.draws = self.evaluations = 1 + repeats

    def legs(self, sigma, sigma_next, memory):
        yield from self.predictor.legs(sigma, sigma_next, memory)
        for _ in range(self.repeats if sigma_next > 0 else 0):
            yield self.corrector(sigma_next)

    def corrector(self, sigma):
        """One correcting leg at noise level σ."""
        return isotherm(sigma, self.relaxation)
