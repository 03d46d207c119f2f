"""Resolvents of birth-and-death chains: S = (I − hK)⁻¹ along one axis, prefactored, many lines at once.

K generates a chain of cells in which probability hops up or down to the next cell, or out of the two
end cells; its columns sum to minus what leaves. The elimination then needs only sums, products and
quotients of positive numbers (Grassmann, Taksar, Heyman, Oper. Res. 33, 1107 (1985); Alfa, Xue, Ye,
Math. Comp. 71, 217 (2002)): nothing cancels, every cell is right to a few roundings however small it
is, and nothing can turn negative at any h.

A field is seen as (outer, n, inner), the chain along the middle axis. Lines are eliminated from both
ends towards the middle: two chains of dependent operations in flight, where one would wait for itself.
With inner > 1 a panel of neighbouring lines runs in SIMD. Each call applies u ← c₁·S u + c₂·S² u, the
form of every scheme of `fokker_planck.schemes`; a product with K is never needed.
"""
import numpy as np

from .compile import inlined, relaxed, strict

PANEL = 256     # lines of a SIMD panel: field and factors of 256 cells stay within 512 KiB of cache


class Chains:
    """S = (I − hK)⁻¹ for every line of a field, ready to be applied.

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

    def __init__(self, up, down, h, ring=False):
        outer, n, inner = up.shape
        self.shape, self.ring = up.shape, ring
        self.stop, self.ahead, self.back = (np.empty(up.shape) for _ in range(3))
        self.meet = np.empty((outer, inner))
        if ring:
            # the line inside a ring: the seam leaks, and a little more so that one vector can mend it
            # (Sherman, Morrison 1950, with M = line − (b, 0 … 0, d)ᵀ(1, 0 … 0, u/b), b the diagonal of cell 0)
            u, d = h * up[:, -1], h * down[:, 0]
            b = 1 + d + h * up[:, 0]
            up, down = up.copy(), down.copy()
            down[:, 0] += b / h
            up[:, -1] += u * d / b / h
            self._seam = u / b
        _factor(up, down, h, self.stop, self.ahead, self.back, self.meet)
        self._work = np.empty(n) if inner == 1 else np.empty((n, PANEL))
        if ring:
            mend = np.zeros(self.shape)
            mend[:, 0], mend[:, -1] = b, d
            self._solve(mend, 1.0, 0.0, 1)
            # conservation of mass fixes the factor that Sherman and Morrison write as a determinant
            self._mend = mend * ((b + d) / mend.sum(axis=1))[:, None]

    def apply(self, u, c1, c2, repeat=1):
        """u ← (c₁·S + c₂·S²)^repeat u in place; u is a C-contiguous array of outer·n·inner values."""
        u = u.reshape(self.shape)
        if not self.ring:
            self._solve(u, c1, c2, repeat)
            return
        for _ in range(repeat):
            before = u.copy() if c2 else None
            self._close(u)
            if c2:
                before[...] = u
                self._close(u)
                u *= c2
                u += c1 * before
            else:
                u *= c1

    def _close(self, u):
        """u ← S u on rings."""
        self._solve(u, 1.0, 0.0, 1)
        u += self._mend * (u[:, 0] + self._seam * u[:, -1])[:, None]

    def _solve(self, u, c1, c2, repeat):
        factors = self.stop, self.ahead, self.back
        if self.shape[2] == 1:
            # without the last axis the lines are known to be contiguous: a third of the time
            _lines(u[:, :, 0], *(f[:, :, 0] for f in factors), self.meet[:, 0], self._work, c1, c2, repeat)
        else:
            _panels(u, *factors, self.meet, self._work, c1, c2, repeat)


@strict
def _factor(up, down, h, stop, ahead, back, meet):
    """Factors of every line, both halves towards the middle cells m − 1 and m.

    Of what has gathered in a cell, stop·(…) remains there and ahead·(…) moves on towards the middle; on
    the way back the cell takes back·(…) of its inner neighbour.
    """
    outer, n, inner = up.shape
    m = n // 2
    e, low = np.empty(inner), np.empty(inner)
    for o in range(outer):
        for j in range(inner):
            e[j] = 1.0 + h * down[o, 0, j]
        for i in range(m):
            for j in range(inner):
                rise, fall = h * up[o, i, j], h * down[o, i + 1, j]
                s = 1.0 / (e[j] + rise)
                stop[o, i, j], ahead[o, i, j], back[o, i, j] = s, rise * s, fall * s
                low[j] = e[j]
                e[j] = 1.0 + fall * (e[j] * s)
        for j in range(inner):
            e[j] = 1.0 + h * up[o, n - 1, j]
        for i in range(n - 1, m, -1):
            for j in range(inner):
                rise, fall = h * up[o, i - 1, j], h * down[o, i, j]
                s = 1.0 / (e[j] + fall)
                stop[o, i, j], ahead[o, i, j], back[o, i, j] = s, fall * s, rise * s
                e[j] = 1.0 + rise * (e[j] * s)
        for j in range(inner):
            rise, fall = h * up[o, m - 1, j], h * down[o, m, j]
            s = 1.0 / (e[j] + fall)
            stop[o, m, j], ahead[o, m, j], back[o, m, j] = s, fall * s, rise * s
            # 1/(1 − back·back) of the last 2×2, expanded so that nothing is subtracted
            meet[o, j] = (low[j] + rise) * (e[j] + fall) / (low[j] * e[j] + low[j] * fall + rise * e[j])


@inlined
def _solve_line(u, stop, ahead, back, meet, work, a, b):
    """u ← a·S u + b·u on one line of at least two cells."""
    n = u.size
    m = n // 2
    last = 2 * m - 1
    high = u[n - 1]
    work[n - 1] = high
    if last < n - 1:
        high = u[last] + ahead[n - 1] * high
        work[last] = high
    low = u[0]
    work[0] = low
    for i in range(1, m):
        j = last - i
        low = u[i] + ahead[i - 1] * low
        high = u[j] + ahead[j + 1] * high
        work[i] = low
        work[j] = high
    low, high = low * stop[m - 1], high * stop[m]
    low, high = (low + back[m - 1] * high) * meet, (high + back[m] * low) * meet
    u[m - 1] = a * low + b * u[m - 1]
    u[m] = a * high + b * u[m]
    for k in range(1, m):
        i, j = m - 1 - k, m + k
        low = work[i] * stop[i] + back[i] * low
        high = work[j] * stop[j] + back[j] * high
        u[i] = a * low + b * u[i]
        u[j] = a * high + b * u[j]
    if last < n - 1:
        high = work[n - 1] * stop[n - 1] + back[n - 1] * high
        u[n - 1] = a * high + b * u[n - 1]


@relaxed
def _lines(u, stop, ahead, back, meet, work, c1, c2, repeat):
    for r in range(u.shape[0]):
        for _ in range(repeat):
            if c2 == 0.0:
                _solve_line(u[r], stop[r], ahead[r], back[r], meet[r], work, c1, 0.0)
            else:
                _solve_line(u[r], stop[r], ahead[r], back[r], meet[r], work, 1.0, 0.0)
                _solve_line(u[r], stop[r], ahead[r], back[r], meet[r], work, c2, c1)


@inlined
def _pass_on(into, field, share, given):
    """into ← field + share·given, a row of the elimination."""
    for j in range(into.size):
        into[j] = field[j] + share[j] * given[j]


@inlined
def _settle(x, field, stop, back, neighbour, a, b):
    """x ← stop·x + back·neighbour and field ← a·x + b·field, a row of the way back."""
    for j in range(x.size):
        y = stop[j] * x[j] + back[j] * neighbour[j]
        x[j] = y
        field[j] = a * y + b * field[j]


@inlined
def _solve_panel(u, stop, ahead, back, meet, x, a, b):
    """u ← a·S u + b·u on neighbouring lines, u of shape (n, lines): the steps of `_solve_line`, row by row."""
    n = u.shape[0]
    m = n // 2
    x[0, :] = u[0]
    x[n - 1, :] = u[n - 1]
    for i in range(1, m):
        _pass_on(x[i], u[i], ahead[i - 1], x[i - 1])
    for i in range(n - 2, m - 1, -1):
        _pass_on(x[i], u[i], ahead[i + 1], x[i + 1])
    for j in range(meet.size):
        low, high = x[m - 1, j] * stop[m - 1, j], x[m, j] * stop[m, j]
        x[m - 1, j] = (low + back[m - 1, j] * high) * meet[j]
        x[m, j] = (high + back[m, j] * low) * meet[j]
        u[m - 1, j] = a * x[m - 1, j] + b * u[m - 1, j]
        u[m, j] = a * x[m, j] + b * u[m, j]
    for i in range(m - 2, -1, -1):
        _settle(x[i], u[i], stop[i], back[i], x[i + 1], a, b)
    for i in range(m + 1, n):
        _settle(x[i], u[i], stop[i], back[i], x[i - 1], a, b)


@relaxed
def _panels(u, stop, ahead, back, meet, work, c1, c2, repeat):
    for o in range(u.shape[0]):
        for start in range(0, u.shape[2], PANEL):
            end = min(start + PANEL, u.shape[2])
            f, s, g, k = u[o, :, start:end], stop[o, :, start:end], ahead[o, :, start:end], back[o, :, start:end]
            z, x = meet[o, start:end], work[:, :end - start]
            for _ in range(repeat):
                if c2 == 0.0:
                    _solve_panel(f, s, g, k, z, x, c1, 0.0)
                else:
                    _solve_panel(f, s, g, k, z, x, 1.0, 0.0)
                    _solve_panel(f, s, g, k, z, x, c2, c1)
