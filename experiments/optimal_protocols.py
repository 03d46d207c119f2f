"""The least work of a single stroke, and its jumps: optimal against linear protocols in a trap, over the duration.

    python experiments/optimal_protocols.py            # 200,000 particles a point, under a minute
    python experiments/optimal_protocols.py --quick    # 20,000 particles, three durations

A trap is dragged by 1, and a trap is stiffened from k = 1 to 4, with μ = T = 1 and from equilibrium, in times from
0.1 to 10. Work of the linear ramp and of the protocol of least work (Schmiedl, Seifert, cond-mat/0701554), which
jumps at both ends, in closed form and from particles; beside them what no protocol between the same end laws beats,
ΔF + W2²/(μt), with the nonequilibrium free energy and the Wasserstein distance of the laws that the closed form ends
in. Written to run.h5; the figure is drawn from the file.
"""

import sys

from thermosim.command import Parser, run, whole_number
from thermosim.version import __version__

K0, K1, DISTANCE = 1.0, 4.0, 1.0


def arguments(argv):
    """The command line."""
    parser = Parser(description=__doc__.splitlines()[0])
    parser.add_argument("--particles", type=whole_number("particles are"), default=None, help="default: 200,000")
    parser.add_run("runs/optimal_protocols", quick="20,000 particles, three durations")
    return parser.parse_args(argv)


def dragged(t, optimal):
    """(path c(s), work, bound) of a trap k = 1 dragged over DISTANCE in t; only the mean of the particle moves."""
    import numpy as np

    if optimal:                         # from a to b at constant speed between jumps of DISTANCE/(2 + t)
        path = lambda s: DISTANCE*(1 + s)/(2 + t)
        mean, work = DISTANCE*t/(2 + t), DISTANCE**2/(2 + t)
    else:
        path = lambda s: DISTANCE*s/t
        lag = (DISTANCE/t)*-np.expm1(-t)
        mean, work = DISTANCE - lag, (DISTANCE/t)**2*(t + np.expm1(-t))
    # the end law is N(mean, 1) in a trap at DISTANCE: ΔF = ½(DISTANCE − mean)², W2 = mean
    return path, work, 0.5*(DISTANCE - mean)**2 + mean**2/t


def stiffened(t, optimal):
    """(path k(s), work, bound) of a trap stiffened from K0 to K1 in t; only the variance moves."""
    import numpy as np

    from thermosim.thermo.cycles.moments import OverdampedMoments, Stroke, propagator
    from thermosim.thermo.cycles.optimal import stiffening

    stroke = stiffening(K0, K1, t)[1] if optimal else Stroke.linear(K0, K1, 1.0, t)
    w = 1/K0
    _, w_end, heat, _ = propagator(OverdampedMoments(), stroke) @ np.array([1.0, w, 0.0, 0.0])
    free = 0.5*(K1*w_end - np.log(w_end)) - 0.5*(K0*w - np.log(w))
    return stroke.k, 0.5*(K1*w_end - K0*w) - heat, free + (np.sqrt(w_end) - np.sqrt(w))**2/t


def by_particles(name, path, ends, t, particles, steps, seed):
    """Mean work and its error; the protocol's value in a step is that at its middle, both jumps included."""
    import numpy as np

    from thermosim.dynamics import Overdamped
    from thermosim.integrators import ExactOU
    from thermosim.potentials import Harmonic
    from thermosim.protocols import Sampled
    from thermosim.runs.particles import simulate

    table = np.array([ends[0], *(path((n + 0.5)*t/steps) for n in range(steps))])
    trap = Harmonic()
    walk = simulate(Overdamped(trap), particles=particles, t=(0.0, t), steps=steps, protocol=Sampled(**{name: table}),
                    scheme=ExactOU(), every=steps, precision="double", seed=seed, books=("work",))
    last = trap.energy(walk.x, **{name: ends[1]}) - trap.energy(walk.x, **{name: table[-1]})
    work = walk.work + last
    return work.mean(), work.std()/np.sqrt(particles)


def measure(particles, durations, seed):
    """Columns of the table."""
    from thermosim.files.progress import Progress

    table = {}
    cases = [(task, name, ends, law, t, optimal) for task, name, ends, law in
             (("dragged", "c", (0.0, DISTANCE), dragged), ("stiffened", "k", (K0, K1), stiffened))
             for t in durations for optimal in (False, True)]
    for k, (task, name, ends, law, t, optimal) in enumerate(Progress(cases, "strokes", "stroke")):
        path, work, bound = law(t, optimal)
        seen, error = by_particles(name, path, ends, t, particles, 200, seed + k)
        line = {"task": task, "protocol": "optimal" if optimal else "linear", "duration": t, "work": work,
                "work_particles": seen,
                "work_particles_error": error, "bound": bound, "jump_start": path(0.0) - ends[0],
                "jump_end": ends[1] - path(t)}
        for key, value in line.items():
            table.setdefault(key, []).append(value)
    return table


def write(path, args, settings):
    """Write everything as `path`; returns the table."""
    import numpy as np

    from thermosim.files.provenance import provenance
    from thermosim.files.schema import ledger_group, new_run
    from thermosim.files.store import write_tree

    said = {"task": "what is done to the trap", "protocol": "linear ramp, or least work", "duration": "of the stroke",
            "work": "mean work, closed form", "work_particles": "the same from particles",
            "work_particles_error": "its standard error",
            "bound": "ΔF + W2²/(μt) between the end laws", "jump_start": "of the parameter at 0",
            "jump_end": "of the parameter at the end"}
    tree = new_run(provenance({"k": [K0, K1], "distance": DISTANCE, **settings}, args.seed))
    tree["summary"] = ledger_group(
        {k: (np.array(v), {"units": "energy" if k.startswith(("work", "bound")) else "1",
                           "sign": "W > 0 on the system" if "work" in k else "-",
                           "definition": said[k]}) for k, v in measure(**settings, seed=args.seed).items()},
        "summary_row")
    write_tree(path, tree)
    return tree["summary"]


def main(argv=None):
    """Run the experiment; returns the exit code."""
    args = arguments(argv)
    settings = {"particles": args.particles or (20_000 if args.quick else 200_000),
                "durations": [0.1, 1.0, 10.0] if args.quick else [0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0]}
    print(f"thermosim {__version__}: {settings['particles']} particles a stroke, into {args.out}", flush=True)
    from thermosim.files.atomic import writable_folder
    from thermosim.report import draw
    from thermosim.show import format_table

    out = writable_folder(args.out)
    print(format_table(write(out/"run.h5", args, settings)))
    draw(out/"run.h5")
    print(f"wrote {out/'run.h5'} and {out/'optimal.png'}")
    return 0


if __name__ == "__main__":
    sys.exit(run(main))
