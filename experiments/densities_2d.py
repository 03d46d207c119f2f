"""Can samples of a small network be told from data? Four laws in the plane, by transport distance, modes and density.

    python experiments/densities_2d.py                   # swiss roll, ring, moons, checkerboard: minutes
    python experiments/densities_2d.py --only ring       # one of them
    python experiments/densities_2d.py --quick           # all four in half a minute

Each network is trained on fresh draws and sampled by dpmpp_2m in 50 steps. The distance W2 of generated to data points
is averaged over pairs of samples and set beside that of data to data over the same samples, for even a perfect
generator is as far away as other data are; the error of their ratio is a jackknife over the pairs. Every law falls into
eight equally likely parts (modes, squares, pieces of a curve): |z| is how far their shares are off, in binomial errors.
KL is ⟨ln p − ln q⟩ over fresh data, q the network's density by its probability flow. Written to run.h5; the figure is
drawn from the file. An interrupted run goes on where it was.
"""

import argparse
import sys

from thermosim.command import Parser, run, whole_number
from thermosim.version import __version__

NAMES = ("swissroll", "ring", "moons", "checkerboard")
SIGMAS = 40.0, 0.005        # where sampling begins and ends
RATE = 1e-2                 # of learning, the largest
MARGIN = 0.15               # of the density's window, in widths of the data

ABOUT = {
    "data": "law", "pairs": "pairs of samples", "w2_generated": "mean W2, generated to data",
    "w2_data": "mean W2, data to data",
    "ratio": "of the two, on the same data; 1 is perfect", "largest_z": "largest |z| of the shares of eight parts",
    "kl": "⟨ln p − ln q⟩ over data, nats", "w2_generated_error": "standard error over the pairs",
    "w2_data_error": "standard error over the pairs",
    "ratio_error": "jackknife over the pairs", "kl_error": "standard error over the points"}


def names_list(text):
    """Names of laws from "ring,moons"."""
    names = tuple(text.split(","))
    for name in names:
        if name not in NAMES:
            raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(NAMES)}")
    return names


def arguments(argv):
    """The command line."""
    parser = Parser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", type=names_list, default=NAMES, help=f"of {','.join(NAMES)} (default: all)")
    parser.add_argument("--steps", type=whole_number("steps are", 2, 1000), default=50,
                        help="of the sampler (default: %(default)s)")
    parser.add_run("runs/densities_2d", quick="small networks and small samples: half a minute")
    return parser.parse_args(argv)


def make_law(name):
    """The law of that name."""
    from thermosim.datasets.checkerboard import Checkerboard
    from thermosim.datasets.moons import Moons
    from thermosim.datasets.ring import Ring
    from thermosim.datasets.swiss_roll import SwissRoll

    return dict(zip(NAMES, (SwissRoll, Ring, Moons, Checkerboard)))[name]()


def learn(law, settings, seed, device, out):
    """A network trained on draws of the law, or the one that an earlier run left."""
    from thermosim.score.train import TrainConfig, trained

    config = TrainConfig(width=settings["width"], batch=settings["batch"], steps=settings["training"], rate=RATE,
                         decay=0.0, sigma_min=0.004,
                         sigma_max=50.0, seed=seed)
    return trained(law.sample(settings["points"], [seed, 0]), config, device, out)


def transport(law, generated, pairs, seed):
    """W2 of generated to data and of other data to the same data, (pairs,) each."""
    import numpy as np

    from thermosim.files.progress import Progress
    from thermosim.thermo.quality import w2

    n, found = len(generated) // pairs, []
    for k in Progress(range(pairs), "compare", "pair"):
        data, other = law.sample(n, [seed, 1, k]), law.sample(n, [seed, 2, k])
        found.append((w2(generated[k * n:(k + 1) * n], data), w2(other, data)))
    return np.array(found).T


def flow_density(denoise, law, x):
    """ln q of points (n, 2) at the last noise level."""
    import numpy as np

    from thermosim.thermo.likelihood import flow_log_density

    known = law.sample(100_000, 0)
    mean, C = known.mean(axis=0), np.cov(known.T) + SIGMAS[0] ** 2 * np.eye(2)

    def prior(y):  # the data are a point seen from there
        return (-0.5 * ((y - mean) @ np.linalg.inv(C) * (y - mean)).sum(axis=1)
                - 0.5 * np.linalg.slogdet(2 * np.pi * C)[1])

    return np.concatenate([flow_log_density(denoise, denoise.divergence, part, SIGMAS[1], SIGMAS[0], prior,
                                            rtol=1e-4, atol=1e-5)
                           for part in np.array_split(x, -(-len(x) // 2000))])


def measure(name, settings, steps, seed, device, out):
    """Everything about one law, as a group of the file."""
    import numpy as np

    from thermosim.files.tree import Dataset, Group
    from thermosim.runs.sampling import sample
    from thermosim.samplers import DPMpp2M
    from thermosim.schedules import karras
    from thermosim.score.exact import Gaussian
    from thermosim.thermo.quality import ratio_of_means

    law, pairs = make_law(name), settings["pairs"]
    denoise = learn(law, settings, seed, device, out)
    n = pairs * settings["sample"]
    # where the heated data are: about the origin the first step would leave a hundredth of a mode to its neighbours
    start = Gaussian(denoise.mean, (SIGMAS[0] ** 2 + denoise.sigma_data**2) * np.eye(2)).sample(n, seed, device)
    generated = sample(DPMpp2M(), denoise, karras(*SIGMAS, steps), n, 2, seed, device, books=False, start=start).x
    near, far = transport(law, generated, pairs, seed)
    share = np.bincount(law.part(generated), minlength=law.parts) / len(generated)
    expected = 1 / law.parts
    error = np.sqrt(expected * (1 - expected) / len(generated))
    data = law.sample(settings["points"], [seed, 0])[:len(generated)]
    fresh = law.sample(settings["density"] ** 2 // 5, [seed, 3])
    miss = law.log_density(fresh) - flow_density(denoise, law, fresh)
    low, high = data.min(axis=0), data.max(axis=0)
    x, y = (np.linspace(a - MARGIN * (b - a), b + MARGIN * (b - a), settings["density"]) for a, b in zip(low, high))
    places = np.stack(np.meshgrid(x, y, indexing="ij"), axis=-1).reshape(-1, 2)
    mean_error = lambda values: values.std(ddof=1) / np.sqrt(len(values))
    ratio, ratio_error = ratio_of_means(near, far)
    group = Group({"w2_generated": near.mean(), "w2_generated_error": mean_error(near), "w2_data": far.mean(),
                   "w2_data_error": mean_error(far),
                   "ratio": ratio, "ratio_error": ratio_error, "largest_z": np.abs(share - expected).max() / error,
                   "kl": miss.mean(),
                   "kl_error": mean_error(miss), "share_error": error})
    group["w2"] = Dataset(np.stack([near, far]), ("against", "pair"),
                          {"units": "1", "definition": "W2 of generated, and of other data, to data"})
    group["share"] = Dataset(share, ("part",),
                             {"units": "1", "definition": f"of generated points; {expected:g} each in the data"})
    shown = min(len(data), 5000)
    group["data"], group["generated"] = (Dataset(points[:shown], ("point", "component"))
                                         for points in (data, generated))
    group["x"], group["y"] = Dataset(x, "x"), Dataset(y, "y")
    group["log_density"] = Dataset(flow_density(denoise, law, places).reshape(len(x), len(y)), ("x", "y"),
                                   {"units": "nat", "definition": "ln q by the probability flow of the network"})
    return group


def summary(units, pairs):
    """The table."""
    import numpy as np

    from thermosim.files.schema import ledger_group

    rows = [{"data": name, "pairs": pairs} | {k: v for k, v in unit.attrs.items() if k in ABOUT}
            for name, unit in units.items()]
    return ledger_group({k: (np.array([row[k] for row in rows]), {"units": "1", "sign": "-", "definition": words})
                         for k, words in ABOUT.items()},
                        "summary_row")


def main(argv=None):
    """Run the experiment; returns the exit code."""
    args = arguments(argv)
    settings = ({"width": 96, "batch": 512, "training": 1500, "points": 50_000, "pairs": 10, "sample": 400, "density": 40} if args.quick else
                {"width": 128, "batch": 1024, "training": 8000, "points": 500_000, "pairs": 40, "sample": 1000,
                 "density": 100})
    print(f"thermosim {__version__}: {', '.join(args.only)} into {args.out}", flush=True)
    from thermosim.backend import open_device
    from thermosim.files.atomic import writable_folder
    from thermosim.files.checkpoint import Journal, config_key
    from thermosim.files.provenance import provenance
    from thermosim.files.schema import new_run
    from thermosim.files.store import write_tree
    from thermosim.report import draw
    from thermosim.show import format_table
    from thermosim.thermo.quality import companions

    companions()
    out, device, units = writable_folder(args.out), open_device("cpu"), {}
    config = {**settings, "only": args.only, "steps": args.steps, "sigmas": SIGMAS, "seed": args.seed}
    with Journal(out / "work" / config_key(config | {"version": __version__})) as journal:
        for name in args.only:
            units[name] = journal.get(name) or journal.put(name, measure(name, settings, args.steps, args.seed, device, out))
        tree = new_run(provenance(config, args.seed))
        tree["summary"] = summary(units, settings["pairs"])
        for name, unit in units.items():
            tree[f"plane/{name}"] = unit
        write_tree(out / "run.h5", tree)
        journal.clear()
    print("\n" + format_table(tree["summary"], explain=False))
    draw(out / "run.h5")
    print(f"\nwrote {out / 'run.h5'} and {out / 'plane.png'}")
    return 0


if __name__ == "__main__":
    sys.exit(run(main))
