"""Normal numbers: exact transform of the words, moments, independence, bits."""
import math

import mpmath
import numpy as np
import pytest

from thermosim.backend.cpu import normal_draws, normals, philox4x32, words
from thermosim.backend.cpu.normals import box_muller
from thermosim.backend.cpu.threads import get_threads, set_threads
from thermosim.errors import UserError


def textbook(a, b, functions=np):
    """Box & Muller's transform of words a, b with another library's log, cos and sin."""
    u = (a + 0.5) / 2**32
    phi = functions.pi / 4 + functions.pi / 2 * ((b % 2**30 + 0.5) / 2**30 - 0.5)
    r = functions.sqrt(-2 * functions.log(u))
    return (r * functions.cos(phi) * (1 - 2 * (b // 2**31)),
            r * functions.sin(phi) * (1 - 2 * (b // 2**30 % 2)))


@pytest.fixture
def threads():
    before = get_threads()
    yield set_threads
    set_threads(before)


def test_transform_of_the_words():
    w = [words(1, 2, 4 + j, 100_000, 1).astype(np.int64) for j in range(4)]
    z = normal_draws(1, 2, 4, 4, 100_000, 1)
    z32 = normal_draws(1, 2, 4, 4, 100_000, 1, dtype=np.float32)
    for pair in (0, 2):
        exact = textbook(w[pair], w[pair + 1])
        # u carries 24 bits in float32, so a radius r is off by up to 2**-25/r
        blur = 1e-6 + 2.0**-25 / np.hypot(*exact)
        for got, single, value in zip(z[pair:], z32[pair:], exact):
            assert np.abs(got - value).max() < 3e-15          # NumPy's own angle costs 1e-15 of that
            assert np.all(np.abs(single - value) < blur)
            assert np.sqrt(np.mean((single - value) ** 2)) < 1.5e-7


@pytest.mark.parametrize("a", [0, 1, 2**31, 0xB504F333, 0xB504F334, 2**32 - 2, 2**32 - 1])
@pytest.mark.parametrize("b", [0, 1, 2**29 - 1, 2**29, 2**30 - 1, 2**30, 2**31, 2**32 - 1, 0x9E3779B9])
def test_corner_words_against_forty_digits(a, b):
    with mpmath.workdps(40):
        exact = [float(z) for z in textbook(mpmath.mpf(a), b, mpmath)]
    radius = math.hypot(*exact)
    got = box_muller(np.uint32(a), np.uint32(b), np.float64(0))
    assert got == pytest.approx(exact, rel=0, abs=4e-16 * max(1, radius))
    single = box_muller(np.uint32(a), np.uint32(b), np.float32(0))
    assert single == pytest.approx(exact, rel=0, abs=1e-6 + min(2.0**-25 / radius, 3.5e-4))


def test_radius_never_vanishes_in_float32():
    """The last 128 words round to u = 1 in float32; unguarded, their normals would all be 0."""
    for a in range(2**32 - 300, 2**32):
        x, y = box_muller(np.uint32(a), np.uint32(12345), np.float32(0))
        assert x != 0 and y != 0 and math.isfinite(x) and math.isfinite(y)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_moments(dtype):
    """1.6e7 numbers: detects 0.0015 in the mean, 0.002 in the variance, 0.006 in the third and
    0.015 in the fourth moment; and the pairs of one Box–Muller transform are not correlated."""
    z = normal_draws(2024, 0, 0, 4, 2_000_000, 2, dtype=dtype).astype(float)
    size, square = z.size, z * z
    for power, mean, variance in ((z, 0, 1), (square, 1, 2), (z * square, 0, 15), (square**2, 3, 96)):
        assert abs(power.mean() - mean) < 6 * math.sqrt(variance / size)
    assert 4.8 < np.abs(z).max() < math.sqrt(66 * math.log(2)) + 1e-5
    for k in (1, 2, 3, 4):       # tail probabilities
        p = math.erfc(k / math.sqrt(2))
        assert abs(np.count_nonzero(np.abs(z) > k) - size * p) < 6 * math.sqrt(size * p * (1 - p))


def test_neighbours_are_independent():
    """1e6 pairs a case: a correlation of 0.006 would show, of the values and of their squares."""
    n = 500_000
    z = normal_draws(7, 3, 0, 8, n + 1, 3)
    pairs = {
        "particle": (z[0, 1:, :2], z[0, :-1, :2]),
        "component": (z[0, :n, :2], z[0, :n, 1:]),
        "seed": (z[0, :n, :2], normals(8, 3, 0, n, 2)),
        "high seed": (z[0, :n, :2], normals(7 + 2**32, 3, 0, n, 2)),
        "stream": (z[0, :n, :2], normals(7, 4, 0, n, 2)),
        **{f"draw {i} {j}": (z[i, :n, :2], z[j, :n, :2])
           for i, j in ((0, 1), (0, 2), (1, 2), (2, 3), (3, 4), (0, 4))},
    }
    for name, (a, b) in pairs.items():
        assert abs(np.mean(a * b)) < 6 / math.sqrt(a.size), name
        assert abs(np.mean((a * a - 1) * (b * b - 1))) < 6 * 2 / math.sqrt(a.size), name


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("n, d", [(40_001, 1), (3001, 7), (37, 513)])
def test_same_bits_however_it_is_cut(threads, dtype, n, d):
    threads(1)
    whole = normal_draws(9, 1, 5, 6, n, d, dtype=dtype)
    threads(2)
    assert np.array_equal(whole, normal_draws(9, 1, 5, 6, n, d, dtype=dtype))
    for batch in (100, 1000, 777):
        parts = [normal_draws(9, 1, 5, 6, min(batch, n - i), d, first=i, dtype=dtype)
                 for i in range(0, n, batch)]
        assert np.array_equal(whole, np.concatenate(parts, axis=1))
    for j in range(6):
        assert np.array_equal(whole[j], normals(9, 1, 5 + j, n, d, dtype=dtype))


def test_last_particle_last_draw():
    z = normals(2**64 - 1, 2**32 - 1, 2**34 - 1, 1, 1, first=2**32 - 1)
    w = philox4x32((2**32 - 1, 0, 2**32 - 1, 2**32 - 1), (2**32 - 1,) * 2).astype(np.int64)
    assert z[0, 0] == pytest.approx(textbook(w[2], w[3])[1], abs=3e-15)


def test_out_is_filled_in_place():
    out = np.empty((2, 5, 3), np.float32)
    got = normal_draws(1, 0, 2, 2, 5, 3, dtype=np.float32, out=out)
    assert got is out and got.dtype == np.float32
    one = np.empty((5, 3))
    assert np.shares_memory(normals(1, 0, 2, 5, 3, out=one), one)
    assert np.array_equal(one, normals(1, 0, 2, 5, 3)) and normals(1, 0, 2, 0, 3).shape == (0, 3)


@pytest.mark.parametrize("wrong", [
    dict(n=-1), dict(seed=2**64), dict(first=2**32), dict(count=-1), dict(draw=2**34 - 1, count=2),
    dict(dtype=np.int32), dict(out=np.empty((4, 3, 1))), dict(out=np.empty((2, 4, 1), np.float32)),
    dict(out=np.empty((2, 4, 2))[:, :, ::2]),
])
def test_wrong_requests(wrong):
    arguments = dict(seed=0, stream=0, draw=0, count=2, n=4, d=1) | wrong
    with pytest.raises(UserError) as caught:
        normal_draws(**arguments)
    assert "\n" not in str(caught.value)
