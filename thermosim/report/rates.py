"""Escape over a barrier: rates by every road on one Arrhenius plot, and beneath it what they differ by."""

import numpy as np

from .style import BLACK, BLUE, GREEN, ORANGE, VERMILLION, figure

ROADS = {"particles": (VERMILLION, "o", "none", "particles"), "spectrum": (BLUE, "", "-", "½λ₁ of the spectrum"),
         "passage": (GREEN, "", "--", "1/2τ(−1 → 0)"), "crossing": (ORANGE, "", "-.", "1/τ(−1 → 1)"),
         "kramers": (BLACK, "", ":", "Kramers")}


def applies(tree):
    """Whether the file holds a table of escape rates."""
    return "rates" in tree and "kramers" in tree["rates"].datasets


def draw(tree):
    """The figure."""
    fig, (top, bottom) = figure(2, 1, (5.6, 6.0), sharex=True, gridspec_kw={"height_ratios": [2, 1]})
    rates = tree["rates"]
    inverse = 1 / rates["temperature"].values
    base = rates["spectrum"].values
    for name, (colour, marker, line, label) in ROADS.items():
        value = rates[name].values
        error = rates[f"{name}_error"].values if f"{name}_error" in rates.datasets else np.zeros_like(value)
        look = {"color": colour, "marker": marker, "ls": line, "label": label, "ms": 4}
        top.errorbar(inverse, value, error, **look)
        bottom.errorbar(inverse, value / base, error / base, **look)
    top.set(yscale="log", ylabel="escape rate r", title="Escape from a well of U = (x² − 1)², μ = 1")
    bottom.set(xlabel="1/T", ylabel="r / ½λ₁")
    top.legend(frameon=False)
    return fig
