"""A denoiser profiled: where samplers end over the usual, Karras'
and the recommended grid, its error curve, the work wasted."""

import numpy as np

from .style import BLUE, GREY, NAMES, SAMPLERS, SKY, VERMILLION, figure, plain_ticks

LOOK = {"usual": (GREY, "s", ":"), "karras": (BLUE, "D", "-."), "recommended": (VERMILLION, "o", "-"),
        "whole": (SKY, "x", "--")}
SAYS = {"usual": "usual spacing", "recommended": "recommended", "whole": "recommended, whole timesteps"}


def applies(tree):
    """Whether the file holds a profile."""
    return "profile" in tree and "over_usual" in tree["profile"].datasets


def draw(tree):
    """The figure."""
    profile, work, curve = ({name: d.values for name, d in tree[group].datasets.items()}
                            for group in ("profile", "work", "curve"))
    samplers = list(dict.fromkeys(profile["sampler"]))
    fig, axes = figure(2, max(len(samplers), 2), (3.7 * max(len(samplers), 2), 7.0))
    for ax, sampler in zip(axes[0], samplers):
        keep = profile["sampler"] == sampler
        _lines(ax, {name: values[keep] for name, values in profile.items()}, "error")
        ax.set(xlabel="network evaluations a sample", title=NAMES.get(sampler, sampler))
    axes[0, 0].set_ylabel("rms distance a component to the fine flow")
    low, high = zip(*(ax.get_ylim() for ax in axes[0]))
    for ax in axes[0]:
        ax.set_ylim(min(low), max(high))  # one scale, so that samplers compare
    axes[0, 0].legend(frameon=False)
    _lines(axes[1, 0], work, "dissipated_work")
    axes[1, 0].set(xlabel="steps of the ancestral chain (ddpm)", ylabel="dissipated work P  [nat]",
                   title="Work wasted by the grid")
    _curve(axes[1, 1], curve, "its own samples" if tree["curve"].attrs["of"] == "own samples" else "the images")
    if len(samplers) > 2:
        _grids(axes[1, 2], tree)
    return fig


def _lines(ax, rows, key):
    for name in dict.fromkeys(rows["grid"]):
        keep, (colour, marker, line) = rows["grid"] == name, LOOK[name]
        ax.errorbar(rows["nfe"][keep], rows[key][keep], rows[f"{key}_error"][keep], color=colour, marker=marker,
                    ls=line, capsize=2,
                    label=SAYS.get(name, NAMES.get(name, name)))
    ax.set(xscale="log", yscale="log")
    plain_ticks(ax.xaxis, sorted(set(rows["nfe"])))
    ax.yaxis.set_minor_formatter("")


def _curve(ax, curve, of):
    shown = np.arange(0, len(curve["sigma"]), max(1, len(curve["sigma"]) // 25))
    ax.plot(curve["sigma"], curve["mse"], color=SAMPLERS["euler"][0], lw=1)
    ax.errorbar(curve["sigma"][shown], curve["mse"][shown], curve["mse_error"][shown], color=SAMPLERS["euler"][0],
                fmt=".", capsize=2)
    ax.set(xscale="log", yscale="log", xlabel="noise level σ  [data units]", ylabel="mse(σ)  [data units², summed]",
           title=f"Error curve, on {of}")


def _grids(ax, tree):
    """Where the recommended grids stop."""
    names = list(tree["recommended"].groups)
    for row, name in enumerate(names):
        steps = tree["recommended"][name].groups
        middle = sorted(steps, key=lambda text: int(text[1:]))[len(steps) // 2]
        sigmas, colour = steps[middle]["sigma"].values, SAMPLERS.get(name, (VERMILLION,))[0]
        stops = sigmas[sigmas > 0]
        ax.plot(stops, np.full(len(stops), -row), "|", ms=14, mew=1.6, color=colour)
        if sigmas[-1] == 0:
            ax.annotate("→ 0", (stops[-1], -row), (8, 0), textcoords="offset points", va="center", color=colour)
    ax.set_yticks(-np.arange(len(names)), names)
    ax.set(xscale="log", ylim=(0.5 - len(names), 0.5), xlabel="noise level σ  [data units]",
           title=f"Recommended grids, {middle[1:]} evaluations")
    ax.invert_xaxis()
