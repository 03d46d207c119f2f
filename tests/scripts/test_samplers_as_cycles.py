"""Samplers as cycles as a user runs them: every sampler of the
family, its strokes, its reasons, and the limit of one half."""
import subprocess
import sys
from pathlib import Path

import numpy as np

from thermosim.files.store import read_tree
from thermosim.samplers import FAMILY

SCRIPT = Path(__file__).parents[2] / "experiments" / "samplers_as_cycles.py"


def test_every_sampler_has_its_row(tmp_path):
    done = subprocess.run([sys.executable, SCRIPT, "--quick", "--out", tmp_path / "out"],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    tree = read_tree(tmp_path / "out" / "run.h5")
    summary = {name: np.asarray(d.values) for name, d in tree["summary"].datasets.items()}
    assert list(summary["sampler"]) == [str(s) for s in FAMILY]
    for name, d in tree["summary"].datasets.items():
        values = np.asarray(d.values)
        assert values.dtype.kind != "f" or np.isfinite(values).all() or len(d.attrs["nan_reason"]) > 20, name
    of = dict(zip(summary["sampler"], summary["Sigma"]))
    assert of["carnot"] < of["ddpm_beta"] < of["euler_ancestral"] < of["ddim_0.5"] and np.isnan(of["euler"])
    assert np.nanmax(np.abs(summary["eta_cycle"])) < 1e-3 and np.nanmax(summary["eta_cycle_geodesic"]) < 1
    limit = {name: np.asarray(d.values) for name, d in tree["limit"].datasets.items()}
    last = limit["steps"] == limit["steps"].max()
    # 100 steps: the ancestral chain and ddim within a tenth of 1/2 and 1/3, from below
    short = (limit["eta_II_limit"] - limit["eta_II"])[last]
    assert np.all(np.abs(short[:2]) < 0.1)
    strokes = {name: np.asarray(d.values) for name, d in tree["strokes"].datasets.items()}
    jump = (strokes["sampler"] == "carnot") & (strokes["stroke"] == "adiabat")
    assert jump.sum() == 1 and strokes["heat"][jump] == 0 and abs(strokes["work"][jump][0]) < 1e-12
    assert (tmp_path / "out" / "strokes.png").stat().st_size > 10_000


def test_the_plane(tmp_path):
    """Eight modes: the same table; the noise of a perfect sampler told; who is near data is as near as they are."""
    done = subprocess.run([sys.executable, SCRIPT, "--quick", "--law", "ring", "--particles", "2000", "--out",
                           tmp_path / "out"],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "W2 from one to another" in done.stdout and not list((tmp_path / "out" / "work").glob("*"))
    tree = read_tree(tmp_path / "out" / "run.h5")
    summary = {name: np.asarray(d.values) for name, d in tree["summary"].datasets.items()}
    assert list(summary["sampler"]) == [str(s) for s in FAMILY]
    told = tree["heating"].attrs
    assert abs(told["blank_entropy_bias"]) < 0.15 and 0 < told["blank_w2_end"] < 0.4
    assert told["Sigma"] > told["least_Sigma"] > 6 * told["least_Sigma_error"] > 0
    of = dict(zip(summary["sampler"], summary["w2_end"]))
    assert of["rk45"] < told["blank_w2_end"] + 6 * told["blank_w2_end_error"]
    end = dict(zip(summary["sampler"], summary["entropy_change"]))
    heated = {name: np.asarray(d.values) for name, d in tree["heating"].datasets.items()}
    order = heated["entropy"][-1] - heated["entropy"][0]
    assert abs(end["rk45"] + order) < 0.15 and (tmp_path / "out" / "strokes.png").stat().st_size > 10_000


def test_bad_input_is_one_line(tmp_path):
    done = subprocess.run([sys.executable, SCRIPT, "--particles", "0", "--out", tmp_path / "out"],
                          capture_output=True, text=True)
    assert done.returncode == 2 and "whole number" in done.stderr and not (tmp_path / "out").exists()
