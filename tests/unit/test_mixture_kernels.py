"""Exact mixture denoiser against SciPy densities, explicit matrices and finite differences."""
import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import multivariate_normal

from thermosim.backend.cpu.mixture import mixture_covariance, mixture_denoise
from thermosim.backend.cpu.threads import get_threads, set_threads
from thermosim.errors import UserError

SIGMAS = (0.002, 0.3, 50.0)


def mixture(components, d, full, seed=0):
    rng = np.random.default_rng(seed + 100 * components + d)
    weights = rng.random(components) + 0.1
    vectors = np.linalg.qr(rng.normal(size=(components, d, d)))[0] if full else None
    means, eigvals = rng.normal(0, 1.5, (components, d)), rng.random((components, d)) + 0.02
    return weights / weights.sum(), means, eigvals, vectors


def observations(law, sigma, n, seed=1):
    """Some typical of the noisy law, some far outside."""
    rng = np.random.default_rng(seed)
    means = law[1]
    x = means[rng.integers(0, len(means), n)] + rng.normal(size=(n, means.shape[1])) * np.hypot(0.6, sigma)
    x[: n // 4] *= 3
    return x


def brute_force(x, sigma, weights, means, eigvals, eigvecs):
    """Denoiser, log-density and covariance by explicit matrices, one particle at a time."""
    d = means.shape[1]
    eigvecs = np.broadcast_to(np.eye(d), (len(weights), d, d)) if eigvecs is None else eigvecs
    cov = (eigvecs * eigvals[:, None, :]) @ np.swapaxes(eigvecs, 1, 2)
    noisy = cov + sigma**2 * np.eye(d)
    logs = np.array([np.log(w) + np.atleast_1d(multivariate_normal(m, c, allow_singular=False).logpdf(x))
                     for w, m, c in zip(weights, means, noisy)])
    logp = logsumexp(logs, axis=0)
    r = np.exp(logs - logp)
    gains = cov @ np.linalg.inv(noisy)
    m = means[:, None] + np.einsum("kij,knj->kni", gains, x[None] - means[:, None])
    denoised = np.einsum("kn,kni->ni", r, m)
    delta = m - denoised
    posterior = (np.einsum("kn,kij->nij", r, sigma**2 * gains)
                 + np.einsum("kn,kni,knj->nij", r, delta, delta))
    return denoised, logp, posterior


CASES = [(components, d, full) for d in (1, 2, 64) for components in (1, 2, 8) for full in (False, True)]


@pytest.mark.parametrize("sigma", SIGMAS)
@pytest.mark.parametrize("components, d, full", CASES)
def test_against_explicit_matrices(components, d, full, sigma):
    law = mixture(components, d, full)
    x = observations(law, sigma, 40)
    exact_denoised, exact_logp, posterior = brute_force(x, sigma, *law)
    denoised, logp, trace, square = mixture_covariance(x, sigma, *law)
    # at σ = 0.002 responsibilities feel the rounding of a log-density of 1e4
    tolerance = 1e-13 + 1e-15 * np.abs(exact_logp).max()
    assert np.allclose(logp, exact_logp, rtol=1e-11, atol=1e-11)
    assert np.allclose(denoised, exact_denoised, rtol=100 * tolerance, atol=100 * tolerance)
    assert np.allclose(trace, np.trace(posterior, axis1=1, axis2=2), rtol=1000 * tolerance)
    assert np.allclose(square, np.sum(posterior**2, axis=(1, 2)), rtol=1000 * tolerance)
    for got, same in zip(mixture_denoise(x, sigma, *law), (denoised, logp)):
        assert np.array_equal(got, same)


@pytest.mark.parametrize("components, d, full", [(1, 1, False), (2, 1, False), (8, 2, True), (2, 64, True)])
@pytest.mark.parametrize("sigma", [0.3, 3.0])
def test_score_and_covariance_are_derivatives(components, d, full, sigma):
    """D = x + σ²∇ln p and Cov = σ²∂D/∂x, by central differences (error of order step²)."""
    law = mixture(components, d, full)
    x = observations(law, sigma, 6)
    denoised, _, trace, square = mixture_covariance(x, sigma, *law)
    step = 1e-4 * sigma
    jacobian = np.empty((6, d, d))
    for i in range(d):
        shift = step * np.eye(d)[i]
        up, down = mixture_denoise(x + shift, sigma, *law), mixture_denoise(x - shift, sigma, *law)
        gradient = (up[1] - down[1]) / (2 * step)
        assert np.allclose(denoised[:, i], x[:, i] + sigma**2 * gradient, rtol=1e-5, atol=1e-5 * sigma)
        jacobian[:, :, i] = (up[0] - down[0]) / (2 * step)
    assert np.allclose(trace, sigma**2 * np.trace(jacobian, axis1=1, axis2=2), rtol=1e-5)
    assert np.allclose(square, sigma**4 * np.sum(jacobian**2, axis=(1, 2)), rtol=1e-5)


def test_density_is_normalised():
    law = mixture(3, 1, False)
    grid = np.linspace(-12, 12, 4001)
    p = np.exp(mixture_denoise(grid[:, None], 0.5, *law)[1])
    assert np.sum(p) * (grid[1] - grid[0]) == pytest.approx(1, abs=1e-12)


def test_one_gaussian_is_a_wiener_filter():
    """l/(l + σ²) towards the mean, covariance lσ²/(l + σ²) wherever x is."""
    x = np.array([[5.0], [-80.0]])
    denoised, logp, trace, square = mixture_covariance(x, 2.0, [1.0], [[1.0]], [[9.0]])
    assert np.allclose(denoised, 1 + 9 / 13 * (x - 1), rtol=1e-15)
    assert np.allclose(logp, -0.5 * (x[:, 0] - 1) ** 2 / 13 - 0.5 * np.log(2 * np.pi * 13), rtol=1e-15)
    assert np.allclose(trace, 36 / 13) and np.allclose(square, (36 / 13) ** 2)


def test_points_far_from_every_component():
    """All densities underflow there; the denoiser still knows the nearest component."""
    denoised, logp = mixture_denoise([[1e3], [-1e3]], 0.1, [0.5, 0.5], [[-1.0], [1.0]], np.zeros((2, 1)))
    assert denoised.tolist() == [[1.0], [-1.0]]
    assert np.allclose(logp, np.log(0.5) - 0.5 * (999 / 0.1) ** 2 - np.log(0.1 * np.sqrt(2 * np.pi)))


@pytest.mark.parametrize("components, d, full", [(2, 1, False), (3, 5, True), (8, 64, False)])
def test_same_bits_however_it_is_cut(components, d, full):
    law = mixture(components, d, full)
    n = 4001 if d < 64 else 701
    x = observations(law, 0.5, n)
    before = get_threads()
    try:
        set_threads(1)
        whole = mixture_covariance(x, 0.5, *law)
        set_threads(2)
        threaded = mixture_covariance(x, 0.5, *law)
        parts = [mixture_covariance(x[i:i + 97], 0.5, *law) for i in range(0, n, 97)]
    finally:
        set_threads(before)
    for a, b, c in zip(whole, threaded, zip(*parts)):
        assert np.array_equal(a, b) and np.array_equal(a, np.concatenate(c))


def test_nan_stays_with_its_particle():
    law = mixture(2, 3, True)
    x = np.zeros((5, 3))
    x[2, 1] = np.nan
    for result in mixture_covariance(x, 1.0, *law):
        rows = np.isnan(result).reshape(5, -1)
        assert rows[2].all() and not np.delete(rows, 2, axis=0).any()
    assert all(np.isnan(result).all() for result in mixture_covariance(x[2:3], 1.0, *law))


def test_no_particles():
    assert [a.shape for a in mixture_covariance(np.empty((0, 2)), 1.0, *mixture(2, 2, True))] == \
        [(0, 2), (0,), (0,), (0,)]


@pytest.mark.parametrize("name, value", [
    ("x", np.zeros((4, 3))), ("x", np.zeros(4)), ("weights", np.ones(3)), ("means", np.zeros(2)),
    ("eigvals", np.ones((2, 3))), ("eigvecs", np.zeros((2, 2))), ("weights", [1.0, 0.0]),
    ("weights", [1.0, np.nan]), ("eigvals", -np.ones((2, 2))), ("sigma", np.nan),
])
def test_wrong_input(name, value):
    weights, means, eigvals, eigvecs = mixture(2, 2, True)
    arguments = dict(x=np.zeros((4, 2)), sigma=1.0, weights=weights, means=means, eigvals=eigvals,
                     eigvecs=eigvecs) | {name: value}
    with pytest.raises(UserError, match="mixture: ") as caught:
        mixture_denoise(**arguments)
    assert "\n" not in str(caught.value)


def test_singular_at_zero_noise():
    with pytest.raises(UserError, match="raise σ"):
        mixture_denoise(np.zeros((1, 1)), 0.0, [1.0], [[0.0]], [[0.0]])
