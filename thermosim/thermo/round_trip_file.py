"""The file a round trip leaves: what was measured, as one tree, and the tables printed from it."""

from dataclasses import dataclass

import numpy as np

from ..files.provenance import provenance
from ..files.schema import add_trajectory, ledger_group, new_run
from ..files.store import write_tree
from ..files.tree import Dataset, Group
from ..ledger import COLUMNS, NATS, ONE, Column
from .efficiency import eta_grid
from .round_trip import SUMMARY, choose, make_grid

ERROR = "standard error of "
SHOWN = ["sampler", "grid", "steps", "nfe", "dissipated_work", "eta_grid", "heat_per_step", "heat_cv", "eta_step",
         "w2_ratio", "nearest_ratio", "flow_error"]


def about(column, **extra):
    """Attributes by which a column says what it means."""
    return {"units": column.unit, "sign": column.sign, "definition": column.definition} | extra


def ledger_table(ledger):
    """A Ledger as a table of the file: coordinates, ensemble means and their standard errors."""
    columns = {name: (values, about(COLUMNS[name])) for name, values in ledger.coordinates.items()}
    for name in ledger.mean:
        why = {"nan_reason": ledger.reasons[name]} if name in ledger.reasons else {}
        columns[name] = (ledger.mean[name], about(COLUMNS[name], **why))
        columns[f"{name}_error"] = (ledger.standard_error(name), about(
            Column(name, COLUMNS[name].unit, ">= 0", ERROR + name), **why))
    return ledger_group(columns, ledger.scale, {"particles": ledger.count})


@dataclass
class RunFile:
    """Collects what a round trip measures and writes it in one piece.

    Parameters
    ----------
    plan : round_trip.Plan
    data : files.data.Data
    split : round_trip.Split
    training : dict
        Resolved settings of the denoiser.
    device : Cpu or Gpu
    judge : round_trip.Judge
    curve : round_trip.Curve
    heated : runs.noising.NoisingRun
    code : (bits/dim, standard error), optional
        Bound of the code length, decoded at half a lattice constant.
    """

    plan: object
    data: object
    split: object
    training: dict
    device: object
    judge: object
    curve: object
    heated: object
    code: tuple = None

    def __post_init__(self):
        self.rows, self.errors, self.names, self.why = [], [], [], {}
        self.tree = new_run(provenance(self.settings, self.plan.seed, self.device.name))
        plan, curve = self.plan, self.curve
        force = Column("mse", "data units²", "falls with λ",
                       "E‖x_0 − D(x; σ)‖² on validation data, the thermodynamic force")
        self.tree["curve"] = ledger_group({
            "sigma": (curve.sigmas, about(COLUMNS["sigma"])),
            "mse": (curve.mse, about(force)),
            "mse_error": (curve.mse_error, about(Column("", force.unit, ">= 0", ERROR + "mse"))),
            "order": (curve.fit.integral(curve.sigmas), about(
                Column("", NATS, "> 0 order gained", "½∫mse dλ from σ_max, I(x_0; x_λ) of an ideal denoiser"))),
        }, "level", {"length": curve.fit.length})
        bits, error = self.heated.bits_per_dim(self.split.test.shape[1])
        self.tree["ledger/heating"] = ledger_table(self.heated.ledger)
        self.tree["ledger/heating"].attrs |= {"bits_per_dim": bits, "bits_per_dim_error": error}
        if self.code:
            self.tree["ledger/heating"].attrs |= {"code_length": self.code[0], "code_length_error": self.code[1]}
        self.tree["grids"] = self._grids()

    @property
    def settings(self):
        """The resolved configuration, as JSON can hold it."""
        plan = {k: v for k, v in vars(self.plan).items() if k != "samplers"}
        plan["samplers"] = {s.name: {k: v for k, v in vars(s).items() if isinstance(v, (int, float))}
                            for s in self.plan.samplers}
        return {"data": self.data.name,
                "points": [len(self.split.train), len(self.split.validation), len(self.split.test)],
                "plan": plan, "training": self.training}

    def _grids(self):
        plan, rows = self.plan, []
        for steps in plan.steps:
            reference = self.curve.fit.dissipation(make_grid("geodesic", self.curve.fit, plan, steps))
            gained = self.curve.fit.integral(plan.sigma_min)
            for grid in plan.grids:
                sigmas = make_grid(grid, self.curve.fit, plan, steps)
                P, error = self.curve.dissipation(sigmas)
                rows.append((grid, steps, P, error, P / reference, float(eta_grid(gained, P)),
                             self.curve.fit.length**2 / steps))
                self.tree[f"grids/{grid}/n{steps}"] = Group(datasets={
                    "sigma": Dataset(sigmas, "node", about(COLUMNS["sigma"])),
                    "step_work": Dataset(self.curve.fit.step_work(sigmas), "grid_step",
                                         about(COLUMNS["ancestral_work"]))})
        columns = (
            Column("grid", ONE, "-", "name of the grid"), Column("steps", ONE, "-", "number of steps"),
            SUMMARY["dissipated_work"], Column("dissipated_work_error", NATS, ">= 0",
                                               ERROR + "dissipated_work, jackknife over the data"),
            Column("over_geodesic", ONE, ">= 1 where the geodesic is best", "P over that of the geodesic grid"),
            SUMMARY["eta_grid"], Column("bound", NATS, ">= 0", "L²/N, the leading-order bound"))
        table = ledger_group({c.name: (np.array(v), about(c)) for c, v in zip(columns, zip(*rows))}, "grid_row")
        for name, group in self.tree["grids"].groups.items():
            table.groups[name] = group
        return table

    # --- one run --------------------------------------------------------------------------------------

    def unit(self, row, errors, run, why):
        """What `round_trip.cool` returned, as a tree that the journal can keep."""
        tree = Group()
        for name in SUMMARY:
            tree[f"summary/{name}"] = Dataset(row[name], (), {"nan_reason": why[name]} if name in why else {})
            tree[f"summary/{name}_error"] = Dataset(errors[name])
        tree["ledger"] = ledger_table(run.ledger)
        return tree

    def add(self, sampler, grid, steps, unit):
        """Take a unit into the file."""
        summary = unit["summary"]
        self.names.append((sampler, grid, steps))
        self.rows.append({name: float(summary[name].values) for name in SUMMARY})
        self.errors.append({name: float(summary[f"{name}_error"].values) for name in SUMMARY})
        for name in SUMMARY:
            if "nan_reason" in summary[name].attrs:
                self.why.setdefault(name, {})[str(sampler)] = summary[name].attrs["nan_reason"]
        self.tree[f"ledger/cooling/{sampler}/{grid}/n{steps}"] = unit["ledger"]

    def choose(self):
        """(sampler, grid, steps) of the best row by validation."""
        self.best = choose(self.rows, self.judge)
        return self.names[self.best]

    def add_best(self, final):
        """The chosen sampler on the third split, one row a seed, and its film."""
        sampler, grid, steps = self.names[self.best]
        measures = {name: SUMMARY[name] for name in final.measures}
        columns = {"seed": (np.array(final.seeds), about(Column("seed", ONE, "-", "seed of the noise")))}
        columns |= {name: (np.array(v), about(measures[name])) for name, v in final.measures.items()}
        self.tree["best"] = ledger_group(columns, "repeat", {"sampler": str(sampler), "grid": grid, "steps": steps})
        self.final = final
        frames = np.concatenate((final.heated_frames, final.cooled_frames))
        sigma = np.concatenate((final.heated_sigmas, final.cooled_sigmas))
        add_trajectory(self.tree, np.arange(len(frames)), np.arange(len(frames), dtype=float), frames, {
            "sigma": (sigma, about(COLUMNS["sigma"], sign="rises while heating, falls while cooling"))})
        self.tree["particles"].attrs |= {"shape": list(self.data.shape), "heating_frames": len(final.heated_frames)}

    def write(self, path):
        """Write the file and return its path."""
        self.tree["summary"] = self._summary()
        write_tree(path, self.tree)
        return path

    def _summary(self):
        sampler, grid, steps = zip(*self.names)
        columns = {
            "sampler": (np.array([str(s) for s in sampler]), about(Column("", ONE, "-", "sampler"))),
            "grid": (np.array(grid), about(Column("", ONE, "-", "grid of noise levels"))),
            "steps": (np.array(steps), about(Column("", ONE, "-", "number of steps")))}
        for name, column in SUMMARY.items():
            why = "; ".join(f"{sampler}: {reason}" for sampler, reason in self.why.get(name, {}).items())
            extra = {"nan_reason": why} if why else {}
            columns[name] = (np.array([r[name] for r in self.rows]), about(column, **extra))
            columns[f"{name}_error"] = (np.array([e[name] for e in self.errors]), about(
                Column("", column.unit, ">= 0", ERROR + name), **extra))
        return ledger_group(columns, "run", {
            "w2_reference": self.judge.w2_reference, "w2_reference_error": self.judge.w2_reference_error,
            "precision_reference": self.judge.precision_reference, "recall_reference": self.judge.recall_reference,
            "repeats": self.plan.repeats, "shown": SHOWN})
