"""Correlations, diffusion, response: against AR(1) chains and free Brownian motion in closed form."""
import numpy as np
import pytest

from thermosim.dynamics import Overdamped
from thermosim.errors import UserError
from thermosim.potentials import Harmonic, Periodic
from thermosim.runs.particles import simulate
from thermosim.thermo import observables as ob

RNG = np.random.default_rng(5)


def chain(a, frames, paths):
    """x' = a x + √(1 − a²) g: C(k) = a^k, correlation time (1 + a)/(1 − a)."""
    x = np.empty((frames, paths))
    x[0] = RNG.normal(size=paths)
    for n in range(1, frames):
        x[n] = a*x[n - 1] + np.sqrt(1 - a*a)*RNG.normal(size=paths)
    return x


def test_correlation_matches_the_plain_sum():
    a, b = RNG.normal(size=(2, 40, 3))
    plain = [np.mean((a[:40 - k] - a.mean())*(b[k:] - b.mean())) for k in range(40)]
    assert np.allclose(ob.correlation(a, b), plain)


def test_correlation_time_and_effective_sample_size():
    x = chain(0.8, 4000, 50)
    assert ob.correlation_time(x) == pytest.approx(9.0, rel=0.1)
    assert ob.effective_sample_size(x) == pytest.approx(x.size/9, rel=0.1)
    assert ob.correlation_time(RNG.normal(size=(4000, 20))) == pytest.approx(1.0, abs=0.1)


def test_mean_squared_displacement():
    steps = RNG.normal(size=(60, 5, 2))
    x = np.cumsum(steps, axis=0)
    plain = [np.mean(((x[k:] - x[:60 - k])**2).sum(axis=2)) for k in range(60)]
    assert np.allclose(ob.mean_squared_displacement(x), plain)


def test_effective_diffusion_in_a_washboard():
    """Lifson & Jackson (1962): D_eff = D/(⟨e^{U}⟩⟨e^{−U}⟩) = 1/I_0(1)² for A = T = 1, period 1."""
    from scipy.special import i0

    r = simulate(Overdamped(Periodic(1.0, 1.0)), particles=20_000, x0=0.0, t=(0, 4), steps=4000, books=False, seed=1)
    found = ob.effective_diffusion(np.zeros_like(r.x), r.x, 4.0)
    assert found.value == pytest.approx(1/i0(1.0)**2, abs=5*found.error + 0.01)
    assert found.error < 0.01


def test_response_of_a_trap_is_one_over_its_stiffness():
    runs = [simulate(Overdamped(Harmonic(2.0, c)), particles=500, x0=0.0, t=(0, 5), steps=500, seed=2,
                     books=False).x[:, 0]
            for c in (0.05, 0.0)]         # a shift of the centre by f/k is a force f = 0.1
    found = ob.response(*runs, strength=0.1)
    assert found.value == pytest.approx(0.5, rel=1e-3) and found.error < 1e-6


@pytest.mark.parametrize("call, words", [
    (lambda: ob.correlation([1.0]), "finite"), (lambda: ob.correlation_time(np.ones(9)), "constant"),
    (lambda: ob.mean_squared_displacement(np.ones(9)), "frames"),
    (lambda: ob.correlation(np.ones(9), np.ones(8)), "belong")])
def test_complaints(call, words):
    with pytest.raises(UserError, match=words):
        call()
