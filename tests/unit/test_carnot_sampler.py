"""Jumps that exchange no heat, isotherms that hold their law, and the closed recursion of the two on Gaussian data."""

import numpy as np
import pytest
from scipy.integrate import quad, solve_ivp

from thermosim import schedules
from thermosim.backend.cpu.device import Cpu
from thermosim.errors import UserError
from thermosim.runs.sampling import sample
from thermosim.samplers import DPM2, LMS, AnnealedLangevin, Carnot, Euler, EulerAncestral, Heun, Rescaling
from thermosim.samplers.base import ADIABAT, FLOW, ISOTHERM
from thermosim.samplers.carnot import unit_mse
from thermosim.samplers.frames import TRAP
from thermosim.samplers.langevin import isotherm
from thermosim.score.exact import GaussianMixture

LAW = GaussianMixture([0.4, 0.6], [[-1.2], [0.8]], [0.2, 0.1])


def gaussian(s2):
    return lambda x, sigma: s2 / (s2 + sigma**2) * x


@pytest.mark.parametrize("scale", [0.5, 1.0, 3.0])
def test_a_jump_freezes_its_coordinate_and_asks_nothing(scale):
    asked = []
    (leg,) = Rescaling(scale).legs(2.0, 0.3, {})
    x = np.array([[0.7, -1.0]])
    mean, x_new = leg.move(x, lambda at, sigma: asked.append(at), None)
    assert not asked and leg.stroke == ADIABAT and mean is x_new
    assert np.allclose(x_new / np.sqrt(scale**2 + 0.09), x / np.sqrt(scale**2 + 4.0), rtol=1e-14)
    assert leg.stretch == pytest.approx(x_new[0, 0] / x[0, 0], rel=1e-14)


def test_a_jump_is_the_flow_of_gaussian_data_of_its_scale():
    """dx/dσ = (x − D)/σ by DOP853, D that of N(0, s²)."""
    s2 = 0.64
    end = solve_ivp(lambda s, x: (x - gaussian(s2)(x, s)) / s, (2.0, 0.3), [0.7], "DOP853", rtol=1e-12,
                    atol=1e-14).y[0, -1]
    (leg,) = Rescaling(0.8).legs(2.0, 0.3, {})
    assert leg.mean(np.array([[0.7]]), None)[0, 0] == pytest.approx(end, rel=1e-10)


def test_annealed_langevin_freezes_x_itself():
    """The jump of infinite scale, and isotherms without the denoiser's error: the same samples."""
    run = lambda sampler: sample(sampler, LAW, schedules.karras(5.0, 0.1, 6), 50, 1, 1, Cpu(), books=False).x  # noqa: E731
    assert np.array_equal(run(Carnot(0.7, 2, Rescaling(np.inf), lambda sigma: 0.0)), run(AnnealedLangevin(0.7, 2)))


@pytest.mark.parametrize("relaxation", [0.1, 1.0, 4.0])
@pytest.mark.parametrize("sigma", [0.1, 0.6, 3.0])
def test_an_isotherm_holds_the_second_moment_of_a_mixture(sigma, relaxation):
    """E x'² = E x² under p_σ by quadrature, with mse from
    quadrature of the posterior variance; without it, it falls."""
    p = lambda x: np.exp(LAW.log_density(np.array([[x]]), sigma)[0])  # noqa: E731
    D = lambda x: LAW(np.array([[x]]), sigma)[0, 0]  # noqa: E731
    lo, hi = LAW.support(sigma)
    mean_of = lambda f: quad(lambda x: p(x) * f(x), lo, hi, points=[-1.2, 0.8], limit=400, epsabs=1e-11)[0]  # noqa: E731
    mse = LAW.second_moment() - mean_of(lambda x: D(x) ** 2)  # E x_0² = E D² + E(x_0 − D)²
    leg = isotherm(sigma, relaxation, mse)
    kept = mean_of(lambda x: leg.mean(np.array([[x]]), LAW)[0, 0] ** 2) + leg.variance
    assert kept == pytest.approx(LAW.second_moment() + sigma**2, rel=1e-7)
    assert isotherm(sigma, relaxation).variance < leg.variance


def test_isotherms_of_gaussian_data_are_stationary():
    """Data of the jump's scale: p_σ exactly at each level, so nothing is dissipated; the scale of unit_mse is 1."""
    grid = schedules.karras(20.0, 0.05, 9)
    w = 1 + grid[0] ** 2
    for s, t in zip(grid[:-1], grid[1:]):
        for leg in Carnot(0.8, 2).legs(float(s), float(t), {}):
            m = leg.mean(np.ones((1, 1)), gaussian(1.0))[0, 0]
            w = m * m * w + leg.variance
            assert w == pytest.approx(1 + t * t, rel=1e-12)
            if leg.stroke == ISOTHERM:  # reversible: m·w is symmetric by itself, and v = (1 − m²)w
                assert leg.variance == pytest.approx((1 - m * m) * w, rel=1e-12)


def dissipation(s2, levels, relaxation, repeats, scale=1.0):
    """(Σ, w at the end) of Carnot on N(0, s2), written down without the sampler.

    In z = x/√(scale² + σ²) jumps do nothing; an isotherm relaxes the variance u of z towards that of p_σ,
    u* = (s2 + σ²)/(scale² + σ²), by m² = (1 − cσ²/(s2 + σ²))², and produces K(u/u*) − K(u'/u*), K(v) = ½(v − 1 − ln v).
    """
    K = lambda v: 0.5 * (v - 1 - np.log(v))  # noqa: E731
    c, u, Sigma = 1 - np.exp(-relaxation), levels[0] ** 2 / (scale**2 + levels[0] ** 2), 0.0
    for sigma in levels[1:]:
        target, m = (s2 + sigma**2) / (scale**2 + sigma**2), 1 - c * sigma**2 / (s2 + sigma**2)
        for _ in range(repeats):
            after = target + m * m * (u - target)
            Sigma += K(u / target) - K(after / target)
            u = after
    return Sigma, u * (scale**2 + levels[-1] ** 2)


@pytest.mark.parametrize("s2, relaxation, repeats, scale",
                         [(0.25, 1.0, 1, 1.0), (0.25, 0.4, 3, 1.0), (4.0, 2.0, 1, 1.0), (0.25, 1.0, 2, 0.7)])
def test_variance_and_dissipation_are_the_closed_ones(s2, relaxation, repeats, scale):
    """Σ = ΔS + ⟨σ_env⟩ − what jumps stretch of 200,000 particles, and the variance they end with.

    The error of Σ is about 0.003: an isotherm at a temperature 2 % off, or with its noise 2 % off, is seen.
    """
    levels, n = schedules.karras(3.0, 0.1, 8), 200_000
    sampler = Carnot(relaxation, repeats, Rescaling(scale), lambda sigma: s2 * sigma**2 / (s2 + sigma**2))
    run = sample(sampler, gaussian(s2), levels, n, 1, 7, Cpu(), batch=n, frame=TRAP)
    expected, w = dissipation(s2, levels, relaxation, repeats, scale)
    assert abs(run.x.var() / w - 1) < 6 * np.sqrt(2 / n)
    dS = 0.5 * np.log(w / (1 + levels[-1] ** 2) * (1 + levels[0] ** 2) / levels[0] ** 2)
    given = run.totals["entropy_env"]
    error = given.std() / np.sqrt(n)
    assert error < 0.01
    assert abs(dS + given.mean() - run.ledger["log_volume"].sum() - expected) < 6 * error


def test_dissipation_falls_as_one_over_the_number_of_levels():
    """Long isotherms, Gaussian data: the staircase becomes reversible, unlike the reverse SDE, and N·Σ has a limit.

    The limit is the squared thermodynamic length ∫½|d ln u*| of the targets, whose K(e^ε) = ¼ε² of each step add up.
    """
    s2, scaled = 0.25, []
    target = lambda sigma: (s2 + sigma**2) / (1 + sigma**2)  # noqa: E731
    for N in (50, 100, 200, 400):
        # levels at which ln u* is equally spaced: u* from almost 1 to almost s2
        u = np.exp(np.linspace(np.log(target(20.0)), np.log(target(0.02)), N + 1))
        scaled.append(N * dissipation(s2, np.sqrt((u - s2) / (1 - u)), 1.0, 400)[0])
    length = np.log(target(20.0) / target(0.02))
    assert abs(scaled[-1] / (0.25 * length**2) - 1) < 0.01
    assert np.all(np.diff(np.abs(np.array(scaled) - 0.25 * length**2)) < 0)


def test_names_strokes_and_prices():
    """A jump by rescaling is free, one along the flow costs its evaluations; unit_mse is of unit Gaussian data."""
    assert Carnot().strokes == (ADIABAT, ISOTHERM) and Carnot().evaluations == 1 and Carnot(repeats=3).evaluations == 3
    over = Carnot(jump=Heun(), repeats=2)
    assert str(over) == "carnot_heun" and over.strokes == (FLOW, ISOTHERM) and over.evaluations == 4 and over.draws == 2
    for sampler, price in ((Carnot(repeats=3), 12), (Carnot(jump=Euler()), 8), (Carnot(jump=DPM2()), 12)):
        assert sample(sampler, LAW, schedules.karras(5.0, 0.1, 4), 10, 1, 1, Cpu(), books=False).evaluations == price
    assert unit_mse(0.7) == pytest.approx(GaussianMixture([1.0], [[0.0]], [1.0]).mmse(0.7), rel=1e-10)


@pytest.mark.parametrize("make, match", [
    (lambda: Rescaling(0.0), "scale"), (lambda: Rescaling(float("nan")), "scale"), (lambda: Carnot(0.0), "relaxation"),
    (lambda: Carnot(repeats=0), "repeats"), (lambda: Carnot(jump=EulerAncestral()), "jump"),
    (lambda: Carnot(jump=LMS()), "jump")])
def test_nonsense_is_refused_in_one_line(make, match):
    with pytest.raises(UserError, match=match) as caught:
        make()
    assert "\n" not in str(caught.value)
