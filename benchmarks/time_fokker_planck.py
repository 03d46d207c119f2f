"""Seconds to carry a density through a double well: thermosim beside SciPy, fplanck, py-pde and FiPy.

    python benchmarks/time_fokker_planck.py            # peers that are not installed are left out

Each solver climbs its own ladder of efforts until its L1 distance to a refined reference meets the
target, or its ladder ends; the time and the error of its last rung are written down, set-up of matrices
and factors included, compilation not. One thread each. The figures go to benchmarks/results/fokker_planck.json.
"""
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from _bench import best_of, hardware, save

from thermosim.backend.cpu.threads import set_threads
from thermosim.fokker_planck import Axis, Chebyshev, FokkerPlanck, Grid, SecondOrder, l1
from thermosim.potentials import DoubleWell, Potential

T = 0.25
LINE = {"law": DoubleWell(), "cells": (1000,), "refine": 16, "t": 1.0, "target": 2.5e-5,
        "pypde": ["4*x**3 - 4*x"], "start": lambda x: np.exp(-0.5 * ((x[:, 0] + 0.6) / 0.15) ** 2)}
PLANE = {"law": Potential("(x**2 - 1)**2 + 2*(y - x/2)**2", ["x", "y"]), "cells": (256, 256), "refine": 4, "t": 0.1,
         "target": 6e-4,
         "pypde": ["4*x**3 - 4*x - 2*(y - x/2)", "4*(y - x/2)"],
         "start": lambda x: np.exp(-0.5 * (((x[:, 0] + 0.4) / 0.2) ** 2 + ((x[:, 1] - 0.3) / 0.2) ** 2))}


def equation(case, refine=1):
    """The case on its cells, `refine` times finer, and its normalised start."""
    fp = FokkerPlanck(case["law"], T, 1.0,
                      Grid(*[Axis.uniform(-2, 2, n * refine, "reflecting") for n in case["cells"]]))
    p = case["start"](fp.grid.points()).reshape(fp.grid.shape)
    return fp, p / np.sum(p * fp.grid.volumes)


def reference(case):
    """Density on finer cells in many steps, averaged over the cells of the case."""
    fp, p = equation(case, case["refine"])
    p = fp.evolve(p, (0.0, case["t"]), scheme=SecondOrder(), steps=400).final
    for k, n in enumerate(case["cells"]):
        p = p.reshape(*p.shape[:k], n, case["refine"], *p.shape[k + 1:]).mean(axis=k + 1)
    return p


# ---- one function a solver: case → ladder of (words, call → density) ----------------------------------

def thermosim(case):
    fp, p = equation(case)

    def solve(scheme, **how):
        fp._propagators.clear()                # factoring belongs to the time
        return fp.evolve(p, (0.0, case["t"]), scheme=scheme, **how).final
    if len(case["cells"]) == 1:
        return [(f"Chebyshev, degree {n}, one step", lambda n=n: solve(Chebyshev(n), steps=1))
                for n in (4, 6, 8, 10, 12, 16, 24)]
    return [(f"SecondOrder, {n} steps", lambda n=n: solve(SecondOrder(), steps=n))
            for n in (4, 6, 8, 12, 17, 24, 34, 48, 57, 68, 81, 96)]


def controlled(case):
    """thermosim with its error controlled, as users run it."""
    fp, p = equation(case)
    scheme = Chebyshev(12) if len(case["cells"]) == 1 else SecondOrder()

    def solve(tolerance):
        fp._propagators.clear()
        return fp.evolve(p, (0.0, case["t"]), scheme=scheme, tolerance=tolerance).final
    return [(f"{type(scheme).__name__}, tolerance {x:g}", lambda x=x: solve(x)) for x in (1e-3, 3e-4, 1e-4, 3e-5, 1e-5)]


def scipy(case):
    from scipy.sparse import identity
    from scipy.sparse.linalg import splu

    fp, p = equation(case)
    K, m = fp.generator().matrix(), (p * fp.grid.volumes).ravel()
    one = identity(len(m), format="csc")

    def solve(steps):
        h, x = case["t"] / steps, m
        implicit = splu(one - 0.5 * h * K)     # Rannacher: the first two steps as four implicit half-steps
        explicit = one + 0.5 * h * K
        for _ in range(4):
            x = implicit.solve(x)
        for _ in range(steps - 2):
            x = implicit.solve(explicit @ x)
        return x.reshape(fp.grid.shape) / fp.grid.volumes
    return [(f"splu Crank–Nicolson + Rannacher, {n} steps", lambda n=n: solve(n))
            for n in (4, 6, 8, 12, 17, 24, 34, 48, 57, 68, 81, 96)]


def fplanck(case):
    np.product = np.prod                       # gone since NumPy 2, and fplanck 0.2 asks for it
    import fplanck
    from scipy.constants import k

    fp, p = equation(case)
    widths = [a.widths[0] for a in fp.grid.axes]

    def solve():
        law = lambda *x: case["law"].energy(np.stack([c.ravel() for c in x], 1)).reshape(x[0].shape)   # noqa: E731
        start = lambda *x: case["start"](np.stack([c.ravel() for c in x], 1)).reshape(x[0].shape)      # noqa: E731
        sim = fplanck.fokker_planck(temperature=T / k, drag=1.0, extent=[4 - 1e-9] * len(widths), resolution=widths,
                                    boundary=fplanck.boundary.reflecting, potential=law)
        return sim.propagate(start, case["t"]) / fp.grid.volumes
    return [("expm_multiply", solve)]


def pypde(case):
    import pde

    fp, p = equation(case)
    grid = pde.CartesianGrid([[-2, 2]] * len(case["cells"]), case["cells"])
    slopes, names = case["pypde"], "xy"
    terms = " + ".join(f"d_d{x}(p)*({s})" for x, s in zip(names, slopes))
    curvature = "12*x**2 - 4" if len(slopes) == 1 else "12*x**2 + 1"
    eq = pde.PDE({"p": f"{T}*laplace(p) + {terms} + p*({curvature})"}, bc={"value": 0})

    def solve(stepper):
        field = pde.ScalarField(grid, p)
        stepper(field, 0.0, case["t"])
        return field.data

    def ladder():
        for tolerance in (1e-3, 1e-5, 1e-7):
            stepper = pde.EulerSolver(eq, adaptive=True, tolerance=tolerance).make_stepper(pde.ScalarField(grid, p), dt=1e-6)
            solve(stepper)                     # compilation, about 13 s
            yield f"adaptive Euler, tolerance {tolerance:g}", lambda: solve(stepper)
    return ladder()


def fipy(case):
    import fipy

    fp, p = equation(case)
    d, n = len(case["cells"]), case["cells"]
    width = 4 / n[0]
    mesh = (fipy.Grid1D(nx=n[0], dx=width) - 2.0) if d == 1 else fipy.Grid2D(nx=n[0], ny=n[1], dx=width, dy=width) - 2.0

    def solve(steps):
        # FiPy runs its first axis fastest
        v = fipy.CellVariable(mesh=mesh, value=p.T.ravel())
        force = fipy.FaceVariable(mesh=mesh, rank=1, value=-case["law"].force(np.asarray(mesh.faceCenters).T).T)
        law = fipy.TransientTerm() == fipy.DiffusionTerm(T) + fipy.ExponentialConvectionTerm(force)
        for _ in range(steps):
            law.solve(v, dt=case["t"] / steps, solver=fipy.LinearLUSolver())
        return np.asarray(v.value).reshape(n[::-1]).T
    return [(f"implicit Euler, {k} steps", lambda k=k: solve(k)) for k in ((100, 800) if d == 1 else (20,))]


PEERS = {"thermosim": thermosim, "thermosim, error-controlled": controlled, "SciPy": scipy, "fplanck": fplanck,
         "py-pde": pypde, "FiPy": fipy}
PACKAGES = {"SciPy": "scipy", "fplanck": "fplanck", "py-pde": "pde", "FiPy": "fipy"}


def climb(ladder, exact, grid, target):
    """(words, seconds, L1) of the first rung that meets the target, or of the last."""
    for words, call in ladder:
        begin = time.perf_counter()
        error = l1(grid, call(), exact)
        once = time.perf_counter() - begin
        if error <= target:
            break
    return words, best_of(call, repeats=30 if once < 0.1 else 3) if once < 1 else once, error


def stepper(cells):
    """A fused second-order step on a quartic well of these cells, ready, and masses to move."""
    names = "xyz"[:len(cells)]
    law = Potential(" + ".join(f"{x}**4/4" for x in names), list(names))
    fp = FokkerPlanck(law, 1.0, 1.0, Grid(*[Axis.uniform(-3, 3, n, "reflecting") for n in cells]))
    return fp.propagator(fp.generator(), SecondOrder(), 1e-2), fp.grid.masses(fp.steady_state())


def peak(cells):
    """GiB that a process of its own takes at most for a run on these cells."""
    code = f"import time_fokker_planck as b; b.stepper({cells})[0].advance(b.stepper({cells})[1], 2); print(b.used())"
    done = subprocess.run([sys.executable, "-c", code], cwd=sys.path[0], capture_output=True, text=True, check=True)
    return round(float(done.stdout), 3)


def used():
    """GiB this process has taken at most, by Linux's count (that of getrusage takes in the parent's)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 2**20


def scaling():
    """Nanoseconds per cell and step of the fused second-order step, 10³ … 10⁶ cells, and in the plane and space."""
    rows = []
    for cells in ((1000,), (10_000,), (100_000,), (1_000_000,), (256, 256), (1024, 1024), (128, 128, 128)):
        (step, m), size = stepper(cells), int(np.prod(cells))
        count = max(1, 1_000_000 // size)
        seconds = best_of(lambda: step.advance(m, count), repeats=5)
        rows.append({"cells": list(cells), "ns_per_cell_step": round(1e9 * seconds / (size * count), 3),
                     "peak_GiB": peak(cells)})
        print(f"{'×'.join(map(str, cells)):>14}  {rows[-1]['ns_per_cell_step']:8.2f} ns per cell and step, "
              f"at most {rows[-1]['peak_GiB']:.2f} GiB", flush=True)
    return rows


def main():
    set_threads(1)
    rows = []
    for name, case in (("1-D, 1,000 cells, t = 1", LINE), ("2-D, 256×256 cells, t = 0.1", PLANE)):
        exact, (fp, _), ours = reference(case), equation(case), None
        for peer, make in PEERS.items():
            if peer in PACKAGES and find_spec(PACKAGES[peer]) is None:
                continue
            words, seconds, error = climb(make(case), exact, fp.grid, case["target"])
            ours = ours or seconds
            rows.append({"case": name, "solver": peer, "how": words, "seconds": seconds, "l1": error,
                         "target": case["target"],
                         "times_thermosim": round(seconds / ours, 2)})
            print(f"{name:28} {peer:27} {words:42} {1e3 * seconds:10.3f} ms   L1 {error:.1e}   {seconds / ours:8.1f}×",
                  flush=True)
    save("fokker_planck", hardware("numpy", "scipy", "numba", "fplanck", "py-pde", "FiPy"), rows + scaling())


if __name__ == "__main__":
    main()
