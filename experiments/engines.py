"""Heat engines of one particle in a trap, by three independent roads; what they cost in finite time.

    python experiments/engines.py            # 400,000 particles a cycle, a few minutes
    python experiments/engines.py --quick    # 20,000 particles, a quarter of a minute

Carnot-like, Stirling (also with a regenerator of three stores, and with inertia), Otto (also with inertia, on adiabats
that are reversible in finite time) and the optimal cycle of Schmiedl and Seifert between baths at T = 2 and 1, the
Stirling cycle also turned around into a refrigerator and heat pump: work, both heats, entropy production, power,
efficiency and coefficients of performance of one turn, from closed moments, from the density (with inertia that of
positions and velocities) and from particles. Then efficiency against power for cycles of every duration, each beside
what no cycle beats: the second law, the speed limit of W2, the trade-off of power and efficiency, the uncertainty
relation and the frontier of low dissipation; and the efficiency at maximum power. Written to run.h5; the figure is
drawn from the file.
"""

import sys

from thermosim.command import Parser, run, whole_number
from thermosim.version import __version__

HOT, COLD = 2.0, 1.0
SIGN = "W > 0 on the system, Q > 0 into it"
UNITS = {"work": "energy", "heat_hot": "energy", "heat_cold": "energy", "power": "energy per time", "duration": "time"}
SAID = {"engine": "which cycle", "road": "moments (closed), density (grid, extrapolated) or particles",
        "work": "W of a turn, on the system", "heat_hot": "Q from the hot bath", "heat_cold": "Q from the cold bath",
        "entropy_production": "Σ = −Q_h/T_h − Q_c/T_c", "power": "−W/duration", "efficiency": "−W/Q_h, of an engine",
        "cop": "Q_c/W, of a refrigerator", "cop_heating": "−Q_h/W, of a heat pump"}
MISSING = {**dict.fromkeys(("efficiency", "speed_limit", "power_efficiency", "uncertainty"), "the cycle delivers no work"), "cop": "the cycle does not cool",
           "cop_heating": "the cycle heats nothing"}


def arguments(argv):
    """The command line."""
    parser = Parser(description=__doc__.splitlines()[0])
    parser.add_argument("--particles", type=whole_number("particles are"), default=None, help="default: 400,000")
    parser.add_run("runs/engines", quick="20,000 particles, coarser grids")
    return parser.parse_args(argv)


def cycles():
    """(name, strokes, medium) of every cycle."""
    from thermosim.thermo.cycles import strokes
    from thermosim.thermo.cycles.moments import OverdampedMoments, UnderdampedMoments
    from thermosim.thermo.cycles.optimal import SchmiedlSeifert

    best, over = SchmiedlSeifert(1.0, 2.0, HOT, COLD), OverdampedMoments()
    stirling = strokes.stirling(HOT, COLD, 4.0, 1.0, 3.0, 1.0)
    return [("carnot", strokes.carnot(HOT, COLD, 4.0, 1.0, 4.0, 4.0), over), ("stirling", stirling, over),
            ("stirling, 3 stores", strokes.regenerated_stirling(HOT, COLD, 4.0, 1.0, 3.0, 4.0, 3), over),
            ("otto", strokes.otto(HOT, COLD, 1.5, 1.0, 1.0), over),
            ("optimal", best.strokes(best.best_duration, best.best_duration), over),
            ("refrigerator", strokes.reversed_cycle(strokes.stirling(HOT, COLD, 4.0, 1.0, 8.0, 1.0)), over),
            ("stirling, inertia", stirling, UnderdampedMoments(friction=2.0, mass=0.5)),
            ("otto, inertia", strokes.inert_otto(HOT, COLD, 3.0, 1.0, 3.0, 0.5),
             UnderdampedMoments(friction=2.0, mass=0.5))]


def table(particles, cells, tolerance, seed):
    """Columns of the table: every cycle by every road, errors beside values."""
    from math import isfinite, nan

    from thermosim.files.progress import Progress
    from thermosim.thermo.cycles.moments import OverdampedMoments, limit_cycle
    from thermosim.thermo.cycles.roads import by_density, by_particles

    columns = {}

    def add(engine, road, books, errors=None):
        line = {"engine": engine, "road": road}
        for name in ("work", "heat_hot", "heat_cold", "entropy_production", "power", "efficiency", "cop",
                     "cop_heating"):
            line |= {name: float(getattr(books, name)), f"{name}_error": errors(name) if errors else nan}
        for key, value in line.items():
            columns.setdefault(key, []).append(value)

    def of(seen):
        return lambda name: (getattr(seen.error, name) if name in ("work", "heat_hot", "heat_cold")
                             else getattr(seen, f"{name}_error")()) if isfinite(getattr(seen.books, name)) else nan

    for engine, strokes, medium in Progress(cycles(), "engines", "cycle"):
        add(engine, "moments", limit_cycle(strokes, medium).books)
        # in phase space cells and steps are squared and more: half as many
        density = by_density(strokes, medium,
                             cells if isinstance(medium, OverdampedMoments) else max(100, cells//2), tolerance)
        for road, seen in (("density", density),
                           ("particles", by_particles(strokes, medium, particles, 200, seed=seed))):
            add(engine, road, seen.books, of(seen))
    return columns


def makers():
    """Cycles by the duration of an isotherm."""
    from thermosim.thermo.cycles import strokes
    from thermosim.thermo.cycles.optimal import SchmiedlSeifert

    best = SchmiedlSeifert(1.0, 2.0, HOT, COLD)
    return {"optimal": lambda t: best.strokes(t, t), "carnot": lambda t: strokes.carnot(HOT, COLD, 4.0, 1.0, t, t),
            "stirling": lambda t: strokes.stirling(HOT, COLD, 4.0, 1.0, t, 1.0)}


def trade_off(points):
    """Efficiency and power for durations of an isotherm from 0.5
    to 100, and the efficiency that each bound leaves there."""
    import numpy as np

    from thermosim.files.progress import Progress
    from thermosim.thermo.cycles import bounds
    from thermosim.thermo.cycles.fluctuations import scatter
    from thermosim.thermo.cycles.moments import limit_cycle

    found = {}
    for engine, make in Progress(list(makers().items()), "durations", "engine"):
        for t in np.geomspace(0.5, 100, points):
            turn = limit_cycle(make(t))
            books = turn.books
            least = {"speed_limit": bounds.speed_limit(turn).sum(), "power_efficiency": bounds.power_efficiency(turn),
                     "uncertainty": scatter(turn.strokes).least_entropy()}
            line = {"engine": engine, "duration": books.duration, "power": books.power, "efficiency": books.efficiency,
                    **{name: bounds.most_efficiency(books, entropy) for name, entropy in least.items()}}
            for name, value in line.items():
                found.setdefault(name, []).append(value)
    return found


def at_maximum_power():
    """Duration, power and efficiency where the power of each engine is largest."""
    import numpy as np
    from scipy.optimize import minimize_scalar

    from thermosim.thermo.cycles.moments import limit_cycle

    found = {"engine": [], "duration": [], "power": [], "efficiency": []}
    for engine, make in makers().items():
        log_t = minimize_scalar(lambda s: -limit_cycle(make(np.exp(s))).books.power, bounds=(-0.5, 3.0),
                                method="bounded", options={"xatol": 1e-5}).x
        books = limit_cycle(make(np.exp(log_t))).books
        for name, value in zip(found, (engine, books.duration, books.power, books.efficiency)):
            found[name].append(value)
    return found


def edge(points):
    """The frontier of low dissipation between the end laws of the optimal engine: the most power at each efficiency."""
    import numpy as np

    from thermosim.thermo.cycles import bounds

    best = bounds.most_power(HOT, COLD, 1.0, 2.0)
    efficiency = (1 - COLD/HOT)*(np.arange(points) + 0.5)/points
    return {"efficiency": efficiency, "power": np.array([best*bounds.frontier(HOT, COLD, x) for x in efficiency])}


def write(path, args, settings, points):
    """Write everything as `path`; returns the table."""
    import numpy as np

    from thermosim.files.provenance import provenance
    from thermosim.files.schema import ledger_group, new_run
    from thermosim.files.store import write_tree
    from thermosim.thermo.cycles.optimal import curzon_ahlborn, low_dissipation

    lower, upper = low_dissipation(HOT, COLD)
    marks = {"carnot": 1 - COLD/HOT, "curzon_ahlborn": curzon_ahlborn(HOT, COLD), "low_dissipation_lower": lower,
             "low_dissipation_upper": upper}
    tree = new_run(provenance({"hot": HOT, "cold": COLD, **settings}, args.seed))

    def about(name, words):
        of = name.removesuffix("_error")
        reason = MISSING.get(name, "a closed form has no error") if name.endswith("_error") or name in MISSING else None
        return {"units": UNITS.get(of, "1"), "sign": SIGN if of in ("work", "heat_hot", "heat_cold") else "-",
                "definition": words.get(name, f"standard (density: discretisation) error of {of}"),
                **({"nan_reason": reason} if reason else {})}

    tree["summary"] = ledger_group({k: (v, about(k, SAID)) for k, v in table(**settings, seed=args.seed).items()},
                                   "summary_row")
    words = {"engine": "which cycle", "duration": "of a turn", "power": "−W/duration, closed moments",
             "efficiency": "−W/Q_h",
             "speed_limit": "most efficiency by the speed limit of W2, stroke by stroke",
             "power_efficiency": "most efficiency by the trade-off of power and efficiency (Shiraishi, Saito, Tasaki "
                                 "2016)",
             "uncertainty": "most efficiency by the uncertainty relation of a driven turn (Koyuk, Seifert 2020)"}
    for name, columns in (("trade_off", trade_off(points)), ("maximum_power", at_maximum_power()),
                          ("frontier", edge(5*points))):
        tree[name] = ledger_group({k: (v, about(k, words)) for k, v in columns.items()}, f"{name}_row")
    tree["landmarks"] = ledger_group({k: (np.array([v]),
                                          {"units": "1", "sign": "+",
                                           "definition": f"{k.replace('_', ' ')} efficiency"})
                                      for k, v in marks.items()}, "landmark")
    write_tree(path, tree)
    return tree


def main(argv=None):
    """Run the experiment; returns the exit code."""
    args = arguments(argv)
    settings = {"particles": args.particles or (20_000 if args.quick else 400_000), "cells": 160 if args.quick else 300,
                "tolerance": 1e-3 if args.quick else 1e-5}
    print(f"thermosim {__version__}: {settings['particles']} particles a cycle, densities on {settings['cells']} "
          f"cells, into {args.out}", flush=True)
    from thermosim.files.atomic import writable_folder
    from thermosim.report import draw
    from thermosim.show import format_table

    out = writable_folder(args.out)
    tree = write(out/"run.h5", args, settings, 10 if args.quick else 40)
    print(format_table(tree["summary"]), format_table(tree["maximum_power"], explain=False),
          sep="\n\nat maximum power:\n")
    draw(out/"run.h5")
    print(f"wrote {out/'run.h5'} and {out/'engines.png'}")
    return 0


if __name__ == "__main__":
    sys.exit(run(main))
