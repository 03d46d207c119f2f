"""Samplers at equal network evaluations: how far from the data
they end, what they dissipate, what share of their work is kept."""

import numpy as np

from .style import BLACK, GREY, SAMPLERS, SKY, YELLOW, figure, look, plain_ticks

LOOKS = SAMPLERS | {"ddim_0.5": (SKY, "P", "--"), "carnot": (BLACK, "*", "-"), "carnot_x4": (GREY, "X", "-"),
                    "carnot_euler": (YELLOW, "h", "-")}


def applies(tree):
    """Whether the file holds such a comparison."""
    return "summary" in tree and tree["summary"].attrs.get("comparison") == "equal evaluations"


def draw(tree):
    """The figure."""
    table = {name: np.asarray(d.values) for name, d in tree["summary"].datasets.items()}
    fig, axes = figure(1, 3, (12.0, 4.3))
    asked = (("w2", "W2 to the data  [data units]", "Distance"), ("Sigma", "Σ  [nat]", "Entropy production"),
             ("eta_II", "η_II", "Second-law efficiency"))
    for axis, (column, label, title) in zip(axes, asked):
        for name in dict.fromkeys(table["sampler"]):
            keep = (table["sampler"] == name) & np.isfinite(table[column])
            if keep.any():
                axis.errorbar(table["nfe"][keep], table[column][keep], table[f"{column}_error"][keep],
                              **look(LOOKS, name))
        axis.set(xscale="log", xlabel="network evaluations", ylabel=label, title=title)
        plain_ticks(axis.xaxis, sorted(set(table["nfe"].tolist()) & {5, 10, 20, 40, 80, 160}))
    axes[0].set(yscale="log")
    axes[1].set(yscale="log")
    axes[2].axhline(0.5, color=GREY, lw=0.8, ls=":")
    axes[2].annotate("reverse SDE, continuous: 1/2", (0.02, 0.505), xycoords=("axes fraction", "data"), fontsize=7.5,
                     color=GREY, va="bottom")
    axes[2].set_ylim(bottom=0.0)
    fig.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=5, frameon=False)
    return fig
