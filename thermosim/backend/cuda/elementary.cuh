// exp, log, sin, cos: backend/cpu/elementary.py, operation by operation; sources and errors are told there.
// In the fast build those of float32 are the hardware's.
#include "bits.cuh"

namespace thermosim {

DEVICE double exp_series(double r) {
    return horner(r, 0.5000000000000001, 0.16666666666666669, 0.04166666666662413, 0.008333333333330062,
                  0.0013888888917213717, 0.00019841269863053618, 2.4801521295954376e-05,
                  2.7557268459997064e-06, 2.7620088445409746e-07, 2.510038549551032e-08);
}
DEVICE float exp_series(float r) {
    return horner(r, 0.5, 0.16666576989698775, 0.041666554617204574, 0.008363179052722578,
                  0.0013926183587713494);
}

DEVICE double log_series(double z) {
    return horner(z, 0.666666666666667, 0.39999999999899444, 0.2857142862600327, 0.22222211130259878,
                  0.18182889455674947, 0.15331710618210773, 0.14616585424888623);
}
DEVICE float log_series(float z) {
    return horner(z, 0.6666668504515603, 0.39988778282162807, 0.2958005304318844);
}

DEVICE double sin_series(double z) {
    return horner(z, -0.16666666666666666, 0.008333333333330948, -0.00019841269836756774,
                  2.7557316101617874e-06, -2.505113165023518e-08, 1.5918115263265974e-10);
}
DEVICE float sin_series(float z) {
    return horner(z, -0.16666664661714697, 0.008332748154085032, -0.00019587865702101875);
}

DEVICE double cos_series(double z) {
    return horner(z, -0.5, 0.04166666666666664, -0.001388888888888077, 2.4801587293690305e-05,
                  -2.755731556524682e-07, 2.0875886564482672e-09, -1.1367988423294987e-11);
}
DEVICE float cos_series(float z) {
    return horner(z, -0.49999999969106984, 0.041666650639724655, -0.0013887588896733915,
                  2.4463754730095443e-05);
}

// Adding it rounds to an integer, and leaves that integer in the low bits.
template <class T> DEVICE T shift() { return constant<T>(1.5 * 0x1p52, 1.5 * 0x1p23); }
template <class T> DEVICE T ln2() { return constant<T>(0.6931471805599453, 0.6931472); }

template <class T> DEVICE T exp(T x) {
    T top = constant<T>(710, 89), bottom = constant<T>(-746, -104);
    x = x > top ? top : x;
    x = x < bottom ? bottom : x;
    T t = fma(x, (T)1.4426950408889634, shift<T>());
    T k = t - shift<T>();
    T r = fma(-k, constant<T>(2.3190468138462996e-17, -1.9046542e-09), fma(-k, ln2<T>(), x));
    int power = (int)low_word(t), half = power >> 1;  // in two factors, for one would overflow early
    return ((T)1 + fma(r * r, exp_series(r), r)) * power_of_two<T>(half) * power_of_two<T>(power - half);
}

// For a normal x > 0.
template <class T> DEVICE T log_positive(T x) {
    T e, m;
    split(x, e, m);
    T f = m - (T)1;
    T s = f / ((T)2 + f);
    T z = s * s;
    return fma(e, ln2<T>(), fma(-s, f - z * log_series(z), f));
}

template <class T> DEVICE T log(T x) {
    bool small = x < constant<T>(0x1p-1022, 0x1p-126);
    T y = log_positive(small ? x * (T)0x1p54 : x);
    y = small ? fma((T)-54, ln2<T>(), y) : y;
    y = x == infinity<T>() ? x : y;
    y = x == (T)0 ? -infinity<T>() : y;
    return x >= (T)0 ? y : not_a_number<T>();
}

// For |r| <= pi/4.
template <class T> DEVICE T sin_small(T r) {
    T z = r * r;
    return fma(r * z, sin_series(z), r);
}
template <class T> DEVICE T cos_small(T r) {
    T z = r * r;
    return fma(z, cos_series(z), (T)1);
}

// sin(r + q pi/2) of s = sin r, c = cos r.
template <class T> DEVICE T quadrant(T s, T c, unsigned q) { return flip(q & 1u ? c : s, q << 30); }

template <class T> DEVICE void sincos(T x, T& sine, T& cosine) {
    x = absolute(x) <= constant<T>(0x1p40, 0x1p20) ? x : not_a_number<T>();
    T t = fma(x, (T)0.6366197723675814, shift<T>());
    T q = t - shift<T>();
    T r = fma(-q, constant<T>(6.123233995736766e-17, -4.371139e-08),
              fma(-q, constant<T>(1.5707963267948966, 1.5707964), x));
    r = fma(-q, constant<T>(-1.4973849048591698e-33, -1.7151245e-15), r);
    T s = sin_small(r), c = cos_small(r);
    sine = quadrant(s, c, low_word(t));
    cosine = quadrant(s, c, low_word(t) + 1u);
}
template <class T> DEVICE T sin(T x) {
    T s, c;
    sincos(x, s, c);
    return s;
}
template <class T> DEVICE T cos(T x) {
    T s, c;
    sincos(x, s, c);
    return c;
}

#ifdef FAST  // overloads that are no templates come first
DEVICE float exp(float x) { return ::expf(x); }
DEVICE float log(float x) { return ::logf(x); }
DEVICE float log_positive(float x) { return ::logf(x); }
DEVICE float sin(float x) { return ::sinf(x); }
DEVICE float cos(float x) { return ::cosf(x); }
DEVICE float sin_small(float r) { return ::sinf(r); }
DEVICE float cos_small(float r) { return ::cosf(r); }
#endif

}  // namespace thermosim
