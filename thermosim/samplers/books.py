"""The books of a sampler leg: heat, entropy and transport, per particle, for any leg alike.

The force that drives a leg is its drift over its mobility at T = 1: (1 + ξ)/ξ·∇ln p where
a bath is coupled, so 2∇ln p on the reverse SDE (ξ = 1), and ∇ln p itself on a Langevin leg at fixed
noise and on the probability flow (ξ = 0), where it is the force of the energy −ln p. Free diffusion has none.
"""

from .base import ADIABAT, DRIVEN, FLOW, FREE, ISOTHERM, squared

CHANNELS = ("heat_line", "entropy_env", "heat", "transport_action", "work", "shadow_work")

NO_ENERGY = "the network gives a score, not an energy, and ∂_t ln p is not evaluated"
NO_BATH = "no bath: the flow is deterministic, its kernel has no density ratio"
NO_KERNEL = "x is frozen: no kernel, nothing relaxes"
NO_NOISE = "the step to σ = 0 draws no noise: its kernel has no density ratio"
NO_MEAN = "stages draw noise of their own, and the mean displacement over them is not evaluated"
OWN_MARGINAL = "ν of a corrector is the gap between the chain's own marginal and p_σ, which is unknown"
WITHOUT_DENSITY = {ADIABAT: NO_KERNEL, FLOW: NO_BATH, DRIVEN: NO_NOISE}


def _has_density(leg):
    return leg.stroke == FREE or leg.variance > 0 and not leg.blind


def book(leg, x, mean, x_new, denoise):
    """Weigh one leg.

    Parameters
    ----------
    leg : Leg
    x, mean, x_new : (n, d) arrays
        Where it began, the mean about which its noise fell, and where it ended.
    denoise : callable (x, sigma) → E[x_0|x]

    Returns
    -------
    dict of (n,) arrays
        Only the channels that exist for this leg; `reasons(leg)` says why the others do not.
    """
    nothing = 0.0 * x[:, 0]
    if leg.stroke == ADIABAT:
        return {"heat_line": nothing, "transport_action": nothing}
    diffusion = 0.5 * abs(leg.sigma**2 - leg.sigma_next**2)
    # denoised − x is σ²·score; the same noise level at both ends, as the kernel's reverse has it
    pull = denoise(x, leg.sigma) - x
    if leg.stroke == FREE:  # a symmetric kernel, and the local velocity −D∇ln p
        return {"heat_line": nothing, "entropy_env": nothing, "heat": nothing,
                "transport_action": squared(diffusion / leg.sigma**2 * pull) / diffusion}
    pull_new = denoise(x_new, leg.sigma) - x_new
    force_per_score = (1 + leg.xi) / leg.xi if leg.stroke == DRIVEN else 1.0
    line = force_per_score / leg.sigma**2 * 0.5 * ((pull + pull_new) * (x_new - x)).sum(axis=1)
    books = {"heat_line": -line}
    if _has_density(leg):
        entropy_env = leg.entropy_env(x, mean, x_new, denoise)
        books |= {"entropy_env": entropy_env, "heat": -entropy_env}
    if leg.exact:
        books |= {"work": nothing, "shadow_work": nothing}
    if leg.stroke in (DRIVEN, FLOW) and not leg.stages:
        # the share of the mean displacement that is the local velocity ν
        share = 1 / (1 + leg.xi) if leg.stroke == DRIVEN else 1.0
        books["transport_action"] = squared(share * (mean - x)) / diffusion
    return books


def reasons(leg):
    """Why a channel is NaN on this leg: dict name → reason."""
    why = {} if leg.exact else {"work": NO_ENERGY, "shadow_work": NO_ENERGY}
    if not _has_density(leg):
        why["entropy_env"] = why["heat"] = leg.blind or WITHOUT_DENSITY[leg.stroke]
    if leg.stroke == ISOTHERM:
        why["transport_action"] = OWN_MARGINAL
    if leg.stages:
        why["transport_action"] = NO_MEAN
    return why
