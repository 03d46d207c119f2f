"""Schedules of least work and of least transport error: the work they waste, and where samplers end over them."""

import numpy as np

from .style import BLACK, BLUE, GREEN, GREY, NAMES, ORANGE, PURPLE, SAMPLERS, SKY, VERMILLION, figure, plain_ticks

COLOURS = (BLUE, ORANGE, GREEN, VERMILLION, PURPLE, SKY, BLACK)


def applies(tree):
    """Whether the file holds the comparison of schedules."""
    return "work" in tree and "transport" in tree and "over_karras" in tree["transport"].datasets


def draw(tree):
    """The figure."""
    fig, axes = figure(2, 2, (11.0, 8.4))
    _work(axes[0, 0], _columns(tree["work"]))
    _transport(axes[0, 1], _columns(tree["transport"]))
    _comparison(axes[1, 0], _columns(tree["comparison"]))
    _digits(axes[1, 1], _columns(tree["digits"]))
    return fig


def _columns(group):
    return {name: np.asarray(d.values) for name, d in group.datasets.items()}


def _work(ax, seen):
    for colour, problem in zip(COLOURS, dict.fromkeys(seen["problem"])):
        keep = seen["problem"] == problem
        for key, line, fill in (("geodesic", ":", "none"), ("even", "-", colour)):
            ax.plot(seen["steps"][keep], np.maximum(seen[key][keep] - 1, 1e-6), line, marker="o",
                    color=colour, mfc=fill,
                    label=problem if key == "even" else None)
    ax.set(xscale="log", yscale="log", ylim=(1e-6, None), xlabel="steps N", ylabel="P over the least possible, less 1",
           title="Dissipated work: geodesic (dotted), even dissipation (solid)")
    plain_ticks(ax.xaxis, sorted(set(seen["steps"])))
    ax.legend(frameon=False, fontsize=7.5)


def _transport(ax, seen):
    steps = sorted(set(seen["steps"]))
    for s, sampler in enumerate(dict.fromkeys(seen["sampler"])):
        colour, marker, _ = SAMPLERS[sampler]
        for fresh in (False, True):
            keep = (seen["sampler"] == sampler) & (seen["fresh"] == fresh) & (seen["judge"] != "rms")
            problems = list(dict.fromkeys(seen["problem"][keep]))
            shift = [0.22 * (s - 1) + 0.012 * problems.index(p) + 0.06 * fresh for p in seen["problem"][keep]]
            ax.errorbar([steps.index(n) + d for n, d in zip(seen["steps"][keep], shift)], seen["over_karras"][keep],
                        seen["over_karras_error"][keep],
                        fmt=marker, ms=4, lw=0.8, color=colour, mfc="none" if fresh else colour, ls="none",
                        label=NAMES.get(sampler, sampler) + (", fresh laws" if fresh else ""))
    ax.axhline(1.0, color=GREY, lw=0.8)
    ax.set_xticks(range(len(steps)), [str(n) for n in steps])
    ax.set(yscale="log", xlabel="steps N", ylabel="error over that of Karras' grid",
           title="Exact scores: the recommended grid (W2, or mean distance)")
    ax.legend(frameon=False, fontsize=7.5, ncol=3, loc="upper center", bbox_to_anchor=(0.5, -0.13))


def _comparison(ax, seen):
    grids = list(dict.fromkeys(seen["grid"]))
    for s, sampler in enumerate(dict.fromkeys(seen["sampler"])):
        colour, marker, _ = SAMPLERS[sampler]
        keep = seen["sampler"] == sampler
        ax.errorbar(seen["ratio"][keep], np.arange(len(grids)) + 0.2 * (s - 1), xerr=seen["ratio_error"][keep],
                    fmt=marker, color=colour,
                    ls="none", lw=0.8, label=NAMES.get(sampler, sampler))
    ax.axvline(1.0, color=GREY, lw=0.8)
    ax.set_yticks(range(len(grids)), [NAMES.get(g, g.replace("_", " ")) for g in grids])
    ax.set(xscale="log", xlabel="error over that of Karras' grid, geometric mean",
           title="All candidates, over all laws and N")
    ax.legend(frameon=False, fontsize=7.5)


def _digits(ax, seen):
    for sampler in dict.fromkeys(seen["sampler"]):
        colour, marker, _ = SAMPLERS[sampler]
        keep = seen["sampler"] == sampler
        for key, line, fill in (("karras", ":", "none"), ("error", "-", colour)):
            ax.errorbar(seen["nfe"][keep], seen[key][keep], seen[f"{key}_error"][keep], ls=line, marker=marker,
                        color=colour, mfc=fill,
                        label=NAMES.get(sampler, sampler) if key == "error" else None)
    ax.set(xscale="log", yscale="log", xlabel="network evaluations a sample",
           ylabel="rms distance a pixel to the fine flow",
           title="Trained digits: recommended (solid), Karras (dotted)")
    plain_ticks(ax.xaxis, sorted(set(seen["nfe"])))
    ax.legend(frameon=False, fontsize=7.5)
