// Random words and normals of one draw, (n, d): place (i, c) belongs to particle first + i, component c.
// block = draw / 4 and index = draw % 4 name the word of its Philox counter.
#include "normals.cuh"
#include "places.cuh"

namespace thermosim {

extern "C" __global__ void words(unsigned* out, long long n, long long d, unsigned first, unsigned block,
                                 unsigned index, unsigned stream, unsigned k0, unsigned k1) {
    at_every_place(n, d, [&](long long i, long long c) {
        Words w = philox(first + (unsigned)i, (unsigned)c, block, stream, k0, k1);
        unsigned early = index == 0 ? w.a : w.b, late = index == 2 ? w.c : w.d;
        out[i * d + c] = index < 2 ? early : late;
    });
}

extern "C" __global__ void normals(REAL* out, long long n, long long d, unsigned first, unsigned block,
                                   unsigned index, unsigned stream, unsigned k0, unsigned k1) {
    at_every_place(n, d, [&](long long i, long long c) {
        Words w = philox(first + (unsigned)i, (unsigned)c, block, stream, k0, k1);
        REAL even, odd;
        box_muller(index < 2 ? w.a : w.c, index < 2 ? w.b : w.d, even, odd);
        out[i * d + c] = index % 2 == 0 ? even : odd;
    });
}

}  // namespace thermosim
