// Exact denoiser and log-density of a Gaussian mixture seen through noise: backend/cpu/mixture.py, where the
// equations stand, in the same symbols. One thread a particle. Arrays over particles are (rows, n), so that
// neighbouring threads touch neighbouring memory; a pointer to one points at this thread's column.
#include "elementary.cuh"
#include "places.cuh"

namespace thermosim {

// out[c] += sum over i of table[i, c] rows[i], in the order of i; table (d, d).
// Eight columns at a time: each row is then read from memory d/8 times instead of d.
template <class T> DEVICE void add_rows(const T* table, const T* rows, T* out, long long d, long long n) {
    constexpr int together = 8;
    for (long long c = 0; c < d; c += together) {
        T sum[together];
#pragma unroll
        for (int j = 0; j < together; j++) sum[j] = c + j < d ? out[(c + j) * n] : (T)0;
        for (long long i = 0; i < d; i++) {
            T row = rows[i * n];
#pragma unroll
            for (int j = 0; j < together; j++)
                if (c + j < d) sum[j] = fma(table[i * d + c + j], row, sum[j]);
        }
#pragma unroll
        for (int j = 0; j < together; j++)
            if (c + j < d) out[(c + j) * n] = sum[j];
    }
}

// y = V^T (x - mean); without `back` = V the unit matrix is meant.
template <class T> DEVICE void principal(const T* x, const T* mean, const T* back, T* shifted, T* y, long long d,
                      long long n) {
    for (long long i = 0; i < d; i++) {
        (back ? shifted : y)[i * n] = x[i * n] - mean[i];
        if (back) y[i * n] = 0;
    }
    if (back) add_rows(back, shifted, y, d, n);
}

// offset - 1/2 sum_j y_j^2 / v_j
template <class T> DEVICE T log_term(const T* y, const T* inverse, T offset, long long d, long long n) {
    T sum = 0;
    for (long long j = 0; j < d; j++) sum = fma(y[j * n] * inverse[j], y[j * n], sum);
    return fma((T)-0.5, sum, offset);
}

// q from logarithms to exp(q - max q), total their sum; returns ln sum exp q.
template <class T> DEVICE T shares(T* q, T& total, long long components, long long n) {
    T largest = q[0];
    total = 0;
    for (long long k = 1; k < components; k++) largest = q[k * n] > largest ? q[k * n] : largest;
    for (long long k = 0; k < components; k++) {
        q[k * n] = exp(q[k * n] - largest);
        total += q[k * n];
    }
    return largest + log(total);
}

// denoised += r (mean + V diag(gain) y), `turn` being V^T or null; y is used up.
template <class T> DEVICE void add_mean(T r, T* y, const T* gain, const T* mean, const T* turn, T* denoised,
                     long long d, long long n) {
    for (long long i = 0; i < d; i++) {
        y[i * n] = r * (gain[i] * y[i * n]);
        denoised[i * n] = fma(r, mean[i], denoised[i * n]);
        if (!turn) denoised[i * n] += y[i * n];
    }
    if (turn) add_rows(turn, y, denoised, d, n);
}

// x, denoised, and for scratch shifted, y (d, n); q (K, n); logp (n); offset (K);
// inverse, gain, means (K, d); back, turn (K, d, d) or, if `turned` is 0, of no size.
extern "C" __global__ void mixture_denoise(
    const REAL* x_all, REAL* denoised_all, REAL* logp, REAL* shifted_all, REAL* y_all, REAL* q_all,
    long long n, long long d, long long components, const REAL* offset, const REAL* inverse, const REAL* gain,
    const REAL* means, const REAL* back, const REAL* turn, int turned) {
    at_every_place(1, n, [&](long long, long long p) {
        const REAL* x = x_all + p;
        REAL *denoised = denoised_all + p, *shifted = shifted_all + p, *y = y_all + p, *q = q_all + p;
        for (long long k = 0; k < components; k++) {
            principal(x, means + k * d, turned ? back + k * d * d : nullptr, shifted, y, d, n);
            q[k * n] = log_term(y, inverse + k * d, offset[k], d, n);
        }
        REAL total;
        logp[p] = shares(q, total, components, n);
        for (long long i = 0; i < d; i++) denoised[i * n] = 0;
        for (long long k = 0; k < components; k++) {
            if (q[k * n] == 0) continue;  // at small sigma most components are nowhere near
            principal(x, means + k * d, turned ? back + k * d * d : nullptr, shifted, y, d, n);
            add_mean(q[k * n], y, gain + k * d, means + k * d, turned ? turn + k * d * d : nullptr, denoised,
                     d, n);
        }
        for (long long i = 0; i < d; i++) denoised[i * n] = denoised[i * n] / total;
    });
}

}  // namespace thermosim
