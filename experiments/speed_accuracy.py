"""Speed against accuracy: how far a wrong start can spoil a generation, and what the flow pays to prevent it.

    python experiments/speed_accuracy.py            # 200 mixtures, about a minute
    python experiments/speed_accuracy.py --quick    # 12 mixtures

(ΔW1)²/(τD_0) ≤ ∫E|ν|² dt (Ikeda, Uda, Okanohara, Ito 2407.04495): the change of W1 between the true and a perturbed law
over a generation, squared, per χ² of the perturbation at its start, is at most the action of the flow. First the
Gaussian case of closed form, N(0, 1) to N(0, 0.25) begun from N(1, 1); then random mixtures and perturbations under
cosine, conditional-transport and optimal-transport dynamics between the same ends, by quadrature; then the paths of
samplers over schedules on one mixture. `share` is left over right, never above 1. Written to run.h5; the figure
is drawn from the file.
"""

import sys

from thermosim.command import Parser, run, whole_number
from thermosim.version import __version__


def arguments(argv):
    """The command line."""
    parser = Parser(description=__doc__.splitlines()[0])
    parser.add_argument("--mixtures", type=whole_number("mixtures are", 2, 10**5), default=None, help="default: 200")
    parser.add_run("runs/speed_accuracy", quick="12 mixtures, coarser quadrature")
    return parser.parse_args(argv)


def gaussian(mean, variance):
    """N(mean, variance)."""
    from thermosim.score.exact import GaussianMixture

    return GaussianMixture([1.0], [[mean]], [variance])


def least_action(data, noise, quantiles):
    """∫E|ν|² dt of optimal transport in unit time: W2² of the ends."""
    import numpy as np

    from thermosim.thermo.speed_accuracy import mixture_quantiles

    u = (np.arange(quantiles) + 0.5)/quantiles
    return float(np.mean((mixture_quantiles(noise, u) - mixture_quantiles(data, u))**2))


def sweep(mixtures, quantiles, times, seed):
    """{column: values} of random mixtures, each with one perturbation, under three dynamics."""
    import numpy as np

    from thermosim.files.progress import Progress
    from thermosim.score.exact import GaussianMixture
    from thermosim.thermo import speed_accuracy as sa

    rng, noise, table = (np.random.default_rng(seed), gaussian(0.0, 1.0),
                         {"dynamics": [], "left": [], "right": [], "share": []})
    for _ in Progress(range(mixtures), "sweep", "mixture"):
        K = rng.integers(1, 4)
        data = GaussianMixture(rng.dirichlet(np.full(K, 3.0)), rng.normal(scale=1.5, size=(K, 1)),
                               rng.uniform(0.05, 1, K))
        left = sa.response(data, noise, gaussian(rng.normal(), rng.uniform(0.3, 1.7)), 1001)
        rights = {"cosine": sa.mixture_action(data, sa.cosine, quantiles, times),
                  "conditional transport": sa.mixture_action(data, sa.conditional_transport, quantiles, times),
                  "optimal transport": least_action(data, noise, quantiles)}
        for name, right in rights.items():
            for column, value in zip(table, (name, left, right, left/right)):
                table[column].append(value)
    return table


def closed_case(found):
    """Summary: the Gaussian case beside the sweep, a line a dynamics."""
    import numpy as np

    from thermosim.thermo import speed_accuracy as sa

    left = sa.response(gaussian(0.0, 0.25), gaussian(0.0, 1.0), gaussian(1.0, 1.0), points=20_001)
    rights = {"cosine": sa.gaussian_action(sa.cosine, 0.25),
              "conditional transport": sa.gaussian_action(sa.conditional_transport, 0.25),
              "optimal transport": (1 - 0.5)**2}        # W2 of two centred Gaussians: the difference of their widths
    table, names, shares = {}, np.array(found["dynamics"]), np.array(found["share"])
    for name, right in rights.items():
        mine = shares[names == name]
        line = {"dynamics": name, "left": left, "right": right, "share": left/right, "sweep_share": mine.mean(),
                "sweep_share_error": mine.std(ddof=1)/np.sqrt(len(mine)), "sweep_largest": mine.max()}
        for key, value in line.items():
            table.setdefault(key, []).append(value)
    return table


def of_samplers(points):
    """{column: values} of deterministic samplers' own paths, in coordinates x/√(1 + σ²)."""
    import numpy as np

    from thermosim import schedules
    from thermosim.backend import open_device
    from thermosim.runs.sampling import sample
    from thermosim.samplers import DPMpp2M, Euler, Heun
    from thermosim.score.exact import GaussianMixture
    from thermosim.thermo import speed_accuracy as sa

    data, device = GaussianMixture([0.4, 0.6], [[-1.5], [1.0]], [0.09, 0.04]), open_device("cpu")
    z = sa.mixture_quantiles(gaussian(0.0, 1.0), (np.arange(points) + 0.5)/points)[:, None]
    table = {"sampler": [], "grid": [], "steps": [], "left": [], "right": [], "share": []}
    for sampler in (Euler(), Heun(), DPMpp2M()):
        for grid in ("linear", "cosine", "karras", "log_snr"):
            for N in (5, 10, 50):
                sigmas = getattr(schedules, grid)(20.0, 0.05, N)
                scale = np.sqrt(1 + sigmas**2)
                paths = [sample(sampler, data, sigmas, points, 1, 0, device, points, False, frames=points,
                                start=(z + m)*scale[0]).frames
                         / scale[:, None, None] for m in (0.0, 0.5)]
                # W1 between the very points, matched in order; χ² of N(½, 1) against N(0, 1) is e^{1/4} − 1
                w1 = [np.mean(np.abs(np.sort(a[:, 0]) - np.sort(b[:, 0]))) for a, b in zip(*paths)]
                left, right = (w1[-1] - w1[0])**2/np.expm1(0.25), sa.sampler_action(paths[0])
                for column, value in zip(table, (sampler.name, grid, N, left, right, left/right)):
                    table[column].append(value)
    return table


def write(path, args, settings):
    """Write everything as `path`; returns the tables to print."""
    import numpy as np

    from thermosim.files.provenance import provenance
    from thermosim.files.schema import ledger_group, new_run
    from thermosim.files.store import write_tree

    said = {"dynamics": "how data become noise", "left": "(ΔW1)²/(τD_0)", "right": "∫E|ν|² dt over τ = 1",
            "share": "left/right, at most 1",
            "sweep_share": "mean share over random mixtures and perturbations",
            "sweep_share_error": "its standard error",
            "sweep_largest": "largest share of the sweep", "sampler": "which sampler",
            "grid": "which schedule", "steps": "N"}
    found = sweep(**settings, seed=args.seed)
    tree = new_run(provenance(settings, args.seed))
    for name, columns in (("summary", closed_case(found)), ("samplers", of_samplers(2000)), ("sweep", found)):
        tree[name] = ledger_group({k: (np.array(v), {"units": "1", "sign": "-", "definition": said[k]}) for k, v in columns.items()}, f"{name}_row")
    write_tree(path, tree)
    return tree["summary"], tree["samplers"], max(max(found["share"]), max(tree["samplers"]["share"].values))


def main(argv=None):
    """Run the experiment; returns the exit code."""
    args = arguments(argv)
    settings = {"mixtures": args.mixtures or (12 if args.quick else 200), "quantiles": 200 if args.quick else 500,
                "times": 60 if args.quick else 150}
    print(f"thermosim {__version__}: {settings['mixtures']} mixtures, into {args.out}", flush=True)
    from thermosim.files.atomic import writable_folder
    from thermosim.report import draw
    from thermosim.show import format_table

    out = writable_folder(args.out)
    summary, samplers, largest = write(out/"run.h5", args, settings)
    print(f"{format_table(summary)}\n\n{format_table(samplers)}\n\nlargest share of all: {largest:.3f}")
    draw(out/"run.h5")
    print(f"wrote {out/'run.h5'} and {out/'speed.png'}")
    return 0


if __name__ == "__main__":
    sys.exit(run(main))
