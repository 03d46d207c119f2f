"""The speed–accuracy experiment as a user runs it: the closed case, and nothing above the bound."""
import subprocess
import sys
from pathlib import Path

import numpy as np

from thermosim.files.store import read_tree

SCRIPT = Path(__file__).parents[2] / "experiments" / "speed_accuracy.py"


def test_nothing_beats_the_bound(tmp_path):
    done = subprocess.run([sys.executable, SCRIPT, "--quick", "--out", tmp_path / "out"],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    tree = read_tree(tmp_path / "out" / "run.h5")
    closed = dict(zip(tree["summary"]["dynamics"].values, tree["summary"]["right"].values))
    for name, right in (("optimal transport", 0.25), ("cosine", 0.3084251), ("conditional transport", 0.4646018)):
        assert abs(closed[name] / right - 1) < 1e-5
    assert np.all(np.abs(tree["summary"]["left"].values / 0.1454942 - 1) < 1e-5)
    for table, sharp in (("sweep", 0.2), ("samplers", 0.01)):      # a lost factor of a few would show
        share = np.asarray(tree[table]["share"].values)
        assert 0 <= share.min() and sharp < share.max() <= 1
    assert (tmp_path / "out" / "speed.png").stat().st_size > 10_000


def test_bad_input_is_one_line(tmp_path):
    done = subprocess.run([sys.executable, SCRIPT, "--mixtures", "1", "--out", tmp_path / "out"],
                          capture_output=True, text=True)
    assert done.returncode == 2 and "whole number" in done.stderr and not (tmp_path / "out").exists()
