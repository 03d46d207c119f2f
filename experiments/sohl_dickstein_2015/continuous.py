"""A row of real-valued data: a denoiser, the chain of least work over its own errors, and the bound it earns."""

from dataclasses import replace

import numpy as np

SHOWN = 1500            # points of a triptych
TEST = 4000
FLOW = 1000             # points of the flow's likelihood
STAGES = (2.0, 0.4)     # noise levels of a triptych before the last
PICTURES, STRIP = 24, 8 # of a gallery, and of those at the three stages
GALLERY_STEPS = 200
HIDDEN = 1.0            # noise that pictures are freed from: as large as they are


def standardised(data, seed):
    """Values of mean 0 and variance 1, the lattice filled with noise: densities are per such unit."""
    from thermosim.thermo.likelihood import dequantised

    values = dequantised(data.values, data.quantum, seed) if data.quantum else data.values
    return (values - values.mean()) / values.std()


def split(values, seed):
    """Train, validation and test parts of the points, at random: 80, 10 and 10 %."""
    order = np.random.Generator(np.random.PCG64(seed)).permutation(len(values))
    n = len(values) // 10
    return values[order[2 * n:]], values[order[n:2 * n]], values[order[:n]]


def measure(name, parts, steps, training, sigmas, seed, device, out, per, truth, paper, picture):
    """(rows, tree) of one data set: K with posterior variances and with the least ones, for each number of steps.

    In a plane the shortest chain has a row more: a network trained on this very bound, variances and all.

    Parameters
    ----------
    parts : (train, validation, test) arrays (n, d) of variance 1
    steps : tuple of int
    training : score.train.TrainConfig
    sigmas : (sigma_max, sigma_min)
        Between which noise levels the reverse steps lie; one more step leads from sigma_min to the data.
    per : (word, count)
        What K is told per, and how many there are in a point.
    truth : float, optional
        ⟨ln p⟩ of the data in nats a point.
    """
    from entropies import step_table

    from thermosim.files.tree import Group
    from thermosim.runs.noising import heat, squared_error_curve
    from thermosim.schedules import Chain
    from thermosim.score.bound import LearnedVariances, even_shares
    from thermosim.score.reverse import Learned
    from thermosim.score.train import trained
    from thermosim.thermo import likelihood as lk
    from thermosim.thermo.grids.geodesic import MseCurve
    from thermosim.thermo.work import least_variances

    train, validation, test = parts
    test, d = test[:TEST], train.shape[1]
    denoise = trained(train, training, device, out, validation if per[1] > 1 else None)
    levels = np.geomspace(*sigmas, 100)
    curve = MseCurve(levels, squared_error_curve(denoise, validation[:TEST], levels, seed, device, 1).mean(axis=1))
    rows, tree = [], Group()
    for T in steps:
        # chain of T steps: the last reverse one leads from sigma_min to the data themselves
        levels = np.concatenate(([0.0], curve.geodesic(*sigmas, T - 1)[::-1]))
        prior = sigmas[0] ** 2 + 1  # of data of variance 1 under that noise
        chain = Chain(np.ones_like(levels), levels, "posterior", prior)
        own = replace(chain, variance=least_variances(chain, curve.force, d))
        runs = {words: heat(c, denoise, test, seed, device)
                for words, c in (("posterior variance", chain), ("least variances", own))}
        if d <= 2 and T == min(steps):
            loss = LearnedVariances(chain, even_shares(chain, 1.0))
            model = trained(train, replace(training, loss=loss), device, out)
            reverse = Learned(model, chain)
            runs["learned variances"] = heat(chain, reverse, test, seed, device, variance=reverse.variance)
        for words, run in runs.items():
            bound = lk.bound(run.work)
            rows.append({
                "data": f"{name}, {words}", "per": per[0], "steps": T, "bound": scaled(bound, per[1]),
                "null": lk.null_bound(d) / per[1],
                "limit": np.nan if truth is None else truth, "limit_is": "truth" if truth is not None else "unknown",
                "paper": paper,
                "least": curve.dissipation(curve.geodesic(*sigmas, T - 1)) / per[1] if words.startswith("posterior") else np.nan})
        if T == max(steps):
            tree["entropies"] = step_table(lk.entropy_bounds(chain, d), runs["least variances"].ledger, levels[1:],
                                           "noise level of the step")
    if d <= 2:
        points = test[:FLOW]
        divergence = lk.flow_divergence(denoise, len(points), d)
        density = lk.flow_log_density(denoise, divergence, points, sigmas[1], sigmas[0], rtol=1e-4, atol=1e-5)
        rows.append({"data": f"{name}, flow", "per": per[0], "steps": 0, "bound": lk.bound(-density),
                     "null": lk.null_bound(d),
                     "limit": np.nan if truth is None else truth,
                     "limit_is": "truth" if truth is not None else "unknown", "paper": paper})
    picture(tree, denoise, curve, sigmas, max(steps), test, seed, device)
    return rows, tree


def scaled(bound, count):
    """An estimate per pixel instead of per picture."""
    return replace(bound, value=bound.value / count, error=bound.error / count)


def triptych(tree, denoise, curve, sigmas, steps, test, seed, device):
    """The forward and reverse clouds of a plane at three times, and the drift D − x on a grid there."""
    from thermosim.files.tree import Dataset, Group

    axis = np.linspace(-3.0, 3.0, 19)
    grid = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    levels, forward, reverse = stages(denoise, curve, sigmas, steps, test[:SHOWN], seed, device)
    tree["triptych"] = Group({"sigmas": levels})
    for name, frames in (("forward", forward), ("reverse", reverse),
                         ("drift", [denoise(grid, s) - grid for s in levels])):
        tree[f"triptych/{name}"] = Dataset(np.stack(frames),
                                           ("frame", "arrow" if name == "drift" else "point", "component"))
    tree["triptych/grid"] = Dataset(grid, ("arrow", "component"))


def stages(denoise, curve, sigmas, steps, data, seed, device):
    """Three noise levels, the last of the chain among them;
    there heated data (n, d) and as many samples on their way."""
    from thermosim.runs.sampling import sample
    from thermosim.samplers.ancestral import EulerAncestral

    levels = curve.geodesic(*sigmas, steps)
    at = [int(np.argmin(np.abs(levels - s))) for s in STAGES] + [steps]
    run = sample(EulerAncestral(), denoise, levels, *data.shape, seed + 9, device, books=False, frames=len(data))
    noise = np.random.Generator(np.random.PCG64(seed)).standard_normal(data.shape)
    return [float(levels[k]) for k in at], [data + levels[k] * noise for k in at], [run.frames[k] for k in at]


def gallery(shape):
    """Pictures at the three times of a triptych; and held-out ones,
    hidden under noise, and drawn again from the posterior."""
    def picture(tree, denoise, curve, sigmas, steps, test, seed, device):
        from thermosim.files.tree import Dataset, Group
        from thermosim.runs.sampling import sample
        from thermosim.samplers.ancestral import EulerAncestral

        steps, data = min(steps, GALLERY_STEPS), test[:PICTURES]
        levels, forward, reverse = stages(denoise, curve, sigmas, steps, data, seed, device)
        hidden = data + HIDDEN * np.random.Generator(np.random.PCG64(seed + 1)).standard_normal(data.shape)
        # the reverse chain from x_0 + σn on, started at what was seen, draws from p(x_0|seen)
        again = sample(EulerAncestral(), denoise, curve.geodesic(HIDDEN, sigmas[1], steps), *data.shape, seed + 10,
                       device, books=False, start=hidden)
        axes = ("picture", "row", "column", "channel")[: 1 + len(shape)]
        tree["gallery"] = Group({"sigmas": levels, "hidden": HIDDEN})
        for name, values in (("data", data), ("hidden", hidden), ("denoised", again.x), ("samples", reverse[-1])):
            tree[f"gallery/{name}"] = Dataset(values.reshape(-1, *shape), axes)
        for name, frames in (("forward", forward), ("reverse", reverse),
                             ("drift", [denoise(x, s) - x for x, s in zip(forward, levels)])):
            tree[f"gallery/{name}"] = Dataset(np.stack(frames)[:, :STRIP].reshape(len(levels), -1, *shape),
                                              ("frame", "shown", *axes[1:]))
    return picture
