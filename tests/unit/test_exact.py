"""The exact mixture against scipy and quadrature."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm

from thermosim.backend.cpu.device import Cpu
from thermosim.errors import UserError
from thermosim.score.exact import Gaussian, GaussianMixture

RNG = np.random.default_rng(0)
A = RNG.normal(size=(3, 3, 3))
FULL = A @ A.transpose(0, 2, 1) + 0.1 * np.eye(3)
MIX = GaussianMixture([0.2, 0.5, 0.3], RNG.normal(size=(3, 3)), FULL)


def reference(x, sigma):
    return np.log(sum(w * multivariate_normal.pdf(x, m, C + sigma**2 * np.eye(3))
                      for w, m, C in zip(MIX.weights, MIX.means, FULL)))


@pytest.mark.parametrize("sigma", [0.0, 0.3, 2.0])
def test_density_and_score(sigma):
    x = RNG.normal(size=(40, 3))
    assert np.allclose(MIX.log_density(x, sigma), reference(x, sigma), rtol=1e-10)
    h = 1e-5
    slope = np.stack([(reference(x + h * e, sigma) - reference(x - h * e, sigma)) / (2 * h) for e in np.eye(3)], axis=1)
    assert np.allclose(MIX.score(x, sigma), slope, rtol=1e-6, atol=1e-6)


def test_samples_follow_the_law():
    """Mean, covariance and weights of 200,000 draws within 6 standard errors; any split gives the same points."""
    x = MIX.sample(200_000, 5, Cpu())
    mean = MIX.weights @ MIX.means
    C = sum(w * (F + np.outer(m - mean, m - mean)) for w, F, m in zip(MIX.weights, FULL, MIX.means))
    assert np.all(np.abs(x.mean(axis=0) - mean) < 6 * np.sqrt(np.diag(C) / len(x)))
    y = x - mean
    for i in range(3):
        for j in range(3):
            p = y[:, i] * y[:, j]
            assert abs(p.mean() - C[i, j]) < 6 * p.std() / np.sqrt(len(x))
    assert np.array_equal(MIX.sample(50, 5, Cpu(), first=100), x[100:150])
    assert MIX.second_moment() == pytest.approx(np.trace(C) + mean @ mean)


def test_shapes_of_covariance_agree():
    means = RNG.normal(size=(2, 2))
    x = RNG.normal(size=(9, 2))
    laws = [GaussianMixture([0.5, 0.5], means, C) for C in (
        [0.3, 0.7], [[0.3, 0.3], [0.7, 0.7]], [0.3 * np.eye(2), 0.7 * np.eye(2)])]
    for other in laws[1:]:
        assert np.allclose(laws[0](x, 0.4), other(x, 0.4), rtol=1e-12)


def test_quadratures_of_one_gaussian():
    g = GaussianMixture([1.0], [[0.7]], [0.25])
    assert g.entropy(0.5) == pytest.approx(0.5 * np.log(2 * np.pi * np.e * 0.5), rel=1e-10)
    assert g.mmse(0.5) == pytest.approx(0.125, rel=1e-10)
    lo, hi = g.support()
    assert norm.cdf(lo, 0.7, 0.5) < 1e-22 and norm.sf(hi, 0.7, 0.5) < 1e-22


def test_mmse_is_the_slope_of_information():
    """d h(x_0 + σn)/dλ from the entropy quadrature: −½(d/λ) + ½mmse (I-MMSE), central differences."""
    g = GaussianMixture([0.4, 0.6], [[-1.5], [1.0]], [0.09, 0.04])
    lam, step = 2.0, 1e-4
    slope = (g.entropy((lam + step) ** -0.5) - g.entropy((lam - step) ** -0.5)) / (2 * step)
    assert slope == pytest.approx(-0.5 / lam + 0.5 * g.mmse(lam**-0.5), rel=1e-6)


def test_quadratures_in_the_plane():
    """Of a tilted Gaussian, and of two modes apart along one axis:
    the entropies add, to 1e-6, and so do the errors, to 1e-4."""
    C = np.array([[0.5, 0.3], [0.3, 0.4]])
    one = GaussianMixture([1.0], [[0.7, -2.0]], [C])
    assert one.entropy(0.3) == pytest.approx(Gaussian([0, 0], C).entropy(0.3), rel=1e-9)
    assert one.mmse(0.3) == pytest.approx(Gaussian([0, 0], C).mmse(0.3), rel=1e-9)
    along, across = GaussianMixture([0.4, 0.6], [[-1.5], [1.0]], [0.09, 0.04]), GaussianMixture([1.0], [[0.2]], [0.7])
    both = GaussianMixture([0.4, 0.6], [[-1.5, 0.2], [1.0, 0.2]], [[0.09, 0.7], [0.04, 0.7]])
    for sigma in (0.05, 0.6, 20.0):
        assert both.entropy(sigma) == pytest.approx(along.entropy(sigma) + across.entropy(sigma), abs=1e-6)
        assert both.mmse(sigma) == pytest.approx(along.mmse(sigma) + across.mmse(sigma), rel=1e-4)


def test_nonsense_is_refused():
    for bad in (([1.0], [[0.0]], [[1.0, 0.0]]), ([0.5, 0.4], [[0.0], [1.0]], [1.0, 1.0]), ([1.0], [[0.0]], [-1.0]),
                ([1.0], [[0.0, 0.0]], [[[1.0, 0.5], [0.0, 1.0]]])):
        with pytest.raises(UserError):
            GaussianMixture(*bad)
    with pytest.raises(UserError, match="point mass"):
        GaussianMixture([1.0], [[0.0]], [0.0]).score(np.zeros((1, 1)))
    with pytest.raises(UserError, match="one dimension"):
        MIX.mmse(1.0)


C3 = FULL[0]
G3 = Gaussian([0.3, -0.7, 1.1], C3)


@pytest.mark.parametrize("sigma", [0.0, 0.4, 3.0])
def test_gaussian_of_full_covariance(sigma):
    """Density of scipy, Wiener's filter by a linear solve, score by its inverse, and a mixture of one."""
    x = RNG.normal(size=(40, 3))
    noisy = C3 + sigma**2 * np.eye(3)
    outside = multivariate_normal(G3.mean, noisy)
    assert np.allclose(G3.log_density(x, sigma), outside.logpdf(x), rtol=1e-11)
    assert np.isclose(G3.entropy(sigma), outside.entropy(), rtol=1e-12)
    assert np.allclose(G3.score(x, sigma), -np.linalg.solve(noisy, (x - G3.mean).T).T, rtol=1e-9)
    assert np.allclose(G3(x, sigma), G3.mean + (C3 @ np.linalg.solve(noisy, (x - G3.mean).T)).T, rtol=1e-9)
    one = GaussianMixture([1.0], G3.mean[None], C3[None])
    assert (np.allclose(G3(x, sigma), one(x, sigma), rtol=1e-9)
            and np.allclose(G3.log_density(x, sigma), one.log_density(x, sigma)))
    assert np.isclose(G3.second_moment(), one.second_moment(), rtol=1e-13)


def test_gaussian_by_quadrature():
    """E[x_0|x] and tr Cov[x_0|x] in the plane, by the trapezium rule over x_0."""
    law, sigma, x = Gaussian([0.2, -0.1], [[0.5, 0.3], [0.3, 0.4]]), 0.6, np.array([[0.7, -0.4], [-1.0, 0.3]])
    axis = np.linspace(-6, 6, 241)
    z = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    for at, D, trace in zip(x, law(x, sigma), law.posterior_variance(x, sigma)):
        p = (multivariate_normal.pdf(z, law.mean, [[0.5, 0.3], [0.3, 0.4]])
             * np.exp(-((at - z) ** 2).sum(axis=1) / (2 * sigma**2)))
        p /= p.sum()
        assert np.allclose(p @ z, D, rtol=1e-10) and np.isclose(p @ ((z - D) ** 2).sum(axis=1), trace, rtol=1e-10)
    assert law.mmse(sigma) == pytest.approx(law.posterior_variance(x, sigma)[0], rel=1e-14)


@pytest.mark.parametrize("law", [G3, MIX], ids=["Gaussian", "mixture"])
def test_divergence_is_that_of_the_denoiser(law):
    x, sigma, h = RNG.normal(size=(20, 3)), 0.7, 1e-5
    slope = sum((law(x + h * e, sigma) - law(x - h * e, sigma)) @ e / (2 * h) for e in np.eye(3))
    assert np.allclose(law.divergence(x, sigma), slope, rtol=1e-8)


def test_samples_of_a_gaussian():
    """Mean and covariance of 100,000 draws within 6 standard errors;
    any split gives the same points; nothing along a null direction."""
    x = G3.sample(100_000, 5, Cpu())
    assert np.all(np.abs(x.mean(axis=0) - G3.mean) < 6 * np.sqrt(np.diag(C3) / len(x)))
    y = x - G3.mean
    products = y[:, :, None] * y[:, None, :]
    assert np.all(np.abs(products.mean(axis=0) - C3) < 6 * products.std(axis=0) / np.sqrt(len(x)))
    assert np.array_equal(G3.sample(50, 5, Cpu(), first=100), x[100:150])
    flat = Gaussian([1.0, 1.0], [[1.0, 1.0], [1.0, 1.0]])
    assert np.allclose(np.diff(flat.sample(100, 5, Cpu()), axis=1), 0, atol=1e-14)
    assert np.allclose(np.diff(flat(np.array([[2.0, 0.0]]), 0.5)), 0, atol=1e-14)
    with pytest.raises(UserError, match="sigma > 0"):
        flat.log_density(np.zeros((1, 2)))
    for bad in ([[1.0, 0.5], [0.0, 1.0]], [[1.0, 0.0], [0.0, -1.0]], [1.0, 1.0], [[np.nan, 0], [0, 1]]):
        with pytest.raises(UserError):
            Gaussian([0.0, 0.0], bad)
