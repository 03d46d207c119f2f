"""The round trip data → noise → data of a denoiser, measured: heat it, cool it, judge what comes back.

A learned denoiser's H(data) is unknown, so work is reckoned against the model's own thermodynamic
integral ½∫mse dλ: the dissipated work P and η_grid belong to the grid, heat and entropy to the sampler
that runs over it, and the quality of the samples stands beside both.
"""

from dataclasses import dataclass

import numpy as np

from .. import schedules
from ..errors import UserError
from ..ledger import NATS, ONE, Column
from ..names import unknown
from ..samplers import FAMILY, SAMPLERS
from ..samplers.heun import Heun
from ..schedules import ve_chain
from ..runs.noising import heat, squared_error_curve
from ..runs.sampling import sample
from . import quality
from .efficiency import coefficient_of_variation, eta_geo, eta_grid, eta_step
from .grids.geodesic import MseCurve

GRIDS = ("linear", "cosine", "karras", "log_snr", "geodesic")

# one row a (sampler, grid, steps); what the table prints and the file keeps
SUMMARY = {
    c.name: c
    for c in (
        Column("nfe", ONE, "-", "network evaluations per sample"),
        Column("dissipated_work", NATS, ">= 0", "P = Σ⟨W_k⟩ − ½∫mse dλ of the grid, of the ancestral chain only"),
        Column("eta_grid", ONE, "0 … 1", "½∫mse dλ/(½∫mse dλ + P), of the ancestral chain only"),
        Column("heat_per_step", "k_B T", "> 0 absorbed by the system", "heat_line per step, mean over steps"),
        Column("heat_cv", ONE, ">= 0",
               "coefficient of variation over the steps of the mean heat_line; 0 is isothermal"),
        Column("entropy_env", NATS, "> 0 given to the bath", "Σ ln k(x'|x)/k(x|x') over the run"),
        Column("eta_step", ONE, "0 … 1 where the system loses entropy",
               "−Δs_sys/σ_env over the run, Δs_sys from the model's own curve"),
        Column("transport_action", NATS, ">= 0", "Σ⟨|δ|²⟩/∫D dt over the run"),
        Column("eta_geo", ONE, "0 … 1", "W2²/(∫D dt·transport_action) of the flow, W2 between the run's own ends"),
        Column("w2_ratio", ONE, "1 is as good as training data", "W2(generated, held-out)/W2(training, held-out)"),
        Column("nearest_ratio", ONE, "< 1 repeats the training set",
               "median distance generated → training over held-out → training"),
        Column("precision", ONE, "0 … 1", "share of samples inside the k-NN balls of held-out data, k = 3"),
        Column("recall", ONE, "0 … 1", "share of held-out data inside the k-NN balls of the samples, k = 3"),
        Column("flow_error", "data units", ">= 0", "rms distance per component to the fine flow from the same noise"),
    )
}
NOT_ANCESTRAL = "P belongs to the grid and the ancestral chain over it; this sampler runs another kernel"
NO_BATH = "no bath: the flow is deterministic"
NOT_THE_FLOW = "a stochastic sampler does not follow the flow"
NO_ACTION = "part of the transport is a corrector's, whose velocity is unknown"


@dataclass(frozen=True)
class Plan:
    """What to measure.

    Parameters
    ----------
    sigma_max, sigma_min : float
        Hot and cold end, in units of the data.
    steps : tuple of int
    samplers : tuple of Sampler
    grids : tuple of str, of GRIDS
    repeats : int
        Independent runs behind each row of the table; its errors are over them.
    seed : int
    levels, replicas : int
        Noise levels of the error curve and noise draws per data point.
    batch : int
    """

    sigma_max: float = 20.0
    sigma_min: float = 0.01
    steps: tuple = (5, 10, 20, 50)
    samplers: tuple = SAMPLERS
    grids: tuple = GRIDS
    repeats: int = 3
    seed: int = 0
    levels: int = 160
    replicas: int = 4
    batch: int = 512

    @property
    def seeds(self):
        """Seeds of the repeats."""
        return [self.seed + 1 + k for k in range(self.repeats)]


def find_samplers(names):
    """Samplers of the whole family by any of their names; two names of one algorithm give one sampler."""
    known = {name: s for s in FAMILY for name in (s.name, *s.also)}
    found = []
    for name in names:
        if name not in known:
            raise unknown("sampler", name, known)
        found.append(known[name])
    return tuple(dict.fromkeys(found))


def find_grids(names):
    """Check names of grids."""
    for name in names:
        if name not in GRIDS:
            raise unknown("grid", name, GRIDS)
    return tuple(dict.fromkeys(names))


@dataclass(frozen=True)
class Split:
    """Data in three parts that never meet: to learn from, to choose by, to report on."""

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray


def split(values, seed, held=1000):
    """Two thirds, one sixth, one sixth by a fixed permutation; held-out parts of at most `held` points."""
    n = len(values)
    part = min(n // 6, held)
    if part < 20:
        raise UserError(f"{n} data points are too few to train, choose and report on: give at least 120")
    order = np.random.Generator(np.random.PCG64(seed)).permutation(n)
    values = values[order]
    return Split(values[2 * part :], values[part : 2 * part], values[:part])


# --- heating -----------------------------------------------------------------------------------------


@dataclass
class Curve:
    """The model's error curve and what its sampling error does to a grid's dissipation."""

    sigmas: np.ndarray
    mse: np.ndarray
    mse_error: np.ndarray
    fit: MseCurve
    folds: list

    def dissipation(self, sigmas):
        """(P, standard error) of a grid, nats; jackknife over ten parts of the data."""
        P = self.fit.dissipation(sigmas)
        parts = np.array([fold.dissipation(sigmas) for fold in self.folds])
        return P, np.sqrt((len(parts) - 1) * parts.var())


def measure_curve(denoise, data, plan, device):
    """mse(σ) of `denoise` on `data` over the plan's noise levels → Curve."""
    sigmas = np.geomspace(plan.sigma_max, plan.sigma_min, plan.levels)
    errors = squared_error_curve(denoise, data, sigmas, plan.seed, device, plan.replicas, plan.batch)
    parts = np.array_split(np.arange(errors.shape[1]), 10)
    folds = [MseCurve(sigmas, np.delete(errors, part, axis=1).mean(axis=1)) for part in parts]
    mse = errors.mean(axis=1)
    return Curve(sigmas, mse, errors.std(axis=1) / np.sqrt(errors.shape[1] - 1), MseCurve(sigmas, mse), folds)


def heat_data(denoise, data, plan, device, quantum=None, sigma_min=None, levels=100, frames=0):
    """Heat clean data to σ_max over log-SNR levels and book the work → NoisingRun.

    Parameters
    ----------
    quantum : float, optional
        Lattice constant of discrete data, for a code length instead of a density.
    sigma_min : float, optional
        First level above the clean data; the plan's unless given.
    """
    sigmas = np.concatenate((schedules.log_snr(plan.sigma_max, sigma_min or plan.sigma_min, levels), [0.0]))
    return heat(ve_chain(sigmas), denoise, data, plan.seed, device, quantum, plan.batch, frames)


def make_grid(name, curve, plan, steps):
    """Noise levels of a named grid between the plan's ends; the geodesic is the model's own."""
    make = curve.geodesic if name == "geodesic" else getattr(schedules, name)
    return make(plan.sigma_max, plan.sigma_min, steps)


# --- cooling -----------------------------------------------------------------------------------------


class Judge:
    """Samples against a held-out set, on the scale of training data against the same set."""

    def __init__(self, train, held_out, seed, draws=5):
        self.train, self.held_out = train, held_out
        rng = np.random.Generator(np.random.PCG64([seed, 1]))
        size = min(len(train), len(held_out))
        subsets = [train[rng.choice(len(train), size, replace=False)] for _ in range(draws)]
        references = [quality.w2(subset, held_out) for subset in subsets]
        self.w2_reference = float(np.mean(references))
        self.w2_reference_error = float(np.std(references) / np.sqrt(draws - 1))
        self.precision_reference, self.recall_reference = (
            float(v) for v in np.mean([quality.precision_recall(subset, held_out) for subset in subsets], axis=0))

    def __call__(self, x):
        precision, recall = quality.precision_recall(x, self.held_out)
        return {
            "w2_ratio": quality.w2(x, self.held_out) / self.w2_reference,
            "nearest_ratio": quality.nearest_ratio(x, self.held_out, self.train),
            "precision": precision, "recall": recall,
        }


def fine_flow(denoise, plan, d, n, seed, device, steps=300):
    """End of the probability flow from the noise of `seed`: Heun over many log-SNR steps, (n, d)."""
    sigmas = schedules.log_snr(plan.sigma_max, plan.sigma_min, steps)
    return sample(Heun(), denoise, sigmas, n, d, seed, device, plan.batch, books=False).x


def cool(sampler, denoise, sigmas, curve, judge, flows, plan, device):
    """Run a sampler over a grid, `plan.repeats` times, and weigh it.

    Parameters
    ----------
    flows : dict seed → (n, d)
        Ends of the fine flow for the seeds of the repeats.

    Returns
    -------
    row, errors : dicts of SUMMARY
        Means and standard errors; NaN where a quantity does not exist.
    run : SamplerRun
        The first repeat, with its ledger and entropy_sys booked.
    why : dict
        Reasons of the NaN.
    """
    n, d = judge.held_out.shape
    N = len(sigmas) - 1
    runs = [sample(sampler, denoise, sigmas, n, d, seed, device, plan.batch, books=True) for seed in flows]
    judged = [judge(run.x) for run in runs]
    row = dict.fromkeys(SUMMARY, np.nan)
    errors = dict.fromkeys(SUMMARY, np.nan)
    why = {}

    def over_repeats(name, values):
        row[name] = float(np.mean(values))
        errors[name] = float(np.std(values, ddof=1) / np.sqrt(len(values))) if len(values) > 1 else np.nan

    ledger = runs[0].ledger
    row["nfe"], errors["nfe"] = runs[0].evaluations, 0.0
    per_step = np.array([per_step_sum(run.ledger, "heat_line") for run in runs])
    over_repeats("heat_per_step", per_step.mean(axis=1))
    over_repeats("heat_cv", [coefficient_of_variation(q) for q in per_step])
    for name in judged[0]:
        over_repeats(name, [j[name] for j in judged])
    if sampler.ancestral:
        row["dissipated_work"], errors["dissipated_work"] = curve.dissipation(sigmas)
        gained = curve.fit.integral(sigmas[-1]) - curve.fit.integral(sigmas[0])
        row["eta_grid"] = float(eta_grid(gained, row["dissipated_work"]))
        errors["eta_grid"] = row["eta_grid"] ** 2 / gained * errors["dissipated_work"]
    else:
        why["dissipated_work"] = why["eta_grid"] = NOT_ANCESTRAL
    s_sys = np.zeros(len(ledger))
    s_sys[[np.flatnonzero(ledger["sampler_step"] == k)[0] for k in range(N)]] = curve.fit.entropy_change(sigmas, d)
    ledger.mean["entropy_sys"], ledger.variance["entropy_sys"] = s_sys, np.full(len(ledger), np.nan)
    ledger.reasons["entropy_sys"] = "variance: a marginal entropy is one number, not one a particle"
    given = np.array([np.nansum(run.ledger["entropy_env"]) for run in runs])
    if sampler.draws:
        over_repeats("entropy_env", given)
        over_repeats("eta_step", eta_step(s_sys.sum(), given))
        why["flow_error"] = NOT_THE_FLOW
    else:
        why["entropy_env"] = why["eta_step"] = NO_BATH
        over_repeats("flow_error", [
            np.sqrt(np.mean((run.x - end) ** 2)) for run, end in zip(runs, flows.values())])
    action = np.array([run.totals["transport_action"].mean() if "transport_action" in run.totals else np.nan
                       for run in runs])
    if np.isfinite(action).all():
        over_repeats("transport_action", action)
    else:
        why["transport_action"] = NO_ACTION
    if sampler.draws:
        why["eta_geo"] = NOT_THE_FLOW
    else:
        diffusion = 0.5 * (sigmas[0] ** 2 - sigmas[-1] ** 2)
        starts = [device.to_host(sigmas[0] * device.normals(seed, 0, 0, n, d)) for seed in flows]
        over_repeats("eta_geo", [
            eta_geo(quality.w2(start, run.x), diffusion, A) for start, run, A in zip(starts, runs, action)])
    return row, errors, runs[0], why


def per_step_sum(ledger, name):
    """A channel summed over the legs of each step, (N,)."""
    return np.bincount(ledger["sampler_step"], weights=ledger[name])


def choose(rows, judge):
    """Index of the best row: least W2 ratio among those that neither memorise nor blur.

    W2 alone rewards blur (an average of neighbours lies close to everything), so a candidate keeps
    0.9 < nearest_ratio < 1.4 and four fifths of the precision and recall that training data have.
    """
    def honest(r):
        return (0.9 <= r["nearest_ratio"] <= 1.4 and r["precision"] >= 0.8 * judge.precision_reference
                and r["recall"] >= 0.8 * judge.recall_reference)

    candidates = [i for i, r in enumerate(rows) if honest(r)]
    return min(candidates or range(len(rows)), key=lambda i: rows[i]["w2_ratio"])


# --- the report on data nobody chose by -----------------------------------------------------------------

KEPT_FRAMES = 9


def frames_for(shape):
    """Particles to film: a few pictures where a point is a picture, a cloud where it is not."""
    return 10 if len(shape) == 2 else 500


@dataclass
class Final:
    """The chosen sampler on the third split: one value a seed, and the film of a round trip."""

    seeds: list
    measures: dict
    heated_frames: np.ndarray
    heated_sigmas: np.ndarray
    cooled_frames: np.ndarray
    cooled_sigmas: np.ndarray

    def means(self):
        """name → (mean over the seeds, its standard error)."""
        return {name: (np.mean(v), np.std(v, ddof=1) / np.sqrt(len(v))) for name, v in self.measures.items()}


def final_test(best, denoise, curve, heated, split, plan, device, seeds=5):
    """Run the chosen (sampler, grid, steps) on fresh seeds against the test split → Final.

    The choice was made on the validation split; a minimum of many noisy ratios flatters, a fresh
    split and fresh noise do not.
    """
    sampler, grid, steps = best
    judge = Judge(split.train, split.test, plan.seed)
    n, d = split.test.shape
    sigmas = make_grid(grid, curve.fit, plan, steps)
    fresh = [plan.seed + 1000 + k for k in range(seeds)]
    runs = [sample(sampler, denoise, sigmas, n, d, seed, device, plan.batch, books=False,
                   frames=heated.frames.shape[1])
            for seed in fresh]
    judged = [judge(run.x) for run in runs]
    measures = {name: [j[name] for j in judged] for name in judged[0]}
    levels = np.concatenate(([0.0], heated.ledger["sigma_next"]))
    warm, cold = _spread(levels), _spread(sigmas[::-1])
    return Final(fresh, measures, heated.frames[warm], levels[warm],
                 runs[0].frames[::-1][cold][::-1], sigmas[::-1][cold][::-1])


def _spread(levels):
    """Indices of at most KEPT_FRAMES rising noise levels, evenly in ln(σ + 0.05): where a picture changes."""
    place = np.log(levels + 0.05)
    wanted = np.linspace(place[0], place[-1], KEPT_FRAMES)
    return np.unique(np.abs(place[:, None] - wanted).argmin(axis=0))
