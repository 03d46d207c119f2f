"""Metropolis-adjusted Langevin as the corrector: each isotherm proposes, and a test keeps p_σ exactly."""

from dataclasses import dataclass

import numpy as np

from ..errors import UserError
from .base import Leg
from .langevin import PredictorCorrector, isotherm


def log_ratio(x, x_new, denoise, sigma, nodes):
    """ln p_σ(x') − ln p_σ(x) = ∫₀¹ s(x + uΔ)·Δ du, s = (D − x)/σ², by Gauss–Legendre over the chord, (n,)."""
    u, w = np.polynomial.legendre.leggauss(nodes)
    moved, total = x_new - x, 0.0
    for at, weight in zip(0.5 * (u + 1), 0.5 * w):
        between = x + float(at) * moved
        total = total + float(weight) * ((denoise(between, sigma) - between) * moved).sum(axis=1)
    return total / sigma**2


@dataclass(frozen=True)
class Metropolised(Leg):
    """A Langevin leg whose end is taken with probability min(1, p(x')k(x|x')/(p(x)k(x'|x))), or else left where it was.

    Its entropy is that of the whole kernel, which keeps p_σ in detailed balance: ln p(x') − ln p(x), 0 for
    what was rejected.

    Parameters
    ----------
    proposal : Leg
    nodes : int
        Points on the chord from x to x' at which the score is taken.
    """

    proposal: Leg = None
    nodes: int = 3

    def move(self, x, denoise, draws):
        mean, proposed = self.proposal.move(x, denoise, draws)
        gain = log_ratio(x, proposed, denoise, self.sigma, self.nodes)
        log_taken = gain - self.proposal.entropy_env(x, mean, proposed, denoise)
        # ln u <= 0, so log_taken >= 0 always takes
        taken = log_taken >= draws.log_uniforms()
        return mean, x + taken[:, None] * (proposed - x)

    def entropy_env(self, x, mean, x_new, denoise):
        return log_ratio(x, x_new, denoise, self.sigma, self.nodes)


class MALACorrected(PredictorCorrector):
    """`PredictorCorrector` with Metropolis tests on its isotherms.

    A denoiser has no density; the ratio the test needs is integrated from its score, exactly where the
    score is a gradient and a polynomial of degree below 2·nodes along the chord.

    Source: Roberts, Tweedie 1996 (Bernoulli 2, 341); as corrector after Du et al. 2023 (2302.11552), §3.

    Parameters
    ----------
    relaxation, repeats : as for PredictorCorrector
    nodes : int
        Evaluations of the score for one ratio.

    Raises
    ------
    UserError
        No nodes.
    """

    name, order = "mala_corrected", 1  # exact isotherms leave the predictor's order

    def __init__(self, relaxation=0.1, repeats=1, nodes=3):
        if nodes < 1:
            raise UserError(f"the ratio of a Metropolis test needs nodes >= 1 on the chord, not {nodes}")
        super().__init__(relaxation, repeats)
        self.nodes, self.evaluations = nodes, 1 + repeats * (nodes + 2)

    def corrector(self, sigma):
        leg = isotherm(sigma, self.relaxation)
        return Metropolised(leg.stroke, sigma, sigma, leg.mean, leg.variance, exact=True, proposal=leg,
                            nodes=self.nodes)
