"""Particles beside a density: frames of both, the free energy that falls, both ledgers, their distance."""

import numpy as np

from .style import BLACK, BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, VERMILLION, figure

FRAMES = 6
CURVES = (("work", BLUE, "o"), ("heat", VERMILLION, "s"), ("entropy_env", GREEN, "^"))
MARKS = {"work": (BLUE, "o"), "heat": (VERMILLION, "s"), "entropy_env": (GREEN, "^"), "energy": (PURPLE, "D"),
         "heat_line": (ORANGE, "v"), "shadow_work": (BLACK, "x")}


def applies(tree):
    """Whether the file holds a density, histograms of particles and both their books."""
    return "fields/density" in tree and "histogram" in tree["fields/density"].datasets and "free_energy" in tree


def draw(tree):
    """The figure: a strip of frames over three panels."""
    fig, whole = figure(size=(2.1 * FRAMES, 5.6))
    whole.remove()
    upper, lower = fig.subfigures(2, 1, height_ratios=[1, 1.25])
    _strip(upper.subplots(1, FRAMES), tree["fields/density"])
    left, middle, right = lower.subplots(1, 3)
    _free_energy(left, tree["free_energy"])
    _books(middle, tree["ledger/rows"])
    _distances(right, tree["ledger/rows"])
    return fig


def _strip(panels, field):
    x, t, bins = field["x"].values, field["frame_time"].values, field["bin"].values
    p, U, seen = field["p"].values, field["U"].values, field["histogram"].values
    top = 1.15 * p.max()
    for panel, k in zip(panels, np.linspace(1, len(t) - 1, len(panels)).round().astype(int)):
        panel.bar(bins, seen[k], width=bins[1] - bins[0], color=SKY, alpha=0.6, lw=0)
        panel.plot(x, p[k], color=BLUE)
        lowered = U[k] - U[k].min()
        panel.plot(x, 0.25 * top * lowered, color=GREY, lw=0.9, ls="--")
        panel.set(title=f"t = {t[k]:.2g}", xlim=(-2, 2), ylim=(0, top), xlabel="x")
    panels[0].set(ylabel="p(x, t)")
    panels[0].legend(["density", "U (scaled)", "particles"], frameon=False, fontsize=7, loc="upper left")
    for panel in panels[1:]:
        panel.set_yticklabels([])


def _free_energy(panel, table):
    t = table["time"].values
    panel.plot(t, table["excess"].values, color=BLUE, label="density")
    panel.errorbar(t, table["particles"].values, table["particles_error"].values, color=BLACK, marker="o",
                   ms=3, ls="none",
                   label="particles")
    panel.axhline(0, color=GREY, lw=0.8)
    panel.set(title="Free energy above equilibrium", xlabel="t", ylabel="T·KL(p‖p_eq)")
    panel.legend(frameon=False)


def _books(panel, rows):
    t = rows["time"].values
    for name, colour, marker in CURVES:
        panel.plot(t, np.cumsum(rows[f"{name}_density"].values), color=colour)
        # rows of one particle are correlated: the error of a sum of rows is at most the sum of their errors
        panel.errorbar(t, np.cumsum(rows[name].values), np.cumsum(rows[f"{name}_error"].values), color=colour,
                       marker=marker, ms=3,
                       ls="none", label=name)
    panel.axhline(0, color=GREY, lw=0.8)
    panel.set(title="Ledgers: density (lines), particles (marks)", xlabel="t", ylabel="since the start")
    panel.legend(frameon=False)


def _distances(panel, rows):
    t = rows["time"].values
    for name, (colour, marker) in MARKS.items():
        panel.plot(t, rows[f"{name}_z"].values, color=colour, marker=marker, ms=3, ls="none", label=name)
    panel.axhspan(-5, 5, color=GREY, alpha=0.12, lw=0)
    panel.set(title="Particles − density, row by row", xlabel="t", ylabel="standard errors", ylim=(-7, 9))
    panel.legend(frameon=False, ncols=3, loc="upper center", fontsize=7)
