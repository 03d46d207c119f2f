"""Nanoseconds per particle-step of Langevin dynamics: thermosim beside what its users would write or install.

    python benchmarks/time_langevin.py [--only overdamped|books|underdamped|transcendental|start|memory]

overdamped      U = (x² − 1)², Euler–Maruyama, 10⁵ particles × 10³ steps, one thread and two, books off
books           the same with the full ledger, moments taken once or in 100 rows
underdamped     BAOAB in a three-dimensional trap, every book kept, moments once or in 100 rows
transcendental  a·cos(x) + b·exp(−x²) against the double well
start           seconds of `import thermosim`, of a new potential's first run with an empty kernel cache, with
                the library's own kernels there, and from the cache
memory          peak resident memory of 10⁷ particles without trajectory

Each entry runs in a process of its own, held to one core (two where it says so), ROUNDS times in turn; the
fastest counts. Peers run fewer particles or steps where they are slow, and what is not installed is left out.
Figures go to benchmarks/results/langevin.json.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time

PARTICLES, STEPS, H, ROUNDS = 100_000, 1000, 1e-3, 3
ONE_THREAD = {name: "1" for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS",
                                     "OPENMM_CPU_THREADS")} | {
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false", "JAX_PLATFORMS": "cpu"}


def ours(precision="mixed", books=False, threads=1, energy="(x**2 - 1)**2", rows=1):
    import thermosim as ts

    dynamics = ts.Overdamped(ts.Potential(energy, ["x"], {}))

    def run():
        ts.simulate(dynamics, particles=PARTICLES, x0=1.0, t=(0, STEPS*H), steps=STEPS, seed=1, books=books,
                    precision=precision, threads=threads, every=STEPS//rows)
    return run, PARTICLES*STEPS


def numba_loop():
    import numpy as np
    from numba import njit

    @njit
    def steps(x, n, h, s, rng):
        for i in range(x.size):
            y = x[i]
            for _ in range(n):
                y += -4*h*y*(y*y - 1) + s*rng.standard_normal()
            x[i] = y

    n, rng = PARTICLES//20, np.random.default_rng(1)
    return lambda: steps(np.ones(n), STEPS, H, (2*H)**0.5, rng), n*STEPS


def numpy_loop():
    import numpy as np

    rng, n = np.random.default_rng(1), 50

    def run():
        x = np.ones(PARTICLES)
        for _ in range(n):
            x += -4*H*x*(x*x - 1) + (2*H)**0.5*rng.standard_normal(PARTICLES)
    return run, PARTICLES*n


def torch_loop():
    import torch

    torch.set_num_threads(1)
    n = 100

    def run():
        x = torch.ones(PARTICLES)
        for _ in range(n):
            x += -4*H*x*(x*x - 1) + (2*H)**0.5*torch.randn(PARTICLES)
    return run, PARTICLES*n


def diffrax_loop():
    import diffrax
    import jax
    import jax.numpy as jnp
    import lineax

    n = 200
    drift = diffrax.ODETerm(lambda t, x, args: -4*x*(x*x - 1))

    @jax.jit
    def solve(key):
        noise = diffrax.UnsafeBrownianPath(shape=(PARTICLES,), key=key)
        terms = diffrax.MultiTerm(drift, diffrax.ControlTerm(
            lambda t, x, args: lineax.DiagonalLinearOperator(jnp.full(PARTICLES, 2**0.5)), noise))
        return diffrax.diffeqsolve(terms, diffrax.Euler(), 0.0, n*H, H, jnp.ones(PARTICLES),
                                   adjoint=diffrax.DirectAdjoint(), max_steps=n + 1).ys
    return lambda: solve(jax.random.PRNGKey(0)).block_until_ready(), PARTICLES*n


def torchsde_loop():
    import torch
    import torchsde

    torch.set_num_threads(1)
    n = 20

    class Well(torch.nn.Module):
        noise_type, sde_type = "diagonal", "ito"

        def f(self, t, x):
            return -4*x*(x*x - 1)

        def g(self, t, x):
            return torch.full_like(x, 2**0.5)

    ends = torch.tensor([0.0, n*H], dtype=torch.float64)

    def run():
        with torch.no_grad():
            torchsde.sdeint(Well(), torch.ones(PARTICLES, 1, dtype=torch.float64), ends, method="euler", dt=H)
    return run, PARTICLES*n


def ours_baoab(rows=1):
    import thermosim as ts

    dynamics = ts.Underdamped(ts.Harmonic(1.0, 0.0, 3))
    return lambda: ts.simulate(dynamics, particles=PARTICLES, t=(0, 100.0), steps=STEPS, scheme=ts.BAOAB(), seed=1,
                               every=STEPS//rows, threads=1), PARTICLES*STEPS


def numpy_baoab():
    import numpy as np

    rng, n, h = np.random.default_rng(1), 100, 0.1
    a, s = np.exp(-h), np.sqrt(1 - np.exp(-2*h))

    def run():
        x, v = rng.standard_normal((2, PARTICLES, 3))
        for _ in range(n):
            v -= 0.5*h*x
            x += 0.5*h*v
            v = a*v + s*rng.standard_normal(v.shape)
            x += 0.5*h*v
            v -= 0.5*h*x
    return run, PARTICLES*n


def openmm_baoab():
    """openmmtools' LangevinIntegrator, heat and shadow work measured, on OpenMM's CPU platform."""
    import warnings

    warnings.filterwarnings("ignore")
    import openmm
    from openmm import unit
    from openmmtools.integrators import LangevinIntegrator

    atoms, n = 2000, 100
    system = openmm.System()
    trap = openmm.CustomExternalForce("0.5*k*(x^2+y^2+z^2)")
    trap.addGlobalParameter("k", 100.0)
    for i in range(atoms):
        system.addParticle(40.0)
        trap.addParticle(i)
    system.addForce(trap)
    integrator = LangevinIntegrator(300*unit.kelvin, 1/unit.picosecond, 0.01*unit.picosecond, splitting="V R O R V",
                                    measure_heat=True, measure_shadow_work=True)
    platform = openmm.Platform.getPlatformByName("CPU")
    context = openmm.Context(system, integrator, platform, {"Threads": "1"})
    context.setPositions([openmm.Vec3(0.1*(i % 7), 0, 0) for i in range(atoms)])
    context.setVelocitiesToTemperature(300*unit.kelvin, 1)

    def run():
        integrator.step(n)
        context.getState(getPositions=True)
    return run, atoms*n


ENTRIES = {
    "overdamped": {
        "thermosim, mixed": ours, "thermosim, double": lambda: ours("double"),
        "thermosim, single": lambda: ours("single"),
        "thermosim, mixed, 2 threads": lambda: ours(threads=2),
        "Numba loop over Generator.standard_normal": numba_loop, "NumPy": numpy_loop, "PyTorch, float32": torch_loop,
        "diffrax, jitted, float32": diffrax_loop, "torchsde, float64": torchsde_loop},
    "books": {f"thermosim, {precision}, full ledger, {rows} row{'s'*(rows > 1)}":
              lambda precision=precision, rows=rows: ours(precision, True, rows=rows)
              for precision in ("mixed", "double") for rows in (1, 100)},
    "underdamped": {"thermosim, mixed, all books, 1 row": ours_baoab,
                    "thermosim, mixed, all books, 100 rows": lambda: ours_baoab(100), "NumPy, no books": numpy_baoab,
                    "openmmtools, heat and shadow work": openmm_baoab},
    "transcendental": {"thermosim, mixed": lambda: ours(energy="0.7*cos(x) + 1.3*exp(-x**2)")},
}

FIRST_RUN = """
import time, json, sys
begin = time.perf_counter()
import thermosim
face = time.perf_counter() - begin
import h5py, matplotlib.pyplot, numba, sympy
import thermosim.backend.cpu.particles, thermosim.runs.particles
begin = time.perf_counter()
well = thermosim.Potential(sys.argv[1], ["x"], {})
thermosim.simulate(thermosim.Overdamped(well), particles=1000, x0=0.0, t=(0, 1.0), steps=100, seed=1)
print(json.dumps([face, time.perf_counter() - begin]))
"""
MEMORY = """
import resource
import thermosim as ts
ts.simulate(ts.Overdamped(ts.DoubleWell()), particles=10**7, x0=1.0, t=(0, {t}), steps={n}, seed=1, books={books})
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss/2**20)
"""


def child(part, name):
    """Print the best nanoseconds per particle-step of one entry."""
    from _bench import best_of

    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, cores[:2 if "2 threads" in name else 1])
    run, count = ENTRIES[part][name]()
    print(json.dumps(best_of(run, 3)/count*1e9))


def times(part):
    """{entry: ns per particle-step} of a part, the entries taken in turn."""
    found = {}
    for _ in range(ROUNDS):
        for name in ENTRIES[part]:
            done = subprocess.run([sys.executable, __file__, part, name], capture_output=True, text=True,
                                  env=os.environ | ONE_THREAD)
            if done.returncode == 0:
                found[name] = min(found.get(name, float("inf")), float(done.stdout.splitlines()[-1]))
            else:
                print(f"{name}: left out ({(done.stderr.strip() or 'no reason').splitlines()[-1][:100]})")
    ours = found.get(next(iter(ENTRIES[part])), float("nan"))
    for name, ns in found.items():
        print(f"{part:15} {name:44} {ns:9.3f} ns/step   {ns/ours:8.2f} × thermosim's first line", flush=True)
    return [{"part": part, "entry": name, "ns_per_particle_step": round(ns, 4)} for name, ns in found.items()]


def start():
    """Seconds until a new user's potential has run."""
    def first(energy, cache):
        done = subprocess.run([sys.executable, "-c", FIRST_RUN, energy], capture_output=True, text=True, check=True,
                              env=os.environ | ONE_THREAD | {"NUMBA_CACHE_DIR": cache})
        return json.loads(done.stdout.splitlines()[-1])

    rows = []
    with tempfile.TemporaryDirectory() as cache:
        for what, energy in (("first run ever", "x**4/4 + cos(3*x)"),
                             ("first run of another potential", "x**4/5 + cos(2*x)"),
                             ("the same from the cache", "x**4/5 + cos(2*x)")):
            face, seconds = first(energy, cache)
            rows.append({"part": "start", "entry": what, "seconds": round(seconds, 3)})
            print(f"start           {what:44} {seconds:9.2f} s")
    print(f"start           {'import thermosim':44} {face:9.3f} s")
    return rows + [{"part": "start", "entry": "import thermosim", "seconds": round(face, 4)}]


def memory():
    """GiB at the peak; tables of a step are 8 bytes a parameter, so 10⁴ steps cost no more than 100."""
    rows = []
    for books, n in ((False, 20), (True, 20)):
        begin = time.perf_counter()
        done = subprocess.run([sys.executable, "-c", MEMORY.format(t=n*H, n=n, books=books)], capture_output=True,
                              text=True, check=True)
        gib = float(done.stdout.splitlines()[-1])
        what = f"10⁷ particles × {n} steps, books {'on' if books else 'off'}"
        print(f"memory          {what:44} {gib:9.2f} GiB  ({time.perf_counter() - begin:.0f} s)", flush=True)
        rows.append({"part": "memory", "entry": what, "gib": round(gib, 3)})
    return rows


def main():
    from _bench import hardware, save

    parts = {**{part: lambda part=part: times(part) for part in ENTRIES}, "start": start, "memory": memory}
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=parts, help="one part; its figures are printed and not kept")
    only = parser.parse_args().only
    machine = hardware("numpy", "numba", "torch", "diffrax", "jax", "torchsde", "openmm", "openmmtools")
    rows = [row for part in ([only] if only else parts) for row in parts[part]()]
    print(f"{machine['cpu']}, load {machine['load']}, {machine['versions']}")
    if not only:
        print(save("langevin", machine, rows))


if __name__ == "__main__":
    child(*sys.argv[1:]) if len(sys.argv) == 3 and sys.argv[1] in ENTRIES else main()
