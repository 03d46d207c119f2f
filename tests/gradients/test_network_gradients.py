"""Every activation, layer and readout: answers, Jacobian products and gradients of both, against plain.py.

The second-order terms are the gradients of Σ e·(J t) by parameters, input and t: with t = e = v those of v·J v, with
unit vectors those of the divergence.
"""
from functools import partial

import numpy as np
import pytest

import plain
from plain import Dual, agree, complex_step
from thermosim.backend import open_device
from thermosim.score.activations import LeakyReLU, Sigmoid, SiLU, Tanh
from thermosim.score.conditioning import Bumps, FourierFeatures, Nothing, Steps
from thermosim.score.mlp import MLP
from thermosim.score.rbf import RBFNetwork

DEVICE = open_device("cpu")
ACTIVATIONS = {SiLU(): plain.silu, Tanh(): plain.tanh, Sigmoid(): plain.sigmoid, LeakyReLU(): plain.leaky}
BUMPS, STEPS = Bumps(-2.0, 1.0, 4, 0.8), Steps((-1.0, -0.2, 0.9))
READOUTS = {Nothing(): plain.shared, BUMPS: partial(plain.mixed, centres=np.linspace(-2, 1, 4), w=0.8),
            STEPS: partial(plain.stepped, levels=np.array(STEPS.levels))}
N, M, rng = 5, 3, np.random.default_rng(7)
LEVEL = rng.uniform(-2.2, 1.2, N)


def cases():
    for activation, f in ACTIVATIONS.items():
        for residual in (False, True):
            for readout in READOUTS if activation == SiLU() else [Nothing()]:
                sizes = (3, 4, 4, 2)
                net = MLP(sizes, np.float64, DEVICE, activation=activation, residual=residual, readout=readout)
                lower = partial(plain.hidden, sizes=sizes, f=f, residual=residual)
                name = f"{type(activation).__name__}-{'skips' if residual else 'plain'}-{type(readout).__name__}"
                yield net, lower, readout, name
    for readout in READOUTS:
        net = RBFNetwork((3, 5, 2), np.float64, DEVICE, readout=readout)
        yield net, partial(plain.cells, sizes=net.sizes), readout, f"RBF-{type(readout).__name__}"
    yield MLP((3, 2), np.float64, DEVICE), lambda x, take: x, Nothing(), "linear"


CASES = list(cases())


@pytest.fixture(params=CASES, ids=[case[-1] for case in CASES])
def case(request):
    """A network with parameters of no pattern, the same in plain NumPy, and points away from every kink."""
    net, lower, readout, _ = request.param
    net.parameters[:] = 0.6 * np.random.default_rng(1).standard_normal(net.parameters.size)
    x = 1.5 * np.random.default_rng(2).standard_normal((N, 3))

    def forward(p, x):
        take = plain.parameters_of(p)
        return READOUTS[readout](lower(x, take), take, net.sizes, LEVEL)

    return net, forward, x


def test_first_order(case):
    net, forward, x = case
    y = np.random.default_rng(3).standard_normal((N, 2))
    agree(net.forward(x, LEVEL), forward(net.parameters, x), 1e-14)
    gradient, dx = net.backward(net.forward(x, LEVEL) - y, want_input=True)

    def loss(p, x):
        return 0.5 * ((forward(p, x) - y) ** 2).sum()

    agree(gradient, complex_step(lambda p: loss(p, x), net.parameters))
    agree(dx, complex_step(lambda x: loss(net.parameters, x), x))


def test_tangents_and_their_gradients(case):
    net, forward, x = case
    rng = np.random.default_rng(4)
    t, e, d = rng.standard_normal((M, N, 3)), rng.standard_normal((M, N, 2)), rng.standard_normal((N, 2))
    F, JT = net.push(x, t, LEVEL)
    agree(F, forward(net.parameters, x), 1e-14)
    agree(JT, np.array([forward(net.parameters, x + 1j * plain.H * direction).imag / plain.H for direction in t]))

    def loss(p, x, t):
        along = sum((weight * forward(p, Dual(x, direction)).b).sum() for direction, weight in zip(t, e))
        return (d * forward(p, x)).sum() + along

    gradient, dx, dt = net.pull(d, e, want_input=True)
    agree(gradient, complex_step(lambda p: loss(p, x, t), net.parameters))
    agree(dx, complex_step(lambda x: loss(net.parameters, x, t), x))
    agree(dt, complex_step(lambda t: loss(net.parameters, x, t), t))


def test_batches_follow_one_another(case):
    """Smaller batches and fewer tangents after larger ones use the same buffers: nothing of the larger may show."""
    net, _, x = case
    t, e = (np.random.default_rng(5).standard_normal((M, N, k)) for k in (3, 2))

    def both(n, m):
        first = net.backward(net.forward(x[:n], LEVEL[:n]).copy()).copy()
        F, JT = (a.copy() for a in net.push(x[:n], t[:m, :n], LEVEL[:n]))
        return first, net.pull(F, JT * e[:m, :n]).copy()

    few = both(2, 1)
    both(N, M)
    for before, after in zip(few, both(2, 1)):
        assert np.array_equal(before, after)


@pytest.mark.parametrize("basis", [FourierFeatures(3, 5.0), Bumps(-2.0, 1.0, 4, 0.8)], ids=lambda b: type(b).__name__)
def test_features(basis):
    """What the network sees of a level, by the formulas of the papers, one element at a time."""
    out = np.empty((N, basis.width))
    basis.fill(out, LEVEL, np)
    for r, level in enumerate(LEVEL):
        if isinstance(basis, Bumps):
            g = [np.exp(-((level - tau) ** 2) / (2 * 0.8**2)) for tau in (-2, -1, 0, 1)]
            expected = [v / sum(g) for v in g]
        else:
            expected = [wave(2 * np.pi * k * level / 5) for wave in (np.cos, np.sin) for k in (1, 2, 3)]
        assert np.allclose(out[r], expected, rtol=1e-13, atol=1e-15)
