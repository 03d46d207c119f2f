"""The gradient of the binomial cross-entropy against complex-step differentiation of a plain forward pass."""

import numpy as np

from thermosim.backend.cpu.device import Cpu
from thermosim.binomial import BinomialChain
from thermosim.datasets.heartbeat import Heartbeat
from thermosim.score.binary import BinaryDenoiser, BinaryLoss
from thermosim.score.mlp import MLP

L = 6


def plain_loss(parameters, sizes, x0, memory, x):
    """−ln P(x_0|x_t) of a SiLU network, complex parameters allowed."""
    s, e = 2.0 * x - 1, np.log((1 + memory) / (1 - memory))[:, None]
    h, at = np.concatenate([s, s * e / 4, memory[:, None], e / 4], axis=1), 0
    for layer, (a, b) in enumerate(zip(sizes, sizes[1:])):
        h = h @ parameters[at:at + a * b].reshape(a, b) + parameters[at + a * b:at + a * b + b]
        at += a * b + b
        if layer < len(sizes) - 2:
            h = h / (1 + np.exp(-h))
    logits = s * e + h
    return (np.log1p(np.exp(logits)) - x0 * logits).sum(axis=1).mean()


def test_gradient():
    sizes = (2 * L + 2, 7, 5, L)
    network = MLP(sizes, np.float64, Cpu(), seed=1)
    network.parameters[:] += 0.3 * np.random.default_rng(0).normal(size=network.parameters.size)
    beat = Heartbeat(L, 3)
    loss = BinaryLoss(BinaryDenoiser(network, BinomialChain(50)), lambda u: beat.states[(u * 3).astype(int)], 16, seed=2)
    value, gradient = loss(4)
    drawn = loss.draw(4)
    assert np.isclose(value, plain_loss(network.parameters, sizes, *drawn), rtol=1e-13)
    for k in range(0, network.parameters.size, 5):
        nudged = network.parameters.astype(complex)
        nudged[k] += 1e-30j
        assert abs(plain_loss(nudged, sizes, *drawn).imag / 1e-30 - gradient[k]) < 1e-12
