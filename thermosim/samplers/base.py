"""What a sampler is: a recipe that cuts each step σ → σ' into legs, and knows nothing of loops or books.

A leg is one thermal process: x' ~ N(mean(x), variance). Leg by leg, the loop (runs.sampling)
draws the noise and the books (samplers.books) weigh the leg; a sampler file holds its algorithm only.
"""

from dataclasses import dataclass
from typing import Callable

# The thermal process a leg is (PHYSICS §2)
ISOTHERM = "isotherm"  # Langevin at a fixed noise level: heat, no work
ADIABAT = "adiabat"  # change of noise level at frozen x: work, no heat
DRIVEN = "driven isotherm"  # reverse SDE, ξ = 1: work and heat at once
FLOW = "flow"  # probability-flow ODE, ξ = 0: the bath is decoupled


@dataclass(frozen=True)
class Leg:
    """One leg of a sampler step.

    Parameters
    ----------
    stroke : str
        ISOTHERM, ADIABAT, DRIVEN or FLOW.
    sigma, sigma_next : float
        Noise levels at its two ends; the score that drives it is taken at `sigma`.
    mean : callable (x, denoise) → x
        Mean of x' given x, (n, d); `denoise(x, sigma)` is E[x_0|x].
    variance : float
        Variance of x' per component; 0 for a leg without a bath.
    """

    stroke: str
    sigma: float
    sigma_next: float
    mean: Callable
    variance: float


class Sampler:
    """Base of all samplers.

    Attributes
    ----------
    name, also : str, tuple of str
        Its name in k-diffusion or diffusers, and the other names of the very same algorithm.
    order : int
        Global order of the flow it integrates (weak order where it is stochastic).
    draws : int
        Noise draws a step: legs that have a variance.
    ancestral : bool
        Its steps are the reverse chain whose dissipated work belongs to the grid (PHYSICS §3).
    """

    name, also, order, draws, ancestral = "", (), 1, 0, False

    def legs(self, sigma, sigma_next, memory):
        """The legs of the step from `sigma` to `sigma_next`; `memory` is a dict that lives for one run."""
        raise NotImplementedError

    def __str__(self):
        return self.name


def flow(sigma, sigma_next, mean):
    """A leg along the probability flow."""
    return Leg(FLOW, sigma, sigma_next, mean, 0.0)
