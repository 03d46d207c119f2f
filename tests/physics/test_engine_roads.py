"""Cycles on particles and on a density against the closed moments, forward and backward, with and without inertia."""

import numpy as np
import pytest

from thermosim.errors import UserError
from thermosim.thermo.cycles.moments import (Isolated, OverdampedMoments, Stroke, UnderdampedMoments, limit_cycle,
                                             propagator, regenerate)
from thermosim.thermo.cycles.optimal import geodesic
from thermosim.thermo.cycles.roads import by_density, by_particles
from thermosim.thermo.cycles.strokes import (carnot, inert_carnot, inert_otto, otto, regenerated_stirling,
                                             reversed_cycle, stirling)

STIRLING = stirling(2.0, 1.0, 4.0, 1.0, 1.5, 0.5)
CYCLES = {"carnot": carnot(2.0, 1.0, 4.0, 1.0, 2.0, 2.0), "stirling": STIRLING, "otto": otto(2.0, 1.0, 1.5, 1.0, 0.7),
          "stirling backward": reversed_cycle(STIRLING)}
COLUMNS = ("work", "heat_hot", "heat_cold")


def agree(measured, books, sharp):
    """Every column within six of its errors, and these small enough to mean something."""
    for name in COLUMNS:
        value, error, exact = getattr(measured.books, name), getattr(measured.error, name), getattr(books, name)
        assert abs(value - exact) < 6*error and error < sharp, (name, value, error, exact)


@pytest.mark.parametrize("name", CYCLES)
def test_particles_book_what_the_moments_book(name):
    medium = OverdampedMoments(mobility=0.8)
    agree(by_particles(CYCLES[name], medium, particles=60_000, steps=60, turns=2, seed=3),
          limit_cycle(CYCLES[name], medium).books, 0.01)


def test_particles_with_inertia():
    medium = UnderdampedMoments(friction=2.0, mass=0.5)
    agree(by_particles(STIRLING, medium, particles=60_000, steps=100, turns=2, seed=4),
          limit_cycle(STIRLING, medium).books, 0.02)


@pytest.mark.parametrize("name", ["otto", "stirling backward"])
def test_the_density_books_what_the_moments_book(name):
    books = limit_cycle(CYCLES[name]).books
    measured = by_density(CYCLES[name], cells=240, tolerance=1e-4, warm=3)
    for column in COLUMNS:
        assert getattr(measured.books, column) == pytest.approx(getattr(books, column), abs=2e-4)
    assert measured.books.entropy_production == pytest.approx(books.entropy_production, abs=3e-4)
    assert measured.entropy_production_error() < 0.01


def test_the_density_errs_by_the_square_of_its_cells():
    """What extrapolation changes is (fine − coarse)/3: a quarter
    of it on twice the cells, and nearly all of the error."""
    strokes = CYCLES["carnot"]
    books, seen = limit_cycle(strokes).books, [by_density(strokes, cells=n, tolerance=1e-4, warm=2) for n in (100, 200)]
    for column in COLUMNS:
        coarse, fine = (getattr(m.error, column) for m in seen)
        assert 3.8 < coarse/fine < 4.4, column
        assert abs(getattr(seen[1].books, column) - getattr(books, column)) < 0.2*fine


INERT = UnderdampedMoments(friction=2.0, mass=0.5)
CARNOT = carnot(2.0, 1.0, 4.0, 1.0, 4.0, 4.0)
HEAVY = {"stirling": STIRLING, "otto on adiabats": inert_otto(2.0, 1.0, 2.0, 1.0, 3.0, 0.5),
         "carnot backward": reversed_cycle(inert_carnot(2.0, 1.0, 9.0, 4.0, 3.0, 3.0, 0.5))}


@pytest.mark.parametrize("name", HEAVY)
def test_the_density_with_inertia(name):
    """Third road of the underdamped cycles, adiabats without bath among them."""
    books, seen = limit_cycle(HEAVY[name], INERT).books, by_density(HEAVY[name], INERT, cells=110, warm=2)
    for column in COLUMNS:
        assert getattr(seen.books, column) == pytest.approx(getattr(books, column), abs=3e-4)
        assert getattr(seen.error, column) < 5e-3
    assert abs(seen.books.work + seen.books.heat_hot + seen.books.heat_cold) < 1e-6     # shadow work and all


def test_the_density_with_inertia_errs_by_the_square_of_its_cells_and_steps():
    """What extrapolation changes falls by 4 from 100 to 200 cells of v, what it leaves by about 16."""
    books, seen = limit_cycle(CARNOT, INERT).books, [by_density(CARNOT, INERT, cells=n, warm=2) for n in (100, 200)]
    for column in COLUMNS:
        changed, left = ([f(m) for m in seen]
                         for f in (lambda m: getattr(m.error, column),
                                   lambda m: abs(getattr(m.books, column) - getattr(books, column))))
        assert np.log2(changed[0]/changed[1]) == pytest.approx(2, abs=0.15), column
        assert left[1] < 1e-5 and left[1] < 0.1*left[0], column


def test_an_engine_turned_around_slowly_gives_back_what_it_took():
    """At ever longer strokes what work and heats of the two directions leave falls, the work as 1/duration."""
    left = []
    for t in (80.0, 160.0):
        engine = carnot(2.0, 1.0, 4.0, 1.0, t, t)
        there, back = limit_cycle(engine).books, limit_cycle(reversed_cycle(engine)).books
        left.append([abs(getattr(there, c) + getattr(back, c)) for c in COLUMNS])
    long, longer = np.array(left)
    assert long[0]/longer[0] == pytest.approx(2, rel=0.03) and np.all(longer < 0.6*long)
    assert there.efficiency > 0.49 and back.cop > 0.97


DERIVED = ("entropy_production", "power", "efficiency", "cop", "cop_heating")


@pytest.mark.parametrize("strokes", [CYCLES["carnot"], reversed_cycle(carnot(2.0, 1.0, 4.0, 1.0, 6.0, 6.0))],
                         ids=["engine", "refrigerator"])
def test_errors_of_derived_figures(strokes):
    """32 runs of a tenth of the particles: their scatter is √10
    of the stated error, within 50 % (4 errors of a scatter)."""
    measured = by_particles(strokes, particles=20_000, steps=12, seed=5)
    again = [by_particles(strokes, particles=2_000, steps=12, seed=s).books for s in range(10, 42)]
    seen = [figure for figure in DERIVED if np.isfinite(getattr(measured.books, figure))]
    assert len(seen) >= 3
    for figure in seen:
        scatter = np.std([getattr(b, figure) for b in again])/np.sqrt(10)
        assert scatter == pytest.approx(getattr(measured, f"{figure}_error")(), rel=0.5), figure


@pytest.mark.parametrize("stores", [1, 2, 5])
def test_a_regenerator_of_few_stores_saves_its_share(stores):
    """Slow, less the A/t of the isotherms: −W = ΔTΔS, Q_h = T_hΔS + ½ΔT/(stores + 1), at evenly spaced temperatures."""
    t, entropy = 8.0, 0.5*np.log(4)
    cycle = regenerated_stirling(2.0, 1.0, 4.0, 1.0, t, 12.0*(stores + 1), stores, geodesic)
    books = limit_cycle(cycle).books
    in_hot, in_cold = (np.sqrt(2) - np.sqrt(0.5))**2/t, (1 - np.sqrt(0.25))**2/t
    assert -books.work + in_hot + in_cold == pytest.approx(entropy, abs=1e-9)
    assert books.heat_hot + in_hot == pytest.approx(2*entropy + 0.5/(stores + 1), abs=1e-9)
    np.testing.assert_allclose([s.temperature for s in cycle[1:stores + 1]],
                               2 - np.arange(1, stores + 1)/(stores + 1), atol=1e-9)


@pytest.mark.parametrize("medium", [OverdampedMoments(0.8), UnderdampedMoments(2.0, 0.5)])
def test_particles_find_the_stores_balanced(medium):
    """W + Q_h + Q_c of the particles is what the stores miss: nothing, within its error, forward and backward."""
    there = regenerated_stirling(2.0, 1.0, 4.0, 1.0, 2.0, 3.0, 1, medium=medium)
    for cycle in (there, regenerate(reversed_cycle(there), medium)):
        books, seen = limit_cycle(cycle, medium).books, by_particles(cycle, medium, particles=20_000, steps=60, seed=8)
        agree(seen, books, 0.05)
        assert abs(books.work + books.heat_hot + books.heat_cold) < 1e-9
        missed = seen.books.work + seen.books.heat_hot + seen.books.heat_cold
        assert abs(missed) < 6*np.hypot(seen.error.heat_hot, seen.error.heat_cold)


def test_the_density_of_a_regenerated_cycle():
    cycle = regenerated_stirling(2.0, 1.0, 4.0, 1.0, 1.0, 1.0, 1)
    measured, books = by_density(cycle, cells=160, tolerance=3e-4, warm=2), limit_cycle(cycle).books
    for column in COLUMNS:
        assert getattr(measured.books, column) == pytest.approx(getattr(books, column), abs=1e-3)


@pytest.mark.parametrize("half_turns", [1, 2])
@pytest.mark.parametrize("k0, k1", [(4.0, 1.0), (1.0, 2.5)])
def test_an_adiabat_of_half_turns_is_reversible(k0, k1, half_turns):
    """From equilibrium to equilibrium in finite time, T ∝ √k; a
    faster one of the same ends is not, yet keeps its entropy."""
    m, T = 0.7, 1.3
    medium, there = UnderdampedMoments(2.0, m), Isolated.reversible(k0, k1, m, half_turns)
    assert there.k(0.0) == k0 and there.k(there.duration) == pytest.approx(k1)
    start = np.array([1, T/k0, 0, T/m, 0, 0])
    end, cooled = propagator(medium, there) @ start, T*np.sqrt(k1/k0)
    np.testing.assert_allclose(end, [1, cooled/k1, 0, cooled/m, 0, 0], atol=1e-9)
    rash = propagator(medium, Isolated(lambda t: there.k(10*t), there.duration/10)) @ start
    assert (medium.energy(rash, k1) > medium.energy(end, k1) + 0.01
            and medium.entropy(rash) == pytest.approx(medium.entropy(start), abs=1e-9))


@pytest.mark.parametrize("strokes",
                         [inert_otto(2.0, 1.0, 2.0, 1.0, 3.0, 0.5),
                          reversed_cycle(inert_carnot(2.0, 1.0, 16.0, 4.0, 5.0, 5.0, 0.5))],
                         ids=["otto", "carnot backward"])
def test_particles_on_adiabats_with_inertia(strokes):
    medium = UnderdampedMoments(friction=2.0, mass=0.5)
    books = limit_cycle(strokes, medium).books
    assert (books.work < 0) == np.isfinite(books.efficiency) and np.isfinite(books.efficiency) != np.isfinite(books.cop)
    agree(by_particles(strokes, medium, particles=60_000, steps=200, turns=2, seed=4), books, 0.02)


def test_complaints():
    for road in (limit_cycle, by_particles):
        with pytest.raises(UserError, match="does not move without a bath"):
            road(inert_otto(2.0, 1.0, 1.5, 1.0, 3.0))
    with pytest.raises(UserError, match="two different stiffnesses"):
        Isolated.reversible(1.0, 1.0)
    with pytest.raises(UserError, match="positive duration"):
        Isolated(lambda t: 1.0, 0.0)
    with pytest.raises(UserError, match="store at T = 1.5"):
        limit_cycle([Stroke.linear(2.0, 1.0, T, 1.0) for T in (2.0, 1.5, 1.0)])
    with pytest.raises(UserError, match="more time"):
        regenerate([Stroke.linear(4.0, 1.0, 2.0, 3.0), Stroke.linear(1.0, 4.0, 1.0, 3.0),
                    Stroke.linear(0.2, 0.1, 1.5, 0.2)])
    with pytest.raises(UserError, match="does not move without a bath"):
        by_density(inert_otto(2.0, 1.0, 1.5, 1.0, 3.0))
    with pytest.raises(UserError, match="take 80 or more"):
        by_density(STIRLING, UnderdampedMoments(20.0, 0.1), cells=40)
    with pytest.raises(UserError, match="two bath temperatures"):
        by_particles([Stroke.linear(1.0, 2.0, 1.0, 1.0)])
