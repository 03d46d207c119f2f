"""Chains of cells: (I − hK)⁻¹ for every line of a field, factored and ready.

Factors are rounded once and err alike at every step: over 10⁴ steps lines of ten cells lost 2·10⁻¹¹ of their
mass. So where nothing leaves a line, conservation takes the place of one balance equation: what a step takes
from the other cells the fullest cell gets, to the last bit, and no cell is scaled.
"""
import numpy as np

from .threads import over_threads
from .tridiagonal import PANEL, factor, series_lines, solve_lines, solve_panels

WORTH = 1500    # cells of a sweep that are worth a thread: some 10 µs


class Chains:
    """S = (I − hK)⁻¹ for every line of a field, ready to be applied; `backend.cuda.chains` is the same on a GPU.

    Parameters
    ----------
    up, down : (outer, n, inner) arrays
        Rates, per unit time, of the hops i → i+1 and i → i−1. On a line `up` of the last cell and `down`
        of the first are what leaves for good; on a ring they lead to the other end.
    h : float
        Time step.
    ring : bool
        Periodic chains.
    """

    xp = np

    def __init__(self, up, down, h, ring=False):
        self.shape, self.ring = up.shape, ring
        self._keeps = not ring and not np.any(up[:, -1]) and not np.any(down[:, 0])
        if ring:
            # the line inside a ring: the seam leaks, and a little more so that one vector can mend it
            # (Sherman, Morrison 1950, with M = line − (b, 0 … 0, d)ᵀ(1, 0 … 0, u/b), b the diagonal of cell 0)
            u, d = h * up[:, -1], h * down[:, 0]
            b = 1 + d + h * up[:, 0]
            up, down = up.copy(), down.copy()
            down[:, 0] += b / h
            up[:, -1] += u * d / b / h
        self._factor(up, down, h)
        if ring:
            self._seam, b, d = (self._here(a) for a in (u / b, b, d))
            mend = self.xp.zeros(self.shape)
            mend[:, 0], mend[:, -1] = b, d
            self._solve(mend, 1.0, 0.0, 1)
            # conservation of mass fixes the factor that Sherman and Morrison write as a determinant
            self._mend = mend * ((b + d) / mend.sum(axis=1))[:, None]

    def apply(self, u, c1, c2, repeat=1):
        """u ← (c₁·S + c₂·S²)^repeat u in place, c₁ + c₂ = 1; u is C-contiguous, of outer·n·inner values."""
        u = u.reshape(self.shape)
        if not self.ring:
            self._solve(u, c1, c2, repeat)
            return
        for _ in range(repeat):
            before = u.copy()
            self._close(u)
            if c2:
                once = u.copy()
                self._close(u)
                u *= c2
                u += c1 * once
            self._top_up(u, before)

    def series(self, u, coefficients):
        """u ← Σ_k a_k T_k(2S − 1) u in place, at least two coefficients, Σa = 1; lines with inner = 1."""
        u = u.reshape(self.shape)
        if not self.ring:
            self._sum_up(u, coefficients)
            return
        before, old, new = u.copy(), u.copy(), u.copy()
        self._close(new)
        new *= 2
        new -= old
        u *= coefficients[0]
        u += coefficients[1] * new
        for a in coefficients[2:]:
            following = new.copy()
            self._close(following)
            old, new = new, 4 * following - 2 * new - old
            u += a * new
        self._top_up(u, before)

    def _close(self, u):
        """u ← S u on rings."""
        self._solve(u, 1.0, 0.0, 1)
        u += self._mend * (u[:, 0] + self._seam * u[:, -1])[:, None]

    def _top_up(self, u, before):
        """Give the fullest cell of every ring what rounding took from the ring."""
        outer, _, inner = self.shape
        fullest = self.xp.arange(outer)[:, None], u.argmax(axis=1), self.xp.arange(inner)[None, :]
        u[fullest] += (before - u).sum(axis=1)

    # ---- what a GPU does in its own way ----------------------------------------------------------

    def _here(self, a):
        return a

    def _factor(self, up, down, h):
        outer, _, inner = self.shape
        self._factors = tuple(np.empty(self.shape) for _ in range(3))
        self._meet = np.empty((outer, inner))
        factor(np.ascontiguousarray(up), np.ascontiguousarray(down), h, *self._factors, self._meet)

    def _solve(self, u, c1, c2, repeat):
        outer, n, inner = self.shape
        unit = max(1, WORTH // (n * repeat))   # lines that are worth a thread
        if inner == 1:
            # without the last axis the lines are known to be contiguous: a third of the time
            over_threads(solve_lines, outer, unit, u[:, :, 0], *self._line_factors(), c1, c2, repeat, self._keeps)
        else:
            over_threads(solve_panels, outer * -(-inner // PANEL), max(1, unit // PANEL), u, *self._factors, self._meet,
                         c1, c2, repeat,
                         self._keeps)

    def _sum_up(self, u, coefficients):
        outer, n, _ = self.shape
        over_threads(series_lines, outer, max(1, WORTH // (n * len(coefficients))), u[:, :, 0],
                     *self._line_factors(), coefficients,
                     self._keeps)

    def _line_factors(self):
        return *(f[:, :, 0] for f in self._factors), self._meet[:, 0]
