"""Work from information: what a turn delivers beside T·I and its speed limit, and power against efficiency."""

import numpy as np

from .style import BLACK, BLUE, GREEN, VERMILLION, figure

COLOURS = (BLUE, VERMILLION, GREEN)
CONTROLS = {"least work": ("-", "o"), "moved only": ("--", "s")}


def applies(tree):
    """Whether the file holds the balance of feedback engines."""
    return "summary" in tree and {"information", "equality", "most_work"} <= set(tree["summary"].datasets)


def draw(tree):
    """The figure."""
    fig, (left, right) = figure(1, 2, (9.4, 4.3))
    of = {name: np.asarray(d.values) for name, d in tree["summary"].datasets.items()}
    for e, colour in zip(np.unique(of["error_variance"]), COLOURS):
        for control, (line, mark) in CONTROLS.items():
            keep = (of["error_variance"] == e) & (of["control"] == control)
            t, work = of["duration"][keep], -of["work"][keep]
            left.plot(t, work, color=colour, ls=line)
            left.errorbar(t, -of["work_particles"][keep], of["work_particles_error"][keep], color=colour,
                          marker=mark, ls="none")
            useful = work > 0
            right.plot(of["efficiency"][keep][useful], of["power"][keep][useful], color=colour, ls=line, marker=mark)
        at_rest = of["information"][(of["error_variance"] == e) & (of["control"] == "least work")][0]
        left.axhline(at_rest, color=colour, lw=0.8, ls=":")
        left.plot([], [], color=colour, label=f"measured with e = {e:g}⟨x²⟩")
    for control, (line, mark) in CONTROLS.items():
        left.plot([], [], color=BLACK, ls=line, marker=mark, label=control)
    left.plot([], [], color=BLACK, lw=0.8, ls=":", label="T·I, of a particle at rest")
    left.set(xscale="log", xlabel="duration of a turn, 1/(μk)", ylabel="work delivered −W/T",
             title="What a turn delivers (lines: closed; marks: particles)",
             ylim=(-0.45, 1.3))
    left.axhline(0, color=BLACK, lw=0.6)
    left.legend(frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.16), ncol=2)
    right.axvline(1, color=BLACK, lw=0.8, ls=":")
    right.set(xlabel="efficiency of information −W/(T·I)", ylabel="power −W/duration", title="Power against efficiency",
              xlim=(0, 1.03), ylim=(0, None))
    return fig
