"""The comparison at equal evaluations as a user runs it: prices
are equal, distances and books as measured, nothing clipped."""
import subprocess
import sys
from pathlib import Path

import numpy as np

from thermosim.files.store import read_tree

SCRIPT = Path(__file__).parents[2] / "experiments" / "carnot_sampler.py"


def test_at_equal_evaluations(tmp_path):
    done = subprocess.run([sys.executable, SCRIPT, "--quick", "--out", tmp_path / "out"],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    table = {name: np.asarray(d.values)
             for name, d in read_tree(tmp_path / "out" / "run.h5")["summary"].datasets.items()}
    assert set(table["nfe"]) == {10, 20}
    row = {name: np.flatnonzero((table["sampler"] == name) & (table["nfe"] == 20))[0] for name in set(table["sampler"])}
    assert len(row) == 9
    w2, Sigma = ({name: table[column][k] for name, k in row.items()} for column in ("w2", "Sigma"))
    # the jump that carries the variance along does better than frozen x, one along the flow better still
    assert w2["carnot_euler"] < w2["carnot"] < w2["annealed_langevin"] and w2["euler"] < w2["euler_ancestral"]
    assert (Sigma["carnot"] < 0.5 * min(Sigma["euler_ancestral"], Sigma["annealed_langevin"])
            and np.isnan(Sigma["euler"]))
    assert np.nanmin(table["Sigma"]) > 0 and np.all(table["w2"] < 1)
    assert (tmp_path / "out" / "carnot.png").stat().st_size > 10_000


def test_bad_input_is_one_line(tmp_path):
    done = subprocess.run([sys.executable, SCRIPT, "--grid", "geodesic", "--out", tmp_path / "out"],
                          capture_output=True, text=True)
    assert done.returncode == 2 and "karras" in done.stderr and not (tmp_path / "out").exists()
