"""Work fluctuations: the Crooks line and its crossing, Jarzynski against step and number of paths."""

import numpy as np

from .style import BLACK, BLUE, GREEN, VERMILLION, figure

LOOKS = {"dragged trap": (BLUE, "o"), "breathing trap": (VERMILLION, "s"), "two wells": (GREEN, "^")}


def applies(tree):
    """Whether the file holds the tables of the fluctuation theorems."""
    return "crooks" in tree and "jarzynski" in tree


def draw(tree):
    """The figure."""
    fig, (left, middle, right) = figure(1, 3, (10.5, 3.6))
    crooks, steps, paths = tree["crooks"], tree["jarzynski"], tree["convergence"]
    for name, (colour, marker) in LOOKS.items():
        mine = crooks["system"].values == name
        w, shift = crooks["work"].values[mine], crooks["free_energy"].values[mine]
        left.errorbar(w - shift, crooks["log_ratio"].values[mine], crooks["log_ratio_error"].values[mine],
                      color=colour, marker=marker, ls="none", label=name)
        mine = steps["system"].values == name
        h, exact = steps["steps"].values[mine], steps["free_energy"].values[mine]
        middle.errorbar(h, steps["total"].values[mine] - exact, steps["total_error"].values[mine], color=colour,
                        marker=marker,
                        label=f"{name}, W + W_sh")
        middle.errorbar(h, steps["bare"].values[mine] - exact, steps["bare_error"].values[mine], color=colour,
                        marker=marker,
                        mfc="none", ls=":", label=f"{name}, W alone")
        mine = paths["system"].values == name
        n, exact = paths["paths"].values[mine], paths["free_energy"].values[mine]
        right.errorbar(n, paths["estimate"].values[mine] - exact, paths["error"].values[mine], color=colour,
                       marker=marker, label=name)
    reach = np.array(left.get_xlim())
    left.plot(reach, reach, color=BLACK, lw=0.8)
    left.set(title="Crooks: slope 1 through ΔF", xlabel="(W + W_sh − ΔF)/T", ylabel="ln P_F(W)/P_R(−W)")
    middle.set(title="Jarzynski at coarse steps", xlabel="steps", ylabel="estimate − ΔF", xscale="log")
    right.set(title="Jarzynski against paths", xlabel="paths", ylabel="mean estimate − ΔF", xscale="log")
    ticks = sorted(set(steps["steps"].values))
    middle.set_xticks(ticks, [str(n) for n in ticks])
    middle.set_xticks([], minor=True)
    for panel in (middle, right):
        panel.axhline(0, color=BLACK, lw=0.8)
    left.legend(frameon=False)
    middle.legend(frameon=False, fontsize=6)
    return fig
