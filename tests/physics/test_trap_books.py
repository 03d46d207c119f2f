"""Books in the trap U = y²/2: kernels written out, first law
from scratch, fluctuation theorems, the efficiency ξ/(1 + ξ)."""

import numpy as np
import pytest
from scipy.stats import norm

from thermosim import schedules
from thermosim.backend.cpu.device import Cpu
from thermosim.runs.sampling import Draws, sample
from thermosim.samplers import (DDIM, DPM2, FAMILY, Ancestral, AnnealedLangevin, Carnot, DDPMBeta, DPMppSDE, Euler,
                                EulerAncestral, Heun,
                                PredictorCorrector, Rescaling)
from thermosim.samplers.base import ADIABAT, FREE
from thermosim.samplers.books import CHANNELS, book, reasons
from thermosim.samplers.frames import LAB, TRAP
from thermosim.score.exact import GaussianMixture

LAW = GaussianMixture([0.4, 0.6], [[-1.2], [0.8]], [0.2, 0.1])


def alpha(sigma):
    return 1 / np.sqrt(1 + sigma**2)


def pairs(leg, n=60, d=1, seed=1):
    """Points before and after a leg, and its mean."""
    x = leg.sigma * np.random.default_rng(seed).standard_normal((n, d))
    return (x, *leg.move(x, LAW, Draws(Cpu(), seed, n, d, 0)))


@pytest.mark.parametrize("sampler", [EulerAncestral(), DDPMBeta(), DDIM(0.5), Ancestral(DPM2())], ids=str)
def test_entropy_env_is_the_ratio_of_the_kernels_of_y(sampler):
    """ln k(y'|y)/k(y|y') by scipy's normal density, the coefficients of the step unchanged; heat its negative."""
    (leg,) = sampler.legs(2.0, 0.7, {})
    x, mean, x_new = pairs(leg)
    booked = book(leg, x, mean, x_new, LAW, TRAP)
    y, y_new, a, b = alpha(2.0) * x, alpha(0.7) * x_new, alpha(2.0), alpha(0.7)
    k = lambda start, end: norm.logpdf(end, b * leg.mean(start / a, LAW), b * np.sqrt(leg.variance))[:, 0]  # noqa: E731
    assert np.allclose(booked["entropy_env"], k(y, y_new) - k(y_new, y), rtol=1e-10, atol=1e-10)
    assert np.array_equal(booked["heat"], -booked["entropy_env"])


@pytest.mark.parametrize("sampler, xi", [(EulerAncestral(), 1.0), (DDIM(0.6), 0.36)], ids=str)
def test_heat_line_is_the_midpoint_of_drift_over_mobility(sampler, xi):
    """F = (drift of y)/(mobility ξβ/2) = [y + (1 + ξ)∂ln p]/ξ,
    the density of y by finite differences of the mixture's."""
    (leg,) = sampler.legs(1.5, 0.6, {})
    x, mean, x_new = pairs(leg)
    a, y, y_new = alpha(1.5), alpha(1.5) * x, alpha(0.6) * x_new
    h = 1e-5

    def force(at):
        score = (LAW.log_density((at + h) / a, 1.5) - LAW.log_density((at - h) / a, 1.5)) / (2 * h)
        return (at[:, 0] + (1 + xi) * score) / xi

    expected = -0.5 * (force(y) + force(y_new)) * (y_new - y)[:, 0]
    assert np.allclose(book(leg, x, mean, x_new, LAW, TRAP)["heat_line"], expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("sampler", FAMILY, ids=str)
def test_every_leg_explains_itself_and_closes_the_first_law(sampler):
    """Each channel is booked or has its reason; work + shadow
    + heat is U' − U of U = y²/2 from scratch, per particle."""
    x, memory, draws = 2.0 * np.random.default_rng(0).standard_normal((40, 1)), {"steps": 3}, Draws(Cpu(), 1, 40, 1, 0)
    for s, t in ((2.0, 1.0), (1.0, 0.5), (0.5, 0.1)):
        for leg in sampler.legs(s, t, memory):
            mean, x_new = leg.move(x, LAW, draws)
            booked, why = book(leg, x, mean, x_new, LAW, TRAP), reasons(leg, TRAP)
            assert set(booked) | set(why) == set(CHANNELS) and not set(booked) & set(why)
            gained = 0.5 * ((alpha(leg.sigma_next) * x_new) ** 2 - (alpha(leg.sigma) * x) ** 2)[:, 0]
            if "heat" in booked:
                assert np.allclose(booked["work"] + booked["shadow_work"] + booked["heat"], gained,
                                   rtol=1e-10, atol=1e-10)
            elif "work" in booked:
                assert np.allclose(booked["work"] + booked["heat_line"], gained, rtol=1e-10, atol=1e-10)
            x = x_new


def test_noising_is_undriven():
    """Churn is the Ornstein–Uhlenbeck step of the trap: reversible, so its heat is the energy, and no work is done."""
    leg, _ = Heun(s_churn=1.0).legs(2.0, 1.0, {"steps": 4})
    x, mean, x_new = pairs(leg)
    booked = book(leg, x, mean, x_new, LAW, TRAP)
    gained = 0.5 * ((alpha(leg.sigma_next) * x_new) ** 2 - (alpha(2.0) * x) ** 2)[:, 0]
    assert leg.stroke == FREE
    assert np.allclose(booked["heat"], gained, atol=1e-12) and np.allclose(booked["heat_line"], gained, atol=1e-12)
    assert np.abs(booked["work"]).max() < 1e-12 and np.abs(booked["shadow_work"]).max() < 1e-12


def test_transport_is_that_of_the_flow_of_y():
    """ν = −y/2·β − ½β∂ln p over ½β dt = ½d ln(1 + σ²), whatever ξ: |ν|²/D of a short step."""
    s, t = 1.0, 1.0 - 1e-6
    for leg in (next(EulerAncestral().legs(s, t, {})), next(DDIM(0.5).legs(s, t, {})), next(Euler().legs(s, t, {}))):
        x = np.array([[0.3], [-1.1]])
        score = (LAW(x, s) - x) / s**2 / alpha(s)
        time = 0.5 * np.log((1 + s**2) / (1 + t**2))  # ∫½β
        expected = time * (alpha(s) * x + score)[:, 0] ** 2
        assert np.allclose(book(leg, x, leg.mean(x, LAW), x, LAW, TRAP)["transport_action"], expected, rtol=1e-4)


@pytest.mark.parametrize("sampler, frame", [(s, TRAP) for s in (
    EulerAncestral(), DDPMBeta(), DDIM(0.7), PredictorCorrector(0.4), AnnealedLangevin(0.7), Carnot(0.7, 2),
    Carnot(1.5, jump=Rescaling(2.0)), Carnot(mse=lambda s: 0.4 * s**2))]
                         + [(Carnot(0.7, 2), LAB), (AnnealedLangevin(0.7), LAB)],
    ids=lambda p: f"{p}{getattr(p, 'relaxation', '')}" if hasattr(p, "legs") else type(p).__name__)
def test_integral_fluctuation_theorem(sampler, frame):
    """⟨e^{−Σ}⟩ = 1 on a mixture, Σ = ln p_0(y_0) − ln p̃(y_N) + σ_env − what adiabats stretch, p̃ a normal of width 1.

    Three coarse steps, 300,000 particles, a standard error below 0.03: noise or temperature of an isotherm wrong by a
    tenth, heat of either sign in a jump, and a kernel of x in the place of that of y are seen.
    """
    n, grid = 300_000, schedules.karras(1.2, 0.4, 3)
    run = sample(sampler, LAW, grid, n, 1, 5, Cpu(), batch=n, frame=frame)
    start = frame.alpha(grid[0]) * grid[0] * Cpu().normals(5, 0, 0, n, 1)[:, 0]
    y = frame.alpha(grid[-1]) * run.x[:, 0]
    Sigma = (norm.logpdf(start, 0, frame.alpha(grid[0]) * grid[0]) - norm.logpdf(y, 0, 1) + run.totals["entropy_env"]
             - run.ledger["log_volume"].sum())
    weight = np.exp(-Sigma)
    error = weight.std() / np.sqrt(n)
    assert error < 0.03 and abs(weight.mean() - 1) < 6 * error
    assert Sigma.mean() > 0


class Nodes:
    """Normals at the nodes of Gauss–Hermite quadrature."""

    def __init__(self, z):
        self.z = z

    def normals(self):
        return self.z


def gaussian_books(sampler, grid, s2):
    """(w at the end, Σ of the channels) on N(0, s2): laws stay
    Gaussian, and each leg's mean is a quadrature over (x, n)."""
    z, weight = np.polynomial.hermite_e.hermegauss(4)
    weight = weight / weight.sum()
    pair, weights = np.stack(np.meshgrid(z, z), -1).reshape(-1, 2), np.outer(weight, weight).ravel()
    w, total = grid[0] ** 2, {}
    for s, t in zip(grid[:-1], grid[1:]):
        for leg in sampler.legs(float(s), float(t), {"steps": len(grid) - 1}):
            x = np.sqrt(w) * pair[:, :1]
            denoise = lambda at, sigma: s2 / (s2 + sigma**2) * at  # noqa: E731
            mean, x_new = leg.move(x, denoise, Nodes(pair[:, 1:]))
            for name, values in book(leg, x, mean, x_new, denoise, TRAP).items():
                total[name] = total.get(name, 0.0) + weights @ values
            w = weights @ x_new[:, 0] ** 2
    return w, total


def second_law(sampler, grid, s2):
    """η_II = ΔF/(ΔF + Σ) of Gaussian data, from quadrature."""
    w, total = gaussian_books(sampler, grid, s2)
    before, after = (alpha(grid[0]) * grid[0]) ** 2, alpha(grid[-1]) ** 2 * w
    dS = 0.5 * np.log(after / before)
    dF, Sigma = 0.5 * (after - before) - dS, dS + total["entropy_env"]
    return dF / (dF + Sigma), dF, total


@pytest.mark.parametrize("s2", [0.25, 4.0])
@pytest.mark.parametrize("sampler, xi",
                         [(EulerAncestral(), 1.0), (DDPMBeta(), 1.0), (DDIM(0.5**0.5), 0.5), (Ancestral(DPM2()), 1.0)],
                         ids=str)
def test_fine_chains_keep_a_share_of_the_work(sampler, xi, s2):
    """η_II → ξ/(1 + ξ) as 1/N: ½ for the reverse SDE; W of the line integral is then ΔF·(1 + ξ)/ξ, shadow work → 0."""
    coarse, fine = (second_law(sampler, schedules.log_snr(40.0, 0.02, N), s2) for N in (1000, 2000))
    limit = xi / (1 + xi)
    assert abs(2 * fine[0] - coarse[0] - limit) < 3e-4
    assert 1.7 < abs(coarse[0] - limit) / abs(fine[0] - limit) < 2.3 or abs(fine[0] - limit) < 1e-4
    # the work per unit of ΔF of the continuous process, its own ends' ΔF
    assert abs((2 * fine[2]["work"] / fine[1] - coarse[2]["work"] / coarse[1]) * limit - 1) < 2e-3
    assert abs(fine[2]["shadow_work"]) < 0.55 * abs(coarse[2]["shadow_work"]) + 1e-6


def test_stages_leave_heat_undefined_and_flows_work_too():
    for sampler, word in ((DPMppSDE(), "stage"), (Euler(), "no bath")):
        run = sample(sampler, LAW, schedules.karras(5.0, 0.1, 4), 20, 1, 1, Cpu(), frame=TRAP)
        assert np.isnan(run.ledger["heat"]).all() and word in run.ledger.reasons["heat"]
        assert np.isnan(run.ledger["work"]).all() == (word == "no bath")


def test_an_adiabat_has_no_heat_in_any_frame():
    """Frozen y: no work in the trap either; frozen x: y is stretched, which is work."""
    x = np.array([[0.4], [-2.0]])
    for sampler, volume in ((Rescaling(), 0.0), (Rescaling(np.inf), np.log(alpha(0.5) / alpha(3.0)))):
        (leg,) = sampler.legs(3.0, 0.5, {})
        mean, x_new = leg.move(x, LAW, None)
        booked = book(leg, x, mean, x_new, LAW, TRAP)
        assert leg.stroke == ADIABAT
        assert not booked["heat"].any() and not booked["heat_line"].any() and not booked["entropy_env"].any()
        gained = 0.5 * ((alpha(0.5) * x_new) ** 2 - (alpha(3.0) * x) ** 2)[:, 0]
        assert np.allclose(booked["work"], gained, atol=1e-15)
        assert np.allclose(np.log(leg.stretch * alpha(0.5) / alpha(3.0)), volume, atol=1e-14)
        assert (np.abs(gained).max() < 1e-15) == (volume == 0.0)
