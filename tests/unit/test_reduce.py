"""Chunked sums against exact sums, and their independence of threads."""
import math

import numpy as np
import pytest

from thermosim.backend.cpu.reduce import chunked_moments, chunked_sum
from thermosim.backend.cpu.threads import get_threads, set_threads
from thermosim.errors import UserError

SIZES = (1, 2, 31, 32, 33, 4095, 4096, 4097, 20_000, 300_001)


@pytest.fixture
def threads():
    before = get_threads()
    yield set_threads
    set_threads(before)


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_against_exact_sums(n, dtype):
    a = np.random.default_rng(n).normal(0.3, 2, n).astype(dtype)
    exact = math.fsum(a.tolist())
    assert chunked_sum(a) == pytest.approx(exact, abs=1e-15 * np.abs(a, dtype=float).sum())
    mean, variance = chunked_moments(a)
    assert mean == pytest.approx(exact / n, abs=1e-14)
    squares = math.fsum((v - exact / n) ** 2 for v in a.tolist())
    assert variance == pytest.approx(squares / n, rel=1e-13, abs=1e-30)


def test_the_stated_order():
    """Entry j of a chunk to running sum j mod 32, running sums in order, chunks in order: to the bit."""
    a = np.random.default_rng(0).normal(size=4096 * 3 + 77)
    total = 0.0
    for start in range(0, a.size, 4096):
        running = [0.0] * 32
        for j, v in enumerate(a[start:start + 4096].tolist()):
            running[j % 32] += v
        total += sum(running[1:], running[0])
    assert chunked_sum(a) == total


def test_one_value_for_any_number_of_threads(threads):
    a = np.random.default_rng(1).normal(size=(3, 200_003))
    threads(1)
    sums, moments = chunked_sum(a), chunked_moments(a)
    threads(2)
    assert np.array_equal(chunked_sum(a), sums)
    assert np.array_equal(chunked_moments(a), moments)
    for r in range(3):
        assert chunked_sum(a[r]) == sums[r] and chunked_moments(a[r]) == (moments[0][r], moments[1][r])


def test_an_offset_costs_no_digits():
    a = np.random.default_rng(2).normal(size=100_000) + 1e8
    exact = np.var((a - 1e8).astype(np.longdouble))
    assert chunked_moments(a)[1] == pytest.approx(float(exact), rel=1e-9)


def test_strided_rows_and_bad_values():
    a = np.random.default_rng(3).normal(size=(5000, 4))
    assert np.array_equal(chunked_sum(a.T), [chunked_sum(a[:, c].copy()) for c in range(4)])
    a[7, 2] = np.nan
    assert np.isnan(chunked_sum(a.T)).tolist() == [False, False, True, False]
    assert math.isnan(chunked_moments(np.array([1.0, np.inf]))[1])


def test_empty_and_wrong_input():
    assert chunked_sum(np.empty(0)) == 0
    assert chunked_sum(np.empty((2, 0))).tolist() == [0, 0]
    for wrong in (np.arange(3), np.zeros((2, 2, 2)), np.float64(1)):
        with pytest.raises(UserError, match="sums"):
            chunked_sum(wrong)
    with pytest.raises(UserError, match="no entries"):
        chunked_moments(np.empty((2, 0)))
