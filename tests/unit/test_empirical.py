"""The score of a finite set of points: against scikit-learn, brute sums and finite mixtures, and it memorises."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.neighbors import KernelDensity

from thermosim.backend.cpu.device import Cpu
from thermosim.errors import UserError
from thermosim.runs.sampling import sample
from thermosim.samplers import DPMpp2M, EulerAncestral
from thermosim.schedules import karras
from thermosim.score.empirical import Empirical
from thermosim.score.exact import GaussianMixture

RNG = np.random.default_rng(1)
POINTS = RNG.normal(size=(300, 4)) + 5.0
LAW = Empirical(POINTS, block=(7, 64))
X = POINTS[:40] + 0.3 * RNG.normal(size=(40, 4))


def posterior(x, sigma):
    """E and Cov of x_0 given x by sums over all points, (4,) and (4, 4)."""
    r = np.exp(-((x - POINTS) ** 2).sum(axis=1) / (2 * sigma**2))
    r /= r.sum()
    mean = r @ POINTS
    return mean, (r[:, None] * (POINTS - mean)).T @ (POINTS - mean)


@pytest.mark.parametrize("sigma", [0.2, 1.0, 30.0])
def test_density_denoiser_and_score(sigma):
    """scikit-learn's kernel density is ln p_σ; a mixture of point masses has the same denoiser."""
    kernel = KernelDensity(bandwidth=sigma, algorithm="kd_tree").fit(POINTS)
    assert np.allclose(LAW.log_density(X, sigma), kernel.score_samples(X), rtol=1e-11)
    mixture = GaussianMixture(np.full(300, 1 / 300), POINTS, np.zeros(300))
    assert np.allclose(LAW(X, sigma), mixture(X, sigma), rtol=1e-11)
    h = 1e-4 * sigma
    slope = np.stack([(kernel.score_samples(X + h * e) - kernel.score_samples(X - h * e)) / (2 * h) for e in np.eye(4)],
                     axis=1)
    assert np.allclose(LAW.score(X, sigma), slope, rtol=1e-5, atol=1e-6 / sigma)


@pytest.mark.parametrize("sigma", [0.2, 1.0])
def test_jacobian_is_the_posterior_covariance(sigma):
    """∂D/∂x = Cov[x_0|x]/σ², entry by entry, and its trace is the divergence."""
    h = 1e-5
    jacobian = np.stack([(LAW(X + h * e, sigma) - LAW(X - h * e, sigma)) / (2 * h) for e in np.eye(4)], axis=2)
    covariance = np.array([posterior(x, sigma)[1] for x in X])
    assert np.allclose(jacobian, covariance / sigma**2, atol=1e-8)
    assert np.allclose(LAW.divergence(X, sigma), np.trace(covariance, axis1=1, axis2=2) / sigma**2,
                       rtol=1e-9, atol=1e-12)


def test_far_away_and_at_little_noise_nothing_overflows():
    """A million σ away the nearest point is all there is; blocks and batches do not matter."""
    far = np.array([[1e4, 5.0, 5.0, 5.0]])
    assert np.allclose(LAW(far, 0.01), POINTS[[np.argmax(POINTS[:, 0])]], atol=1e-9)
    assert (np.isfinite(LAW.log_density(far, 0.01)).all()
            and LAW.posterior_variance(far, 0.01)[0] == pytest.approx(0, abs=1e-12))
    assert np.array_equal(LAW(X, 0.5)[11:12], LAW(X[11:12], 0.5))
    assert np.allclose(Empirical(POINTS)(X, 0.5), LAW(X, 0.5), rtol=1e-13)


def test_draws():
    """Each point as often as the others: χ² over 300 points within 6 deviations; splits agree."""
    x = LAW.sample(60_000, 3, Cpu())
    found, counts = np.unique(x, axis=0, return_counts=True)
    assert len(found) == 300 and np.allclose(found, np.unique(POINTS, axis=0), rtol=1e-14)
    chi = ((counts - 200) ** 2 / 200).sum()
    assert abs(chi - 299) < 6 * np.sqrt(2 * 299)
    assert np.array_equal(LAW.sample(50, 3, Cpu(), first=100), x[100:150])
    assert LAW.second_moment() == pytest.approx((POINTS**2).sum(axis=1).mean(), rel=1e-13)


@pytest.mark.parametrize("sampler, steps", [(DPMpp2M(), 60), (EulerAncestral(), 400)], ids=str)
def test_it_returns_the_training_points(sampler, steps):
    """Samples lie as near to a training point as there is noise
    left, and on it without; every point comes equally often.

    Shares of 1/20 that were off by 20 % would show at 6 deviations in 4,000 samples.
    """
    points = RNG.normal(size=(20, 3))
    law, distance = Empirical(points), []
    for last in (0.1, 0.01, 0.001):
        x = sample(sampler, law, karras(40.0, last, 40), 500, 3, 5, Cpu(), books=False).x
        distance.append(np.median(cdist(x, points).min(axis=1)) / last)
    assert np.all(np.array(distance) < 3)
    x = sample(sampler, law, np.append(karras(40.0, 0.005, steps), 0.0), 4000, 3, 5, Cpu(), books=False).x
    assert cdist(x, points).min(axis=1).max() < 1e-12
    counts = np.unique(cdist(x, points).argmin(axis=1), return_counts=True)[1]
    chi = ((counts - 200) ** 2 / 200).sum()
    assert len(counts) == 20 and abs(chi - 19) < 6 * np.sqrt(2 * 19)


def test_nonsense_is_refused():
    for bad in (np.zeros(3), np.zeros((0, 2)), [[np.nan, 0.0]]):
        with pytest.raises(UserError, match="finite points"):
            Empirical(bad)
    with pytest.raises(UserError, match="ask for"):
        LAW(np.zeros((2, 3)), 1.0)
    with pytest.raises(UserError, match="sigma > 0"):
        LAW(X, 0.0)
    with pytest.raises(UserError, match="at least one"):
        Empirical(POINTS, block=(0, 5))
