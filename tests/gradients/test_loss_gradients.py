"""Every loss and its gradient against complex-step differentiation of the loss as its paper has it.

f(w + ih) has the imaginary part h f'(w) up to h³: with h = 1e-150 the derivative is exact to rounding. The forward
pass and the losses are written out here once more, in plain NumPy that takes complex numbers.
"""
import numpy as np
import pytest

from thermosim.backend import open_device
from thermosim.schedules import Chain, ve_chain, vp_chain
from thermosim.score import parametrisation as predict
from thermosim.score.bound import LearnedVariances, VariationalBound, even_shares
from thermosim.score.denoiser import Denoiser
from thermosim.score.levels import Among, LogNormal, Minibatches
from thermosim.score.losses import DenoisingLoss
from thermosim.score.mlp import MLP

H = 1e-150
DEVICE = open_device("cpu")
D, FEATURES, SIGMA_DATA = 3, 2, 0.7
MEAN = np.array([0.3, -0.2, 1.0])


def plain_network(parameters, sizes, noisy, sigma):
    """F of the preconditioned input, in lines that take complex numbers."""
    phase = np.log(sigma) / 4 * np.arange(1, FEATURES + 1) * np.pi / 2
    x = np.hstack([noisy / np.sqrt(sigma**2 + SIGMA_DATA**2), np.cos(phase), np.sin(phase)])
    start, pairs = 0, list(zip(sizes, sizes[1:]))
    for layer, (a, b) in enumerate(pairs):
        z = x @ parameters[start:start + a * b].reshape(a, b) + parameters[start + a * b:start + a * b + b]
        start += a * b + b
        x = z if layer == len(pairs) - 1 else z / (1 + np.exp(-z))
    return x


def check(loss, parametrisation, plain, outputs=D, seed=1):
    """Value to 1e-12 and gradient to 1e-12 of its largest component, for a network that has learned something."""
    sizes = (D + 2 * FEATURES, 6, 5, outputs)
    net = MLP(sizes, np.float64, DEVICE)
    net.parameters[:] = 0.4 * np.random.default_rng(seed).standard_normal(net.parameters.size)
    model = Denoiser(net, MEAN, SIGMA_DATA, parametrisation=parametrisation)
    data = SIGMA_DATA * np.random.default_rng(3).standard_normal((40, D))
    batches = Minibatches(data, 16, 5, DEVICE)
    value, gradient = loss(model, batches, 12)
    assert loss.value(model, batches, 12) == value
    assert loss.outputs(D) == outputs
    clean, noise = batches.clean(12), batches.noise(12).copy()
    assert np.all((clean[:, None] == data).all(axis=2).any(axis=1))

    def f(p):
        return plain(lambda noisy, sigma: plain_network(p, sizes, noisy, sigma), clean, noise, batches)

    expected = np.empty(net.parameters.size)
    for i in range(expected.size):
        moved = net.parameters.astype(complex)
        moved[i] += 1j * H
        expected[i] = f(moved).imag / H
    assert abs(value / f(net.parameters) - 1) < 1e-12
    assert np.abs(gradient - expected).max() < 1e-12 * np.abs(expected).max()


def noise_loss(F, x0, n, sigma):
    """Ho et al. 2020, eq. 14."""
    return (n - F) ** 2


def clean_loss(F, x0, n, sigma):
    return (F - x0 / SIGMA_DATA) ** 2


def velocity_loss(F, x0, n, sigma):
    """Salimans and Ho 2022: v = αε − s x_0 of x_0 in units of σ_d, with α² + s² = 1 and s/α = σ/σ_d."""
    alpha = (1 + (sigma / SIGMA_DATA) ** 2) ** -0.5
    return (alpha * n - np.sqrt(1 - alpha**2) * x0 / SIGMA_DATA - F) ** 2


def score_loss(F, x0, n, sigma):
    """Song and Ermon 2019, eq. 6: λ(σ)|s + (x − x_0)/σ²|² with λ = σ²."""
    return sigma**2 * (F + n / sigma) ** 2


def vincent_loss(F, x0, n, sigma):
    return (F + n / sigma) ** 2


def edm_loss(F, x0, n, sigma):
    """Karras et al. 2022: λ|D − x_0|² with λ = (σ² + σ_d²)/(σσ_d)²."""
    total = sigma**2 + SIGMA_DATA**2
    D = SIGMA_DATA**2 / total * (x0 + sigma * n) + sigma * SIGMA_DATA / np.sqrt(total) * F
    return total / (sigma * SIGMA_DATA) ** 2 * (D - x0) ** 2


PAPERS = [(predict.NoisePrediction(), noise_loss), (predict.CleanPrediction(), clean_loss),
          (predict.VelocityPrediction(), velocity_loss), (predict.ScorePrediction(), score_loss),
          (predict.ScorePrediction(power=0.0), vincent_loss), (predict.Preconditioned(), edm_loss)]
LEVELS = np.array([0.1, 0.4, 2.0])


@pytest.mark.parametrize("parametrisation, paper", PAPERS, ids=lambda p: getattr(p, "__name__", type(p).__name__))
@pytest.mark.parametrize("levels",
                         [LogNormal(), LogNormal(-0.8, 1.2, 0.3, 0.6), Among(LEVELS, np.array([0.5, 0.2, 0.3]))],
                         ids=["log-normal", "held", "among"])
def test_denoising(parametrisation, paper, levels):
    def plain(network, x0, n, batches):
        if isinstance(levels, LogNormal):
            sigma = np.exp(-0.8 + 1.2 * batches.level_normals(12))[:, None]
            sigma = np.minimum(np.maximum(sigma, levels.sigma_min), levels.sigma_max)
        else:
            u = batches.level_uniforms(12)[:, None]
            sigma = np.where(u < 0.5, 0.1, np.where(u < 0.7, 0.4, 2.0))
        return np.mean(paper(network(x0 + sigma * n, sigma), x0, n, sigma))

    check(DenoisingLoss(levels), parametrisation, plain)


CHAINS = [vp_chain(6.0, 5, "beta"), vp_chain(6.0, 5, "posterior"), ve_chain([0.1, 0.3, 1.0, 5.0]),
          Chain(np.array([1.0, 0.9, 0.4]), np.array([0.0, 0.4, 0.9]), np.array([0.1, 0.3]), 1.3)]


def plain_bound(chain, odds, log_variance):
    """Mean over the minibatch of p_n⁻¹⟨ln q(x_n|x_{n−1}) − ln p(x_{n−1}|x_n)⟩ − ln p(x_N), from means and variances.

    The mean over x_{n−1} given (x_n, x_0) is taken in closed form by Bayes' rule, the rest is the minibatch.
    """
    def plain(network, x0, noise, batches):
        u, total = batches.level_uniforms(12), 0.0
        for i in range(len(x0)):
            n = 1 + int(np.searchsorted(np.cumsum(1 / odds), u[i]))
            a0, a1, s0, s1 = chain.alpha[n - 1], chain.alpha[n], chain.noise[n - 1], chain.noise[n]
            b = s1**2 - (a1 / a0 * s0) ** 2
            y, sigma = (x0[i] + s1 / a1 * noise[i])[None], s1 / a1
            posterior = 1 / ((a1 / a0) ** 2 / b + (1 / s0**2 if s0 else np.inf))

            def mean(clean):     # of q(x_{n−1}|x_n, x_0)
                return posterior * (a1 / a0 / b * a1 * y + a0 * clean / s0**2) if s0 else a0 * clean

            F = network(y, np.array([[sigma]]))
            g = chain_denoiser(F[:, :D], y, sigma)
            V = np.exp(log_variance(n, b, posterior, F))
            spread = posterior + (mean(x0[i]) - mean(g)) ** 2
            # ln N(x_n; a x_{n−1}, b) has the mean −½ln 2πb − ½
            total += odds[n - 1] * np.sum(-0.5 * np.log(b) - 0.5 + 0.5 * np.log(V) + 0.5 * spread / V)
        P = chain.prior_variance
        end = 0.5 * np.log(2 * np.pi * P) + 0.5 * (chain.alpha[-1] ** 2 * (x0 + MEAN) ** 2 + chain.noise[-1] ** 2) / P
        return total / x0.size + end.mean()
    return plain


def chain_denoiser(F, y, sigma):
    total = sigma**2 + SIGMA_DATA**2
    return SIGMA_DATA**2 / total * y + sigma * SIGMA_DATA / np.sqrt(total) * F


@pytest.mark.parametrize("chain", CHAINS, ids=["vp beta", "vp posterior", "ve", "own variances"])
@pytest.mark.parametrize("shared", [False, True], ids=["equal", "even shares"])
def test_variational_bound(chain, shared):
    """Fixed variances β̃, β and one's own; steps drawn equally or not, which must not show in the mean.

    What no network changes is exact in ours and drawn in the plain one: it is taken from both.
    """
    p = even_shares(chain, SIGMA_DATA) if shared else np.full(len(chain), 1 / len(chain))

    def log_variance(n, b, posterior, F):
        return np.log(chain.reverse(n)[2])

    loss = VariationalBound(chain, p if shared else None)
    sampled = plain_bound(chain, 1 / p, log_variance)

    def plain(network, x0, noise, batches):
        n = 1 + np.searchsorted(np.cumsum(p), batches.level_uniforms(12))
        steady = np.array([np.log(chain.reverse(k)[2] / chain.forward(k)[1]) - 1
                           + posterior(chain, k) / chain.reverse(k)[2]
                           for k in range(1, len(chain) + 1)]) / 2
        return sampled(network, x0, noise, batches) + steady.sum() - np.mean(steady[n - 1] / p[n - 1])

    check(loss, predict.Preconditioned(), plain)


def posterior(chain, n):
    return chain.forward(n)[1] * (chain.noise[n - 1] / chain.noise[n]) ** 2


@pytest.mark.parametrize("chain", CHAINS[1:], ids=["vp", "ve", "own variances"])
@pytest.mark.parametrize("shared", [False, True], ids=["equal", "even shares"])
def test_learned_variances(chain, shared):
    """Nichol and Dhariwal 2021, eq. 15, with v = (1 + ρ)/2."""
    p = even_shares(chain, SIGMA_DATA) if shared else np.full(len(chain), 1 / len(chain))

    def log_variance(n, b, least, F):
        least = least or posterior(chain, 2)
        v = (1 + F[:, D:]) / 2
        return v * np.log(b) + (1 - v) * np.log(least)

    check(LearnedVariances(chain, p if shared else None), predict.Preconditioned(),
          plain_bound(chain, 1 / p, log_variance), outputs=2 * D)
