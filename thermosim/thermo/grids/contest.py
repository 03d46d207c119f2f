"""Grids against each other on laws whose flow is known: the
problems, and the errors of every candidate on fresh noise."""

import numpy as np
from scipy.special import ndtri

from ...datasets.swiss_roll import SwissRoll
from ...score.exact import GaussianMixture
from ..speed_accuracy import mixture_quantiles
from .pilot import Pilot, runge_kutta
from .recommend import HAND_MADE, recommend

HOT, COLD = 50.0, 0.01
GRIDS = (*HAND_MADE, "entropic", "rescaled_entropic", "score_optimal", "constant_rate", "work_geodesic",
         "transport_geodesic",
         "transport_optimum", "transport_optimum_J", "recommended")
W2, MEAN, RMS = "W2", "mean", "rms"


def known():
    """name → mixture, those that the recommendation was developed on first."""
    angle, roll = np.arange(8) * np.pi / 4, SwissRoll().curve(120)
    ring = 1.4 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    spectrum = power_law(64)
    return {
        "two modes, 1-D": GaussianMixture([0.4, 0.6], [[-1.5], [1.0]], [0.3**2, 0.2**2]),
        "three modes, 1-D": GaussianMixture([0.2, 0.5, 0.3], [[-2.0], [0.2], [1.8]], [0.1**2, 0.5**2, 0.05**2]),
        "ring, 2-D": GaussianMixture(np.full(8, 1 / 8), ring, np.full(8, 0.1**2)),
        "mixture, 16-D": random_mixture(np.random.default_rng(16), 6, 16, 1.0),
        "swiss roll, 2-D": GaussianMixture(np.full(120, 1 / 120), roll, np.full(120, 0.1**2)),
        "power law, 64-D": GaussianMixture([1.0], np.zeros((1, 64)), spectrum[None]),
    }


def fresh(seed):
    """name → mixture drawn from `seed`: nothing about them was known when the recommendation was written."""
    rng = np.random.default_rng(seed)
    return {"fresh a, 1-D": random_mixture(rng, 2, 1, 1.5), "fresh b, 1-D": random_mixture(rng, 4, 1, 1.5),
            "fresh, 2-D": random_mixture(rng, 5, 2, 1.5), "fresh, 16-D": random_mixture(rng, 4, 16, 1.0)}


def random_mixture(rng, modes, d, spread):
    """Weights from a Dirichlet law, normal means, widths uniform in 0.05 … 0.5 for every axis of every mode."""
    return GaussianMixture(rng.dirichlet(np.full(modes, 3.0)), rng.normal(scale=spread, size=(modes, d)),
                           rng.uniform(0.05, 0.5, (modes, d)) ** 2)


def power_law(d):
    """Variances ∝ 1/k² with mean 1, as those of pictures fall with their wave number."""
    variance = (1 + np.arange(d)) ** -2.0
    return variance * d / variance.sum()


def ends(law, n, seed, levels=250):
    """(start, end): fresh noise and where the exact flow takes it, (n, d) each.

    One dimension needs no flow, which keeps quantiles: there both are mid-quantiles. The others are led by a rule
    of fourth order.
    """
    if law.d == 1:
        u = (np.arange(n) + 0.5) / n
        return tuple(mixture_quantiles(law, u, s=s)[:, None] for s in (HOT, COLD))
    start = x = HOT * np.random.Generator(np.random.PCG64([seed, 1])).standard_normal((n, law.d))
    sigmas = np.geomspace(HOT, COLD, levels + 1)
    for sigma, lower in zip(sigmas[:-1], sigmas[1:]):
        x, _ = runge_kutta(law, x, sigma, lower)
    return start, x


def pilot_noise(n, d, seed):
    """Standard normals (n, d); in one dimension one from each of n equally likely strata, in order."""
    rng = np.random.Generator(np.random.PCG64([seed, 0]))
    return ndtri((np.arange(n) + rng.random(n)) / n)[:, None] if d == 1 else rng.standard_normal((n, d))


def carried(sampler, denoise, sigmas, x):
    """Where the sampler takes `x`, (n, d)."""
    memory = {}
    for sigma, lower in zip(sigmas[:-1], sigmas[1:]):
        for leg in sampler.legs(float(sigma), float(lower), memory):
            x = leg.mean(x, denoise)
    return x


def judges(law):
    """name → power of the pilot that serves it: W2 in one dimension, else mean and rms distance to the flow's end."""
    return {W2: 2} if law.d == 1 else {MEAN: 1, RMS: 2}


def affordable(law, n):
    """n, or as many of it as a law of many components and dimensions leaves, never below 256 of them."""
    return int(min(n, max(256, 25 * n / (law.d * (len(law.weights) + 2)))))


def errors_of(x, end):
    """The judges' verdicts on where a sampler ended, in their order."""
    if x.shape[1] == 1:
        return [np.sqrt(np.mean((np.sort(x, axis=0) - end) ** 2))]
    length = np.linalg.norm(x - end, axis=1)
    return [length.mean(), np.sqrt(np.mean(length**2))]


def contest(law, samplers, steps, seed, particles, evaluated):
    """Every candidate and the recommendation for every sampler and number of steps.

    Parameters
    ----------
    law : GaussianMixture
    samplers : sequence of Sampler
    steps : sequence of int
    seed : int
        Of the pilot's noise and, apart from it, of the noise that they are judged on.
    particles, evaluated : int
        Of the pilot, and of the judgement.

    Returns
    -------
    errors : (judges, samplers, steps, GRIDS) array
    chosen : (judges, samplers, steps) array of names
    evaluations : (judges, samplers, steps) array
        Of the pilot batch, what grids share included.
    """
    start, end = ends(law, evaluated, seed)
    noise = HOT * pilot_noise(particles, law.d, seed)
    powers = judges(law)
    shape = (len(powers), len(samplers), len(steps))
    errors, chosen, evaluations = np.empty((*shape, len(GRIDS))), np.empty(shape, "U24"), np.empty(shape)
    for j, power in enumerate(powers.values()):
        pilot = Pilot(law, noise, HOT, COLD, power=power)
        curve = pilot.curve()
        for s, sampler in enumerate(samplers):
            for k, N in enumerate(steps):
                told = recommend(pilot, sampler, N, curve)
                chosen[j, s, k], evaluations[j, s, k] = told.name, told.evaluations
                for g, name in enumerate(GRIDS):
                    if j == 0 or name == "recommended":  # the other candidates do not know the judge
                        grid = told.sigmas if name == "recommended" else told.candidates[name]
                        found = errors_of(carried(sampler, law, grid, start), end)
                        errors[:, s, k, g] = np.where(np.arange(len(found)) >= j, found, errors[:, s, k, g])
    return errors, chosen, evaluations


# --- what it came to --------------------------------------------------------------------------------------


def spread(values):
    """(mean, standard error) over the seeds, the first axis."""
    values = np.asarray(values)
    error = values.std(axis=0, ddof=1) / np.sqrt(len(values))
    return values.mean(axis=0), np.where(np.ptp(values, axis=0) > 0, error, 0.0)  # equal values: no rounding either


def transport_rows(problem, is_fresh, judge, errors, chosen, evaluations, samplers, steps):
    """Rows of one problem and judge from errors (seeds, samplers, steps, GRIDS)."""
    rows, mine, hand = [], GRIDS.index("recommended"), [GRIDS.index(name) for name in HAND_MADE]
    for s, sampler in enumerate(samplers):
        for k, N in enumerate(steps):
            e = errors[:, s, k]
            best = hand[int(e[:, hand].mean(axis=0).argmin())]
            names, counts = np.unique(chosen[:, s, k], return_counts=True)
            row = {"problem": problem, "fresh": is_fresh, "judge": judge, "sampler": sampler.name, "steps": N,
                   "by_hand": GRIDS[best],
                   "chosen": str(names[counts.argmax()]), "evaluations": evaluations[:, s, k].max()}
            for key, values in (("error", e[:, mine]), ("karras", e[:, 0]), ("over_karras", e[:, mine] / e[:, 0]),
                                ("over_hand", e[:, mine] / e[:, best])):
                row[key], row[f"{key}_error"] = spread(values)
            rows.append(row)
    return rows


def verdicts(rows):
    """What was asked of the transport schedules, and what was found, for known and fresh laws and for both judges."""
    def least(sampler, sizes, from_steps=0):
        return lambda r: r["sampler"] == sampler and r["steps"] >= from_steps and r["problem"].endswith(sizes)

    low, high, flow = ("1-D", "2-D"), ("16-D",), ("1-D", "2-D", "16-D")
    asked = (("euler over the best by hand, largest", least("euler", flow), "over_hand", max, 1.05),
             ("heun from 10 steps over Karras in 1 and 2 dimensions, largest", least("heun", low, 10),
              "over_karras", max, 0.7),
             ("heun from 10 steps over Karras in 16 dimensions, largest", least("heun", high, 10),
              "over_karras", max, 0.92),
             ("heun from 10 steps over Karras, geometric mean", least("heun", flow, 10), "over_karras", None, 0.7),
             ("dpmpp_2m over Karras, geometric mean", least("dpmpp_2m", flow), "over_karras", None, 0.85),
             ("dpmpp_2m over the best by hand, largest", least("dpmpp_2m", flow), "over_hand", max, 1.05))
    found = []
    for fresh in (False, True):
        for judges in (("W2", "mean"), ("W2", "rms")):
            for claim, belongs, key, worst, target in asked:
                these = [r for r in rows if r["fresh"] == fresh and r["judge"] in judges and belongs(r)
                         and "swiss" not in r["problem"]]
                if not these:
                    continue
                value, error = np.array([r[key] for r in these]), np.array([r[f"{key}_error"] for r in these])
                mean = np.exp(np.log(value).mean())
                at = value.argmax()
                value, error = ((value[at], error[at])
                                if worst else (mean, mean * np.sqrt(np.sum((error / value)**2)) / len(value)))
                found.append({"claim": claim, "set": "fresh" if fresh else "known", "judge": " and ".join(judges),
                              "found": value,
                              "found_error": error, "target": target, "holds": bool(value <= target)})
    return found


def comparison(units, samplers):
    """Every grid over Karras', a geometric mean over all problems and N, a row a sampler and grid."""
    rows = []
    for s, sampler in enumerate(samplers):
        # problems, seeds, GRIDS
        ratios = np.array([np.log(errors[:, s] / errors[:, s, :, :1]).mean(axis=1) for errors in units])
        mean, error = spread(ratios.mean(axis=0))
        rows += [{"sampler": sampler.name, "grid": name, "ratio": np.exp(m), "ratio_error": np.exp(m) * e}
                 for name, m, e in zip(GRIDS, mean, error)]
    return rows
