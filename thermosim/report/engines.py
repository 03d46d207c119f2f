"""Engines: their efficiency by every road, and efficiency against power, each engine beside what no engine beats."""

import numpy as np

from .style import BLACK, BLUE, GREEN, GREY, ORANGE, PURPLE, VERMILLION, figure

ROADS = {"moments": (BLACK, "_", "closed moments"), "density": (BLUE, "s", "density"),
         "particles": (VERMILLION, "o", "particles")}
ENGINES = {"optimal": "Strokes of least work (Schmiedl, Seifert)", "carnot": "Carnot, linear strokes",
           "stirling": "Stirling, linear strokes"}
BOUNDS = {"speed_limit": (BLUE, "--", "speed limit of W2"), "uncertainty": (GREEN, "-.", "uncertainty relation"),
          "power_efficiency": (ORANGE, (0, (5, 1)), "power–efficiency trade-off")}


def applies(tree):
    """Whether the file holds engines and their trade-off."""
    return "trade_off" in tree and "landmarks" in tree and "frontier" in tree


def draw(tree):
    """The figure: four panels."""
    fig, axes = figure(2, 2, (9.6, 8.2))
    marks = {k: float(d.values[0]) for k, d in tree["landmarks"].datasets.items() if k != "landmark"}
    _roads(axes[0, 0], tree["summary"], marks)
    trade, peak, edge = ({k: np.asarray(d.values) for k, d in tree[name].datasets.items()}
                         for name in ("trade_off", "maximum_power", "frontier"))
    for axis, (name, title) in zip(axes.ravel()[1:], ENGINES.items()):
        _plane(axis, {k: v[trade["engine"] == name] for k, v in trade.items() if len(v) == len(trade["engine"])},
               {k: v[peak["engine"] == name] for k, v in peak.items() if len(v) == len(peak["engine"])}, marks)
        axis.set(title=title, xlim=(0, 0.54), ylim=(0, 1.35*peak["power"][peak["engine"] == name][0]),
                 ylabel="power −W/duration")
        if name == "optimal":
            axis.plot(edge["efficiency"], edge["power"], color=PURPLE, lw=2.2, alpha=0.6,
                      label="frontier of low dissipation", zorder=1)
            # labels of all panels, in one order
            handles, labels = axis.get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside lower center", ncol=4, frameon=False)
    for axis in axes[1]:
        axis.set_xlabel("efficiency −W/Q_h")
    axes[0, 1].set_xlabel("efficiency −W/Q_h")
    return fig


def _roads(axis, summary, marks):
    """Efficiency of every cycle by every road."""
    column = lambda name: np.asarray(summary[name].values)
    roads, engines, eta, error = (column("road"), column("engine"), column("efficiency"),
                                  np.nan_to_num(column("efficiency_error")))
    names = [name for name in dict.fromkeys(engines) if np.isfinite(eta[engines == name]).any()]
    for shift, (road, (colour, marker, label)) in zip((0, -0.12, 0.12), ROADS.items()):
        at = [(names.index(e) + shift, k) for k, e in enumerate(engines) if e in names and roads[k] == road]
        axis.errorbar([x for x, _ in at], [eta[k] for _, k in at], [error[k] for _, k in at], color=colour,
                      marker=marker, ls="none",
                      ms=16 if marker == "_" else 5, label=label)
    axis.axhline(marks["carnot"], color=BLACK, lw=1.2, ls=":")
    axis.text(len(names) - 0.6, marks["carnot"], "1 − T_c/T_h", va="bottom", ha="right", fontsize=8)
    axis.set(xticks=range(len(names)), ylim=(0, 0.58), ylabel="efficiency −W/Q_h",
             title="One turn between T = 2 and T = 1")
    axis.set_xticklabels([n.replace(", ", ",\n") for n in names], fontsize=8)
    axis.legend(frameon=False, loc="lower left", fontsize=8)


def _plane(axis, trade, peak, marks):
    """One engine at every duration, and the efficiency that each bound leaves at the power it has there."""
    keep = trade["power"] > 0
    axis.axvspan(marks["low_dissipation_lower"], marks["low_dissipation_upper"], color="0.93", lw=0,
                 label="low dissipation, at maximum power")
    axis.axvline(marks["curzon_ahlborn"], color=GREY, lw=1, ls="--", label="Curzon, Ahlborn: 1 − √(T_c/T_h)")
    axis.axvline(marks["carnot"], color=BLACK, lw=1.4, ls=":", label="second law: 1 − T_c/T_h")
    for name, (colour, line, label) in BOUNDS.items():
        axis.plot(trade[name][keep], trade["power"][keep], color=colour, ls=line, label=label)
    axis.plot(trade["efficiency"][keep], trade["power"][keep], color=VERMILLION, lw=2,
              label="the engine, every duration")
    axis.plot(peak["efficiency"], peak["power"], "o", color=VERMILLION, ms=6, label="its maximum power")
    axis.annotate(f"η = {peak['efficiency'][0]:.3f}", (peak["efficiency"][0], peak["power"][0]), (0, 7),
                  textcoords="offset points",
                  fontsize=8, ha="center", bbox={"facecolor": "white", "edgecolor": "none", "pad": 1, "alpha": 0.8})
