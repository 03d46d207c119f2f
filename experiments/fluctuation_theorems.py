"""Do the fluctuation theorems hold step by step? Traps dragged
and breathing, a tilted pair of wells: forwards and back.

    python experiments/fluctuation_theorems.py                # 400,000 paths, well under a minute
    python experiments/fluctuation_theorems.py --quick        # 50,000 paths

For each system, protocols of 4 to 40 Euler–Maruyama steps, run forwards and in reverse. Written to run.h5:
the Crooks line ln P_F(W)/P_R(−W) and where it crosses zero, the Jarzynski estimate from the work alone and
from work plus shadow work (only their sum is exact at a coarse step), and how the estimate closes in on
ΔF with the number of paths. The figure is drawn from the file.
"""

import sys

from thermosim.command import Parser, run, whole_number
from thermosim.version import __version__

STEPS = (4, 6, 10, 20, 40)
COARSE = 10                     # steps of the Crooks plot: coarse enough to show a wrong order of substeps


def arguments(argv):
    """The command line."""
    parser = Parser(description=__doc__.splitlines()[0])
    parser.add_argument("--paths", type=whole_number("paths are"), default=None, help="default: 400,000")
    parser.add_run("runs/fluctuation_theorems", quick="50,000 paths")
    args = parser.parse_args(argv)
    args.paths = args.paths or (50_000 if args.quick else 400_000)
    return args


def systems():
    """(name, dynamics, protocol, duration, ΔF) of each system; ΔF by quadrature."""
    import numpy as np

    from thermosim.dynamics import Overdamped
    from thermosim.potentials import Harmonic, Potential
    from thermosim.protocols import Linear

    x = np.linspace(-10, 10, 200_001)
    for name, potential, ends, duration in (
            ("dragged trap", Harmonic(), {"c": (0.0, 2.0)}, 2.0),
            ("breathing trap", Harmonic(), {"k": (1.0, 4.0)}, 1.0),
            ("two wells", Potential("x**2/2 + 2*cos(x) - f*x", ["x"], {"f": 0.0}), {"f": (-0.5, 1.0)}, 2.0)):
        z = [np.exp(-potential.energy(x, **{k: v[i] for k, v in ends.items()})).sum() for i in (0, 1)]
        yield name, Overdamped(potential), Linear(**ends), duration, float(np.log(z[0]/z[1]))


def measure(paths, seed):
    """The tables of the file: columns of lists."""
    import numpy as np

    from thermosim.files.progress import Progress
    from thermosim.runs.particles import simulate
    from thermosim.thermo.fluctuation import detailed, jarzynski

    crooks, steps, convergence, summary = ({} for _ in range(4))

    def put(table, **values):
        for key, value in values.items():
            table.setdefault(key, []).append(value)

    for name, dynamics, protocol, duration, free in Progress(list(systems()), "systems", unit="system"):
        for N in STEPS:
            how = dict(particles=paths, t=(0.0, duration), steps=N, protocol=protocol, every=N, precision="double")
            forth = simulate(dynamics, seed=seed, **how)
            total = forth.work + forth.shadow_work
            bare, whole = jarzynski(forth.work, resamples=50), jarzynski(total, resamples=50)
            put(steps, system=name, steps=N, bare=bare.value, bare_error=bare.error, total=whole.value,
                total_error=whole.error, free_energy=free)
            if N != COARSE:
                continue
            back = simulate(dynamics, seed=seed + 1, reverse=True, **how)
            line = detailed(total, back.work + back.shadow_work)
            for w, ratio, error in zip(line.centers, line.log_ratio, line.error):
                put(crooks, system=name, work=w, log_ratio=ratio, log_ratio_error=error, free_energy=free)
            put(summary, system=name, free_energy=free, jarzynski=whole.value, jarzynski_error=whole.error,
                crossing=line.crossing.value, crossing_error=line.crossing.error, slope=line.slope.value,
                slope_error=line.slope.error, dissipated=float(total.mean() - free))
            for n in 10**np.arange(1, int(np.log10(paths)) + 1):
                parts = np.array([jarzynski(part, resamples=2).value
                                  for part in total[:len(total)//n*n].reshape(-1, n)[:1000]])
                put(convergence, system=name, paths=int(n), estimate=parts.mean(),
                    error=parts.std(ddof=1)/np.sqrt(len(parts)) if len(parts) > 1 else whole.error, free_energy=free)
    return crooks, steps, convergence, summary


DEFINITIONS = {
    "system": "which system", "steps": "Euler–Maruyama steps of the protocol", "paths": "paths of one estimate",
    "work": "bin centre of work + shadow_work", "log_ratio": "ln P_F(W)/P_R(−W)", "free_energy": "ΔF by quadrature",
    "bare": "−T ln⟨e^{−W/T}⟩ of the work alone", "total": "the same of work + shadow_work",
    "jarzynski": "the same of work + shadow_work",
    "crossing": "where ln P_F/P_R = 0", "slope": "slope of the Crooks line, 1 in theory",
    "dissipated": "⟨W + W_sh⟩ − ΔF",
    "estimate": "mean Jarzynski estimate over groups of that many paths", "error": "standard error of the estimate"}


def write(path, tables, args):
    """Write the tables as run.h5; returns the tree."""
    from thermosim.files.provenance import provenance
    from thermosim.files.schema import ledger_group, new_run
    from thermosim.files.store import write_tree

    tree = new_run(provenance({"paths": args.paths, "steps": list(STEPS)}, args.seed))
    for name, table in zip(("crooks", "jarzynski", "convergence", "summary"), tables):
        columns = {}
        for key, values in table.items():
            words = DEFINITIONS.get(key) or f"standard error of {key.removesuffix('_error')}"
            columns[key] = (values, {"units": "1" if key in ("system", "steps", "paths", "slope") else "k_B T",
                                     "sign": "-",
                                     "definition": words})
        tree[name] = ledger_group(columns, f"{name}_row")
    write_tree(path, tree)
    return tree


def main(argv=None):
    """Run the experiment; returns the exit code."""
    args = arguments(argv)
    print(f"thermosim {__version__}: fluctuation theorems, {args.paths} paths, into {args.out}", flush=True)
    from thermosim.files.atomic import writable_folder
    from thermosim.report import draw
    from thermosim.show import format_table

    out = writable_folder(args.out)
    tree = write(out/"run.h5", measure(args.paths, args.seed), args)
    print(format_table(tree["summary"]))
    draw(out/"run.h5")
    print(f"wrote {out/'run.h5'} and {out/'fluctuation.png'}")
    return 0


if __name__ == "__main__":
    sys.exit(run(main))
