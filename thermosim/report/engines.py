"""Engines: their efficiency by every road, and efficiency against power with its landmarks."""

import numpy as np

from .style import BLACK, BLUE, GREEN, ORANGE, VERMILLION, figure

ROADS = {"moments": (BLACK, "_", "closed moments"), "density": (BLUE, "s", "density"), "particles": (VERMILLION, "o", "particles")}
COLOURS = {"optimal": BLUE, "carnot": GREEN, "stirling": ORANGE}
LABELS = {"optimal": "optimal (Schmiedl, Seifert)", "carnot": "Carnot, linear strokes", "stirling": "Stirling, linear strokes"}


def applies(tree):
    """Whether the file holds engines and their trade-off."""
    return "trade_off" in tree and "landmarks" in tree


def draw(tree):
    """The figure."""
    fig, (left, right) = figure(1, 2, (9.6, 4.8))
    summary, marks = tree["summary"], {k: float(d.values[0]) for k, d in tree["landmarks"].datasets.items() if k != "landmark"}
    column = lambda name: np.asarray(summary[name].values)
    roads, engines, eta = column("road"), column("engine"), column("efficiency")
    names = [name for name in dict.fromkeys(engines) if np.isfinite(eta[engines == name]).any()]
    for shift, (road, (colour, marker, label)) in zip((0, -0.12, 0.12), ROADS.items()):
        at = [(names.index(e) + shift, k) for k, e in enumerate(engines) if e in names and roads[k] == road]
        error = np.nan_to_num(column("efficiency_error"))
        left.errorbar([x for x, _ in at], [eta[k] for _, k in at], [error[k] for _, k in at], color=colour, marker=marker, ls="none",
                      ms=16 if marker == "_" else 5, label=label)
    left.axhline(marks["carnot"], color=BLACK, lw=0.8, ls=":")
    left.text(len(names) - 0.6, marks["carnot"], "1 − T_c/T_h", va="bottom", ha="right", fontsize=8)
    left.set(xticks=range(len(names)), ylim=(0, 0.58), ylabel="efficiency −W/Q_h", title="One turn between T = 2 and T = 1")
    left.set_xticklabels([n.replace(", ", ",\n") for n in names])
    left.legend(frameon=False, loc="lower left", fontsize=8)
    trade = {k: np.asarray(d.values) for k, d in tree["trade_off"].datasets.items()}
    for name, colour in COLOURS.items():
        keep = (trade["engine"] == name) & (trade["power"] > 0)
        right.plot(trade["efficiency"][keep], trade["power"][keep], color=colour, label=LABELS[name])
    right.axvspan(marks["low_dissipation_lower"], marks["low_dissipation_upper"], color="0.9", lw=0, label="low dissipation at maximum power")
    right.axvline(marks["curzon_ahlborn"], color=BLACK, lw=0.8, ls="--", label="1 − √(T_c/T_h)")
    right.axvline(marks["carnot"], color=BLACK, lw=0.8, ls=":", label="1 − T_c/T_h")
    right.set(xlabel="efficiency −W/Q_h", ylabel="power −W/duration", title="Efficiency against power, every duration", xlim=(0, 0.54), ylim=(0, None))
    right.legend(frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.14), ncol=2, fontsize=8)
    return fig
