"""The schedules experiment as a user runs it: its tables, its verdicts, its figures; and its complaints."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from thermosim.files.store import read_tree

SCRIPT = Path(__file__).parents[2] / "experiments" / "schedule_of_least_work.py"
ONE_THREAD = os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


def launch(*args):
    return subprocess.run([sys.executable, SCRIPT, *map(str, args)], capture_output=True, text=True, env=ONE_THREAD)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    out = tmp_path_factory.mktemp("schedules") / "out"
    done = launch("--quick", "--out", out)
    assert done.returncode == 0, done.stderr
    return done.stdout, out, {name: {k: d.values for k, d in read_tree(out / "run.h5")[name].datasets.items()}
                              for name in ("work", "transport", "comparison", "digits", "summary")}


def test_no_grid_dissipates_less_than_the_least(finished):
    work = finished[2]["work"]
    assert np.all(work["even"] > 1 - 1e-6) and np.all(work["geodesic"] > work["even"] - 1e-6)
    near = ~np.char.endswith(work["problem"], "64-D")
    assert np.all(work["geodesic"][near & (work["steps"] == 10)] < 1.04) and np.all(work["even"] < 1.05)
    assert np.all(work["even_over_hand"] < 0.7)
    assert np.all(work["PN_over_L2"][near & (work["steps"] == 50)] < 1.08)


def test_the_recommendation_beats_karras_and_keeps_its_budget(finished):
    transport, digits = finished[2]["transport"], finished[2]["digits"]
    assert set(transport["judge"]) == {"W2", "mean", "rms"} and np.all(np.isfinite(transport["over_karras_error"]))
    # half of 256 particles judge: a tenth of sampling error
    assert np.all(transport["over_karras"] < 0.75) and np.all(transport["over_hand"] < 1.15)
    assert transport["evaluations"].max() <= 2500 and digits["evaluations"].max() <= 2500
    assert np.all(digits["over_karras"] < 0.95)
    summary = finished[2]["summary"]
    assert np.array_equal(summary["holds"], summary["found"] <= summary["target"]) and summary["holds"].mean() > 0.7


def test_every_candidate_is_compared_and_drawn(finished):
    text, out, tables = finished
    assert {"karras", "entropic", "constant_rate", "rescaled_entropic", "score_optimal", "align_your_steps", "recommended"} <= set(tables["comparison"]["grid"])
    assert "score_optimal" in text and "heun from 10 steps" in text
    for figure in ("least_work", "schedule"):
        assert (out / f"{figure}.png").stat().st_size > 10_000
    assert not (out / "work").exists() or not list((out / "work").iterdir())


def test_bad_input_is_one_line(tmp_path):
    done = launch("--repeats", "1", "--out", tmp_path / "out")
    assert done.returncode == 2 and "whole number" in done.stderr and not (tmp_path / "out").exists()
