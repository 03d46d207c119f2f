"""The heartbeat's row: a network for P(x_0|x_t), its bound beside the best that a product of sites can do."""

from dataclasses import replace
from functools import partial

import numpy as np

PAPER = (-2.414, 12.024)
SHOWN = 40              # sequences of the raster
STAGES = (1.0, 0.5, 0.25, 0.1)


def measure(quick, seed, device, papers=False):
    """(rows, tree) of the heartbeat, by a network for all steps or by the paper's, with a readout for each."""
    from entropies import step_table

    from thermosim.binomial import BinomialChain, log_bernoulli
    from thermosim.datasets.heartbeat import Heartbeat
    from thermosim.files.progress import Progress
    from thermosim.files.tree import Dataset, Group
    from thermosim.runs.binomial import cool_binary, heat_binary, reverse_probability
    from thermosim.score.activations import Sigmoid
    from thermosim.score.architecture import Perceptron
    from thermosim.score.binary import train_binary
    from thermosim.score.conditioning import Nothing, Steps
    from thermosim.score.train import TrainConfig
    from thermosim.thermo import likelihood as lk
    from thermosim.thermo.binomial import heartbeat_ceiling

    beat, chain = Heartbeat(), BinomialChain(200 if quick else 2000)
    L = beat.length
    config = TrainConfig(width=64, depth=2, batch=256, steps=3000 if quick else 20_000, rate=3e-3, decay=0.0, seed=seed)
    if papers:
        readout = Steps(sorted(chain.memory(t) for t in range(1, len(chain) + 1)))
        config = replace(config, architecture=Perceptron(50, 3, Sigmoid(), features=Nothing(), readout=readout),
                         rate=1e-2)
    denoise = train_binary(lambda u: beat.states[(u * beat.period).astype(int)], chain, L, device, config,
                           partial(Progress, label="train heartbeat"))
    # every sequence equally often: the mean over the law itself, and many paths of each for the annealed estimate
    data = np.tile(beat.states, (200 if quick else 2000, 1))
    # of independent sites with the data's own share of ones: −14.44 bits
    share = 1 / beat.period
    null = L * (share * np.log(share) + (1 - share) * np.log(1 - share))
    run = heat_binary(chain, denoise, data, seed + 2, device, frames=SHOWN,
                      progress=partial(Progress, label="heat heartbeat"))
    full = lk.bound(run.work)
    # the edge convention leaves out W_1 = ln q(x_1|x_0) − ln p(x_0|x_1): the first has a known mean, the second hardly
    # scatters
    x1 = chain.noised(data, 1, np.random.Generator(np.random.PCG64(seed + 5)).random(data.shape))
    last = lk.bound(log_bernoulli(data, reverse_probability(chain, denoise, x1, 1)))
    edge = replace(full, value=full.value + last.value - L * chain.step_entropy(1),
                   error=float(np.hypot(full.error, last.error)))
    path = lk.annealed(run.work.reshape(-1, beat.period).T).mean
    ceiling = "ceiling of independent sites"
    rows = [{"data": name, "per": "sequence", "steps": len(chain), "bound": value, "null": null, "paper": PAPER,
             "limit": limit, "limit_is": kind}
            for name, value, limit, kind in (
                ("heartbeat", full, heartbeat_ceiling(beat, chain), ceiling),
                ("heartbeat (edge)", edge, heartbeat_ceiling(beat, chain, edge=True), ceiling),
                ("heartbeat, annealed", path, -beat.entropy(),
                 "truth" + (f" ({path.warning})" if path.warning else "")))]
    tree, bounds = Group(), lk.binomial_entropy_bounds(chain, L)
    tree["entropies"] = step_table(bounds, run.ledger, np.arange(1, len(chain) + 1) / len(chain),
                                   "share of the steps, t/T")
    times = [round(s * len(chain)) for s in STAGES]
    known = np.where(np.arange(L) < 5, beat.states[2].astype(int), -1)
    tree["raster"] = Group({"times": times})
    for name, frames in (
            ("forward", run.frames[[0, *times[::-1]]][::-1]),
            ("reverse", cool_binary(chain, denoise, SHOWN, L, seed + 3, device, times)),
            ("inpainting", cool_binary(chain, denoise, SHOWN, L, seed + 4, device, times, known))):
        tree[f"raster/{name}"] = Dataset(frames.astype(np.int8), ("frame", "sequence", "site"))
    return rows, tree
