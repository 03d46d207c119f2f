"""Pilot, transport grids and the recommendation: exhaustive search, closed Gaussian flows, honest counting."""

from itertools import combinations

import numpy as np
import pytest

from thermosim import schedules
from thermosim.errors import UserError
from thermosim.samplers import DPMpp2M, Euler, EulerAncestral, Heun
from thermosim.score.exact import GaussianMixture
from thermosim.thermo.pilot import Pilot
from thermosim.thermo.recommend import align_your_steps, schedule, transport_length
from thermosim.thermo.transport import cheapest_path, polish

S2 = 0.25
GAUSS = GaussianMixture([1.0], [[0.0]], [S2])
TWO = GaussianMixture([0.4, 0.6], [[-1.5], [1.0]], [0.09, 0.04])
NOISE = np.random.default_rng(4).standard_normal((256, 1))


@pytest.fixture(scope="module")
def gaussian():
    return Pilot(GAUSS, 20 * NOISE, 20.0, 0.05)


def test_the_teacher_follows_the_closed_flow(gaussian):
    """x(σ) = x(σ_max)·√((s² + σ²)/(s² + σ_max²)) for Gaussian data."""
    scale = np.sqrt((S2 + gaussian.sigmas**2) / (S2 + 400.0))
    assert np.allclose(gaussian.x[:, :, 0], scale[:, None] * 20 * NOISE[:, 0], rtol=2e-3)
    assert gaussian.evaluations == 401


def test_one_step_errors_and_gain_are_the_closed_ones(gaussian):
    nodes = np.array([0, 100, 150, 200])
    errors = gaussian.one_step_errors(Euler(), nodes)
    i, j = gaussian.sigmas[100], gaussian.sigmas[150]
    x = gaussian.x[100]
    exact = x * (1 + (j - i) * i / (S2 + i * i)) - x * np.sqrt((S2 + j * j) / (S2 + i * i))
    assert errors[1, 2] == pytest.approx(np.sqrt(np.mean(exact**2)), rel=1e-2)
    assert gaussian.evaluations == 401  # Euler asks nothing new
    fine = np.arange(0, 201, 5)
    expected = np.sqrt((S2 + 0.05**2) / (S2 + gaussian.sigmas[fine] ** 2))
    assert np.allclose(gaussian.gain(fine).mean(axis=1), expected, rtol=0.25)


def test_the_cheapest_path_is_that_of_exhaustive_search():
    cost = np.where(np.triu(np.ones((9, 9)), 1) > 0, np.random.default_rng(0).random((9, 9)), np.inf)
    for steps in (1, 2, 4):
        best = min(sum(cost[a, b] for a, b in zip(p, p[1:])) for p in
                   ((0, *inner, 8) for inner in combinations(range(1, 8), steps - 1)))
        path = cheapest_path(cost, steps)
        assert sum(cost[a, b] for a, b in zip(path, path[1:])) == pytest.approx(best)


def test_align_your_steps_has_its_ends_and_its_arctan():
    sigmas = align_your_steps(20.0, 0.05, 6, 0.5)
    assert sigmas[0] == pytest.approx(20.0) and sigmas[-1] == pytest.approx(0.05)
    assert np.ptp(np.diff(np.arctan(sigmas / 0.5))) < 1e-12


def test_polish_never_makes_it_worse_and_keeps_its_budget():
    pilot = Pilot(TWO, 20 * NOISE, 20.0, 0.05)
    grid = schedules.karras(20.0, 0.05, 8)
    before = pilot.evaluations
    better = polish(pilot, Heun(), grid, 600)
    assert pilot.evaluations - before <= 600
    assert pilot.error(Heun(), better) < 0.85 * pilot.error(Heun(), grid)
    assert np.all(np.diff(better) < 0) and better[0] == 20.0 and better[-1] == 0.05


@pytest.mark.parametrize("sampler", [Euler(), Heun(), DPMpp2M()], ids=str)
def test_a_recommendation_holds_on_fresh_noise_within_its_budget(sampler):
    asked = []

    def counted(x, sigma):
        asked.append(len(x))
        return TWO(x, sigma)

    r = schedule(counted, 20 * NOISE, sampler, 10, 20.0, 0.05)
    assert sum(asked) / 256 == pytest.approx(r.evaluations) and r.evaluations <= 2500
    assert r.margin >= 1 and r.errors[r.name] == min(r.errors.values()) and np.isnan(r.predicted_dissipation)
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


def test_entropic_grid_gains_equal_order():
    """Gaussian data: ½∫mse dλ = ½ln(1 + λs²), so equal order is equal steps of ln(1 + λs²)."""
    from thermosim.thermo.geodesic import MseCurve
    from thermosim.thermo.recommend import entropic

    levels = np.geomspace(20.0, 0.02, 200)
    curve = MseCurve(levels, 0.7 / (1 + 0.7 * levels**-2.0))
    steps = np.diff(np.log(1 + 0.7 * entropic(curve, 20.0, 0.02, 7) ** -2.0))
    assert np.ptp(steps) < 1e-3 * steps.mean()


def test_a_curve_brings_its_grids_and_its_dissipation():
    """With an error curve the work geodesic and the entropic grid are judged too, and P is told."""
    from thermosim.samplers import SAMPLERS
    from thermosim.score.exact import GaussianMixture
    from thermosim.thermo.geodesic import MseCurve
    from thermosim.thermo.recommend import schedule

    law = GaussianMixture([0.4, 0.6], [[-1.5], [1.0]], [0.09, 0.04])
    levels = np.geomspace(20.0, 0.02, 60)
    curve = MseCurve(levels, np.array([law.mmse(s) for s in levels]))
    euler = next(s for s in SAMPLERS if s.name == "euler")
    start = 20.0 * np.random.default_rng(0).standard_normal((256, 1))
    told = schedule(law, start, euler, 6, 20.0, 0.02, curve=curve)
    assert {"entropic"} <= set(told.candidates)
    assert told.predicted_dissipation == curve.dissipation(told.sigmas)
    assert told.sigmas[0] == 20.0 and told.sigmas[-1] == 0.02 and np.all(np.diff(told.sigmas) < 0)
