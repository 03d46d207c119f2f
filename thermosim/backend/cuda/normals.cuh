// Two independent standard normals from two words (Box & Muller 1958): backend/cpu/normals.py.
#include "elementary.cuh"
#include "philox.cuh"

namespace thermosim {

template <class T> DEVICE void box_muller(unsigned a, unsigned b, T& x, T& y) {
    // |ln u| rather than -ln u: the hardware's logarithm may come out above 0 next to u = 1
    T r = sqrt(absolute(log_positive(uniform<T>(a))));
    T t = centred<T>(b) * (T)1.5707963267948966;
    T c = cos_small(t), s = sin_small(t);
    x = flip(r * (c - s), b);
    y = flip(r * (c + s), b << 1);
}

}  // namespace thermosim
