"""Resolvents of birth-and-death chains: S = (I − hK)⁻¹ along one axis, prefactored, many lines at once.

K generates a chain of cells in which probability hops up or down to the next cell, or out of the two
end cells; its columns sum to minus what leaves. The elimination then needs only sums, products and
quotients of positive numbers (Grassmann, Taksar, Heyman, Oper. Res. 33, 1107 (1985); Alfa, Xue, Ye,
Math. Comp. 71, 217 (2002)): nothing cancels, every cell is right to a few roundings however small it
is, and nothing can turn negative at any h.

A field is seen as (outer, n, inner), the chain along the middle axis. Lines are eliminated from both
ends towards the middle: two chains of dependent operations in flight, where one would wait for itself.
With inner > 1 a panel of neighbouring lines runs in SIMD. Each call applies u ← c₁·S u + c₂·S² u, or on
single lines a Chebyshev series in S; a product with K is never needed.

Factors are rounded once and err alike at every step: over 10⁴ steps a line of ten cells lost 2·10⁻¹¹ of its
mass. So where nothing leaves a line, conservation takes the place of one balance equation: what a step takes
from the other cells the fullest cell gets, to the last bit, and no cell is scaled.
"""
import numpy as np

from .compile import inlined, relaxed, strict
from .threads import over_threads

PANEL = 128     # lines of a SIMD panel: field and factors of 256 cells stay within 1 MiB of cache
WORTH = 6000    # cells of a sweep that are worth a thread: some 50 µs


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
        self._keeps = not ring and not np.any(up[:, -1]) and not np.any(down[:, 0])
        if ring:
            mend = np.zeros(self.shape)
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
            _top_up(u, before)

    def series(self, u, coefficients):
        """u ← Σ_k a_k T_k(2S − 1) u in place, at least two coefficients, Σa = 1; lines with inner = 1."""
        u = u.reshape(self.shape)
        if not self.ring:
            factors = (f[:, :, 0] for f in (self.stop, self.ahead, self.back))
            over_threads(_series, len(u), self._unit(len(coefficients)), u[:, :, 0], *factors, self.meet[:, 0], coefficients,
                         self._keeps)
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
        _top_up(u, before)

    def _close(self, u):
        """u ← S u on rings."""
        self._solve(u, 1.0, 0.0, 1)
        u += self._mend * (u[:, 0] + self._seam * u[:, -1])[:, None]

    def _solve(self, u, c1, c2, repeat):
        factors = self.stop, self.ahead, self.back
        outer, n, inner = self.shape
        if inner == 1:
            # without the last axis the lines are known to be contiguous: a third of the time
            over_threads(_lines, outer, self._unit(repeat), u[:, :, 0], *(f[:, :, 0] for f in factors), self.meet[:, 0], c1, c2,
                         repeat, self._keeps)
        else:
            over_threads(_panels, outer * -(-inner // PANEL), max(1, self._unit(repeat) // PANEL), u, *factors, self.meet, c1, c2,
                         repeat, self._keeps)

    def _unit(self, solves):
        """Lines that are worth a thread."""
        return max(1, WORTH // (self.shape[1] * solves))


def _top_up(u, before):
    """Give the fullest cell of every ring what rounding took from the ring."""
    fullest = np.expand_dims(u.argmax(axis=1), 1)
    lost = (before - u).sum(axis=1, keepdims=True)
    np.put_along_axis(u, fullest, np.take_along_axis(u, fullest, 1) + lost, 1)


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
    """u ← a·S u + b·u on one line of at least two cells; returns what the line lost, cell by cell."""
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
    new_low, new_high = a * low + b * u[m - 1], a * high + b * u[m]
    lost_low, lost_high = u[m - 1] - new_low, u[m] - new_high
    u[m - 1] = new_low
    u[m] = new_high
    for k in range(1, m):
        i, j = m - 1 - k, m + k
        low = work[i] * stop[i] + back[i] * low
        high = work[j] * stop[j] + back[j] * high
        new_low, new_high = a * low + b * u[i], a * high + b * u[j]
        lost_low += u[i] - new_low
        lost_high += u[j] - new_high
        u[i] = new_low
        u[j] = new_high
    if last < n - 1:
        high = work[n - 1] * stop[n - 1] + back[n - 1] * high
        new_high = a * high + b * u[n - 1]
        lost_high += u[n - 1] - new_high
        u[n - 1] = new_high
    return lost_low + lost_high


@inlined
def _add_to_fullest(u, lost):
    """The fullest cell of a line gets what rounding took from the line."""
    most = u[0]
    for i in range(1, u.size):
        most = max(most, u[i])
    for i in range(u.size):
        if u[i] == most:
            u[i] += lost
            break


@relaxed
def _lines(start, end, u, stop, ahead, back, meet, c1, c2, repeat, keeps):
    work = np.empty(u.shape[1])
    for r in range(start, end):
        for _ in range(repeat):
            if c2 == 0.0:
                lost = _solve_line(u[r], stop[r], ahead[r], back[r], meet[r], work, c1, 0.0)
            else:
                lost = _solve_line(u[r], stop[r], ahead[r], back[r], meet[r], work, 1.0, 0.0)
                lost += _solve_line(u[r], stop[r], ahead[r], back[r], meet[r], work, c2, c1)
            if keeps:
                _add_to_fullest(u[r], lost)


@relaxed
def _series(start, end, u, stop, ahead, back, meet, coefficients, keeps):
    n = u.shape[1]
    work, last, old, new, sum_ = np.empty(n), np.empty(n), np.empty(n), np.empty(n), np.empty(n)
    for r in range(start, end):
        for i in range(n):
            old[i] = u[r, i]
            new[i] = u[r, i]
        _solve_line(new, stop[r], ahead[r], back[r], meet[r], work, 2.0, -1.0)
        for i in range(n):
            sum_[i] = coefficients[0] * old[i] + coefficients[1] * new[i]
        for k in range(2, coefficients.size):
            # T_k = 2(2S − 1)·T_{k−1} − T_{k−2}
            for i in range(n):
                last[i], old[i] = old[i], new[i]
            _solve_line(new, stop[r], ahead[r], back[r], meet[r], work, 4.0, -2.0)
            for i in range(n):
                new[i] -= last[i]
                sum_[i] += coefficients[k] * new[i]
        lost = 0.0
        for i in range(n):
            lost += u[r, i] - sum_[i]
            u[r, i] = sum_[i]
        if keeps:
            _add_to_fullest(u[r], lost)


@inlined
def _pass_on(into, field, share, given):
    """into ← field + share·given, a row of the elimination."""
    for j in range(into.size):
        into[j] = field[j] + share[j] * given[j]


@inlined
def _settle(x, field, stop, back, neighbour, a, b, row, lost, most, fullest):
    """x ← stop·x + back·neighbour and field ← a·x + b·field, a row of the way back."""
    for j in range(x.size):
        y = stop[j] * x[j] + back[j] * neighbour[j]
        x[j] = y
        new = a * y + b * field[j]
        lost[j] += field[j] - new
        field[j] = new
        fuller = new > most[j]
        most[j] = new if fuller else most[j]
        fullest[j] = row if fuller else fullest[j]


@inlined
def _solve_panel(u, stop, ahead, back, meet, x, a, b, lost, most, fullest):
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
        low, high = a * x[m - 1, j] + b * u[m - 1, j], a * x[m, j] + b * u[m, j]
        lost[j] += (u[m - 1, j] - low) + (u[m, j] - high)
        u[m - 1, j] = low
        u[m, j] = high
        most[j] = low if low > high else high
        fullest[j] = m - 1 if low > high else m
    for i in range(m - 2, -1, -1):
        _settle(x[i], u[i], stop[i], back[i], x[i + 1], a, b, i, lost, most, fullest)
    for i in range(m + 1, n):
        _settle(x[i], u[i], stop[i], back[i], x[i - 1], a, b, i, lost, most, fullest)


@relaxed
def _panels(start, end, u, stop, ahead, back, meet, c1, c2, repeat, keeps):
    outer, n, inner = u.shape
    panels = -(-inner // PANEL)
    work = np.empty((n, PANEL))
    losses, tops, rows = np.empty(PANEL), np.empty(PANEL), np.empty(PANEL, np.int64)
    for item in range(start, end):
        o, first = item // panels, item % panels * PANEL
        past = min(first + PANEL, inner)
        f, s, g, k = u[o, :, first:past], stop[o, :, first:past], ahead[o, :, first:past], back[o, :, first:past]
        z, x = meet[o, first:past], work[:, :past - first]
        lost, most, fullest = losses[:past - first], tops[:past - first], rows[:past - first]
        for _ in range(repeat):
            lost[:] = 0.0
            if c2 == 0.0:
                _solve_panel(f, s, g, k, z, x, c1, 0.0, lost, most, fullest)
            else:
                _solve_panel(f, s, g, k, z, x, 1.0, 0.0, lost, most, fullest)
                _solve_panel(f, s, g, k, z, x, c2, c1, lost, most, fullest)
            if keeps:
                for j in range(lost.size):
                    f[fullest[j], j] += lost[j]
