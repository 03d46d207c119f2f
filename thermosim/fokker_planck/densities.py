"""What a density on a grid says: entropy, distances, marginals. Cell masses in, plain numbers out."""

import numpy as np

from ..errors import UserError
from .checks import field, made_of, whole
from .grid import Axis


def entropy(grid, p):
    """−∫p ln p, nats."""
    p = field(grid, p)
    return float(-np.sum(p * np.log(np.where(p > 0, p, 1.0)) * grid.volumes))


def kl(grid, p, q):
    """KL(p‖q) = ∫p ln(p/q), nats; infinite where p has mass and q has none."""
    p, q = field(grid, p), field(grid, q)
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(p > 0, p * (np.log(p) - np.log(q)), 0.0)
    return float(np.sum(terms * grid.volumes))


def l1(grid, p, q):
    """∫|p − q|."""
    return float(np.sum(np.abs(field(grid, p) - field(grid, q)) * grid.volumes))


def mean(grid, p, values):
    """⟨values⟩ of an array of the grid's shape, or of a function of points (n, d)."""
    if callable(values):
        values = np.asarray(values(grid.points()), float).reshape(grid.shape)
    return float(np.sum(field(grid, p) * grid.volumes * field(grid, values, "what is averaged")))


def marginal(grid, p, axis):
    """(cells,) density of one coordinate, the others integrated out."""
    axis = whole(axis, "axis", least=0, most=grid.dimension - 1)
    others = tuple(k for k in range(grid.dimension) if k != axis)
    return np.sum(field(grid, p) * grid.volumes, axis=others) / grid.axes[axis].widths


def conditional(grid, p, axis, at):
    """Density of the other coordinates given that coordinate `axis` lies in the cell of `at`.

    Raises
    ------
    UserError
        Where that cell holds no mass, or `at` is off the grid.
    """
    if grid.dimension == 1:
        raise UserError("a density in one dimension has no other coordinate to condition")
    a = grid.axes[whole(axis, "axis", least=0, most=grid.dimension - 1)]
    if not a.edges[0] <= at <= a.edges[-1]:
        raise UserError(f"{at:g} lies outside axis {axis}, {a.edges[0]:g} … {a.edges[-1]:g}")
    cell = min(np.searchsorted(a.edges, at, side="right"), a.cells) - 1
    cut = np.take(field(grid, p), cell, axis=axis)
    volume = np.take(grid.volumes, cell, axis=axis) / a.widths[cell]
    mass = np.sum(cut * volume)
    if not mass > 0:
        raise UserError(f"no mass at {at:g} on axis {axis}: nothing to condition on")
    return cut / mass


def w2(axis, p, q):
    """2-Wasserstein distance of two densities on one axis, by their quantile functions.

    Exact for densities that are constant in every cell: between the levels at which either cumulative
    has a corner both quantile functions are straight lines.
    """
    made_of(axis, Axis, "w2 is for densities on one axis: give the Axis, grid.axes[0]")
    levels, quantiles = [], []
    for density in (p, q):
        if np.shape(density) != (axis.cells,):
            raise UserError(f"w2 needs densities on one axis of {axis.cells} cells, not of shape {np.shape(density)}")
        if np.any(np.asarray(density) < 0) or not np.sum(density) > 0:
            raise UserError("w2 needs densities: no value below 0, and not all of them 0")
        cumulative = np.concatenate(([0.0], np.cumsum(density * axis.widths)))
        levels.append(cumulative / cumulative[-1])
    corners = np.union1d(*levels)
    for level in levels:
        # over an empty cell the quantile jumps: its limits from above and below belong to different pieces
        start, end = (np.searchsorted(level, c, side=s) for c, s in ((corners[:-1], "right"), (corners[1:], "left")))
        quantiles.append((_invert(axis.edges, level, corners[:-1], start),
                          _invert(axis.edges, level, corners[1:], end)))
    (a0, a1), (b0, b1) = quantiles
    d0, d1 = a0 - b0, a1 - b1
    return float(np.sqrt(np.sum(np.diff(corners) * (d0 * d0 + d0 * d1 + d1 * d1) / 3)))


def _invert(edges, level, u, j):
    """x with cumulative u inside the cell [j − 1, j]."""
    j = np.clip(j, 1, len(edges) - 1)
    rise = level[j] - level[j - 1]
    share = np.where(rise > 0, (u - level[j - 1]) / np.where(rise > 0, rise, 1.0), 0.0)
    return edges[j - 1] + np.clip(share, 0.0, 1.0) * (edges[j] - edges[j - 1])
