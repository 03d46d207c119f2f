"""A sampler as a cycle: data heated to noise in a trap and cooled back; strokes, books and efficiencies.

The system is y = x/√(1 + σ²) in U = y²/2 at T = 1 (`samplers.frames.Trap`), data a mixture on a line, so that its
entropy, and that of the sampler's own laws, is known and not only its score. Heating is the noising process itself,
exact and undriven: W = 0, Σ_f = KL(p_cold‖N(0, 1)) − KL(p_hot‖N(0, 1)). Cooling is the sampler. Σ of a run is
ΔS_sys + σ_env, less what adiabats stretch: they move the entropy of y without producing any.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.special import digamma

from ..errors import UserError
from ..ledger import ENERGY, NATS, ONE, Column
from ..runs.sampling import sample
from ..samplers.base import ADIABAT, DRIVEN
from ..samplers.frames import TRAP
from .efficiency import eta_cycle, eta_geo, eta_II, eta_path, eta_step
from .speed_accuracy import mixture_quantiles

PAIRS = 9  # stream of the noise of data noised for `chain_work`

CYCLE = {
    c.name: c
    for c in (
        Column("nfe", ONE, "-", "network evaluations per sample"),
        Column("work", ENERGY, "> 0 done on the system", "W of the cooling stroke: U gained less its line integral of heat"),
        Column("shadow_work", ENERGY, "> 0 done on the system", "done by the discretisation: U gained − work − heat"),
        Column("heat", ENERGY, "> 0 absorbed by the system", "−σ_env of the cooling stroke"),
        Column("entropy_change", NATS, "< 0 is order gained", "ΔS of the sampler's own law of y, by spacings"),
        Column("free_energy", ENERGY, "> 0 stored", "ΔF = ΔU − ΔS of the sampler's own law: ΔKL to N(0, 1)"),
        Column("Sigma", NATS, ">= 0", "entropy production ΔS + σ_env − what adiabats stretch"),
        Column("eta_path", ONE, "0 … 1", "K/(K + P), P the dissipated work of the reverse chain"),
        Column("eta_geo", ONE, "0 … 1", "W2²/(∫D dt·∫E|ν|²/D dt), W2 between the run's own ends"),
        Column("eta_II", ONE, "0 … 1 where F rises", "ΔF/(ΔF + Σ): free energy stored over work spent"),
        Column("eta_step", ONE, "0 … 1", "−ΔS/σ_env over the run, where order is gained"),
        Column("bit_cost", "k_B T per bit", ">= ln 2", "heat given to the bath per bit of order gained"),
        Column("eta_cycle", ONE, "−∞ … 1", "(K − Σ_f)/(K + Σ), heated undriven"),
        Column("eta_cycle_geodesic", ONE, "−∞ … 1", "the same, heated along the W2 geodesic in the same ∫D dt"),
    )
}
SEVERAL = "a step of several legs has no density in closed form"
MEMORY = "its steps lean on earlier ones: no Markov chain with a density of its own"
NO_ORDER = "the sampler gained no order"
NO_HEAT = "its heat is undefined"
MADE_OF_HEAT = ("Sigma", "eta_II", "eta_step", "bit_cost", "eta_cycle", "eta_cycle_geodesic")


class Heating:
    """Data under noise σ_min heated to σ_max in the trap: what the warm half of the cycle gives and costs.

    Parameters
    ----------
    law : GaussianMixture on a line
    sigma_max, sigma_min : float

    Attributes
    ----------
    K : float
        KL(p_cold‖N(0, 1)), nats: the free energy of the data.
    Sigma : float
        Entropy that undriven noising produces, K − KL(p_hot‖N(0, 1)).
    least_Sigma : float
        What the W2 geodesic between the same ends produces in the same ∫D dt: W2²/∫D dt.

    Raises
    ------
    UserError
        Data of more than one dimension.
    """

    def __init__(self, law, sigma_max, sigma_min):
        if law.d != 1:
            raise UserError(f"entropies of a sampler's own laws are taken on a line, not in {law.d} dimensions")
        self.law, self.sigma_max, self.sigma_min = law, float(sigma_max), float(sigma_min)
        self.mmse = lru_cache(None)(law.mmse)
        self.K = self.free_energy(sigma_min)
        self.Sigma = self.K - self.free_energy(sigma_max)
        u = (np.arange(20_000) + 0.5) / 20_000
        hot, cold = (mixture_quantiles(law, u, TRAP.alpha(s), s * TRAP.alpha(s)) for s in (sigma_max, sigma_min))
        self.least_Sigma = float(np.mean((hot - cold) ** 2)) / TRAP.diffusion(sigma_max, sigma_min)

    def entropy(self, sigma):
        """Entropy of y at noise level `sigma`, nats."""
        return self.law.entropy(sigma) + np.log(TRAP.alpha(sigma))

    def free_energy(self, sigma):
        """KL(p‖N(0, 1)) of y: ⟨U⟩ − S over that of equilibrium."""
        energy = 0.5 * TRAP.alpha(sigma) ** 2 * (self.law.second_moment() + sigma**2)
        return energy - self.entropy(sigma) + 0.5 * np.log(2 * np.pi)


def line_entropy(y, spacing=4):
    """Entropy of a law on the line from a sample (n,), nats, by spacings over `spacing` neighbours.

    ⟨ln(y_(j) − y_(i)) − ψ(j − i)⟩ + ψ(n + 1), i and j the neighbours half the spacing below and above each point and
    no further than the ends: free of bias where the density is level between them.

    Source: Ebrahimi, Pflughoeft, Soofi 1994 (Stat. Probab. Lett. 20, 225) for the ends; van Es 1992 (Scand. J. Stat.
    19, 61) for ψ.

    Raises
    ------
    UserError
        Fewer than ten points a spacing.
    """
    y, n = np.sort(np.asarray(y, float)), len(y)
    if n < 10 * spacing:
        raise UserError(f"an entropy by spacings of {spacing} needs at least {10 * spacing} points, not {n}")
    low = np.maximum(np.arange(n) - spacing // 2, 0)
    high = np.minimum(np.arange(n) + spacing - spacing // 2, n - 1)
    return float(np.mean(np.log(y[high] - y[low]) - digamma(high - low)) + digamma(n + 1))


def chain_work(sampler, heating, sigmas, points, seed, device):
    """Dissipated work P of the reverse chain a sampler is, nats: Σ⟨ln q(x_k|x_{k+1}) − ln p(x_{k+1}|x_k)⟩ over noised
    data, −⟨ln p(x_0)⟩ of the prior, less the entropy of data; k counts towards data.

    Of x_{k+1} given x_k only the mean square about the sampler's mean enters: the spread of the posterior, what the
    denoiser does not know, and how far the sampler's mean lies from the posterior's. The last needs `points`; what is
    not known needs them only where the variance depends on x, for of its mean the exact one is taken.

    Returns
    -------
    P : float, or NaN
    why : str or None
        Why the chain has none.
    """
    total = 0.0
    for k, (sigma, after) in enumerate(zip(sigmas[:-1], sigmas[1:])):
        legs = list(sampler.legs(float(sigma), float(after), {"steps": len(sigmas) - 1}))
        (leg, *more) = legs
        if sampler.history or more or leg.stroke != DRIVEN or not leg.variance > 0 or leg.blind:
            return np.nan, _no_chain(sampler, legs)
        x_0 = heating.law.sample(points, seed, device, first=k * points)
        x = x_0 + sigma * device.normals(seed, PAIRS, k, points, heating.law.d)
        D, pull, variance = heating.law(x, sigma), 1 - (after / sigma) ** 2, leg.variance_at(x)
        unknown = (x_0 - D) ** 2
        unknown += heating.mmse(sigma) / heating.law.d - unknown.mean()
        gap = (leg.mean(x, heating.law) - x - pull * (D - x)) ** 2
        spread = after**2 * pull + pull**2 * unknown + gap
        total += 0.5 * np.mean((np.log(variance / (sigma**2 - after**2)) - 1 + spread / variance).sum(axis=1))
    prior = 0.5 * (np.log(2 * np.pi * sigmas[0] ** 2) + (heating.law.second_moment() + sigmas[0] ** 2) / sigmas[0] ** 2)
    return total + prior - heating.law.entropy(sigmas[-1]), None


def _no_chain(sampler, legs):
    if sampler.history:
        return MEMORY
    return SEVERAL if len(legs) > 1 else legs[0].blind or "no bath: the flow is deterministic"


@dataclass(frozen=True)
class Cooled:
    """A sampler's stroke from noise to data.

    Attributes
    ----------
    row, errors, why : dicts of CYCLE
        Means over independent parts, their standard errors, and the reasons of NaN.
    sigmas, entropy, entropy_error, eta_step : (N + 1,), (N + 1,), (N + 1,), (N,) arrays
        Levels, entropy of the sampler's own law of y there, and the efficiency of each step.
    legs : Ledger
        That of the first part: strokes, volumes, means.
    strokes : dict stroke → dict column → (mean, standard error)
        Legs, work, shadow_work, heat and log_volume summed over the legs of a stroke.
    """

    row: dict
    errors: dict
    why: dict
    sigmas: np.ndarray
    entropy: np.ndarray
    entropy_error: np.ndarray
    eta_step: np.ndarray
    legs: object
    strokes: dict

    def path(self):
        """(σ, S) along the stroke, with the corner at which an adiabat hands over to its isotherm, (m,) each."""
        sigma, S = [self.sigmas[0]], [self.entropy[0]]
        for k, after in enumerate(self.sigmas[1:]):
            mine = self.legs["sampler_step"] == k
            if ADIABAT in self.legs["stroke"][mine]:
                sigma.append(after)
                S.append(self.entropy[k] + self.legs["log_volume"][mine].sum())
            sigma.append(after)
            S.append(self.entropy[k + 1])
        return np.array(sigma), np.array(S)


def cool(sampler, heating, sigmas, device, particles=20_000, parts=8, seed=0):
    """Cool noise N(0, σ_0²) with a sampler over `sigmas` and weigh it in the trap.

    Parameters
    ----------
    sampler : Sampler
    heating : Heating
        Of the data whose exact score drives the sampler.
    sigmas : (N + 1,) falling noise levels > 0, `heating`'s ends among them
    device : Cpu
    particles, parts : int
        Independent parts, whose scatter gives every error.
    seed : int

    Returns
    -------
    Cooled

    Raises
    ------
    UserError
        Too few particles for errors, or levels between other ends than those of `heating`.
    """
    n = particles // parts
    if parts < 2 or n < 100:
        raise UserError(f"errors come from at least 2 parts of 100 particles, not {parts} of {n}")
    if not (np.isclose(sigmas[0], heating.sigma_max) and np.isclose(sigmas[-1], heating.sigma_min)):
        raise UserError("a cycle closes only where cooling spans the levels of heating: give it the same ends")
    alpha = np.array([TRAP.alpha(s) for s in sigmas])
    start = 0.5 * np.log(2 * np.pi * np.e * (alpha[0] * sigmas[0]) ** 2)
    rows, entropies, runs, why = [], [], [], {}
    for part in range(parts):
        run = sample(sampler, heating.law, sigmas, n, 1, seed + part, device, batch=n, frames=n, frame=TRAP)
        y = alpha[:, None] * run.frames[:, :, 0]
        entropies.append(np.array([start, *(line_entropy(at) for at in y[1:])]))
        P, no_chain = chain_work(sampler, heating, sigmas, n, seed + part, device)
        rows.append(_balance(run, heating, y, entropies[-1], P))
        runs.append(run)
    reasons = runs[0].ledger.reasons
    for name, channel in (("work", "work"), ("shadow_work", "shadow_work"), ("heat", "heat"), ("eta_geo", "transport_action")):
        if channel in reasons:
            why[name] = reasons[channel]
    if "heat" in reasons:
        why |= dict.fromkeys(MADE_OF_HEAT, NO_HEAT)
    if no_chain:
        why["eta_path"] = no_chain
    table = {name: np.array([row[name] for row in rows]) for name in CYCLE}
    for name in CYCLE:
        if np.isnan(table[name]).any():
            why.setdefault(name, NO_ORDER)
    entropies = np.array(entropies)
    mean, error = (lambda v: v.mean(axis=0)), (lambda v: v.std(axis=0, ddof=1) / np.sqrt(parts))
    given = [np.bincount(run.ledger["sampler_step"], weights=run.ledger["entropy_env"]) for run in runs]
    return Cooled({k: float(mean(v)) for k, v in table.items()}, {k: float(error(v)) for k, v in table.items()}, why,
                  np.asarray(sigmas, float), mean(entropies), error(entropies),
                  eta_step(np.diff(mean(entropies)), np.mean(given, axis=0)), runs[0].ledger, _strokes(runs, mean, error))


def _balance(run, heating, y, entropy, P):
    """One part's CYCLE."""
    total = {name: float(values.mean()) for name, values in run.totals.items()}
    heat = total.get("heat", np.nan)
    order = float(entropy[0] - entropy[-1])
    stored = float(np.mean(y[-1] ** 2 - y[0] ** 2)) / 2 + order
    Sigma = -order - heat - float(run.ledger["log_volume"].sum())
    w2 = np.sqrt(np.mean((np.sort(y[-1]) - np.sort(y[0])) ** 2))
    per_order = float(eta_step(-order, -heat))
    return {
        "nfe": run.evaluations, "work": total.get("work", np.nan), "shadow_work": total.get("shadow_work", np.nan), "heat": heat,
        "entropy_change": -order, "free_energy": stored, "Sigma": Sigma,
        "eta_path": float(eta_path(heating.K, P)),
        "eta_geo": float(eta_geo(w2, TRAP.diffusion(heating.sigma_max, heating.sigma_min), total.get("transport_action", np.nan))),
        "eta_II": float(eta_II(stored, Sigma)), "eta_step": per_order, "bit_cost": np.log(2) / per_order,
        "eta_cycle": float(eta_cycle(heating.K, heating.Sigma, Sigma)),
        "eta_cycle_geodesic": float(eta_cycle(heating.K, heating.least_Sigma, Sigma)),
    }


def _strokes(runs, mean, error):
    found = {}
    for stroke in dict.fromkeys(runs[0].ledger["stroke"]):
        mine = runs[0].ledger["stroke"] == stroke
        sums = {name: np.array([run.ledger[name][mine].sum() for run in runs])
                for name in ("work", "shadow_work", "heat", "log_volume")}
        found[str(stroke)] = {"legs": (int(mine.sum()), 0.0)} | {k: (float(mean(v)), float(error(v))) for k, v in sums.items()}
    return found
