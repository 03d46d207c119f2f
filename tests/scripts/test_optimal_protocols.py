"""Strokes of least work as a user runs them: particles beside closed forms, no work below its bound."""
import subprocess
import sys
from pathlib import Path

import numpy as np

from thermosim.files.store import read_tree

SCRIPT = Path(__file__).parents[2] / "experiments" / "optimal_protocols.py"


def test_least_work_is_least_and_meets_its_bound(tmp_path):
    done = subprocess.run([sys.executable, SCRIPT, "--quick", "--out", tmp_path / "out"],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    of = {name: np.asarray(d.values) for name, d in read_tree(tmp_path / "out" / "run.h5")["summary"].datasets.items()}
    z = (of["work_particles"] - of["work"]) / of["work_particles_error"]
    assert np.all(np.abs(z) < 6) and np.all(of["work_particles_error"] < 0.03)
    best, plain = (of["protocol"] == name for name in ("optimal", "linear"))
    assert np.all(of["work"][best] < of["work"][plain])
    np.testing.assert_allclose(of["work"][best], of["bound"][best], rtol=1e-6)      # a geodesic: the bound is met
    assert np.all(of["work"][plain] > of["bound"][plain])
    at_one = best & (of["duration"] == 1.0)
    np.testing.assert_allclose(of["work"][at_one], [1 / 3, 0.8905718], rtol=1e-6)
    np.testing.assert_allclose(of["jump_start"][at_one], [1 / 3, 0.3923748], rtol=1e-6)
    assert (tmp_path / "out" / "optimal.png").stat().st_size > 10_000


def test_bad_input_is_one_line(tmp_path):
    done = subprocess.run([sys.executable, SCRIPT, "--particles", "none", "--out", tmp_path / "out"],
                          capture_output=True, text=True)
    assert done.returncode == 2 and "whole number" in done.stderr and not (tmp_path / "out").exists()
