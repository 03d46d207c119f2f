// What stands between the matrix products of a network: backend/cpu/network.py.
#include "elementary.cuh"
#include "places.cuh"

namespace thermosim {

// Sums over columns go in rounds: each adds up chunks of `chunk` rows in order, until one row is left. Their
// order depends on n alone. The first round multiplies as well.

// d *= g, then sums[i, c] = the sum of the new d over the rows of chunk i.
// d, g (n, k), sums (ceil(n/chunk), k).
extern "C" __global__ void scale_sum(REAL* d, const REAL* g, REAL* sums, long long n, long long k,
                                     long long chunk) {
    at_every_place((n + chunk - 1) / chunk, k, [&](long long i, long long c) {
        long long stop = (i + 1) * chunk < n ? (i + 1) * chunk : n;
        REAL sum = 0;
        for (long long r = i * chunk; r < stop; r++) {
            REAL v = d[r * k + c] * g[r * k + c];
            d[r * k + c] = v;
            sum += v;
        }
        sums[i * k + c] = sum;
    });
}

// sums[i, c] = the sum of a over the rows of chunk i; a (n, k), sums (ceil(n/chunk), k).
extern "C" __global__ void chunk_sum(const REAL* a, REAL* sums, long long n, long long k, long long chunk) {
    at_every_place((n + chunk - 1) / chunk, k, [&](long long i, long long c) {
        long long stop = (i + 1) * chunk < n ? (i + 1) * chunk : n;
        REAL sum = 0;
        for (long long r = i * chunk; r < stop; r++) sum += a[r * k + c];
        sums[i * k + c] = sum;
    });
}

// d = g d + w sum_a e_a u_a, then e = g e; d, g, w (n, k), e, u (m, n, k).
extern "C" __global__ void bend(REAL* d, REAL* e, const REAL* u, const REAL* g, const REAL* w, long long m,
                                long long n, long long k) {
    at_every_place(n, k, [&](long long r, long long c) {
        long long at = r * k + c;
        REAL sum = d[at] * g[at];
        for (long long a = 0; a < m; a++) {
            long long there = a * n * k + at;
            sum += w[at] * e[there] * u[there];
            e[there] *= g[at];
        }
        d[at] = sum;
    });
}

// a = -s_k |x - c_k|^2 / 2 and phi = softmax of a along k, a thread a row; x (n, d), centre (d, K), a, phi (n, K).
extern "C" __global__ void bumps(const REAL* x, const REAL* centre, const REAL* sharpness, REAL* a, REAL* phi,
                                 long long n, long long d, long long K) {
    at_every_place(n, 1, [&](long long r, long long) {
        REAL top = 0, total = 0;
        for (long long k = 0; k < K; k++) {
            REAL square = 0;
            for (long long i = 0; i < d; i++) {
                REAL v = x[r * d + i] - centre[i * K + k];
                square += v * v;
            }
            REAL log = (REAL)-0.5 * sharpness[k] * square;
            a[r * K + k] = log;
            top = k && top > log ? top : log;
        }
        for (long long k = 0; k < K; k++) {
            REAL share = exp(a[r * K + k] - top);
            phi[r * K + k] = share;
            total += share;
        }
        for (long long k = 0; k < K; k++) phi[r * K + k] /= total;
    });
}

// d = phi (d - sum_k phi_k d_k), a thread a row; (n, K) both.
extern "C" __global__ void soften(const REAL* phi, REAL* d, long long n, long long K) {
    at_every_place(n, 1, [&](long long r, long long) {
        REAL mean = 0;
        for (long long k = r * K; k < (r + 1) * K; k++) mean += phi[k] * d[k];
        for (long long k = r * K; k < (r + 1) * K; k++) d[k] = phi[k] * (d[k] - mean);
    });
}

// out_r = x_r w_j, j = which[r mod n], plus b_j for r < n; x (rows, i), w (J, i, k), b (J, k), out (rows, k).
extern "C" __global__ void own_rows(const REAL* x, const REAL* w, const REAL* b, const long long* which, REAL* out,
                                    long long rows, long long n, long long inside, long long k) {
    at_every_place(rows, k, [&](long long r, long long c) {
        long long j = which[r % n];
        REAL sum = r < n ? b[j * k + c] : (REAL)0;
        for (long long i = 0; i < inside; i++) sum += x[r * inside + i] * w[(j * inside + i) * k + c];
        out[r * k + c] = sum;
    });
}

// dx_r = w_j d_r, j = which[r mod n]; dx (rows, i).
extern "C" __global__ void own_rows_input(const REAL* w, const long long* which, const REAL* d, REAL* dx,
                                          long long rows, long long n, long long inside, long long k) {
    at_every_place(rows, inside, [&](long long r, long long i) {
        const REAL* row = w + (which[r % n] * inside + i) * k;
        REAL sum = 0;
        for (long long c = 0; c < k; c++) sum += row[c] * d[r * k + c];
        dx[r * inside + i] = sum;
    });
}

// dw_j = sum of x_r d_r over the rows with which[r mod n] = j, in order; a place of dw (J, i, k) looks through all.
extern "C" __global__ void own_rows_weights(const REAL* x, const long long* which, const REAL* d, REAL* dw,
                                            long long rows, long long n, long long J, long long inside,
                                            long long k) {
    at_every_place(J * inside, k, [&](long long place, long long c) {
        long long j = place / inside, i = place % inside;
        REAL sum = 0;
        for (long long first = 0; first < rows; first += n)
            for (long long r = 0; r < n; r++)
                if (which[r] == j) sum += x[(first + r) * inside + i] * d[(first + r) * k + c];
        dw[place * k + c] = sum;
    });
}

// db_j = sum of d_r over the rows r < n with which[r] = j; db (J, k).
extern "C" __global__ void own_rows_bias(const long long* which, const REAL* d, REAL* db, long long n, long long J,
                                         long long k) {
    at_every_place(J, k, [&](long long j, long long c) {
        REAL sum = 0;
        for (long long r = 0; r < n; r++)
            if (which[r] == j) sum += d[r * k + c];
        db[j * k + c] = sum;
    });
}

// One Adam step with decoupled weight decay, and the running mean of p beside it; all (k).
// unbias1 = 1/(1 - beta1^t), unbias2 = 1/(1 - beta2^t).
extern "C" __global__ void adam(REAL* p, const REAL* g, REAL* m, REAL* v, REAL* mean, long long k, REAL rate,
                                REAL beta1, REAL beta2, REAL unbias1, REAL unbias2, REAL eps, REAL decay,
                                REAL follow) {
    at_every_place(1, k, [&](long long, long long i) {
        REAL mi = beta1 * m[i] + ((REAL)1 - beta1) * g[i];
        REAL vi = beta2 * v[i] + ((REAL)1 - beta2) * g[i] * g[i];
        m[i] = mi;
        v[i] = vi;
        REAL pi = p[i] - rate * (mi * unbias1 / (sqrt(vi * unbias2) + eps) + decay * p[i]);
        p[i] = pi;
        mean[i] += follow * (pi - mean[i]);
    });
}

}  // namespace thermosim
