"""What more steps buy: dissipated work and η_grid per grid, W2 ratio per sampler and grid."""

import numpy as np

from .style import BLACK, GRIDS, NAMES, figure, look, plain_ticks


def applies(tree):
    """Whether the file holds the summary of a round trip."""
    return "summary" in tree and "grids" in tree and "w2_ratio" in tree["summary"]


def draw(tree):
    """The figure."""
    grids, summary = tree["grids"], tree["summary"]
    samplers = list(dict.fromkeys(summary["sampler"].values))
    panels = 2 + len(samplers)
    columns = min(4, panels)
    rows = -(-panels // columns)
    fig, axes = figure(rows, columns, (3.1 * columns, 3.0 * rows), squeeze=False)
    axes = list(axes.flat)
    for spare in axes[panels:]:
        spare.remove()
    steps = grids["steps"].values
    for name in dict.fromkeys(grids["grid"].values):
        mine = grids["grid"].values == name
        axes[0].errorbar(steps[mine], grids["dissipated_work"].values[mine],
                         grids["dissipated_work_error"].values[mine],
                         **look(GRIDS, name))
        axes[1].plot(steps[mine], grids["eta_grid"].values[mine], **look(GRIDS, name))
    order = np.argsort(steps)
    axes[0].plot(steps[order], grids["bound"].values[order], color=BLACK, lw=0.8, ls="--", label="L²/N")
    axes[0].set(title="Dissipated work of the grid", ylabel="P  [nat]", yscale="log")
    axes[1].set(title="Efficiency of the grid", ylabel="η_grid")
    fig.legend(handles=axes[0].get_legend_handles_labels()[0], loc="outside lower center", ncols=6, frameon=False)
    w2, error = summary["w2_ratio"].values, summary["w2_ratio_error"].values
    for panel, sampler in zip(axes[2:], samplers):
        for name in dict.fromkeys(summary["grid"].values):
            mine = (summary["sampler"].values == sampler) & (summary["grid"].values == name)
            panel.errorbar(summary["steps"].values[mine], w2[mine], error[mine], **look(GRIDS, name))
        panel.axhline(1.0, color=BLACK, lw=0.8)
        panel.set(title=NAMES.get(sampler, sampler), ylabel="W2 ratio to training data", yscale="log")
    ticks = sorted(set(steps))
    for panel in axes[:panels]:
        panel.set(xscale="log", xlabel="steps")
        plain_ticks(panel.xaxis, ticks)
    for panel in axes[2:panels]:
        lo, hi = panel.get_ylim()
        panel.set_ylim(min(lo, 0.9), max(hi, 1.25))
        plain_ticks(panel.yaxis, _ticks(*panel.get_ylim()))
    return fig


def _ticks(lo, hi):
    """Round numbers within a logarithmic axis, 1 among them, none closer than a tenth of its length."""
    kept = [1.0]
    for t in (2, 5, 10, 20, 50, 1.5, 3, 0.8, 0.9, 1.1, 1.2, 1.3, 1.4):
        if lo <= t <= hi and all(abs(np.log(t / k)) > 0.1 * np.log(hi / lo) for k in kept):
            kept.append(t)
    return sorted(kept)
