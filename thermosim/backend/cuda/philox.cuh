// Philox4x32-10 (Salmon, Moraes, Dror & Shaw 2011): backend/cpu/philox.py.
#include "bits.cuh"

namespace thermosim {

struct Words { unsigned a, b, c, d; };

// The words of counter (particle, component, draw / 4, stream) under the two halves of a seed.
DEVICE Words philox(unsigned particle, unsigned component, unsigned block, unsigned stream, unsigned k0,
                    unsigned k1) {
    Words w = {particle, component, block, stream};
#pragma unroll
    for (int round = 0; round < 10; round++) {
        unsigned low0 = 0xD2511F53u * w.a, high0 = __umulhi(0xD2511F53u, w.a);
        unsigned low1 = 0xCD9E8D57u * w.c, high1 = __umulhi(0xCD9E8D57u, w.c);
        w = {high1 ^ w.b ^ k0, low1, high0 ^ w.d ^ k1, low0};
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    return w;
}

}  // namespace thermosim
