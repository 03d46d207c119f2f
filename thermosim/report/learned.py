"""What a learned diffusion shows: clouds in the plane, rasters
of binary sequences, pictures, and entropies per step."""

import numpy as np

from .style import BLUE, GREY, VERMILLION, grid_figure

ROWS = (("forward", "heated data"), ("reverse", "reverse chain"), ("drift", "drift D(x; σ) − x"))

GROUPS = 40             # points of the entropy curve: a step of a long chain is all noise


def applies(tree):
    """Whether the file holds a learned diffusion."""
    return "learned" in tree


def draw(tree):
    """The figure: a block of rows for each data set."""
    units = tree["learned"].groups
    blocks = [(name, unit, kind) for name, unit in units.items()
              for kind in ("triptych", "raster", "gallery") if kind in unit]
    fig, parts = grid_figure([{"triptych": 7.4, "raster": 5.0, "gallery": 8.2}[kind] for _, _, kind in blocks], 11.0)
    for part, (name, unit, kind) in zip(parts, blocks):
        left, right = part.subfigures(1, 2, width_ratios=(2.1, 1))
        {"triptych": _triptych, "raster": _raster, "gallery": _gallery}[kind](left, unit[kind], name)
        _entropies(right, unit["entropies"], kind == "raster")
    return fig


def _triptych(fig, group, name):
    sigmas, grid = group.attrs["sigmas"], group["grid"].values
    axes = fig.subplots(3, len(sigmas), sharex=True, sharey=True)
    for row, (kind, title) in zip(axes, ROWS):
        for ax, values, sigma in zip(row, group[kind].values, sigmas):
            if kind == "drift":
                ax.quiver(*grid.T, *values.T, color=BLUE, angles="xy", width=0.006)
            else:
                ax.plot(*values.T, ".", ms=1.2, color=BLUE if kind == "forward" else VERMILLION, rasterized=True)
            ax.set(xlim=(-3, 3), ylim=(-3, 3), aspect="equal")
            ax.grid(False)
            ax.set_title(f"{title}, σ = {sigma:.2g}", fontsize=8)
    fig.suptitle(f"{name}: axes in data units", fontsize=10)


def _raster(fig, group, name):
    times = group.attrs["times"]
    axes = fig.subplots(3, len(times) + 1, sharex=True, sharey=True)
    for row, kind in zip(axes, ("forward", "reverse", "inpainting")):
        for ax, values, t in zip(row, group[kind].values, [*times, 0]):
            ax.imshow(values, cmap="Greys", vmin=0, vmax=1, aspect="auto", interpolation="nearest")
            ax.grid(False)
            ax.set_title(f"{kind}, t = {t}", fontsize=7.5)
    for ax in axes[-1]:
        ax.set_xlabel("site")
    for ax in axes[:, 0]:
        ax.set_ylabel("sequence")
    fig.suptitle(f"{name}: inpainting knows the first five sites", fontsize=10)


def _gallery(fig, group, name):
    """Held-out pictures, hidden, drawn again from the posterior, and samples; below, the three stages of a triptych."""
    top, bottom = fig.subfigures(2, 1, height_ratios=(1, 1.15))
    titles = {"data": "held-out data", "hidden": f"under noise of {group.attrs['hidden']:g}",
              "denoised": "drawn from the posterior", "samples": "samples"}
    span = np.quantile(group["data"].values, (0.0, 1.0))
    for ax, (kind, title) in zip(top.subplots(1, len(titles)), titles.items()):
        _sheet(ax, group[kind].values, 4, np.quantile(group[kind].values, (0.002, 0.998)) if kind == "hidden" else span)
        ax.set_title(title, fontsize=8)
    sigmas = group.attrs["sigmas"]
    for row, (kind, title) in zip(bottom.subplots(len(ROWS), len(sigmas)), ROWS):
        for ax, values, sigma in zip(row, group[kind].values, sigmas):
            _sheet(ax, values, 4, np.quantile(values, (0.002, 0.998)))
            ax.set_title(f"{title}, σ = {sigma:.2g}", fontsize=8)
    fig.suptitle(f"{name}: pictures of variance 1; noisy ones and drifts on scales of their own", fontsize=10)


def _sheet(ax, values, columns, span):
    """Pictures (n, height, width[, channel]) side by side, `columns` a row, black to white over `span`."""
    values = values[..., None] if values.ndim == 3 else values
    n, height, width, channels = values.shape
    sheet = np.full((-(-n // columns) * (height + 1) - 1, columns * (width + 1) - 1, channels), span[1])
    for k in range(n):
        y, x = divmod(k, columns)
        sheet[y * (height + 1):, x * (width + 1):][:height, :width] = values[k]
    sheet = np.clip((sheet - span[0]) / (span[1] - span[0]), 0, 1)
    ax.imshow(sheet if channels == 3 else sheet[..., 0], cmap="Greys_r", interpolation="nearest")
    ax.set_axis_off()


def _entropies(fig, table, shares):
    ax = fig.subplots()
    keep = np.isfinite(table["lower"].values)
    place, lower, upper, cross, error = (table[k].values[keep]
                                         for k in ("place", "lower", "upper", "cross", "cross_error"))
    parts = np.array_split(np.arange(len(place)), min(len(place), GROUPS))
    mean = lambda values: np.array([values[part].mean() for part in parts])
    error = np.array([np.sqrt(np.sum(error[part] ** 2)) / len(part) for part in parts])
    ax.fill_between(place, 0, upper - lower, color=GREY, alpha=0.3, lw=0, label="between the entropy bounds")
    ax.errorbar(mean(place), mean(cross - lower), error, color=VERMILLION, lw=1.0,
                label="model, −⟨ln p(x$_{n−1}$|x$_n$)⟩")
    ax.set(xlabel="t/T" if shares else "noise level σ  [data units]", ylabel="nat a step above the lower bound",
           xscale="linear" if shares else "log", yscale="log")
    ax.yaxis.set_minor_formatter("")
    ax.set_title("Entropy of the reverse steps" + (f", means of {len(parts[0])}" if len(parts[0]) > 1 else ""),
                 fontsize=9)
    ax.legend(frameon=False, fontsize=7.5)
