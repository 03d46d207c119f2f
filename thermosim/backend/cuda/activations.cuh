// Activations of a network, their slopes and curvatures: backend/cpu/activations.py.
#include "elementary.cuh"
#include "places.cuh"

namespace thermosim {

// Value, slope and curvature of an activation at v.
struct Jet {
    REAL value, slope, curvature;
};

// e^x - 1 for |x| <= 80, right to rounding near 0 too.
DEVICE REAL exp_less_one(REAL x) {
    REAL t = fma(x, (REAL)1.4426950408889634, shift<REAL>());
    REAL k = t - shift<REAL>();
    REAL r = fma(-k, constant<REAL>(2.3190468138462996e-17, -1.9046542e-09), fma(-k, ln2<REAL>(), x));
    REAL power = power_of_two<REAL>((int)low_word(t));
    return fma(fma(r * r, exp_series(r), r), power, power - (REAL)1);
}

DEVICE REAL held(REAL v, REAL far) {  // a NaN passes, to be seen
    v = v < -far ? -far : v;
    return v > far ? far : v;
}

struct Silu {
    DEVICE Jet operator()(REAL v) const {
        v = v < (REAL)-80 ? (REAL)-80 : v;
        REAL s = (REAL)1 / ((REAL)1 + exp(-v));
        REAL q = v * s;
        return {q, s + q * ((REAL)1 - s), s * ((REAL)1 - s) * ((REAL)2 + v * ((REAL)1 - s - s))};
    }
};

struct Sigmoid {
    DEVICE Jet operator()(REAL v) const {
        REAL e = exp(-held(v, 80)), s = (REAL)1 / ((REAL)1 + e), g = e * s * s;
        return {s, g, g * ((REAL)1 - s - s)};
    }
};

struct Tanh {
    DEVICE Jet operator()(REAL v) const {
        REAL m = exp_less_one((REAL)2 * absolute(held(v, 40))), q = (REAL)1 / (m + (REAL)2);
        REAL h = v < (REAL)0 ? -m * q : m * q;
        REAL g = (REAL)4 * ((m + (REAL)1) * q) * q;
        return {h, g, (REAL)-2 * h * g};
    }
};

// z becomes f(z + b), g = f'(z + b), and w = f''(z + b) unless it is null; z, g, w (n, k), b (k).
template <class F>
DEVICE void activate(F f, REAL* z, const REAL* b, REAL* g, REAL* w, long long n, long long k) {
    at_every_place(n, k, [&](long long r, long long c) {
        Jet jet = f(z[r * k + c] + b[c]);
        z[r * k + c] = jet.value;
        g[r * k + c] = jet.slope;
        if (w) w[r * k + c] = jet.curvature;
    });
}

extern "C" __global__ void silu(REAL* z, const REAL* b, REAL* g, long long n, long long k) {
    activate(Silu{}, z, b, g, nullptr, n, k);
}
extern "C" __global__ void silu_curved(REAL* z, const REAL* b, REAL* g, REAL* w, long long n, long long k) {
    activate(Silu{}, z, b, g, w, n, k);
}

extern "C" __global__ void sigmoid(REAL* z, const REAL* b, REAL* g, long long n, long long k) {
    activate(Sigmoid{}, z, b, g, nullptr, n, k);
}
extern "C" __global__ void sigmoid_curved(REAL* z, const REAL* b, REAL* g, REAL* w, long long n, long long k) {
    activate(Sigmoid{}, z, b, g, w, n, k);
}

// Not named tanh: a C function has that name.
extern "C" __global__ void hyperbolic(REAL* z, const REAL* b, REAL* g, long long n, long long k) {
    activate(Tanh{}, z, b, g, nullptr, n, k);
}
extern "C" __global__ void hyperbolic_curved(REAL* z, const REAL* b, REAL* g, REAL* w, long long n, long long k) {
    activate(Tanh{}, z, b, g, w, n, k);
}

// v for v = z + b > 0, slope v below; g its derivative.
extern "C" __global__ void leaky_relu(REAL* z, const REAL* b, REAL* g, long long n, long long k, REAL slope) {
    at_every_place(n, k, [&](long long r, long long c) {
        REAL v = z[r * k + c] + b[c], s = v > (REAL)0 ? (REAL)1 : slope;
        z[r * k + c] = v * s;
        g[r * k + c] = s;
    });
}

}  // namespace thermosim
