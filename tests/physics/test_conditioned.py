"""Conditioning: the exact posterior of Gaussians and mixtures, sampled and in closed form, and any r by quadrature."""

import numpy as np
import pytest

from thermosim import schedules
from thermosim.backend.cpu.device import Cpu
from thermosim.errors import UserError
from thermosim.runs.sampling import sample
from thermosim.samplers import Ancestral, DPM2, EulerAncestral, Heun
from thermosim.score.conditioned import Conditioned, Observation, Tilt, denoising, inpainting, observe
from thermosim.score.exact import GaussianMixture

rng = np.random.default_rng(2)
ROOT = rng.normal(size=(3, 3))
MEAN, COV = np.array([0.5, -1.0, 0.3]), ROOT @ ROOT.T + 0.1 * np.eye(3)
GAUSS = GaussianMixture([1.0], MEAN[None], COV[None])
Y = np.array([0.7, -0.4, 1.1])


def posterior(A, y, noise):
    """Mean and covariance of x_0 by conditioning the joint law of (x_0, y)."""
    cross, S = COV @ A.T, A @ COV @ A.T + noise**2 * np.eye(len(A))
    return MEAN + cross @ np.linalg.inv(S) @ (y - A @ MEAN), COV - cross @ np.linalg.inv(S) @ cross.T


CASES = {
    "inpainting": (inpainting(GAUSS, [0.7, np.nan, np.nan]), np.eye(3)[:1], Y[:1], 0.0),
    "inpainting two": (inpainting(GAUSS, [0.7, np.nan, 1.1]), np.eye(3)[[0, 2]], Y[[0, 2]], 0.0),
    "denoising": (denoising(GAUSS, Y, 0.8), np.eye(3), Y, 0.8),
    "a sum seen": (Conditioned(GAUSS, Observation([[1.0, 1.0, -2.0]], [0.4], 0.3)), np.array([[1.0, 1.0, -2.0]]),
                   Y[1:2] + 0.8, 0.3),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("sigma", [0.05, 1.0, 20.0])
def test_denoiser_of_a_conditioned_gaussian_is_exact(name, sigma):
    """Against E[x_0|x, y] from the posterior of x_0 given y, itself noised: N(m, C) → m + C(C + σ²)⁻¹(x − m)."""
    conditioned, A, y, noise = CASES[name]
    m, C = posterior(A, y, noise)
    x = m + np.sqrt(1 + sigma**2) * rng.normal(size=(40, 3))
    exact = m + np.linalg.solve(C + sigma**2 * np.eye(3), (x - m).T).T @ C
    assert np.allclose(conditioned(x, sigma), exact, rtol=1e-7, atol=1e-7 * (1 + sigma))


@pytest.mark.parametrize("name", CASES)
def test_samples_have_the_posterior_mean_and_covariance(name):
    """20,000 samples, 6 standard errors: 0.04 of a standard deviation, 6 % of a variance."""
    conditioned, A, y, noise = CASES[name]
    m, C = posterior(A, y, noise)
    n = 20_000
    x = sample(Ancestral(DPM2()), conditioned, np.append(schedules.karras(200.0, 0.02, 40), 0.0), n, 3, 5,
               Cpu(), batch=n,
               books=False).x
    spread = np.sqrt(np.abs(np.diag(C))) + 1e-6
    assert np.all(np.abs(x.mean(axis=0) - m) < 6 * spread / np.sqrt(n) + 1e-5)
    product = np.outer(spread, spread) ** 2
    assert np.all(np.abs(np.cov(x.T) - C) < 6 * np.sqrt((product + C**2) / n) + 0.003 * np.sqrt(product) + 1e-6)


TWO = GaussianMixture([0.3, 0.7], [[-1.0, 0.5], [1.2, -0.3]], [[[0.3, 0.1], [0.1, 0.2]], [[0.2, -0.05], [-0.05, 0.4]]])


@pytest.mark.parametrize("noise", [0.0, 0.5])
def test_a_mixture_observed_is_the_product_by_quadrature(noise):
    """p(x_1|x_0 = y) and p·r on a mesh, against the mixture that `observe` gives."""
    law = observe(TWO, Observation([[1.0, 0.0]], [0.4], noise))
    mesh = np.linspace(-6, 6, 1201)
    if noise == 0:
        p = np.exp(TWO.log_density(np.stack([np.full_like(mesh, 0.4), mesh], axis=1)))
        p /= p.sum()
        mean, second = np.array([0.4, p @ mesh]), np.array([0.16, p @ mesh**2])
    else:
        grid = np.stack(np.meshgrid(mesh, mesh, indexing="ij"), axis=-1).reshape(-1, 2)
        p = np.exp(TWO.log_density(grid) - (grid[:, 0] - 0.4) ** 2 / (2 * noise**2))
        p /= p.sum()
        mean, second = p @ grid, p @ grid**2
    assert np.allclose(law.weights @ law.means, mean, atol=1e-9)
    C = (law.eigvecs * law.eigvals[:, None, :]) @ np.swapaxes(law.eigvecs, 1, 2)
    assert np.allclose(law.weights @ (law.means**2 + np.diagonal(C, axis1=1, axis2=2)), second, atol=1e-9)


def test_any_r_on_gaussian_data_is_the_quadrature():
    """Data N(0.2, 0.8), ln r = −x⁴ + 2 sin 3x: E[x_0|x] of p·r
    on a mesh of 4,001 points, and moments of its samples."""
    data = GaussianMixture([1.0], [[0.2]], [0.8])

    def log_r(x):
        return -x[:, 0] ** 4 + 2 * np.sin(3 * x[:, 0])

    mesh = np.linspace(-5, 5, 4001)
    weight = np.exp(-(mesh - 0.2) ** 2 / 1.6 + log_r(mesh[:, None]))
    tilted = Conditioned(data, Tilt(log_r))
    x = np.linspace(-2, 2, 21)
    for sigma in (0.1, 0.6, 5.0):
        joint = weight * np.exp(-((x[:, None] - mesh) ** 2) / (2 * sigma**2))
        assert np.allclose(tilted(x[:, None], sigma)[:, 0], joint @ mesh / joint.sum(axis=1), atol=1e-8)
    n, tilted = 4000, Conditioned(data, Tilt(log_r, points=64))
    ends = sample(Heun(), tilted, np.append(schedules.karras(50.0, 0.02, 20), 0.0), n, 1, 6, Cpu(), batch=n,
                  books=False).x[:, 0]
    for power in (1, 2, 3):
        expected = weight @ mesh**power / weight.sum()
        assert abs((ends**power).mean() - expected) < 6 * (ends**power).std() / np.sqrt(n)


def test_a_gaussian_r_tilts_as_an_observation_does():
    """ln r = −|x − y|²/2s² in two dimensions by points, against the update by matrices; five dimensions by normals."""
    data = GaussianMixture([1.0], [[0.5, -0.2]], [[[0.6, 0.2], [0.2, 0.3]]])
    y, s, x = np.array([0.3, 0.4]), 0.7, rng.normal(size=(10, 2))
    tilted = Conditioned(data, Tilt(lambda x: -((x - y) ** 2).sum(axis=1) / (2 * s * s)))
    assert np.allclose(tilted(x, 0.8), denoising(data, y, s)(x, 0.8), atol=1e-7)
    data = GaussianMixture([1.0], np.zeros((1, 5)), [0.5])
    x, y = rng.normal(size=(10, 5)), np.full(5, 0.2)
    tilted = Conditioned(data, Tilt(lambda x: -((x - y) ** 2).sum(axis=1) / 2, points=40_000))
    assert np.allclose(tilted(x, 0.8), denoising(data, y, 1.0)(x, 0.8), atol=0.02)


def test_books_and_batches_do_not_mind():
    conditioned = CASES["inpainting"][0]
    runs = [sample(EulerAncestral(), conditioned, schedules.karras(5.0, 0.05, 5), 90, 3, 1, Cpu(), batch=b)
            for b in (90, 40)]
    assert np.array_equal(runs[0].x, runs[1].x)
    assert np.array_equal(runs[0].ledger["entropy_env"], runs[1].ledger["entropy_env"])
    assert runs[0].evaluations == 5


@pytest.mark.parametrize("make, match", [
    (lambda: Observation([1.0, 0.0], [1.0]), "A .m, d."), (lambda: Observation(np.eye(2), [1.0]), "A .m, d."),
    (lambda: Observation(np.eye(2), [1.0, np.nan]), "finite"),
    (lambda: Observation(np.eye(2), [1.0, 1.0], -1.0), "noise"),
    (lambda: Observation([[1.0, 0.0], [2.0, 0.0]], [1.0, 2.0]), "depend"),
    (lambda: Tilt(lambda x: 0 * x[:, 0], points=3), "points"),
    (lambda: inpainting(GAUSS, [np.nan, np.nan, np.nan]), "known")])
def test_nonsense_is_refused(make, match):
    with pytest.raises(UserError, match=match):
        make()
