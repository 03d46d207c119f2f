"""Threads over a kernel: each calls the same compiled function for its share of the particles.

Kernels release the interpreter lock, so plain Python threads run them side by side. Against Numba's own
parallel loops this saves compiling every kernel twice (1 to 3 s each), costs some 30 µs a call, works in
any thread, and leaves no spinning workers where cores are shared. Results never depend on it.
"""
import os
from concurrent.futures import ThreadPoolExecutor, wait

from ...errors import UserError

try:
    _threads = len(os.sched_getaffinity(0))      # the cores this process may use, not those that exist
except AttributeError:
    _threads = os.cpu_count() or 1
_pool = None


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
    if count != _threads:
        _forget_pool()
    _threads = count


def over_threads(kernel, count, unit, *arguments):
    """Call kernel(start, stop, *arguments) for shares that make up 0 … count.

    Parameters
    ----------
    kernel : compiled function, nogil, whose result for an item does not depend on start and stop
    count : int
        Items in all.
    unit : int
        Least number of items worth a thread: about 50 µs of work.
    *arguments
        Passed on as they are.
    """
    global _pool
    units = -(-count // unit)
    shares = min(_threads, units)
    if shares <= 1:
        kernel(0, count, *arguments)
        return
    _pool = _pool or ThreadPoolExecutor(_threads - 1, thread_name_prefix="thermosim")
    share = -(-units // shares) * unit
    others = [_pool.submit(kernel, start, min(count, start + share), *arguments)
              for start in range(share, count, share)]
    try:
        kernel(0, share, *arguments)
    finally:
        wait(others)             # never leave a thread writing into arrays that the caller got back
    for other in others:
        other.result()


def _forget_pool():
    global _pool
    if _pool is not None:
        _pool.shutdown(wait=False)
    _pool = None


if hasattr(os, "register_at_fork"):
    # a forked child has the pool object but none of its threads: it would wait for ever
    os.register_at_fork(after_in_child=lambda: globals().__setitem__("_pool", None))
