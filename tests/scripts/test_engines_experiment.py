"""The engines' experiment as a user runs it."""
import subprocess
import sys
from pathlib import Path

import numpy as np

from thermosim.files.store import read_tree

SCRIPT = Path(__file__).parents[2] / "experiments" / "engines.py"


def test_three_roads_in_one_table(tmp_path):
    done = subprocess.run([sys.executable, SCRIPT, "--quick", "--out", tmp_path / "out"],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    tree = read_tree(tmp_path / "out" / "run.h5")
    summary = {name: np.asarray(d.values) for name, d in tree["summary"].datasets.items()}
    for engine in set(summary["engine"]):
        of = {road: k for k, (e, road) in enumerate(zip(summary["engine"], summary["road"])) if e == engine}
        assert len(of) == 3
        for column in ("work", "heat_hot", "heat_cold"):
            exact = summary[column][of["moments"]]
            seen, error = summary[column][of["particles"]], summary[f"{column}_error"][of["particles"]]
            assert abs(seen - exact) < 6 * error < 0.3
            assert abs(summary[column][of["density"]] - exact) < 0.01
    trade, peak = ({name: np.asarray(d.values) for name, d in tree[group].datasets.items()}
                   for group in ("trade_off", "maximum_power"))
    works = trade["power"] > 0
    assert (works.sum() > 20 and np.all(np.isfinite(trade["efficiency"][works]))
            and np.all(np.isnan(trade["efficiency"][~works])))
    for bound in ("speed_limit", "uncertainty", "power_efficiency"):
        assert np.all(trade["efficiency"][works] <= trade[bound][works] + 1e-9) and np.all(trade[bound][works] < 0.5)
    best = dict(zip(peak["engine"], zip(peak["duration"], peak["efficiency"])))
    np.testing.assert_allclose(best["optimal"], (2 * 1.9802187, 2 / 7), rtol=1e-3)
    assert len(tree["frontier"]["power"].values) == 50 and np.max(tree["frontier"]["power"].values) <= 0.0437545
    cops = summary["cop"][(summary["engine"] == "refrigerator")]
    np.testing.assert_allclose(summary["cop_heating"][summary["engine"] == "refrigerator"], 1 + cops, atol=0.06)
    for kind in ("png", "pdf"):
        assert (tmp_path / "out" / f"engines.{kind}").stat().st_size > 10_000


def test_bad_input_is_one_line(tmp_path):
    done = subprocess.run([sys.executable, SCRIPT, "--particles", "few", "--out", tmp_path / "out"],
                          capture_output=True, text=True)
    assert done.returncode == 2 and "whole number" in done.stderr and not (tmp_path / "out").exists()
