"""Implicit and sliced score matching: values and gradients against the formulas of their papers, by dual numbers."""
import numpy as np
import pytest

import plain
from plain import Dual, complex_step
from thermosim.backend import open_device
from thermosim.score.conditioning import Bumps
from thermosim.score.denoiser import Denoiser
from thermosim.score.derivatives import probes
from thermosim.score.implicit_score_matching import ImplicitScoreMatching
from thermosim.score.levels import LogNormal, Minibatches
from thermosim.score.mlp import MLP
from thermosim.score.sliced_score_matching import SlicedScoreMatching

DEVICE = open_device("cpu")
D, SIGMA_DATA, BATCH, STEP = 3, 0.7, 7, 12
SIZES = (D + 4, 5, 5, D)
LEVELS = LogNormal(-1.0, 0.8)


@pytest.fixture(scope="module")
def setting():
    """A denoiser with parameters of no pattern, minibatches, and its score of complex and dual x."""
    net = MLP(SIZES, np.float64, DEVICE, readout=Bumps(-3.0, 1.0, 3))
    net.parameters[:] = 0.5 * np.random.default_rng(1).standard_normal(net.parameters.size)
    model = Denoiser(net, np.zeros(D), SIGMA_DATA)
    batches = Minibatches(SIGMA_DATA * np.random.default_rng(3).standard_normal((40, D)), BATCH, 5, DEVICE)
    sigma = LEVELS.draw(batches, STEP)
    x = batches.clean(STEP) + sigma[:, None] * batches.noise(STEP)

    def score(p, x):
        s, take = sigma[:, None], plain.parameters_of(p)
        total, phase = s**2 + SIGMA_DATA**2, np.pi / 8 * np.log(s) * [1, 2]
        inputs = plain.beside(x * (1 / np.sqrt(total)), np.hstack([np.cos(phase), np.sin(phase)]))
        h = plain.hidden(inputs, take, SIZES, plain.silu)
        F = plain.mixed(h, take, SIZES, np.log(sigma), np.linspace(-3, 1, 3), 1.0)
        denoised = x * (SIGMA_DATA**2 / total) + F * (s * SIGMA_DATA / np.sqrt(total))
        return (denoised - x) * (1 / s**2)

    return model, batches, x, sigma, score


def check(loss, setting, plain_loss):
    model, batches, x, sigma, score = setting
    value, gradient = loss(model, batches, STEP)
    p = model.network.parameters
    expected = complex_step(plain_loss, p)
    assert value == loss.value(model, batches, STEP)
    assert abs(value / plain_loss(p) - 1) < 1e-12
    assert np.abs(gradient - expected).max() < 1e-12 * np.abs(expected).max()


@pytest.mark.parametrize("power", [2.0, 0.5])
def test_implicit(setting, power):
    """Hyvärinen 2005, theorem 1: Σ_i ∂_i s_i + ½ s_i²."""
    model, batches, x, sigma, score = setting

    def loss(p):
        divergence = sum(score(p, Dual(x, np.broadcast_to(e, x.shape))).b[:, i] for i, e in enumerate(np.eye(D)))
        return np.mean(sigma**power * (0.5 * (score(p, x) ** 2).sum(1) + divergence)) / D

    check(ImplicitScoreMatching(LEVELS, power), setting, loss)


@pytest.mark.parametrize("count, reduced", [(1, True), (2, True), (1, False), (3, False)])
def test_sliced(setting, count, reduced):
    """Song et al. 2019: v·∂s·v + ½(v·s)², or + ½|s|² with reduced variance."""
    model, batches, x, sigma, score = setting
    v = probes(DEVICE, batches.seed, STEP, count, BATCH, D)

    def loss(p):
        s = score(p, x)
        along = sum((direction * score(p, Dual(x, direction)).b).sum(1) for direction in v) / count
        square = (s**2).sum(1) if reduced else sum((direction * s).sum(1) ** 2 for direction in v) / count
        return np.mean(sigma**2 * (0.5 * square + along)) / D

    check(SlicedScoreMatching(LEVELS, 2.0, count, reduced), setting, loss)


def test_sliced_over_all_signs_is_implicit(setting, monkeypatch):
    """All 2³ signs once at every point: value and gradient of the exact divergence, in both forms."""
    from thermosim.score import sliced_score_matching as sliced

    model, batches, *_ = setting
    every = np.stack(np.meshgrid(*3 * [[-1.0, 1.0]], indexing="ij"), axis=-1).reshape(8, 1, D)
    monkeypatch.setattr(sliced, "probes", lambda *a: np.broadcast_to(every, (8, BATCH, D)))
    value, gradient = ImplicitScoreMatching(LEVELS)(model, batches, STEP)
    gradient = gradient.copy()
    for reduced in (True, False):
        other, slopes = SlicedScoreMatching(LEVELS, count=8, reduced=reduced)(model, batches, STEP)
        assert abs(other / value - 1) < 1e-12 and np.abs(slopes - gradient).max() < 1e-12 * np.abs(gradient).max()
