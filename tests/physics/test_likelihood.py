"""Likelihood as work against closed forms of Gaussian data and brute quadrature of mixtures."""

import numpy as np
import pytest

from thermosim.backend.cpu.device import Cpu
from thermosim.binomial import BinomialChain
from thermosim.datasets.heartbeat import Heartbeat
from thermosim.errors import UserError
from thermosim.runs.noising import heat
from thermosim.schedules import Chain, ve_chain, vp_chain
from thermosim.score.denoiser import Denoiser
from thermosim.score.exact import GaussianMixture
from thermosim.score.mlp import MLP
from thermosim.thermo import likelihood as lk
from thermosim.thermo.binomial import heartbeat_steps
from thermosim.thermo.work import least_variances, mean_work, reverse_density

NORMAL = GaussianMixture([1.0], [[0.0, 0.0]], [1.0])
R = GaussianMixture([0.4, 0.6], [[-1.5], [1.0]], [0.3**2, 0.2**2])


def test_reverse_equals_forward_for_unit_gaussian_data():
    """W = −ln p(x_0) path by path under VP with β, so K − L_null = 0 up to the data's own scatter, exactly −h(data)."""
    x0 = NORMAL.sample(20_000, seed=1, device=Cpu())
    run = heat(vp_chain(6.0, 7, "beta"), NORMAL, x0, seed=2, device=Cpu())
    assert np.allclose(run.work, -NORMAL.log_density(x0), atol=1e-9)
    K = lk.bound(run.work)
    assert abs(K.value - lk.null_bound(2)) < 6 * K.error and 0 < K.error < 0.01
    assert np.isclose(lk.null_bound(2) * lk.BITS, -4.094191, atol=1e-6)
    steps, end = mean_work(vp_chain(6.0, 7, "beta"), lambda s: 2 * s**2 / (1 + s**2), 2.0, 2)
    assert np.isclose(-(steps.sum() + end), lk.null_bound(2), atol=1e-12)


def test_bound_of_gaussian_data_in_closed_form():
    """N(0, 4), DDPM with β: P = K(σ_N²) + Σ½(r − 1 − ln r), r the ratio of neighbouring marginal variances."""
    law, B, N = GaussianMixture([1.0], [[0.0]], [4.0]), 5.0, 8
    x0 = law.sample(40_000, seed=3, device=Cpu())
    K = lk.bound(heat(vp_chain(B, N, "beta"), law, x0, seed=4, device=Cpu(), batch=40_000).work)
    v = 1 + 3 * np.exp(-np.linspace(0, B, N + 1))
    r = v[:-1] / v[1:]
    P = 0.5 * (v[-1] - 1 - np.log(v[-1])) + 0.5 * (r - 1 - np.log(r)).sum()
    assert abs(K.value + 0.5 * np.log(2 * np.pi * np.e * 4) + P) < 6 * K.error and K.error < 0.006 < P


def test_least_variances_are_least():
    """No variance of a step does better than the measured mean
    square, and it lies above β̃; mean work in closed form."""
    chain = ve_chain(np.geomspace(0.02, 20.0, 12))
    variances = least_variances(chain, R.mmse, 1)
    own = Chain(chain.alpha, chain.noise, variances)
    least = mean_work(own, R.mmse, R.second_moment())[0].sum()
    assert least < mean_work(chain, R.mmse, R.second_moment())[0].sum() - 0.3
    for factor in (0.97, 1.03):
        assert mean_work(Chain(chain.alpha, chain.noise, factor * variances), R.mmse, R.second_moment())[0].sum() > least
    x0 = R.sample(20_000, seed=3, device=Cpu())
    run = heat(own, R, x0, seed=4, device=Cpu(), batch=20_000)
    assert (abs(run.work.mean() - sum(map(np.sum, mean_work(own, R.mmse, R.second_moment())))) < 6
            * lk.bound(run.work).error)
    for bad in (variances[1:], -variances):
        with pytest.raises(UserError, match="reverse variances"):
            Chain(chain.alpha, chain.noise, bad)


def test_annealed_estimate():
    """Six points, 4,000 paths each, against the prior carried
    through every reverse kernel on a mesh; it lies above K."""
    chain = ve_chain(np.concatenate(([0.0], np.geomspace(0.15, 10.0, 30))), "beta")
    x = np.array([-1.8, -1.5, -1.2, 0.8, 1.0, 1.3])
    run = heat(chain, R, np.repeat(x, 4000)[:, None], seed=3, device=Cpu(), batch=24_000)
    found = lk.annealed(run.work.reshape(6, 4000))
    mesh = np.linspace(-50.0, 50.0, 2401)
    exact = np.log(np.interp(x, mesh, reverse_density(chain, R, mesh)))
    assert np.all(np.abs(found.log_p - exact) < 6 * found.error) and found.error.max() < 0.1
    assert np.all(found.log_p > -run.work.reshape(6, -1).mean(axis=1)) and not found.mean.warning
    few = lk.annealed(run.work.reshape(-1, 20))
    assert "fewer than 50 paths carry the average" in few.mean.warning


def test_flow_likelihood():
    """Exact for a Gaussian and a mixture in two dimensions: the flow ends in the exact law at σ_max."""
    law = GaussianMixture([0.3, 0.7], [[-1.0, 0.4], [0.8, -0.2]], [[[0.3, 0.1], [0.1, 0.2]], [[0.1, 0.0], [0.0, 0.4]]])
    x = law.sample(12, seed=5, device=Cpu())
    got = lk.flow_log_density(law, lk.numerical_divergence(law), x, 0.05, 20.0, lambda y: law.log_density(y, 20.0))
    assert np.allclose(got, law.log_density(x, 0.05), atol=2e-5)
    exact = lambda x, s: np.full(len(x), 2 / (1 + s * s))
    got = lk.flow_log_density(NORMAL, exact, x, 0.01, 50.0)
    assert np.allclose(got, NORMAL.log_density(x, 0.01), atol=1e-6)
    with pytest.raises(UserError, match="sigma_min < sigma_max"):
        lk.flow_log_density(NORMAL, exact, x, 1.0, 0.5)


def network(d, size=0.5):
    """A denoiser of N(0, 1) with a disturbance: a network of random weights, of no gradient's form."""
    net = MLP((d + 4, 12, d), np.float64, Cpu(), seed=1)
    net.parameters[:] = size * np.random.default_rng(d).standard_normal(net.parameters.size)
    return Denoiser(net, np.zeros(d), 1.0)


def test_flow_likelihood_of_a_network():
    """Untrained, it denoises N(0, 1): exact in 40 dimensions by any signs. Disturbed: as by differences, in two."""
    x = np.random.default_rng(3).standard_normal((6, 40))
    untrained = network(40, 0.0)
    got = lk.flow_log_density(untrained, lk.flow_divergence(untrained, 6, 40), x, 0.05, 20.0)
    assert np.allclose(got, -0.5 * (x**2).sum(axis=1) / 1.0025 - 20 * np.log(2 * np.pi * 1.0025), rtol=1e-5)
    denoise, x = network(2), x[:, :2].copy()
    exact, differences = (lk.flow_log_density(denoise, divergence, x, 0.05, 20.0) for divergence in (
        lk.flow_divergence(denoise, 6, 2), lk.numerical_divergence(denoise)))
    assert np.allclose(exact, differences, atol=1e-6)


def test_estimated_flow_likelihood_has_no_bias():
    """Sixty-four sets of signs in five dimensions: the mean within 6 of its errors, a tenth of a nat or less."""
    denoise, x = network(5, 0.25), np.random.default_rng(4).standard_normal((4, 5))
    exact = lk.flow_log_density(denoise, lk.flow_divergence(denoise, 4, 5), x, 0.1, 10.0, rtol=1e-5)
    many = np.repeat(x, 64, axis=0)
    estimate = lk.flow_divergence(denoise, len(many), 5, most=4, count=1)
    got = lk.flow_log_density(denoise, estimate, many, 0.1, 10.0, rtol=1e-5).reshape(4, 64)
    error = got.std(axis=1) / 8
    assert 0 < error.max() < 0.1 and np.all(np.abs(got.mean(axis=1) - exact) < 6 * error + 1e-4)


def test_entropy_bounds_of_a_mixture():
    """H(X_{n−1}|X_n) by quadrature lies within at every step of a VE chain; for σ² = 4 under VP the upper one fails."""
    chain = ve_chain(np.geomspace(0.02, 20.0, 15))
    bounds = lk.entropy_bounds(chain, 1)
    marginal = np.array([R.entropy(s) for s in chain.noise])
    behind = bounds.upper + marginal[:-1] - marginal[1:]
    assert np.all(bounds.lower <= behind) and np.all(behind <= bounds.upper)
    # H(X_{n−1}|X_n, X_0) is the Gaussian posterior's
    posterior = [chain.forward(n)[1] * (chain.noise[n - 1] / chain.noise[n]) ** 2 for n in range(1, 15)]
    assert np.allclose(bounds.lower, lk.gaussian_entropy(posterior), atol=1e-12)
    hot = vp_chain(3.0, 5)
    variance = hot.alpha**2 * 4 + hot.noise**2
    bounds = lk.entropy_bounds(hot, 1)
    behind = bounds.upper + 0.5 * np.log(variance[:-1] / variance[1:])
    assert bounds.lower[0] == -np.inf and np.all(bounds.lower <= behind) and np.all(behind > bounds.upper)


def test_entropy_bounds_of_the_heartbeat():
    """The exact joint H(X_{t−1}|X_t) is unknown here, but its sum
    over sites fences it from above and the bounds stay ordered."""
    chain = BinomialChain(60)
    bounds = lk.binomial_entropy_bounds(chain, 20)
    sites = heartbeat_steps(Heartbeat(), chain)
    assert np.all(bounds.lower <= sites) and np.all(sites <= bounds.upper)


def test_bits_per_dimension_with_dequantisation():
    """A lattice value's mass is at least e^{mean ln density} of
    its dequantised copies: the code length is an upper bound."""
    quantum, law = 0.5, GaussianMixture([1.0], [[0.0]], [1.0])
    cells = np.arange(-12, 13) * quantum
    from scipy.special import ndtr
    mass = ndtr(cells + quantum / 2) - ndtr(cells - quantum / 2)
    values = np.repeat(cells, 4000)[:, None]
    soft = lk.dequantised(values, quantum, seed=1)
    assert (np.abs(soft - values).max() <= quantum / 2
            and abs((soft - values).mean()) < 6 * quantum / np.sqrt(12 * len(values)))
    bits = lk.bits_per_dim(law.log_density(soft), 1, quantum).reshape(25, 4000).mean(axis=1)
    assert np.all(bits > -np.log2(mass) - 0.01) and abs(mass @ bits + mass @ np.log2(mass)) < 0.02
    with pytest.raises(UserError, match="lattice constant"):
        lk.dequantised(values, 0.0)


def test_nonsense_is_refused():
    with pytest.raises(UserError, match="one value a path"):
        lk.bound(np.zeros((3, 3)))
    with pytest.raises(UserError, match="reverse chain forbids"):
        lk.annealed(np.array([[np.inf, 1.0]]))
