"""Noise schedules side by side: where each candidate stops on the way from noise to data, the chosen one on top."""

import numpy as np

from .style import GREY, GRIDS, NAMES, VERMILLION, figure


def applies(tree):
    """Whether the file holds a recommendation."""
    return "schedule" in tree and "sigmas" in tree["schedule"].datasets


def draw(tree):
    """The figure."""
    table = tree["schedule"]
    names, sigmas = [str(n) for n in table["candidate"].values], table["sigmas"].values
    chosen = str(table.attrs["chosen"])
    fig, ax = figure(1, 1, (6.4, 0.28 * len(names) + 1.6))
    ends = sigmas[0, [-1, 0]]
    order = sorted(range(len(names)), key=lambda k: names[k] == chosen)
    for row, k in enumerate(order):
        mine = names[k] == chosen
        colour = VERMILLION if mine else GRIDS.get(names[k], (GREY,))[0]
        ax.plot(sigmas[k], np.full(sigmas.shape[1], row), "|", ms=11, mew=2 if mine else 1.2, color=colour)
        if np.isfinite(table["error"].values[k]):
            ax.annotate(f"{table['error'].values[k]:.3g}", (1.01, row), xycoords=("axes fraction", "data"),
                        va="center", fontsize=8)
    ax.annotate("error", (1.01, len(names) - 0.55), xycoords=("axes fraction", "data"), fontsize=8)
    ax.set_yticks(range(len(names)), [NAMES.get(names[k], names[k].replace("_", " ")) for k in order])
    ax.set(xscale="log", xlim=(ends[1] * 1.3, ends[0] / 1.3), xlabel="noise level σ  [data units], noise to data",
           title=f"{sigmas.shape[1] - 1} steps; chosen: {chosen.replace('_', ' ')}; best by hand has "
                 f"{table.attrs['margin']:.2f} × its error")
    return fig
