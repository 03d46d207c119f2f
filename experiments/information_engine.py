"""Work from information: a particle in a trap is measured with error, and the trap follows the answer.

    python experiments/information_engine.py            # 100,000 particles a point, about a minute
    python experiments/information_engine.py --quick    # 20,000 particles, three durations

One bath, T = k = μ = 1. After each measurement with error variance e the trap is moved and opened along the geodesic
back to equilibrium (Abreu, Seifert, 1102.3826), or only moved, its stiffness left alone. Work, information and what the
control leaves unused, in closed moments, from particles and, for least work, from the density given the answer; the
equality of Sagawa and Ueda (0907.4914), ⟨exp(−W/T − i)⟩ = 1; and the second law −W ≤ T·I with what speed takes from it,
T·I − W2²/(μt). Written to run.h5; the figure is drawn from the file.
"""

import sys

from thermosim.command import Parser, run, whole_number
from thermosim.version import __version__

ERRORS = (0.1, 0.5, 2.0)
FEW = 20            # the share of the particles, 1/FEW, that must carry an exponential average
ABSENT = {"work_density": "asked for least work only", **dict.fromkeys(("equality", "equality_error"),
          f"less than 1/{FEW} of the particles carry the average: its tail is too long to be sampled")}


def arguments(argv):
    """The command line."""
    parser = Parser(description=__doc__.splitlines()[0])
    parser.add_argument("--particles", type=whole_number("particles are"), default=None, help="default: 100,000")
    parser.add_run("runs/information_engine", quick="20,000 particles, three durations")
    return parser.parse_args(argv)


def engines(durations):
    """(control, error, engine) of every point."""
    from thermosim.thermo.cycles.feedback import Feedback

    def moved(e, t):
        return Feedback(lambda s: 1.0, lambda s: (1 - s/t - 1/t)/(1 + e), t, e)
    for e in ERRORS:
        for t in durations:
            yield "least work", e, Feedback.least_work(e, t)
            yield "moved only", e, moved(e, t)


def measure(particles, cells, tolerance, durations, seed):
    """Columns of the table."""
    from math import nan

    from thermosim.files.progress import Progress
    from thermosim.thermo.cycles.feedback import by_density, by_particles, closed, most_work
    from thermosim.thermo.fluctuation import Estimate

    table = {}
    for n, (control, e, engine) in enumerate(Progress(list(engines(durations)), "engines", "engine")):
        exact = closed(engine)
        steps = 100 + int(20*engine.duration)           # a slow control in few steps is a staircase, and wastes at each
        seen = by_particles(engine, particles, steps, warm=0 if control == "least work" else 4, seed=seed + n)
        spread = by_density(engine, cells, tolerance).balance.work if control == "least work" else nan
        # a tail that few particles reach makes an average and its error both too small
        equality = (seen.equality if seen.equality.effective > particles/FEW
                    else Estimate(nan, nan, seen.equality.effective))
        line = {"control": control, "error_variance": e, "duration": engine.duration, "work": exact.work,
                "work_density": spread,
                "work_particles": seen.balance.work, "work_particles_error": seen.error.work,
                "information": exact.information, "information_particles": seen.balance.information,
                "information_particles_error": seen.error.information, "left": exact.left,
                "entropy_production": exact.entropy_production,
                "efficiency": exact.efficiency, "power": exact.power, "most_work": most_work(e, engine.duration),
                "equality": equality.value, "equality_error": equality.error, "effective": equality.effective}
        for key, value in line.items():
            table.setdefault(key, []).append(value)
    return table


SAID = {"control": "least work: moved and opened along the geodesic of W2; moved only: the stiffness stays",
        "error_variance": "e of the measurement, in units of ⟨x²⟩ at rest", "duration": "of a turn, 1/(μk)",
        "work": "W of a turn, closed moments",
        "work_density": "the same from densities given the answer", "work_particles": "the same from particles",
        "work_particles_error": "its standard error",
        "information": "I = ½ln(1 + w/e), nats, w = ⟨x²⟩ before the measurement",
        "information_particles": "mean of ln p(y|x)/p(y)", "information_particles_error": "its standard error",
        "left": "information shared with the answer at the end, not used", "entropy_production": "Σ = I − I_left + W/T",
        "efficiency": "−W/(T·I)", "power": "−W/duration",
        "most_work": "T·I − W2²/(μt): no control that ends at rest delivers more",
        "equality": "⟨exp(−W/T − i)⟩ of a first turn from equilibrium, 1 for any control",
        "equality_error": "its standard error",
        "effective": "particles that carry the equality"}


def write(path, args, settings):
    """Write everything as `path`; returns the table."""
    import numpy as np

    from thermosim.files.provenance import provenance
    from thermosim.files.schema import ledger_group, new_run
    from thermosim.files.store import write_tree

    def about(name):
        work = name.startswith(("work", "most_work"))
        return {"units": "energy" if work else "energy per time" if name == "power" else "1",
                "sign": "W > 0 on the particle" if name.startswith("work") else "-",
                "definition": SAID[name], **({"nan_reason": ABSENT[name]} if name in ABSENT else {})}
    tree = new_run(provenance({"temperature": 1.0, "stiffness": 1.0, "mobility": 1.0, **settings}, args.seed))
    tree["summary"] = ledger_group({k: (np.array(v), about(k)) for k, v in measure(**settings, seed=args.seed).items()},
                                   "summary_row")
    write_tree(path, tree)
    return tree["summary"]


def main(argv=None):
    """Run the experiment; returns the exit code."""
    args = arguments(argv)
    settings = {"particles": args.particles or (20_000 if args.quick else 100_000), "cells": 120 if args.quick else 200,
                "tolerance": 1e-3 if args.quick else 5e-4,
                "durations": [1.0, 3.0, 10.0] if args.quick else [0.8, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 20.0]}
    print(f"thermosim {__version__}: {settings['particles']} particles an engine, into {args.out}", flush=True)
    from thermosim.files.atomic import writable_folder
    from thermosim.report import draw
    from thermosim.show import format_table

    out = writable_folder(args.out)
    print(format_table(write(out/"run.h5", args, settings)))
    draw(out/"run.h5")
    print(f"wrote {out/'run.h5'} and {out/'information.png'}")
    return 0


if __name__ == "__main__":
    sys.exit(run(main))
