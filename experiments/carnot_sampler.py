"""Does a Carnot-like sampler, isotherms joined by adiabats, waste less? Measured at equal network evaluations.

    python experiments/carnot_sampler.py                     # 20,000 particles, about a minute
    python experiments/carnot_sampler.py --grid cosine       # over other levels
    python experiments/carnot_sampler.py --quick             # 10 and 20 evaluations, 4,000 particles

Data are a mixture on a line at unit variance with its exact score. Samplers: carnot jumps by rescaling x at no cost
and without heat, then relaxes (one evaluation an isotherm; its noise takes the mse of the denoiser into account);
carnot_x4 takes four isotherms at each of a quarter of the levels; carnot_euler jumps along the probability flow,
about the denoised point, for one evaluation more. Distance is W2 from the law the sampler really leaves, carried
without particles, to that of data at the last level; its error is the change on halving its points. Books are those
of the trap U = y²/2 at T = 1, by particles. Written to run.h5; the figure is drawn from the file.
"""

import sys

from thermosim.command import Parser, run, whole_number
from thermosim.version import __version__

SIGMA_MAX, SIGMA_MIN = 50.0, 0.02
GRIDS = ("karras", "log_snr", "cosine", "linear")
HALVED = "change of the column before on halving the points"
BOOKS = ("work", "heat", "Sigma", "eta_II", "eta_cycle", "eta_cycle_geodesic")


def arguments(argv):
    """The command line."""
    parser = Parser(description=__doc__.splitlines()[0])
    parser.add_argument("--particles", type=whole_number("particles are"), default=None, help="default: 20,000")
    parser.add_argument("--grid", choices=GRIDS, default="karras", help="noise levels (default: %(default)s)")
    parser.add_run("runs/carnot_sampler", quick="4,000 particles, 10 and 20 evaluations")
    return parser.parse_args(argv)


def data():
    """The mixture at unit variance."""
    import numpy as np

    from thermosim.score.exact import GaussianMixture

    scale = np.sqrt(1.56)
    return GaussianMixture([0.4, 0.6], [[-1.5/scale], [1.0/scale]], [0.09/1.56, 0.04/1.56])


def contestants(law):
    """{name: sampler}."""
    import functools

    from thermosim.samplers import DDIM, AnnealedLangevin, Carnot, DPMpp2M, Euler, EulerAncestral, Heun

    mse = functools.lru_cache(None)(law.mmse)
    samplers = {str(s): s for s in (Euler(), DDIM(0.5), Heun(), DPMpp2M(), EulerAncestral(), AnnealedLangevin())}
    return samplers | {"carnot": Carnot(mse=mse), "carnot_x4": Carnot(repeats=4, mse=mse),
                       "carnot_euler": Carnot(jump=Euler(), mse=mse)}


def distances(sampler, law, sigmas, points):
    """(W2, W1 to the data at the last level, mean, variance over theirs − 1) of the law a sampler leaves."""
    import numpy as np

    from thermosim.thermo.chain_law import chain_law, distance_to_mixture

    x, weight = chain_law(sampler, law, sigmas, points)
    mean = weight @ x
    w2, w1 = (distance_to_mixture(x, weight, law, sigmas[-1], power) for power in (2, 1))
    return np.array([w2, w1, mean, weight @ (x - mean)**2/(law.second_moment() + sigmas[-1]**2) - 1])


def measure(particles, evaluations, points, grid, seed):
    """Rows of the table, and the reasons of NaN."""
    from thermosim import schedules
    from thermosim.backend import open_device
    from thermosim.files.progress import Progress
    from thermosim.thermo.sampler_cycle import Heating, cool

    law, device = data(), open_device("cpu")
    heating, rows, why = Heating(law, SIGMA_MAX, SIGMA_MIN), [], {}
    cases = [(name, sampler, nfe) for name, sampler in contestants(law).items()
             for nfe in evaluations if nfe % sampler.evaluations == 0]
    for name, sampler, nfe in Progress(cases, "cool", "run"):
        levels = nfe//sampler.evaluations
        sigmas = getattr(schedules, grid)(SIGMA_MAX, SIGMA_MIN, levels)
        # without noise a point is never cut again, and many cost little
        found, coarse = (distances(sampler, law, sigmas, m if sampler.draws else 200*m) for m in (points, points//2))
        cooled = cool(sampler, heating, sigmas, device, particles, seed=seed)
        row = {"sampler": name, "nfe": levels*sampler.evaluations, "levels": levels}
        for column, value, error in zip(("w2", "w1", "mean", "variance_error"), found, abs(found - coarse)):
            row |= {column: value, f"{column}_error": error}
        for column in BOOKS:
            row |= {column: cooled.row[column], f"{column}_error": cooled.errors[column]}
            if column in cooled.why:
                why.setdefault(column, {}).setdefault(cooled.why[column], {})[name] = None
        rows.append(row)
    return rows, {column: "; ".join(f"{', '.join(those)}: {reason}" for reason, those in found.items())
                  for column, found in why.items()}


def write(path, args, particles, evaluations, points):
    """Write everything as `path`; returns the table."""
    import numpy as np

    from thermosim.files.provenance import provenance
    from thermosim.files.schema import ledger_group, new_run
    from thermosim.files.store import write_tree
    from thermosim.thermo.sampler_cycle import CYCLE

    said = {"sampler": "which sampler", "nfe": "network evaluations per sample", "levels": "steps of the grid",
            "w2": "W2 of the law it leaves to the data at the last level",
            "w1": "W1, which feels modes of wrong shares less",
            "mean": "of the law it leaves; that of data is 0",
            "variance_error": "its variance over that of data, less 1"}
    rows, why = measure(particles, evaluations, points, args.grid, args.seed)
    columns = {}
    for name in rows[0]:
        column = CYCLE.get(name) if name in BOOKS else None
        about = {"units": column.unit, "sign": column.sign, "definition": column.definition} if column else {
            "units": "1", "sign": "-",
            "definition": said.get(name, HALVED if name[:-6] in said else "standard error of the column before")}
        values = np.array([row[name] for row in rows])
        if values.dtype.kind == "f" and np.isnan(values).any():
            about["nan_reason"] = why[name.removesuffix("_error")]
        columns[name] = (values, about)
    settings = {"particles": particles, "points": points, "grid": args.grid, "sigma_max": SIGMA_MAX,
                "sigma_min": SIGMA_MIN}
    tree = new_run(provenance(settings, args.seed))
    tree["summary"] = ledger_group(columns, "row", {"comparison": "equal evaluations", "grid": args.grid})
    write_tree(path, tree)
    return tree["summary"]


def main(argv=None):
    """Run the experiment; returns the exit code."""
    args = arguments(argv)
    particles = args.particles or (4000 if args.quick else 20_000)
    evaluations, points = ((10, 20), 100) if args.quick else ((10, 20, 40, 80), 300)
    print(f"thermosim {__version__}: {particles} particles over {args.grid} levels, σ from {SIGMA_MAX:g} to "
          f"{SIGMA_MIN:g}, into {args.out}", flush=True)
    from thermosim.files.atomic import writable_folder
    from thermosim.report import draw
    from thermosim.show import format_table

    out = writable_folder(args.out)
    print(format_table(write(out/"run.h5", args, particles, evaluations, points)))
    draw(out/"run.h5")
    print(f"\nwrote {out/'run.h5'} and {out/'carnot.png'}")
    return 0


if __name__ == "__main__":
    sys.exit(run(main))
