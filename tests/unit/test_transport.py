"""Pilot, transport grids and the recommendation: exhaustive search, closed Gaussian flows, honest counting."""

from itertools import combinations

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import ndtri

from thermosim import schedules
from thermosim.errors import UserError
from thermosim.files.provenance import provenance
from thermosim.files.schema import new_run
from thermosim.files.store import read_tree, write_tree
from thermosim.report import draw
from thermosim.samplers import LMS, DPMpp2M, Euler, EulerAncestral, Heun
from thermosim.schedules import EDM
from thermosim.score.exact import GaussianMixture
from thermosim.thermo.grids.pilot import Pilot
from thermosim.thermo.grids.recommend import HAND_MADE, recommend, schedule
from thermosim.thermo.grids.transport import (cheapest_path, polish, transport_geodesic, transport_length,
                                              transport_optimum)

S2 = 0.25
GAUSS = GaussianMixture([1.0], [[0.0]], [S2])
TWO = GaussianMixture([0.4, 0.6], [[-1.5], [1.0]], [0.09, 0.04])
NOISE = np.random.default_rng(4).standard_normal((256, 1))


@pytest.fixture(scope="module")
def gaussian():
    return Pilot(GAUSS, 20 * NOISE, 20.0, 0.05)


def test_the_teacher_follows_the_closed_flow(gaussian):
    """x(σ) = x(σ_max)·√((s² + σ²)/(s² + σ_max²)) for Gaussian data; a rule of second order would miss by 1e-4."""
    scale = np.sqrt((S2 + gaussian.sigmas**2) / (S2 + 400.0))
    assert np.allclose(gaussian.x[:, :, 0], scale[:, None] * 20 * NOISE[:, 0], rtol=3e-7)
    assert np.allclose(gaussian.D[:, :, 0], (S2 / (S2 + gaussian.sigmas**2))[:, None] * gaussian.x[:, :, 0])
    assert gaussian.evaluations == gaussian.shared == 401


def test_one_step_errors_and_gain_are_the_closed_ones(gaussian):
    nodes = np.array([0, 50, 75, 100])
    errors = gaussian.one_step_errors(Euler(), nodes)
    i, j = gaussian.sigmas[50], gaussian.sigmas[75]
    x = gaussian.x[50]
    exact = x * (1 + (j - i) * i / (S2 + i * i)) - x * np.sqrt((S2 + j * j) / (S2 + i * i))
    assert errors[1, 2] == pytest.approx(np.sqrt(np.mean(exact**2)), rel=1e-5)
    assert gaussian.evaluations == 401  # Euler asks nothing new
    fine = np.arange(0, 101, 5)
    expected = np.sqrt((S2 + 0.05**2) / (S2 + gaussian.sigmas[fine] ** 2))
    assert np.allclose(gaussian.gain(fine).mean(axis=1), expected, rtol=0.25)


def test_one_step_of_dpmpp_2m_knows_the_step_before(gaussian):
    """From x_j by its own formula, with D one equal step earlier: D = s²x/(s² + σ²), x ∝ √(s² + σ²)."""
    nodes = np.array([30, 50, 70])
    before, i, j = gaussian.sigmas[nodes]
    D = [S2 / np.sqrt(S2 + s * s) for s in (before, i)]          # in units of x/√(s² + σ²)
    step = j / i * np.sqrt(S2 + i * i) + (1 - j / i) * (1.5 * D[1] - 0.5 * D[0])
    scale = np.sqrt(np.mean(gaussian.x[50] ** 2) / (S2 + i * i))
    assert (gaussian.one_step_errors(DPMpp2M(), nodes)[1, 2]
            == pytest.approx(scale * abs(step - np.sqrt(S2 + j * j)), rel=1e-4))


def test_the_gain_is_weighed_in_the_optimum(gaussian):
    """Gaussian data: an error at σ shrinks by √((s² + σ_min²)/(s²
    + σ²)) on its way, so that steps belong further down."""
    told = recommend(gaussian, Euler(), 6)

    def cost(s, weight):
        i, v = s[:-1], S2 + s * s
        missed = v[:-1] * (1 + (s[1:] - i) * i / v[:-1] - np.sqrt(v[1:] / v[:-1])) ** 2
        return np.sum(missed / v[1:] if weight else missed)

    plain, weighted = told.candidates["transport_optimum"], told.candidates["transport_optimum_J"]
    assert cost(weighted, True) < 0.9 * cost(plain, True) and cost(plain, False) < 0.9 * cost(weighted, False)


def test_the_error_curve_of_its_own_samples_is_the_mmse():
    """Gaussian data: mmse = s²σ²/(s² + σ²); 2,048 ends, 2 % of sampling error a level."""
    pilot = Pilot(GAUSS, 20 * np.random.default_rng(1).standard_normal((2048, 1)), 20.0, 0.05)
    curve = pilot.curve(levels=60)
    levels = np.geomspace(15.0, 0.06, 20)
    assert np.allclose(curve.force(levels), S2 * levels**2 / (S2 + levels**2), rtol=0.15)
    assert curve.length == pytest.approx(0.5 * np.log((1 + S2 * 400) / (1 + S2 / 400)), rel=0.1)
    assert pilot.evaluations == 401 + 60


def quantile_grid(n):
    """n² points of unit rms with independent normal components, (n², 2)."""
    z = ndtri((np.arange(n) + 0.5) / n)
    return np.stack(np.meshgrid(z / np.sqrt(np.mean(z * z)), z / np.sqrt(np.mean(z * z))), axis=-1).reshape(-1, 2)


def test_the_transport_geodesic_is_the_closed_one():
    """Gaussian data of two widths: |dD/dlnσ| of each component is
    s²σ²x_0/v^{3/2}·√v_max, v = s² + σ²; rms, not the mean, over them."""
    wide = np.array([1.0, 0.04])
    pilot = Pilot(GaussianMixture([1.0], [[0.0, 0.0]], [wide]), np.sqrt(400 + wide) * quantile_grid(24), 20.0,
                  0.05, fine=400)
    u = np.linspace(-np.log(20.0), -np.log(0.05), 20_001)
    sigma2 = np.exp(-2 * u)[:, None]
    rate = np.sqrt(np.sum((wide * sigma2 / (wide + sigma2) ** 1.5) ** 2, axis=1))
    way = np.concatenate(([0.0], np.cumsum(np.sqrt(rate))[1:]))
    expected = np.exp(-np.interp(np.linspace(0, way[-1], 13), way, u))
    assert transport_length(pilot) == pytest.approx(way[-1] * (u[1] - u[0]), rel=2e-3)
    assert np.allclose(transport_geodesic(pilot, 12), expected, rtol=2e-3)


def test_the_transport_optimum_is_the_least_of_all_grids():
    """Euler on Gaussian data: the summed squares of closed one-step
    errors, minimised by Nelder–Mead over three inner levels."""
    pilot = Pilot(GAUSS, np.sqrt(400 + S2) * quantile_grid(16)[:, :1], 20.0, 0.05)

    def cost(inner):
        s = np.concatenate(([20.0], np.exp(inner), [0.05]))
        i, j = s[:-1], s[1:]
        v = S2 + s * s
        return np.sum(v[:-1] * (1 + (j - i) * i / v[:-1] - np.sqrt(v[1:] / v[:-1])) ** 2)

    best = minimize(cost, np.log([3.0, 0.8, 0.3]), method="Nelder-Mead", options={"xatol": 1e-7, "fatol": 1e-12})
    nodes = np.arange(101)
    grid = transport_optimum(pilot, Euler(), pilot.one_step_errors(Euler(), nodes), nodes, 4)
    assert cost(np.log(grid[1:-1])) < best.fun * (1 + 2e-3)
    assert np.allclose(np.log(grid[1:-1]), best.x, atol=0.03)  # the mesh is 0.015 apart


def test_the_cheapest_path_is_that_of_exhaustive_search():
    cost = np.where(np.triu(np.ones((9, 9)), 1) > 0, np.random.default_rng(0).random((9, 9)), np.inf)
    for steps in (1, 2, 4):
        best = min(sum(cost[a, b] for a, b in zip(p, p[1:])) for p in
                   ((0, *inner, 8) for inner in combinations(range(1, 8), steps - 1)))
        path = cheapest_path(cost, steps)
        assert sum(cost[a, b] for a, b in zip(path, path[1:])) == pytest.approx(best)


def test_polish_never_makes_it_worse_and_keeps_its_budget():
    pilot = Pilot(TWO, 20 * NOISE, 20.0, 0.05)
    grid = schedules.karras(20.0, 0.05, 8)
    before = pilot.evaluations
    better = polish(pilot, Heun(), grid, 600)
    assert pilot.evaluations - before <= 600
    assert pilot.error(Heun(), better) < 0.85 * pilot.error(Heun(), grid)
    assert np.all(np.diff(better) < 0) and better[0] == 20.0 and better[-1] == 0.05


@pytest.mark.parametrize("sampler", [Euler(), Heun(), DPMpp2M(), LMS(2)], ids=str)
def test_a_recommendation_holds_on_fresh_noise_within_its_budget(sampler):
    asked = []

    def counted(x, sigma):
        asked.append(len(x))
        return TWO(x, sigma)

    r = schedule(counted, 20 * NOISE, sampler, 10, 20.0, 0.05)
    assert sum(asked) / 256 == pytest.approx(r.evaluations) and r.evaluations <= 2400
    assert r.margin >= 1 and r.errors[r.name] == min(r.errors.values()) and np.isfinite(r.predicted_dissipation)
    fresh = Pilot(TWO, 20 * np.random.default_rng(5).standard_normal((4000, 1)), 20.0, 0.05)
    # 4,000 fresh points against the 256 it was chosen by
    assert fresh.error(sampler, r.sigmas) < 0.9 * fresh.error(sampler, schedules.karras(20.0, 0.05, 10))
    assert r.length == pytest.approx(transport_length(fresh), rel=0.05)


def test_nonsense_is_refused():
    with pytest.raises(UserError, match="finite"):
        Pilot(GAUSS, np.full((20, 1), np.nan), 20.0, 0.05)
    with pytest.raises(UserError, match="sigma_max"):
        Pilot(GAUSS, NOISE, 0.05, 20.0)
    with pytest.raises(UserError, match="does not follow"):
        schedule(GAUSS, 20 * NOISE, EulerAncestral(), 10, 20.0, 0.05)
    with pytest.raises(UserError, match="1 to 100"):
        schedule(GAUSS, 20 * NOISE, Heun(), 101, 20.0, 0.05)


def test_what_the_polish_learnt_by_heart_does_not_count():
    """Sixteen dimensions, where a few particles change sides: judged
    by the half that was not polished on, it holds on fresh noise."""
    rng = np.random.default_rng(16)
    law = GaussianMixture(rng.dirichlet(np.full(6, 3.0)), rng.normal(size=(6, 16)),
                          rng.uniform(0.05, 0.5, (6, 16)) ** 2)
    pilot = Pilot(law, 50 * rng.standard_normal((1024, 16)), 50.0, 0.01, power=1)
    r = recommend(pilot, DPMpp2M(), 50)
    fresh = Pilot(law, 50 * rng.standard_normal((2048, 16)), 50.0, 0.01, power=1)
    assert r.evaluations <= 2400 and r.name == "polished"
    assert fresh.error(DPMpp2M(), r.sigmas) < 0.8 * min(fresh.error(DPMpp2M(), r.candidates[name])
                                                        for name in HAND_MADE)
    assert r.errors["polished"] == pytest.approx(pilot.error(DPMpp2M(), r.sigmas, slice(1, None, 2)), rel=1e-12)


def test_a_curve_brings_its_grids_and_its_dissipation():
    """With an error curve the work geodesic and the entropic grids are judged too, and P is told."""
    pilot = Pilot(TWO, 20 * NOISE, 20.0, 0.05)
    curve = pilot.curve()
    told = recommend(pilot, Euler(), 6, curve)
    assert {"work_geodesic", "entropic", "rescaled_entropic", "score_optimal"} <= set(told.candidates)
    assert told.predicted_dissipation == curve.dissipation(told.sigmas)
    assert told.sigmas[0] == 20.0 and told.sigmas[-1] == 0.05 and np.all(np.diff(told.sigmas) < 0)
    assert np.allclose(EDM().time(told.sigmas), told.sigmas)


def test_its_table_is_drawn_from_a_file(tmp_path):
    told = schedule(TWO, 20 * NOISE, Euler(), 6, 20.0, 0.05)
    tree = new_run(provenance({}, 0))
    tree["schedule"] = told.table()
    write_tree(tmp_path / "run.h5", tree)
    assert read_tree(tmp_path / "run.h5")["schedule"].attrs["chosen"] == told.name
    assert [p.name for p in draw(tmp_path / "run.h5")] == ["schedule.png"]
