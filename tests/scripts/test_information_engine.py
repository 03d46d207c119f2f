"""The engine that runs on information, as a user runs it: three roads to one work, no gain beyond what was learnt."""
import subprocess
import sys
from pathlib import Path

import numpy as np

from thermosim.files.store import read_tree

SCRIPT = Path(__file__).parents[2] / "experiments" / "information_engine.py"


def test_work_from_information(tmp_path):
    done = subprocess.run([sys.executable, SCRIPT, "--quick", "--out", tmp_path / "out"],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    of = {name: np.asarray(d.values) for name, d in read_tree(tmp_path / "out" / "run.h5")["summary"].datasets.items()}
    for name in ("work", "information"):
        z = (of[f"{name}_particles"] - of[name]) / of[f"{name}_particles_error"]
        assert np.all(np.abs(z) < 6) and np.all(of[f"{name}_particles_error"] < 0.02)
    best = of["control"] == "least work"
    np.testing.assert_allclose(of["work_density"][best], of["work"][best], atol=2e-3)
    np.testing.assert_allclose(-of["work"][best], of["most_work"][best], atol=1e-9)
    assert np.all(of["entropy_production"] > 0) and np.all(of["efficiency"] < 1) and np.max(of["efficiency"]) > 0.8
    slow = of["duration"] == 10.0
    assert np.all(of["work"][best & slow] < of["work"][~best & slow])      # moving alone leaves the width unused
    told = np.isfinite(of["equality"])
    assert told.sum() >= 6 and np.all(np.abs(of["equality"][told] - 1) < 6 * of["equality_error"][told])
    assert (tmp_path / "out" / "information.png").stat().st_size > 10_000


def test_bad_input_is_one_line(tmp_path):
    done = subprocess.run([sys.executable, SCRIPT, "--particles", "none", "--out", tmp_path / "out"],
                          capture_output=True, text=True)
    assert done.returncode == 2 and "whole number" in done.stderr and not (tmp_path / "out").exists()
