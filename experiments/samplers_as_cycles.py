"""Every sampler as a thermal cycle: data heated to noise and cooled back, strokes, work, heat and efficiencies.

    python experiments/samplers_as_cycles.py                   # a mixture on a line, 40,000 particles: about a minute
    python experiments/samplers_as_cycles.py --law ring        # eight modes in the plane, minutes; or swissroll
    python experiments/samplers_as_cycles.py --quick           # 4,000 particles

Data are a mixture at unit variance, whose score and entropy are exact; the system is y = x/√(1 + σ²) in
U = y²/2 at T = 1, the variance-preserving process. Heating is that process undriven; each sampler cools the same noise
over the same Karras levels. The second table refines the levels: there the reverse SDE of noise level ξ has
η_II = ξ/(1 + ξ), one half for the ancestral chain, and only isotherms joined by adiabats go on to 1. Errors are those
of independent parts. In the plane entropies are taken by nearest neighbours and W2 between samples of 1,000 points at
most: what both say of exact data is printed beside them. Written to run.h5; the figure, entropy against noise
temperature, is drawn from the file. An interrupted run goes on where it was.
"""

import sys

from thermosim.command import Parser, run, whole_number
from thermosim.version import __version__

SIGMA_MAX, SIGMA_MIN, STEPS, PARTS = 50.0, 0.02, 20, 8
LAWS = ("line", "ring", "swissroll")
SHOWN = ("sampler", "nfe", "work", "heat", "entropy_change", "Sigma", "eta_path", "eta_geo", "w2_end", "eta_II",
         "eta_step", "bit_cost", "eta_cycle",
         "eta_cycle_geodesic")


UNDEFINED = dict.fromkeys(("work", "shadow_work", "heat"), "no bath, or no kernel with a density of its own") | {
    "eta_step": "no order gained in the step, or no heat"}


def arguments(argv):
    """The command line."""
    parser = Parser(description=__doc__.splitlines()[0])
    parser.add_argument("--law", choices=LAWS, default=LAWS[0], help="of the data (default: %(default)s)")
    parser.add_argument("--particles", type=whole_number("particles are"), default=None, help="default: 40,000")
    parser.add_run("runs/samplers_as_cycles", quick="4,000 particles, coarser limits")
    return parser.parse_args(argv)


def data(name):
    """The mixture of that name, at unit variance: two modes on a
    line, eight on a circle, 300 narrow ones along a spiral."""
    import numpy as np

    from thermosim.datasets.ring import Ring
    from thermosim.datasets.swiss_roll import SwissRoll
    from thermosim.score.exact import GaussianMixture

    ring, roll = Ring(), SwissRoll()
    weights, means, width = {
        "line": lambda: ([0.4, 0.6], [[-1.5], [1.0]], [0.3, 0.2]),
        "ring": lambda: (np.full(ring.parts, 1/ring.parts), ring.centres, np.full(ring.parts, ring.noise)),
        "swissroll": lambda: (np.full(300, 1/300), roll.curve(300), np.full(300, roll.noise))}[name]()
    weights, means, variances = np.asarray(weights), np.asarray(means), np.square(width)
    scale = np.sqrt(weights @ (variances + (means**2).mean(axis=1)))
    return GaussianMixture(weights, means/scale, variances/scale**2)


def limits(heating):
    """[(sampler, ξ or None, η_II of its fine limit)]; the last
    keeps its isotherms short, so that they are Langevin's."""
    from thermosim.samplers import DDIM, Carnot, EulerAncestral

    carnot = Carnot(0.1, mse=lambda sigma: heating.mmse(sigma)/heating.law.d)
    return [(EulerAncestral(), 1.0, 0.5), (DDIM(0.5**0.5), 0.5, 1/3), (carnot, None, 1.0)]


def once(journal, key, make):
    """What `make()` gives, rows and texts; from the journal where an earlier run has made it."""
    import json

    from thermosim.files.tree import Group

    kept = journal.get(key) or journal.put(key, Group({"rows": json.dumps(make())}))
    return json.loads(kept.attrs["rows"])


def cycle_rows(sampler, cooled):
    """Rows of the tables summary, strokes, levels and path, and the reasons of NaN."""
    from thermosim.thermo.sampler_cycle import CYCLE

    name = {"sampler": str(sampler)}
    summary = name | {"strokes": " + ".join(sampler.strokes)} | with_errors({column: (cooled.row[column], cooled.errors[column]) for column in CYCLE})
    strokes = [name | {"stroke": stroke} | with_errors(sums) for stroke, sums in cooled.strokes.items()]
    levels = [name | {"step": k, "sigma": s, "entropy": S, "entropy_error": e, "eta_step": eta} for k, (s, S, e, eta) in
              enumerate(zip(cooled.sigmas[1:], cooled.entropy[1:], cooled.entropy_error[1:], cooled.eta_step))]
    return [summary], strokes, levels, [name | {"sigma": s, "entropy": S} for s, S in zip(*cooled.path())], cooled.why


def measure(heating, particles, fine, seed, journal):
    """(summary, strokes, levels, path, limit) as tables of rows, and the reasons of NaN."""
    from thermosim import schedules
    from thermosim.backend import open_device
    from thermosim.files.progress import Progress
    from thermosim.samplers import FAMILY
    from thermosim.thermo.sampler_cycle import cool

    device, sigmas = open_device("cpu"), schedules.karras(SIGMA_MAX, SIGMA_MIN, STEPS)
    tables, limit, reasons = ([], [], [], []), [], {}
    for sampler in Progress(FAMILY, "cool", "sampler"):
        *rows, why = once(journal, str(sampler),
                          lambda: cycle_rows(sampler, cool(sampler, heating, sigmas, device, particles, PARTS, seed)))
        for mine, more in zip(tables, rows):
            mine += more
        for column, reason in why.items():
            reasons.setdefault(column, {}).setdefault(reason, []).append(str(sampler))
    for sampler, xi, expected in limits(heating):
        for N in Progress(fine, f"refine {sampler}", "grid"):
            def finer():
                cooled = cool(sampler, heating, schedules.log_snr(SIGMA_MAX, SIGMA_MIN, N), device,
                              particles//2, PARTS, seed)
                return with_errors({column: (cooled.row[column], cooled.errors[column])
                                    for column in ("work", "heat", "Sigma", "eta_II")})

            limit.append({"sampler": str(sampler), "steps": N} | once(journal, f"{sampler}-{N}", finer) | {"eta_II_limit": expected})
    why = {column: "; ".join(f"{', '.join(those)}: {reason}" for reason, those in found.items())
           for column, found in reasons.items()}
    return (*tables, limit), why


def with_errors(found):
    """{column: value, column_error: its error} from {column: (value, error)}."""
    return {key: value for name, (mean, error) in found.items()
            for key, value in ((name, mean), (f"{name}_error", error))}


def table(rows, why=UNDEFINED):
    """Rows as a table of the file; `why` says of a column why it is nan."""
    import numpy as np

    from thermosim.files.schema import ledger_group
    from thermosim.ledger import COLUMNS
    from thermosim.thermo.sampler_cycle import CYCLE

    said = {"sampler": "which sampler", "strokes": "the thermal processes its legs are", "stroke": "which of them",
            "step": "from noise to data",
            "steps": "levels of the grid", "legs": "how many", "entropy": "of the law of y = x/√(1 + σ²)",
            "eta_II_limit": "of the fine limit"}
    columns = {}
    for name in rows[0]:
        column = CYCLE.get(name) or COLUMNS.get(name)
        about = {"units": column.unit, "sign": column.sign, "definition": column.definition} if column else {
            "units": "1", "sign": "-", "definition": said.get(name, "standard error of the column before")}
        values = np.array([row[name] for row in rows])
        if values.dtype.kind == "f" and np.isnan(values).any():
            about["nan_reason"] = why[name.removesuffix("_error")]
        columns[name] = (values, about)
    return ledger_group(columns, "row")


def write(out, args, particles, fine):
    """Write everything as run.h5 in `out`; returns its tree."""
    from thermosim.files.checkpoint import Journal, config_key
    from thermosim.files.store import write_tree
    from thermosim.thermo.sampler_cycle import Heating

    heating = Heating(data(args.law), SIGMA_MAX, SIGMA_MIN)
    settings = {"law": args.law, "particles": particles, "sigma_max": SIGMA_MAX, "sigma_min": SIGMA_MIN, "steps": STEPS,
                "grid": "karras",
                "fine": list(fine)}
    with Journal(out/"work"/config_key(settings | {"seed": args.seed, "version": __version__})) as journal:
        tables, why = measure(heating, particles, fine, args.seed, journal)
        tree = assemble(settings, args.seed, tables, why, heating)
        write_tree(out/"run.h5", tree)
        journal.clear()
    return tree


def assemble(settings, seed, tables, why, heating):
    """The tree of the file."""
    import numpy as np

    from thermosim.files.provenance import provenance
    from thermosim.files.schema import new_run

    tree = new_run(provenance(settings, seed))
    for name, rows in zip(("summary", "strokes", "levels", "path", "limit"), tables):
        tree[name] = table(rows, why if name == "summary" else UNDEFINED)
    tree["summary"].attrs["shown"] = list(SHOWN)
    warm = np.geomspace(SIGMA_MIN, SIGMA_MAX, 120)
    tree["heating"] = table([{"sigma": s, "entropy": heating.entropy(s)} for s in warm])
    tree["heating"].attrs.update({name: getattr(heating, name)
                                  for name in ("K", "Sigma", "least_Sigma", "least_Sigma_error")})
    for name, (value, error) in heating.blank(settings["particles"]//PARTS).items():
        tree["heating"].attrs.update({f"blank_{name}": value, f"blank_{name}_error": error})
    return tree


def main(argv=None):
    """Run the experiment; returns the exit code."""
    args = arguments(argv)
    particles, fine = (args.particles or (4000 if args.quick else 40_000),
                       (10, 30, 100) if args.quick else (10, 30, 100, 300, 1000))
    print(f"thermosim {__version__}: {args.law}, {particles} particles, σ from {SIGMA_MAX:g} to {SIGMA_MIN:g} in "
          f"{STEPS} steps, into {args.out}",
          flush=True)
    from thermosim.files.atomic import writable_folder
    from thermosim.report import draw
    from thermosim.show import format_table

    out = writable_folder(args.out)
    tree = write(out, args, particles, fine)
    heated = tree["heating"].attrs
    print("heating: K = {K:.6f} nat, undriven Σ_f = {Sigma:.6f}, along the W2 geodesic {least_Sigma:.6f} ± "
          "{least_Sigma_error:.6f}\n"
          "samples of exact data, {n} points each: W2 from one to another {blank_w2_end:.4f} ± "
          "{blank_w2_end_error:.4f} (beside w2_end),\n"
          "W2² of hot to cold too large by {blank_w2_bias:.4f} ± {blank_w2_bias_error:.4f}, entropy of data off by "
          "{blank_entropy_bias:.4f} ± "
          "{blank_entropy_bias_error:.4f} nat\n".format(n=particles//PARTS, **heated))
    print(format_table(tree["summary"], explain=False) + "\n\n" + format_table(tree["strokes"], explain=False))
    print("\n" + format_table(tree["limit"], explain=False))
    draw(out/"run.h5")
    print(f"\nwrote {out/'run.h5'} and {out/'strokes.png'}")
    return 0


if __name__ == "__main__":
    sys.exit(run(main))
