"""Distances between samples on cases solved by hand."""

import numpy as np
import pytest

from thermosim.errors import UserError
from thermosim.thermo import quality


def test_w2_of_shifted_points_is_the_shift():
    x = np.random.default_rng(0).standard_normal((40, 3))
    assert quality.w2(x, x[::-1] + [3.0, 0.0, 4.0]) == pytest.approx(5.0, rel=1e-12)
    # on the line sorted points are matched in order
    a, b = np.random.default_rng(1).standard_normal((2, 50, 1))
    assert quality.w2(a, b) == pytest.approx(np.sqrt(np.mean((np.sort(a[:, 0]) - np.sort(b[:, 0])) ** 2)), rel=1e-9)


def test_a_copy_of_the_training_set_is_found_out():
    rng = np.random.default_rng(2)
    train, held_out = rng.standard_normal((2, 200, 2))
    assert quality.nearest_ratio(train[:100] + 1e-6, held_out, train) < 1e-3
    assert 0.7 < quality.nearest_ratio(rng.standard_normal((200, 2)), held_out, train) < 1.4


def test_a_lost_mode_costs_recall_and_a_stray_one_precision():
    rng = np.random.default_rng(3)
    left, right, astray = (rng.standard_normal((100, 2)) * 0.1 + [c, 0] for c in (-5, 5, 20))
    both = np.concatenate((left, right))
    precision, recall = quality.precision_recall(left + 0.01, both)
    assert precision > 0.9 and 0.4 < recall < 0.55
    precision, recall = quality.precision_recall(np.concatenate((both + 0.01, astray)), both)
    assert 0.55 < precision < 0.7 and recall > 0.9


def test_error_of_a_ratio_of_means():
    """Against the scatter of the ratio itself over 400 repetitions,
    and the delta method; exact where b is proportional to a."""
    rng = np.random.default_rng(4)
    base = rng.gamma(9.0, size=(400, 30))
    a, b = base + rng.gamma(4.0, size=base.shape), base + rng.gamma(4.0, size=base.shape)
    found = np.array([quality.ratio_of_means(*pair) for pair in zip(a, b)])
    assert found[0, 0] == pytest.approx(a[0].mean() / b[0].mean(), rel=1e-14)
    # the scatter of 400 is known to 3.5 %
    assert abs(found[:, 1].mean() / found[:, 0].std() - 1) < 0.2
    delta = np.std(a[0] - found[0, 0] * b[0], ddof=1) / np.sqrt(30) / b[0].mean()
    assert found[0, 1] == pytest.approx(delta, rel=0.05)
    assert quality.ratio_of_means(2 * a[0], a[0])[1] == pytest.approx(0, abs=1e-7)
    with pytest.raises(UserError, match="two pairs"):
        quality.ratio_of_means([1.0], [1.0])
