"""Both experiments on densities as their user runs them: engines that agree, tables with errors, figures."""
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from thermosim.files.store import read_tree

FOLDER = Path(__file__).parents[2] / "experiments"


def launch(script, *args):
    return subprocess.run([sys.executable, str(FOLDER / script), *map(str, args)], capture_output=True,
                          text=True, timeout=300)


def test_langevin_meets_fokker_planck(tmp_path):
    """20,000 particles: every row of every column within 5 standard errors of the density, and T·KL falls at rest."""
    done = launch("langevin_meets_fokker_planck.py", "--quick", "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    for name in ("run.h5", "density.png", "density.pdf"):
        assert (tmp_path / name).stat().st_size > 1000
    tree = read_tree(tmp_path / "run.h5")
    assert np.all(tree["summary"]["worst_row"].values < 5) and len(tree["summary"]["worst_row"].values) == 18
    total = dict(zip(zip(tree["summary"]["system"].values, tree["summary"]["column"].values),
                     tree["summary"]["density"].values))
    assert total["dragged trap", "work"] == pytest.approx(1.1353353, rel=2e-3)
    assert total["breathing trap", "work"] == pytest.approx(0.9360417, rel=2e-3)
    table, rows = tree["free_energy"], tree["ledger/rows"]
    assert np.all(np.abs(rows["work_z"].values[:10]) > 0) and np.all(rows["heat_error"].values > 0)
    resting = table["time"].values >= 1.0
    assert np.all(np.diff(table["excess"].values[resting]) < 0)
    miss = (table["particles"].values - table["excess"].values)[1:] / table["particles_error"].values[1:]
    assert np.all(np.abs(miss) < 6)
    field = tree["fields/density"]
    p, seen = field["p"].values[-1].reshape(150, -1).mean(axis=1), field["histogram"].values[-1]
    assert np.abs(p - seen).sum() * 0.04 < 0.1


def test_kramers(tmp_path):
    """Particles on the spectrum within 5 standard errors; the roads part by less than 1/(barrier over T)."""
    done = launch("kramers.py", "--quick", "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    for name in ("run.h5", "rates.png", "rates.pdf"):
        assert (tmp_path / name).stat().st_size > 1000
    rates = read_tree(tmp_path / "run.h5")["rates"]
    assert np.all(np.abs(rates["distance"].values) < 5)
    assert np.all(rates["particles_error"].values < 0.05 * rates["particles"].values)
    T, base = rates["temperature"].values, rates["spectrum"].values
    for road in ("kramers", "passage", "crossing"):
        assert np.all(np.abs(rates[road].values / base - 1) < T), road
    # the slope of the Arrhenius plot is the barrier, 1
    assert np.polyfit(1 / T, np.log(base), 1)[0] == pytest.approx(-1.0, abs=0.05)


@pytest.mark.parametrize("script", ["langevin_meets_fokker_planck.py", "kramers.py"])
def test_complaints_are_one_line(script, tmp_path):
    (tmp_path / "file").write_text("")
    for args, words in ((("--particles", 3), "particles"), (("--quick", "--out", tmp_path / "file"), "file")):
        done = launch(script, *args)
        assert done.returncode == 2 and done.stderr.count("\n") == 1 and words in done.stderr
