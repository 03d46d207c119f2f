"""Processes and grids against formulas written out again, and their ends."""

import numpy as np
import pytest
from scipy.integrate import quad

from thermosim import schedules
from thermosim.errors import UserError
from thermosim.schedules import EDM, VE, VP, Chain, SubVP, ve_chain, vp_chain

GRIDS = (schedules.linear, schedules.cosine, schedules.karras, schedules.log_snr)


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("steps", [1, 2, 7, 100])
def test_grids_fall_between_exact_ends(grid, steps):
    sigmas = grid(20.0, 0.01, steps)
    assert sigmas.shape == (steps + 1,)
    assert sigmas[0] == 20.0 and sigmas[-1] == 0.01
    assert np.all(np.diff(sigmas) < 0)


def test_grids_are_equidistant_in_their_own_coordinate():
    def even(values):
        return np.ptp(np.diff(values)) < 1e-9 * np.ptp(values)

    assert even(schedules.karras(80.0, 0.002, 18) ** (1 / 7))
    assert even(np.log(schedules.log_snr(80.0, 0.002, 18)))
    assert even(np.arctan(schedules.cosine(80.0, 0.002, 18)))
    # the DDPM schedule: ᾱ = exp(−(0.1 t + 9.95 t²)), solved for t by bisection, not by the formula
    from scipy.optimize import brentq

    times = [brentq(lambda t: np.expm1(0.1 * t + 9.95 * t * t) - s * s, 0, 2) for s in schedules.linear(20.0, 0.01, 9)]
    assert even(times)


@pytest.mark.parametrize("bad", [(1.0, 2.0, 5), (1.0, 0.0, 5), (np.inf, 1.0, 5), (2.0, 1.0, 0), (2.0, 1.0, 1.5)])
def test_grids_refuse_nonsense_in_one_line(bad):
    for grid in GRIDS:
        with pytest.raises(UserError) as error:
            grid(*bad)
        assert "\n" not in str(error.value)


@pytest.mark.parametrize("process", [VP(), VP(3.0, 3.0), SubVP(0.5, 4.0), VE(0.1, 3.0), EDM()])
def test_noise_solves_the_moment_equation(process):
    """dv/dt = 2·drift_rate·v + 2D for the variance of x given x_0, and dα/dt = drift_rate·α."""
    t0, t1 = 0.2, 0.9

    def source(t):  # variation of constants: v(t1) = (α1/α0)² v0 + ∫ (α1/α)² 2D dt
        return (process.alpha(t1) / process.alpha(t)) ** 2 * 2 * process.diffusivity(t)

    gained = quad(source, t0, t1, epsabs=1e-12)[0]
    carried = (process.alpha(t1) / process.alpha(t0)) ** 2 * process.noise(t0) ** 2
    assert process.noise(t1) ** 2 == pytest.approx(carried + gained, rel=1e-9)
    assert (np.log(process.alpha(t1) / process.alpha(t0))
            == pytest.approx(quad(process.drift_rate, t0, t1)[0], abs=1e-10))


def test_vp_is_a_bath_at_temperature_one():
    """D = μT with mobility β/2 in U = x²/2; sub-VP has the same mobility in a colder bath."""
    t = np.linspace(0.1, 1.0, 7)
    vp, sub = VP(), SubVP()
    assert np.allclose(vp.diffusivity(t), 0.5 * vp.beta(t) * vp.bath_temperature(t), rtol=1e-14)
    assert np.allclose(sub.diffusivity(t), 0.5 * sub.beta(t) * (1 - np.exp(-2 * sub.B(t))), rtol=1e-12)
    assert np.all(np.isnan(EDM().bath_temperature(t)))


def test_time_of_B_inverts_B():
    for process in (VP(), VP(2.0, 2.0)):
        assert process.time_of_B(process.B(0.37)) == pytest.approx(0.37, rel=1e-13)


@pytest.mark.parametrize("process", [VP(), VP(2.0, 2.0), SubVP(), VE(), EDM()], ids=str)
def test_time_inverts_the_noise_level(process):
    """A grid of noise levels as timesteps: noise/alpha at `time(σ)` is σ."""
    sigmas = schedules.karras(20.0, 0.02, 9)
    t = process.time(sigmas)
    assert np.allclose(process.noise(t) / process.alpha(t), sigmas, rtol=1e-10)


def test_chain_kernels_are_bayes():
    """q(x_{n−1}|x_n, x_0) from the joint Gaussian of (x_{n−1}, x_n) given x_0, conditioned by hand."""
    chain = Chain(np.array([1.0, 0.9, 0.6]), np.array([0.3, 0.5, 0.8]))
    a, b = chain.forward(2)
    c_x, c_0, v = chain.reverse(2)
    var1, cov = 0.5**2, a * 0.5**2
    var2 = a * a * 0.5**2 + b
    assert var2 == pytest.approx(0.8**2)
    assert c_x == pytest.approx(cov / var2) and v == pytest.approx(var1 - cov**2 / var2)
    assert c_0 == pytest.approx(0.9 - cov / var2 * 0.6)  # mean α1·x0 + cov/var2·(x2 − α2·x0)


def test_chains_from_clean_data_fall_back_to_beta():
    chain = vp_chain(10.0, 10, "posterior")
    assert chain.reverse(1)[2] == pytest.approx(-np.expm1(-1.0))
    assert chain.reverse(2)[2] < chain.forward(2)[1]
    assert ve_chain([5.0, 0.1, 1.0]).noise.tolist() == [0.1, 1.0, 5.0]
    with pytest.raises(UserError, match="rising"):
        Chain(np.ones(3), np.array([0.0, 1.0, 1.0]))
    with pytest.raises(UserError, match="variance"):
        vp_chain(1.0, 2, "gamma")
