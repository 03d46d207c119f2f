"""Four laws in the plane as a user asks for them: near the data
in transport, no mode lost, and it goes on after a stop."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from thermosim.files.store import read_tree
from thermosim.files.tree import Group

SCRIPT = Path(__file__).parents[2] / "experiments" / "densities_2d.py"


def launch(*args):
    return subprocess.run([sys.executable, str(SCRIPT), *map(str, args)], capture_output=True, text=True, timeout=300)


def test_quick_run(tmp_path):
    """W2 within 1.15 of data to data by no more than three errors; shares within 6; KL positive and small."""
    done = launch("--quick", "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    tree = read_tree(tmp_path / "run.h5")
    table = {name: d.values for name, d in tree["summary"].datasets.items()}
    assert table["data"].tolist() == ["swissroll", "ring", "moons", "checkerboard"] and np.all(table["pairs"] == 10)
    assert (np.all(table["ratio"] < 1.15 + 3 * table["ratio_error"]) and np.all(table["ratio"] > 0.7)
            and np.all(table["ratio_error"] < 0.2))
    assert (np.all(table["largest_z"] < 6) and np.all(table["w2_generated_error"] > 0)
            and np.all(table["w2_data_error"] > 0))
    assert np.all(table["kl"] > -4 * table["kl_error"]) and np.all(table["kl"] < 1)
    for name, unit in tree["plane"].groups.items():
        near, far = unit["w2"].values
        assert (near.mean() / far.mean() == pytest.approx(unit.attrs["ratio"])
                and unit["share"].values.sum() == pytest.approx(1))
        # the density of the flow sums to one over its window
        x, y = unit["x"].values, unit["y"].values
        mass = np.exp(unit["log_density"].values).sum() * (x[1] - x[0]) * (y[1] - y[0])
        assert abs(mass - 1) < 0.12, name
    assert (tmp_path / "plane.png").stat().st_size > 10_000 and not list((tmp_path / "work").glob("*"))


def test_an_interrupted_run_goes_on(tmp_path, monkeypatch, capsys):
    """Stopped in the second law, the next run measures that one and the third, and the file holds all three."""
    spec = importlib.util.spec_from_file_location("densities_2d", SCRIPT)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    asked = []

    def measure(name, *rest):
        asked.append(name)
        if asked == ["ring", "moons"]:
            raise KeyboardInterrupt
        return Group({name: 1.0 for name in script.ABOUT if name not in ("data", "pairs")})

    monkeypatch.setattr(script, "measure", measure)
    monkeypatch.setattr("thermosim.report.draw", lambda path: [])
    call = ["--quick", "--only", "ring,moons,swissroll", "--out", str(tmp_path)]
    with pytest.raises(KeyboardInterrupt):
        script.main(call)
    assert not (tmp_path / "run.h5").exists() and script.main(call) == 0
    assert asked == ["ring", "moons", "moons", "swissroll"]
    assert read_tree(tmp_path / "run.h5", "summary")["data"].values.tolist() == ["ring", "moons", "swissroll"]


@pytest.mark.parametrize("args, says", [(("--only", "sun"), "none of swissroll"), (("--steps", "1"), "whole number")])
def test_bad_input_is_one_line(args, says, tmp_path):
    done = launch(*args, "--out", tmp_path / "out")
    assert (done.returncode == 2 and done.stderr.count("\n") == 1 and says in done.stderr
            and not (tmp_path / "out").exists())
