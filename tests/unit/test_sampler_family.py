"""The whole family: what each sampler declares is what it does, one algorithm is one map, nonsense is refused."""

import numpy as np
import pytest
from scipy.integrate import RK45 as ScipyRK45
from scipy.integrate import quad, solve_ivp

from thermosim import schedules
from thermosim.backend.cpu.device import Cpu
from thermosim.backend.cpu.threads import get_threads, set_threads
from thermosim.errors import UserError
from thermosim.runs.sampling import sample
from thermosim.samplers import (DDIM, DPM2, FAMILY, LMS, RK45, SAMPLERS, Ancestral, DDPMBeta, DPMpp2M,
                                DPMpp2MSDE, DPMpp2S,
                                DPMpp3M, DPMpp3MSDE, DPMppSDE, Euler, EulerAncestral, Heun, MALACorrected,
                                PredictorCorrector)
from thermosim.samplers.base import FREE
from thermosim.samplers.lms import adams_weights
from thermosim.samplers.rk45 import dormand_prince
from thermosim.score.exact import GaussianMixture
from thermosim.thermo.round_trip import find_samplers

MIXTURE = GaussianMixture([0.4, 0.6], [[-1.5, 0.3], [1.0, -0.2]], [0.3, 0.2])
GRID = schedules.karras(5.0, 0.1, 6)
NEW = [s for s in FAMILY if s not in SAMPLERS]


def run(sampler, grid=GRID, n=6, seed=1, **kw):
    return sample(sampler, MIXTURE, grid, n, 2, seed, Cpu(), **{"books": False, **kw})


def test_names_are_unique():
    names = [name for s in FAMILY for name in (s.name, *s.also)]
    assert len(names) == len(set(names))
    assert FAMILY[:6] == SAMPLERS
    for s in FAMILY:
        assert find_samplers([s.name]) == (s,) and s.order in (0, 1, 2, 3, 5) and s.strong in (None, 1)
    assert find_samplers(["ddim", "ddpm"]) == (SAMPLERS[1], SAMPLERS[0])
    with pytest.raises(UserError, match="did you mean 'dpmpp_2s_ancestral'"):
        find_samplers(["dpmpp_2s_ancestal"])


class Counted:
    """Draws that only count."""

    def __init__(self):
        self.normal = 0

    def normals(self):
        self.normal += 1
        return np.zeros((3, 2))

    def log_uniforms(self):
        return np.full(3, -1.0)


@pytest.mark.parametrize("sampler", FAMILY, ids=str)
def test_declared_strokes_and_draws_are_those_of_a_step(sampler):
    x, draws, strokes = np.ones((3, 2)), Counted(), []
    for leg in sampler.legs(2.0, 1.0, {"steps": 5}):
        strokes.append(leg.stroke)
        _, x = leg.move(x, MIXTURE, draws)
    assert tuple(dict.fromkeys(strokes)) == sampler.strokes
    assert draws.normal == sampler.draws


@pytest.mark.parametrize("sampler", NEW, ids=str)
def test_declared_evaluations_are_those_asked_for(sampler):
    asked = []

    def counted(x, sigma):
        asked.append(len(x))
        return MIXTURE(x, sigma)

    for books in (True, False):
        asked.clear()
        told = sample(sampler, counted, GRID, 4, 2, 1, Cpu(), books=books).evaluations
        assert books or sum(asked) == 4 * told or sampler.name == "rk45"
        if sampler.name == "rk45":
            assert told >= 6 * sampler.evaluations
        else:  # the corrected third order looks ahead once, at the start
            assert told == 6 * sampler.evaluations + (sampler.name == "dpmpp_3m_corrected")


@pytest.mark.parametrize("sampler", NEW, ids=str)
def test_batches_and_threads_change_no_bit(sampler):
    before, runs = get_threads(), []
    for threads, batch in ((1, 300), (2, 300), (1, 70)):
        set_threads(threads)
        runs.append(run(sampler, n=300, batch=batch, books=True, frames=80))
    set_threads(before)
    for other in runs[1:]:
        assert np.array_equal(runs[0].x, other.x) and np.array_equal(runs[0].frames, other.frames)
        for name in runs[0].ledger.mean:
            assert np.array_equal(runs[0].ledger.mean[name], other.ledger.mean[name], equal_nan=True)


@pytest.mark.parametrize("one, other", [
    (DDIM(0.0), Euler()), (Ancestral(Euler()), EulerAncestral()), (DDIM(1.0), EulerAncestral()),
    (Ancestral(DPM2(), 0.0), DPM2()), (Ancestral(DPMpp2S(), 0.0), DPMpp2S()), (DPMpp2MSDE(0.0), DPMpp2M()),
    (DPMpp3MSDE(0.0), DPMpp3M()), (LMS(1), Euler()), (Heun(s_churn=5.0, s_tmin=50.0), Heun()),
    (Heun(s_churn=5.0, s_noise=0.0, s_tmax=0.2), Heun(s_churn=5.0, s_noise=0.0, s_tmin=0.1, s_tmax=0.2)),
], ids=lambda s: s.name)
def test_two_names_of_one_algorithm(one, other):
    """To rounding: same noise, same grid, a step to σ = 0 included."""
    for grid in (GRID, np.append(GRID, 0.0)):
        assert np.allclose(run(one, grid).x, run(other, grid).x, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("sampler", FAMILY, ids=str)
def test_a_step_to_no_noise_ends_finite_and_is_booked(sampler):
    told = run(sampler, np.append(GRID, 0.0), books=True)
    assert np.isfinite(told.x).all() and len(told.ledger) >= 7
    if sampler.history and "lms" not in sampler.name:
        before = run(sampler, GRID)
        assert np.allclose(told.x, MIXTURE(before.x, GRID[-1]), rtol=1e-12)


def test_ddpm_beta_is_the_chain_of_unit_data():
    """β of the variance-preserving chain, in σ form: (x/√(1+σ²) has variance 1 at every level)."""
    sigma, sigma_next = 2.0, 0.7
    (leg,) = DDPMBeta().legs(sigma, sigma_next, {})
    alpha_bar, alpha_bar_next = 1 / (1 + sigma**2), 1 / (1 + sigma_next**2)
    beta = 1 - alpha_bar / alpha_bar_next
    assert leg.variance * alpha_bar_next == pytest.approx(beta, rel=1e-14)
    posterior = beta * (1 - alpha_bar_next) / (1 - alpha_bar)
    assert (next(EulerAncestral().legs(sigma, sigma_next, {})).variance * alpha_bar_next
            == pytest.approx(posterior, rel=1e-14))


def test_churn_reaches_its_level():
    """γ = min(s_churn/N, √2 − 1) within [s_tmin, s_tmax], and the variance that goes with it."""
    heated, _ = Heun(s_churn=2.0, s_noise=1.1).legs(3.0, 1.0, {"steps": 10})
    assert heated.stroke == FREE and heated.sigma_next == pytest.approx(3.6)
    assert heated.variance == pytest.approx(1.21 * (3.6**2 - 9))
    heated, _ = Heun(s_churn=20.0).legs(3.0, 1.0, {"steps": 10})
    assert heated.sigma_next == pytest.approx(3 * np.sqrt(2))
    assert len(list(Heun(s_churn=2.0, s_tmax=2.9).legs(3.0, 1.0, {"steps": 10}))) == 1


def test_adams_weights_are_the_integrals_of_the_lagrange_polynomials():
    levels = [2.0, 2.7, 4.1, 5.0]
    for count in (1, 2, 3, 4):
        for own, weight in zip(levels, adams_weights(levels[:count], 2.0, 1.1)):
            def ell(tau):
                return np.prod([(tau - o) / (own - o) for o in levels[:count] if o != own])

            assert weight == pytest.approx(quad(ell, 2.0, 1.1, epsabs=1e-13)[0], abs=1e-13)


def test_one_dormand_prince_step_is_scipys():
    x = np.array([0.4, -1.2])

    def slope(sigma, y):
        return (y - MIXTURE(y[None], sigma)[0]) / sigma

    solver = ScipyRK45(slope, 2.0, x, 0.0, first_step=0.5, max_step=0.5, rtol=1.0, atol=1e3)
    solver.step()
    ours, error, _ = dormand_prince(x[None], 2.0, 1.5, MIXTURE, slope(2.0, x)[None])
    assert solver.t == 1.5 and np.allclose(ours[0], solver.y, rtol=1e-14)
    assert np.allclose(error[0], 0.5 * solver.K.T @ solver.E, rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize("tolerance", [1e-3, 1e-6, 1e-9])
def test_rk45_keeps_its_tolerance(tolerance):
    """Against scipy's DOP853 at 1e-13; the error of a step is carried on by the flow, which contracts it."""
    start = 5.0 * np.random.default_rng(0).standard_normal((20, 2))
    told = run(RK45(tolerance, tolerance), n=20, start=start)
    for x, end in zip(start, told.x):
        exact = solve_ivp(lambda s, y: (y - MIXTURE(y[None], s)[0]) / s, (5.0, 0.1), x, "DOP853", rtol=1e-13,
                          atol=1e-13).y[:, -1]
        assert np.abs(end - exact).max() < 60 * tolerance


def test_rk45_spends_where_it_is_needed():
    """Fewer evaluations for a looser tolerance; an impossible one is refused in one line."""
    assert run(RK45(1e-3, 1e-3)).evaluations < run(RK45(1e-9, 1e-9)).evaluations
    with pytest.raises(UserError, match="halvings"):
        run(RK45(1e-12, 0.0, halvings=1))


def test_mala_leaves_the_exact_law_alone():
    """20,000 points of p_σ stay p_σ under 30 tests at c = 0.86; the unadjusted ones do not."""
    law, sigma, n = GaussianMixture([0.5, 0.5], [[-1.0], [1.0]], [0.04, 0.04]), 0.8, 20_000
    grid = sigma * np.geomspace(1.0, 1 - 1e-9, 31)
    start = law.sample(n, 1, Cpu()) + sigma * np.random.default_rng(2).standard_normal((n, 1))
    second = law.second_moment() + sigma**2
    tested, plain = ((sample(sampler, law, grid, n, 1, 3, Cpu(), batch=n, books=False, start=start).x ** 2).mean()
                     for sampler in (MALACorrected(2.0), PredictorCorrector(2.0)))
    error = (start**2).std() / np.sqrt(n)
    assert abs(tested - second) < 4 * error
    assert abs(plain - second) > 6 * error


@pytest.mark.parametrize("make, match", [
    (lambda: DDIM(1.5), "eta"), (lambda: DDIM(-0.1), "eta"), (lambda: DPMppSDE(0.0), "eta"),
    (lambda: DPMpp2MSDE(2.0), "eta"),
    (lambda: DDIM(float("nan")), "eta"), (lambda: Ancestral(LMS()), "one-step"),
    (lambda: Ancestral(EulerAncestral()), "one-step"),
    (lambda: LMS(5), "slopes"), (lambda: LMS(0), "slopes"), (lambda: Heun(s_churn=-1.0), "churn"),
    (lambda: Heun(s_churn=1.0, s_tmin=2.0, s_tmax=1.0), "churn"), (lambda: RK45(0.0, 0.0), "tolerances"),
    (lambda: MALACorrected(nodes=0), "nodes")])
def test_nonsense_is_refused_in_one_line(make, match):
    with pytest.raises(UserError, match=match) as caught:
        make()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("sampler", FAMILY, ids=str)
def test_levels_that_do_not_fall_are_refused(sampler):
    for grid in ([1.0, 2.0], [2.0, 2.0], [1.0, -1.0], [np.nan, 1.0], [2.0]):
        with pytest.raises(UserError, match="sigmas"):
            run(sampler, grid)
