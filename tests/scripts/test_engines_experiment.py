"""The engines' experiment as a user runs it."""
import subprocess
import sys
from pathlib import Path

import numpy as np

from thermosim.files.store import read_tree

SCRIPT = Path(__file__).parents[2] / "experiments" / "engines.py"


def test_three_roads_in_one_table(tmp_path):
    done = subprocess.run([sys.executable, SCRIPT, "--quick", "--out", tmp_path / "out"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    tree = read_tree(tmp_path / "out" / "run.h5")
    summary = {name: np.asarray(d.values) for name, d in tree["summary"].datasets.items()}
    for engine in set(summary["engine"]):
        of = {road: k for k, (e, road) in enumerate(zip(summary["engine"], summary["road"])) if e == engine}
        assert len(of) == (2 if "inertia" in engine else 3)
        for column in ("work", "heat_hot", "heat_cold"):
            exact = summary[column][of["moments"]]
            seen, error = summary[column][of["particles"]], summary[f"{column}_error"][of["particles"]]
            assert abs(seen - exact) < 6 * error < 0.3
            assert "density" not in of or abs(summary[column][of["density"]] - exact) < 0.01
    assert np.nanmax(np.asarray(tree["trade_off"]["efficiency"].values)) < 0.5
    for kind in ("png", "pdf"):
        assert (tmp_path / "out" / f"engines.{kind}").stat().st_size > 10_000


def test_bad_input_is_one_line(tmp_path):
    done = subprocess.run([sys.executable, SCRIPT, "--particles", "few", "--out", tmp_path / "out"], capture_output=True, text=True)
    assert done.returncode == 2 and "whole number" in done.stderr and not (tmp_path / "out").exists()
