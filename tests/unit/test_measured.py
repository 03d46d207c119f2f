"""Measured trajectories: the books of a simulation must come back from its frames alone."""
import numpy as np
import pytest

from thermosim.dynamics import Overdamped
from thermosim.errors import UserError
from thermosim.potentials import Harmonic, Potential
from thermosim.protocols import Linear
from thermosim.runs.particles import simulate
from thermosim.thermo.measured import BOLTZMANN, book, read_trajectory

X0 = np.random.default_rng(2).normal(size=(200, 1))
DRAG = Linear(c=(0.0, 2.0))
RUN = simulate(Overdamped(Harmonic()), x0=X0, t=(0, 2), steps=25, every=1, record=200, protocol=DRAG, seed=3,
               precision="double")
FRAMES = np.concatenate([X0[None], RUN.frames])


def test_books_from_frames_are_the_books_of_the_run():
    books = book((RUN.grid.times, FRAMES), Harmonic(), DRAG, temperature=1.0)
    assert np.allclose(books.total("work"), RUN.work, atol=1e-12)
    assert np.allclose(books.total("heat"), RUN.heat + RUN.shadow_work, atol=1e-12)
    assert np.allclose(books.total("heat_line"), RUN.heat_line, atol=1e-12)
    assert np.allclose(books.energy[-1] - books.energy[0], books.total("work") + books.total("heat"))


def test_si_units():
    """The same trap in newtons per metre and metres at 300 K gives the same numbers of k_B T."""
    k, unit = 1e-6, np.sqrt(BOLTZMANN*300/1e-6)
    trap = Potential("k*(x - c)**2/2", ["x"], {"k": k, "c": 0.0})
    si = book((RUN.grid.times*1e-3, FRAMES*unit), trap, Linear(c=(0.0, 2*unit)), kelvin=300.0)
    reduced = book((RUN.grid.times, FRAMES), Harmonic(), DRAG, temperature=1.0)
    assert np.allclose(si.work, reduced.work) and np.allclose(si.heat_line, reduced.heat_line)


def test_csv(tmp_path):
    table = np.column_stack([RUN.grid.times, FRAMES[:, 0, 0], RUN.grid.parameters["c"]])
    np.savetxt(tmp_path/"one.csv", table, delimiter=",", header="time, x, c", comments="")
    books = book(read_trajectory(tmp_path/"one.csv", ["x"]), Harmonic(), temperature=1.0)
    assert books.total("work")[0] == pytest.approx(RUN.work[0], abs=1e-9)


@pytest.mark.parametrize("text, words",
                         [("time,y\n1,2\n2,3\n", "header"), ("time,x\n1,a\n", "cannot read"), ("time,x\n", "shape")])
def test_bad_files(tmp_path, text, words):
    (tmp_path/"bad.csv").write_text(text)
    with pytest.raises(UserError, match=words):
        book(read_trajectory(tmp_path/"bad.csv", ["x"]), Harmonic(), temperature=1.0)


@pytest.mark.parametrize("change, words", [
    (dict(temperature=None), "either temperature"), (dict(kelvin=300.0), "either temperature"),
    (dict(temperature=-1.0), "positive"),
    (dict(trajectory=([0.0, 1.0], np.zeros((3, 2, 1)))), "rising times"),
    (dict(trajectory=([0.0, 1.0], [0.0, np.nan])), "gaps"),
    (dict(trajectory=([0.0, 1.0], np.zeros((2, 2, 2)))), "shape")])
def test_complaints(change, words):
    how = {**dict(trajectory=([0.0, 1.0], [0.0, 1.0]), potential=Harmonic(), temperature=1.0), **change}
    with pytest.raises(UserError, match=words):
        book(**how)
