"""The gradient of the binomial cross-entropy against complex-step differentiation of a plain forward pass."""
from functools import partial

import numpy as np
import pytest

import plain
from thermosim.backend.cpu.device import Cpu
from thermosim.binomial import BinomialChain
from thermosim.datasets.heartbeat import Heartbeat
from thermosim.errors import UserError
from thermosim.score.activations import Sigmoid
from thermosim.score.architecture import Perceptron
from thermosim.score.binary import BinaryDenoiser, BinaryLoss, train_binary
from thermosim.score.conditioning import Nothing, Steps
from thermosim.score.mlp import MLP
from thermosim.score.train import TrainConfig

L, SIZES = 6, (14, 7, 5, 6)
STEPS = Steps((0.1, 0.5, 0.8))


def plain_loss(parameters, f, readout, x0, memory, x):
    """−ln P(x_0|x_t), complex parameters allowed."""
    s, e, take = 2.0 * x - 1, np.log((1 + memory) / (1 - memory))[:, None], plain.parameters_of(parameters)
    h = plain.hidden(np.concatenate([s, s * e / 4, memory[:, None], e / 4], axis=1), take, SIZES, f)
    logits = s * e + readout(h, take, SIZES, memory)
    return (np.log1p(np.exp(logits)) - x0 * logits).sum(axis=1).mean()


@pytest.mark.parametrize("parts, f, readout", [
    ({}, plain.silu, plain.shared),
    (dict(activation=Sigmoid(), readout=STEPS), plain.sigmoid, partial(plain.stepped, levels=np.array(STEPS.levels)))])
def test_gradient(parts, f, readout):
    network = MLP(SIZES, np.float64, Cpu(), seed=1, **parts)
    network.parameters[:] += 0.3 * np.random.default_rng(0).normal(size=network.parameters.size)
    beat = Heartbeat(L, 3)
    loss = BinaryLoss(BinaryDenoiser(network, BinomialChain(50)),
                      lambda u: beat.states[(u * 3).astype(int)], 16, seed=2)
    value, gradient = loss(4)
    drawn = loss.draw(4)
    assert np.isclose(value, plain_loss(network.parameters, f, readout, *drawn), rtol=1e-13)
    expected = plain.complex_step(lambda p: plain_loss(p, f, readout, *drawn), network.parameters)
    assert np.abs(gradient - expected).max() < 1e-12 * np.abs(expected).max()


def test_a_plan_of_sigmoids_with_a_readout_a_step_trains():
    """As the paper takes it for the heartbeat (Sohl-Dickstein et
    al. 2015): the loss falls nearly to that of the exact law."""
    chain, beat = BinomialChain(10), Heartbeat(L, 3)
    steps = Steps(tuple(sorted(chain.memory(t) for t in range(1, 11))))
    plan = Perceptron(16, 2, Sigmoid(), features=Nothing(), readout=steps)
    config = TrainConfig(batch=128, steps=1500, rate=2e-2, decay=0.0, architecture=plan)
    sample = lambda u: beat.states[(u * 3).astype(int)]
    trained = train_binary(sample, chain, L, Cpu(), config)
    untrained = BinaryDenoiser(plan.network(2 * L + 2, L, np.float32, Cpu(), 0), chain)
    assert trained.network.readout == steps
    losses = [BinaryLoss(model, sample, 4000, 9) for model in (untrained, trained)]
    x0, memory, x = losses[0].draw(0)
    same = (x[:, None] == beat.states).sum(axis=2)
    odds = ((1 + memory) / (1 - memory))[:, None] ** (same - L)
    p = np.clip(odds @ beat.states / odds.sum(axis=1, keepdims=True), 1e-15, 1 - 1e-15)
    least = -np.log(np.where(x0, p, 1 - p)).sum(axis=1).mean()
    before, after = (loss.value(x0, memory, x)[0] for loss in losses)
    assert least < after < least + 0.15 * (before - least)
    with pytest.raises(UserError, match="does not fit 6 binary sites"):
        BinaryDenoiser(MLP((13, 6), np.float64, Cpu()), chain)
