"""The speed–accuracy inequality: what a wrong start changes
against what the flow pays; nothing lies above the diagonal."""

import numpy as np

from .style import BLACK, BLUE, GREEN, ORANGE, SAMPLERS, VERMILLION, figure

DYNAMICS = {"cosine": (ORANGE, "^"), "conditional transport": (GREEN, "s"), "optimal transport": (BLUE, "o")}


def applies(tree):
    """Whether the file holds a sweep of the inequality."""
    return "sweep" in tree and "share" in tree["sweep"].datasets


def draw(tree):
    """The figure."""
    fig, (left, right) = figure(1, 2, (9.2, 4.2))
    seen = {name: np.asarray(d.values) for name, d in tree["sweep"].datasets.items()}
    closed = {name: np.asarray(d.values) for name, d in tree["summary"].datasets.items()}
    for name, (colour, marker) in DYNAMICS.items():
        keep, case = seen["dynamics"] == name, closed["dynamics"] == name
        left.plot(seen["right"][keep], seen["left"][keep], color=colour, marker=marker, ls="none", ms=3,
                  alpha=0.6, label=name)
        left.plot(closed["right"][case], closed["left"][case], color=VERMILLION, marker=marker, ls="none",
                  ms=7, mfc="none")
    paths = {name: np.asarray(d.values) for name, d in tree["samplers"].datasets.items()}
    for name in dict.fromkeys(paths["sampler"]):
        colour, marker, _ = SAMPLERS[name]
        keep = paths["sampler"] == name
        right.plot(paths["right"][keep], paths["left"][keep], color=colour, marker=marker, ls="none", label=name)
    for axis, title, actions in ((left, "Random mixtures (red outlines: Gaussian case)", seen["right"]),
                                 (right, "Samplers' own paths", paths["right"])):
        ends = np.array([actions.min()/10, 10*actions.max()])    # over a decade, or minor ticks get labels
        axis.plot(ends, ends, color=BLACK, lw=0.8)
        axis.set(xscale="log", yscale="log", xlabel="action ∫E|ν|² dt", ylabel="response (ΔW1)²/(τD_0)", title=title)
        axis.legend(frameon=False)
    return fig
