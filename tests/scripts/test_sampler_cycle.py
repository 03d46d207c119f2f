"""The main job as its user runs it: from a file of points to run.h5, figures and a table; and its complaints."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from thermosim.files.schema import NO_REASON
from thermosim.files.store import read_tree

# one BLAS thread: on a busy machine two of them mostly wait for each other
ONE_THREAD = os.environ | {"OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
SCRIPT = Path(__file__).parents[2] / "experiments" / "sampler_cycle.py"


def launch(*args, **kw):
    return subprocess.run([sys.executable, str(SCRIPT), *map(str, args)], capture_output=True, text=True, timeout=300,
                          env=ONE_THREAD, **kw)


def table(text):
    """The printed rows without the numbers that depend on the wall clock."""
    return [line for line in text.splitlines() if re.match(r"(euler|karras|geodesic|best)", line)]


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A ring of 240 points, and the arguments of a run over it that takes seconds."""
    folder = tmp_path_factory.mktemp("ring")
    rng = np.random.default_rng(0)
    angle = rng.uniform(0, 2 * np.pi, 240)
    points = np.stack([np.cos(angle), np.sin(angle)], axis=1) + 0.05 * rng.standard_normal((240, 2))
    np.save(folder / "ring.npy", points)
    return ["--data", folder / "ring.npy", "--quick", "--samplers", "euler,ddpm,ddim", "--grids", "karras,geodesic",
            "--steps", "3,12"]


@pytest.fixture(scope="module")
def finished(small, tmp_path_factory):
    out = tmp_path_factory.mktemp("out") / "new"
    return launch(*small, "--out", out), out


def test_it_ends_with_a_file_figures_and_a_table(finished):
    done, out = finished
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("thermosim 0.") and "ring.npy" in lines[0]
    assert len([line for line in lines if line.startswith("euler ")]) == 4  # ddim is euler: one implementation, one row
    assert "best by validation" in done.stdout and "bits/dim" in done.stdout
    names = sorted(p.name for p in out.iterdir())
    assert not [n for n in names if n.endswith(".part")]
    for figure in ("cycle", "steps", "efficiency", "film"):
        assert (out / f"{figure}.png").stat().st_size > 10_000 and (out / f"{figure}.pdf").stat().st_size > 3_000


def test_the_file_keeps_its_promises(finished):
    """Every column explained, every NaN with a reason, the least work on the geodesic, provenance complete."""
    tree = read_tree(finished[1] / "run.h5")
    for path, node in tree.walk():
        if path.startswith(("ledger/", "summary/", "grids/", "curve/", "best/")) and hasattr(node, "values"):
            coordinate = node.dims == (path.rpartition("/")[2],)
            assert coordinate or {"units", "sign", "definition"} <= set(node.attrs), path
            if node.values.dtype.kind == "f" and np.isnan(node.values).any():
                assert node.attrs["nan_reason"] != NO_REASON, path
    grids = tree["grids"]
    P = {(g, n): p for g, n, p in zip(*(grids[c].values for c in ("grid", "steps", "dissipated_work")))}
    assert P["geodesic", 12] < P["karras", 12]
    summary = tree["summary"]
    assert set(zip(summary["sampler"].values, summary["grid"].values, summary["steps"].values)) == {
        (s, g, n) for s in ("euler", "euler_ancestral") for g in ("karras", "geodesic") for n in (3, 12)}
    flows = summary["sampler"].values == "euler"
    for name in ("dissipated_work", "eta_grid", "entropy_env", "eta_step"):
        assert np.isnan(summary[name].values[flows]).all() and np.isfinite(summary[name].values[~flows]).all()
    eta = summary["eta_geo"].values[flows]
    assert np.all((eta > 0) & (eta <= 1))
    assert {"config", "seed", "device", "argv", "created_at", "cpu", "dtype"} <= set(tree["parameters"].attrs)


def test_other_software_opens_it(finished):
    import xarray

    opened = xarray.open_datatree(finished[1] / "run.h5", engine="h5netcdf")
    assert opened["ledger/cooling/euler/karras/n12"]["heat_line"].dims == ("leg",)
    pyh5md = pytest.importorskip("pyh5md")
    with pyh5md.File(str(finished[1] / "run.h5"), "r") as file:
        position = pyh5md.element(file.particles_group("trajectory"), "position")
        assert position.value.shape[2] == 2 and np.all(np.diff(position.time[:]) > 0)


def test_figures_and_table_come_from_the_file_alone(finished, tmp_path):
    def cli(*args):
        return subprocess.run([sys.executable, "-m", "thermosim", *map(str, args)], capture_output=True,
                              text=True, cwd=tmp_path)

    moved = tmp_path / "elsewhere.h5"
    moved.write_bytes((finished[1] / "run.h5").read_bytes())
    drawn = cli("report", moved, "--out", tmp_path / "figures")
    assert drawn.returncode == 0, drawn.stderr
    assert len(list((tmp_path / "figures").glob("*.png"))) == 4
    shown = cli("show", moved)
    assert table(shown.stdout) and set(table(shown.stdout)) <= set(table(finished[0].stdout))
    ledger = cli("show", moved, "--ledger", "ledger/cooling/euler_ancestral/karras/n3")
    assert "ln k(x'|x) − ln k(x|x')" in ledger.stdout


def test_a_second_run_takes_up_the_network_and_agrees(finished, small):
    done, out = finished
    network = next(out.glob("denoiser-*.h5"))
    before = network.stat().st_mtime_ns
    again = launch(*small, "--out", out)
    assert again.returncode == 0, again.stderr
    assert network.stat().st_mtime_ns == before
    assert table(again.stdout) == table(done.stdout)


def test_killed_and_resumed_it_ends_the_same(finished, small, tmp_path):
    """kill −9 while it trains and while it cools; the third start ends with the very table of an unbroken run."""
    out = tmp_path / "killed"
    for wait_for in ("work/denoiser-*", "work/*/journal.jsonl"):
        process = subprocess.Popen([sys.executable, str(SCRIPT), *map(str, small), "--out", str(out)],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=ONE_THREAD)
        limit = time.monotonic() + 200
        while process.poll() is None and not list(out.glob(wait_for)) and time.monotonic() < limit:
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert not (out / "run.h5").exists()
    done = launch(*small, "--out", out)
    assert done.returncode == 0, done.stderr
    assert table(done.stdout) == table(finished[0].stdout)


@pytest.mark.parametrize("args, says", [
    (["--data", "missing.npy"], "missing.npy"),
    (["--data", "digit"], "digits"),
    (["--samplers", "hein"], "heun"),
    (["--grids", "karas"], "karras"),
    (["--steps", "-5"], "at least 1"),
    (["--steps", "five"], "whole numbers"),
    (["--seed", "-1"], "seed"),
    (["--device", "cudda"], "cuda"),
    (["--stepps", "5"], "--stepps"),
    (["--out", "{file}/inside"], "cannot write"),
    (["--data", "{nan}"], "row 1, column 0"),
    (["--data", "{few}"], "too few"),
    (["--data", "{text}"], "not numbers"),
    (["--data", "{scalar}"], "points"),
])
def test_bad_input_is_one_line_and_leaves_nothing(args, says, tmp_path):
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "file").write_text("mine")
    np.save(kept / "nan.npy", np.array([[0.0, 1.0], [np.nan, 1.0]] * 100))
    np.save(kept / "few.npy", np.zeros((30, 2)))
    np.save(kept / "text.npy", np.array(["a", "b"]))
    np.save(kept / "scalar.npy", np.array(3.0))
    names = {name: kept / f"{name}.npy" for name in ("nan", "few", "text", "scalar")} | {"file": kept / "file"}
    before = sorted(tmp_path.rglob("*"))
    out = [] if "--out" in args else ["--out", tmp_path / "out"]
    done = launch(*[a.format(**names) for a in args], *out, cwd=tmp_path)
    assert done.returncode == 2
    message = done.stderr.strip()
    assert message.startswith("error: ") and "\n" not in message and says in message, done.stderr
    assert sorted(tmp_path.rglob("*")) == before
