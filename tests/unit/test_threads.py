"""Shares of a kernel: complete, disjoint, finished before the call returns, failures told."""
import os
import threading
import time
import weakref

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
    assert len(shares) == max(1, min(threads, -(-count // unit)))
    assert max(stop - start for start, stop in shares) <= -(-count // len(shares))


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


def test_a_caller_does_itself_what_a_busy_worker_has_not_begun():
    set_threads(2)
    begun, release, names = threading.Event(), threading.Event(), []

    def long(start, stop):
        if start == 0:                   # the worker's share, for its caller takes the last one and stays there until
            begun.set()
            release.wait(10)
        else:
            begun.wait(10)

    other = threading.Thread(target=over_threads, args=(long, 2, 1))
    other.start()
    try:
        assert begun.wait(10)
        over_threads(lambda start, stop: names.append((start, threading.current_thread())), 2, 1)
    finally:
        release.set()
        other.join()
    assert sorted(names, key=lambda pair: pair[0]) == [(start, threading.current_thread()) for start in (0, 1)]


def test_calls_from_many_threads_at_once_are_all_done():
    set_threads(3)
    seen = np.zeros((8, 600), int)

    def kernel(start, stop, array):
        array[start:stop] += 1

    def caller(row):
        for _ in range(50):
            over_threads(kernel, 600, 100, row)
    callers = [threading.Thread(target=caller, args=(row,)) for row in seen]
    for thread in callers:
        thread.start()
    for thread in callers:
        thread.join()
    assert np.all(seen == 50)


def test_workers_keep_nothing_of_a_call_that_is_over():
    set_threads(2)
    array = np.zeros(2)
    gone = weakref.ref(array)
    over_threads(lambda start, stop, a: time.sleep(0.02), 2, 1, array)
    del array
    deadline = time.monotonic() + 10
    while gone() is not None and time.monotonic() < deadline:
        time.sleep(0.001)
    assert gone() is None


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_gets_threads_of_its_own():
    set_threads(2)
    over_threads(lambda start, stop: None, 2, 1)
    child = os.fork()
    if not child:
        begun, heard = threading.Event(), []
        over_threads(lambda start, stop: heard.append(begun.wait(5)) if start else begun.set(), 2, 1)
        os._exit(heard != [True])        # the parent's threads are not here: nobody else would have begun a share
    deadline = time.monotonic() + 10
    while (ended := os.waitpid(child, os.WNOHANG)) == (0, 0):
        if time.monotonic() > deadline:
            os.kill(child, 9)
            os.waitpid(child, 0)
            pytest.fail("the child hangs")
        time.sleep(0.01)
    assert ended[1] == 0


@pytest.mark.parametrize("count", [0, -1, 1.5, True, None])
def test_thread_counts_that_make_no_sense(count):
    with pytest.raises(UserError, match="threads"):
        set_threads(count)
