"""The ledger's definitions and its running moments."""

import numpy as np

from thermosim.ledger import COLUMNS, Ledger, RunningMoments


def test_every_column_says_what_it_is():
    for name, column in COLUMNS.items():
        assert column.name == name and column.unit and column.sign and len(column.definition) > 8


def test_running_moments_do_not_see_batches():
    values = 1e6 + np.random.default_rng(0).standard_normal(1237)
    whole = RunningMoments()
    whole.add(values)
    for size in (1, 7, 100, 1000):
        parts = RunningMoments()
        for a in range(0, len(values), size):
            parts.add(values[a : a + size])
        assert (parts.mean, parts.variance, parts.count) == (whole.mean, whole.variance, whole.count)
    assert abs(whole.mean - values.mean()) < 1e-9
    assert abs(whole.variance - values.var()) < 1e-9  # a naive Σx² would be off by 1e-4 here


def test_nothing_seen_is_nan():
    empty = RunningMoments()
    empty.add([])
    assert np.isnan(empty.mean) and np.isnan(empty.variance)


def test_standard_error():
    ledger = Ledger("step", {"sigma": np.array([1.0])}, {"heat": np.array([2.0])}, {"heat": np.array([0.5])}, 51)
    assert len(ledger) == 1 and ledger["heat"][0] == 2.0 and ledger["sigma"][0] == 1.0
    assert ledger.standard_error("heat")[0] == np.sqrt(0.5 / 50)
