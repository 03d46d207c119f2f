"""The experiment as its user runs it: tables that hold the theorems, figures, one-line complaints."""
import subprocess
import sys
from pathlib import Path

import numpy as np

from thermosim.files.store import read_tree

SCRIPT = Path(__file__).parents[2]/"experiments"/"fluctuation_theorems.py"


def launch(*args):
    return subprocess.run([sys.executable, str(SCRIPT), *map(str, args)], capture_output=True, text=True, timeout=300)


def test_it_measures_and_draws(tmp_path):
    done = launch("--paths", 40_000, "--out", tmp_path/"new")
    assert done.returncode == 0, done.stderr
    for name in ("run.h5", "fluctuation.png", "fluctuation.pdf"):
        assert (tmp_path/"new"/name).stat().st_size > 1000
    table = read_tree(tmp_path/"new"/"run.h5")["summary"]
    column = lambda name: table[name].values
    assert np.all(np.abs(column("slope") - 1) < 6*column("slope_error"))
    assert np.all(np.abs(column("crossing") - column("free_energy")) < 6*column("crossing_error"))
    assert np.all(np.abs(column("jarzynski") - column("free_energy")) < 6*column("jarzynski_error"))


def test_complaints_are_one_line(tmp_path):
    (tmp_path/"file").write_text("")
    for args, words in ((("--paths", 3), "paths"), (("--paths", 2000, "--out", tmp_path/"file"), "file")):
        done = launch(*args)
        assert done.returncode == 2 and done.stderr.count("\n") == 1 and words in done.stderr
