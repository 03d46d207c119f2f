// Single operations on reals and 32-bit words: backend/cpu/bits.py, operation by operation.
#define DEVICE __device__ __forceinline__

namespace thermosim {

DEVICE int bits_of(float x) { return __float_as_int(x); }
DEVICE long long bits_of(double x) { return __double_as_longlong(x); }
DEVICE float real_of(int bits) { return __int_as_float(bits); }
DEVICE double real_of(long long bits) { return __longlong_as_double(bits); }

template <class T> struct Layout;
template <> struct Layout<float> {
    using Int = int;
    static constexpr Int mantissa = 23, bias = 127, root_half = 0x3F3504F3;  // bits of sqrt(1/2)
};
template <> struct Layout<double> {
    using Int = long long;
    static constexpr Int mantissa = 52, bias = 1023, root_half = 0x3FE6A09E667F3BCD;
};

// A number that depends on the precision alone.
template <class T> DEVICE T constant(double value64, double value32) {
    return sizeof(T) == 8 ? (T)value64 : (T)value32;
}

// c0 + c1 x + c2 x^2 + ... by Horner's rule, one fma a coefficient.
template <class T> DEVICE T horner(T, double c) { return (T)c; }
template <class T, class... C> DEVICE T horner(T x, double c, C... higher) {
    return fma(horner(x, higher...), x, (T)c);
}

// x = 2^e m with sqrt(1/2) <= m < sqrt(2), for normal x > 0.
template <class T> DEVICE void split(T x, T& e, T& m) {
    using L = Layout<T>;
    using Int = typename L::Int;
    Int shifted = bits_of(x) + ((L::bias << L::mantissa) - L::root_half);
    e = (T)((shifted >> L::mantissa) - L::bias);
    m = real_of((Int)((shifted & (((Int)1 << L::mantissa) - 1)) + L::root_half));
}

// The word k as (k + 1/2) 2^-32, always inside (0, 1).
template <class T> DEVICE T uniform(unsigned k) {
    T u = fma((T)k, (T)0x1p-32, (T)0x1p-33);
    T top = constant<T>(1, 1 - 0x1p-24);  // float32 would round the last words to 1
    return u < top ? u : top;
}

// The low 30 bits j of a word as (j + 1/2) 2^-30 - 1/2; bits 30 and 31 stay free for signs.
template <class T> DEVICE T centred(unsigned k) {
    int j = (int)(k & 0x3FFFFFFFu) - 0x20000000;
    return fma((T)j, (T)0x1p-30, (T)0x1p-31);
}

// x with its sign turned if the top bit of k is set.
template <class T> DEVICE T flip(T x, unsigned k) {
    using Int = typename Layout<T>::Int;
    Int top = (Int)((unsigned long long)(k & 0x80000000u) << (8 * sizeof(T) - 32));
    return real_of((Int)(bits_of(x) ^ top));
}

// Of k + 1.5 2^52 (1.5 2^23 in float32), the integer k modulo 2^32.
DEVICE unsigned low_word(double t) { return (unsigned)bits_of(t); }
DEVICE unsigned low_word(float t) { return (unsigned)bits_of(t) - 0x4B400000u; }

// 2^k for |k| so small that it is a normal number.
template <class T> DEVICE T power_of_two(int k) {
    using L = Layout<T>;
    using Int = typename L::Int;
    return real_of((Int)((k + L::bias) << L::mantissa));
}

template <class T> DEVICE T infinity() {
    return constant<T>(real_of(0x7FF0000000000000LL), real_of(0x7F800000));
}
template <class T> DEVICE T not_a_number() { return infinity<T>() - infinity<T>(); }
template <class T> DEVICE T absolute(T x) { return fabs(x); }

}  // namespace thermosim
