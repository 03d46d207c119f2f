"""Diffusion learned as nonequilibrium work: Table 1 of Sohl-Dickstein et al. (2015, 1503.03585) measured again.

    python experiments/sohl_dickstein_2015/run.py                              # swiss roll, heartbeat, dead leaves: minutes
    python experiments/sohl_dickstein_2015/run.py --only heartbeat --quick     # seconds
    python experiments/sohl_dickstein_2015/run.py --only heartbeat,swissroll --paper-networks
    python experiments/sohl_dickstein_2015/run.py --mnist train-images-idx3-ubyte.gz --cifar10 cifar-10-batches-bin --bark FOLDER

Each row is the bound K in bits, K − L_null over the law that knows only the variance (or the share of ones), and
beside them the truth or the ceiling where it is known, and the figure of the paper. The paper's swiss roll and dead
leaves are other draws of such data (it does not state their noise), so only the truth beside K is a yardstick there.
Real-valued data have variance 1 and grey levels are filled with uniform noise, so K is of a density.
"""

import argparse
import sys
from pathlib import Path

from thermosim.command import Parser, run
from thermosim.version import __version__

MADE = ("swissroll", "heartbeat", "deadleaves")
PAPER = {"swissroll": (2.35, 6.45), "deadleaves": (1.489, 3.536), "mnist": (None, None), "cifar10": (5.4, 11.5),
         "bark": (-0.55, 1.5)}


def names_list(text):
    """Names of made data sets from "swissroll,heartbeat"."""
    names = tuple(text.split(","))
    for name in names:
        if name not in MADE:
            raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(MADE)}")
    return names


def arguments(argv):
    """The command line."""
    parser = Parser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", type=names_list, default=None,
                        help=f"of {','.join(MADE)} (default: all, or none beside own files)")
    parser.add_argument("--mnist", type=Path, help="IDX file, .gz or not")
    parser.add_argument("--cifar10", type=Path, help="folder of the binary version, or one .bin")
    parser.add_argument("--bark", type=Path, help="folder of pictures, cut into patches of 16 pixels")
    parser.add_argument("--paper-networks", action="store_true",
                        help="the paper's own: swiss roll by 16 soft cells, heartbeat by 50-50-50 sigmoids, a readout "
                             "for every step")
    parser.add_run("runs/sohl_dickstein_2015", quick="small networks and few steps: seconds a row")
    args = parser.parse_args(argv)
    args.files = {name: getattr(args, name) for name in ("mnist", "cifar10", "bark") if getattr(args, name)}
    args.made = args.only or (() if args.files else MADE)
    return args


def swiss_roll(args, device):
    from dataclasses import replace

    import numpy as np
    from continuous import measure, triptych

    from thermosim.datasets.swiss_roll import SwissRoll
    from thermosim.score.architecture import RadialBasis
    from thermosim.score.conditioning import Steps
    from thermosim.score.train import TrainConfig

    roll, steps = SwissRoll(), 2500 if args.quick else 20_000
    parts = [roll.sample(n, args.seed + k) for k, n in enumerate((20_000 if args.quick else 200_000, 4000, 4000))]
    training = TrainConfig(width=96 if args.quick else 128, features=16, batch=512, steps=steps, decay=0.0, P_mean=-1.5,
                           P_std=1.5, sigma_min=0.005,
                           sigma_max=60.0, seed=args.seed)
    if args.paper_networks:
        levels = np.linspace(np.log(0.01), np.log(50.0), 40)
        training = replace(training, architecture=RadialBasis(16, readout=Steps(levels)), rate=1e-2)
    few = args.quick or args.paper_networks     # steps: no more than there are readouts
    return measure("swiss roll", parts, (40,) if few else (40, 400), training, (50.0, 0.01), args.seed,
                   device, args.out,
                   ("point", 1), -roll.entropy(150, 8), PAPER["swissroll"], triptych)


def heartbeat(args, device):
    from heartbeat import measure

    return measure(args.quick, args.seed, device, args.paper_networks)


def dead_leaves(args, device):
    import numpy as np

    from thermosim.datasets.dead_leaves import DeadLeaves
    from thermosim.files.data import Data

    size, n = (8, 2000) if args.quick else (16, 12_000)
    greys = DeadLeaves(1.0, 32.0).sample(n, size, args.seed)
    # eight bits of grey: a leaf of one exact value would have no density
    values = np.floor(256 * greys).reshape(n, -1) / 127.5 - 1
    return pictures("dead leaves", Data(values, (size, size), "dead leaves", 1 / 127.5), PAPER["deadleaves"],
                    1000, args, device)


def pictures(name, data, paper, steps, args, device):
    """The row of pictures: K a component of a pixel."""
    from continuous import gallery, measure, split, standardised

    from thermosim.score.train import TrainConfig

    parts, d = split(standardised(data, args.seed), args.seed), data.values.shape[1]
    training = TrainConfig(width=128 if args.quick else 384, steps=300 if args.quick else 6000, sigma_min=0.005,
                           sigma_max=120.0,
                           P_mean=-1.6, P_std=1.5, seed=args.seed)
    shape = data.shape if len(data.shape) > 1 else (1, d)
    return measure(name, [p[:500] if k and args.quick else p for k, p in enumerate(parts)],
                   (50 if args.quick else steps,), training,
                   (100.0, 0.01), args.seed, device, args.out, ("pixel", d), None, paper, gallery(shape))


def own_file(name, data, args, device):
    return pictures(name, data, PAPER[name], 500 if name == "bark" else 1000, args, device)


def row_tree(rows, tree):
    """A unit of work as the journal keeps it."""
    import json
    from dataclasses import asdict

    tree.attrs["rows"] = json.dumps([row | {"bound": asdict(row["bound"])} for row in rows])
    return tree


def summary(units):
    """Table 1: bits."""
    import json

    import numpy as np

    from thermosim.files.schema import ledger_group

    rows = [row for unit in units.values() for row in json.loads(unit.attrs["rows"])]
    bits = 1 / np.log(2)
    nan = lambda x: np.nan if x is None else x
    K = [r["bound"]["value"] * bits for r in rows]
    error = [r["bound"]["error"] * bits for r in rows]
    columns = {
        "data": ([r["data"] for r in rows], "data and convention of the reverse chain"),
        "per": ([r["per"] for r in rows], "what K counts"),
        "steps": ([r["steps"] for r in rows], "T; 0: the adaptive probability flow"),
        "K": (K, "bound on the log likelihood, or an estimate of it (annealed, flow); bits"),
        "K_error": (error, "standard error over the test data"),
        "over_null": ([k - r["null"] * bits for k, r in zip(K, rows)], "K − L_null, bits"),
        "over_null_error": (error, "standard error"),
        "limit": ([nan(r["limit"]) * bits for r in rows], "truth or ceiling, bits"),
        "limit_is": ([r["limit_is"] for r in rows], "what limit is"),
        "least_loss": ([nan(r.get("least")) * bits for r in rows],
                       "dissipation of the grid with posterior variances at the network's own error, bits"),
        "paper": ([nan(r["paper"][0]) for r in rows], "K of the paper, bits"),
        "paper_over_null": ([nan(r["paper"][1]) for r in rows], "K − L_null of the paper, bits")}
    why = {"limit": "the truth of these data is unknown",
           "least_loss": "told for posterior variances of real-valued data",
           "paper": "the paper gives a Parzen estimate", "paper_over_null": "the paper gives a Parzen estimate"}
    return ledger_group({name: (np.array(values),
                                {"units": "1", "sign": "-", "definition": words} | ({"nan_reason": why[name]} if name in why else {}))
                         for name, (values, words) in columns.items()}, "summary_row")


ROADS = {"swissroll": swiss_roll, "heartbeat": heartbeat, "deadleaves": dead_leaves}


def main(argv=None):
    """Run the experiment; returns the exit code."""
    args = arguments(argv)
    print(f"thermosim {__version__}: {', '.join([*args.made, *args.files])} into {args.out}", flush=True)
    from thermosim.backend import open_device
    from thermosim.files.atomic import writable_folder
    from thermosim.files.checkpoint import Journal, config_key
    from thermosim.files.data import load_data
    from thermosim.files.provenance import provenance
    from thermosim.files.schema import new_run
    from thermosim.files.store import write_tree
    from thermosim.report import draw
    from thermosim.show import format_table

    device, units = open_device("cpu"), {}
    # before any work: what cannot be read is said at once
    own = {name: load_data(path, minimum=100, patch=16 if name == "bark" else None)
           for name, path in args.files.items()}
    writable_folder(args.out)
    config = {"made": args.made, "paper_networks": args.paper_networks,
              "files": {k: [str(v), v.stat().st_mtime_ns] for k, v in args.files.items()}, "quick": args.quick,
              "seed": args.seed}
    with Journal(args.out / "work" / config_key(config | {"version": __version__})) as journal:
        for name in (*args.made, *args.files):
            unit = journal.get(name)
            if unit is None:
                road = ROADS[name](args, device) if name in ROADS else own_file(name, own[name], args, device)
                unit = journal.put(name, row_tree(*road))
            units[name] = unit
        tree = new_run(provenance(config, args.seed))
        tree["summary"] = summary(units)
        for name, unit in units.items():
            tree[f"learned/{name}"] = unit
        write_tree(args.out / "run.h5", tree)
        journal.clear()
    print("\n" + format_table(tree["summary"], explain=False))
    figures = draw(args.out / "run.h5")
    print(f"\nwrote {args.out / 'run.h5'}; figures {', '.join(p.name for p in figures)} beside it")
    return 0


if __name__ == "__main__":
    sys.exit(run(main))
