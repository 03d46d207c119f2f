"""What a sampler is: a recipe that cuts each step σ → σ' into legs, and knows nothing of loops or books.

A leg is one thermal process: x' ~ N(mean(x), variance). Leg by leg, the loop (runs.sampling) brings
the random numbers and the books (samplers.books) weigh the leg; a sampler file holds its algorithm only.
"""

from dataclasses import dataclass
from typing import Callable

# The thermal process a leg is
ISOTHERM = "isotherm"  # Langevin at a fixed noise level: heat, no work
ADIABAT = "adiabat"  # change of noise level at frozen x, or x in a scale of its own: work, no heat
DRIVEN = "driven isotherm"  # reverse SDE, ξ > 0: work and heat at once
FLOW = "flow"  # probability-flow ODE, ξ = 0: the bath is decoupled
FREE = "free diffusion"  # the noising process itself: no force, so neither heat nor work


def squared(a):
    """|a|² of each particle, (n,)."""
    return (a * a).sum(axis=1)


@dataclass(frozen=True)
class Leg:
    """One leg of a sampler step; its noise is the same everywhere (`ancestral.Uneven` is one whose noise is not).

    Parameters
    ----------
    stroke : str
        ISOTHERM, ADIABAT, DRIVEN, FLOW or FREE.
    sigma, sigma_next : float
        Noise levels at its two ends; the score that drives it is taken at `sigma`.
    mean : callable (x, denoise, *normals) → x
        Mean of x' given x, (n, d); `denoise(x, sigma)` is E[x_0|x].
    variance : float
        Variance of x' per component about the mean; 0 for a leg without a bath.
    xi : float
        ξ of the reverse family that a driven isotherm belongs to: dx = (1 + ξ)(D − x)dλ + √(2ξ)σ dw, λ = −ln σ.
    stages : int
        Normals (n, d) that `mean` takes for stages of its own.
    blind : str
        Why x' given x has no density in closed form, where it has none.
    exact : bool
        It keeps p_σ as it is, by a Metropolis test.
    stretch : float
        What an adiabat multiplies x by.
    """

    stroke: str
    sigma: float
    sigma_next: float
    mean: Callable
    variance: float
    xi: float = 1.0
    stages: int = 0
    blind: str = ""
    exact: bool = False
    stretch: float = 1.0

    def variance_at(self, x):
        """Variance of x' per component, given x (n, d): a float, or what broadcasts to (n, d)."""
        return self.variance

    def move(self, x, denoise, draws):
        """(mean, x') from x, (n, d) each; `draws.normals()` gives the noise."""
        mean = self.mean(x, denoise, *(draws.normals() for _ in range(self.stages)))
        return mean, mean + self.variance_at(x) ** 0.5 * draws.normals() if self.variance > 0 else mean

    def entropy_env(self, x, mean, x_new, denoise):
        """ln k(x'|x) − ln k(x|x') of the kernel N(mean, variance), (n,); `mean` is that of x."""
        ahead, moved = mean - x, x_new - x
        behind = self.mean(x_new, denoise) - x_new
        # ln N(x'; x + ahead, v) − ln N(x; x' + behind, v)
        return (squared(moved + behind) - squared(moved - ahead)) / (2 * self.variance)


class Sampler:
    """Base of all samplers.

    Attributes
    ----------
    name, also : str, tuple of str
        Its name in k-diffusion or diffusers, and the other names of the very same algorithm.
    order : int
        Global order: of the flow it integrates, or of the marginals it leaves where it is stochastic (weak).
    strong : int or None
        Order of its paths, where its noise is that of the Brownian path of the reverse SDE.
    strokes : tuple of str
        Strokes of its legs.
    draws : int
        Normals (n, d) a step.
    evaluations : int
        Evaluations of the denoiser a step; the least of them where the sampler adapts.
    history : int
        Earlier answers of the denoiser that a step leans on: 0 for one-step samplers.
    ancestral : bool
        Its steps are the reverse chain whose dissipated work belongs to the grid.
    """

    name, also, order, strong, strokes = "", (), 1, None, (FLOW,)
    draws, evaluations, history, ancestral = 0, 1, 0, False

    def legs(self, sigma, sigma_next, memory):
        """The legs of the step from `sigma` to `sigma_next`.

        `memory` is a dict that lives for one run; memory["steps"] is the number of its steps.
        """
        raise NotImplementedError

    def __str__(self):
        return self.name


def flow(sigma, sigma_next, mean):
    """A leg along the probability flow."""
    return Leg(FLOW, sigma, sigma_next, mean, 0.0)
