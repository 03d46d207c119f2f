"""The error curve and its geodesic against closed forms for Gaussian data."""

import numpy as np
import pytest

from thermosim import schedules
from thermosim.errors import UserError
from thermosim.thermo.grids.geodesic import MseCurve, _falling

SIGMAS = np.geomspace(50.0, 0.01, 300)
S2 = 0.7
LAM = SIGMAS**-2.0


def gaussian_curve(sigmas=SIGMAS):
    """Data N(0, S2): mmse = S2/(1 + λS2), ½∫mmse dλ = ½ln(1 + λS2), L = ½ of the same integral of 1/(1+λS2)."""
    lam = np.asarray(sigmas) ** -2.0
    return MseCurve(sigmas, S2 / (1 + lam * S2))


def test_integral_length_and_force():
    curve = gaussian_curve()
    log_ratio = np.log((1 + LAM[-1] * S2) / (1 + LAM[0] * S2))
    assert curve.integral(0.01) == pytest.approx(0.5 * log_ratio, rel=1e-6)
    assert curve.length == pytest.approx(0.5 * log_ratio, rel=1e-6)  # √ζ = ½S2/(1 + λS2) here
    assert curve.force(0.5) == pytest.approx(S2 / (1 + 4 * S2), rel=1e-5)


def test_geodesic_is_the_closed_one():
    """Equal steps in ln(1 + λS2): the ratio r of neighbouring marginal variances is constant."""
    sigmas = gaussian_curve().geodesic(50.0, 0.01, 12)
    ratio = np.diff(np.log(1 + sigmas**-2.0 * S2))
    assert np.ptp(ratio) < 1e-4 * ratio.mean()
    assert sigmas[0] == 50.0 and sigmas[-1] == 0.01


def test_dissipation_is_the_sum_over_steps():
    """Σ ½(r − 1 − ln r) with r = (1 + λ_{k+1}S2)/(1 + λ_k S2), by hand, for every grid."""
    curve = gaussian_curve()
    for make in (schedules.linear, schedules.cosine, schedules.karras, schedules.log_snr, curve.geodesic):
        sigmas = make(50.0, 0.01, 9)
        v = 1 + sigmas**-2.0 * S2
        r = v[1:] / v[:-1]
        assert curve.dissipation(sigmas) == pytest.approx(0.5 * np.sum(r - 1 - np.log(r)), rel=2e-5)


def test_no_other_grid_dissipates_less_on_a_gaussian():
    """Equal r is the exact optimum for Gaussian data: random perturbations of the geodesic cost more."""
    curve = gaussian_curve()
    best = curve.geodesic(50.0, 0.01, 10)
    rng = np.random.default_rng(3)
    for _ in range(50):
        other = best * np.exp(np.concatenate(([0], rng.normal(scale=0.02, size=9), [0])))
        assert curve.dissipation(other) > curve.dissipation(best)


def two_scales():
    return MseCurve(SIGMAS, 4 / (1 + 4 * LAM) + 0.5 / (1 + 0.01 * LAM))


@pytest.mark.parametrize("steps", [1, 2, 7, 40])
def test_even_steps_dissipate_equally_and_less_than_the_geodesic(steps):
    curve = two_scales()
    sigmas = curve.even(50.0, 0.01, steps)
    lost = curve.step_work(sigmas) - np.diff(curve.integral(sigmas))
    assert len(sigmas) == steps + 1 and np.ptp(lost) < 1e-3 * lost.mean()
    assert curve.dissipation(sigmas) <= curve.dissipation(curve.geodesic(50.0, 0.01, steps)) * (1 + 1e-9)


def test_even_steps_are_the_closed_optimum_of_a_gaussian():
    ratio = np.diff(np.log(1 + S2 * gaussian_curve().even(20.0, 0.05, 9) ** -2.0))
    assert np.ptp(ratio) < 1e-3 * ratio.mean()


def test_even_steps_refuse_what_the_curve_does_not_hold():
    with pytest.raises(UserError, match="too flat"):
        MseCurve(SIGMAS, np.full(300, 2.0)).even(50.0, 0.01, 4)
    with pytest.raises(UserError, match="leave the measured curve"):
        gaussian_curve().even(80.0, 0.01, 4)


def test_entropy_change_is_that_of_a_gaussian():
    sigmas = schedules.karras(50.0, 0.01, 7)
    expected = 0.5 * np.diff(np.log(S2 + sigmas**2))
    assert np.allclose(gaussian_curve().entropy_change(sigmas, 1), expected, rtol=1e-4, atol=1e-6)


def test_rises_of_a_measured_curve_are_ironed_out():
    assert np.array_equal(_falling(np.array([3.0, 1.0, 2.0, 0.5])), [3.0, 1.5, 1.5, 0.5])
    noisy = S2 / (1 + LAM * S2) * (1 + 0.02 * np.random.default_rng(0).standard_normal(len(LAM)))
    curve = MseCurve(SIGMAS, noisy)
    assert np.all(np.diff(curve.geodesic(50.0, 0.01, 20)) < 0)
    # 2 % of noise at each level turns the slope into steps, and steps shorten the way: by under 15 %
    assert 0.85 < curve.length / gaussian_curve().length < 1.0


def test_plateaus_cost_nothing_and_are_stepped_over():
    mse = np.where(SIGMAS > 1, 2.0, 0.5)  # a curve that falls at σ ≈ 1 only
    sigmas = MseCurve(SIGMAS, mse).geodesic(50.0, 0.01, 4)
    assert np.all(np.diff(sigmas) < 0)


def test_nonsense_is_refused():
    for sigmas, mse in (([1, 2], [1, 2]), (SIGMAS, SIGMAS[:-1]), (SIGMAS, -SIGMAS), (SIGMAS, np.full(300, np.nan))):
        with pytest.raises(UserError):
            MseCurve(sigmas, mse)
    with pytest.raises(UserError, match="leave the measured curve"):
        gaussian_curve().dissipation(schedules.karras(80.0, 0.01, 5))
