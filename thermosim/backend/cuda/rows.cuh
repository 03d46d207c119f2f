// Mean and sum of squared deviations at a row's end, block by block: moments() of backend/cpu/rows.py.
// The 32 running sums that are lanes of a vector there are threads here; then one thread adds them by halves.
#include "places.cuh"

namespace thermosim {

constexpr int lanes = 32;

// Running sums s, q (observed * blocks, 32) of y (observed, n), about each block's first entry.
extern "C" __global__ void row_sums(const REAL* y, double* s, double* q, long long observed, long long n,
                                    long long block) {
    long long blocks = (n + block - 1) / block;
    at_every_place(observed * blocks, lanes, [&](long long r, long long lane) {
        long long first = r % blocks * block, size = n - first < block ? n - first : block;
        const REAL* part = y + r / blocks * n + first;
        double pivot = (double)part[0], sum = 0, squares = 0;
        for (long long j = lane; j < size; j += lanes) {
            double z = (double)part[j] - pivot;
            sum += z;
            squares += z * z;
        }
        s[r * lanes + lane] = sum;
        q[r * lanes + lane] = squares;
    });
}

// Sum of 32 lanes: 16 + 16, 8 + 8, ...
DEVICE double halved(const double* part) {
    double sum[16];
    for (int k = 0; k < 16; k++) sum[k] = part[k] + part[k + 16];
    for (int width = 8; width > 0; width /= 2)
        for (int k = 0; k < width; k++) sum[k] += sum[k + width];
    return sum[0];
}

// moments (observed * blocks, 2) of these sums.
extern "C" __global__ void row_moments(const REAL* y, const double* s, const double* q, double* moments,
                                       long long observed, long long n, long long block) {
    long long blocks = (n + block - 1) / block;
    at_every_place(1, observed * blocks, [&](long long, long long r) {
        long long first = r % blocks * block, size = n - first < block ? n - first : block;
        double total = halved(s + r * lanes), squares = halved(q + r * lanes);
        double spread = squares - total * (total / (double)size);
        moments[2 * r] = (double)y[r / blocks * n + first] + total / (double)size;
        moments[2 * r + 1] = spread > 0 ? spread : 0;
    });
}

}  // namespace thermosim
