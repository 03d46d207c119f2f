"""How fast does a particle escape over a barrier? One rate by four roads, against temperature.

    python experiments/kramers.py            # eight temperatures, 200,000 particles each, about a minute
    python experiments/kramers.py --quick    # three temperatures, seconds

U = (x² − 1)², μ = 1. The density gives half the slowest relaxation rate, and the mean times of first
passage from the bottom of one well to the top and to the other bottom (Richardson from two grids, whose
difference is the error). Particles start in the left well, in equilibrium there; the decay of ⟨sign x⟩
between two times gives the rate, with its binomial error. Kramers' formula is the limit of low
temperature: √(U''(−1)|U''(0)|)·μe^{−ΔU/T}/2π. Written to run.h5; the figure is drawn from the file.
"""

import sys

from thermosim.command import Parser, run, whole_number
from thermosim.version import __version__

TEMPERATURES = (0.12, 0.14, 0.17, 0.2, 0.25, 0.3, 0.4, 0.5)
SETTLED = 1.5                   # by then the well has forgotten how it began: e^{−λ₂t} < 0.01 of a small weight
LONGEST = 20.0                  # of the wait for escapes
STEP = 2e-3


def arguments(argv):
    """The command line."""
    parser = Parser(description=__doc__.splitlines()[0])
    parser.add_argument("--particles", type=whole_number("particles are"), default=None,
                        help="at each temperature; default: 200,000")
    parser.add_run("runs/kramers", quick="three temperatures, 20,000 particles")
    return parser.parse_args(argv)


def extrapolated(value, cells):
    """(limit, error) of a second-order value(cells): Richardson, and what it moved the finer value by."""
    coarse, fine = value(cells), value(2 * cells)
    return (4 * fine - coarse) / 3, abs(fine - coarse) / 3


def on_cells(T, cells=400):
    """Rates of the density: road → (rate, error)."""
    import numpy as np

    from thermosim.fokker_planck import Axis, FokkerPlanck, Grid
    from thermosim.potentials import DoubleWell

    def equation(n, high=2.5, ends="open"):
        return FokkerPlanck(DoubleWell(), T, 1.0, Grid(Axis.uniform(-2.5, high, n, ends)))

    def passage(high, n):
        fp = equation(n, high, ("open", "absorbing"))
        x, tau = fp.grid.axes[0].centers, fp.first_passage()
        near = np.argsort(np.abs(x + 1))[:6]
        return np.polyval(np.polyfit(x[near] + 1, tau[near], 5), 0.0)

    return {"spectrum": extrapolated(lambda n: 0.5 * equation(n).spectrum(2).rates[1], cells),
            "passage": extrapolated(lambda n: 0.5 / passage(0.0, n), cells),
            "crossing": extrapolated(lambda n: 1 / passage(1.0, n), cells)}


def on_paths(T, expected, particles, seed):
    """(rate, error) by particles: ½·ln of the ratio of ⟨sign x⟩ at two times over their distance."""
    import numpy as np

    from thermosim.dynamics import Overdamped
    from thermosim.integrators import LeimkuhlerMatthews
    from thermosim.potentials import DoubleWell
    from thermosim.runs.particles import simulate

    x = np.linspace(-2.5, 0.0, 20_001)
    weight = np.cumsum(np.exp(-DoubleWell().energy(x[:, None]) / T))
    start = np.interp((np.arange(particles) + 0.5) / particles, weight / weight[-1], x)
    wait = min(LONGEST, 0.5 / expected)
    early, late = round(SETTLED / STEP), round((SETTLED + wait) / STEP)
    left, at = {}, [0]

    def count(first, frames):
        for frame in frames[:, :, 0]:
            at[0] += 1
            left[at[0]] = frame < 0

    simulate(Overdamped(DoubleWell(), T), x0=start[:, None], t=(0.0, late * STEP), steps=late, every=early, books=False,
             record=particles, sink=count, seed=seed, scheme=LeimkuhlerMatthews(), precision="mixed")
    first, last = left[1], left[at[0]]
    a, b = (1 - 2 * np.mean(~side) for side in (first, last))
    # ⟨s_a⟩, ⟨s_b⟩ and their covariance by the delta method
    s, u = np.where(first, 1.0, -1.0), np.where(last, 1.0, -1.0)
    error = np.std(s / a - u / b) / np.sqrt(particles)
    wait = (late - early) * STEP
    return np.log(a / b) / (2 * wait), error / (2 * wait)


def measure(temperatures, particles, seed):
    """Table of rates, a row a temperature."""
    import numpy as np

    from thermosim.files.progress import Progress

    table = {}
    for k, T in enumerate(Progress(list(temperatures), "rates", unit="temperature")):
        roads = on_cells(T)
        roads["particles"] = on_paths(T, roads["spectrum"][0], particles, seed + k)
        row = {"temperature": T, "kramers": np.sqrt(32.0) / (2 * np.pi) * np.exp(-1 / T)}
        for name, (rate, error) in roads.items():
            row |= {name: rate, f"{name}_error": error}
        row["distance"] = (roads["particles"][0] - roads["spectrum"][0]) / roads["particles"][1]
        for name, value in row.items():
            table.setdefault(name, []).append(value)
    return table


DEFINITIONS = {
    "temperature": "T, with a barrier ΔU = 1", "kramers": "√(U''(−1)|U''(0)|)·μe^{−ΔU/T}/2π",
    "spectrum": "½λ₁, Richardson",
    "passage": "1/2τ(−1 → 0), Richardson", "crossing": "1/τ(−1 → 1), Richardson", "particles": "decay of ⟨sign x⟩",
    "distance": "particles − spectrum in standard errors of the particles"}


def write(path, table, args):
    """Write the table as `path`; returns it as a group."""
    from thermosim.files.provenance import provenance
    from thermosim.files.schema import ledger_group, new_run
    from thermosim.files.store import write_tree

    tree = new_run(provenance({"particles": args.particles, "step": STEP, "temperatures": list(table["temperature"])},
                              args.seed))
    tree["rates"] = ledger_group(
        {name: (values, {"units": "1", "sign": "-",
                         "definition": DEFINITIONS.get(name) or f"error of {name.removesuffix('_error')}"})
         for name, values in table.items()}, "rates_row")
    write_tree(path, tree)
    return tree["rates"]


def main(argv=None):
    """Run the experiment; returns the exit code."""
    args = arguments(argv)
    args.particles = args.particles or (20_000 if args.quick else 200_000)
    temperatures = TEMPERATURES[3::2] if args.quick else TEMPERATURES
    print(f"thermosim {__version__}: escape rates at {len(temperatures)} temperatures, {args.particles} particles "
          f"each, into {args.out}",
          flush=True)
    from thermosim.files.atomic import writable_folder
    from thermosim.report import draw
    from thermosim.show import format_table

    out = writable_folder(args.out)
    table = write(out / "run.h5", measure(temperatures, args.particles, args.seed), args)
    print(format_table(table))
    draw(out / "run.h5")
    print(f"wrote {out / 'run.h5'} and {out / 'rates.png'}")
    return 0


if __name__ == "__main__":
    sys.exit(run(main))
