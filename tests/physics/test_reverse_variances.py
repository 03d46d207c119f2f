"""Sampling with reverse variances of one's own: exact marginals,
books of noise that varies, and learned variances end to end."""

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from thermosim import schedules
from thermosim.backend.cpu.device import Cpu
from thermosim.errors import UserError
from thermosim.runs.noising import heat
from thermosim.runs.sampling import sample
from thermosim.samplers import DDPM, DDPMBeta, EulerAncestral
from thermosim.samplers.books import book
from thermosim.samplers.frames import LAB, TRAP
from thermosim.schedules import Chain, ve_chain, vp_chain
from thermosim.score.bound import LearnedVariances, even_shares
from thermosim.score.denoiser import Denoiser
from thermosim.score.exact import Gaussian, GaussianMixture
from thermosim.score.levels import Minibatches
from thermosim.score.mlp import MLP
from thermosim.score.reverse import Learned, Least
from thermosim.score.train import TrainConfig, train
from thermosim.thermo.chain_law import chain_law, distance_to_mixture
from thermosim.thermo.sampler_cycle import Heating, chain_work
from thermosim.thermo.work import least_variances, mean_work

DEVICE = Cpu()
MIXTURE = GaussianMixture([0.3, 0.7], [[-1.0], [0.8]], [0.04, 0.09])
HOT, COLD = 6.0, 0.1
EVERYWHERE = DDPM(Least(lambda x, sigma: MIXTURE.mmse(sigma)).variance)
LOCAL = DDPM(Least(lambda x, sigma: MIXTURE.posterior_variance(x, sigma)[:, None]).variance)


def second_moment(law, sigma):
    return law.second_moment() + sigma**2


# --- marginals ----------------------------------------------------------------------------------------

C = np.array([0.25, 1.7])               # variances of Gaussian data, component by component
PLANE = Gaussian([0.3, -1.0], np.diag(C))
WIENER = DDPM(Least(lambda x, sigma: C * sigma**2 / (C + sigma**2)).variance)


def end_variance(sampler, sigmas):
    """Of each component, from the exact law of σ_0: v' = g²v + variance of the leg."""
    v, x = C + sigmas[0] ** 2, PLANE.mean + np.ones((1, 2))
    for sigma, after in zip(sigmas[:-1], sigmas[1:]):
        (leg,) = sampler.legs(float(sigma), float(after), {})
        v = (leg.mean(x, PLANE)[0] - PLANE.mean) ** 2 * v + leg.variance_at(x)
    return v


@pytest.mark.parametrize("steps", [1, 2, 5, 20])
def test_gaussian_marginals_are_exact_at_any_number_of_steps(steps):
    """And those of β̃ and β off by what their last step is, and
    earlier ones handed down: Σ_k Π_{j>k}g_j²·(v_k − v_k*)."""
    sigmas, true = schedules.karras(HOT, COLD, steps), C + COLD**2
    assert np.allclose(end_variance(WIENER, sigmas), true, rtol=1e-13)
    for sampler, beta in ((EulerAncestral(), False), (DDPMBeta(), True)):
        miss = 0.0
        for s, t in zip(sigmas[:-1], sigmas[1:]):
            c = 1 - (t / s) ** 2
            # g of x' about x, and by how much the variance is off: β − β̃ where it is β, and what D does not know
            g = 1 - c * s**2 / (C + s**2)
            more = (s**2 - t**2) * ((1 + t**2) / (1 + s**2) - t**2 / s**2) if beta else 0.0
            miss = g**2 * miss + more - c**2 * C * s**2 / (C + s**2)
        assert np.allclose(end_variance(sampler, sigmas) - true, miss, rtol=1e-10)
        assert np.all(np.abs(miss) > (0.02 if steps < 20 else 1e-4) * true)
    assert np.all(end_variance(EulerAncestral(), sigmas) < true)


def test_sampled_marginals_are_those():
    """100,000 particles, three steps: 1 % of a variance is three errors; β̃ misses by 50 and more of them."""
    n, sigmas = 100_000, schedules.karras(HOT, COLD, 3)
    start = PLANE.mean + np.sqrt(C + HOT**2) * np.random.default_rng(1).standard_normal((n, 2))
    error = np.sqrt(2 / n) * (C + COLD**2)
    for sampler in (WIENER, EulerAncestral()):
        x = sample(sampler, PLANE, sigmas, n, 2, 3, DEVICE, books=False, start=start, batch=n).x
        assert np.all(np.abs(x.var(axis=0) - end_variance(sampler, sigmas)) < 6 * error)
        assert np.abs(np.corrcoef(x.T)[0, 1]) < 6 / np.sqrt(n)
    assert np.all(np.abs(end_variance(EulerAncestral(), sigmas) - C - COLD**2) > 50 * error)


@pytest.mark.parametrize("after", [0.1, 0.5, 1.2])
def test_one_step_of_a_mixture_has_the_right_second_moment(after):
    """E[m²] + E[v] over p_σ by scipy's quadrature: exact for both
    of the least, off by c²·mmse for β̃ and the rest for β."""
    sigma, c = 1.5, 1 - (after / 1.5) ** 2

    def moment(sampler):
        (leg,) = sampler.legs(sigma, after, {})

        def f(x):
            at = np.array([[x]])
            v = np.broadcast_to(leg.variance_at(at), (1, 1))[0, 0]
            return np.exp(MIXTURE.log_density(at, sigma)[0]) * (leg.mean(at, MIXTURE)[0, 0] ** 2 + v)

        return quad(f, -14, 14, points=[-1.0, 0.8], limit=200, epsabs=1e-11)[0]

    true = second_moment(MIXTURE, after)
    assert moment(EVERYWHERE) == pytest.approx(true, rel=1e-8)
    assert moment(LOCAL) == pytest.approx(true, rel=1e-8)
    least = c**2 * MIXTURE.mmse(sigma)
    assert moment(EulerAncestral()) == pytest.approx(true - least, rel=1e-8)
    wider = (sigma**2 - after**2) * ((1 + after**2) / (1 + sigma**2) - (after / sigma) ** 2)
    assert moment(DDPMBeta()) == pytest.approx(true - least + wider, rel=1e-8)


@pytest.mark.parametrize("steps", [2, 4, 8])
def test_a_few_steps_of_a_mixture(steps):
    """Law of the whole chain, no particle drawn: W2 to data orders the four; in two steps least variances err by 2 % of
    the variance at most, β by 14 and β̃ by 67."""
    distance, miss = [], []
    for sampler in (LOCAL, EVERYWHERE, DDPMBeta(), EulerAncestral()):
        x, w = chain_law(sampler, MIXTURE, schedules.karras(HOT, COLD, steps))
        distance.append(distance_to_mixture(x, w, MIXTURE, COLD))
        miss.append(abs(w @ (x - w @ x) ** 2 / (second_moment(MIXTURE, COLD) - 0.26**2) - 1))
    assert np.all(np.diff(distance) > 0.01)
    if steps == 2:
        assert miss[0] < 0.01 and miss[1] < 0.02 and miss[2] > 0.1 and miss[3] > 0.6


def test_no_noise_on_the_step_to_no_noise():
    x = np.array([[0.4], [-1.0]])
    (leg,) = LOCAL.legs(0.3, 0.0, {})
    assert leg.variance == 0 and np.allclose(leg.mean(x, MIXTURE), MIXTURE(x, 0.3), rtol=1e-14)
    run = sample(LOCAL, MIXTURE, [1.0, 0.3, 0.0], 5, 1, 0, DEVICE)
    assert (np.isfinite(run.x).all() and np.isnan(run.ledger["entropy_env"][-1])
            and "no noise" in run.ledger.reasons["entropy_env"])


# --- books of noise that varies from place to place -----------------------------------------------------------------


def bent(x, sigma):
    """A denoiser that is not linear."""
    return np.tanh(x + 0.3 * x[:, ::-1]) / (1 + sigma)


UNEVEN = DDPM(lambda x, sigma, after: 0.1 + 0.2 * after**2 + 0.15 * np.sin(x + sigma) ** 2)


class Given:
    """Normals that are told."""

    def __init__(self, normals):
        self.normals = lambda: normals


def test_noise_is_that_of_the_place_it_began():
    """To rounding, component by component."""
    (leg,) = UNEVEN.legs(2.0, 0.7, {})
    x, z = np.random.default_rng(1).normal(size=(2, 50, 3))
    mean, x_new = leg.move(x, bent, Given(z))
    pull = 1 - (0.7 / 2.0) ** 2
    assert np.allclose(mean, x + pull * (bent(x, 2.0) - x), rtol=1e-14)
    assert np.allclose(x_new - mean, np.sqrt(0.1 + 0.2 * 0.49 + 0.15 * np.sin(x + 2.0) ** 2) * z,
                       rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("frame", [LAB, TRAP], ids=["lab", "trap"])
def test_entropy_env_is_the_ratio_of_the_kernels(frame):
    """ln k(y'|y)/k(y|y') by scipy's normal density, in three dimensions; in the trap the first law closes."""
    s, t = 2.0, 0.7
    (leg,) = UNEVEN.legs(s, t, {})
    x, x_new = np.random.default_rng(1).normal(size=(2, 50, 3))
    a, b = frame.alpha(s), frame.alpha(t)

    def log_k(y, y_new):
        x = y / a
        return norm.logpdf(y_new, b * leg.mean(x, bent), b * np.sqrt(leg.variance_at(x))).sum(axis=1)

    books = book(leg, x, leg.mean(x, bent), x_new, bent, frame)
    y, y_new = a * x, b * x_new
    assert np.allclose(books["entropy_env"], log_k(y, y_new) - log_k(y_new, y), rtol=1e-11, atol=1e-11)
    assert np.array_equal(books["heat"], -books["entropy_env"])
    if frame.energy:
        gained = 0.5 * (y_new**2 - y**2).sum(axis=1)
        assert np.allclose(books["work"] + books["shadow_work"] + books["heat"], gained, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("frame", [LAB, TRAP], ids=["lab", "trap"])
def test_integral_fluctuation_theorem(frame):
    """⟨e^{−Σ}⟩ = 1 whatever law the reverse starts from; 200,000 particles, three steps, an error below 0.02.

    Without ln v in the kernel, or with v at the wrong end, it is off by 0.1 and more.
    """
    n, sigmas = 200_000, np.array([1.2, 0.8, 0.5, 0.35])
    run = sample(LOCAL, MIXTURE, sigmas, n, 1, 5, DEVICE, batch=50_000, frame=frame)
    a, b = frame.alpha(sigmas[0]), frame.alpha(sigmas[-1])
    start = norm.logpdf(sigmas[0] * DEVICE.normals(5, 0, 0, n, 1)[:, 0], 0, sigmas[0]) - np.log(a)
    end = MIXTURE.log_density(run.x, sigmas[-1]) - np.log(b)
    weight = np.exp(end - start - run.totals["entropy_env"])
    error = weight.std() / np.sqrt(n)
    assert error < 0.02 and abs(weight.mean() - 1) < 6 * error


def test_paths_weighed_by_the_bound_are_those_of_noised_data():
    """⟨q(x_0 … x_N)/p(x_0 … x_N)⟩ = 1 over the sampler's paths, the p of the bound's books: 200,000 of them.

    So the kernel that is drawn is the one that is booked; a variance off by 5 % is seen.
    """
    n, sigmas = 200_000, np.array([1.2, 0.8, 0.5, 0.35])
    run = sample(LOCAL, MIXTURE, sigmas, n, 1, 6, DEVICE, batch=n, books=False, frames=n)
    x = run.frames
    log_w = MIXTURE.log_density(x[-1], sigmas[-1]) - norm.logpdf(x[0][:, 0], 0, sigmas[0])
    for k, (s, t) in enumerate(zip(sigmas[:-1], sigmas[1:])):
        v = LOCAL.variance(x[k], s, t)
        mean = x[k] + (1 - (t / s) ** 2) * (MIXTURE(x[k], s) - x[k])
        log_w += (norm.logpdf(x[k], x[k + 1], np.sqrt(s * s - t * t)) - norm.logpdf(x[k + 1], mean, np.sqrt(v)))[:, 0]
    weight = np.exp(log_w)
    error = weight.std() / np.sqrt(n)
    assert error < 0.01 and abs(weight.mean() - 1) < 6 * error


# --- the bound ------------------------------------------------------------------------------------------------------


def test_the_bound_of_the_sampler_is_that_of_heating():
    """P + H(data) of the chain the sampler is, and ⟨W⟩ of heated
    data; the one of constant variances in closed form too."""
    sigmas, heating = schedules.karras(HOT, COLD, 5), Heating(MIXTURE, HOT, COLD)
    chain, data = ve_chain(sigmas), MIXTURE.sample(20_000, 9, DEVICE)
    steps, end = mean_work(replace(chain, variance=least_variances(chain, MIXTURE.mmse, 1)), MIXTURE.mmse,
                           MIXTURE.second_moment())
    exact = steps.sum() + end - MIXTURE.entropy(COLD)
    assert chain_work(EVERYWHERE, heating, sigmas, 500, 1)[0] == pytest.approx(exact, rel=1e-9)
    for sampler in (EVERYWHERE, LOCAL):
        work = heat(chain, MIXTURE, data, 2, DEVICE, variance=sampler.variance).work
        found = (np.array([chain_work(sampler, heating, sigmas, 4000, seed)[0] for seed in range(8)])
                 + MIXTURE.entropy(COLD))
        off = np.hypot(found.std(ddof=1) / 8**0.5, work.std() / len(work) ** 0.5)
        assert off < 0.012 and abs(found.mean() - work.mean()) < 6 * off


def wiggly(outputs):
    """A denoiser of the plane that is wrong in an honest way: a network of random weights."""
    net = MLP((6, 8, outputs), np.float64, DEVICE)
    net.parameters[:] = 0.5 * np.random.default_rng(4).standard_normal(net.parameters.size)
    return Denoiser(net, [0.2, -0.1], 1.1)


def preserving(sigmas):
    """The variance-preserving chain of these noise levels."""
    levels = np.sort(sigmas)
    return Chain(1 / np.sqrt(1 + levels**2), levels / np.sqrt(1 + levels**2))


@pytest.mark.parametrize("make", [ve_chain, preserving])
def test_every_path_costs_what_its_legs_say(make):
    """W of each heated path, to rounding, from scipy's densities
    of the legs the sampler would draw; variances of a network."""
    chain = make(schedules.karras(4.0, 0.2, 4))
    reverse = Learned(wiggly(4), chain)
    sampler, data = DDPM(reverse.variance), np.random.default_rng(3).standard_normal((40, 2))
    run = heat(chain, reverse, data, 2, DEVICE, variance=reverse.variance, frames=40)
    x = run.frames[::-1] / chain.alpha[::-1, None, None]
    V = chain.prior_variance / chain.alpha[-1] ** 2
    work = 2 * np.log(chain.alpha[0]) - norm.logpdf(x[0], 0, np.sqrt(V)).sum(axis=1)
    for k, (s, t) in enumerate(zip(chain.sigmas[:-1], chain.sigmas[1:])):
        (leg,) = sampler.legs(s, t, {})
        mean, std = leg.mean(x[k], reverse), np.sqrt(leg.variance_at(x[k]))
        assert std.shape == (40, 2) and std.std() > 1e-3
        work += (norm.logpdf(x[k], x[k + 1], np.sqrt(s * s - t * t)) - norm.logpdf(x[k + 1], mean, std)).sum(axis=1)
    assert np.allclose(work, run.work, rtol=1e-11)


def test_one_pass_of_the_network_a_step(monkeypatch):
    """The books ask once more a leg, where it ended."""
    model, chain, passes = wiggly(4), ve_chain(schedules.karras(4.0, 0.2, 6)), []
    both = model.both
    monkeypatch.setattr(model, "both", lambda x, sigma: passes.append(len(x)) or both(x, sigma))
    reverse = Learned(model, chain)
    for books, expected in ((False, 6), (True, 12)):
        passes.clear()
        run = sample(DDPM(reverse.variance), reverse, chain.sigmas, 10, 2, 0, DEVICE, books=books)
        assert sum(passes) == expected * 10 and run.evaluations == 6
    heat(chain, reverse, np.zeros((10, 2)), 0, DEVICE, variance=reverse.variance)
    assert sum(passes) == 18 * 10


def test_any_batch_gives_the_same_bits():
    whole, parts = (sample(LOCAL, MIXTURE, schedules.karras(4.0, 0.2, 4), 250, 1, 9, DEVICE, batch=batch)
                    for batch in (1000, 100))
    assert np.array_equal(whole.x, parts.x) and np.array_equal(whole.ledger["entropy_env"], parts.ledger["entropy_env"])


def test_what_does_not_fit_is_told_in_one_line():
    chain = ve_chain(schedules.karras(4.0, 0.2, 4))
    with pytest.raises(UserError, match="learned no variances"):
        Learned(wiggly(2), chain)(np.zeros((1, 2)), 4.0)
    reverse = Learned(wiggly(4), chain)
    for sigmas in (schedules.karras(4.0, 0.2, 3), chain.sigmas[::2], np.append(chain.sigmas, 0.1)):
        with pytest.raises(UserError, match="no step of the chain"):
            sample(DDPM(reverse.variance), reverse, sigmas, 3, 2, 0, DEVICE)


# --- learned, end to end --------------------------------------------------------------------------------------------

LEVELS = schedules.karras(4.0, 0.15, 6)


@lru_cache(None)
def trained():
    """A small network that learned D and the variances of six steps of the mixture, in three seconds."""
    loss = LearnedVariances(ve_chain(LEVELS), even_shares(ve_chain(LEVELS), 0.9))
    config = TrainConfig(width=32, depth=2, features=3, batch=512, steps=1500, rate=1e-2, sigma_min=0.15,
                         sigma_max=4.0, loss=loss)
    return train(MIXTURE.sample(20_000, 1, DEVICE), config, DEVICE)


def test_learned_variances_are_near_the_least():
    """Over noised data, rms of their logarithms below a fifth; the least themselves vary by up to a half over x."""
    reverse = Learned(trained(), ve_chain(LEVELS))
    for k, (s, t) in enumerate(zip(LEVELS[:-1], LEVELS[1:])):
        x = MIXTURE.sample(4000, 3, DEVICE) + s * DEVICE.normals(8, 0, k, 4000, 1)
        off = np.log(reverse.variance(x, s, t) / LOCAL.variance(x, s, t))
        assert np.sqrt(np.mean(off**2)) < 0.2


def test_they_sample_better_than_either_end():
    """W2 of the chain's law to the data: below that of β̃ and of
    β with the same denoiser; the particles are of that law."""
    for levels in (LEVELS, LEVELS[::2]):  # the coarser chain has other ends for the same network
        reverse = Learned(trained(), ve_chain(levels))
        sampler, apart = DDPM(reverse.variance), []
        for s in (DDPMBeta(), EulerAncestral(), sampler):
            x, w = chain_law(s, reverse, levels)
            apart.append(distance_to_mixture(x, w, MIXTURE, levels[-1]))
        assert apart[-1] < 0.8 * min(apart[:-1])
    n = 40_000
    run = sample(sampler, reverse, levels, n, 1, 4, DEVICE, batch=10_000)
    mean = w @ x
    v, fourth = w @ (x - mean) ** 2, w @ (x - mean) ** 4
    assert abs(run.x.mean() - mean) < 6 * np.sqrt(v / n) + 2e-3
    assert abs(run.x.var() - v) < 6 * np.sqrt((fourth - v * v) / n) + 2e-3
    assert np.isfinite(run.totals["entropy_env"]).all()


def test_their_bound_is_that_of_the_sampler():
    """The loss it was trained by and the work of heating fresh
    data, both far below those of β̃ and β with the same D."""
    chain = ve_chain(LEVELS)
    reverse = Learned(trained(), chain)
    data = MIXTURE.sample(40_000, 11, DEVICE)
    work, error = heat(chain, reverse, data, 6, DEVICE, variance=reverse.variance).bound()
    batches = Minibatches(data - trained().mean, 4000, 7, DEVICE)
    values = np.array([float(LearnedVariances(chain).value(trained(), batches, step)) for step in range(40)])
    off = np.hypot(values.std() / 40**0.5, error)
    assert off < 0.02 and abs(values.mean() - work) < 6 * off
    fixed = [heat(replace(chain, variance=v), reverse, data, 6, DEVICE).bound()[0] for v in ("posterior", "beta")]
    assert work < min(fixed) - 0.3
