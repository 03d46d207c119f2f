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
"""
import numpy as np

from .bits import fma
from .compile import inlined, strict

PANEL = 128     # lines of a SIMD panel: field and factors of 256 cells stay within 1 MiB of cache


@strict
def factor(up, down, h, stop, ahead, back, meet):
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
        high = fma(ahead[n - 1], high, u[last])
        work[last] = high
    low = u[0]
    work[0] = low
    for i in range(1, m):
        j = last - i
        low = fma(ahead[i - 1], low, u[i])
        high = fma(ahead[j + 1], high, u[j])
        work[i] = low
        work[j] = high
    low, high = low * stop[m - 1], high * stop[m]
    low, high = fma(back[m - 1], high, low) * meet, fma(back[m], low, high) * meet
    new_low, new_high = fma(a, low, b * u[m - 1]), fma(a, high, b * u[m])
    lost_low, lost_high = u[m - 1] - new_low, u[m] - new_high
    u[m - 1] = new_low
    u[m] = new_high
    for k in range(1, m):
        i, j = m - 1 - k, m + k
        low = fma(back[i], low, work[i] * stop[i])
        high = fma(back[j], high, work[j] * stop[j])
        new_low, new_high = fma(a, low, b * u[i]), fma(a, high, b * u[j])
        lost_low += u[i] - new_low
        lost_high += u[j] - new_high
        u[i] = new_low
        u[j] = new_high
    if last < n - 1:
        high = fma(back[n - 1], high, work[n - 1] * stop[n - 1])
        new_high = fma(a, high, b * u[n - 1])
        lost_high += u[n - 1] - new_high
        u[n - 1] = new_high
    return lost_low + lost_high


@inlined
def _add_to_fullest(u, lost):
    """The fullest cell of a line, the first of them, gets what rounding took from the line."""
    p = q = r = s = u[0]
    for i in range(0, u.size - 3, 4):          # four at a time: one would wait for itself
        p, q, r, s = max(p, u[i]), max(q, u[i + 1]), max(r, u[i + 2]), max(s, u[i + 3])
    for i in range(u.size - 3, u.size):
        p = max(p, u[i])
    most, i = max(max(p, q), max(r, s)), 0
    while i < u.size - 1 and u[i] != most:
        i += 1
    u[i] += lost


@strict
def solve_lines(start, end, u, stop, ahead, back, meet, c1, c2, repeat, keeps):
    """u ← c₁·S u + c₂·S² u, `repeat` times, on lines start … end of u (outer, n), with the factors of `factor`.

    Where nothing leaves at the ends (`keeps`), what rounding took from a line goes to its fullest cell.
    """
    work = np.empty(u.shape[1])
    for o in range(start, end):
        for _ in range(repeat):
            if c2 == 0.0:
                lost = _solve_line(u[o], stop[o], ahead[o], back[o], meet[o], work, c1, 0.0)
            else:
                lost = _solve_line(u[o], stop[o], ahead[o], back[o], meet[o], work, 1.0, 0.0)
                lost += _solve_line(u[o], stop[o], ahead[o], back[o], meet[o], work, c2, c1)
            if keeps:
                _add_to_fullest(u[o], lost)


@strict
def series_lines(start, end, u, stop, ahead, back, meet, coefficients, keeps):
    """u ← Σ_k c_k T_k(2S − 1) u on lines start … end of u (outer, n); `keeps` as in `solve_lines`.

    T_k are Chebyshev's polynomials, c_0, c_1 … the `coefficients`.
    """
    n = u.shape[1]
    work, last, old, new, total = np.empty(n), np.empty(n), np.empty(n), np.empty(n), np.empty(n)
    for o in range(start, end):
        for i in range(n):
            old[i] = u[o, i]
            new[i] = u[o, i]
        _solve_line(new, stop[o], ahead[o], back[o], meet[o], work, 2.0, -1.0)
        for i in range(n):
            total[i] = fma(coefficients[1], new[i], coefficients[0] * old[i])
        for k in range(2, coefficients.size):
            # T_k = 2(2S − 1)·T_{k−1} − T_{k−2}
            for i in range(n):
                last[i], old[i] = old[i], new[i]
            _solve_line(new, stop[o], ahead[o], back[o], meet[o], work, 4.0, -2.0)
            for i in range(n):
                new[i] -= last[i]
                total[i] = fma(coefficients[k], new[i], total[i])
        lost = 0.0
        for i in range(n):
            lost += u[o, i] - total[i]
            u[o, i] = total[i]
        if keeps:
            _add_to_fullest(u[o], lost)


@inlined
def _pass_on(into, field, share, given):
    """into ← field + share·given, a row of the elimination."""
    for j in range(into.size):
        into[j] = fma(share[j], given[j], field[j])


@inlined
def _settle(x, field, stop, back, neighbour, a, b, row, equals, lost, most, fullest):
    """x ← stop·x + back·neighbour and field ← a·x + b·field, a row of the way back; `equals`: a tie is a new best."""
    for j in range(x.size):
        y = fma(back[j], neighbour[j], stop[j] * x[j])
        x[j] = y
        new = fma(a, y, b * field[j])
        lost[j] += field[j] - new
        field[j] = new
        fuller = new > most[j] or (equals and new == most[j])
        most[j] = new if fuller else most[j]
        fullest[j] = row if fuller else fullest[j]


@inlined
def _solve_panel(u, stop, ahead, back, meet, x, a, b, low_lost, high_lost, most, fullest):
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
        low, high = fma(back[m - 1, j], high, low) * meet[j], fma(back[m, j], low, high) * meet[j]
        x[m - 1, j] = low
        x[m, j] = high
        low, high = fma(a, low, b * u[m - 1, j]), fma(a, high, b * u[m, j])
        low_lost[j] = u[m - 1, j] - low
        high_lost[j] = u[m, j] - high
        u[m - 1, j] = low
        u[m, j] = high
        most[j] = low if low >= high else high
        fullest[j] = m - 1 if low >= high else m
    for i in range(m - 2, -1, -1):
        _settle(x[i], u[i], stop[i], back[i], x[i + 1], a, b, i, True, low_lost, most, fullest)
    for i in range(m + 1, n):
        _settle(x[i], u[i], stop[i], back[i], x[i - 1], a, b, i, False, high_lost, most, fullest)


@strict
def solve_panels(start, end, u, stop, ahead, back, meet, c1, c2, repeat, keeps):
    """`solve_lines` of u (outer, n, inner) along its middle axis,
    on panels start … end of at most PANEL neighbouring lines."""
    outer, n, inner = u.shape
    panels = -(-inner // PANEL)
    work, sums, rows = np.empty((n, PANEL)), np.empty((4, PANEL)), np.empty(PANEL, np.int64)
    for item in range(start, end):
        o, first = item // panels, item % panels * PANEL
        past = min(first + PANEL, inner)
        f, s, g, k = u[o, :, first:past], stop[o, :, first:past], ahead[o, :, first:past], back[o, :, first:past]
        z, x = meet[o, first:past], work[:, :past - first]
        low, high, most, lost = (sums[0, :past - first], sums[1, :past - first], sums[2, :past - first],
                                 sums[3, :past - first])
        fullest = rows[:past - first]
        for _ in range(repeat):
            lost[:] = 0.0
            if c2 == 0.0:
                _solve_panel(f, s, g, k, z, x, c1, 0.0, low, high, most, fullest)
            else:
                _solve_panel(f, s, g, k, z, x, 1.0, 0.0, low, high, most, fullest)
                for j in range(lost.size):
                    lost[j] = low[j] + high[j]
                _solve_panel(f, s, g, k, z, x, c2, c1, low, high, most, fullest)
            if keeps:
                for j in range(lost.size):
                    f[fullest[j], j] += lost[j] + (low[j] + high[j])
