"""Table 1 of Sohl-Dickstein et al. 2015 as its user runs it:
bounds beside truths, figures, and one line for bad input."""

import gzip
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from thermosim.binomial import BinomialChain
from thermosim.datasets.heartbeat import Heartbeat
from thermosim.files.store import read_tree
from thermosim.thermo.binomial import heartbeat_ceiling

SCRIPT = Path(__file__).parents[2] / "experiments" / "sohl_dickstein_2015" / "run.py"


def launch(*args):
    return subprocess.run([sys.executable, str(SCRIPT), *map(str, args)], capture_output=True, text=True, timeout=300)


def table(folder):
    """Rows of the summary by name."""
    s = read_tree(folder / "run.h5", "summary")
    names = [n for n in s.datasets if n != "summary_row"]
    return {row[0]: dict(zip(names, row)) for row in zip(*(s[n].values for n in names))}


def test_heartbeat_and_swiss_roll(tmp_path):
    """200 and 40 steps: above −2.5 and −3.4 bits, never above the ceiling or the truth beyond five errors."""
    done = launch("--only", "heartbeat,swissroll", "--quick", "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    rows = table(tmp_path)
    beat, edge = rows["heartbeat"], rows["heartbeat (edge)"]
    for row, convention in ((beat, False), (edge, True)):
        assert row["limit"] == pytest.approx(heartbeat_ceiling(Heartbeat(), BinomialChain(200), convention) / np.log(2))
    for row in rows.values():
        assert row["K"] < row["limit"] + 5 * row["K_error"] and 0 < row["K_error"] < 0.1
    assert beat["K"] > -2.5 and edge["K"] > -3.3
    assert beat["over_null"] - beat["K"] == pytest.approx(14.438562, abs=1e-5)
    annealed, flow = rows["heartbeat, annealed"], rows["swiss roll, flow"]
    assert annealed["limit"] == pytest.approx(-np.log2(5)) and beat["K"] < annealed["K"]
    assert (abs(annealed["K"] - annealed["limit"]) < 6 * annealed["K_error"] < 0.3
            and abs(flow["K"] - flow["limit"]) < 0.4)
    fixed, least = rows["swiss roll, posterior variance"], rows["swiss roll, least variances"]
    assert fixed["K"] > -3.4 and least["K"] > fixed["K"] + 0.5
    learned = rows["swiss roll, learned variances"]
    assert fixed["K"] + 0.5 < learned["K"] < learned["limit"] + 6 * learned["K_error"]
    assert fixed["over_null"] - fixed["K"] == pytest.approx(4.094191, abs=1e-5)
    assert fixed["limit"] == pytest.approx(-1.394096, abs=1e-4)
    assert (tmp_path / "learned.png").stat().st_size > 10_000 and not list((tmp_path / "work").glob("*"))
    tree = read_tree(tmp_path / "run.h5", "learned")
    for name in ("heartbeat", "swissroll"):
        steps = tree[name]["entropies"]
        lower, upper, cross, error = (steps[k].values[1:] for k in ("lower", "upper", "cross", "cross_error"))
        assert np.all(lower <= upper) and np.all(cross > lower - 6 * error)
    reverse = tree["heartbeat"]["raster/reverse"].values[-1]
    assert reverse.shape == (40, 20) and np.mean(reverse.sum(axis=1) == 4) > 0.8
    inpainted = tree["heartbeat"]["raster/inpainting"].values[-1]
    assert np.all(inpainted[:, :5] == [0, 0, 1, 0, 0]) and np.mean(inpainted.sum(axis=1) == 4) > 0.6


def test_the_papers_own_network(tmp_path):
    """Sixteen soft cells with a readout for each of 40 steps, trained for seconds: they hold a part of the roll's
    information, no more than all."""
    done = launch("--only", "swissroll", "--quick", "--paper-networks", "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    least = table(tmp_path)["swiss roll, least variances"]
    assert least["over_null"] > 1.0 and least["K"] < least["limit"] + 5 * least["K_error"]


def test_own_pictures(tmp_path):
    """IDX digits, CIFAR-10 records and a folder of bark, each in its
    true format: K, K − L_null and every panel of their figures."""
    rng = np.random.default_rng(0)
    digits = (rng.integers(2, size=(600, 4, 1)) * 200 + np.arange(4) * 10).astype(np.uint8)
    (tmp_path / "train-idx3-ubyte.gz").write_bytes(gzip.compress(b"\0\0\x08\x03"
                                                                 + np.array(digits.shape, ">u4").tobytes()
                                                                 + digits.tobytes()))
    colours = np.clip(128 + 40 * rng.standard_normal((240, 3, 1, 1)) + 20 * rng.standard_normal((240, 3, 32, 32)), 0, 255).astype(np.uint8)
    (tmp_path / "batches").mkdir()
    for k, part in enumerate(np.split(colours, 2)):
        (tmp_path / "batches" / f"data_batch_{k + 1}.bin").write_bytes(b"".join(bytes([k]) + picture.tobytes() for picture in part))
    (tmp_path / "bark").mkdir()
    for k in range(2):
        Image.fromarray(np.cumsum(rng.integers(-9, 10, (128, 128)), axis=1).astype(np.uint8)).save(tmp_path / "bark" / f"{k}.png")
    done = launch("--mnist", tmp_path / "train-idx3-ubyte.gz", "--cifar10", tmp_path / "batches", "--bark",
                  tmp_path / "bark", "--quick", "--out",
                  tmp_path / "out")
    assert done.returncode == 0, done.stderr
    rows, shapes = table(tmp_path / "out"), {"mnist": (4, 4), "cifar10": (32, 32, 3), "bark": (16, 16)}
    assert len(rows) == 6 and all(0 < r["K_error"] < np.inf and np.isnan(r["limit"]) for r in rows.values())
    for name in shapes:
        fixed, least = rows[f"{name}, posterior variance"], rows[f"{name}, least variances"]
        # the law that knows only the variance: −½ log2(2πe) a component
        assert fixed["over_null"] - fixed["K"] == pytest.approx(2.047096, abs=1e-5) and least["K"] > fixed["K"]
    assert rows["mnist, least variances"]["over_null"] > 0.5
    tree = read_tree(tmp_path / "out" / "run.h5", "learned")
    for name, shape in shapes.items():
        gallery = tree[name]["gallery"]
        count = 12 if name == "bark" else 24  # of 128 patches, 12 are held out
        assert all(gallery[kind].values.shape == (count, *shape) for kind in ("data", "hidden", "denoised", "samples"))
        assert all(gallery[kind].values.shape == (3, 8, *shape) for kind in ("forward", "reverse", "drift"))
    # a row of these digits is dark or light but for a slope: that survives noise as large as the pictures
    gallery = tree["mnist"]["gallery"]
    truth, hidden, denoised = (gallery[kind].values for kind in ("data", "hidden", "denoised"))
    assert np.mean((denoised - truth) ** 2) < 0.5 * np.mean((hidden - truth) ** 2)
    assert (tmp_path / "out" / "learned.png").stat().st_size > 10_000


@pytest.mark.parametrize("args, says", [
    (("--only", "heartbeet"), "none of swissroll"), (("--mnist", "absent-idx3"), "No such file"),
    (("--bark", "absent"), "absent"),
    (("--only", "heartbeat", "--out", "{file}/in"), "cannot write"),
])
def test_bad_input_is_one_line_and_leaves_nothing(args, says, tmp_path):
    (tmp_path / "file").write_text("mine")
    args = [a.format(file=tmp_path / "file") for a in args]
    done = launch(*args, *(() if "--out" in args else ("--out", tmp_path / "out")))
    assert (done.returncode == 2 and done.stderr.startswith("error: ") and done.stderr.count("\n") == 1
            and says in done.stderr)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file"]
