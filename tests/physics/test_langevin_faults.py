"""What planted faults showed to be untested: mobilities, masses and baths other than 1, Metropolis, row statistics."""

import numpy as np
import pytest

from thermosim.dynamics import Overdamped, Underdamped
from thermosim.integrators import BAOAB, MALA, EulerMaruyama, Splitting
from thermosim.potentials import DoubleWell, Harmonic, Potential, Quartic, Rotation
from thermosim.protocols import Linear
from thermosim.runs.particles import simulate
from thermosim.thermo import fluctuation, observables

QUARTER_MILLION = 250_000


def close(values, exact, largest=6):
    """The mean within `largest` standard errors."""
    error = np.std(values)/np.sqrt(len(values))
    assert abs(np.mean(values) - exact) < largest*error, (np.mean(values), exact, error)
    return error


def test_a_mobility_other_than_one():
    """Chain x' = (1 − μhk)x + √(2μTh)g: mean and variance after n steps in closed form; 0.6 % of the variance shows."""
    mobility, T, k, h, n = 0.4, 1.7, 2.0, 0.25, 6
    run = simulate(Overdamped(Harmonic(k), temperature=T, mobility=mobility), particles=QUARTER_MILLION, x0=1.0,
                   t=(0, n*h), steps=n, scheme=EulerMaruyama(), seed=21)
    a, s2 = 1 - mobility*h*k, 2*mobility*T*h
    variance = s2*(1 - a**(2*n))/(1 - a*a)
    close(run.x[:, 0], a**n)
    close((run.x[:, 0] - a**n)**2, variance)
    np.testing.assert_allclose(run.entropy_env, -run.heat/T, rtol=1e-12, atol=1e-12)
    # heat from the ratio of the two kernels, written out here
    assert run.heat.std() > 0.1 and np.allclose(run.energy - 0.5*k, run.work + run.shadow_work + run.heat, atol=1e-9)


def test_one_step_of_euler_books_the_ratio_of_its_kernels():
    mobility, T, h = 0.4, 1.7, 0.25
    law = DoubleWell()
    x = np.linspace(-1.5, 1.5, 5000)[:, None]
    run = simulate(Overdamped(law, temperature=T, mobility=mobility), x0=x, t=(0, h), steps=1, seed=2)
    log_kernel = lambda end, start: -((end - start - mobility*h*law.force(start))**2)[:, 0]/(4*mobility*T*h)
    np.testing.assert_allclose(run.entropy_env, log_kernel(run.x, x) - log_kernel(x, run.x), rtol=1e-9, atol=1e-9)


def test_work_of_a_rotation_is_force_along_the_chord():
    law, turn = Harmonic(1.0, 0.0, 2), Rotation(2.0)
    x = np.random.default_rng(0).normal(size=(3000, 2))
    run = simulate(Overdamped(law, force=turn), x0=x, t=(0, 0.1), steps=1, seed=3)
    chord = 0.5*((turn.force(x) + turn.force(run.x))*(run.x - x)).sum(axis=1)
    np.testing.assert_allclose(run.work, chord, rtol=1e-10, atol=1e-12)


def test_metropolis_keeps_the_quartic_law_at_a_coarse_step():
    """⟨x⁴⟩ = T for U = x⁴/4 whatever the step; Euler's own law at h = 0.5 is far from it."""
    run = simulate(Overdamped(Quartic()), particles=QUARTER_MILLION, t=(0, 10.0), steps=20, scheme=MALA(), seed=5,
                   books=("heat", "acceptance"))
    error = close(run.x[:, 0]**4, 1.0)
    assert error < 0.005 and 0.3 < run.totals["acceptance"].mean()/20 < 0.95
    start = simulate(Overdamped(Quartic()), particles=QUARTER_MILLION, x0=0.0, t=(0, 20.0), steps=40,
                     scheme=MALA(), seed=6)
    close(start.x[:, 0]**4, 1.0)        # and finds it from elsewhere


def test_a_mass_other_than_one():
    """Exact for the free bath: ⟨v²⟩ = T/m at any step; BAOAB in a trap has ⟨x²⟩ = T/k."""
    T, m, k = 1.5, 0.4, 2.0
    run = simulate(Underdamped(Harmonic(k), temperature=T, mass=m, friction=2.0), particles=QUARTER_MILLION,
                   t=(0, 6.0), steps=20, scheme=BAOAB(), seed=7)
    close(run.x[:, 0]**2, T/k)
    assert run.ledger.mean["kinetic_temperature"][-1] == pytest.approx(T, abs=6*T*np.sqrt(2/QUARTER_MILLION))
    cold = simulate(Underdamped(Harmonic(k), temperature=T, mass=m), particles=QUARTER_MILLION, t=(0, 1e-9), steps=1,
                    scheme=BAOAB(), seed=8)
    close(cold.v[:, 0]**2, T/m)


def test_kinetic_temperature_is_taken_in_the_middle():
    """BAOAB at h = 1, k = m = T = 1: ⟨v²⟩ is 1 − h²/4 = 0.75 at full steps and 1 right after the bath."""
    run = simulate(Underdamped(Harmonic()), particles=QUARTER_MILLION, t=(0, 40.0), steps=40, scheme=BAOAB(), seed=9)
    assert run.ledger.mean["kinetic_temperature"][-1] == pytest.approx(1, abs=6*np.sqrt(2/QUARTER_MILLION))
    close(run.v[:, 0]**2, 0.75)


def test_two_baths_of_a_step_draw_independently():
    """O O without forces between is one O: v' = a²v + …, Var v' = 1 from v = 0 in closed form."""
    free = Potential("0*x", ["x"], {})
    run = simulate(Underdamped(free, friction=0.3), particles=QUARTER_MILLION, x0=0.0, v0=0.0, t=(0, 1.0), steps=1,
                   scheme=Splitting("O V R O"), seed=10)
    close(run.v[:, 0]**2, 1 - np.exp(-2*0.3))
    many = simulate(Underdamped(free, friction=0.3), particles=QUARTER_MILLION, x0=0.0, v0=0.0, t=(0, 1.0), steps=1,
                    scheme=Splitting("O V O R O V O R O O"), seed=11)
    close(many.v[:, 0]**2, 1 - np.exp(-2*0.3))


def test_components_are_independent():
    run = simulate(Overdamped(Harmonic(1.0, 0.0, 3)), particles=QUARTER_MILLION, x0=0.0, t=(0, 1.0), steps=3, seed=12)
    close(run.x[:, 0]*run.x[:, 1], 0.0)
    close(run.x[:, 1]*run.x[:, 2], 0.0)


def test_rows_hold_mean_and_variance_of_the_whole_ensemble():
    """Blocks hold different starts, so the variance between blocks counts."""
    x0 = np.linspace(-3, 3, 5000)[:, None]
    run = simulate(Overdamped(Harmonic()), x0=x0, t=(0, 0.2), steps=4, every=4, protocol=Linear(k=(1.0, 2.0)), seed=13)
    for name in ("work", "heat"):
        assert run.ledger.mean[name][0] == pytest.approx(run.totals[name].mean(), rel=1e-12)
        assert run.ledger.variance[name][0] == pytest.approx(run.totals[name].var(), rel=1e-10)
    assert run.ledger.variance["x"][0] == pytest.approx(run.x.var(), rel=1e-10)


def test_bennett_at_a_temperature_other_than_one():
    rng, T, free = np.random.default_rng(1), 2.5, 1.2
    forward = rng.normal(free + 1.0, np.sqrt(2*T), 40_000)       # Gaussian work: ⟨W⟩ = ΔF + Var/2T
    reverse = rng.normal(-free + 1.0, np.sqrt(2*T), 40_000)
    found = fluctuation.bar(forward, reverse, temperature=T)
    assert abs(found.value - free) < 6*found.error and found.error < 0.05


def test_error_of_a_response():
    rng = np.random.default_rng(2)
    found = observables.response(3.0 + rng.normal(size=10_000), np.zeros(10_000), 0.5)
    assert found.error == pytest.approx(2.0/100, rel=0.05) and found.value == pytest.approx(6.0, abs=6*found.error)
