"""The question as a user asks it: measured heat beside its closed form, and the answer no."""
import subprocess
import sys
from pathlib import Path

import numpy as np

from thermosim.files.store import read_tree

SCRIPT = Path(__file__).parents[2] / "experiments" / "is_euler_isothermal.py"


def test_heat_of_every_step_is_that_of_the_closed_form(tmp_path):
    done = subprocess.run([sys.executable, SCRIPT, "--quick", "--out", tmp_path / "out"],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    tree = read_tree(tmp_path / "out" / "run.h5")
    heat = {name: np.asarray(d.values) for name, d in tree["heat_of_steps"].datasets.items()}
    # four parts give an error with three degrees of freedom: pooled over the steps of a run it is sharp enough
    for sampler in set(heat["sampler"]):
        keep = heat["sampler"] == sampler
        z = (heat["heat"] - heat["heat_exact"])[keep] / heat["heat_error"][keep]
        miss = np.abs(heat["heat"] - heat["heat_exact"])[keep]
        assert np.median(np.abs(z)) < 5 and np.all(miss < 0.1 * np.abs(heat["heat_exact"][keep]) + 0.002)
    summary = {name: np.asarray(d.values) for name, d in tree["summary"].datasets.items()}
    assert np.all(summary["heat_cv_exact"] > 0.05) and np.all(np.abs(summary["heat_cv"] / summary["heat_cv_exact"]
                                                                     - 1) < 0.1)
    assert (tmp_path / "out" / "isothermal.png").stat().st_size > 10_000


def test_bad_input_is_one_line(tmp_path):
    done = subprocess.run([sys.executable, SCRIPT, "--particles", "0", "--out", tmp_path / "out"],
                          capture_output=True, text=True)
    assert done.returncode == 2 and "whole number" in done.stderr and not (tmp_path / "out").exists()
