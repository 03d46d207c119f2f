"""Gradients by hand against complex-step differentiation of a plain forward pass held here.

f(w + ih) has the imaginary part h f'(w) up to h³: with h = 1e-150 the derivative is exact to rounding,
without the cancellation of finite differences.
"""
import numpy as np
import pytest

from thermosim.backend import open_device
from thermosim.score.mlp import MLP

H = 1e-150
DEVICE = open_device("cpu")


def plain_forward(parameters, sizes, x):
    """The network in five lines that take complex numbers."""
    start, pairs = 0, list(zip(sizes, sizes[1:]))
    for layer, (a, b) in enumerate(pairs):
        W = parameters[start:start + a * b].reshape(a, b)
        z = x @ W + parameters[start + a * b:start + a * b + b]
        start += a * b + b
        x = z if layer == len(pairs) - 1 else z / (1 + np.exp(-z))
    return x


def complex_step(f, at):
    """The gradient of f at a real array."""
    gradient = np.empty(at.shape)
    for i in np.ndindex(at.shape):
        moved = at.astype(complex)
        moved[i] += 1j * H
        gradient[i] = f(moved).imag / H
    return gradient


def network(sizes, seed=1):
    net = MLP(sizes, np.float64, DEVICE)
    net.parameters[:] = 0.4 * np.random.default_rng(seed).standard_normal(net.parameters.size)
    return net


@pytest.mark.parametrize("sizes", [(3, 2), (2, 5, 1), (5, 9, 7, 6, 3)])
def test_parameters_and_input(sizes):
    """L = ½|answer − y|²: the gradient of every weight, every bias and every input."""
    rng = np.random.default_rng(7)
    net, x, y = network(sizes), 2 * rng.standard_normal((11, sizes[0])), rng.standard_normal((11, sizes[-1]))
    gradient, dx = net.backward(net.forward(x) - y, want_input=True)

    def loss(p, v):
        return 0.5 * np.sum((plain_forward(p, sizes, v) - y) ** 2)

    by_parameters = complex_step(lambda p: loss(p, x), net.parameters)
    by_input = complex_step(lambda v: loss(net.parameters, v), x)
    assert np.abs(gradient - by_parameters).max() < 1e-12 * np.abs(by_parameters).max()
    assert np.abs(dx - by_input).max() < 1e-12 * np.abs(by_input).max()


def test_batches_follow_one_another():
    """A smaller batch after a larger one uses the same buffers: nothing of the larger may show."""
    sizes = (4, 6, 5, 2)
    net, rng = network(sizes), np.random.default_rng(2)
    for n in (50, 3, 120, 1):
        x, y = rng.standard_normal((n, 4)), rng.standard_normal((n, 2))
        gradient = net.backward(net.forward(x) - y)
        expected = complex_step(lambda p: 0.5 * np.sum((plain_forward(p, sizes, x) - y) ** 2), net.parameters)
        assert np.abs(gradient - expected).max() < 1e-12 * np.abs(expected).max()
