"""Shares of a kernel: complete, disjoint, finished before the call returns, failures told."""
import os
import threading
import time

import numpy as np
import pytest

from thermosim.backend.cpu.threads import get_threads, over_threads, set_threads
from thermosim.errors import UserError


@pytest.fixture(autouse=True)
def restored():
    before = get_threads()
    yield
    set_threads(before)


@pytest.mark.parametrize("count", [0, 1, 7, 64, 65, 1000])
@pytest.mark.parametrize("threads, unit", [(1, 1), (2, 1), (3, 8), (5, 100)])
def test_every_item_once(count, threads, unit):
    set_threads(threads)
    seen, shares = np.zeros(count, int), []

    def kernel(start, stop, array):
        array[start:stop] += 1
        shares.append((start, stop))
    over_threads(kernel, count, unit, seen)
    assert np.all(seen == 1)
    assert len(shares) <= threads
    assert all(start % unit == 0 for start, _ in shares)


def test_little_work_stays_in_the_calling_thread():
    set_threads(4)
    names = []
    over_threads(lambda start, stop: names.append(threading.current_thread()), 100, 100)
    assert names == [threading.current_thread()]


def test_all_threads_are_done_on_return_even_after_a_failure():
    set_threads(2)
    done = []

    def slow_or_bad(start, stop):
        if start == 0:
            raise ValueError("first share")
        time.sleep(0.05)
        done.append(start)
    with pytest.raises(ValueError, match="first share"):
        over_threads(slow_or_bad, 2, 1)
    assert done == [1]


def test_a_failure_in_another_thread_is_raised():
    set_threads(2)

    def bad(start, stop):
        if start:
            raise ZeroDivisionError
    with pytest.raises(ZeroDivisionError):
        over_threads(bad, 2, 1)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_gets_threads_of_its_own():
    set_threads(2)
    over_threads(lambda start, stop: None, 2, 1)
    child = os.fork()
    if not child:
        over_threads(lambda start, stop: None, 2, 1)     # would wait for ever for the parent's threads
        os._exit(0)
    deadline = time.monotonic() + 10
    while os.waitpid(child, os.WNOHANG) == (0, 0):
        if time.monotonic() > deadline:
            os.kill(child, 9)
            os.waitpid(child, 0)
            pytest.fail("the child hangs")
        time.sleep(0.01)


@pytest.mark.parametrize("count", [0, -1, 1.5, True, None])
def test_thread_counts_that_make_no_sense(count):
    with pytest.raises(UserError, match="threads"):
        set_threads(count)
