"""Protocols: limits at jumps, tables, and a last row of zero duration."""
import numpy as np
import pytest
import sympy as sp

from thermosim import protocols as pr
from thermosim.dynamics import Overdamped
from thermosim.errors import UserError
from thermosim.potentials import Harmonic

SPAN, T = (0.0, 2.0), np.linspace(0.0, 2.0, 9)


@pytest.mark.parametrize("protocol", [
    pr.Linear(c=(1.0, 3.0)), pr.Piecewise([0, 2], c=[1, 3]), pr.Sampled(c=[1, 2, 3]), pr.Expression(c="1 + t"),
    pr.Expression(c=1 + sp.Symbol("t"))], ids=lambda p: type(p).__name__)
def test_one_ramp_five_ways(protocol):
    assert np.allclose(protocol.before(T, SPAN)["c"], 1 + T)
    assert np.allclose(protocol.after(T, SPAN)["c"], 1 + T)


def test_smooth_rests_at_both_ends():
    c = pr.Smooth(c=(0.0, 1.0)).before(np.linspace(0, 2, 2001), SPAN)["c"]
    assert c[0] == 0 and c[-1] == 1 and np.allclose(c + c[::-1], 1)
    assert abs(c[1] - c[0]) < 1e-8 and np.all(np.diff(c) >= 0)


def test_limits_at_jumps():
    p = pr.Piecewise([0, 0, 1, 1, 2, 2], k=[1, 2, 3, 5, 6, 4])
    at = np.array([0.0, 0.5, 1.0, 1.5, 2.0])
    assert np.allclose(p.before(at, SPAN)["k"], [1, 2.5, 3, 5.5, 6])
    assert np.allclose(p.after(at, SPAN)["k"], [2, 2.5, 5, 5.5, 4])
    j = pr.Jump(at=1.0, k=(1.0, 4.0))
    assert (np.allclose(j.before(at, SPAN)["k"], [1, 1, 1, 4, 4])
            and np.allclose(j.after(at, SPAN)["k"], [1, 1, 4, 4, 4]))


def test_a_jump_at_the_end_is_a_row_without_duration():
    grid = pr.Grid(Overdamped(Harmonic()), pr.Jump(at=2.0, k=(1.0, 4.0)), T)
    assert grid.steps == 9 and grid.h[-1] == 0 and grid.parameters["k"][-2:].tolist() == [1.0, 4.0]
    assert grid.driven == ("k",)
    assert pr.Grid(Overdamped(Harmonic()), pr.Constant(k=3.0), T).driven == ()


def test_together_and_temperature():
    both = pr.Linear(k=(1.0, 2.0)) & pr.Linear(temperature=(1.0, 3.0))
    grid = pr.Grid(Overdamped(Harmonic()), both, T)
    assert np.allclose(grid.temperature, 1 + T[1:]) and grid.initial_temperature == 1.0
    assert np.allclose(grid.parameters["k"], 1 + T/2)


@pytest.mark.parametrize("make, words", [
    (lambda: pr.Linear(k=3), "two values"), (lambda: pr.Piecewise([1, 0], k=[1, 2]), "never fall"),
    (lambda: pr.Piecewise([0, 1], k=[1, np.nan]), "finite"), (lambda: pr.Linear(k=(1, 2)) & pr.Constant(k=1), "twice"),
    (lambda: pr.Grid(Overdamped(Harmonic()), pr.Constant(q=1), T), "drives q"),
    (lambda: pr.Grid(Overdamped(Harmonic()), pr.Linear(temperature=(1, -1)), T), "positive"),
    (lambda: pr.Grid(Overdamped(Harmonic()), pr.Expression(k="1/(1 - t)"), T), "finite"),
    (lambda: pr.Grid(Overdamped(Harmonic()), None, T[::-1]), "rise")])
def test_complaints_name_the_cause(make, words):
    with pytest.raises(UserError, match=words):
        make()
