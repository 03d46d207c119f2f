"""Heat of every sampler step over five schedules: a level line would be isothermal."""

import numpy as np

from .style import GRIDS, NAMES, figure


def applies(tree):
    """Whether the file holds the heat of sampler steps beside their closed forms."""
    return "heat_of_steps" in tree and "heat_exact" in tree["heat_of_steps"].datasets


def draw(tree):
    """The figure."""
    heats = {name: np.asarray(d.values) for name, d in tree["heat_of_steps"].datasets.items()}
    samplers, steps = list(dict.fromkeys(heats["sampler"])), int(heats["steps"].min())
    fig, axes = figure(1, len(samplers), (9.2, 3.9))
    for axis, sampler in zip(axes, samplers):
        for grid, (colour, marker, line) in GRIDS.items():
            keep = (heats["sampler"] == sampler) & (heats["grid"] == grid) & (heats["steps"] == steps)
            axis.plot(heats["step"][keep] + 1, -heats["heat_exact"][keep], color=colour, ls=line,
                      label=NAMES.get(grid, grid))
            axis.errorbar(heats["step"][keep] + 1, -heats["heat"][keep], heats["heat_error"][keep], color=colour,
                          marker=marker, ls="none")
        axis.set(xlabel=f"step of {steps}, from noise to data", ylabel="heat given off, −Q_n",
                 title=NAMES.get(sampler, sampler), yscale="log")
    axes[0].legend(frameon=False, title="marks: particles\nlines: closed form", title_fontsize=8)
    return fig
