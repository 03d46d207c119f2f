"""How much work does a sampler waste? Real digits heated to noise and cooled back, measured as a thermal cycle.

    python experiments/sampler_cycle.py                      # 1,797 handwritten digits, about five minutes
    python experiments/sampler_cycle.py --quick              # the same road in under a minute
    python experiments/sampler_cycle.py --data my.npy --steps 10,20 --samplers heun,dpmpp_2m

Trains the denoiser (or takes up the one an earlier run with the same settings left in --out), heats
held-out data and books the work, cools noise with every sampler over every grid and books the heat,
judges the samples, and leaves run.h5 and its figures in --out.
"""

import argparse
import sys
from dataclasses import replace

from thermosim.command import Parser, run
from thermosim.version import __version__

EPILOG = "samplers: euler_ancestral (= ddpm), euler (= ddim), heun, dpmpp_2m, annealed_langevin, predictor_corrector"


def steps_list(text):
    """Numbers of steps from "5,10,20"."""
    try:
        steps = tuple(int(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no list of whole numbers such as 5,10,20") from None
    if not steps or min(steps) < 1:
        raise argparse.ArgumentTypeError(f"every number of steps must be at least 1, not {min(steps)}")
    return steps


def arguments(argv):
    """The command line, checked as far as it can be without the heavy imports."""
    parser = Parser(description=__doc__.splitlines()[0], epilog=EPILOG)
    parser.add_argument("--data", default="digits",
                        help="digits, swissroll, FILE.npy or FILE.npz (default: %(default)s)")
    parser.add_argument("--samplers", default="", help="comma-separated names (default: all)")
    parser.add_argument("--grids", default="", help="linear,cosine,karras,log_snr,geodesic (default: all)")
    parser.add_argument("--steps", type=steps_list, default=None, help="default: 5,10,20,50")
    parser.add_argument("--device", default="cpu", help="cpu or cuda (default: %(default)s)")
    parser.add_run("runs/sampler_cycle", quick="a small network and fewer runs: under a minute")
    return parser.parse_args(argv)


def main(argv=None):
    """Run the experiment; returns the exit code."""
    args = arguments(argv)
    print(f"thermosim {__version__}: {args.data} heated and cooled on {args.device}, into {args.out}", flush=True)
    # heavy imports only now: the line above is on the screen at once
    from thermosim.backend import open_device
    from thermosim.files.atomic import writable_folder
    from thermosim.files.checkpoint import Journal, config_key
    from thermosim.files.data import load_data
    from thermosim.files.progress import Progress
    from thermosim.report import draw
    from thermosim.score.train import TrainConfig, trained
    from thermosim.show import format_table
    from thermosim.thermo import round_trip as rt
    from thermosim.thermo.round_trip_file import RunFile

    samplers = rt.find_samplers([s for s in args.samplers.split(",") if s]) or rt.SAMPLERS
    grids = rt.find_grids([g for g in args.grids.split(",") if g]) or rt.GRIDS
    device = open_device(args.device)
    data = load_data(args.data)
    split = rt.split(data.values, args.seed)
    rt.quality.companions()
    writable_folder(args.out)
    plan = rt.Plan(samplers=samplers, grids=grids, seed=args.seed, steps=args.steps or (5, 10, 20, 50))
    training = TrainConfig(seed=args.seed)
    if args.quick:
        plan = replace(plan, steps=args.steps or (5, 10), repeats=2, levels=80, replicas=2)
        training = replace(training, width=256, steps=1200, rate=5e-3)
    denoise = trained(split.train, training, device, args.out, split.validation)

    n, d = split.validation.shape
    print(f"heating {len(split.test)} held-out points of {d} components to sigma = {plan.sigma_max:g}", flush=True)
    curve = rt.measure_curve(denoise, split.validation, plan, device)
    heated = rt.heat_data(denoise, split.test, plan, device, data.quantum, frames=rt.frames_for(data.shape))
    bits, error = heated.bits_per_dim(d)
    print(f"work of heating from sigma = {plan.sigma_min:g}: {bits:.3f} ± {error:.3f} bits/dim"
          f"{'' if data.quantum else ' (of a density)'}; half the area under mse(lambda): "
          f"{curve.fit.integral(plan.sigma_min):.2f} nat", flush=True)
    code = None
    if data.quantum:
        # below half a grey level the value is certain, and a network that cannot know so wastes work there
        code = rt.heat_data(denoise, split.test, plan, device, data.quantum, sigma_min=data.quantum / 2).bits_per_dim(d)
        print("code length, decoded at half a grey level: at most {:.3f} ± {:.3f} bits/dim".format(*code), flush=True)

    judge = rt.Judge(split.train, split.validation, args.seed)
    flows = {seed: rt.fine_flow(denoise, plan, d, n, seed, device) for seed in plan.seeds}
    file = RunFile(plan, data, split, training.settings(), device, judge, curve, heated, code)
    units = [(s, g, N) for s in samplers for g in grids for N in plan.steps]
    with Journal(args.out / "work" / config_key(file.settings | {"version": __version__})) as journal:
        todo = Progress(units, "cool", unit="run")
        for sampler, grid, N in todo:
            todo.note(f"{sampler} over {grid}, {N} steps")
            key = f"{sampler}-{grid}-{N}"
            unit = journal.get(key)
            if unit is None:
                sigmas = rt.make_grid(grid, curve.fit, plan, N)
                measured = rt.cool(sampler, denoise, sigmas, curve, judge, flows, plan, device)
                unit = journal.put(key, file.unit(*measured))
            file.add(sampler, grid, N, unit)
        best = file.choose()
        final = rt.final_test(best, denoise, curve, heated, split, plan, device)
        file.add_best(final)
        path = file.write(args.out / "run.h5")
        journal.clear()
    print("\n" + format_table(file.tree["grids"], explain=False) + "\n\n"
          + format_table(file.tree["summary"], explain=False))
    print("\nbest by validation: {} over {}, {} steps; on the test split, {} seeds: ".format(*best, len(final.seeds))
          + ", ".join(f"{name} {mean:.3f} ± {error:.3f}" for name, (mean, error) in final.means().items()))
    pictures = draw(path, args.out)
    print(f"wrote {path}; figures {', '.join(p.name for p in pictures)} beside it")
    return 0


if __name__ == "__main__":
    sys.exit(run(main))
