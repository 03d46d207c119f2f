"""Heating: the work of a noising chain against densities written out, and its decoder."""

import numpy as np
import pytest
from scipy.stats import norm

from thermosim.backend.cpu.device import Cpu
from thermosim.errors import UserError
from thermosim.schedules import Chain, log_snr, ve_chain, vp_chain
from thermosim.score.exact import GaussianMixture
from thermosim.runs.noising import heat, log_mass, squared_error_curve

TWO = GaussianMixture([0.3, 0.7], [[-1.0, 0.5], [0.8, 0.0]], [0.2, 0.1])


@pytest.mark.parametrize("chain",
                         [vp_chain(4.0, 3, "beta"), vp_chain(4.0, 3, "posterior"), ve_chain([0.1, 0.5, 2.0, 6.0])],
                         ids=["vp-beta", "vp-posterior", "ve"])
def test_work_is_the_log_ratio_of_the_path_densities(chain):
    """W = ln q(x_1…x_N|x_0) − ln p_θ(x_0…x_N), rebuilt from the kept path with scipy's normal density."""
    x0 = TWO.sample(20, 1, Cpu())
    run = heat(chain, TWO, x0, 2, Cpu(), frames=20)
    path, N = run.frames, len(chain)
    W = -norm.logpdf(path[N], 0, chain.prior_variance**0.5).sum(axis=1)
    for n in range(1, N + 1):
        a = chain.alpha[n] / chain.alpha[n - 1]
        b = chain.noise[n] ** 2 - a**2 * chain.noise[n - 1] ** 2
        D = TWO(path[n] / chain.alpha[n], chain.noise[n] / chain.alpha[n])
        before = chain.noise[n - 1] ** 2
        posterior = 1 / (1 / before + a * a / b) if before > 0 else 0.0
        mean = (posterior * (a / b * path[n] + (chain.alpha[n - 1] * D / before if before > 0 else 0))
                if before > 0 else D)
        v = posterior if chain.variance == "posterior" and posterior > 0 else b
        W += norm.logpdf(path[n], a * path[n - 1], b**0.5).sum(axis=1) - norm.logpdf(path[n - 1], mean, v**0.5).sum(axis=1)
    assert np.allclose(run.work, W, rtol=1e-10, atol=1e-10)


def test_free_diffusion_heats_without_heat():
    """VE noising has no force: its kernel is symmetric and gives the bath nothing; VP's is not."""
    x0 = TWO.sample(500, 1, Cpu())
    ve = heat(ve_chain([0.01, 1.0, 4.0]), TWO, x0, 2, Cpu()).ledger
    assert np.abs(ve["entropy_env"]).max() < 1e-12 and np.array_equal(ve["heat"], -ve["entropy_env"])
    vp = heat(vp_chain(1.0, 2), TWO, 5 + x0, 2, Cpu()).ledger
    # U = x²/2 falls: the bath gains about −ΔU
    assert vp["entropy_env"].sum() > 1


def test_ancestral_work_has_the_mean_of_the_kernel_ratio():
    """⟨ln q(x_{k+1}|x_k, x_0)/p(x_{k+1}|x_k)⟩ sampled afresh, against ½Δλ|x_0 − D|²: 40,000 particles, 6 s.e."""
    sigma, sigma_next, n = 1.0, 0.5, 40_000
    x0 = TWO.sample(n, 3, Cpu())
    run = heat(ve_chain([sigma_next, sigma]), TWO, x0, 4, Cpu(), frames=n)
    x, D = run.frames[1], TWO(run.frames[1], sigma)
    shrink = sigma_next**2 / sigma**2
    v = sigma_next**2 * (1 - shrink)
    rng = np.random.default_rng(5)
    y = shrink * x + (1 - shrink) * x0 + np.sqrt(v) * rng.standard_normal(x.shape)
    ratio = (norm.logpdf(y, shrink * x + (1 - shrink) * x0, v**0.5)
             - norm.logpdf(y, shrink * x + (1 - shrink) * D, v**0.5)).sum(axis=1)
    difference = ratio.mean() - run.ledger["ancestral_work"][0]
    assert abs(difference) < 6 * ratio.std() / np.sqrt(n)
    assert run.ledger["ancestral_work"][0] == pytest.approx(0.5 * 3 * run.ledger["squared_error"][0], rel=1e-12)


def test_the_decoder_is_a_probability_over_cells():
    """Masses of all cells of a lattice sum to one, and far in the tail the logarithm keeps its digits."""
    cells = np.arange(-400, 401)[:, None] * 0.125
    total = np.exp(log_mass(cells, 0.3 + 0 * cells, 1.7, 0.125)).sum()
    assert total == pytest.approx(1, abs=1e-12)
    far = log_mass(np.array([[40.0], [-40.0]]), np.zeros((2, 1)), 1.0, 0.125)
    from mpmath import mp, mpf, ncdf

    with mp.workdps(400):
        exact = float(mp.log(ncdf(mpf("-39.9375")) - ncdf(mpf("-40.0625"))))
    assert np.allclose(far, exact, rtol=1e-12)


def test_code_length_of_a_lattice_is_above_its_entropy():
    """Fair coins on a lattice of spacing 1: one bit per dimension at least, and near it with an exact denoiser."""
    coins = GaussianMixture([0.25] * 4, [[0, 0], [0, 1], [1, 0], [1, 1]], [0.0] * 4)
    x0 = np.array([[0, 0], [0, 1], [1, 0], [1, 1]] * 500, float)
    levels = np.concatenate((log_snr(30.0, 0.05, 200), [0.0]))
    mean, error = heat(ve_chain(levels), coins, x0, 1, Cpu(), quantum=1.0).bits_per_dim(2)
    assert 1 - 6 * error < mean < 1.05


def test_any_batch_gives_the_same_bits():
    x0 = TWO.sample(350, 1, Cpu())
    one, many = (heat(vp_chain(2.0, 4), TWO, x0, 7, Cpu(), batch=b, frames=120) for b in (1000, 100))
    assert np.array_equal(one.work, many.work) and np.array_equal(one.frames, many.frames)
    for name in one.ledger.mean:
        assert np.array_equal(one.ledger.mean[name], many.ledger.mean[name], equal_nan=True)
    sigmas = [2.0, 0.5]
    a, b = (squared_error_curve(TWO, x0, sigmas, 7, Cpu(), batch=b) for b in (1000, 100))
    assert np.array_equal(a, b)


def test_error_curve_meets_the_exact_mmse():
    """mse of the exact denoiser in 1-D against quadrature: 20,000 points, 6 s.e."""
    line = GaussianMixture([0.4, 0.6], [[-1.5], [1.0]], [0.09, 0.04])
    errors = squared_error_curve(line, line.sample(20_000, 3, Cpu()), [2.0, 0.5, 0.1], 1, Cpu(), replicas=1)
    for e, sigma in zip(errors, (2.0, 0.5, 0.1)):
        assert abs(e.mean() - line.mmse(sigma)) < 6 * e.std() / np.sqrt(e.size)


def test_nonsense_is_refused():
    with pytest.raises(UserError, match="finite"):
        heat(vp_chain(1.0, 2), TWO, [[np.nan, 0.0]], 0, Cpu())
    with pytest.raises(UserError, match="shape"):
        heat(vp_chain(1.0, 2), TWO, [0.0, 1.0], 0, Cpu())
    assert isinstance(vp_chain(1.0, 2), Chain)
