// Chains of cells, a thread a line: backend/cpu/tridiagonal.py, operation by operation.
// A field is (outer, n, inner), stored in that order; the line (o, j) starts at o*n*inner + j, its cells are
// `inner` apart, so that neighbouring threads touch neighbouring memory.
#include "places.cuh"

namespace thermosim {

// Factors of every line; meet (outer, inner).
extern "C" __global__ void factor(const REAL* up, const REAL* down, REAL* stop, REAL* ahead, REAL* back, REAL* meet,
                                  REAL h, long long outer, long long n, long long inner) {
    at_every_place(outer, inner, [&](long long o, long long j) {
        long long m = n / 2, first = o * n * inner + j;
        auto at = [&](long long i) { return first + i * inner; };
        REAL e = (REAL)1 + h * down[at(0)], low = 0, rise, fall, s;
        for (long long i = 0; i < m; i++) {
            rise = h * up[at(i)], fall = h * down[at(i + 1)];
            s = (REAL)1 / (e + rise);
            stop[at(i)] = s, ahead[at(i)] = rise * s, back[at(i)] = fall * s;
            low = e;
            e = (REAL)1 + fall * (e * s);
        }
        e = (REAL)1 + h * up[at(n - 1)];
        for (long long i = n - 1; i > m; i--) {
            rise = h * up[at(i - 1)], fall = h * down[at(i)];
            s = (REAL)1 / (e + fall);
            stop[at(i)] = s, ahead[at(i)] = fall * s, back[at(i)] = rise * s;
            e = (REAL)1 + rise * (e * s);
        }
        rise = h * up[at(m - 1)], fall = h * down[at(m)];
        s = (REAL)1 / (e + fall);
        stop[at(m)] = s, ahead[at(m)] = fall * s, back[at(m)] = rise * s;
        meet[o * inner + j] = (low + rise) * (e + fall) / (low * e + low * fall + rise * e);
    });
}

// One line of a field, its factors and room to work in, all at the same places.
struct Line {
    REAL *u, *work;
    const REAL *stop, *ahead, *back;
    REAL meet;
    long long n, step;

    // u <- a S u + b u; returns what the line lost, cell by cell.
    DEVICE REAL solve(REAL a, REAL b) {
        long long m = n / 2, last = 2 * m - 1;
        REAL high = u[(n - 1) * step], low = u[0];
        work[(n - 1) * step] = high;
        if (last < n - 1) {
            high = fma(ahead[(n - 1) * step], high, u[last * step]);
            work[last * step] = high;
        }
        work[0] = low;
        for (long long i = 1; i < m; i++) {
            long long j = last - i;
            low = fma(ahead[(i - 1) * step], low, u[i * step]);
            high = fma(ahead[(j + 1) * step], high, u[j * step]);
            work[i * step] = low;
            work[j * step] = high;
        }
        REAL below = low * stop[(m - 1) * step], above = high * stop[m * step];
        low = fma(back[(m - 1) * step], above, below) * meet;
        high = fma(back[m * step], below, above) * meet;
        REAL lost_low = settle(m - 1, low, a, b), lost_high = settle(m, high, a, b);
        for (long long k = 1; k < m; k++) {
            long long i = (m - 1 - k) * step, j = (m + k) * step;
            low = fma(back[i], low, work[i] * stop[i]);
            high = fma(back[j], high, work[j] * stop[j]);
            lost_low += settle(m - 1 - k, low, a, b);
            lost_high += settle(m + k, high, a, b);
        }
        if (last < n - 1) {
            long long j = (n - 1) * step;
            high = fma(back[j], high, work[j] * stop[j]);
            lost_high += settle(n - 1, high, a, b);
        }
        return lost_low + lost_high;
    }

    // Cell i becomes a x + b u; returns what it lost.
    DEVICE REAL settle(long long i, REAL x, REAL a, REAL b) {
        REAL before = u[i * step], after = fma(a, x, b * before);
        u[i * step] = after;
        return before - after;
    }

    // The fullest cell, the first of them, gets what rounding took from the line.
    DEVICE void add_to_fullest(REAL lost) {
        long long fullest = 0;
        for (long long i = 1; i < n; i++) fullest = u[i * step] > u[fullest * step] ? i : fullest;
        u[fullest * step] += lost;
    }
};

// u <- (c1 S + c2 S^2)^repeat u on every line.
extern "C" __global__ void solve_lines(REAL* u, REAL* work, const REAL* stop, const REAL* ahead, const REAL* back,
                                       const REAL* meet, REAL c1, REAL c2, long long repeat, int keeps,
                                       long long outer, long long n, long long inner) {
    at_every_place(outer, inner, [&](long long o, long long j) {
        long long first = o * n * inner + j;
        Line line = {u + first, work + first, stop + first, ahead + first, back + first, meet[o * inner + j], n, inner};
        for (long long r = 0; r < repeat; r++) {
            REAL lost = line.solve(c2 == 0 ? c1 : (REAL)1, 0);
            if (c2 != 0) lost += line.solve(c2, c1);
            if (keeps) line.add_to_fullest(lost);
        }
    });
}

// u <- sum_k a_k T_k(2S - 1) u on every line; the four rooms are as large as u.
extern "C" __global__ void series_lines(REAL* u, REAL* work, REAL* last, REAL* older, REAL* newer, REAL* total,
                                        const REAL* stop, const REAL* ahead, const REAL* back, const REAL* meet,
                                        const REAL* a, long long terms, int keeps, long long outer, long long n,
                                        long long inner) {
    at_every_place(outer, inner, [&](long long o, long long j) {
        long long first = o * n * inner + j, past = first + n * inner;
        Line line = {newer + first, work + first, stop + first, ahead + first, back + first, meet[o * inner + j], n, inner};
        for (long long i = first; i < past; i += inner) older[i] = newer[i] = u[i];
        line.solve(2, -1);
        for (long long i = first; i < past; i += inner) total[i] = fma(a[1], newer[i], a[0] * older[i]);
        for (long long k = 2; k < terms; k++) {
            for (long long i = first; i < past; i += inner) last[i] = older[i], older[i] = newer[i];
            line.solve(4, -2);
            for (long long i = first; i < past; i += inner) {
                newer[i] -= last[i];
                total[i] = fma(a[k], newer[i], total[i]);
            }
        }
        REAL lost = 0;
        for (long long i = first; i < past; i += inner) {
            lost += u[i] - total[i];
            u[i] = total[i];
        }
        line.u = u + first;
        if (keeps) line.add_to_fullest(lost);
    });
}

}  // namespace thermosim
