"""A denoiser profiled: samplers over the grid it is usually run
on, over Karras' and over the recommended one; work wasted by each.

One pilot recommends; batches of other noise judge, each against the network's own fine flow from that noise.
"""

import time
from dataclasses import dataclass

import numpy as np

from ... import schedules
from ...files.guard import refuse_huge
from ..efficiency import eta_grid
from .contest import carried, errors_of, pilot_noise, spread
from .pilot import Pilot
from .recommend import JUDGES, recommend

GRIDS = ("usual", "karras", "recommended", "whole")
USUAL = "usual"


@dataclass(frozen=True)
class Effort:
    """What a profile may cost.

    Parameters
    ----------
    particles : int
        Of the pilot, and of each batch that judges.
    batches : int
        That judge; errors of the table are over them.
    fine, fine_judged : int
        Steps of the pilot's teacher and of the judges' fine flows.
    levels : int
        Of the pilot's error curve.
    budget : float
        Evaluations of the pilot batch for one recommendation (`recommend`).
    """

    particles: int = 80
    batches: int = 5
    fine: int = 50
    fine_judged: int = 100
    levels: int = 60
    budget: float = 1200


@dataclass(frozen=True)
class Verdict:
    """What a sampler does in so many steps.

    Attributes
    ----------
    levels : (GRIDS, steps + 1) array
        The usual one with the better of its two endings, at the table's least level or at 0.
    errors : (GRIDS, batches) array
        rms distance per component to the fine flow's end, or to E[x_0|x] there where the grid ends at 0.
    chosen : str
        Which candidate is recommended.
    margin : float
        The pilot's error over the usual grid, over that of the recommended one.
    evaluations, seconds : float
        Of the pilot batch, and processor time; what recommendations share is included in full.
    """

    levels: np.ndarray
    errors: np.ndarray
    chosen: str
    margin: float
    evaluations: float
    seconds: float


class Profile:
    """The pilot of a denoiser of timesteps, and the fine flows that judge.

    Parameters
    ----------
    denoise : score.timesteps.TimestepDenoiser
        With a `shape`.
    usual : callable steps → (steps + 1,) falling noise levels
        The grid that the network is usually run on; it may start below the hottest level, as some do.
    seed : int
    effort : Effort
    watch : callable
        Wraps the iterable of the judges' batches: a progress bar.

    Raises
    ------
    UserError
        Where a pilot would take more than half of this machine's memory.

    Attributes
    ----------
    curve : MseCurve
        Of the pilot, on its own samples.
    ends : (batches·particles, d) array
        Ends of the judges' fine flows: samples of the network.
    """

    def __init__(self, denoise, usual, seed, effort=Effort(), watch=iter):
        self.denoise, self.usual, self.effort, table = denoise, usual, effort, denoise.timesteps
        self.cold, self.hot = table.sigmas[[0, -1]]
        d, clock = int(np.prod(denoise.shape)), time.process_time()
        refuse_huge(f"a pilot of {effort.particles} images",
                    16 * d * effort.particles * (max(effort.fine, effort.fine_judged) + 1))
        self.pilot = Pilot(denoise, self.hot * pilot_noise(effort.particles, d, seed), self.hot, self.cold,
                           fine=effort.fine)
        self.curve = self.pilot.curve(effort.levels)
        self._shared = time.process_time() - clock
        self._noise = [pilot_noise(effort.particles, d, seed + 10_000 + k) for k in range(effort.batches)]
        self._ends, self._clean = [], []
        for z in watch(self._noise):
            flow = Pilot(denoise, self.hot * z, self.hot, self.cold, fine=effort.fine_judged)
            self._ends.append(flow.x[-1].copy())  # the flow itself may go: it is large
            self._clean.append(flow.D[-1].copy())
        self.ends = np.concatenate(self._ends)

    def grids(self, best):
        """The levels of GRIDS, (4, steps + 1); `best` is the recommended one."""
        table, steps = self.denoise.timesteps, len(best) - 1
        whole = np.append(table.sigma(table.stops(best)), best[-1])
        return np.stack([self.usual(steps), schedules.karras(self.hot, self.cold, steps), best, whole])

    def sampler(self, sampler, steps):
        """The recommendation for `sampler` in `steps` steps, judged → Verdict.

        Most schedulers go on to 0 from the level before the last. A coarse grid may
        gain by that, so every candidate is tried with that ending, too, and so is
        the usual grid: the pilot's particles that no grid was polished on choose.
        """
        clock, before = time.process_time(), self.pilot.evaluations
        told = recommend(self.pilot, sampler, steps, self.curve, self.effort.budget)
        usual = self.usual(steps)
        tried = {told.name: told.sigmas, USUAL: usual}
        tried |= {f"{name} to 0": np.append(grid[:-1], 0.0) for name, grid in {**told.candidates, USUAL: usual}.items()}
        start, end, clean = (a[JUDGES] for a in (self.pilot.x[0] / self.hot, self.pilot.x[-1], self.pilot.D[-1]))
        found = {name: self._error(sampler, self.pilot.ask, grid, start, end, clean) for name, grid in tried.items()}
        chosen, own = min(found, key=found.get), min((USUAL, f"{USUAL} to 0"), key=found.get)
        seconds, evaluations = (self._shared + time.process_time() - clock,
                                self.pilot.shared + self.pilot.evaluations - before)
        levels = self.grids(tried[chosen])
        levels[GRIDS.index(USUAL)] = tried[own]
        errors = np.array([self.errors(sampler, grid) for grid in levels])
        return Verdict(levels, errors, chosen, found[own] / found[chosen], evaluations, seconds)

    def errors(self, sampler, sigmas):
        """rms distance per component to where the fine flow ends,
        (batches,); of a grid down to 0, to E[x_0|x] there."""
        return np.array([self._error(sampler, self.denoise, sigmas, *ends)
                         for ends in zip(self._noise, self._ends, self._clean)])

    def _error(self, sampler, denoise, sigmas, z, end, clean):
        x = carried(sampler, denoise, sigmas, sigmas[0] * z)
        return errors_of(x, end if sigmas[-1] > 0 else clean)[-1] / np.sqrt(self.pilot.d)

    def work(self, measured, steps):
        """Rows of the work that the ancestral chain wastes over each grid, and the grids.

        The recommended one dissipates equally in every step over the pilot's own curve.

        Parameters
        ----------
        measured : round_trip.Curve
            Which judges.
        steps : int
        """
        levels = self.grids(self.curve.even(self.hot, self.cold, steps))
        rows, reference = [], levels[GRIDS.index(USUAL)]
        for name, sigmas in zip(GRIDS, levels):
            P, error = measured.dissipation(sigmas)
            gained = measured.fit.integral(sigmas[-1]) - measured.fit.integral(sigmas[0])
            eta = float(eta_grid(gained, P))
            parts = np.array([fold.dissipation(sigmas) / fold.dissipation(reference) for fold in measured.folds])
            rows.append({"nfe": steps, "grid": name, "dissipated_work": P, "dissipated_work_error": error,
                         "eta_grid": eta, "eta_grid_error": eta**2 / gained * error,
                         "P_over_usual": P / measured.fit.dissipation(reference),
                         "P_over_usual_error": np.sqrt((len(parts) - 1) * parts.var())})
        return rows, levels


def error_rows(sampler, steps, errors):
    """Rows of a Verdict's `errors`, means over the batches with their standard errors."""
    rows = []
    for name, found in zip(GRIDS, errors):
        row = {"sampler": sampler.name, "nfe": steps * sampler.evaluations, "grid": name}
        for column, values in (("error", found), ("over_usual", found / errors[GRIDS.index(USUAL)])):
            row[column], row[f"{column}_error"] = spread(values)
        rows.append(row)
    return rows
