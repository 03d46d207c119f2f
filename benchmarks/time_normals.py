"""Nanoseconds per standard normal: thermosim's counter-based stream beside NumPy's and Numba's generators.

    python benchmarks/time_normals.py

All in one run on one machine; the figures go to benchmarks/results/normals.json.
"""
import time

import numba
import numpy as np
from _bench import best_of, hardware, save

from thermosim.backend.cpu import normal_draws, normals
from thermosim.backend.cpu.threads import get_threads, set_threads

PARTICLES = 200_000


@numba.njit
def numba_normals(out):
    for i in range(out.size):
        out[i] = np.random.normal()


def cases():
    """(name, dtype, threads, normals per call, call), the reference first."""
    generators = {"NumPy PCG64 ziggurat": np.random.default_rng(1),
                  "NumPy Philox ziggurat": np.random.Generator(np.random.Philox(1))}
    most = get_threads()
    for dtype in (np.float64, np.float32):
        out = np.empty((4, PARTICLES, 1), dtype)
        for name, generator in generators.items():
            yield name, dtype, 1, out.size, lambda g=generator: g.standard_normal(out=out, dtype=dtype)
        if dtype is np.float64:
            flat = out.reshape(-1)
            yield "Numba np.random.normal", dtype, 1, flat.size, lambda: numba_normals(flat)
        for threads in sorted({1, min(2, most)}):
            set_threads(threads)
            yield ("thermosim, four draws a call", dtype, threads, out.size,
                   lambda: normal_draws(1, 0, 0, 4, PARTICLES, 1, dtype=dtype, out=out))
            yield ("thermosim, one draw a call", dtype, threads, PARTICLES,
                   lambda: normals(1, 0, 0, PARTICLES, 1, dtype=dtype, out=out[0]))


def main():
    rows, reference = [], {}
    machine = hardware("numpy", "numba", "llvmlite")
    for name, dtype, threads, count, call in cases():
        # thread time is not stolen by other work; two threads need a moment with both cores free
        seconds = best_of(call, 30, time.thread_time) if threads == 1 else best_of(call, 1000)
        nanoseconds = seconds / count * 1e9
        kind = np.dtype(dtype).name
        ratio = reference.setdefault(kind, nanoseconds) / nanoseconds
        rows.append({"generator": name, "dtype": kind, "threads": threads,
                     "ns_per_normal": round(nanoseconds, 3), "times_faster_than_numpy": round(ratio, 2)})
        print(f"{name:30} {kind:8} {threads} thread{'s' * (threads > 1):1}  "
              f"{nanoseconds:7.2f} ns   {ratio:6.2f} × NumPy")
    print(f"{machine['cpu']}, load {machine['load']}, {machine['versions']}")
    print(save("normals", machine, rows))


if __name__ == "__main__":
    main()
