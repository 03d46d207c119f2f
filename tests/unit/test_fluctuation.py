"""Estimators against Gaussian work, whose every answer is closed: ΔF = ⟨W⟩ − Var/2T."""
import numpy as np
import pytest

from thermosim.errors import UserError
from thermosim.thermo import fluctuation as fl

RNG = np.random.default_rng(8)
MEAN, SPREAD, N = 1.0, 1.2, 40_000
FORWARD = RNG.normal(MEAN, SPREAD, N)
FREE = MEAN - SPREAD**2/2
REVERSE = RNG.normal(-FREE + SPREAD**2/2, SPREAD, N)       # Crooks: Gaussian with mean −ΔF + Var/2


def test_jarzynski():
    found = fl.jarzynski(FORWARD)
    assert abs(found.value - FREE) < 5*found.error
    assert found.error == pytest.approx(np.sqrt((np.exp(SPREAD**2) - 1)/N), rel=0.3)
    assert found.warning == ""
    scaled = fl.jarzynski(3*FORWARD, temperature=3.0)
    assert scaled.value == pytest.approx(3*found.value)


def test_a_starved_average_says_so():
    found = fl.jarzynski(np.random.default_rng(0).normal(0, 8, 500))
    assert "paths carry the average" in found.warning and found.effective < 5


def test_exponential_average_and_its_error():
    n, s = 40_000, 0.8
    z = [(fl.exponential_average(np.random.default_rng(k).normal(s*s/2, s, n)).value - 1) for k in range(60)]
    error = fl.exponential_average(np.random.default_rng(0).normal(s*s/2, s, n)).error
    assert np.std(z) == pytest.approx(error, rel=0.35)
    assert abs(np.mean(z)) < 5*error/np.sqrt(60)


def test_the_detailed_theorem_is_a_line_of_slope_one_through_the_free_energy():
    found = fl.detailed(FORWARD, REVERSE)
    assert abs(found.slope.value - 1) < 5*found.slope.error < 0.2
    assert abs(found.crossing.value - FREE) < 5*found.crossing.error < 0.2
    wrong = fl.detailed(1.2*FORWARD, 1.2*REVERSE)          # 20 % too much work: slope 1/1.2
    assert abs(wrong.slope.value - 1) > 5*wrong.slope.error
    with pytest.raises(UserError, match="overlap"):
        fl.detailed(FORWARD + 30, REVERSE + 30)


def test_bennett():
    found = fl.bar(FORWARD, REVERSE)
    assert abs(found.value - FREE) < 5*found.error < 0.05


def test_overlap_of_one_law_with_itself():
    assert fl.overlap(FORWARD, -FORWARD) == 1.0
    assert fl.overlap(FORWARD, 100 - FORWARD) == 0.0


def test_uncertainty_ratio_of_biased_diffusion_is_one():
    """Drift v, diffusion D: J = displacement, Σ = vJ/D, so (Var J/⟨J⟩²)⟨Σ⟩/2 = 1."""
    v, D, t = 0.7, 0.5, 3.0
    j = RNG.normal(v*t, np.sqrt(2*D*t), N)
    found = fl.uncertainty_ratio(j, v*j/D)
    assert abs(found.value - 1) < 5*found.error < 0.2


def test_hatano_sasa_of_a_trap_that_is_moved_at_once():
    """φ = ½(x − λ)²: one jump from 0 to 1, then rest."""
    x = RNG.normal(size=(3, N, 1))
    y = fl.hatano_sasa(x, lambda p, c: -0.5*(p[:, 0] - c)**2 - 0.5*np.log(2*np.pi), [0.0, 1.0, 1.0])
    assert np.allclose(y, 0.5 - x[0, :, 0])
    found = fl.exponential_average(y)
    assert abs(found.value - 1) < 5*found.error


def test_bootstrap_error_of_a_mean():
    assert fl.bootstrap(np.mean, FORWARD, resamples=300) == pytest.approx(SPREAD/np.sqrt(N), rel=0.25)


@pytest.mark.parametrize("call, words", [
    (lambda: fl.jarzynski([1.0]), "one value per path"), (lambda: fl.jarzynski([1.0, np.nan]), "do not exist"),
    (lambda: fl.hatano_sasa(np.zeros((3, 2, 1)), None, [1, 2]), "control values")])
def test_complaints(call, words):
    with pytest.raises(UserError, match=words):
        call()
