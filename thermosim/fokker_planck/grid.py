"""Cells: where a density lives, and what its ends do.

    open        the line goes on; nothing may flow out and the density must be negligible there (checked)
    reflecting  a wall: no flux
    absorbing   what touches the end leaves for good
    periodic    the two ends are one point
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..errors import UserError
from ..names import unknown
from .checks import field, numeric, whole

ENDS = ("open", "reflecting", "absorbing", "periodic")
MASS_MISSED = 1e-3     # a density that leaves more than this outside the grid is refused
MASS_AT_END = 1e-8     # the outermost cell of an open end may hold this much


@dataclass(frozen=True)
class Wall:
    """One absorbing end of a grid, as a target: ``Wall(axis=0, upper=True)``."""

    axis: int = 0
    upper: bool = True


class Axis:
    """Cells along one coordinate.

    Parameters
    ----------
    edges : (n + 1,) array
        Rising cell edges; distances need not be equal.
    ends : str or (str, str)
        What the lower and the upper end do: open, reflecting, absorbing, periodic (both).

    Raises
    ------
    UserError
        For fewer than 4 cells, edges that do not rise, or ends that do not exist.
    """

    def __init__(self, edges, ends="open"):
        self.edges = numeric(edges, "cell edges").copy()
        if self.edges.ndim != 1 or len(self.edges) < 5 or not np.all(np.isfinite(self.edges)) \
                or np.any(np.diff(self.edges) <= 0):
            raise UserError("an axis needs at least 5 finite cell edges that rise")
        self.ends = (ends, ends) if isinstance(ends, str) else tuple(ends)
        for end in self.ends:
            if end not in ENDS:
                raise unknown("end", end, ENDS)
        if len(self.ends) != 2 or (self.ends[0] == "periodic") != (self.ends[1] == "periodic"):
            raise UserError("an axis has two ends, and either both or none of them is periodic")

    @classmethod
    def uniform(cls, low, high, cells, ends="open"):
        """`cells` equal cells over [low, high]."""
        cells = whole(cells, "the number of cells of an axis", least=4)
        if not low < high:
            raise UserError(f"an axis needs low < high, not {low} and {high}")
        return cls(np.linspace(low, high, cells + 1), ends)

    @property
    def cells(self):
        """Number of cells."""
        return len(self.edges) - 1

    @property
    def periodic(self):
        """Whether the two ends are one point."""
        return self.ends[0] == "periodic"

    @cached_property
    def centers(self):
        """(cells,) middles of the cells."""
        return 0.5 * (self.edges[1:] + self.edges[:-1])

    @cached_property
    def widths(self):
        """(cells,) widths of the cells."""
        return np.diff(self.edges)

    @cached_property
    def distances(self):
        """(n + 1,): from centre to centre across each edge; to the wall itself at an end."""
        first, last = 0.5 * self.widths[0], 0.5 * self.widths[-1]
        if self.periodic:
            first = last = first + last
        return np.concatenate(([first], np.diff(self.centers), [last]))


class Grid:
    """The product of one, two or three axes; densities on it have shape `shape`.

    Parameters
    ----------
    *axes : Axis

    Examples
    --------
    >>> Grid(Axis.uniform(-3, 3, 600), Axis.uniform(0, 1, 50, "periodic")).shape
    (600, 50)
    """

    def __init__(self, *axes):
        if not 1 <= len(axes) <= 3 or not all(isinstance(a, Axis) for a in axes):
            raise UserError("a grid is made of one, two or three Axis objects")
        self.axes = axes

    @property
    def dimension(self):
        """Number of axes."""
        return len(self.axes)

    @property
    def shape(self):
        """Cells along each axis."""
        return tuple(a.cells for a in self.axes)

    @cached_property
    def volumes(self):
        """Cell volumes, of shape `shape`."""
        return self.product([a.widths for a in self.axes])

    def product(self, factors):
        """Outer product of one array per axis."""
        out = factors[0]
        for f in factors[1:]:
            out = np.multiply.outer(out, f)
        return out

    def points(self, axis=None, along=()):
        """Cell centres as (cells, d), in C order; with `along` in the place of the centres of `axis`."""
        coordinates = [np.asarray(along, float) if k == axis else a.centers for k, a in enumerate(self.axes)]
        return np.stack([x.ravel() for x in np.meshgrid(*coordinates, indexing="ij")], axis=1)

    def has_end(self, kind):
        """Whether any end of any axis is of this kind."""
        return any(kind in a.ends for a in self.axes)

    # ---- densities ------------------------------------------------------------------------------

    def density(self, law):
        """A normalised density from a function of points, (n, d) → (n,); cell values at cell centres.

        Raises
        ------
        UserError
            Where it is negative, or its mass on the grid is not 1 within 1e-3: it does not fit, or its
            features are finer than the cells.
        """
        if not callable(law):
            raise UserError(f"a density is made of a function of points (n, {self.dimension}) → (n,), not {law!r:.60}")
        p = numeric(law(self.points()), "values of a density")
        if p.size != np.prod(self.shape):
            raise UserError(f"the function gave values of shape {p.shape} for {np.prod(self.shape)} points")
        p = p.reshape(self.shape)
        if not np.all(np.isfinite(p)) or np.any(p < 0):
            raise UserError("the density is negative or not finite somewhere on the grid")
        mass = np.sum(p * self.volumes)
        if abs(mass - 1) > MASS_MISSED:
            raise UserError(f"the density has mass {mass:.4g} on this grid, not 1: enlarge the grid, refine its "
                            "cells, or normalise the function")
        return p / mass

    def delta(self, point):
        """All mass in the cell that holds `point`, a number or (d,).

        Raises
        ------
        UserError
            For a point of another dimension or off the grid.
        """
        if np.ndim(point) > 1 or np.ndim(point) == 1 and len(point) != self.dimension:
            raise UserError(f"a point on this grid has {self.dimension} coordinate(s), not {np.shape(point)}")
        index = []
        for a, x in zip(self.axes, np.broadcast_to(np.asarray(point, float), (self.dimension,))):
            if not a.edges[0] <= x <= a.edges[-1]:
                raise UserError(f"the point {x:g} lies outside the grid {a.edges[0]:g} … {a.edges[-1]:g}")
            index.append(min(np.searchsorted(a.edges, x, side="right"), a.cells) - 1)
        p = np.zeros(self.shape)
        p[tuple(index)] = 1 / self.volumes[tuple(index)]
        return p

    def histogram(self, x):
        """The density of particles, an array of the grid's shape; those outside the grid are left out.

        Parameters
        ----------
        x : (n, d) array

        Raises
        ------
        UserError
            For positions of another dimension, or none at all.
        """
        x = np.asarray(x, float)
        if x.ndim != 2 or x.shape[1] != self.dimension or not len(x):
            raise UserError(f"a histogram needs positions (n, {self.dimension}), not of shape {x.shape}")
        counts, _ = np.histogramdd(x, bins=[a.edges for a in self.axes])
        return counts / (len(x) * self.volumes)

    def masses(self, p):
        """Cell probabilities of a checked density: right shape, finite, p ≥ 0, mass 1."""
        p = field(self, p)
        if not np.all(np.isfinite(p)) or np.any(p < 0):
            raise UserError("the density is negative or not finite: start from p >= 0")
        m = p * self.volumes
        # what an absorbing end has taken is gone: there the mass may be less
        if m.sum() > 1 + 1e-6 or (m.sum() < 1 - 1e-6 and not self.has_end("absorbing")):
            raise UserError(f"the density has mass {m.sum():.6g}, not 1: divide it by its mass, or use grid.density")
        return m

    def check_open_ends(self, m, mend="enlarge the grid, or make the end reflecting if it is a wall"):
        """Refuse cell masses that have reached an open end; `mend` says what would help."""
        for k, a in enumerate(self.axes):
            for end, cell, x in zip(a.ends, (0, -1), (a.edges[0], a.edges[-1])):
                held = np.abs(np.take(m, cell, axis=k)).sum()
                if end == "open" and held > MASS_AT_END:
                    raise UserError(f"the density reaches the open end {x:g} of axis {k} (mass {held:.1e} in the last "
                                    f"cell): {mend}")
