"""The network's kernels and buffers, away from training."""
import numpy as np
import pytest

from thermosim.backend import open_device
from thermosim.errors import UserError
from thermosim.score.activations import LeakyReLU, SiLU, Tanh
from thermosim.score.conditioning import Steps
from thermosim.score.mlp import MLP
from thermosim.score.rbf import RBFNetwork

DEVICE = open_device("cpu")
SIZES = (6, 40, 40, 3)


def network(dtype, seed=4):
    net = MLP(SIZES, dtype, DEVICE)
    net.parameters[:] = 0.3 * np.random.default_rng(seed).standard_normal(net.parameters.size)
    return net


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_silu(dtype):
    """Activation and slope within a few roundings of the definition, far out too."""
    z = np.linspace(-30, 30, 4001, dtype=dtype).reshape(-1, 1) * np.ones(3, dtype)
    b = np.array([0, 1, -2], dtype)
    v = (z + b).astype(np.longdouble)
    s = 1 / (1 + np.exp(-v))
    slope = np.empty_like(z)
    DEVICE.silu(z, b, slope)
    eps = np.finfo(dtype).eps
    # v itself is rounded, and what depends on e^v passes that on |v|-fold
    assert np.all(np.abs(z - v * s) <= 4 * eps * (1 + np.abs(v)) * np.abs(v * s))
    assert np.all(np.abs(slope - (s + v * s * (1 - s))) <= 4 * eps * (1 + np.abs(v)) * s)
    far = np.array([[-1e4, 1e4]], dtype)
    DEVICE.silu(far, np.zeros(2, dtype), np.empty((1, 2), dtype))
    assert abs(far[0, 0]) < 1e-30 and far[0, 1] == dtype(1e4)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_scale_columns_sum(dtype):
    rng = np.random.default_rng(1)
    d, g = (rng.standard_normal((517, 33)).astype(dtype) for _ in range(2))
    product, s = d * g, np.full(33, np.nan, dtype)
    DEVICE.scale_columns_sum(d, g, s)
    assert np.array_equal(d, product)
    assert np.abs(s - product.sum(0, dtype=np.float64)).max() < 500 * np.finfo(dtype).eps * 20


def test_adam_against_its_paper():
    """Algorithm 1 of 1412.6980 with decoupled decay, written out, over ten steps."""
    rng = np.random.default_rng(5)
    p = rng.standard_normal(20)
    mine, m, v, mean = p.copy(), np.zeros(20), np.zeros(20), p.copy()
    first, second, expected_mean = np.zeros(20), np.zeros(20), p.copy()
    for t in range(1, 11):
        g = rng.standard_normal(20)
        DEVICE.adam(mine, g, m, v, mean, 0.02, (0.8, 0.95), t, 1e-8, 0.3, 0.25)
        first, second = 0.8 * first + 0.2 * g, 0.95 * second + 0.05 * g**2
        p = p - 0.02 * (first / (1 - 0.8**t) / (np.sqrt(second / (1 - 0.95**t)) + 1e-8) + 0.3 * p)
        expected_mean = 0.75 * expected_mean + 0.25 * p
    assert np.allclose(mine, p, rtol=1e-13, atol=1e-14)
    assert np.allclose(mean, expected_mean, rtol=1e-13, atol=1e-14)


def test_float32_follows_float64():
    """The same weights in both precisions: answers and gradients differ by single-precision rounding."""
    rng = np.random.default_rng(9)
    x, y = rng.standard_normal((64, 6)), rng.standard_normal((64, 3))
    single, double = network(np.float32), network(np.float64)
    double.parameters[:] = single.parameters
    x32, y32 = x.astype(np.float32), y.astype(np.float32)
    x, y = x32.astype(float), y32.astype(float)
    fine, coarse = double.forward(x).copy(), single.forward(x32).copy()
    assert coarse.dtype == np.float32 and 0 < np.abs(fine - coarse).max() < 3e-6 * np.abs(fine).max()
    fine, coarse = double.backward(fine - y), single.backward(coarse - y32)
    assert 0 < np.abs(fine - coarse).max() < 5e-6 * np.abs(fine).max()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rows_do_not_meet(dtype):
    """A row's answer is its own to the last bit, whatever the batch around it and the threads behind it."""
    net, x = network(dtype), np.random.default_rng(3).standard_normal((700, 6)).astype(dtype)
    whole = net.forward(x).copy()
    for size in (1, 7, 100, 512):
        parts = np.concatenate([net.forward(x[a:a + size]).copy() for a in range(0, 700, size)])
        assert np.array_equal(parts, whole)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("build", [
    *(lambda dtype, f=f: MLP((4, 70, 70, 3), dtype, DEVICE, activation=f, residual=True)
      for f in (SiLU(), Tanh(), LeakyReLU())),
    lambda dtype: MLP((4, 9, 3), dtype, DEVICE, readout=Steps((0.0, 1.0))),
    lambda dtype: RBFNetwork((4, 6, 3), dtype, DEVICE)])
def test_evaluate_is_forward(build, dtype):
    """Without what a backward pass needs the answer has the same
    bits; and a backward pass may follow a later forward."""
    net, rng = build(dtype), np.random.default_rng(3)
    net.parameters[:] = 0.3 * rng.standard_normal(net.parameters.size)
    x, level, d = (rng.standard_normal((90, 4)).astype(dtype), rng.standard_normal(90),
                   rng.standard_normal((90, 3)).astype(dtype))
    answer = net.forward(x, level).copy()
    gradient = net.backward(d.copy()).copy()
    assert np.array_equal(net.evaluate(x, level), answer) and answer.any()
    net.evaluate(-x, level)
    net.forward(x, level)
    assert np.array_equal(net.backward(d.copy()), gradient)


def test_initial_weights():
    """Untrained it answers 0; hidden weights have variance 1/fan_in; the seed alone decides."""
    net = MLP((50, 300, 300, 4), np.float32, DEVICE, seed=3)
    assert not net.forward(np.ones((5, 50), np.float32)).any()
    for W in (layer.W for layer in net.layers[:-1]):
        assert abs(np.var(W) * len(W) - 1) < 6 * (2 / W.size) ** 0.5
    assert not np.array_equal(net.layers[0].W.ravel()[:300], net.layers[1].W.ravel()[:300])
    assert np.array_equal(net.parameters, MLP((50, 300, 300, 4), np.float32, DEVICE, seed=3).parameters)
    assert not np.array_equal(net.parameters, MLP((50, 300, 300, 4), np.float32, DEVICE, seed=4).parameters)


def test_unknown_device():
    with pytest.raises(UserError, match="did you mean 'cpu'"):
        open_device("cpi")


def test_buffers_begin_with_a_cache_line():
    """64 bytes, at any shape and type, none of them too short to be written to its end."""
    for shape, dtype in ((7, np.float32), ((3, 5), np.float64), ((512, 130), np.float32), (0, np.float32),
                         ((0, 4), np.float64)):
        a = DEVICE.empty(shape, dtype)
        assert a.ctypes.data % 64 == 0 or not a.size
        assert a.shape == np.empty(shape).shape and a.dtype == dtype and a.flags.c_contiguous and a.flags.writeable
        a[...] = 1
    net = network(np.float32)
    assert (net.parameters.ctypes.data % 64 == net.gradient.ctypes.data % 64 == 0
            and not MLP(SIZES, np.float32, DEVICE).layers[-1].W.any())
