"""A profile of a network that is exact: what it says is checked by running the samplers again, and by closed forms."""

from dataclasses import replace

import numpy as np
import pytest

from thermosim import schedules
from thermosim.backend.cpu.device import Cpu
from thermosim.errors import UserError
from thermosim.files import guard
from thermosim.runs.sampling import sample
from thermosim.samplers import DPMpp2M, Euler, Heun
from thermosim.schedules import VP
from thermosim.score.exact import GaussianMixture
from thermosim.score.timesteps import TimestepDenoiser, Timesteps
from thermosim.thermo.grids.least_work import least_work
from thermosim.thermo.grids.profile import GRIDS, Effort, Profile, error_rows
from thermosim.thermo.grids.recommend import recommend
from thermosim.thermo.round_trip import Plan, measure_curve

LAW = GaussianMixture([0.3, 0.7], [[1.0, 0.5, -1.0, 0.0], [-0.5, -1.0, 0.8, 0.6]], np.array([0.04, 0.02]))
TABLE = Timesteps(VP(0.1, 12.0).alpha(np.linspace(2e-3, 1, 400)) ** 2)
EFFORT = Effort(particles=24, batches=3, fine=30, fine_judged=60, levels=40, budget=300)


def epsilon(x, t):
    """The exact noise predictor of the law, of timesteps: rows of images in, images out."""
    sigma = float(TABLE.sigma(t))
    y = x.reshape(-1, 4) * np.sqrt(1 + sigma**2)
    return ((y - LAW(y, sigma)) / sigma).reshape(x.shape)


def usual(steps):
    return TABLE.sigma(np.linspace(len(TABLE) - 1, 0, steps + 1))


@pytest.fixture(scope="module")
def profile():
    return Profile(TimestepDenoiser(epsilon, TABLE, shape=(1, 2, 2)), usual, 3, EFFORT)


def test_the_errors_are_those_of_the_sampler_run_again(profile):
    """By the loop that books, and a flow integrated by Heun in
    2,000 steps instead of by Runge and Kutta's rule in 60."""
    found = profile.sampler(DPMpp2M(), 6)
    assert found.errors.shape == (4, 3) and found.levels.shape == (4, 7) and found.seconds > 0
    rng = np.random.Generator(np.random.PCG64([3 + 10_000, 0]))  # the first batch's noise
    z = rng.standard_normal((24, 4))
    x = profile.hot * z
    levels = np.geomspace(profile.hot, profile.cold, 2001)
    for s, lower in zip(levels[:-1], levels[1:]):
        slope = (x - LAW(x, s)) / s
        ahead = x + (lower - s) * slope
        x = x + 0.5 * (lower - s) * (slope + (ahead - LAW(ahead, lower)) / lower)
    for name, levels, errors in zip(GRIDS, found.levels, found.errors):
        end = x if levels[-1] > 0 else LAW(x, profile.cold)
        run = sample(DPMpp2M(), LAW, levels, 24, 4, 0, Cpu(), books=False, start=levels[0] * z)
        assert errors[0] == pytest.approx(np.sqrt(np.mean((run.x - end) ** 2)), rel=2e-3), name


def test_the_grids_are_what_they_are_called(profile):
    found = profile.sampler(Euler(), 5)
    own, karras, best, whole = found.levels
    assert np.allclose(own[:-1], usual(5)[:-1], rtol=1e-12)
    assert np.array_equal(karras, schedules.karras(profile.hot, profile.cold, 5))
    assert np.allclose(TABLE.time(whole[:-1]), np.rint(TABLE.time(best[:-1])), atol=1e-9) and whole[-1] == best[-1]
    rows = error_rows(Euler(), 5, found.errors)
    assert ([row["grid"] for row in rows] == list(GRIDS) and rows[0]["over_usual"] == 1
            and rows[0]["over_usual_error"] == 0)
    ratio = found.errors[2] / found.errors[0]
    assert (rows[2]["over_usual"] == pytest.approx(ratio.mean())
            and rows[2]["over_usual_error"] == pytest.approx(ratio.std(ddof=1) / np.sqrt(3)))


def test_the_usual_grid_gets_the_better_of_its_two_endings(profile):
    for sampler, steps in ((DPMpp2M(), 4), (Euler(), 12)):
        ways = [profile.errors(sampler, grid).mean() for grid in (usual(steps), np.append(usual(steps)[:-1], 0.0))]
        found = profile.sampler(sampler, steps)
        assert found.errors[0].mean() == pytest.approx(min(ways)) and (found.levels[0, -1] == 0) == (ways[1] < ways[0])


def test_of_few_steps_the_one_that_ends_at_zero_wins(profile):
    """By the pilot's own particles, so that on others it may lose by their sampling error only."""
    found = profile.sampler(Heun(), 2)
    assert found.chosen.endswith("to 0") and found.levels[2, -1] == 0 and found.margin >= 1
    to_least = recommend(profile.pilot, Heun(), 2, profile.curve, EFFORT.budget).sigmas
    assert found.errors[2].mean() < 0.95 * profile.errors(Heun(), to_least).mean()
    assert found.errors[2].mean() < 1.1 * found.errors[0].mean()


def test_its_work_is_that_of_the_exact_law(profile):
    """P of a grid from the law's own mmse, which the measured curve of 300 points may miss by its error bars."""
    data = LAW.sample(300, 5, Cpu())
    plan = replace(Plan(), sigma_max=profile.hot, sigma_min=profile.cold, levels=60, replicas=2)
    rows, levels = profile.work(measure_curve(profile.denoise, data, plan, Cpu()), 8)
    many, fine = LAW.sample(4000, 6, Cpu()), np.geomspace(profile.hot, profile.cold, 400)
    noise = np.random.default_rng(0).standard_normal(many.shape)
    mmse = np.array([np.mean(((LAW(many + s * noise, s) - many) ** 2).sum(axis=1)) for s in fine])
    reversible = np.trapezoid(0.5 * mmse * 2 * fine**-2.0, -np.log(fine))
    assert [row["grid"] for row in rows] == list(GRIDS)
    for row, sigmas in zip(rows, levels):
        force = np.exp(np.interp(-np.log(sigmas[:-1]), -np.log(fine), np.log(mmse)))
        P = np.sum(0.5 * np.diff(sigmas**-2.0) * force) - reversible
        assert abs(row["dissipated_work"] - P) < 6 * row["dissipated_work_error"] + 0.02 * P
        assert row["eta_grid"] == pytest.approx(reversible / (reversible + P), rel=0.1)
    P = [row["dissipated_work"] for row in rows]
    assert P[2] < min(P[0], P[1]) and rows[0]["P_over_usual"] == 1 and rows[0]["P_over_usual_error"] < 1e-12
    # 7 % above the least on this law of two widths; log-SNR is 135 % above it
    assert (profile.curve.dissipation(levels[2]) < 1.09
            * profile.curve.dissipation(least_work(profile.curve, profile.hot, profile.cold, 8)))


def test_the_errors_of_its_work_are_a_jackknife(profile):
    data = LAW.sample(100, 5, Cpu())
    measured = measure_curve(profile.denoise, data,
                             replace(Plan(), sigma_max=profile.hot, sigma_min=profile.cold, levels=40, replicas=1),
                             Cpu())
    rows, levels = profile.work(measured, 5)
    left_out = [fold.dissipation(levels[1]) / fold.dissipation(levels[0]) for fold in measured.folds]
    assert rows[1]["P_over_usual_error"] == pytest.approx(3 * np.std(left_out))  # of ten parts: √(9/10 Σ(r − r̄)²)


def test_a_pilot_too_large_for_the_machine_is_refused_before_it_runs(monkeypatch):
    denoise = TimestepDenoiser(lambda x, t: 1 / 0, TABLE, shape=(3, 2, 2))
    needed = 2 * 8 * 24 * 12 * 61  # x and D of the judges' flow at every level
    for memory, error in ((2 * needed - 2, UserError), (2 * needed, ZeroDivisionError)):
        monkeypatch.setattr(guard, "memory_bytes", lambda memory=memory: memory)
        with pytest.raises(error, match="a pilot of 24 images needs" if error is UserError else None):
            Profile(denoise, usual, 0, EFFORT)
