"""Rows moved by distances of their own: against polynomials,
moments, a circle walked around, and another cut of the rows."""
import numpy as np
import pytest
from scipy.special import ndtr

from thermosim.backend.cpu.shears import shift
from thermosim.backend.cpu.threads import get_threads, set_threads

FAR = np.array([0.0, 0.3, 0.999, -0.4, 1.5, -7.25, 3.0])


def below(masses, edge, s):
    """Mass below a point s cells under an edge: the polynomial through the six edges nearest, by solving for it."""
    cumulative = np.concatenate(([0.0], np.cumsum(masses)))
    first = edge - int(np.floor(s)) - 3
    nodes = np.arange(first, first + 6)
    powers = np.linalg.solve(np.vander(nodes - edge + s, 6), cumulative[nodes])
    return powers[-1]


def test_edges_get_the_mass_that_was_below_where_they_came_from():
    """Smooth enough that nothing is limited."""
    u = 1 + 0.1*np.random.default_rng(1).random(30)
    moved = shift(np.tile(u, (len(FAR), 1)), FAR)
    for row, s in zip(moved, FAR):
        for cell in (12, 15, 17):
            assert row[cell] == pytest.approx(below(u, cell + 1, s) - below(u, cell, s), abs=1e-13)


@pytest.mark.parametrize("width, sharp", [(2.5, 1e-7), (2.0, 3e-5)])
def test_a_resolved_law_keeps_four_moments(width, sharp):
    x = np.arange(80) - 39.5
    u = np.exp(-0.5*(x/width)**2)
    for s, row in zip(FAR, shift(np.tile(u/u.sum(), (len(FAR), 1)), FAR)):
        for power in range(5):
            assert row @ (x - s)**power == pytest.approx(u @ x**power/u.sum(), abs=sharp*width**power), (s, power)


def test_error_falls_as_the_fifth_power_of_the_cells():
    errors = []
    for n in (40, 80, 160):
        edges = np.linspace(-10, 10, n + 1)
        u, want = np.diff(ndtr(edges)), np.diff(ndtr(edges - 1))
        once = shift(u[None], np.array([n/20/7]))[0]           # 1 to the right, in sevenths
        for _ in range(6):
            once = shift(once[None], np.array([n/20/7]))[0]
        errors.append(np.abs(once - want).sum())
    assert np.all(np.log2(np.array(errors[:-1])/errors[1:]) > 4.7)


@pytest.mark.parametrize("ring", [False, True])
def test_mass_stays_and_none_is_negative(ring):
    rng = np.random.default_rng(2)
    u = rng.random((200, 23))*(rng.random((200, 23)) < 0.3)
    moved = shift(u, 8*rng.normal(size=200), ring)
    assert moved.min() >= 0 and np.any(moved == 0)
    np.testing.assert_allclose(moved.sum(axis=1), u.sum(axis=1), rtol=1e-14)


def test_whole_cells_are_moved_to_the_bit():
    u = np.random.default_rng(3).random((5, 11))
    for s in (0, 3, -4, 11, 250, -38):
        np.testing.assert_array_equal(shift(u, np.full(5, s), ring=True), np.roll(u, s, axis=1))
    np.testing.assert_array_equal(shift(u, np.full(5, 2.0))[:, 2:-1], u[:, :-3])
    assert np.allclose(shift(u, np.full(5, -1e6))[:, 0], u.sum(axis=1))


def test_a_ring_has_no_seam():
    u = 1 + np.sin(2*np.pi*np.arange(16)/16)
    for s in FAR:
        around = [np.roll(shift(np.roll(u, k)[None], np.array([s]), True)[0], -k) for k in (0, 5, 15)]
        np.testing.assert_allclose(around, np.tile(around[0], (3, 1)), atol=1e-15)


def test_threads_and_layout_change_nothing():
    rng = np.random.default_rng(4)
    u, s, before = rng.random((300, 200)), rng.normal(size=300), get_threads()
    try:
        set_threads(1)
        one = shift(u, s)
        set_threads(4)
        np.testing.assert_array_equal(shift(np.asfortranarray(u), s), one)
    finally:
        set_threads(before)
