"""Products in register tiles: right at every edge of a tile, the same bits however they are shared out."""
import itertools

import numpy as np
import pytest

from thermosim.backend.cpu import matmul as products
from thermosim.backend.cpu.matmul import matmul, silu_layer
from thermosim.backend.cpu.threads import get_threads, set_threads

REALS = [np.float32, np.float64]


def matrices(n, k, m, dtype, seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, k)).astype(dtype), rng.standard_normal((k, m)).astype(dtype)


@pytest.mark.parametrize("dtype", REALS)
def test_every_edge(dtype):
    """Sizes around those of each tile, each factor as it is and transposed, nothing written beyond."""
    rows, depths, columns = (1, 5, 6, 7, 12, 13, 49), (1, 7, 8, 9, 40), (1, 3, 8, 17, 33, 64, 65, 130)
    for n, k, m in itertools.product(rows, depths, columns):
        a, b = matrices(n, k, m, dtype)
        exact = a.astype(np.longdouble) @ b
        # each product and each sum of a chain of k is rounded once
        bound = 2 * k * np.finfo(dtype).eps * (np.abs(a).astype(float) @ np.abs(b).astype(float))
        for left, right in itertools.product((a, np.asfortranarray(a)), (b, np.asfortranarray(b))):
            room = np.full((n + 2, m), 7, dtype)
            assert matmul(left, right, room[1:-1]) is not None
            assert np.all(np.abs(room[1:-1] - exact) <= bound), (n, k, m)
            assert np.all(room[[0, -1]] == 7)


@pytest.mark.parametrize("dtype", REALS)
def test_threads_and_batches(dtype):
    """An element of C is the same for any threads, any other rows and any other columns."""
    before = get_threads()
    a, b = matrices(601, 210, 203, dtype)
    whole = matmul(a, b, np.empty((601, 203), dtype)).copy()
    try:
        for threads in (1, 2, 7):
            set_threads(threads)
            assert np.array_equal(matmul(a, b, np.empty_like(whole)), whole)
    finally:
        set_threads(before)
    for rows, columns in ((1, 203), (5, 64), (100, 130), (300, 1)):
        part = matmul(a[:rows], b[:, :columns].copy(), np.empty((rows, columns), dtype))
        assert np.array_equal(part, whole[:rows, :columns])
    assert np.array_equal(matmul(np.asfortranarray(a), np.asfortranarray(b), np.empty_like(whole)), whole)


@pytest.mark.parametrize("dtype", REALS)
def test_silu_layer(dtype):
    """The fused layer is the product, then the activation, to the last bit; the slope is its derivative."""
    for n, k, m in ((1, 4, 9), (5, 3, 64), (130, 40, 130), (52, 8, 128)):
        (x, W), bias = matrices(n, k, m, dtype), np.linspace(-2, 2, m, dtype=dtype)
        h, slope = np.empty((n, m), dtype), np.empty((n, m), dtype)
        silu_layer(x, W, bias, h, slope)
        z, expected = matmul(x, W, np.empty((n, m), dtype)), np.empty((n, m), dtype)
        v = (z + bias).astype(np.longdouble)
        products.silu(z, bias, expected)
        assert np.array_equal(h, z) and np.array_equal(slope, expected)
        alone = np.empty((n, m), dtype)
        silu_layer(x, W, bias, alone)
        assert np.array_equal(alone, h)
        s = 1 / (1 + np.exp(-v))
        assert np.abs(slope - s * (1 + v * (1 - s))).max() < 40 * np.finfo(dtype).eps


@pytest.mark.parametrize("b, slope", [(np.ones(3), np.ones((2, 4))), (np.ones(4, np.float32), np.ones((2, 4))),
                                      (np.ones(4), np.ones((4, 2))), (np.ones(4), np.ones((2, 4), np.float32))])
def test_layers_that_do_not_fit(b, slope):
    with pytest.raises(ValueError, match="silu_layer"):
        silu_layer(np.ones((2, 3)), np.ones((3, 4)), b, np.ones((2, 4)), slope)


def test_nothing_to_do():
    for n, k, m in ((0, 3, 4), (3, 0, 4), (3, 4, 0)):
        assert not matmul(np.ones((n, k)), np.ones((k, m)), np.ones((n, m))).any()


@pytest.mark.parametrize("a, b, out", [
    (np.ones((3, 4)), np.ones((5, 2)), np.ones((3, 2))), (np.ones((3, 4)), np.ones((4, 2)), np.ones((2, 2))),
    (np.ones((3, 4)), np.ones((4, 2), np.float32), np.ones((3, 2))),
    (np.ones((3, 4), int), np.ones((4, 2), int), np.ones((3, 2), int)),
    (np.ones((3, 4)), np.ones((4, 2)), np.ones((3, 4))[:, ::2])])
def test_what_does_not_fit(a, b, out):
    """A kernel sees bare addresses: what is wrong must be said before."""
    with pytest.raises(ValueError, match="matmul"):
        matmul(a, b, out)
