"""Carnot-like sampling: Langevin strokes at fixed noise levels, joined by jumps that exchange no heat."""

import math

from ..errors import UserError
from .base import ADIABAT, ISOTHERM, Leg, Sampler
from .langevin import isotherm


class Rescaling(Sampler):
    """x' = x·√((s² + σ'²)/(s² + σ²)): the noise level changes while z = x/√(s² + σ²) is frozen.

    An adiabat: no bath acts, so no heat, and the entropy of z stays as it is, whatever its law. It asks the network
    nothing. Data N(0, s²) it carries along the probability flow itself, p_σ → p_σ'; of other data only the second
    moment. s = 1 freezes the coordinate of the variance-preserving process, s = ∞ the x of annealed Langevin.

    Parameters
    ----------
    scale : float
        s, the standard deviation of the data.

    Raises
    ------
    UserError
        A scale that is not positive.
    """

    name, order, strokes, evaluations = "rescaling", 0, (ADIABAT,), 0

    def __init__(self, scale=1.0):
        if not scale > 0:
            raise UserError(f"data have a scale > 0 (their standard deviation), not {scale}")
        self.scale = scale

    def legs(self, sigma, sigma_next, memory):
        stretch = math.sqrt((1 + (sigma_next / self.scale) ** 2) / (1 + (sigma / self.scale) ** 2))
        yield Leg(ADIABAT, sigma, sigma_next, lambda x, denoise: stretch * x, 0.0, stretch=stretch)


def unit_mse(sigma):
    """E‖x_0 − D‖²/d of Gaussian data of unit variance: no data of that variance have more."""
    return sigma**2 / (1 + sigma**2)


class Carnot(Sampler):
    """A jump σ → σ' without heat, then isotherms at σ', as in the cycle of Carnot; a staircase of such corners.

    Where `mse` is the denoiser's own, an isotherm holds the second moment of p_σ' exactly. It dissipates the gap that
    the jump left, and what a coarse step costs where D is curved: with many levels and isotherms of many short steps
    the chain becomes reversible, which the reverse SDE never is. No isotherm at σ = 0. Coarse isotherms have an error
    of their own that more levels do not lessen: order 0.

    Source: Schmiedl, Seifert 2008 (0710.4097) of the strokes; Song, Ermon 2019 (1907.05600), Alg. 1, of the
    staircase; Vaikuntanathan, Jarzynski 2008 (0804.3055) of jumps that carry x along, whose work is not heat.

    Parameters
    ----------
    relaxation : float
        Length of an isotherm in relaxation times σ².
    repeats : int
        Isotherms at each level, an evaluation of the network each.
    jump : Sampler
        Deterministic and one-step: `Rescaling`, or a step along the flow such as `Euler`, which costs evaluations
        of its own and whose stroke is FLOW.
    mse : callable sigma → E‖x_0 − D(x; σ)‖²/d
        For the noise of the isotherms; that of unit Gaussian data unless a pilot measured it.

    Raises
    ------
    UserError
        No isotherm at all, or a jump that draws noise or has a memory.
    """

    order = 0

    def __init__(self, relaxation=1.0, repeats=1, jump=Rescaling(), mse=unit_mse):
        if not (relaxation > 0 and repeats >= 1):
            raise UserError(f"an isotherm needs relaxation > 0 and repeats >= 1, not {relaxation} and {repeats}")
        if jump.draws or jump.history:
            raise UserError(f"{jump} cannot be the jump: give a one-step sampler without noise, such as euler")
        self.relaxation, self.repeats, self.jump, self.mse = relaxation, repeats, jump, mse
        self.name = "carnot" if jump.strokes == (ADIABAT,) else f"carnot_{jump.name}"
        self.strokes, self.draws = (*jump.strokes, ISOTHERM), repeats
        self.evaluations = jump.evaluations + repeats

    def legs(self, sigma, sigma_next, memory):
        yield from self.jump.legs(sigma, sigma_next, memory)
        for _ in range(self.repeats if sigma_next > 0 else 0):
            yield isotherm(sigma_next, self.relaxation, self.mse(sigma_next))
