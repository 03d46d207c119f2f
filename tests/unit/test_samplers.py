"""Samplers against formulas of their papers and their orders; the loop's counting and its bits."""

import numpy as np
import pytest

from thermosim import schedules
from thermosim.backend.cpu.device import Cpu
from thermosim.errors import UserError
from thermosim.samplers import SAMPLERS
from thermosim.runs.sampling import sample

BY_NAME = {s.name: s for s in SAMPLERS}
S2 = 0.25  # data N(0.3, S2): the flow is linear and solved by hand


def denoise(x, sigma):
    return 0.3 + S2 / (S2 + sigma**2) * (x - 0.3)


def flow_end(start, sigma, sigma_next):
    return 0.3 + (start - 0.3) * np.sqrt((S2 + sigma_next**2) / (S2 + sigma**2))


def end_error(sampler, steps):
    start = np.array([[2.0], [-1.0], [0.5]])
    run = sample(sampler, denoise, schedules.karras(5.0, 0.05, steps), 3, 1, 0, Cpu(), books=False, start=start)
    return np.abs(run.x - flow_end(start, 5.0, 0.05)).max()


@pytest.mark.parametrize("name, order", [("euler", 1), ("heun", 2), ("dpmpp_2m", 2)])
def test_measured_order(name, order):
    """Error against the closed flow falls as steps^−order; a wrong weight of a corrector shows as 1."""
    sampler = BY_NAME[name]
    errors = [end_error(sampler, n) for n in (200, 400, 800)]
    slopes = np.log2(np.array(errors[:-1]) / errors[1:])
    assert np.abs(slopes - order).max() < 0.1
    assert sampler.order == order


def test_each_step_is_the_paper_s_formula():
    """One step at σ = 2 → 0.7 of every deterministic map, and mean and variance of every kernel."""
    x, s, t = np.array([[1.3, -0.4]]), 2.0, 0.7

    def D(y, sigma):
        return np.tanh(y) / (1 + sigma)

    def leg(name, i=0):
        return list(BY_NAME[name].legs(s, t, {}))[i]

    slope = (x - D(x, s)) / s
    assert np.allclose(leg("euler").mean(x, D), x + (t - s) * slope, rtol=1e-14)
    # ddim in ᾱ form: x' = √ᾱ' x̂_0 + √(1 − ᾱ') ε̂ with ᾱ = 1/(1 + σ²), x = √ᾱ·(EDM x)
    a, a_next = 1 / (1 + s * s), 1 / (1 + t * t)
    eps = (np.sqrt(a) * x - np.sqrt(a) * D(x, s)) / np.sqrt(1 - a)
    ddim = np.sqrt(a_next) * D(x, s) + np.sqrt(1 - a_next) * eps
    assert np.allclose(leg("euler").mean(x, D), ddim / np.sqrt(a_next), rtol=1e-13)
    predicted = x + (t - s) * slope
    heun = x + (t - s) * (slope + (predicted - D(predicted, t)) / t) / 2
    assert np.allclose(leg("heun").mean(x, D), heun, rtol=1e-14)
    # ddpm (Ho et al. eq. 7) in ᾱ form, rescaled
    beta = 1 - a / a_next
    posterior_mean = (np.sqrt(a_next) * beta * D(x, s) + np.sqrt(1 - beta) * (1 - a_next) * np.sqrt(a) * x) / (1 - a)
    posterior_variance = (1 - a_next) / (1 - a) * beta
    assert np.allclose(leg("euler_ancestral").mean(x, D), posterior_mean / np.sqrt(a_next), rtol=1e-13)
    assert leg("euler_ancestral").variance == pytest.approx(posterior_variance / a_next, rel=1e-13)
    # k-diffusion's get_ancestral_step: σ_down² + σ_up² = σ'²
    up = np.sqrt(t**2 * (s**2 - t**2) / s**2)
    down = np.sqrt(t**2 - up**2)
    assert np.allclose(leg("euler_ancestral").mean(x, D), x + (down - s) * slope, rtol=1e-13)


def test_dpmpp_2m_second_step_extrapolates():
    x, (s0, s1, s2) = np.array([[0.7]]), (3.0, 1.5, 0.4)
    memory, sampler = {}, BY_NAME["dpmpp_2m"]

    def D(y, sigma):
        return np.tanh(y) / (1 + sigma)

    first = next(iter(sampler.legs(s0, s1, memory))).mean(x, D)
    h, h_last = np.log(s1 / s2), np.log(s0 / s1)
    D_bar = D(first, s1) + (D(first, s1) - D(x, s0)) * h / (2 * h_last)
    expected = s2 / s1 * first + (1 - s2 / s1) * D_bar
    assert np.allclose(next(iter(sampler.legs(s1, s2, memory))).mean(first, D), expected, rtol=1e-13)


def test_langevin_leg_keeps_the_noise_it_sees():
    """For a denoiser stuck at a point the leg leaves N(point, σ²) as it is, whatever its length."""
    for sampler in (BY_NAME["annealed_langevin"], BY_NAME["predictor_corrector"]):
        leg = list(sampler.legs(2.0, 0.7, {}))[1]
        x = np.array([[1.0], [3.0]])
        shrink = np.diff(leg.mean(x, lambda y, sigma: 0 * y), axis=0)[0, 0] / 2
        assert shrink**2 * 0.7**2 + leg.variance == pytest.approx(0.7**2, rel=1e-13)


@pytest.mark.parametrize("sampler", SAMPLERS, ids=str)
def test_evaluations_are_counted_without_the_books(sampler):
    for books in (True, False):
        run = sample(sampler, denoise, schedules.karras(5.0, 0.1, 6), 4, 1, 1, Cpu(), books=books)
        assert run.evaluations == 6 * sampler.evaluations


@pytest.mark.parametrize("sampler", SAMPLERS, ids=str)
def test_any_batch_gives_the_same_bits(sampler):
    grid = schedules.karras(5.0, 0.1, 5)
    whole, parts = (sample(sampler, denoise, grid, 250, 3, 9, Cpu(), batch=batch, frames=120) for batch in (1000, 100))
    assert np.array_equal(whole.x, parts.x)
    assert np.array_equal(whole.frames, parts.frames)
    for name in whole.ledger.mean:
        assert np.array_equal(whole.ledger.mean[name], parts.ledger.mean[name], equal_nan=True)
        assert np.array_equal(whole.ledger.variance[name], parts.ledger.variance[name], equal_nan=True)


def test_nonsense_is_refused_in_one_line():
    euler = BY_NAME["euler"]
    for sigmas in ([1.0, 2.0], [1.0], [1.0, 1.0], [1.0, -1.0]):
        with pytest.raises(UserError, match="sigmas"):
            sample(euler, denoise, sigmas, 2, 1, 0, Cpu())
    with pytest.raises(UserError, match="at least one particle"):
        sample(euler, denoise, [2.0, 1.0], 0, 1, 0, Cpu())
    with pytest.raises(UserError, match="blew up"), np.errstate(over="ignore", invalid="ignore"):
        sample(euler, lambda x, sigma: -1e200 * x**2, [3.0, 2.0, 1.0], 2, 1, 0, Cpu(), books=False)
