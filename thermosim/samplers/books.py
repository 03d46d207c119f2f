"""The books of a sampler leg: heat, entropy and transport, per particle, for any leg alike.

The force that drives a leg is its drift over its mobility at T = 1 (PHYSICS §2): (1 + ξ)/ξ·∇ln p where
a bath is coupled, so 2∇ln p on the reverse SDE (ξ = 1), and ∇ln p itself on a Langevin leg at fixed
noise and on the probability flow (ξ = 0), where it is the force of the energy −ln p.
"""

from .base import ADIABAT, DRIVEN, FLOW, ISOTHERM

CHANNELS = ("heat_line", "entropy_env", "heat", "transport_action", "work", "shadow_work")

# drift / (mobility × score), and the share of the mean displacement that is the local velocity ν
FORCE_PER_SCORE = {ISOTHERM: 1.0, DRIVEN: 2.0, FLOW: 1.0}
VELOCITY_SHARE = {DRIVEN: 0.5, FLOW: 1.0}

NO_ENERGY = "the network gives a score, not an energy, and ∂_t ln p is not evaluated"
NO_BATH = "no bath: the flow is deterministic, its kernel has no density ratio"
NO_KERNEL = "x is frozen: no kernel, nothing relaxes"
OWN_MARGINAL = "ν of a corrector is the gap between the chain's own marginal and p_σ, which is unknown"
REASONS = {
    ISOTHERM: {"transport_action": OWN_MARGINAL},
    ADIABAT: {"entropy_env": NO_KERNEL, "heat": NO_KERNEL},
    FLOW: {"entropy_env": NO_BATH, "heat": NO_BATH},
    DRIVEN: {},
}


def _squared(a):
    return (a * a).sum(axis=1)


def book(leg, x, x_new, denoise):
    """Weigh one leg.

    Parameters
    ----------
    leg : Leg
    x, x_new : (n, d) arrays
        Its two ends.
    denoise : callable (x, sigma) → E[x_0|x]

    Returns
    -------
    dict of (n,) arrays
        Only the channels that exist for this leg; `reasons(leg)` says why the others do not.
    """
    if leg.stroke == ADIABAT:
        return {"heat_line": 0.0 * x[:, 0], "transport_action": 0.0 * x[:, 0]}
    moved = x_new - x
    # denoised − x is σ²·score; the same noise level at both ends, as the kernel's reverse has it
    pull, pull_new = denoise(x, leg.sigma) - x, denoise(x_new, leg.sigma) - x_new
    line = FORCE_PER_SCORE[leg.stroke] / leg.sigma**2 * 0.5 * ((pull + pull_new) * moved).sum(axis=1)
    books = {"heat_line": -line}
    ahead = leg.mean(x, denoise) - x if leg.variance > 0 else moved
    if leg.variance > 0:
        behind = leg.mean(x_new, denoise) - x_new
        # ln N(x'; x + ahead, v) − ln N(x; x' + behind, v)
        entropy_env = (_squared(moved + behind) - _squared(moved - ahead)) / (2 * leg.variance)
        books |= {"entropy_env": entropy_env, "heat": -entropy_env}
    if leg.stroke in VELOCITY_SHARE:
        diffusion = 0.5 * abs(leg.sigma**2 - leg.sigma_next**2)
        books["transport_action"] = _squared(VELOCITY_SHARE[leg.stroke] * ahead) / diffusion
    return books


def reasons(leg):
    """Why a channel is NaN on this leg: dict name → reason."""
    return {"work": NO_ENERGY, "shadow_work": NO_ENERGY} | REASONS[leg.stroke]
