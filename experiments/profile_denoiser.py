"""Which schedule for your own denoiser? A network of timesteps profiled, and a grid recommended, ready to paste.

    python experiments/profile_denoiser.py                       # a small PyTorch network trained on digits stands for yours
    python experiments/profile_denoiser.py --quick               # the same road in half a minute
    python experiments/profile_denoiser.py --diffusers google/ddpm-cifar10-32 --images my_pictures

Where do euler, heun and dpmpp_2m end over the grid the model is usually run on, over Karras' and over the recommended
one, against the network's own fine flow? What does the ancestral chain (ddpm) waste over each? The error curve mse(σ)
is that on `--images`, or on the network's own samples. `--diffusers` takes a folder or a name with a UNet2DModel and
its scheduler (safetensors only); any other network: `thermosim.score.timesteps`. Written to run.h5, figures are drawn
from it; a run that was stopped goes on where it stood.
"""

import argparse
import sys
import time
from dataclasses import dataclass

from thermosim.command import Parser, run, whole_number
from thermosim.version import __version__

SAID = {
    "sampler": ("1", "-", "which sampler"),
    "nfe": ("1", "-", "network evaluations a sample (heun on its way to 0 spares one)"),
    "steps": ("1", "-", "steps of the grid"),
    "grid": ("1", "-", "usual: the model's own spacing, ended at its least level or at 0, whichever is better; "
                       "whole: the recommended one in whole timesteps"),
    "error": ("data units", ">= 0", "rms distance per component to the network's own fine flow from the same noise"),
    "over_usual": ("1", "< 1 is better", "error over that of the usual grid, batch by batch"),
    "dissipated_work": ("nat", ">= 0", "P of the ancestral chain over the grid, between its own ends"),
    "eta_grid": ("1", "0 … 1", "½∫mse dλ/(½∫mse dλ + P)"),
    "P_over_usual": ("1", "< 1 is better", "P over that of the usual grid"),
    "sigma": ("data units", "falls", "noise level"),
    "timestep": ("1", "falls", "of the network, fractional"),
    "mse": ("data units²", ">= 0", "E‖x_0 − D(x; σ)‖², summed over components"),
    "order": ("nat", "> 0 order gained", "½∫mse dλ from the hot end"),
    "chosen": ("1", "-", "candidate that the pilot recommends; to 0: from the level before the last"),
    "margin": ("1", "> 1 is better", "the pilot's error over the usual grid, over that of this one"),
    "pilot": ("1", "-", "network evaluations of the pilot batch, what grids share included"),
    "seconds": ("s", "> 0", "processor time of the recommendation"),
}


def numbers(text):
    """Numbers of evaluations from "6,10,20"."""
    try:
        found = tuple(dict.fromkeys(int(part) for part in text.split(",")))
    except ValueError:
        found = (0,)
    if not all(2 <= n <= 200 for n in found):
        raise argparse.ArgumentTypeError(f"{text!r} is no list of whole numbers from 2 to 200 such as 6,10,20")
    return found


def arguments(argv):
    """The command line."""
    parser = Parser(description=__doc__.splitlines()[0])
    parser.add_argument("--diffusers", default="", metavar="FOLDER_OR_NAME",
                        help="profile this UNet2DModel (default: a small network trained on digits)")
    parser.add_argument("--images", default="", metavar="FOLDER|FILE.npy",
                        help="as the network was trained on, for its error curve (default: its own samples)")
    parser.add_argument("--evaluations", type=numbers, default=None,
                        help="a sample, comma-separated (default: 6,10,20)")
    parser.add_argument("--particles", type=whole_number("particles are", 16, 10**5), default=None,
                        help="of the pilot and of each batch that judges (default: 80)")
    parser.add_run("runs/profile_denoiser", quick="a network hardly trained, small pilots: half a minute")
    return parser.parse_args(argv)


# --- what is profiled -------------------------------------------------------------------------------------


@dataclass
class Subject:
    """A network as denoiser on rows, with the grid it is usually run on."""

    name: str
    denoise: object  # score.timesteps.TimestepDenoiser
    spacing: object  # N → N falling timesteps
    images: object = None  # (n, d), or its own samples
    scheduler: object = None  # of diffusers
    training: float = float("nan")  # processor seconds, where it was trained here

    def usual(self, steps):
        """Its own spacing as a grid (steps + 1,) down to the least level of the table."""
        import numpy as np

        table = self.denoise.timesteps
        levels = table.sigma(self.spacing(steps))
        return (np.append(levels, table.sigmas[0])
                if levels[-1] > 1.001*table.sigmas[0] else table.sigma(self.spacing(steps + 1)))


def own(settings, seed, journal):
    """The network of `own_network.py`, trained on two thirds
    of the digits, or taken up where an earlier run left it."""
    try:
        import own_network
        import torch
    except ImportError:
        from thermosim.errors import UserError
        raise UserError('the network to profile is PyTorch\'s: pip install "thermosim[torch]"') from None
    import numpy as np

    from thermosim.files.data import load_data
    from thermosim.files.progress import Progress
    from thermosim.files.tree import Dataset, Group
    from thermosim.score.foreign import torch_denoiser
    from thermosim.score.timesteps import TimestepDenoiser, Timesteps
    from thermosim.thermo.round_trip import split

    digits = split(load_data("digits").values, seed)
    kept = journal.get("network")
    if kept is None:
        clock = time.process_time()
        images = torch.from_numpy(digits.train).float().reshape(-1, 1, 8, 8)
        network = own_network.train(images, seed, settings["training_steps"],
                                    wrap=lambda steps: Progress(steps, "train"))
        kept = Group({"seconds": time.process_time() - clock})
        for name, values in network.state_dict().items():
            kept[name.replace(".", "-")] = Dataset(values.numpy(),
                                                   tuple(f"{name}_{axis}" for axis in range(values.ndim)))
        journal.put("network", kept)
    network = own_network.NoisePredictor().eval()
    network.load_state_dict({name: torch.from_numpy(kept[name.replace(".", "-")].values)
                             for name in network.state_dict()})
    denoise = TimestepDenoiser(torch_denoiser(network), Timesteps(own_network.alpha_bar().numpy()), shape=(1, 8, 8))
    return Subject("own_network.py on digits", denoise, lambda N: np.rint(np.linspace(own_network.T - 1, 0, N)),
                   digits.validation,
                   training=float(kept.attrs["seconds"]))


def theirs(name, images):
    """A UNet2DModel of diffusers and its scheduler, from a folder or from the hub; nothing is unpickled."""
    from pathlib import Path

    import numpy as np

    from thermosim.errors import UserError
    from thermosim.score.foreign import diffusers_denoiser
    try:
        import diffusers
    except ImportError:
        raise UserError('--diffusers needs diffusers and PyTorch: pip install "thermosim[diffusers]"') from None

    if Path(name).is_file() or name.startswith((".", "/", "~")) and not Path(name).is_dir():
        raise UserError(f"{name} is no folder: give the one that save_pretrained wrote, or a name on the hub")
    diffusers.logging.set_verbosity(diffusers.logging.CRITICAL)
    for unet, plan in (("unet", "scheduler"), (None, None)):  # a pipeline's folders, or all in one
        try:
            model = diffusers.UNet2DModel.from_pretrained(name, subfolder=unet, use_safetensors=True).eval()
            config = diffusers.DDPMScheduler.load_config(name, subfolder=plan)
            break
        except (OSError, ValueError, TypeError, KeyError) as error:
            cause = error
    else:
        raise UserError(f"{name} holds no UNet2DModel in safetensors with its scheduler "
                        f"({' '.join(str(cause).split())[:120]}): "
                        "give what save_pretrained wrote, or wrap another network by "
                        "thermosim.score.foreign.diffusers_denoiser") from None
    made = getattr(diffusers, str(config.get("_class_name")), None)
    if not (isinstance(made, type) and issubclass(made, diffusers.SchedulerMixin)):
        raise UserError(f"{name} names a scheduler {config.get('_class_name')!r} that diffusers "
                        f"{diffusers.__version__} "
                        "does not know: update diffusers")
    scheduler = made.from_config(config)
    denoise = diffusers_denoiser(model, scheduler)

    def spacing(N):
        # PNDM and KDPM2 put stops of their own between
        for plain in (scheduler, diffusers.DDIMScheduler.from_config(config)):
            plain.set_timesteps(N)
            stops = np.unique(np.asarray(plain.timesteps, float))[::-1]
            if len(stops) == N:
                break
        return stops

    return Subject(name, denoise, spacing, rows(images, denoise.shape) if images else None, scheduler)


def rows(name, shape):
    """Images of a folder or file as rows of (c, h, w)."""
    import numpy as np

    from thermosim.errors import UserError
    from thermosim.files.data import load_data

    data = load_data(name)
    found = data.values.reshape(-1, *data.shape)
    if found.ndim == 3:
        found = found[:, None]
    elif data.shape != tuple(shape):
        found = np.moveaxis(found, -1, 1)
    if found.shape[1:] != tuple(shape):
        raise UserError(f"{name} holds images of shape {data.shape} and the network was made for (c, h, w) = "
                        f"{tuple(shape)}: "
                        "scale or crop them first")
    return found.reshape(len(found), -1)


# --- the profile --------------------------------------------------------------------------------------------


def judged(profile, evaluations, journal):
    """(rows of errors, rows of recommendations, recommended grids by (sampler, evaluations))."""
    import numpy as np

    from thermosim.files.progress import Progress
    from thermosim.files.tree import Dataset, Group
    from thermosim.samplers import DPMpp2M, Euler, Heun
    from thermosim.thermo.grids.profile import GRIDS, error_rows

    rows, told, grids = [], [], {}
    units = [(sampler, n) for sampler in (Euler(), Heun(), DPMpp2M()) for n in evaluations]
    for sampler, n in (bar := Progress(units, "profile", "sampler")):
        bar.note(f"{sampler}, {n} evaluations")
        key, steps = f"{sampler}-{n}", n//sampler.evaluations
        unit = journal.get(key)
        if unit is None:
            found = profile.sampler(sampler, steps)
            unit = Group({"chosen": found.chosen, "margin": found.margin, "pilot": found.evaluations,
                          "seconds": found.seconds})
            unit["levels"], unit["errors"] = (Dataset(found.levels, ("grid", "node")),
                                              Dataset(found.errors, ("grid", "batch")))
            journal.put(key, unit)
        rows += error_rows(sampler, steps, unit["errors"].values)
        told.append({"sampler": sampler.name, "nfe": n, "steps": steps} | {k: unit.attrs[k] for k in ("chosen", "margin", "pilot", "seconds")})
        grids[sampler.name, n] = np.array(unit["levels"].values[GRIDS.index("recommended")])
    return rows, told, grids


def table(rows, name):
    """Rows (dicts of equal keys) as a table; `<column>_error` holds a standard error."""
    import numpy as np

    from thermosim.files.schema import ledger_group

    columns = {}
    for key in rows[0]:
        whose = key.removesuffix("_error")
        units, sign, said = SAID[whose]
        columns[key] = (np.array([row[key] for row in rows]), {"units": units, "sign": sign if key == whose else ">= 0",
                                                               "definition": said if key == whose else f"standard error of {whose}"})
    return ledger_group(columns, f"{name}_row")


def pasted(grids, subject):
    """The recommended grids as lines to paste, one a sampler and number of evaluations."""
    from thermosim.errors import UserError
    from thermosim.score.foreign import diffusers_grid

    for (sampler, n), sigmas in grids.items():
        yield f"\n{sampler}, {n} evaluations"
        yield f"  sigmas = [{', '.join(f'{s:.5g}' for s in sigmas)}]"
        yield f"  timesteps = {subject.denoise.timesteps.stops(sigmas).tolist()}  # final_sigmas_type = {'sigma_min' if sigmas[-1] > 0 else 'zero'}"
    if subject.scheduler is not None:
        try:
            yield f"\n{type(subject.scheduler).__name__} takes them by set_timesteps({next(iter(diffusers_grid(subject.scheduler, sigmas)))}=…)"
        except UserError as refusal:
            yield f"\n{refusal}"


def main(argv=None):
    """Run the experiment; returns the exit code."""
    args = arguments(argv)
    settings = {"evaluations": args.evaluations or (6, 10, 20), "training_steps": 2500, "network": args.diffusers,
                "images": args.images}
    effort = {}
    if args.quick:
        settings |= {"evaluations": args.evaluations or (4, 8), "training_steps": 200}
        effort = {"particles": 24, "batches": 3, "fine": 30, "fine_judged": 40, "levels": 40, "budget": 300}
    print(f"thermosim {__version__}: {args.diffusers or 'own_network.py on digits'} profiled, into {args.out}",
          flush=True)
    from dataclasses import asdict, replace

    import numpy as np

    from thermosim.backend import open_device
    from thermosim.errors import UserError
    from thermosim.files.atomic import writable_folder
    from thermosim.files.checkpoint import Journal, config_key
    from thermosim.files.progress import Progress
    from thermosim.files.provenance import provenance, versions
    from thermosim.files.schema import new_run
    from thermosim.files.store import write_tree
    from thermosim.report import draw
    from thermosim.show import format_table
    from thermosim.thermo.grids.profile import GRIDS, Effort, Profile
    from thermosim.thermo.round_trip import Plan, measure_curve

    if args.images and not args.diffusers:
        raise UserError("--images belong to a network that was trained on such: give it by --diffusers")
    writable_folder(args.out)
    effort = Effort(**effort | ({"particles": args.particles} if args.particles else {}))
    settings |= {"effort": asdict(effort)}
    with Journal(args.out/"work"/config_key(settings | {"seed": args.seed, "version": __version__})) as journal:
        subject = theirs(args.diffusers, args.images) if args.diffusers else own(settings, args.seed, journal)
        profile = Profile(subject.denoise, subject.usual, args.seed, effort,
                          lambda batches: Progress(batches, "fine flow", "batch"))
        errors, told, grids = judged(profile, settings["evaluations"], journal)
        plan = replace(Plan(), sigma_max=profile.hot, sigma_min=profile.cold, levels=effort.levels, replicas=2,
                       seed=args.seed)
        measured = measure_curve(subject.denoise, profile.ends if subject.images is None else subject.images[:500],
                                 plan, open_device("cpu"))
        wasted = []
        for n in settings["evaluations"]:
            rows, levels = profile.work(measured, n)
            wasted += rows
            grids["ddpm", n] = levels[GRIDS.index("recommended")]
        tree = new_run(provenance(settings | {"subject": subject.name}, args.seed))
        tree["parameters/versions"].attrs |= versions(("torch", "diffusers"))
        tree["profile"], tree["work"], tree["advice"] = (table(errors, "profile"), table(wasted, "work"),
                                                         table(told, "advice"))
        tree["curve"] = table([{"sigma": s, "mse": m, "mse_error": e, "order": o} for s, m, e, o in zip(
            measured.sigmas, measured.mse, measured.mse_error, measured.fit.integral(measured.sigmas))], "level")
        tree["curve"].attrs |= {"of": "own samples" if subject.images is None else "images"}
        for (sampler, n), sigmas in grids.items():
            times = subject.denoise.timesteps.time(np.maximum(sigmas, profile.cold))
            tree[f"recommended/{sampler}/n{n}"] = table([{"sigma": s, "timestep": t if s > 0 else np.nan}
                                                         for s, t in zip(sigmas, times)], "node")
            tree[f"recommended/{sampler}/n{n}"]["timestep"].attrs["nan_reason"] = "a clean image has no timestep"
        path = args.out/"run.h5"
        write_tree(path, tree)
        journal.clear()
    for name in ("profile", "work", "advice"):
        print(f"\n{name}\n{format_table(tree[name], explain=False)}")
    print(*pasted(grids, subject), sep="\n")
    seconds = np.mean([row["seconds"] for row in told])
    share = (f", {seconds/subject.training:.0%} of what training took ({subject.training:.0f} s)"
             if np.isfinite(subject.training) else "")
    print(f"\na recommendation took {seconds:.1f} s of processor time{share}")
    print(f"wrote {path}; figures {', '.join(p.name for p in draw(path, args.out))} beside it")
    return 0


if __name__ == "__main__":
    sys.exit(run(main))
