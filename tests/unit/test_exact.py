"""The exact mixture against scipy and quadrature."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm

from thermosim.backend.cpu.device import Cpu
from thermosim.errors import UserError
from thermosim.score.exact import GaussianMixture

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


def test_nonsense_is_refused():
    for bad in (([1.0], [[0.0]], [[1.0, 0.0]]), ([0.5, 0.4], [[0.0], [1.0]], [1.0, 1.0]), ([1.0], [[0.0]], [-1.0]),
                ([1.0], [[0.0, 0.0]], [[[1.0, 0.5], [0.0, 1.0]]])):
        with pytest.raises(UserError):
            GaussianMixture(*bad)
    with pytest.raises(UserError, match="point mass"):
        GaussianMixture([1.0], [[0.0]], [0.0]).score(np.zeros((1, 1)))
    with pytest.raises(UserError, match="one dimension"):
        MIX.mmse(1.0)
