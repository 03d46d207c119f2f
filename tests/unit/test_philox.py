"""Philox4x32-10 words against published answers and an independent integer implementation."""
import numpy as np
import pytest

from thermosim.backend.cpu import philox4x32, words
from thermosim.errors import UserError

ONES = 0xFFFFFFFF


def plain_philox(counter, key):
    """The paper's rounds in Python integers of any size."""
    (a, b, c, d), (k, l) = counter, key
    for _ in range(10):
        high0, low0 = divmod(0xD2511F53 * a, 2**32)
        high1, low1 = divmod(0xCD9E8D57 * c, 2**32)
        a, b, c, d = high1 ^ b ^ k, low1, high0 ^ d ^ l, low0
        k, l = (k + 0x9E3779B9) % 2**32, (l + 0xBB67AE85) % 2**32
    return [a, b, c, d]


@pytest.mark.parametrize("counter, key, answer", [
    ((0, 0, 0, 0), (0, 0), "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ((ONES,) * 4, (ONES,) * 2, "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    ((0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344), (0xA4093822, 0x299F31D0),
     "d16cfe09 94fdcceb 5001e420 24126ea1"),
])
def test_published_known_answers(counter, key, answer):
    expected = [int(word, 16) for word in answer.split()]
    assert plain_philox(counter, key) == expected
    assert philox4x32(counter, key).tolist() == expected


def test_random_counters_against_plain_integers():
    rng = np.random.default_rng(3)
    for _ in range(200):
        six = rng.integers(0, 2**32, 6).tolist()
        assert philox4x32(six[:4], six[4:]).tolist() == plain_philox(six[:4], six[4:])


def test_counter_layout_of_words():
    """counter = (particle, component, draw // 4, stream), key = (low, high) of the seed, word draw % 4."""
    seed, stream, first = 0x0123456789ABCDEF, 2**32 - 1, 2**32 - 7
    for n, d in ((7, 3), (2, 5)):
        for draw in (0, 1, 6, 7, 2**34 - 1):
            got = words(seed, stream, draw, n, d, first=first)
            assert got.shape == (n, d) and got.dtype == np.uint32
            for i in range(n):
                for c in range(d):
                    counter = (first + i, c, draw // 4, stream)
                    assert got[i, c] == plain_philox(counter, (0x89ABCDEF, 0x01234567))[draw % 4]


def test_words_of_a_part_are_part_of_the_words():
    whole = words(5, 1, 9, 1000, 3)
    assert np.array_equal(whole[137:400], words(5, 1, 9, 263, 3, first=137))


def test_every_bit_is_fair_and_bytes_are_uniform():
    """2e6 words: a bias of 0.002 in any bit, or 1 % in any byte value, would show."""
    w = words(11, 0, 2, 1_000_000, 2).ravel()
    ones = np.array([np.count_nonzero(w >> np.uint32(bit) & np.uint32(1)) for bit in range(32)])
    assert np.all(np.abs(ones - w.size / 2) < 6 * np.sqrt(w.size) / 2)
    counts = np.bincount(w.view(np.uint8), minlength=256)
    mean = counts.sum() / 256
    chi2 = np.sum((counts - mean) ** 2 / mean)
    assert abs(chi2 - 255) < 6 * np.sqrt(2 * 255)


def test_empty_requests():
    assert words(0, 0, 0, 0, 3).shape == (0, 3)
    assert words(0, 0, 0, 3, 0).shape == (3, 0)


@pytest.mark.parametrize("change", [
    dict(seed=-1), dict(seed=2**64), dict(seed=1.5), dict(seed=True), dict(stream=2**32), dict(stream=-1),
    dict(draw=-1), dict(draw=2**34), dict(n=-1), dict(d=-2), dict(first=-1), dict(first=2**32 - 3),
    dict(n=2**32 + 1),
])
def test_arguments_out_of_range(change):
    arguments = dict(seed=0, stream=0, draw=0, n=4, d=1, first=0) | change
    with pytest.raises(UserError, match="random numbers: .* must be an integer within") as caught:
        words(**arguments)
    assert "\n" not in str(caught.value)
