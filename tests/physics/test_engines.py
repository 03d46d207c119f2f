"""Engines in a trap: quasi-static strokes both ways, the heat
of optimal strokes, the limit of small mass, complaints."""

from math import log, sqrt

import numpy as np
import pytest

from thermosim.errors import UserError
from thermosim.thermo.cycles import quasi_static as qs
from thermosim.thermo.cycles.moments import Stroke, UnderdampedMoments, limit_cycle
from thermosim.thermo.cycles.optimal import SchmiedlSeifert, stiffening

ENGINE = SchmiedlSeifert(1.0, 2.0, 2.0, 1.0)


@pytest.mark.parametrize("full, corners", [
    (False, qs.carnot(2, 1, 4, 1)), (True, qs.carnot(2, 1, 4, 1, full=True)), (False, qs.stirling(2, 1, 4, 1)),
    (True, qs.stirling(2, 1, 4, 1)), (False, qs.otto(2, 1, 1.5, 1)), (True, qs.otto(2, 1, 1.5, 1, full=True))])
def test_a_reversed_reversible_stroke_gives_back_what_it_took(full, corners):
    for a, b in zip(corners, corners[1:] + corners[:1]):
        assert np.allclose(qs.stroke(a, b, full), -np.array(qs.stroke(b, a, full)), atol=1e-14)


@pytest.mark.parametrize("ratio", [0.1, 0.5, 1.0])
def test_carnot_is_carnot_in_either_books(ratio):
    for full in (False, True):
        books = qs.run(qs.carnot(2, 2*ratio*0.9, 4, 1, full), full)
        assert books.efficiency == pytest.approx(1 - ratio*0.9, abs=1e-12) and abs(books.entropy_production) < 1e-12


def test_full_otto_keeps_its_isentropes():
    books = qs.run(qs.otto(2, 1, 1.5, 1, full=True), full=True)
    assert books.efficiency == pytest.approx(1 - sqrt(1/1.5), abs=1e-12)


@pytest.mark.parametrize("t", [1.0, 3.0])
def test_moments_give_the_heat_of_the_paper(t):
    """Q_h = T_hΔS − A/t, engine and refrigerator; the dissipated A/t has the same sign both ways."""
    entropy, waste = 0.5*log(2), ENGINE.action
    forth, back = limit_cycle(ENGINE.strokes(t, 2*t)).books, limit_cycle(ENGINE.refrigerator(t, 2*t)).books
    assert forth.heat_hot == pytest.approx(2*entropy - waste/t, abs=1e-9)
    assert back.heat_hot == pytest.approx(-2*entropy - waste/t, abs=1e-9)
    assert back.heat_cold == pytest.approx(entropy - waste/(2*t), abs=1e-9)


def test_underdamped_cycle_tends_to_the_overdamped_one_at_small_mass():
    """At γm = 1/μ the work differs by order m; the hot heat by the kinetic exchange ΔT/2 besides."""
    strokes = [Stroke.linear(2.0, 1.0, 2.0, 3.0), Stroke.linear(1.0, 2.0, 1.0, 3.0)]
    over = limit_cycle(strokes).books
    coarse, fine = (limit_cycle(strokes, UnderdampedMoments(1/m, m)).books for m in (0.02, 0.01))
    assert 2*fine.work - coarse.work == pytest.approx(over.work, abs=3e-4)
    assert 2*fine.heat_hot - coarse.heat_hot == pytest.approx(over.heat_hot + 0.5, abs=1e-3)


def test_stiffening_is_the_least_over_its_family():
    """Against a search over the end width, done another way."""
    work, _ = stiffening(1.0, 4.0, 1.0)
    c = np.linspace(-0.95, 0.5, 200_001)
    assert work == pytest.approx(np.min(2*(1 + c)**2 - 0.5 - np.log(1 + c) + c*c), abs=1e-9)


def test_bad_input_says_what_to_mend():
    with pytest.raises(UserError, match="positive"):
        Stroke.linear(1, 2, -1.0, 1.0)
    with pytest.raises(UserError, match="two bath"):
        limit_cycle([Stroke.linear(1, 2, 1.0, 1.0)])
    with pytest.raises(UserError, match="neither"):
        qs.stroke(qs.Corner(1, 1), qs.Corner(3, 2))
