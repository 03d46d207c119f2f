"""Is Euler sampling isothermal, equal portions of heat on every step? Measured, per sampler and schedule.

    python experiments/is_euler_isothermal.py            # 100,000 particles, seconds
    python experiments/is_euler_isothermal.py --quick    # 10,000 particles

Data are a Gaussian N(0, s²), s = 0.5, whose score is exact. Every sampler that takes one leg a step cools the same
noise over every grid; a step's heat is the line integral −½(F + F')·Δx of the force that drives it, its ensemble
mean Q_n. The answer is the coefficient of variation of Q_n over the steps, 0 for an isothermal sampler, beside its
value in closed form: these samplers are linear maps here, so their variances follow a recursion. The error of the
measured one is from four independent parts of the ensemble. Written to run.h5; the figure is drawn from the file.
"""

import sys

from thermosim.command import Parser, run, whole_number
from thermosim.version import __version__

SPREAD, SIGMA_MAX, SIGMA_MIN, PARTS = 0.5, 80.0, 0.002, 4


def arguments(argv):
    """The command line."""
    parser = Parser(description=__doc__.splitlines()[0])
    parser.add_argument("--particles", type=whole_number("particles are"), default=None, help="default: 100,000")
    parser.add_run("runs/is_euler_isothermal", quick="10,000 particles, 10 and 20 steps only")
    return parser.parse_args(argv)


def flow(sigma, after):
    """Euler on the flow as a linear map, (m, v, force per score): x' = x + (σ' − σ)(x − D)/σ, D = s²x/(s² + σ²)."""
    return 1 + (after - sigma)*sigma/(SPREAD**2 + sigma**2), 0.0, 1.0


def posterior(sigma, after):
    """The ancestral step as one: the posterior of x' given x and D, of mean rx + (1 − r)D, r = σ'²/σ²."""
    r = after**2/sigma**2
    return r + (1 - r)*SPREAD**2/(SPREAD**2 + sigma**2), after**2*(1 - r), 2.0


def closed_form(law, sigmas):
    """Q_n of a linear sampler on N(0, s²): variance w → m²w + v, Q = ½f(w' − w)/(s² + σ²), f the force per score."""
    heat, w = [], sigmas[0]**2
    for sigma, after in zip(sigmas[:-1], sigmas[1:]):
        m, v, force = law(sigma, after)
        w, before = m*m*w + v, w
        heat.append(0.5*force*(w - before)/(SPREAD**2 + sigma**2))
    return heat


def grids(steps):
    """{name: falling levels} of every schedule."""
    import numpy as np

    from thermosim import schedules
    from thermosim.thermo.grids.geodesic import MseCurve

    levels = np.geomspace(SIGMA_MAX, SIGMA_MIN, 400)
    curve = MseCurve(levels, SPREAD**2*levels**2/(SPREAD**2 + levels**2))
    found = {name: getattr(schedules, name)(SIGMA_MAX, SIGMA_MIN, steps)
             for name in ("linear", "cosine", "karras", "log_snr")}
    return found | {"geodesic": curve.geodesic(SIGMA_MAX, SIGMA_MIN, steps)}


def measure(particles, steps, seed):
    """Table of every sampler, schedule and number of steps; heat per step of all of them."""
    import numpy as np

    from thermosim.backend import open_device
    from thermosim.files.progress import Progress
    from thermosim.runs.sampling import sample
    from thermosim.samplers import Euler, EulerAncestral
    from thermosim.score.exact import GaussianMixture
    from thermosim.thermo.efficiency import coefficient_of_variation

    data, device = GaussianMixture([1.0], [[0.0]], [SPREAD**2]), open_device("cpu")
    table, heats = {}, {}
    cases = [(sampler, law, N, name, sigmas) for sampler, law in ((Euler(), flow), (EulerAncestral(), posterior))
             for N in steps for name, sigmas in grids(N).items()]
    for sampler, law, N, name, sigmas in Progress(cases, "cool", "run"):
        parts = [sample(sampler, data, sigmas, particles//PARTS, 1, seed + PARTS*k, device, batch=50_000).ledger
                 for k in range(PARTS)]
        heat = np.array([part["heat_line"] for part in parts])
        variation = np.array([coefficient_of_variation(q) for q in heat])
        mean, exact = heat.mean(axis=0), closed_form(law, sigmas)
        line = {"sampler": sampler.name, "grid": name, "steps": N, "heat_cv": coefficient_of_variation(mean),
                "heat_cv_error": variation.std(ddof=1)/np.sqrt(PARTS), "heat_cv_exact": coefficient_of_variation(exact),
                "heat_total": mean.sum(), "heat_total_error": heat.sum(axis=1).std(ddof=1)/np.sqrt(PARTS),
                "heat_total_exact": sum(exact)}
        for key, value in line.items():
            table.setdefault(key, []).append(value)
        for key, values in (("sampler", [sampler.name]*N), ("grid", [name]*N), ("steps", [N]*N), ("step", range(N)),
                            ("heat", mean),
                            ("heat_error", heat.std(axis=0, ddof=1)/np.sqrt(PARTS)), ("heat_exact", exact)):
            heats.setdefault(key, []).extend(values)
    return table, heats


def write(path, args, settings):
    """Write everything as `path`; returns the table."""
    import numpy as np

    from thermosim.files.provenance import provenance
    from thermosim.files.schema import ledger_group, new_run
    from thermosim.files.store import write_tree

    said = {"sampler": "which sampler", "grid": "which schedule", "steps": "N",
            "heat_cv": "population std over |mean| of Q_n: 0 is isothermal",
            "heat_cv_exact": "the same in closed form", "heat_total": "ΣQ_n",
            "heat_total_exact": "the same in closed form",
            "step": "n, from noise to data", "heat": "Q_n, into the sample", "heat_exact": "Q_n in closed form"}
    table, heats = measure(args.particles or settings["particles"], settings["steps"], args.seed)
    tree = new_run(provenance({"spread": SPREAD, "sigma_max": SIGMA_MAX, "sigma_min": SIGMA_MIN, **settings},
                              args.seed))
    for name, columns in (("summary", table), ("heat_of_steps", heats)):
        tree[name] = ledger_group({k: (np.array(v),
                                       {"units": "1", "sign": "Q > 0 into the sample" if k.startswith("heat") else "-",
                                                     "definition": said.get(k, "standard error of the column before")})
                                   for k, v in columns.items()}, f"{name}_row")
    write_tree(path, tree)
    return tree["summary"]


def main(argv=None):
    """Run the experiment; returns the exit code."""
    args = arguments(argv)
    settings = {"particles": 10_000 if args.quick else 100_000, "steps": (10, 20) if args.quick else (10, 20, 50)}
    print(f"thermosim {__version__}: data N(0, {SPREAD}²), σ from {SIGMA_MAX:g} to {SIGMA_MIN:g}, into {args.out}",
          flush=True)
    from thermosim.files.atomic import writable_folder
    from thermosim.report import draw
    from thermosim.show import format_table

    out = writable_folder(args.out)
    print(format_table(write(out/"run.h5", args, settings)))
    draw(out/"run.h5")
    print(f"\nwrote {out/'run.h5'} and {out/'isothermal.png'}")
    return 0


if __name__ == "__main__":
    sys.exit(run(main))
