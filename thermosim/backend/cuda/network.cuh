// What stands between the matrix products of a network: backend/cpu/network.py.
#include "elementary.cuh"
#include "places.cuh"

namespace thermosim {

// g = silu'(z + b), and z becomes silu(z + b); z, g (n, k), b (k).
extern "C" __global__ void silu(REAL* z, const REAL* b, REAL* g, long long n, long long k) {
    at_every_place(n, k, [&](long long r, long long c) {
        REAL v = z[r * k + c] + b[c];
        v = v < (REAL)-80 ? (REAL)-80 : v;  // a NaN passes, to be seen
        REAL s = (REAL)1 / ((REAL)1 + exp(-v));
        REAL q = v * s;
        z[r * k + c] = q;
        g[r * k + c] = s + q * ((REAL)1 - s);
    });
}

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
