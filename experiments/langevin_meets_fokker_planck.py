"""Do a million particles and one density tell the same story? A double well tilted over, traps that move and breathe.

    python experiments/langevin_meets_fokker_planck.py            # 10⁶ particles each, about a minute on one core
    python experiments/langevin_meets_fokker_planck.py --quick    # 20,000 particles, seconds

The double well U = (x² − 1)² − fx at T = 0.5: f falls from 0.8 to −0.8 in a unit of time and then rests for
another. Its particles take Metropolised Langevin steps, which keep detailed balance at any step; those in the
traps (dragged by 2, stiffened from 1 to 4) the exact steps of a linear force. Both book no shadow work, as a
density does not; every other column of the ledger, row by row, is compared in standard errors. Written to
run.h5: frames of the well's density with its particles' histograms, all ledgers, the free energy above
equilibrium, and the comparison; the figure is drawn from the file.
"""

import sys

from thermosim.command import Parser, run, whole_number
from thermosim.version import __version__

T, TILT, TURNED, END, ROWS = 0.5, 0.8, 1.0, 2.0, 20
COLUMNS = ("work", "shadow_work", "heat", "heat_line", "entropy_env", "energy")


def arguments(argv):
    """The command line."""
    parser = Parser(description=__doc__.splitlines()[0])
    parser.add_argument("--particles", type=whole_number("particles are"), default=None, help="default: 1,000,000")
    parser.add_argument("--device", default="cpu", help="cpu or cuda, of the particles (default: %(default)s)")
    parser.add_run("runs/langevin_meets_fokker_planck", quick="20,000 particles, larger steps and cells")
    return parser.parse_args(argv)


def in_traps(particles, steps, cells, tolerance, seed, device):
    """(name, particle run, density run) of the dragged and of the breathing trap, k = T = μ = 1."""
    from thermosim.dynamics import Overdamped
    from thermosim.fokker_planck import Axis, FokkerPlanck, Grid, SecondOrder
    from thermosim.integrators import ExactOU
    from thermosim.potentials import Harmonic
    from thermosim.protocols import Linear
    from thermosim.runs.particles import simulate

    for name, protocol, end in (("dragged trap", Linear(c=(0.0, 2.0)), 2.0),
                                ("breathing trap", Linear(k=(1.0, 4.0)), 1.0)):
        fp = FokkerPlanck(Harmonic(), 1.0, 1.0, Grid(Axis.uniform(-7, 9, cells)))
        density = fp.evolve(fp.steady_state(), [end * k / ROWS for k in range(ROWS + 1)], protocol,
                            SecondOrder(), tolerance)
        yield name, simulate(Overdamped(Harmonic()), particles=particles, t=(0.0, end), steps=steps // 2,
                             protocol=protocol,
                             scheme=ExactOU(), every=steps // 2 // ROWS, precision="double", seed=seed,
                             device=device), density


def in_the_well(particles, steps, cells, tolerance, seed, device):
    """(particle run, histogram counts (ROWS + 1, bins), their
    edges, density run, equation, times, tilt at the times)."""
    import numpy as np

    from thermosim.dynamics import Overdamped
    from thermosim.fokker_planck import Axis, FokkerPlanck, Grid, SecondOrder
    from thermosim.integrators import MALA
    from thermosim.potentials import DoubleWell
    from thermosim.protocols import Piecewise
    from thermosim.runs.particles import simulate

    law, protocol = DoubleWell(tilt=TILT), Piecewise([0, TURNED, END], f=[TILT, -TILT, -TILT])
    times = np.linspace(0, END, ROWS + 1)
    fp = FokkerPlanck(law, T, 1.0, Grid(Axis.uniform(-3, 3, cells)))
    density = fp.evolve(fp.steady_state(f=TILT), times, protocol, SecondOrder(), tolerance)
    edges = fp.grid.axes[0].edges[::cells // 150]
    counts = np.zeros((ROWS + 1, len(edges) - 1))

    def count(first, frames):
        for row, x in enumerate(frames[:, :, 0], first + 1):
            counts[row] = np.histogram(x, edges)[0]

    walkers = simulate(Overdamped(law, T), particles=particles, t=(0.0, END), steps=steps, protocol=protocol,
                       scheme=MALA(),
                       every=steps // ROWS, record=particles, sink=count, precision="double", seed=seed, device=device)
    return walkers, counts, edges, density, fp, times, protocol.before(times, (0, END))["f"]


def in_errors(difference, error):
    """z = difference/error; where nothing fluctuates 0 for equal values, else infinite."""
    import numpy as np

    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(difference == 0, 0.0, difference / error)


def compare(system, walkers, density, summary):
    """Table of both ledgers, row by row; over the run a line a column, added to `summary`."""
    import numpy as np

    n, rows = walkers.ledger.count, {"time": walkers.ledger["time"]}
    for name in COLUMNS:
        mean, error, theirs = walkers.ledger[name], walkers.ledger.standard_error(name), density.ledger[name]
        rows |= {name: mean, f"{name}_error": error, f"{name}_density": theirs,
                 f"{name}_z": in_errors(mean - theirs, error)}
        if name == "energy":
            total, spread, whole = mean[-1], error[-1], theirs[-1]
        else:
            total, spread, whole = walkers.totals[name].mean(), walkers.totals[name].std() / np.sqrt(n), theirs.sum()
        line = {"system": system, "column": name, "particles": total, "particles_error": spread, "density": whole,
                "difference": in_errors(np.array(total - whole), spread), "worst_row": np.abs(rows[f"{name}_z"]).max()}
        for key, value in line.items():
            summary.setdefault(key, []).append(value)
    return rows


def falling(counts, edges, density, fp, times, tilts):
    """Free energy above that of equilibrium at the tilt of the moment, T·KL on bins: density, particles ± error."""
    import numpy as np

    per_bin = fp.grid.shape[0] // (len(edges) - 1)
    table = {"time": times, "excess": [], "particles": [], "particles_error": []}
    for p, seen, f in zip(density.densities, counts, tilts):
        rest, m = ((q * fp.grid.volumes).reshape(-1, per_bin).sum(axis=1) for q in (fp.steady_state(f=f), p))
        n, share, held = seen.sum(), seen / max(seen.sum(), 1), seen > 0
        table["excess"].append(T * np.sum(np.where(m > 0, m * np.log(m / rest), 0.0)))
        if n == 0:                             # the start is not recorded: it is drawn from equilibrium
            table["particles"].append(np.nan)
            table["particles_error"].append(np.nan)
            continue
        log = np.log(share[held] / rest[held])
        mean = np.sum(share[held] * log)
        # a histogram overestimates KL by (bins − 1)/2n (Miller 1955)
        table["particles"].append(T * (mean - (held.sum() - 1) / (2 * n)))
        table["particles_error"].append(T * np.sqrt(np.sum(share[held] * (log - mean)**2) / n))
    return table


def write(path, well, traps, args, settings):
    """Write everything as `path`; returns (summary table, largest |z| of any row)."""
    import numpy as np

    from thermosim.files.provenance import provenance
    from thermosim.files.schema import ledger_group, new_run
    from thermosim.files.store import write_tree
    from thermosim.files.tree import Dataset, Group
    from thermosim.runs.store import about

    (walkers, counts, edges, density, fp, times, tilts), summary = well, {}
    tables = {"rows": compare("double well", walkers, density, summary)}
    for name, *pair in traps:
        tables[name.replace(" ", "_")] = compare(name, *pair, summary)
    words = {"excess": "free energy above equilibrium at the parameters of the moment, T·KL(p‖p_eq) on bins",
             "particles": "the same of the particles' histogram, less (bins − 1)/2n",
             "particles_error": "its standard error"}
    said = {"system": "which system", "column": "ledger column, summed over the run (energy: at its end)",
            "particles": "mean of the particles",
            "particles_error": "standard error", "density": "the density's book",
            "difference": "particles − density in standard errors",
            "worst_row": "largest |difference| of a row, in standard errors"}
    tree = new_run(provenance({"temperature": T, "tilt": TILT, **settings}, args.seed))
    for table, rows in tables.items():
        tree[f"ledger/{table}"] = ledger_group(
            {name: (values, about(name.split("_error")[0].split("_density")[0].split("_z")[0]))
             for name, values in rows.items()},
            f"{table}_row")
    unit = {"units": "k_B T units of energy", "sign": "-"}
    reason = {"nan_reason": "the start is not recorded: it is drawn from equilibrium"}
    tree["free_energy"] = ledger_group(
        {name: (np.array(v), {**unit, **(reason if "particles" in name else {}),
                              "definition": words.get(name, "time of the frame")})
         for name, v in falling(counts, edges, density, fp, times, tilts).items()}, "free_energy_row")
    x, U = fp.grid.axes[0].centers, [fp.energy(f=f) for f in tilts]
    tree["fields/density"] = Group(datasets={
        "frame_time": Dataset(times, "frame_time", {"units": "1"}), "x": Dataset(x, "x", {"units": "1"}),
        "p": Dataset(density.densities, ("frame_time", "x"), {"definition": "density"}),
        "U": Dataset(U, ("frame_time", "x"), {"definition": "energy"}),
        "bin": Dataset(0.5 * (edges[1:] + edges[:-1]), "bin", {"units": "1"}),
        "histogram": Dataset(counts / len(walkers.x) / np.diff(edges), ("frame_time", "bin"),
                             {"definition": "density of the particles; the first frame is not recorded"})})
    tree["summary"] = ledger_group({k: (v, {"units": "1", "sign": "-", "definition": said[k]}) for k, v in summary.items()}, "summary_row")
    write_tree(path, tree)
    return tree["summary"], max(summary["worst_row"])


def main(argv=None):
    """Run the experiment; returns the exit code."""
    args = arguments(argv)
    settings = {"particles": args.particles or (20_000 if args.quick else 1_000_000),
                "steps": 400 if args.quick else 4000,
                "cells": 300 if args.quick else 1200, "tolerance": 1e-4 if args.quick else 1e-5}
    print(f"thermosim {__version__}: {settings['particles']} particles a system and densities on {settings['cells']} "
          f"cells, into {args.out}",
          flush=True)
    from thermosim.backend import open_device
    from thermosim.files.atomic import writable_folder
    from thermosim.report import draw
    from thermosim.show import format_table

    open_device(args.device)
    out = writable_folder(args.out)
    how = settings | {"seed": args.seed, "device": args.device}
    summary, worst = write(out / "run.h5", in_the_well(**how), in_traps(**how), args, settings)
    print(format_table(summary))
    print(f"\nlargest distance in any row of any column: {worst:.2f} standard errors")
    draw(out / "run.h5")
    print(f"wrote {out / 'run.h5'} and {out / 'density.png'}")
    return 0


if __name__ == "__main__":
    sys.exit(run(main))
