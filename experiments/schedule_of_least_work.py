"""Noise schedules computed from thermodynamics against the hand-made ones, on exact scores and on a trained network.

    python experiments/schedule_of_least_work.py            # three pilots a problem, five on digits; some ten minutes
    python experiments/schedule_of_least_work.py --quick    # two problems, a small network: under half a minute

Work: what grids of N levels dissipate beside the least possible (dynamic programming), on error curves of exact laws
and of a network that it trains on handwritten digits. Transport: where euler, heun and dpmpp_2m end over the
recommended grid beside hand-made and published ones, on laws whose flow is known; first those that the recommendation
was developed on, then mixtures drawn from a seed that nobody had looked at. Digits: the same against the network's
own fine flow, and the samples against data. Every number is a mean over seeds with its standard error. Losses are
printed too. Written to run.h5; the figures are drawn from the file. A run that was stopped goes on where it stood.
"""

import sys
from dataclasses import replace

from thermosim.command import Parser, run, whole_number
from thermosim.version import __version__

FRESH_SEED = 20_261_121
UNITS = {"P_least": "nats"}
SAID = {
    "problem": "data law", "fresh": "drawn after the recommendation was written", "steps": "N",
    "judge": "what is compared",
    "P_least": "least dissipated work of N steps, by dynamic programming",
    "geodesic": "P of equal steps in ∫√ζ dλ over the least",
    "even": "P of equal dissipation a step over the least", "by_hand": "best hand-made grid",
    "geodesic_over_hand": "P of the geodesic over the best hand-made one's",
    "even_over_hand": "P of even dissipation over the same",
    "PN_over_L2": "P·N/L² of the geodesic, L = ∫√ζ dλ", "sampler": "which sampler",
    "error": "over the recommended grid",
    "karras": "over Karras' grid, ρ = 7", "over_karras": "error over that of Karras' grid",
    "over_hand": "error over that of the best hand-made grid",
    "chosen": "candidate that the pilot recommends, most often",
    "evaluations": "network evaluations spent on the pilot batch, at most", "grid": "which grid",
    "ratio": "geometric mean over problems and N of its error over Karras'",
    "claim": "what was asked", "set": "known laws or fresh ones", "found": "measured", "target": "at most",
    "holds": "whether it is kept",
    "w2": "W2(generated, held-out)/W2(training, held-out)", "w2_karras": "the same over Karras' grid",
    "w2_flow": "the same of the network's own fine flow", "nearest_flow": "the same of the network's own fine flow",
    "nearest": "median distance generated → training over held-out → training",
    "nearest_karras": "the same over Karras' grid",
    "mean_over_karras": "mean distance to the network's own fine flow over that of Karras' grid",
    "nfe": "network evaluations a sample",
    "seconds": "processor time of the pilot with its recommendation, at most",
    "share_of_training": "of the training's processor time, at most",
}


def arguments(argv):
    """The command line."""
    parser = Parser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=whole_number("repeats are", 2, 100), default=None,
                        help="pilots a problem (default: 3)")
    parser.add_run("runs/schedule_of_least_work", quick="two problems, small pilots, a small network")
    return parser.parse_args(argv)


def table(rows, name):
    """The group of rows (dicts of equal keys) as a table; `<column>_error` holds a standard error."""
    import numpy as np

    from thermosim.files.schema import ledger_group

    def about(key):
        whose = key.removesuffix("_error")
        said = SAID[whose] + (", its standard error" if key != whose else "")
        return {"units": UNITS.get(whose, "1"), "sign": "-", "definition": said,
                "nan_reason": "a closed curve has no sampling error"}

    columns = {key: (np.array([row[key] for row in rows]), about(key)) for key in rows[0]}
    for values, attrs in columns.values():
        if values.dtype.kind != "f" or np.isfinite(values).all():
            del attrs["nan_reason"]
    return ledger_group(columns, f"{name}_row")


# --- work ---------------------------------------------------------------------------------------------


def error_curves(settings, device):
    """(problem, curves): closed ones alone, sampled ones one a seed."""
    import numpy as np

    from thermosim.runs.noising import squared_error_curve
    from thermosim.thermo.grids import contest
    from thermosim.thermo.grids.geodesic import MseCurve

    laws, levels, spectrum = contest.known(), np.geomspace(contest.HOT, contest.COLD, 200), contest.power_law(64)
    rng = np.random.default_rng(64)
    rough = contest.GaussianMixture(rng.dirichlet(np.full(4, 3.0)), rng.normal(size=(4, 64))*np.sqrt(spectrum),
                                    np.tile(0.3*spectrum, (4, 1)))
    sharp = contest.GaussianMixture(rng.dirichlet(np.full(4, 3.0)), rng.normal(size=(4, 64)), np.full(4, 0.2**2))
    one = "two modes, 1-D"
    yield one, [MseCurve(levels, [laws[one].mmse(s) for s in levels])]
    yield "power law, 64-D", [MseCurve(levels, [np.sum(spectrum*s*s/(spectrum + s*s)) for s in levels])]
    sampled = {"ring, 2-D": laws["ring, 2-D"], "swiss roll, 2-D": laws["swiss roll, 2-D"],
               "power-law mixture, 64-D": rough, "far modes, 64-D": sharp}
    for name, law in sampled.items():
        yield name, [MseCurve(levels,
                              squared_error_curve(law, law.sample(settings["points"], seed, device), levels, seed, device, 1).mean(axis=1))
                     for seed in range(settings["repeats"])]


def work_rows(problem, curves, steps):
    """One row a number of steps: how far from the least work the grids of these curves are."""
    import numpy as np

    from thermosim import schedules
    from thermosim.thermo.grids.contest import spread
    from thermosim.thermo.grids.least_work import least_work

    rows, names = [], ("karras", "cosine", "linear", "log_snr")
    for N in steps:
        found = []
        for curve in curves:
            ends = curve.sigma_max, curve.sigma_min, N
            found.append([curve.dissipation(grid)
                          for grid in (least_work(curve, *ends), curve.geodesic(*ends), curve.even(*ends),
                                                                *(getattr(schedules, name)(*ends) for name in names))])
        found = np.array(found)
        best = 3 + found[:, 3:].mean(axis=0).argmin()
        row = {"problem": problem, "steps": N, "by_hand": names[best - 3]}
        lengths = np.array([curve.length for curve in curves])
        for key, values in (("P_least", found[:, 0]), ("geodesic", found[:, 1]/found[:, 0]),
                            ("even", found[:, 2]/found[:, 0]),
                            ("geodesic_over_hand", found[:, 1]/found[:, best]),
                            ("even_over_hand", found[:, 2]/found[:, best]),
                            ("PN_over_L2", found[:, 1]*N/lengths**2)):
            mean, error = spread(values) if len(curves) > 1 else (values[0], np.nan)
            row |= {key: mean, f"{key}_error": error}
        rows.append(row)
    return rows


# --- digits ---------------------------------------------------------------------------------------------


def one_digits_seed(network, judge, sizes, seed):
    """(rows (configurations, columns), last recommendation): the
    network's pilot of `seed`, judged on other noise of that seed.

    `judge` takes samples to (w2 ratio, nearest ratio).
    """
    import time

    import numpy as np

    from thermosim.samplers import DPMpp2M, Euler, Heun
    from thermosim.thermo.grids.contest import carried, errors_of, pilot_noise
    from thermosim.thermo.grids.pilot import Pilot
    from thermosim.thermo.grids.recommend import recommend

    d = network.dimension
    exact = Pilot(network, 20.0*pilot_noise(sizes["digits_judged"], d, 10_000 + seed), 20.0, 0.01,
                  fine=sizes["digits_fine"])
    flow = judge(exact.x[-1])
    clock = time.process_time()
    pilot = Pilot(network, 20.0*pilot_noise(sizes["digits_particles"], d, seed), 20.0, 0.01, fine=60)
    curve = pilot.curve(levels=60)
    shared, rows = time.process_time() - clock, []
    for sampler, steps in ((Euler(), (5, 10, 20)), (Heun(), (2, 5, 10)), (DPMpp2M(), (5, 10, 20))):
        for N in steps:
            clock = time.process_time()
            told = recommend(pilot, sampler, N, curve, budget=1200)
            seconds, row = shared + time.process_time() - clock, []
            for grid in (told.sigmas, told.candidates["karras"]):
                x = carried(sampler, network, grid, exact.x[0])
                row += [*errors_of(x, exact.x[-1]), *judge(x)]
            rows.append([*row, *flow, told.evaluations, seconds])
    return np.array(rows), told


def digits_rows(found, training_seconds):
    """Rows from (seeds, configurations, columns)."""
    import numpy as np

    from thermosim.thermo.grids.contest import spread

    configurations = [(sampler, N, cost*N)
                      for sampler, cost, steps in (("euler", 1, (5, 10, 20)), ("heun", 2, (2, 5, 10)),
                                                   ("dpmpp_2m", 1, (5, 10, 20)))
                      for N in steps]
    rows, d = [], 64
    for k, (sampler, N, nfe) in enumerate(configurations):
        mean, rms, w2, near, mean_k, rms_k, w2_k, near_k, w2_f, near_f, evaluations, seconds = np.array(found)[:, k].T
        row = {"sampler": sampler, "nfe": nfe, "evaluations": evaluations.max(), "seconds": seconds.max(),
               "share_of_training": seconds.max()/training_seconds}
        for key, values in (("error", rms/np.sqrt(d)), ("karras", rms_k/np.sqrt(d)), ("over_karras", rms/rms_k),
                            ("mean_over_karras", mean/mean_k),
                            ("w2", w2), ("w2_karras", w2_k), ("w2_flow", w2_f), ("nearest", near),
                            ("nearest_karras", near_k), ("nearest_flow", near_f)):
            row[key], row[f"{key}_error"] = spread(values)
        rows.append(row)
    return rows


# --- all of it ------------------------------------------------------------------------------------------


def train(settings, seed, device, out):
    """(denoiser, judge, curve, training seconds): digits learnt, or taken up where an earlier run left them."""
    import time

    import numpy as np

    from thermosim.files.data import load_data
    from thermosim.score import train as training
    from thermosim.thermo import round_trip as rt

    split = rt.split(load_data("digits").values, seed)
    config = replace(training.TrainConfig(seed=seed), **settings["training"])
    denoise = training.trained(split.train, config, device, out, split.validation)
    # processor time, as the pilot's is, so that other work on the machine does not count; a denoiser that was found has
    # none.
    # Of two short trainings the difference, without what starting takes; one more before them, for what only the first
    # one loads
    spent = []
    for steps in (10, 50, 250):
        clock = time.process_time()
        training.train(split.train, replace(config, steps=steps), device)
        spent.append(time.process_time() - clock)
    seconds = (spent[2] - spent[1])/200*config.steps
    curve = rt.measure_curve(denoise, split.validation, replace(rt.Plan(), levels=settings["levels"]), device)
    w2, near = (rt.quality.w2(split.train[:len(split.test)], split.test),
                np.median(rt.quality.nearest(split.test, split.train)))
    return (denoise, lambda x: (rt.quality.w2(x, split.test)/w2, np.median(rt.quality.nearest(x, split.train))/near),
            curve.fit, seconds)


def measure(settings, args, device):
    """Every table of the run, as {name: rows}, and the last recommendation on digits."""
    import numpy as np

    from thermosim.files.checkpoint import Journal, config_key
    from thermosim.files.progress import Progress
    from thermosim.files.tree import Dataset, Group
    from thermosim.samplers import DPMpp2M, Euler, Heun
    from thermosim.thermo.grids import contest

    network, judge, own, seconds = train(settings, args.seed, device, args.out)
    curves = [*error_curves(settings, device), ("digits, own curve", [own])]
    work = [row for name, those in Progress(curves, "work", "problem")
            for row in work_rows(name, those, settings["work_steps"])]
    laws = {name: (law, fresh) for fresh, found in ((False, contest.known()), (True, contest.fresh(FRESH_SEED)))
            for name, law in found.items()
            if settings["problems"] is None or name in settings["problems"]}
    samplers, seeds, transport, ratios = (Euler(), Heun(), DPMpp2M()), [args.seed + k
                                                                        for k in range(settings["repeats"])], [], []
    with Journal(args.out/"work"/config_key({"settings": settings, "seed": args.seed,
                                             "version": __version__})) as journal:
        units = [(name, seed) for name in laws for seed in seeds]
        for name, seed in (bar := Progress(units, "transport", "pilot")):
            bar.note(name)
            key = f"{name.replace(' ', '-').replace(',', '')}-{seed}"
            if journal.get(key) is None:
                law, n = laws[name][0], settings["particles"]
                found = contest.contest(law, samplers, settings["steps"], seed, contest.affordable(law, n),
                                        contest.affordable(law, 4*n))
                journal.put(key, Group(datasets={k: Dataset(v, tuple(f"{k}_{axis}" for axis in range(v.ndim)))
                                                 for k, v in zip(("errors", "chosen", "evaluations"), found)}))
        for name, (law, fresh) in laws.items():
            trees = [journal.get(f"{name.replace(' ', '-').replace(',', '')}-{seed}") for seed in seeds]
            errors, chosen, evaluations = (np.stack([t[k].values for t in trees])
                                           for k in ("errors", "chosen", "evaluations"))
            for j, judged in enumerate(contest.judges(law)):
                transport += contest.transport_rows(name, fresh, judged, errors[:, j], chosen[:, j], evaluations[:, j],
                                                    samplers, settings["steps"])
            ratios.append(errors[:, 0])
        found = []
        for seed in Progress(range(args.seed, args.seed + settings["digits_seeds"]), "digits", "pilot"):
            if journal.get(f"digits-{seed}") is None:
                columns, told = one_digits_seed(network, judge, settings, seed)
                journal.put(f"digits-{seed}",
                            Group(datasets={"found": Dataset(columns, ("configuration", "column"))},
                                  groups={"schedule": told.table()}))
            found.append(journal.get(f"digits-{seed}"))
        tables = {"work": work, "transport": transport, "comparison": contest.comparison(ratios, samplers),
                  "summary": contest.verdicts(transport),
                  "digits": digits_rows([t["found"].values for t in found], seconds)}
    return tables, found[-1]["schedule"], seconds, journal


def main(argv=None):
    """Run the experiment; returns the exit code."""
    args = arguments(argv)
    settings = {"repeats": args.repeats or 3, "particles": 4096, "points": 4000, "steps": (5, 10, 20, 50),
                "work_steps": (5, 10, 20, 35, 50, 70, 100),
                "problems": None, "training": {}, "levels": 160, "digits_particles": 128, "digits_fine": 150,
                "digits_judged": 299, "digits_seeds": 5}
    if args.quick:
        settings |= {"repeats": args.repeats or 2, "particles": 256, "points": 300, "steps": (5, 10),
                     "work_steps": (10, 50), "problems": ["two modes, 1-D", "ring, 2-D"],
                     "training": {"width": 64, "steps": 400, "rate": 5e-3}, "levels": 60, "digits_particles": 32,
                     "digits_fine": 30, "digits_judged": 60, "digits_seeds": 2}
    print(f"thermosim {__version__}: schedules of least work and of least transport error, into {args.out}", flush=True)
    from thermosim.backend import open_device
    from thermosim.files.atomic import writable_folder
    from thermosim.files.provenance import provenance
    from thermosim.files.schema import new_run
    from thermosim.files.store import write_tree
    from thermosim.report import draw
    from thermosim.show import format_table
    from thermosim.thermo.quality import companions

    companions()
    writable_folder(args.out)
    tables, told, seconds, journal = measure(settings, args, open_device("cpu"))
    tree = new_run(provenance(settings | {"fresh_seed": FRESH_SEED}, args.seed))
    for name, rows in tables.items():
        tree[name] = table(rows, name)
    tree["schedule"] = told
    path = args.out/"run.h5"
    write_tree(path, tree)
    journal.clear()
    for name in ("work", "transport", "comparison", "digits", "summary"):
        print(f"\n{name}\n{format_table(tree[name], explain=False)}")
    print(f"\ntraining the network takes {seconds:.0f} s of processor time; wrote {path}; figures "
          f"{', '.join(p.name for p in draw(path, args.out))} beside it")
    return 0


if __name__ == "__main__":
    sys.exit(run(main))
