"""Laws in the plane: data, what a network generates, its density, and how often each part comes."""

import numpy as np

from .style import BLUE, GREY, VERMILLION, figure


def applies(tree):
    """Whether the file holds laws in the plane."""
    return "plane" in tree


def draw(tree):
    """The figure: a row for each law."""
    units = tree["plane"].groups
    fig, axes = figure(len(units), 4, (11.0, 2.75 * len(units) + 0.3), squeeze=False)
    for row, (name, unit) in zip(axes, units.items()):
        x, y = unit["x"].values, unit["y"].values
        told = unit.attrs
        _points(row[0], unit["data"].values, BLUE, f"{name}: data")
        _points(row[1], unit["generated"].values, VERMILLION,
                f"generated: W$_2$ ratio {told['ratio']:.3f} ± {told['ratio_error']:.3f}")
        density = np.exp(unit["log_density"].values)
        # the brightest thousandth would leave the rest dark
        image = row[2].pcolormesh(x, y, density.T, vmin=0, vmax=np.quantile(density, 0.999), cmap="viridis",
                                  rasterized=True)
        fig.colorbar(image, ax=row[2], shrink=0.85, label="density  [1/data units²]")
        row[2].set_title(f"its density: KL {told['kl']:.3f} ± {told['kl_error']:.3f} nat", fontsize=8.5)
        for ax in row[:3]:
            ax.set(xlim=x[[0, -1]], ylim=y[[0, -1]], aspect="equal")
            ax.grid(False)
            ax.set_xlabel("x$_1$  [data units]")
        row[0].set_ylabel("x$_2$  [data units]")
        _shares(row[3], unit["share"].values, told["share_error"], told["largest_z"])
    return fig


def _points(ax, points, colour, title):
    ax.plot(*points.T, ".", ms=1.0, color=colour, rasterized=True)
    ax.set_title(title, fontsize=8.5)


def _shares(ax, share, error, largest):
    expected = 1 / len(share)
    ax.axhspan(expected - error, expected + error, color=GREY, alpha=0.3, lw=0)
    ax.axhline(expected, color=GREY, lw=1)
    ax.errorbar(np.arange(len(share)) + 1, share, error, fmt="o", color=VERMILLION, capsize=2)
    ax.set(xlabel="part of the data", ylabel="share of samples", xticks=np.arange(len(share)) + 1)
    ax.set_ylim(expected - 6 * error, expected + 6 * error)
    ax.set_title(f"equally likely parts: |z| ≤ {largest:.1f}", fontsize=8.5)
