"""A sampler as a cycle: entropies, free energies and efficiencies against closed Gaussian moments and other roads."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from thermosim import schedules
from thermosim.backend.cpu.device import Cpu
from thermosim.errors import UserError
from thermosim.samplers import (DDIM, DDPM, DPM2, FAMILY, Ancestral, AnnealedLangevin, Carnot, DDPMBeta, DPMpp2MSDE,
                                DPMppSDE, Euler, EulerAncestral,
                                Heun, PredictorCorrector)
from thermosim.schedules import Chain, ve_chain
from thermosim.score.exact import Gaussian, GaussianMixture
from thermosim.score.reverse import Least
from thermosim.thermo.own_law import Cloud, Line
from thermosim.thermo.sampler_cycle import CYCLE, Heating, chain_work, cool
from thermosim.thermo.work import mean_work

HOT, COLD = 10.0, 0.05
MIXTURE = GaussianMixture([0.4, 0.6], [[-1.2], [0.8]], [0.06, 0.03])
GAUSSIAN = GaussianMixture([1.0], [[0.0]], [0.25])
C = np.array([0.25, 0.7])
PLANE = Gaussian([0.0, 0.0], np.diag(C))


def K(v):
    return 0.5 * (v - 1 - np.log(v))


def variance_of_y(s2, sigma):
    return (s2 + sigma**2) / (1 + sigma**2)


@pytest.mark.parametrize("n, spacing", [(400, 4), (3000, 4), (3000, 10)])
def test_entropy_by_spacings(n, spacing):
    """Of normals and of two modes, the mean of 200 samples: off by less than 0.01 and by 6 standard errors of it."""
    rng = np.random.default_rng(0)
    two = lambda: np.where(rng.random(n) < 0.4, -1.2 + 0.25 * rng.standard_normal(n), 0.8 + 0.17 * rng.standard_normal(n))  # noqa: E731
    density = lambda x: 0.4 * norm.pdf(x, -1.2, 0.25) + 0.6 * norm.pdf(x, 0.8, 0.17)  # noqa: E731
    exact = -quad(lambda x: density(x) * np.log(density(x)), -4, 4, points=[-1.2, 0.8], limit=200)[0]
    for draw, h in ((lambda: 3 * rng.standard_normal(n), 0.5 * np.log(2 * np.pi * np.e) + np.log(3)), (two, exact)):
        found = np.array([Line(spacing).entropy(draw()[:, None]) for _ in range(200)])
        assert abs(found.mean() - h) < 0.01 + 6 * found.std() / np.sqrt(200)
        assert found.std() < 1.3 / np.sqrt(n)
    with pytest.raises(UserError, match="at least"):
        Line().entropy(np.zeros((10, 1)))


def test_heating_is_that_of_the_trap():
    """K, Σ_f and the geodesic's W2²/∫D dt of Gaussian data in closed form; of a mixture K by scipy's quadrature."""
    heating, v = Heating(GAUSSIAN, HOT, COLD), variance_of_y(0.25, np.array([HOT, COLD]))
    assert heating.K == pytest.approx(K(v[1]), rel=1e-9)
    assert heating.Sigma == pytest.approx(K(v[1]) - K(v[0]), rel=1e-9)
    assert heating.least_Sigma == pytest.approx((v[0] ** 0.5 - v[1] ** 0.5) ** 2 / (0.5 * np.log((1 + HOT**2) / (1 + COLD**2))), rel=2e-4)
    a = 1 / np.sqrt(1 + COLD**2)
    width = a * np.sqrt(np.array([0.06, 0.03]) + COLD**2)
    p = lambda y: 0.4 * norm.pdf(y, -1.2 * a, width[0]) + 0.6 * norm.pdf(y, 0.8 * a, width[1])  # noqa: E731
    exact = quad(lambda y: p(y) * (np.log(p(y)) - norm.logpdf(y)), -4, 4, points=[-1.2, 0.8], limit=300)[0]
    assert Heating(MIXTURE, HOT, COLD).K == pytest.approx(exact, rel=1e-8)
    with pytest.raises(UserError, match="one dimension or two"):
        Heating(GaussianMixture([1.0], [[0.0, 0.0, 0.0]], [1.0]), HOT, COLD)


def test_entropy_by_neighbours():
    """Of normals in two and three dimensions, the mean of 100
    samples: 0.02 nat, and 6 standard errors; of a shift nothing."""
    rng, scale = np.random.default_rng(0), np.array([0.3, 1.0, 2.0])
    for d in (2, 3):
        exact = 0.5 * d * np.log(2 * np.pi * np.e) + np.log(scale[:d]).sum()
        found = np.array([Cloud().entropy(scale[:d] * rng.standard_normal((2000, d))) for _ in range(100)])
        assert abs(found.mean() - exact) < 0.01 * d**2 + 6 * found.std() / 10
    y = rng.standard_normal((300, 2))
    assert Cloud().entropy(y + 5.0) == pytest.approx(Cloud().entropy(y), rel=1e-9)
    assert Cloud().entropy(2 * y) == pytest.approx(Cloud().entropy(y) + 2 * np.log(2), rel=1e-12)
    with pytest.raises(UserError, match="at least"):
        Cloud().entropy(np.zeros((10, 2)))


def test_distances_of_samples():
    """A shift costs its length, whatever the order of the points; only the first points are matched in space."""
    y, rng = np.random.default_rng(0).standard_normal((80, 2)), np.random.default_rng(1)
    moved = rng.permutation(y + [0.3, 0.4])
    assert Cloud().w2(y, moved) == pytest.approx(0.5, rel=1e-9)
    assert Cloud(points=40).w2(y, np.concatenate([y[:40] + [0.3, 0.4], y])) == pytest.approx(0.5, rel=1e-9)
    assert Line().w2(y[:, :1], moved[:, :1]) == pytest.approx(0.3, rel=1e-9)


def test_heating_of_the_plane():
    """Gaussian data of two variances: K and Σ_f in closed form; the geodesic's by samples, above it by the bias told
    beside it, to a third; and a mixture of the plane is a Gaussian where it has one component."""
    heating, v = Heating(PLANE, HOT, COLD), variance_of_y(C[:, None], np.array([HOT, COLD]))
    assert heating.K == pytest.approx(K(v[:, 1]).sum(), rel=1e-9)
    assert heating.Sigma == pytest.approx((K(v[:, 1]) - K(v[:, 0])).sum(), rel=1e-9)
    diffusion = 0.5 * np.log((1 + HOT**2) / (1 + COLD**2))
    exact = ((v[:, 0] ** 0.5 - v[:, 1] ** 0.5) ** 2).sum() / diffusion
    blank = heating.blank(1000, parts=4)
    bias, noise = blank["w2_bias"][0] / diffusion, heating.least_Sigma_error
    assert (abs(heating.least_Sigma - exact - bias) < 4 * noise + bias / 3 and noise < 0.05 * exact
            and bias < 0.15 * exact)
    assert abs(blank["entropy_bias"][0]) < 0.03 + 4 * blank["entropy_bias"][1]
    mixture = Heating(GaussianMixture([1.0], [[0.0, 0.0]], np.diag(C)[None]), HOT, COLD)
    assert (mixture.K == pytest.approx(heating.K, rel=1e-7)
            and mixture.mmse(0.4) == pytest.approx(heating.mmse(0.4), rel=1e-7))


def moments(sampler, sigmas, s2):
    """(ΔS, ΔF, W line, heat) of a chain of one driven leg a step on N(0, s2), by hand.

    y' = m·y + √v·n: σ_env = ½(m² − 1)(w' − w)/v with the variance w of y; F = g·y of the drift over the mobility.
    """
    alpha, w = 1 / np.sqrt(1 + np.asarray(sigmas) ** 2), sigmas[0] ** 2 / (1 + sigmas[0] ** 2)
    first, given, line = w, 0.0, 0.0
    for k, (s, t) in enumerate(zip(sigmas[:-1], sigmas[1:])):
        (leg,) = sampler.legs(float(s), float(t), {})
        m = alpha[k + 1] / alpha[k] * leg.mean(np.ones((1, 1)), lambda x, q: s2 / (s2 + q * q) * x)[0, 0]
        v = alpha[k + 1] ** 2 * leg.variance
        after = m * m * w + v
        given += 0.5 * (m * m - 1) * (after - w) / v
        g = (1 - (1 + leg.xi) / variance_of_y(s2, s)) / leg.xi
        line -= 0.5 * g * (after - w)
        w = after
    dS = 0.5 * np.log(w / first)
    return dS, 0.5 * (w - first) - dS, 0.5 * (w - first) - line, -given


def closed_cycle(sampler, sigmas, variances, heating):
    """CYCLE of Gaussian data of these variances, a component each: all that is extensive adds up."""
    dS, dF, work, heat = np.sum([moments(sampler, sigmas, s2) for s2 in variances], axis=0)
    Sigma = dS - heat
    return {
        "work": work, "heat": heat, "shadow_work": dF + dS - work - heat, "entropy_change": dS, "free_energy": dF,
        "Sigma": Sigma,
        "eta_II": dF / (dF + Sigma), "eta_step": -dS / -heat, "bit_cost": np.log(2) * heat / dS, "nfe": len(sigmas) - 1,
        "eta_cycle": (heating.K - heating.Sigma) / (heating.K + Sigma),
        "eta_cycle_geodesic": (heating.K - heating.least_Sigma) / (heating.K + Sigma)}, dF


@pytest.mark.parametrize("sampler", [EulerAncestral(), DDPMBeta(), DDIM(0.8)], ids=str)
def test_gaussian_cycle_is_the_closed_one(sampler):
    """Every quantity within 6 of its errors, which are below 4
    % of ΔF: −Q/T in the place of σ_env is off by far more."""
    heating, sigmas = Heating(GAUSSIAN, HOT, COLD), schedules.karras(HOT, COLD, 12)
    found = cool(sampler, heating, sigmas, Cpu(), 32_000, seed=3)
    expected, dF = closed_cycle(sampler, sigmas, [0.25], heating)
    for name, value in expected.items():
        assert found.errors[name] < 0.04 * max(abs(value), dF)
        assert abs(found.row[name] - value) < 6 * found.errors[name] + 1e-9 + 0.004 * abs(value), name
    assert set(found.why) == set() and set(found.row) == set(CYCLE)


@pytest.mark.parametrize("sampler", [EulerAncestral(), DDIM(0.8)], ids=str)
def test_gaussian_cycle_of_the_plane(sampler):
    """The same in two dimensions; neighbours blur an entropy by 0.02 nat, which is 3 % of ΔF."""
    heating, sigmas = Heating(PLANE, HOT, COLD, Cloud(points=200)), schedules.karras(HOT, COLD, 8)
    found = cool(sampler, heating, sigmas, Cpu(), 16_000, seed=3)
    expected, dF = closed_cycle(sampler, sigmas, C, heating)
    for name, value in expected.items():
        assert found.errors[name] < 0.06 * max(abs(value), dF), name
        assert abs(found.row[name] - value) < 6 * found.errors[name] + 1e-9 + 0.03 * abs(value), name
    steps, end = mean_work(ve_chain(sigmas), PLANE.mmse, PLANE.second_moment(), 2)
    P = steps.sum() + end - PLANE.entropy(COLD)
    if sampler.name == "euler_ancestral":
        assert found.row["eta_path"] == pytest.approx(heating.K / (heating.K + P), rel=1e-9)


def test_a_perfect_sampler_is_as_far_from_data_as_they_are():
    """ddpm with the least variances leaves the exact law in six
    steps: w2_end of the blank; β̃ leaves it narrow, and farther."""
    heating, sigmas = Heating(PLANE, HOT, COLD, Cloud(points=250)), schedules.karras(HOT, COLD, 6)
    perfect = DDPM(Least(lambda x, sigma: C * sigma**2 / (C + sigma**2)).variance)
    start = heating.blank(250, parts=16)["w2_end"]
    found, narrow = (cool(s, heating, sigmas, Cpu(), 4000, 16, seed=2) for s in (perfect, EulerAncestral()))
    assert abs(found.row["w2_end"] - start[0]) < 6 * np.hypot(found.errors["w2_end"], start[1])
    assert narrow.row["w2_end"] > start[0] + 6 * np.hypot(narrow.errors["w2_end"], start[1])


def test_own_entropies_along_the_way():
    """S_k of a linear chain is ½ln 2πew of its own variance; each step's efficiency from the same moments."""
    heating, sigmas = Heating(GAUSSIAN, HOT, COLD), schedules.karras(HOT, COLD, 6)
    found = cool(EulerAncestral(), heating, sigmas, Cpu(), 32_000, seed=3)
    for k in range(6):
        dS, _, _, heat = moments(EulerAncestral(), sigmas[: k + 2], 0.25)
        before = moments(EulerAncestral(), sigmas[: k + 1], 0.25) if k else (0.0, 0.0, 0.0, 0.0)
        assert abs(found.entropy[k + 1] - found.entropy[0] - dS) < 6 * found.entropy_error[k + 1] + 0.003
        given = before[3] - heat
        assert (abs(found.eta_step[k] - (before[0] - dS) / given) < 6 * np.sqrt(2) * found.entropy_error[k + 1] / given
                + 0.005)
    assert np.all(found.entropy_error[1:] < 0.02) and found.entropy_error[0] < 1e-12


def test_the_chain_dissipates_its_kl():
    """P of the ancestral chain is ½Σ Δλ·mmse − … in closed form
    (mean_work); that of ddpm_beta the VP chain's with β."""
    sigmas, heating = schedules.karras(HOT, COLD, 9), Heating(MIXTURE, HOT, COLD)
    steps, end = mean_work(ve_chain(sigmas), MIXTURE.mmse, MIXTURE.second_moment())
    exact = steps.sum() + end - MIXTURE.entropy(COLD)
    assert chain_work(EulerAncestral(), heating, sigmas, 500, 1)[0] == pytest.approx(exact, rel=1e-9)
    levels = sigmas[::-1]
    alpha = 1 / np.sqrt(1 + levels**2)
    chain = Chain(alpha, levels * alpha, "beta", float(levels[-1] * alpha[-1]) ** 2)
    steps, end = mean_work(chain, MIXTURE.mmse, MIXTURE.second_moment())
    exact = steps.sum() + end - MIXTURE.entropy(COLD) - np.log(alpha[0])
    assert chain_work(DDPMBeta(), heating, sigmas, 500, 1)[0] == pytest.approx(exact, rel=1e-6)


def test_dissipation_of_a_chain_with_another_mean_by_brute_force():
    """dpm_2_ancestral: ⟨ln q − ln p⟩ of 400,000 noised pairs a step, scipy's densities."""
    sigmas, heating, n, sampler = np.array([2.0, 0.9, 0.4]), Heating(MIXTURE, 2.0, 0.4), 400_000, Ancestral(DPM2())
    rng, total, variance = np.random.default_rng(0), -MIXTURE.entropy(0.4), 0.0
    x_0 = MIXTURE.sample(n, 5, Cpu())[:, 0]
    for s, t in zip(sigmas[:-1], sigmas[1:]):
        near = x_0 + t * rng.standard_normal(n)
        far = near + np.sqrt(s * s - t * t) * rng.standard_normal(n)
        (leg,) = sampler.legs(s, t, {})
        W = (norm.logpdf(far, near, np.sqrt(s * s - t * t))
             - norm.logpdf(near, leg.mean(far[:, None], MIXTURE)[:, 0], np.sqrt(leg.variance)))
        total, variance = total + W.mean(), variance + W.var() / n
    last = x_0 + 2.0 * rng.standard_normal(n)
    total -= norm.logpdf(last, 0, 2.0).mean()
    found = chain_work(sampler, heating, sigmas, 20_000, 1)[0]
    assert abs(found - total) < 6 * np.sqrt(variance + norm.logpdf(last, 0, 2.0).var() / n) + 0.003


@pytest.mark.parametrize("sampler", FAMILY, ids=str)
def test_what_is_undefined_is_nan_with_a_reason(sampler):
    """Each of the family; ranges where a number stands."""
    found = cool(sampler, Heating(MIXTURE, HOT, COLD), schedules.karras(HOT, COLD, 8), Cpu(), 800, 2, seed=1)
    for name in CYCLE:
        assert np.isnan(found.row[name]) == (name in found.why), name
        assert name not in found.why or len(found.why[name]) > 10
    for name in ("eta_path", "eta_geo", "eta_II", "eta_step"):
        assert name in found.why or 0 <= found.row[name] <= 1
    assert set(found.strokes) == set(sampler.strokes)
    sigma, S = found.path()
    assert sigma[0] == HOT and S[-1] == found.entropy[-1] and np.isfinite(S).all()
    if "heat" not in found.why:  # strokes add up to the run
        for name in ("work", "heat", "shadow_work"):
            assert (sum(sums[name][0] for sums in found.strokes.values())
                    == pytest.approx(found.row[name], rel=1e-9, abs=1e-12))


def test_reasons_are_those_of_the_sampler():
    heating, sigmas = Heating(MIXTURE, HOT, COLD), schedules.karras(HOT, COLD, 8)
    for sampler, column, word in (
            (Euler(), "heat", "no bath"), (Euler(), "eta_path", "no bath"), (Heun(), "eta_II", "heat"),
            (DPMppSDE(), "Sigma", "heat"),
            (DPMppSDE(), "eta_path", "stage"), (DPMpp2MSDE(), "eta_path", "earlier"),
            (PredictorCorrector(), "eta_path", "several legs"),
            (AnnealedLangevin(), "eta_geo", "corrector")):
        assert word in cool(sampler, heating, sigmas, Cpu(), 400, 2).why[column]
    hot = GaussianMixture([1.0], [[0.0]], [4.0])  # data wider than noise: cooling spreads them
    assert "no order" in cool(EulerAncestral(), Heating(hot, HOT, COLD), sigmas, Cpu(), 400, 2).why["eta_step"]


def test_carnot_turns_its_corners():
    """Corner of each step: the entropy of y at the old level,
    at the new temperature; frozen x is stretched on the way."""
    heating, sigmas = Heating(MIXTURE, HOT, COLD), schedules.karras(HOT, COLD, 4)
    for sampler, shift in ((Carnot(), np.zeros(4)),
                           (AnnealedLangevin(), 0.5 * np.log((1 + sigmas[:-1] ** 2) / (1 + sigmas[1:] ** 2)))):
        found = cool(sampler, heating, sigmas, Cpu(), 800, 2)
        sigma, S = found.path()
        assert np.array_equal(sigma[1::2], sigmas[1:]) and np.allclose(S[1::2], found.entropy[:-1] + shift, atol=1e-12)
        assert np.array_equal(S[2::2], found.entropy[1:])


def test_bad_cycles_are_refused():
    heating = Heating(MIXTURE, HOT, COLD)
    with pytest.raises(UserError, match="same ends"):
        cool(Euler(), heating, schedules.karras(HOT, 0.2, 4), Cpu(), 400, 2)
    with pytest.raises(UserError, match="parts"):
        cool(Euler(), heating, schedules.karras(HOT, COLD, 4), Cpu(), 400, 1)
