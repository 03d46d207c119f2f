"""One look for all figures: a colour-blind safe palette (Okabe, Ito 2008), every series with its own mark too."""

import contextlib

import numpy as np

BLACK, ORANGE, SKY, GREEN, YELLOW, BLUE, VERMILLION, PURPLE = (
    "#000000", "#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7")
GREY = "#777777"

GRIDS = {
    "linear": (BLACK, "s", ":"), "cosine": (ORANGE, "^", "--"), "karras": (BLUE, "D", "-."),
    "log_snr": (GREEN, "v", (0, (5, 1))), "geodesic": (VERMILLION, "o", "-"),
}
SAMPLERS = {
    "euler_ancestral": (VERMILLION, "o", "-"), "euler": (BLUE, "s", "--"), "heun": (GREEN, "^", "-."),
    "dpmpp_2m": (ORANGE, "D", ":"), "annealed_langevin": (PURPLE, "v", (0, (5, 1))),
    "predictor_corrector": (BLACK, "x", (0, (3, 1, 1, 1))),
}
NAMES = {"log_snr": "log-SNR", "karras": "Karras", "euler_ancestral": "euler_ancestral (ddpm)", "euler": "euler (ddim)"}

RC = {
    "font.size": 9, "axes.titlesize": 9.5, "axes.labelsize": 9, "legend.fontsize": 8, "lines.linewidth": 1.4,
    "lines.markersize": 4, "axes.spines.top": False, "axes.spines.right": False, "savefig.dpi": 160,
    "figure.constrained_layout.use": True, "axes.grid": True, "grid.alpha": 0.25, "pdf.fonttype": 42,
}


@contextlib.contextmanager
def context():
    """Matplotlib without a display and with this look."""
    import matplotlib

    with matplotlib.rc_context(RC):
        yield


def figure(rows=1, columns=1, size=(7.0, 4.0), **kw):
    """(figure, axes) on a canvas of `size` inches, whatever the display."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    fig = Figure(figsize=size)
    FigureCanvasAgg(fig)
    return fig, fig.subplots(rows, columns, **kw)


def grid_figure(heights, width):
    """(figure, parts): subfigures one above another, each as high as told, inches."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    fig = Figure(figsize=(width, sum(heights)))
    FigureCanvasAgg(fig)
    return fig, list(np.atleast_1d(fig.subfigures(len(heights), 1, height_ratios=heights)))


def close(fig):
    """Let a drawn figure go."""
    fig.clear()


def look(table, name):
    """Keyword arguments of a line by its series' name."""
    colour, marker, line = table.get(name, (GREY, ".", "-"))
    return {"color": colour, "marker": marker, "linestyle": line, "label": NAMES.get(name, name)}


def plain_ticks(axis, values):
    """Only these ticks on an axis, written as plain numbers."""
    from matplotlib.ticker import NullLocator

    axis.set_minor_locator(NullLocator())
    axis.set_ticks(values, [f"{v:g}" for v in values])


def near(available, wanted):
    """The member of `available` nearest to `wanted`."""
    return min(available, key=lambda v: abs(v - wanted))
