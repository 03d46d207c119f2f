"""Every sampler's way from noise to data in the plane of entropy and noise temperature, one panel a kind of cycle."""

import numpy as np

from .style import GREY, NAMES, figure

LOOKS = (("#D55E00", "-"), ("#0072B2", "--"), ("#009E73", "-."), ("#E69F00", ":"), ("#CC79A7", (0, (5, 1))),
         ("#000000", (0, (3, 1, 1, 1))),
         ("#56B4E9", (0, (1, 1))), ("#8C6D31", (0, (6, 2, 1, 2))), ("#555555", (0, (2, 2))))


def applies(tree):
    """Whether the file holds paths of samplers in that plane."""
    return "path" in tree and "heating" in tree and "strokes" in tree


def draw(tree):
    """The figure."""
    names, kinds = (list(tree["summary"][c].values) for c in ("sampler", "strokes"))
    kind_of = dict(zip(names, kinds))
    path = {name: np.asarray(d.values) for name, d in tree["path"].datasets.items()}
    panels = list(dict.fromkeys(kinds))
    columns = min(3, len(panels))
    fig, axes = figure(-(-len(panels) // columns), columns, (4.0 * columns, 3.7 * -(-len(panels) // columns)),
                       squeeze=False, sharex=True, sharey=True)
    heated = tree["heating"]
    for axis, kind in zip(axes.flat, panels):
        axis.plot(heated["entropy"].values, heated["sigma"].values ** 2, color=GREY, lw=3.5, alpha=0.6,
                  label="heated: exact")
        mine = [name for name in names if kind_of[name] == kind]
        for (colour, line), name in zip(LOOKS, mine):
            keep = path["sampler"] == name
            axis.plot(path["entropy"][keep], path["sigma"][keep] ** 2, color=colour, ls=line, lw=1.2,
                      label=NAMES.get(name, name))
        axis.set(yscale="log", title=kind)
        axis.legend(frameon=False, loc="upper left", fontsize=7)
    for spare in list(axes.flat)[len(panels):]:
        spare.remove()
    fig.supxlabel("entropy of y = x/√(1 + σ²)  [nat];  the bath of the books is at T = 1 throughout")
    fig.supylabel("noise temperature σ²  [data units²]")
    return fig
