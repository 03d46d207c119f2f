"""What a learned diffusion shows: clouds in the plane, rasters of binary sequences, pictures, and entropies per step."""

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
    blocks = [(name, unit, kind) for name, unit in units.items() for kind in ("triptych", "raster", "gallery") if kind in unit]
    fig, parts = grid_figure([{"triptych": 7.4, "raster": 5.0, "gallery": 3.2}[kind] for _, _, kind in blocks], 11.0)
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
    axes = fig.subplots(1, 2)
    for ax, kind in zip(axes, ("data", "samples")):
        values = group[kind].values
        values = values[..., None] if values.ndim == 3 else values
        n, height, width, channels = values.shape
        sheet = np.full((4 * (height + 1), 6 * (width + 1), channels), np.nan)
        for k in range(min(n, 24)):
            y, x = divmod(k, 6)
            sheet[y * (height + 1):, x * (width + 1):][:height, :width] = values[k]
        low, high = np.nanquantile(group["data"].values, (0.0, 1.0))
        sheet = np.clip((sheet - low) / (high - low), 0, 1)
        ax.imshow(sheet if channels == 3 else sheet[..., 0], cmap="Greys_r", interpolation="nearest")
        ax.set_axis_off()
        ax.set_title(kind, fontsize=9)
    fig.suptitle(name, fontsize=10)


def _entropies(fig, table, shares):
    ax = fig.subplots()
    keep = np.isfinite(table["lower"].values)
    place, lower, upper, cross, error = (table[k].values[keep] for k in ("place", "lower", "upper", "cross", "cross_error"))
    parts = np.array_split(np.arange(len(place)), min(len(place), GROUPS))
    mean = lambda values: np.array([values[part].mean() for part in parts])
    error = np.array([np.sqrt(np.sum(error[part] ** 2)) / len(part) for part in parts])
    ax.fill_between(place, 0, upper - lower, color=GREY, alpha=0.3, lw=0, label="between the entropy bounds")
    ax.errorbar(mean(place), mean(cross - lower), error, color=VERMILLION, lw=1.0, label="model, −⟨ln p(x$_{n−1}$|x$_n$)⟩")
    ax.set(xlabel="t/T" if shares else "noise level σ  [data units]", ylabel="nat a step above the lower bound",
           xscale="linear" if shares else "log", yscale="log")
    ax.yaxis.set_minor_formatter("")
    ax.set_title("Entropy of the reverse steps" + (f", means of {len(parts[0])}" if len(parts[0]) > 1 else ""), fontsize=9)
    ax.legend(frameon=False, fontsize=7.5)
