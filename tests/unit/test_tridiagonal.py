"""The resolvent kernels against dense inverses, and against themselves in extended ranges."""
import numpy as np
import pytest

from thermosim.backend.cpu.threads import get_threads, set_threads
from thermosim.backend.cpu.chains import Chains


def generator(up, down, ring):
    """K of one line, dense, built entry by entry."""
    n = len(up)
    K = -np.diag(up + down)
    for i in range(n):
        if i + 1 < n or ring:
            K[(i + 1) % n, i] += up[i]
        if i > 0 or ring:
            K[(i - 1) % n, i] += down[i]
    return K


@pytest.mark.parametrize("shape", [(1, 4, 1), (1, 5, 1), (3, 6, 1), (2, 7, 3), (1, 8, 150), (2, 9, 2)])
@pytest.mark.parametrize("ring", [False, True])
@pytest.mark.parametrize("weights", [(1.0, 0.0), (-0.9, 1.9)])
def test_every_line_is_the_dense_resolvent(shape, ring, weights):
    rng = np.random.default_rng(1)
    up, down, u = rng.exponential(size=(3, *shape))
    h, (c1, c2) = 2.5, weights
    got = u.copy()
    Chains(up, down, h, ring).apply(got, c1, c2)
    for o in range(shape[0]):
        for j in range(shape[2]):
            S = np.linalg.inv(np.eye(shape[1]) - h * generator(up[o, :, j], down[o, :, j], ring))
            want = c1 * S @ u[o, :, j] + c2 * S @ S @ u[o, :, j]
            np.testing.assert_allclose(got[o, :, j], want, rtol=1e-13, atol=1e-15)


def test_repeat_is_repetition():
    rng = np.random.default_rng(2)
    up, down, u = rng.exponential(size=(3, 2, 50, 1))
    chains, once = Chains(up, down, 0.3), u.copy()
    for _ in range(7):
        chains.apply(once, -0.4, 1.4)
    chains.apply(u, -0.4, 1.4, repeat=7)
    np.testing.assert_array_equal(once, u)


@pytest.mark.parametrize("ring", [False, True])
@pytest.mark.parametrize("inner", [1, 6])
def test_positive_and_conserving_at_any_step(ring, inner):
    """Rates over 24 decades, steps over 24 more: each step keeps mass to rounding and every cell ≥ 0."""
    rng = np.random.default_rng(3)
    up, down = 10.0 ** rng.uniform(-12, 12, size=(2, 1, 40, inner))
    if not ring:
        up[:, -1] = down[:, 0] = 0.0
    for h in 10.0 ** np.arange(-12, 13, 3.0):
        u = np.zeros((1, 40, inner))
        u[:, 17] = 1.0
        Chains(up, down, h, ring).apply(u, 1.0, 0.0)
        assert np.all(u >= 0) and np.all(np.isfinite(u))
        np.testing.assert_allclose(u.sum(axis=1), 1.0, rtol=1e-13)


def test_small_cells_keep_their_digits():
    """Detailed balance over 300 decades: the weight is left alone cell by cell, not only in norm."""
    up, down = np.ones(200), np.full(200, 32.0)
    up[-1] = down[0] = 0.0
    weight = 2.0 ** (-5.0 * np.arange(200))
    u = weight.copy().reshape(1, -1, 1)
    Chains(up.reshape(1, -1, 1), down.reshape(1, -1, 1), 1e6).apply(u, 1.0, 0.0)
    np.testing.assert_allclose(u.ravel(), weight, rtol=1e-13)


def test_absorbing_ends_lose_what_they_should():
    """A single pair of cells far from equilibrium, by hand: S = (I − hK)⁻¹ with exits on both sides."""
    up, down = np.array([0.5, 2.0, 0.1, 3.0]), np.array([1.5, 0.2, 0.7, 0.4])
    u = np.ones((1, 4, 1))
    Chains(up.reshape(1, 4, 1), down.reshape(1, 4, 1), 1.0).apply(u, 1.0, 0.0)
    exits = down[0] * u[0, 0, 0] + up[-1] * u[0, -1, 0]
    assert u.sum() == pytest.approx(4.0 - exits, rel=1e-14)


@pytest.mark.parametrize("shape", [(40, 200, 1), (3, 50, 700)])
def test_threads_change_no_bit(shape):
    rng, before = np.random.default_rng(4), get_threads()
    up, down, u = rng.exponential(size=(3, *shape))
    up[:, -1] = down[:, 0] = 0.0
    found = []
    try:
        for n in (1, 3):
            set_threads(n)
            found.append(u.copy())
            Chains(up, down, 0.7).apply(found[-1], 1 - 2.4, 2.4, 3)
    finally:
        set_threads(before)
    np.testing.assert_array_equal(*found)


@pytest.mark.parametrize("ring", [False, True])
@pytest.mark.parametrize("shape", [(1, 9, 1), (3, 30, 1)])
def test_series_is_the_polynomial(shape, ring):
    """Σ a_k T_k(2S − 1) u against NumPy's Chebyshev series in the eigenvectors of the dense S."""
    rng = np.random.default_rng(5)
    up, down, u = rng.exponential(size=(3, *shape))
    a = np.array([0.4, -0.3, 0.5, 0.1, 0.3])
    got = u.copy()
    Chains(up, down, 0.8, ring).series(got, a)
    for o in range(shape[0]):
        S = np.linalg.inv(np.eye(shape[1]) - 0.8 * generator(up[o, :, 0], down[o, :, 0], ring))
        values, vectors = np.linalg.eig(S)
        want = vectors @ (np.polynomial.chebyshev.chebval(2 * values - 1, a) * np.linalg.solve(vectors, u[o, :, 0].astype(complex)))
        np.testing.assert_allclose(got[o, :, 0], want.real, rtol=1e-10, atol=1e-12)
