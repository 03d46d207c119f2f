"""The engine that runs on information: closed books, particles and densities; its second law and its equality."""

from math import exp, log, sqrt

import numpy as np
import pytest

from thermosim.errors import UserError
from thermosim.thermo.cycles.feedback import Balance, Feedback, by_density, by_particles, closed, most_work

CAREFUL = Feedback.least_work(0.25, 2.0, temperature=1.5, stiffness=0.8, mobility=1.2)
SLOPPY = Feedback(lambda t: 2.0 + t, lambda t: 0.6*exp(-t), 1.5, 0.3, temperature=1.2, mobility=0.8)
VAGUE = Feedback(lambda t: 1.2, lambda t: 0.4*exp(-t), 1.0, 2.0)        # e > w: e^{−W/T − i} has a variance
COLUMNS = ("work", "information", "left", "width")


def test_the_closed_turn_of_least_work_is_the_bound():
    """Linear equations integrated to 1e-12 against T·I − W2²/(μt), and the limit of slowness −W → T·I."""
    rng = np.random.default_rng(0)
    for e, T, k, mu in rng.uniform(0.2, 3.0, (8, 4)):
        w, t = T/k, rng.uniform(1.5, 6.0)/(mu*k)
        turn = closed(Feedback.least_work(e, t, T, k, mu))
        assert turn.work == pytest.approx(-most_work(e, t, T, k, mu), abs=1e-9)
        assert turn.width == pytest.approx(w, rel=1e-9) and abs(turn.left) < 1e-9
        assert turn.information == pytest.approx(0.5*log(1 + w/e), rel=1e-12)
        assert turn.entropy_production > 0 and turn.efficiency < 1
    slow = closed(Feedback.least_work(0.25, 1e3))
    assert 1 - slow.efficiency == pytest.approx((0.8 + (1 - sqrt(0.2))**2)/1e3/(0.5*log(5)), rel=1e-6)


def test_no_random_control_gains_more_than_it_learnt():
    """60 controls, good and silly: −W ≤ T(I − I_left); a fifth of them deliver work, so the law is asked something."""
    rng, delivering = np.random.default_rng(4), 0
    for _ in range(60):
        e, T, k0, mu, t = np.exp(rng.normal(0, 0.6, 5))
        w = T/k0
        a, b, c, follow = *rng.normal(0, 0.5, 3), rng.uniform(0.0, 1.5)
        known = w/(w + e)
        turn = closed(Feedback(lambda s: T/w*exp(abs(a) + b*s/t), lambda s: follow*known*(1 - s/t) + 0.1*c*s/t, t,
                               e, T, k0, mu))
        assert np.isfinite(turn.work) and turn.entropy_production > -1e-9 and turn.left >= 0
        delivering += turn.work < 0
    assert delivering >= 12


@pytest.mark.parametrize("engine, warm", [(CAREFUL, 0), (SLOPPY, 3)])
def test_particles_book_what_the_moments_book(engine, warm):
    seen, exact = by_particles(engine, particles=100_000, steps=60, warm=warm, turns=2, seed=2), closed(engine)
    for name in COLUMNS:
        error = getattr(seen.error, name)
        assert abs(getattr(seen.balance, name) - getattr(exact, name)) < 6*error and error < 0.01, name


@pytest.mark.parametrize("steps", [1, 4, 30])
def test_the_equality_of_sagawa_and_ueda_holds_at_any_number_of_steps(steps):
    """⟨e^{−W/T − i}⟩ = 1 within 0.3 %; the information alone is worth 22 %."""
    seen = by_particles(VAGUE, particles=200_000, steps=steps, seed=6).equality
    assert abs(seen.value - 1) < 6*seen.error and seen.error < 0.003 and seen.effective > 10_000


@pytest.mark.parametrize("engine, nodes, warm", [(CAREFUL, 4, 0), (VAGUE, 8, 3)])
def test_densities_book_what_the_moments_book(engine, nodes, warm):
    seen, exact = by_density(engine, cells=200, nodes=nodes, warm=warm), closed(engine)
    for name in COLUMNS:
        assert getattr(seen.balance, name) == pytest.approx(getattr(exact, name), abs=2e-4), name


def test_the_balance_of_a_turn():
    turn = Balance(work=-0.6, information=1.0, left=0.1, width=1.0, temperature=2.0, duration=3.0)
    assert (turn.entropy_production, turn.efficiency, turn.power) == (pytest.approx(0.6), pytest.approx(0.3),
                                                                      pytest.approx(0.2))


def test_complaints():
    with pytest.raises(UserError, match="push outwards: take more than"):
        Feedback.least_work(0.01, 0.1)
    with pytest.raises(UserError, match="error = 0"):
        Feedback.least_work(0.0, 1.0)
    with pytest.raises(UserError, match="drift apart"):
        closed(Feedback(lambda t: -1.0, lambda t: 0.0, 1.0, 1.0))
