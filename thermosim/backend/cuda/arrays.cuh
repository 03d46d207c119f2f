// One row of steps of particles that are arrays, one thread each: backend/cpu/arrays.py. Every value of a
// particle stands in global memory, (places, n), so that neighbouring threads touch neighbouring memory.
// arrays.py prints the Law, which knows
//   D                            components of an array
//   arrays, numbers              places of each kind: arrays of D components first, then single numbers
//   states, books, observed      arrays of state; books and reported numbers, the latter from number 0 on
//   energy, energy_before, work, shadow_work, heat    places of numbers; `closes`: are all of them kept
//   length                       steps that share whole Philox blocks: a group
//   begin(P), draw(particle, group, ...), advance(j, C, P)    as in particles.cuh
#include "mixture.cuh"
#include "normals.cuh"

namespace thermosim {

constexpr int watch = 16;  // steps between two looks for an explosion

template <class Law> DEVICE REAL& number(const Law& p, long long place) {
    return p.S[(Law::arrays * Law::D + place) * p.n];
}

template <class Law> DEVICE bool is_lost(const Law& p) {
    bool lost = false;
    for (long long k = 0; k < Law::D; k++) lost |= !(absolute(p.S[k * p.n]) < (REAL)1e30);
    return lost;
}

// |dE - (work + shadow_work + heat)|, relative to the size of its terms; NaN where not all are kept.
template <class Law> DEVICE REAL closure(const Law& p) {
    if constexpr (Law::closes) {
        REAL e = number(p, Law::energy), before = number(p, Law::energy_before);
        REAL w = number(p, Law::work), s = number(p, Law::shadow_work), q = number(p, Law::heat);
        REAL defect = absolute((e - before) - (w + s + q));
        return defect / ((REAL)1 + absolute(e) + absolute(before) + absolute(w) + absolute(s) + absolute(q));
    } else {
        return not_a_number<REAL>();
    }
}

// Steps from ... to - 1 of particle i: state (n, states * D); totals (n, books) gain the row's books; observed
// (observed, n) and defect (n) describe its end. lost (n): by which step a particle left all bounds, or 0.
template <class Law>
DEVICE void advance_arrays(Law& p, long long i, REAL* state, double* totals, REAL* observed, REAL* defect,
                           long long* lost, const REAL* C, const REAL* P, long long from, long long to,
                           unsigned first, unsigned k0, unsigned k1) {
    constexpr long long width = Law::states * Law::D;
    for (long long k = 0; k < width; k++) p.S[k * p.n] = state[i * width + k];
    p.begin(P + from * Law::parameters);
    number(p, Law::energy_before) = number(p, Law::energy);
    for (long long k = 0; k < Law::books; k++) number(p, 2 + k) = 0;
    for (long long group = from / Law::length; group * Law::length < to; group++) {
        p.draw(first + (unsigned)i, (unsigned)group, k0, k1);
        for (int j = 0; j < Law::length; j++) {
            long long step = group * Law::length + j;
            if (step < from || step >= to) continue;
            p.advance(j, C + step * Law::coefficients, P + step * Law::parameters);
            if (((step + 1) % watch == 0 || step + 1 == to) && is_lost(p)) {
                lost[i] = step + 1;
                return;
            }
        }
    }
    p.begin(P + to * Law::parameters);
    for (long long k = 0; k < width; k++) state[i * width + k] = p.S[k * p.n];
    for (long long k = 0; k < Law::books; k++) totals[i * Law::books + k] += (double)number(p, 2 + k);
    for (long long k = 0; k < Law::observed; k++) observed[k * p.n + i] = number(p, k);
    defect[i] = closure(p);
}

// U = -theta ln p_sigma of one particle's x (d), and its force: mixture_energy() of backend/cpu/mixture.py.
// scratch (4 d + components) doubles, all with stride n; tables as there.
DEVICE REAL mixture_energy(const REAL* x, REAL* force, double* scratch, long long n, long long d,
                           long long components, double sigma, double theta, const double* log_weights,
                           const double* means, const double* eigvals, const double* back, const double* turn,
                           bool turned) {
    double *tile = scratch, *shifted = tile + d * n, *y = shifted + d * n, *mean = y + d * n, *q = mean + d * n;
    double variance = sigma * sigma;
    for (long long i = 0; i < d; i++) {
        tile[i * n] = (double)x[i * n];
        mean[i * n] = 0;
    }
    for (long long k = 0; k < components; k++) {
        principal(tile, means + k * d, turned ? back + k * d * d : nullptr, shifted, y, d, n);
        double volume = 0, sum = 0;
        for (long long j = 0; j < d; j++) {
            double v = eigvals[k * d + j] + variance;
            volume += log(6.283185307179586 * v);
            sum = fma(y[j * n] * (1.0 / v), y[j * n], sum);
        }
        q[k * n] = fma(-0.5, sum, fma(-0.5, volume, log_weights[k]));
    }
    double total, log_p = shares(q, total, components, n);
    for (long long k = 0; k < components; k++) {
        if (components > 1) principal(tile, means + k * d, turned ? back + k * d * d : nullptr, shifted, y, d, n);
        for (long long j = 0; j < d; j++) {
            double inverse = 1.0 / (eigvals[k * d + j] + variance);
            if (turned)
                y[j * n] = q[k * n] * (-inverse * y[j * n]);
            else
                mean[j * n] = fma(-q[k * n], inverse * y[j * n], mean[j * n]);
        }
        if (turned) add_rows(turn + k * d * d, y, mean, d, n);
    }
    total = theta / total;
    for (long long i = 0; i < d; i++) force[i * n] = (REAL)(total * mean[i * n]);
    return (REAL)(-theta * log_p);
}

}  // namespace thermosim
