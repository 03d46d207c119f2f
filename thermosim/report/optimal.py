"""Work against duration: linear ramps, protocols of least work, and what no protocol beats."""

import numpy as np

from .style import BLACK, BLUE, VERMILLION, figure

LOOKS = {"linear": (BLUE, "s", "--"), "optimal": (VERMILLION, "o", "-")}
TASKS = {"dragged": ("A trap dragged by 1", 0.0), "stiffened": ("A trap stiffened from k = 1 to 4", np.log(4)/2)}


def applies(tree):
    """Whether the file holds strokes beside their bound."""
    return "summary" in tree and {"protocol", "bound", "jump_start"} <= set(tree["summary"].datasets)


def draw(tree):
    """The figure."""
    of = {name: np.asarray(d.values) for name, d in tree["summary"].datasets.items()}
    fig, axes = figure(1, 2, (9.2, 3.9))
    for axis, (task, (title, free)) in zip(axes, TASKS.items()):
        for protocol, (colour, marker, line) in LOOKS.items():
            keep = (of["task"] == task) & (of["protocol"] == protocol)
            t = of["duration"][keep]
            axis.plot(t, of["work"][keep], color=colour, ls=line, label=f"{protocol}, closed form")
            axis.errorbar(t, of["work_particles"][keep], of["work_particles_error"][keep], color=colour,
                          marker=marker, ls="none",
                          label=f"{protocol}, particles")
        axis.axhline(free, color=BLACK, lw=0.8, ls=":", label="free energy difference")
        axis.set(xscale="log", xlabel="duration μkt", ylabel="mean work W", title=title, ylim=(-0.04, None))
    axes[0].legend(frameon=False)
    return fig
