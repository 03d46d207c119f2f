"""What a GPU does a second: normals, network, mixtures, particles, densities, in the portable and in the fast build.

    python benchmarks/time_gpu.py

Figures go to benchmarks/results/gpu.json with the card's name. Where there is no GPU: one line, exit code 2.
"""
import sys
import time

import numpy as np
from _bench import hardware, save

from thermosim.backend import open_device
from thermosim.backend.cuda.particles import CudaParticleKernel
from thermosim.dynamics import Overdamped
from thermosim.errors import UserError
from thermosim.fokker_planck import Axis, FokkerPlanck, SecondOrder
from thermosim.fokker_planck import Grid as Cells
from thermosim.integrators import EulerMaruyama
from thermosim.potentials import DoubleWell, Potential
from thermosim.protocols import Grid
from thermosim.score.mlp import MLP

NORMALS = 1 << 24
PARTICLES = 1 << 20
STEPS = 1000
BATCH = 4096
SIZES = (80, 512, 512, 512, 64)
MIXTURE = (100_000, 64, 10)          # particles, dimensions, components
REPEATS = 20


def best_of(gpu, call):
    """Seconds of the fastest of 20 calls, after one that compiles."""
    finish, best = gpu.xp.cuda.Device().synchronize, float("inf")
    call()
    finish()
    for _ in range(REPEATS):
        begin = time.perf_counter()
        call()
        finish()
        best = min(best, time.perf_counter() - begin)
    return best


def normals(gpu, dtype):
    out = gpu.xp.empty((NORMALS, 1), dtype)
    return NORMALS, lambda: gpu.normals(1, 0, 0, NORMALS, 1, dtype=dtype, out=out)


def network(gpu):
    """Forward, backward and Adam of one batch."""
    net = MLP(SIZES, "float32", gpu)
    x, d = (gpu.normals(1, 1, j, BATCH, SIZES[k], dtype=np.float32) for j, k in ((0, 0), (1, -1)))
    m, v, mean = (gpu.xp.zeros_like(net.parameters) for _ in range(3))

    def training_step():
        net.forward(x)
        gpu.adam(net.parameters, net.backward(d), m, v, mean, 1e-3, (0.9, 0.99), 1, 1e-8, 0.1, 0.01)
    return BATCH, lambda: net.forward(x), training_step


def mixture(gpu):
    n, d, components = MIXTURE
    rng = np.random.default_rng(1)
    law = (np.full(components, 1 / components), rng.normal(size=(components, d)),
           rng.random((components, d)) + 0.1)
    vectors = np.linalg.qr(rng.normal(size=(components, d, d)))[0]
    x = gpu.normals(1, 2, 0, n, d)
    return n, lambda: gpu.mixture_denoise(x, 0.5, *law, vectors)


def particles(gpu, precision, books):
    """A double well, Euler–Maruyama, ten rows; the state's way to the card and back is part of it."""
    dynamics = Overdamped(DoubleWell())
    grid = Grid(dynamics, None, np.linspace(0, 1, STEPS + 1))
    step = EulerMaruyama().build(dynamics, grid.driven, ("work", "shadow_work", "heat") if books else ())
    kernel = CudaParticleKernel(step, precision, 0, "benchmark", gpu)
    C = np.column_stack([table(grid) for _, table in step.coefficients])
    P = np.column_stack([np.full(STEPS + 2, value) for value in dynamics.parameters.values()])
    edges, blocks = np.arange(0, STEPS + 1, STEPS // 10), -(-PARTICLES // kernel.block)
    state, totals = np.zeros((PARTICLES, 1), kernel.real), np.zeros((PARTICLES, len(kernel.books)))
    results = (np.zeros((10, len(kernel.observed), blocks, 2)), np.zeros((10, blocks)), np.zeros((10, 0, 1)),
               np.full((blocks, 2), -1))
    return PARTICLES * STEPS, lambda: kernel.run(0, blocks, state, totals, C, P, edges, *results, 0, 1, 0)


def density(gpu, cells, steps=10):
    """A quartic well in two or three dimensions, second-order steps, the masses on the card throughout."""
    names = "xyz"[:len(cells)]
    law = Potential(" + ".join(f"{x}**4/4" for x in names), list(names))
    fp = FokkerPlanck(law, grid=Cells(*[Axis.uniform(-3, 3, n, "reflecting") for n in cells]))
    step, m = fp.propagator(fp.generator(), SecondOrder(), 1e-2, gpu), gpu.asarray(fp.grid.masses(fp.steady_state()))
    return int(np.prod(cells)) * steps, lambda: step.advance(m, steps)


def cases(gpu):
    """(what, unit, how many a call, call)"""
    for dtype in ("float32", "float64"):
        yield f"normals, {dtype}", "normal", *normals(gpu, dtype)
    rows, forward, training_step = network(gpu)
    yield f"network {'-'.join(map(str, SIZES))}, forward, batch {BATCH}", "row", rows, forward
    yield f"network {'-'.join(map(str, SIZES))}, training step, batch {BATCH}", "row", rows, training_step
    yield "mixture denoiser, {1} dimensions, {2} components".format(*MIXTURE), "particle", *mixture(gpu)
    for precision in ("single", "mixed", "double"):
        for books in (False, True):
            what = f"double well, {precision}, {'with' if books else 'without'} books"
            yield what, "particle-step", *particles(gpu, precision, books)
    for cells in ((256, 256), (1024, 1024), (128, 128, 128)):
        yield f"density, {'×'.join(map(str, cells))} cells", "cell-step", *density(gpu, cells)


def main():
    try:
        portable = open_device("cuda")
    except UserError as cause:
        print(cause)
        return 2
    xp = portable.xp
    card = xp.cuda.runtime.getDeviceProperties(xp.cuda.Device().id)["name"].decode()
    rows = []
    for build, gpu in (("portable", portable), ("fast", type(portable)(fast=True))):
        for what, unit, count, call in cases(gpu):
            rate = count / best_of(gpu, call)
            rows.append({"case": what, "build": build, "unit": unit, "per_second": float(f"{rate:.4g}")})
            print(f"{what:60} {build:9} {rate:10.3g} {unit}s/s")
    machine = hardware("numpy", "cupy-cuda12x", "cupy-cuda13x") | {"gpu": card}
    print(f"{card}, {machine['versions']}")
    print(save("gpu", machine, rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
