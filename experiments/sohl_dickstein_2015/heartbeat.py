"""The heartbeat's row: a network for P(x_0|x_t), its bound beside the best that a product of sites can do."""

from functools import partial

import numpy as np

PAPER = (-2.414, 12.024)
SHOWN = 40              # sequences of the raster
STAGES = (1.0, 0.5, 0.25, 0.1)


def measure(quick, seed, device):
    """(rows, tree) of the heartbeat."""
    from entropies import step_table

    from thermosim.binomial import BinomialChain
    from thermosim.datasets.heartbeat import Heartbeat
    from thermosim.files.progress import Progress
    from thermosim.files.tree import Dataset, Group
    from thermosim.runs.binomial import cool_binary, heat_binary
    from thermosim.score.binary import train_binary
    from thermosim.score.train import TrainConfig
    from thermosim.thermo import likelihood as lk
    from thermosim.thermo.binomial import heartbeat_ceiling

    beat, chain = Heartbeat(), BinomialChain(200 if quick else 2000)
    L = beat.length
    config = TrainConfig(width=64, depth=2, batch=256, steps=3000 if quick else 20_000, rate=3e-3, decay=0.0, seed=seed)
    denoise = train_binary(lambda u: beat.states[(u * beat.period).astype(int)], chain, L, device, config,
                           partial(Progress, label="train heartbeat"))
    data = beat.sample(1000 if quick else 10_000, seed + 1)
    # of independent sites with the data's own share of ones: −14.44 bits
    share, rows, runs = 1 / beat.period, [], {}
    null = L * (share * np.log(share) + (1 - share) * np.log(1 - share))
    for edge in (False, True):
        run = runs[edge] = heat_binary(chain, denoise, data, seed + 2, device, edge, SHOWN, partial(Progress, label="heat heartbeat"))
        ceiling = heartbeat_ceiling(beat, chain, edge)
        rows.append({
            "data": "heartbeat" + (" (edge)" if edge else ""), "per": "sequence", "steps": len(chain), "bound": lk.bound(run.work),
            "null": null, "limit": ceiling, "limit_is": "ceiling of independent sites", "paper": PAPER})
    bounds, run = lk.binomial_entropy_bounds(chain, L), runs[False]
    tree = Group()
    tree["entropies"] = step_table(bounds, run.ledger, np.arange(1, len(chain) + 1) / len(chain), "share of the steps, t/T")
    times = [round(s * len(chain)) for s in STAGES]
    known = np.where(np.arange(L) < 5, beat.states[2].astype(int), -1)
    tree["raster"] = Group({"times": times})
    for name, frames in (
            ("forward", run.frames[[0, *times[::-1]]][::-1]),
            ("reverse", cool_binary(chain, denoise, SHOWN, L, seed + 3, device, times)),
            ("inpainting", cool_binary(chain, denoise, SHOWN, L, seed + 4, device, times, known))):
        tree[f"raster/{name}"] = Dataset(frames.astype(np.int8), ("frame", "sequence", "site"))
    return rows, tree
