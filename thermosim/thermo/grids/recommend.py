"""Which grid of noise levels for this denoiser, this sampler and so many steps: measured on a pilot batch."""

from dataclasses import dataclass, field

import numpy as np

from ... import schedules
from ...errors import UserError
from ...files.schema import ledger_group
from .pilot import Pilot
from .published import align_your_steps, constant_rate, entropic, rescaled_entropic, score_optimal
from .transport import polish, transport_geodesic, transport_length, transport_optimum

HAND_MADE = ("karras", "cosine", "linear", "log_snr", "align_your_steps")
BUDGET = 2400
NODES = 20  # places where the gain is measured
SCREEN = 400  # evaluations for a first look at all candidates
FINALISTS = 3
JUDGES = slice(1, None, 2)  # half of the batch, which the polish never sees: what it gains by heart does not count


@dataclass(frozen=True)
class Recommendation:
    """A grid and why.

    Attributes
    ----------
    sigmas : (steps + 1,) array
        Falling noise levels, to be used as ``sigmas`` here or in another library.
    name : str
        Of the candidate it is.
    errors : dict name → float
        End-point error of the finalists, over the half of the pilot batch that no grid was polished on.
    margin : float
        Error of the best hand-made grid over that of this one: 1.3 is 30 % worse by hand.
    length : float
        ∫√ε dlnσ of the pilot's flow, of Euler's metric.
    predicted_dissipation : float
        P of the grid, nats, where an error curve was given; NaN without.
    evaluations : float
        Network evaluations spent, in units of the pilot batch, the teacher's included.
    candidates : dict name → (steps + 1,) array
        Every grid that was looked at.
    """

    sigmas: np.ndarray
    name: str
    errors: dict
    margin: float
    length: float
    predicted_dissipation: float
    evaluations: float
    candidates: dict = field(repr=False, default_factory=dict)

    def table(self):
        """The candidates as a group of a run's file, one row each; `report.draw` draws them from there."""
        said = {"candidate": ("-", "how the grid was made"), "sigmas": ("data units", "noise levels, falling"),
                "error": ("data units", "end-point error over the judging half of the pilot batch")}
        error = [self.errors.get(name, np.nan) for name in self.candidates]
        values = {"candidate": list(self.candidates), "sigmas": np.stack(list(self.candidates.values())),
                  "error": error}
        columns = {name: (np.asarray(v),
                          {"units": said[name][0], "sign": "> 0" if name != "candidate" else "-",
                           "definition": said[name][1]})
                   for name, v in values.items()}
        columns["error"][1]["nan_reason"] = "no finalist: its error was measured on a part of the pilot only"
        return ledger_group(columns, "grid_row", {"chosen": self.name, "margin": self.margin, "length": self.length,
                                                  "predicted_dissipation": self.predicted_dissipation,
                                                  "evaluations": self.evaluations})


def schedule(denoise, start, sampler, steps, sigma_max, sigma_min, power=2, curve=None, budget=BUDGET):
    """The recommended grid for `sampler` in `steps` steps, by measured end-point error on a pilot batch.

    Candidates are the hand-made grids, those of `published` and of the error curve, the transport geodesic, and
    transport optima with and without the flow's gain; the best is polished. All are compared where they end, against
    fine teacher trajectories from the same starts.

    Parameters
    ----------
    denoise : callable (x, sigma) → E[x_0|x]
    start : (n, d) array
        Noise of level `sigma_max` (or noised data); hundreds of points, better thousands.
    sampler : Sampler
        Of the flow, in first or second order: euler, heun, dpmpp_2m, dpm_2, dpmpp_2s, lms of two slopes.
    steps : int
    sigma_max, sigma_min : float
    power : {1, 2}
        Judge by the mean or the rms distance (`Pilot`).
    curve : MseCurve, optional
        Of measured data, for `predicted_dissipation`, the work geodesic and the entropic grids; by default that of
        the denoiser on its own samples.
    budget : float
        Evaluations of the batch after which the polish stops, everything counted. What comes before it takes some
        500 and up to 16 runs of the sampler, whatever the budget.

    Returns
    -------
    Recommendation

    Raises
    ------
    UserError
        A stochastic sampler or one of higher order, or more steps than the budget can judge.
    """
    pilot = Pilot(denoise, start, sigma_max, sigma_min, power=power)
    return recommend(pilot, sampler, steps, curve or pilot.curve(), budget)


def recommend(pilot, sampler, steps, curve=None, budget=BUDGET):
    """`schedule` on a pilot that exists already; `evaluations` counts what grids share in full for each of them."""
    if sampler.draws or sampler.order not in (1, 2) or sampler.history > 1:
        raise UserError(f"{sampler} does not follow the flow in first or second order: give euler, heun or dpmpp_2m")
    price = steps * sampler.evaluations
    if int(steps) != steps or steps < 1 or price > 200:
        raise UserError(f"a schedule needs 1 to {200 // sampler.evaluations} steps for {sampler}, not {steps}")
    before = pilot.evaluations
    candidates = _candidates(pilot, sampler, int(steps), curve)
    stride = max(1, min(int(np.ceil(len(candidates) * price / SCREEN)), pilot.n // 64))
    rough = {name: pilot.error(sampler, grid, slice(None, None, stride)) for name, grid in candidates.items()}
    by_hand = min(HAND_MADE, key=rough.get)
    best = dict.fromkeys([*sorted(rough, key=rough.get)[:FINALISTS], by_hand])
    errors = {name: pilot.error(sampler, candidates[name], JUDGES) for name in best}
    left = budget - pilot.shared - (pilot.evaluations - before) - price
    # as many of the other particles as let the polish take two or three turns
    stride = 2 * max(1, min(int(np.ceil(1.25 * price * min(9, steps + 1) / max(left, 1))), pilot.n // 256))
    candidates["polished"] = polish(pilot, sampler, candidates[min(errors, key=errors.get)], left,
                                    rows=slice(0, None, stride))
    errors["polished"] = pilot.error(sampler, candidates["polished"], JUDGES)
    chosen = min(errors, key=errors.get)
    sigmas = candidates[chosen]
    return Recommendation(
        sigmas, chosen, errors, errors[by_hand] / errors[chosen], transport_length(pilot),
        curve.dissipation(sigmas) if curve is not None else np.nan,
        pilot.shared + pilot.evaluations - before, candidates)


def _candidates(pilot, sampler, steps, curve):
    ends = pilot.sigmas[0], pilot.sigmas[-1]
    grids = {name: getattr(schedules, name)(*ends, steps) for name in HAND_MADE[:-1]}
    grids["align_your_steps"] = align_your_steps(*ends, steps, pilot.spread())
    if curve is not None:
        grids["work_geodesic"] = curve.geodesic(*ends, steps)
        grids["entropic"] = entropic(curve, *ends, steps)
        grids["rescaled_entropic"] = rescaled_entropic(curve, *ends, steps)
    grids["score_optimal"] = score_optimal(pilot, steps)
    grids["constant_rate"] = constant_rate(pilot, steps)
    grids["transport_geodesic"] = transport_geodesic(pilot, steps)
    fine = len(pilot.sigmas) - 1
    # a sampler that asks inside its step pays for every pair: fewer nodes, fewer particles
    asks = sampler.evaluations > 1
    nodes = np.unique(np.linspace(0, fine, min(fine, 25 if asks else 50) + 1).astype(int))
    rows = slice(None, None, max(1, min(4, pilot.n // 64)) if asks else 1)
    places = np.unique(np.linspace(0, fine, NODES + 1).astype(int))
    u = np.log(pilot.sigmas)
    typical = np.exp(np.mean(np.log(np.maximum(pilot.gain(places), 1e-12)), axis=1))
    gain = np.interp(-u[nodes], -u[places], typical)
    errors = pilot.one_step_errors(sampler, nodes, rows)
    grids["transport_optimum"] = transport_optimum(pilot, sampler, errors, nodes, steps)
    grids["transport_optimum_J"] = transport_optimum(pilot, sampler, errors * gain[None, :], nodes, steps)
    return grids
