"""Threads over a kernel: each calls the same compiled function for its share of the particles.

Kernels release the interpreter lock, so plain Python threads run them side by side. Against Numba's own
parallel loops this saves compiling every kernel twice (1 to 3 s each), costs some 5 µs a call, works in any
thread, and leaves no worker spinning for longer than a twentieth of a millisecond. Results never depend on it.
"""
import atexit
import itertools
import os
import queue
import threading

from ...errors import UserError
from .bell import bell, looks, ring_and_listen

try:
    _threads = len(os.sched_getaffinity(0))      # the cores this process may use, not those that exist
except AttributeError:
    _threads = os.cpu_count() or 1
_workers = []

PATIENCE = 5e-5       # seconds that a thread listens for a bell before it sleeps
GRACE = 2e-6          # seconds from the bell of a call until its caller has given up the interpreter lock


def get_threads():
    """Number of threads that kernels use; at first, the cores this process may run on."""
    return _threads


def set_threads(count):
    """Let kernels use `count` threads.

    Raises
    ------
    UserError
        If `count` is not a positive integer.
    """
    global _threads
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise UserError(f"threads = {count!r} must be a positive integer")
    _threads = count


def over_threads(kernel, count, unit, *arguments):
    """Call kernel(start, stop, *arguments) for shares that make up 0 … count.

    Parameters
    ----------
    kernel : compiled function, nogil, whose result for an item does not depend on start and stop
    count : int
        Items in all.
    unit : int
        Least number of items worth a thread: about 10 µs of work.
    *arguments
        Passed on as they are.
    """
    shares = min(_threads, -(-count // unit))
    if shares <= 1:
        kernel(0, count, *arguments)
        return
    share = -(-count // shares)
    # the caller takes the last share, the smallest: it then waits without the interpreter lock when others end theirs
    *starts, last = range(0, count, share)
    others = [(worker, worker.ask(kernel, start, start + share, *arguments))
              for worker, start in zip(_crew(len(starts)), starts)]
    for worker, asked in others:
        worker.ring(asked)
    try:
        kernel(last, count, *arguments)
    finally:                     # never leave a thread writing into arrays that the caller got back
        failures = [worker.end(asked) for worker, asked in others]
    for failure in failures:
        if failure is not None:
            raise failure


class _Worker:
    """A thread that does one call after another, and listens for the next before it sleeps.

    Calls and their ends go through queues, which lose nothing where nobody listens to the bells. A bell rings where
    its hearer finds the interpreter lock free, for it would have to sleep for that.
    """

    def __init__(self):
        self._calls, self._numbers = queue.SimpleQueue(), itertools.count(1)
        self._called, self._done, self._silent = bell(), bell(), bell()
        self._looks, self._grace = looks(PATIENCE), looks(GRACE)
        self._thread = threading.Thread(target=self._serve, name="thermosim", daemon=True)
        self._thread.start()

    def ask(self, *call):
        """Ask for call[0](*call[1:]); what comes back is for `ring` and `end`."""
        asked = next(self._numbers), queue.SimpleQueue()
        self._calls.put((call, *asked))
        return asked

    def ring(self, asked):
        """Let the worker know, right before the lock is given up."""
        self._called[0] = asked[0]

    def end(self, asked):
        """Wait for the end of the call: its exception, or None. What the worker has not begun is done here."""
        number, end = asked
        if self._calls.empty():          # begun
            ring_and_listen(self._silent, 0, self._done, number, self._looks, 0)
        else:
            self._lend_a_hand()
        return end.get()

    def _lend_a_hand(self):
        try:
            _do(*self._calls.get_nowait())
        except queue.Empty:
            pass

    def dismiss(self):
        """End the thread, once all that was asked of it is done."""
        self._calls.put(None)
        self._thread.join()

    def _serve(self):
        done = 0
        while True:
            ring_and_listen(self._done, done, self._called, done + 1, self._looks, self._grace)
            task = self._calls.get()
            if task is None:
                return
            done = _do(*task)
            del task             # or its arrays would live until the next call


def _do(call, number, end):
    kernel, *arguments = call
    try:
        kernel(*arguments)
        end.put(None)
    except BaseException as failure:         # raised where it was asked for
        end.put(failure)
    return number


def _crew(count):
    """So many workers beside the calling thread; once hired they stay, for others may be giving them work."""
    while len(_workers) < count:
        _workers.append(_Worker())
    return _workers[:count]


@atexit.register
def _close():
    """A thread that comes back from a kernel while the interpreter is taken down would crash it."""
    for worker in _workers:
        worker.dismiss()
    _workers.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_workers.clear)      # a forked child has the workers but none of their threads
