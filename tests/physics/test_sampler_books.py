"""The books of a sampler against densities written out, fluctuation theorems and continuous limits."""

import numpy as np
import pytest
from scipy.stats import norm

from thermosim import schedules
from thermosim.backend.cpu.device import Cpu
from thermosim.samplers import SAMPLERS
from thermosim.samplers.books import book, reasons
from thermosim.runs.sampling import sample

BY_NAME = {s.name: s for s in SAMPLERS}
S2 = 0.25


def denoise(x, sigma):
    return S2 / (S2 + sigma**2) * x


@pytest.mark.parametrize("name, i", [("euler_ancestral", 0), ("annealed_langevin", 1), ("predictor_corrector", 1)])
def test_entropy_env_is_the_ratio_of_the_kernels(name, i):
    """ln k(x'|x)/k(x|x') from scipy's normal density, with a denoiser that is not linear."""
    def D(x, sigma):
        return np.tanh(x) / (1 + sigma)

    leg = list(BY_NAME[name].legs(2.0, 0.7, {}))[i]
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(2, 50, 3))
    k = lambda a, b: norm.logpdf(b, leg.mean(a, D), np.sqrt(leg.variance)).sum(axis=1)  # noqa: E731
    books = book(leg, x, leg.mean(x, D), y, D)
    assert np.allclose(books["entropy_env"], k(x, y) - k(y, x), rtol=1e-11, atol=1e-11)
    assert np.array_equal(books["heat"], -books["entropy_env"])


@pytest.mark.parametrize("name", ["euler_ancestral", "predictor_corrector"])
def test_integral_fluctuation_theorem(name):
    """⟨e^{−Σ}⟩ = 1, Σ = ln p_0(x_0) − ln p̃(x_N) + Σσ_env, with p̃ = N(0, S2 + σ_N²).

    Four coarse steps on Gaussian data, 400,000 particles: a standard error of about 0.003 would show
    entropy booked with either kernel's mean taken at the wrong end.
    """
    n, seed = 400_000, 5
    grid = schedules.karras(1.5, 0.4, 4)
    run = sample(BY_NAME[name], denoise, grid, n, 1, seed, Cpu(), batch=100_000)
    start = grid[0] * Cpu().normals(seed, 0, 0, n, 1)
    final = norm.logpdf(run.x[:, 0], 0, np.sqrt(S2 + grid[-1] ** 2))
    weight = np.exp(-(norm.logpdf(start[:, 0], 0, grid[0]) - final + run.totals["entropy_env"]))
    error = weight.std() / np.sqrt(n)
    assert error < 0.02
    assert abs(weight.mean() - 1) < 6 * error


def variance_flow(sigma):
    return S2 + sigma**2


def test_fine_ancestral_chain_meets_the_reverse_sde():
    """σ_env → ∫2E|s|²D dτ = ln-ratio of variances, heat_line → −σ_env, action → half of it.

    For Gaussian data E|s|² = 1/v and D dτ = ½dv: σ_env = ln(v_0/v_N) in the limit; 2,000 steps.
    """
    grid = schedules.log_snr(3.0, 0.2, 2000)
    n = 4000
    run = sample(BY_NAME["euler_ancestral"], denoise, grid, n, 1, 2, Cpu(), start=np.sqrt(variance_flow(3.0))
                 * np.random.default_rng(0).standard_normal((n, 1)))
    expected = np.log(variance_flow(3.0) / variance_flow(0.2))
    total, line, action = (run.totals[name] for name in ("entropy_env", "heat_line", "transport_action"))
    error = total.std() / np.sqrt(n)
    assert abs(total.mean() - expected) < 6 * error + 2e-3 * expected
    assert abs(line.mean() + expected) < 6 * error + 2e-3 * expected
    assert abs(action.mean() - 0.5 * expected) < 0.02 * expected


def test_flow_books_the_line_integral_of_its_score():
    """heat_line of the flow → −∫s∘dx = −½ln(v_0/v_N)·(x²/v) with x²/v conserved; action → ½ln(v_0/v_N)·x²/v."""
    grid = schedules.log_snr(3.0, 0.2, 3000)
    start = np.array([[1.0], [-2.0]])
    run = sample(BY_NAME["heun"], denoise, grid, 2, 1, 2, Cpu(), start=start)
    invariant = start[:, 0] ** 2 / variance_flow(3.0)
    expected = 0.5 * np.log(variance_flow(3.0) / variance_flow(0.2)) * invariant
    assert np.allclose(run.totals["heat_line"], -expected, rtol=1e-3)
    assert np.allclose(run.totals["transport_action"], expected, rtol=1e-3)


@pytest.mark.parametrize("sampler", SAMPLERS, ids=str)
def test_what_does_not_exist_is_nan_with_its_reason(sampler):
    run = sample(sampler, denoise, schedules.karras(5.0, 0.1, 4), 20, 1, 1, Cpu())
    for name, values in run.ledger.mean.items():
        if np.isnan(values).any():
            assert len(run.ledger.reasons[name]) > 10
        else:
            assert name not in run.ledger.reasons
    assert np.isnan(run.ledger["work"]).all() and "energy" in run.ledger.reasons["work"]
    if not sampler.draws:
        assert np.isnan(run.ledger["entropy_env"]).all() and "bath" in run.ledger.reasons["entropy_env"]
        assert "entropy_env" not in run.totals


def test_every_leg_explains_itself():
    for sampler in SAMPLERS:
        for leg in sampler.legs(2.0, 1.0, {}):
            x = np.ones((3, 2))
            booked = book(leg, x, x, x + 0.1, denoise)
            from thermosim.samplers.books import CHANNELS

            assert set(booked) | set(reasons(leg)) == set(CHANNELS)
            assert not set(booked) & set(reasons(leg))


@pytest.mark.parametrize("name", ["euler_ancestral", "annealed_langevin", "predictor_corrector"])
def test_end_variance_is_the_closed_recursion(name):
    """On Gaussian data each leg is linear: v' = g²v + variance, from v = σ_0².

    200,000 particles: noise 2 % too strong would move the last variance by some ten standard errors.
    """
    grid, n = schedules.karras(2.0, 0.3, 4), 200_000
    v = grid[0] ** 2
    for s, t in zip(grid[:-1], grid[1:]):
        for leg in BY_NAME[name].legs(s, t, {}):
            g = leg.mean(np.ones((1, 1)), denoise)[0, 0]
            v = g * g * v + leg.variance
    x = sample(BY_NAME[name], denoise, grid, n, 1, 3, Cpu(), batch=n, books=False).x[:, 0]
    assert abs(x.var() / v - 1) < 6 * np.sqrt(2 / n)
