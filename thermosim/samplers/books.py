"""The books of a sampler leg: heat, work, entropy and transport, per particle, for any leg alike.

The force that drives a leg is its drift over its mobility at T = 1. On the reverse family it is
[(1 + ξ)∇ln p − g]/ξ, g the force of the noising process: none in the laboratory, −y in the trap; so 2∇ln p at
ξ = 1 in the laboratory and y + 2∇ln p in the trap. On a Langevin leg at fixed noise it is ∇ln p; on noising, g.
An adiabat has no bath: no heat, and what energy it changes is work. Nor has the probability flow (ξ = 0): heat is
undefined there, only in the laboratory its line integral of ∇ln p, the force of the energy −ln p, is booked.
"""

from dataclasses import replace

from .base import ADIABAT, DRIVEN, FLOW, FREE, ISOTHERM, squared
from .frames import LAB

CHANNELS = ("heat_line", "entropy_env", "heat", "transport_action", "work", "shadow_work")

NO_ENERGY = "the network gives a score, not an energy, and ∂_t ln p is not evaluated"
NO_BATH = "no bath: the flow is deterministic, its kernel has no density ratio"
NO_NOISE = "the step draws no noise: its kernel has no density ratio"
NO_MEAN = "stages draw noise of their own, and the mean displacement over them is not evaluated"
OWN_MARGINAL = "ν of a corrector is the gap between the chain's own marginal and p_σ, which is unknown"


def _has_density(leg):
    return leg.variance > 0 and not leg.blind


def _turned(x, turn):
    """`x` itself where nothing turns, so that a denoiser asked at the same place need not answer twice."""
    return x if turn == 1 else turn * x


def _in_frame(leg, turn):
    """The leg of y, in units of α at its start."""
    if turn == 1:
        return leg
    return replace(leg, mean=lambda x, denoise: turn * leg.mean(x, denoise), variance=turn**2 * leg.variance)


def book(leg, x, mean, x_new, denoise, frame=LAB):
    """Weigh one leg.

    Parameters
    ----------
    leg : Leg
    x, mean, x_new : (n, d) arrays
        Where it began, the mean about which its noise fell, and where it ended.
    denoise : callable (x, sigma) → E[x_0|x]
    frame : Lab or Trap

    Returns
    -------
    dict of (n,) arrays
        Only the channels that exist for this leg; `reasons(leg, frame)` says why the others do not.
    """
    alpha, diffusion = frame.alpha(leg.sigma), frame.diffusion(leg.sigma, leg.sigma_next)
    turn = frame.alpha(leg.sigma_next) / alpha
    stiffness = alpha**2 if frame.energy else 0.0  # of U in units of α: ½·stiffness·|x|²
    end, middle = _turned(x_new, turn), _turned(mean, turn)
    moved, gained = end - x, 0.5 * stiffness * (squared(end) - squared(x))
    if leg.stroke == ADIABAT:
        nothing = 0.0 * gained
        books = {name: nothing for name in ("heat_line", "entropy_env", "heat")}
        return books | {"transport_action": alpha**2 * squared(middle - x) / diffusion} | _energies(leg, gained, books, frame)
    # the score is σ⁻²(D − x); the same noise level at both ends, as the kernel's reverse has it
    pull, score = denoise(x, leg.sigma) - x, leg.sigma**-2
    books = {}
    if leg.stroke == FREE:
        books["heat_line"] = gained
        drifted = (turn - 1) * x - diffusion / alpha**2 * score * pull
        books["transport_action"] = alpha**2 * squared(drifted) / diffusion
    elif leg.stroke != FLOW or not frame.energy:
        both = pull + (denoise(end, leg.sigma) - end)
        if leg.stroke == DRIVEN:
            force = ((1 + leg.xi) * score * both + stiffness * (x + end)) / leg.xi
        else:
            force = score * both
        books["heat_line"] = -0.5 * (force * moved).sum(axis=1)
    if _has_density(leg):
        entropy_env = _in_frame(leg, turn).entropy_env(x, middle, end, denoise)
        books |= {"entropy_env": entropy_env, "heat": -entropy_env}
    if leg.stroke in (DRIVEN, FLOW) and not leg.stages:
        # the share of the mean displacement that is the local velocity ν
        share = 1 / (1 + leg.xi) if leg.stroke == DRIVEN else 1.0
        books["transport_action"] = alpha**2 * squared((turn - 1) * x + turn * share * (mean - x)) / diffusion
    return books | _energies(leg, gained, books, frame)


def _energies(leg, gained, books, frame):
    """{work, shadow_work} as far as they exist, so that the energy gained is work + shadow work + heat."""
    if not frame.energy:
        return {"work": 0.0 * gained, "shadow_work": 0.0 * gained} if leg.exact else {}
    if leg.exact:
        return {"work": gained - books["heat"], "shadow_work": 0.0 * gained}
    if "heat_line" not in books:
        return {}
    shadow = {"shadow_work": books["heat_line"] - books["heat"]} if "heat" in books else {}
    return {"work": gained - books["heat_line"]} | shadow


def reasons(leg, frame=LAB):
    """Why a channel is NaN on this leg: dict name → reason."""
    why = {} if leg.exact or frame.energy else {"work": NO_ENERGY, "shadow_work": NO_ENERGY}
    if leg.stroke == FLOW:
        without = ("entropy_env", "heat") + (("heat_line", "work", "shadow_work") if frame.energy else ())
        why |= dict.fromkeys(without, NO_BATH)
    elif leg.stroke != ADIABAT and not _has_density(leg):
        without = ("entropy_env", "heat") + (("shadow_work",) if frame.energy else ())
        why |= dict.fromkeys(without, leg.blind or NO_NOISE)
    if leg.stroke == ISOTHERM:
        why["transport_action"] = OWN_MARGINAL
    if leg.stages:
        why["transport_action"] = NO_MEAN
    return why
