"""A sampler as a cycle: data heated to noise in a trap and cooled back; strokes, books and efficiencies.

The system is y = x/√(1 + σ²) in U = y²/2 at T = 1 (`samplers.frames.Trap`), data a law whose entropy is known and not
only its score: a mixture on a line or in the plane, or a Gaussian. Entropies of the sampler's own laws, and distances
between them, are those of its particles (`own_law`). Heating is the noising process itself,
exact and undriven: W = 0, Σ_f = KL(p_cold‖N(0, 1)) − KL(p_hot‖N(0, 1)). Cooling is the sampler. Σ of a run is
ΔS_sys + σ_env, less what adiabats stretch: they move the entropy of y without producing any.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ..backend.cpu.device import Cpu
from ..errors import UserError
from ..ledger import ENERGY, NATS, ONE, Column
from ..runs.sampling import sample
from ..samplers.base import ADIABAT, DRIVEN
from ..samplers.frames import TRAP
from .efficiency import eta_cycle, eta_geo, eta_II, eta_path, eta_step
from .own_law import Cloud, Line

PAIRS = 9  # stream of the noise of data noised on purpose

CYCLE = {
    c.name: c
    for c in (
        Column("nfe", ONE, "-", "network evaluations per sample"),
        Column("work", ENERGY, "> 0 done on the system",
               "W of the cooling stroke: U gained less its line integral of heat"),
        Column("shadow_work", ENERGY, "> 0 done on the system", "done by the discretisation: U gained − work − heat"),
        Column("heat", ENERGY, "> 0 absorbed by the system", "−σ_env of the cooling stroke"),
        Column("entropy_change", NATS, "< 0 is order gained",
               "ΔS of the sampler's own law of y, by spacings or nearest neighbours"),
        Column("free_energy", ENERGY, "> 0 stored", "ΔF = ΔU − ΔS of the sampler's own law: ΔKL to N(0, 1)"),
        Column("Sigma", NATS, ">= 0", "entropy production ΔS + σ_env − what adiabats stretch"),
        Column("eta_path", ONE, "0 … 1", "K/(K + P), P the dissipated work of the reverse chain"),
        Column("eta_geo", ONE, "0 … 1", "W2²/(∫D dt·∫E|ν|²/D dt), W2 between the run's own ends"),
        Column("w2_end", ONE, ">= 0",
               "W2 of the law it leaves to that of the data at the last level, of y, sample to sample"),
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
    law : GaussianMixture or Gaussian
        Of one dimension or two, a Gaussian of any number.
    sigma_max, sigma_min : float
    own : Line or Cloud, optional
        How entropies and distances are taken from particles; a mixture on a line by a `Line`, all else by a `Cloud`
        unless given.

    Attributes
    ----------
    K : float
        KL(p_cold‖N(0, 1)), nats: the free energy of the data.
    Sigma : float
        Entropy that undriven noising produces, K − KL(p_hot‖N(0, 1)).
    least_Sigma, least_Sigma_error : float
        What the W2 geodesic between the same ends produces in the same ∫D dt, W2²/∫D dt, and the standard error where
        W2 is that of samples.
    """

    def __init__(self, law, sigma_max, sigma_min, own=None):
        self.law, self.sigma_max, self.sigma_min = law, float(sigma_max), float(sigma_min)
        self.own = own or (Line() if law.d == 1 else Cloud())
        self.mmse = lru_cache(None)(law.mmse)
        self.K = self.free_energy(sigma_min)
        self.Sigma = self.K - self.free_energy(sigma_max)
        diffusion = TRAP.diffusion(sigma_max, sigma_min)
        self.least_Sigma, self.least_Sigma_error = (value / diffusion for value in self.own.transport(self))

    def entropy(self, sigma):
        """Entropy of y at noise level `sigma`, nats."""
        return self.law.entropy(sigma) + self.law.d * np.log(TRAP.alpha(sigma))

    def free_energy(self, sigma):
        """KL(p‖N(0, 1)) of y: ⟨U⟩ − S over that of equilibrium."""
        energy = 0.5 * TRAP.alpha(sigma) ** 2 * (self.law.second_moment() + self.law.d * sigma**2)
        return energy - self.entropy(sigma) + 0.5 * self.law.d * np.log(2 * np.pi)

    def pairs(self, sigma, n, seed, first=0):
        """Points `first` … `first + n − 1` of the data and the same under noise, x_0 and x = x_0 + σn, (n, d) each."""
        x_0 = self.law.sample(n, seed, Cpu(), first=first)
        return x_0, x_0 + sigma * Cpu().normals(seed, PAIRS, 0, n, self.law.d, first=first)

    def sample(self, sigma, n, seed, first=0):
        """Points of y at noise level `sigma`, (n, d)."""
        return TRAP.alpha(sigma) * self.pairs(sigma, n, seed, first)[1]

    def blank(self, n, parts=8, seed=0):
        """What `own` says of samples of n points of exact laws, {name: (mean, standard error)} over independent parts.

        w2_end
            Distance of two samples of the cold law, which those of a perfect sampler would have from data too.
        w2_bias
            By how much W2² of hot to cold is too large where the laws differ by shift and scale: the product of the
            distances of hot to hot and cold to cold. For then y = sy'' + t, and what does not cancel in the best match
            is s times that of two samples of one law.
        entropy_bias
            By how much the entropy of the cold law is off.
        """
        exact, found = self.entropy(self.sigma_min), []
        for part in range(parts):
            cold, hot = ([self.sample(sigma, n, seed + part, first) for first in (0, n)]
                         for sigma in (self.sigma_min, self.sigma_max))
            apart = self.own.w2(*cold)
            found.append((apart, apart * self.own.w2(*hot), self.own.entropy(cold[0]) - exact))
        means, errors = np.mean(found, axis=0), np.std(found, axis=0, ddof=1) / np.sqrt(parts)
        return dict(zip(("w2_end", "w2_bias", "entropy_bias"), zip(means.tolist(), errors.tolist())))


def chain_work(sampler, heating, sigmas, points, seed):
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
    total, d, hot = 0.0, heating.law.d, sigmas[0] ** 2
    for k, (sigma, after) in enumerate(zip(sigmas[:-1], sigmas[1:])):
        legs = list(sampler.legs(float(sigma), float(after), {"steps": len(sigmas) - 1}))
        (leg, *more) = legs
        if sampler.history or more or leg.stroke != DRIVEN or not leg.variance > 0 or leg.blind:
            return np.nan, _no_chain(sampler, legs)
        x_0, x = heating.pairs(sigma, points, seed, k * points)
        D, pull, variance = heating.law(x, sigma), 1 - (after / sigma) ** 2, leg.variance_at(x)
        unknown = (x_0 - D) ** 2
        unknown += heating.mmse(sigma) / d - unknown.mean()
        gap = (leg.mean(x, heating.law) - x - pull * (D - x)) ** 2
        spread = after**2 * pull + pull**2 * unknown + gap
        total += 0.5 * np.mean((np.log(variance / (sigma**2 - after**2)) - 1 + spread / variance).sum(axis=1))
    prior = 0.5 * (d * np.log(2 * np.pi * hot) + (heating.law.second_moment() + d * hot) / hot)
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
    alpha, d = np.array([TRAP.alpha(s) for s in sigmas]), heating.law.d
    start = 0.5 * d * np.log(2 * np.pi * np.e * (alpha[0] * sigmas[0]) ** 2)
    rows, entropies, runs, why = [], [], [], {}
    for part in range(parts):
        run = sample(sampler, heating.law, sigmas, n, d, seed + part, device, batch=n, frames=n, frame=TRAP)
        y = alpha[:, None, None] * run.frames
        entropies.append(np.array([start, *(heating.own.entropy(at) for at in y[1:])]))
        P, no_chain = chain_work(sampler, heating, sigmas, n, seed + part)
        data = heating.sample(sigmas[-1], n, seed + part, first=len(sigmas) * n)
        rows.append(_balance(run, heating, y, data, entropies[-1], P))
        runs.append(run)
    reasons = runs[0].ledger.reasons
    for name, channel in (("work", "work"), ("shadow_work", "shadow_work"), ("heat", "heat"),
                          ("eta_geo", "transport_action")):
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
                  eta_step(np.diff(mean(entropies)), np.mean(given, axis=0)), runs[0].ledger,
                  _strokes(runs, mean, error))


def _balance(run, heating, y, data, entropy, P):
    """One part's CYCLE."""
    total = {name: float(values.mean()) for name, values in run.totals.items()}
    heat = total.get("heat", np.nan)
    order = float(entropy[0] - entropy[-1])
    stored = float(np.mean((y[-1] ** 2 - y[0] ** 2).sum(axis=1))) / 2 + order
    Sigma = -order - heat - float(run.ledger["log_volume"].sum())
    w2 = heating.own.w2(y[-1], y[0])
    per_order = float(eta_step(-order, -heat))
    return {
        "nfe": run.evaluations, "work": total.get("work", np.nan),
        "shadow_work": total.get("shadow_work", np.nan), "heat": heat,
        "entropy_change": -order, "free_energy": stored, "Sigma": Sigma,
        "eta_path": float(eta_path(heating.K, P)),
        "eta_geo": float(eta_geo(w2, TRAP.diffusion(heating.sigma_max, heating.sigma_min),
                                 total.get("transport_action", np.nan))),
        "w2_end": heating.own.w2(y[-1], data), "eta_II": float(eta_II(stored, Sigma)), "eta_step": per_order,
        "bit_cost": np.log(2) / per_order,
        "eta_cycle": float(eta_cycle(heating.K, heating.Sigma, Sigma)),
        "eta_cycle_geodesic": float(eta_cycle(heating.K, heating.least_Sigma, Sigma)),
    }


def _strokes(runs, mean, error):
    found = {}
    for stroke in dict.fromkeys(runs[0].ledger["stroke"]):
        mine = runs[0].ledger["stroke"] == stroke
        sums = {name: np.array([run.ledger[name][mine].sum() for run in runs])
                for name in ("work", "shadow_work", "heat", "log_volume")}
        found[str(stroke)] = {"legs": (int(mine.sum()), 0.0)} | {k: (float(mean(v)), float(error(v)))
                                                                 for k, v in sums.items()}
    return found
