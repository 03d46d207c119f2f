// One row of steps of independent particles, one thread each: backend/cpu/particles.py, whose blocks and
// groups these are. particles.py prints the Law, which knows
//   Noise                        the type of its random numbers
//   s[slots]                     state, books, levels, energy and what steps carry on, in this order
//   states, books, observed      how many slots are state, are books, are reported at a row's end
//   dimension                    how many of the state are coordinates
//   energy, work, shadow_work, heat    places of slots; `closes` says whether all of them are kept
//   length                       steps that share whole Philox blocks: a group
//   coefficients, parameters     columns of the tables C and P
//   begin(P)                     energies and forces at a row's beginning, from scratch
//   draw(particle, group, ...)   the random numbers of a group
//   step(j, C, P)                step j of a group
#include "normals.cuh"
#include "places.cuh"

namespace thermosim {

constexpr int watch = 16;  // steps between two looks for an explosion

template <class Law> DEVICE bool is_lost(const Law& p) {
    bool lost = false;
#pragma unroll
    for (int k = 0; k < Law::dimension; k++) lost |= !(absolute(p.s[k]) < (REAL)1e30);
    return lost;
}

// |dE - (work + shadow_work + heat)|, relative to the size of its terms; NaN where not all are kept.
template <class Law> DEVICE REAL closure(const Law& p, REAL before) {
    if constexpr (Law::closes) {
        REAL e = p.s[Law::energy], w = p.s[Law::work], s = p.s[Law::shadow_work], q = p.s[Law::heat];
        REAL defect = absolute((e - before) - (w + s + q));
        return defect / ((REAL)1 + absolute(e) + absolute(before) + absolute(w) + absolute(s) + absolute(q));
    } else {
        return not_a_number<REAL>();
    }
}

// Steps from ... to - 1 of n particles: state (n, states); totals (n, books) gain the row's books; observed
// (observed, n) and defect (n) describe its end. lost (n): by which step a particle left all bounds, or 0.
template <class Law>
DEVICE void advance_particles(REAL* state, double* totals, REAL* observed, REAL* defect, long long* lost,
                              const REAL* C, const REAL* P, long long n, long long from, long long to,
                              unsigned first, unsigned k0, unsigned k1) {
    at_every_place(1, n, [&](long long, long long i) {
        if (lost[i]) return;
        Law p;
#pragma unroll
        for (int k = 0; k < Law::slots; k++) p.s[k] = k < Law::states ? state[i * Law::states + k] : (REAL)0;
        p.begin(P + from * Law::parameters);
        REAL before = p.s[Law::energy];
        for (long long group = from / Law::length; group * Law::length < to; group++) {
            p.draw(first + (unsigned)i, (unsigned)group, k0, k1);
#pragma unroll
            for (int j = 0; j < Law::length; j++) {
                long long step = group * Law::length + j;
                if (step < from || step >= to) continue;
                p.step(j, C + step * Law::coefficients, P + step * Law::parameters);
                if (((step + 1) % watch == 0 || step + 1 == to) && is_lost(p)) {
                    lost[i] = step + 1;
                    return;
                }
            }
        }
        p.begin(P + to * Law::parameters);
#pragma unroll
        for (int k = 0; k < Law::states; k++) state[i * Law::states + k] = p.s[k];
#pragma unroll
        for (int k = 0; k < Law::books; k++) totals[i * Law::books + k] += (double)p.s[Law::states + k];
#pragma unroll
        for (int k = 0; k < Law::observed; k++) observed[k * n + i] = p.s[k];
        defect[i] = closure(p, before);
    });
}

}  // namespace thermosim
