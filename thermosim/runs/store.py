"""A particle run as a file: the ledger, the totals per particle, the frames and where they came from."""

import numpy as np

from ..files.provenance import provenance
from ..files.schema import add_trajectory, ledger_group, new_run
from ..files.store import write_tree
from ..files.tree import Dataset, Group
from ..ledger import COLUMNS


def about(name):
    """units, sign and definition of a ledger column."""
    if name in COLUMNS:
        column = COLUMNS[name]
        return {"units": column.unit, "sign": column.sign, "definition": column.definition}
    return {"units": "1", "sign": "-", "definition": f"{name} at the end of the row"}


def save_run(run, path):
    """Write a `ParticleRun` to `path`; returns the path."""
    config = {"dynamics": type(run.dynamics).__name__, "potential": repr(run.dynamics.potential),
              "force": repr(run.dynamics.force), "scheme": repr(run.scheme), "parameters": run.dynamics.parameters,
              "particles": len(run.x), "steps": run.grid.steps, "t": [run.grid.times[0], run.grid.times[-1]],
              "driven": list(run.grid.driven), "precision": run.precision}
    tree = new_run(provenance(config, run.seed, dtype=run.x.dtype))
    if run.frames is not None:
        # a jump at the end is a row of its own time: H5MD wants rising times, so it leaves no frame
        rising = np.concatenate(([True], np.diff(run.ledger["time"]) > 0))
        add_trajectory(tree, run.ledger["step"][rising], run.ledger["time"][rising], run.frames[rising])
    columns = {name: (values, about(name)) for name, values in run.ledger.coordinates.items()}
    for name, mean in run.ledger.mean.items():
        words = about(name)
        if name in run.absent:
            words["nan_reason"] = run.absent[name]
        columns[f"{name}_mean"] = (mean, words)
        columns[f"{name}_variance"] = (run.ledger.variance[name], {**words, "definition": f"variance of {name}"})
    tree["ledger/rows"] = ledger_group(columns, "row", {"particles": run.ledger.count})
    totals = {name: (values, about(name)) for name, values in run.totals.items()}
    for axis, name in enumerate(run.dynamics.potential.coordinates):
        totals[f"final_{name}"] = (run.x[:, axis], {"units": "1", "sign": "-", "definition": "position at the end"})
    tree["ledger/particles"] = ledger_group(totals, "particle_number")
    tree["protocol"] = Group(datasets={"protocol_time": Dataset(run.grid.times, "protocol_row", {"units": "1"}),
                                       **{name: Dataset(values, "protocol_row", {"units": "1"})
                                          for name, values in run.grid.parameters.items()}})
    write_tree(path, tree)
    return path
