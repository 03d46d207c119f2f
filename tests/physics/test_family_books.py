"""Books of the whole family on Gaussian data: fluctuation theorems,
closed variances, continuous limits, Metropolis energies."""

import numpy as np
import pytest
from scipy.stats import norm

from thermosim import schedules
from thermosim.backend.cpu.device import Cpu
from thermosim.runs.sampling import Draws, sample
from thermosim.samplers import (DDIM, DPM2, FAMILY, Ancestral, AnnealedLangevin, DDPMBeta, DPMpp2MSDE, DPMpp2S,
                                DPMppSDE, Heun,
                                MALACorrected)
from thermosim.samplers.base import FREE
from thermosim.samplers.books import CHANNELS, book, reasons
from thermosim.score.exact import GaussianMixture

S2 = 0.25


def denoise(x, sigma):
    return S2 / (S2 + sigma**2) * x


@pytest.mark.parametrize("sampler", [
    DDPMBeta(), DDIM(0.5), Ancestral(DPM2()), Ancestral(DPM2(), 0.6), Ancestral(DPMpp2S()), AnnealedLangevin(0.7, 2),
    MALACorrected(0.5)], ids=str)
def test_integral_fluctuation_theorem(sampler):
    """⟨e^{−Σ}⟩ = 1, Σ = ln p_0(x_0) − ln p̃(x_N) + Σσ_env over the legs that have a bath.

    Three coarse steps, 400,000 particles, a standard error below 0.02: entropy booked with the wrong variance,
    or with either mean at the wrong end, is seen; so is a Metropolis test that forgets its rejections.
    """
    n, grid = 400_000, schedules.karras(1.2, 0.4, 3)
    draws, memory = Draws(Cpu(), 5, n, 1, 0), {"steps": 3}
    x = grid[0] * Cpu().normals(6, 0, 0, n, 1)
    sigma_total = norm.logpdf(x[:, 0], 0, grid[0])
    for s, t in zip(grid[:-1], grid[1:]):
        for leg in sampler.legs(float(s), float(t), memory):
            mean, x_new = leg.move(x, denoise, draws)
            sigma_total += book(leg, x, mean, x_new, denoise).get("entropy_env", 0.0)
            x = x_new
    sigma_total -= norm.logpdf(x[:, 0], 0, np.sqrt(S2 + grid[-1] ** 2))
    weight = np.exp(-sigma_total)
    error = weight.std() / np.sqrt(n)
    assert error < 0.02 and abs(weight.mean() - 1) < 6 * error
    assert sigma_total.mean() > 0


class Impulses:
    """Particle k is given the k-th normal as 1; particle 0 only its start."""

    def __init__(self, n):
        self.n, self.k = n, 0

    def normals(self):
        self.k += 1
        return (np.arange(self.n) == self.k).astype(float)[:, None]


@pytest.mark.parametrize("sampler", [s for s in FAMILY if s.draws and s.name != "mala_corrected"], ids=str)
def test_end_variance_is_the_closed_one(sampler):
    """A sampler is linear on Gaussian data: its variance is the sum of its squared responses to each normal.

    100,000 particles in two dimensions: noise 2 % too strong in any step would move the variance by some ten
    standard errors; so would normals of a stage and its step that are not independent.
    """
    grid, n = schedules.karras(2.0, 0.3, 5), 100_000
    draws, memory = Impulses(1 + 5 * sampler.draws), {"steps": 5}
    x = grid[0] * (np.arange(draws.n) == 0)[:, None]
    for s, t in zip(grid[:-1], grid[1:]):
        for leg in sampler.legs(float(s), float(t), memory):
            _, x = leg.move(x, denoise, draws)
    ends = sample(sampler, denoise, grid, n, 2, 3, Cpu(), batch=n, books=False).x
    assert abs((ends**2).mean() / (x * x).sum() - 1) < 6 * np.sqrt(1 / n)


@pytest.mark.parametrize("sampler, xi", [
    (DDIM(0.5), 0.25), (DDIM(0.9), 0.81), (Ancestral(DPM2(), 0.7), 0.49), (DPMpp2MSDE(0.5), 0.5), (DPMppSDE(), 1.0)],
    ids=lambda p: str(p))
def test_fine_chains_meet_the_reverse_family(sampler, xi):
    """⟨heat_line⟩ → −(1 + ξ)/ξ ∫E|s|²D dτ = −(1 + ξ)/2ξ·ln(v_0/v_N), the action → ½ln(v_0/v_N), whatever ξ.

    1,500 steps; wrong ξ of a step, say η for η², is off by a factor.
    """
    grid, n = schedules.log_snr(3.0, 0.2, 1500), 3000
    start = np.sqrt(S2 + 9.0) * np.random.default_rng(0).standard_normal((n, 1))
    run = sample(sampler, denoise, grid, n, 1, 2, Cpu(), start=start, batch=n)
    way = np.log((S2 + 9.0) / (S2 + 0.04))
    line = run.totals["heat_line"]
    assert abs(line.mean() + (1 + xi) / (2 * xi) * way) < 6 * line.std() / np.sqrt(n) + 0.01 * way
    if "transport_action" in run.totals:
        assert abs(run.totals["transport_action"].mean() - 0.5 * way) < 0.03 * way
    if "entropy_env" in run.totals:
        given = run.totals["entropy_env"]
        assert abs(given.mean() - (1 + xi) / (2 * xi) * way) < 6 * given.std() / np.sqrt(n) + 0.01 * way


def test_churn_books_no_heat_and_the_transport_of_free_diffusion():
    """Displacement by ν = −D∇ln p: |½Δσ²·x/v|²/½Δσ²."""
    leg, _ = Heun(s_churn=1.0).legs(2.0, 1.0, {"steps": 4})
    x = np.array([[1.0, 2.0], [-0.5, 0.3]])
    booked = book(leg, x, x, x + 0.3, denoise)
    assert (leg.stroke == FREE and not booked["heat"].any() and not booked["entropy_env"].any()
            and not booked["heat_line"].any())
    half = 0.5 * (leg.sigma_next**2 - 4.0)
    assert np.allclose(booked["transport_action"], half * (x**2).sum(axis=1) / (S2 + 4.0) ** 2, rtol=1e-12)


def test_metropolis_heat_is_the_energy_it_gained():
    """heat = Δ(−ln p_σ) per particle, rejections 0, work and shadow work 0: the first law without a remainder."""
    law = GaussianMixture([0.4, 0.6], [[-1.0, 0.2], [0.8, 0.0]], [0.3, 0.2])
    leg = MALACorrected(1.5, nodes=16).corrector(0.5)
    x = law.sample(500, 1, Cpu()) + 0.5 * np.random.default_rng(2).standard_normal((500, 2))
    mean, x_new = leg.move(x, law, Draws(Cpu(), 1, 500, 2, 0))
    rejected = (x_new == x).all(axis=1)
    assert 0.02 < rejected.mean() < 0.6
    booked = book(leg, x, mean, x_new, law)
    gained = law.log_density(x, 0.5) - law.log_density(x_new, 0.5)
    assert np.allclose(booked["heat"], gained, atol=1e-6) and not booked["heat"][rejected].any()
    assert not booked["work"].any() and not booked["shadow_work"].any()


@pytest.mark.parametrize("sampler", FAMILY, ids=str)
def test_every_leg_explains_itself(sampler):
    """Each channel is booked or has its reason, never both; on a first step, a later one and one to σ = 0."""
    x, memory, draws = np.ones((3, 2)), {"steps": 3}, Draws(Cpu(), 1, 3, 2, 0)
    for s, t in ((2.0, 1.0), (1.0, 0.5), (0.5, 0.0)):
        for leg in sampler.legs(s, t, memory):
            mean, x_new = leg.move(x, denoise, draws)
            booked = book(leg, x, mean, x_new, denoise)
            assert set(booked) | set(reasons(leg)) == set(CHANNELS)
            assert not set(booked) & set(reasons(leg)) and all(len(why) > 10 for why in reasons(leg).values())
            x = x_new


@pytest.mark.parametrize("name, word",
                         [("dpmpp_2m_sde", "multistep"), ("dpmpp_3m_sde", "multistep"), ("dpmpp_sde", "stage"),
                                        ("dpmpp_3m", "no bath")])
def test_without_a_one_step_density_entropy_is_nan_with_the_reason(name, word):
    (sampler,) = (s for s in FAMILY if s.name == name)
    run = sample(sampler, denoise, schedules.karras(5.0, 0.1, 4), 20, 1, 1, Cpu())
    for channel in ("entropy_env", "heat"):
        assert np.isnan(run.ledger[channel]).all() and word in run.ledger.reasons[channel]
    assert np.isfinite(run.ledger["heat_line"]).all()
