"""A bell between two threads: who listens when it rings need not be woken.

To wake a sleeping thread takes some 25 µs, more than many a kernel runs. A thread
that has just worked is likely to be wanted again soon, so it listens for a
twentieth of a millisecond, without the interpreter lock, before it goes to sleep.
"""
import functools
import platform
import time

import numpy as np

from .compile import cgutils, instruction, ir, strict, types

TRIALS, TRIAL = 10, 1000  # so many times so many looks are timed
_DATA = 4                 # place of the pointer in Numba's array record


def bell():
    """A count of rings that begins at 0 and has its cache line to itself."""
    return np.zeros(16, np.int64)


@instruction(lambda a: (types.int64, a))
def _rings(builder, operands, a):
    return builder.load_atomic(builder.extract_value(a, _DATA), "acquire", 8)


@instruction(lambda a, count: (types.void, a, types.int64))
def _ring(builder, operands, a, count):
    builder.store_atomic(count, builder.extract_value(a, _DATA), "release", 8)


@instruction(lambda a: (types.void, a))
def _pause(builder, operands, a):
    """Leave the core to its other thread for some cycles, where there is a way to say so."""
    if platform.machine().lower() in ("x86_64", "amd64"):
        nothing = ir.FunctionType(ir.VoidType(), [])
        builder.call(cgutils.get_or_insert_function(builder.module, nothing, "llvm.x86.sse2.pause"), [])


@strict
def ring_and_listen(own, rung, other, count, looks, grace):
    """Ring `own` for the rung-th time, then wait until `other` rang `count` times and `grace` looks more.

    After `looks` looks it gives up.
    """
    _ring(own, rung)
    for _ in range(looks):
        if _rings(other) >= count:
            break
        _pause(other)
    for _ in range(grace):
        _pause(other)


@functools.cache
def looks(seconds):
    """So many looks at a bell take so many seconds."""
    silent = bell()
    ring_and_listen(silent, 0, silent, 1, 1, 0)
    fastest = seconds
    for _ in range(TRIALS):      # of several, for one that is interrupted would say that a look takes long
        start = time.perf_counter()
        ring_and_listen(silent, 0, silent, 1, TRIAL, 0)
        fastest = min(fastest, (time.perf_counter() - start) / TRIAL)
    return max(1, int(seconds / fastest))
