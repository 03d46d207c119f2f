"""exp, log, sin, cos as short polynomials: they vectorise, and CUDA repeats them bit for bit.

Calls into libm stop the vectoriser and differ between machines. These are inlined into the kernel that
uses them, take float32 or float64, and consist of IEEE operations and explicit fma only. Argument
reduction is that of Cody & Waite (1980); the polynomials are Chebyshev fits made for these intervals,
their relative error below 2e-17 (float64) and 2e-8 (float32) before rounding. Largest errors seen in
units of the last place: exp 1.1, log 1.3, sin and cos 1.5, in float64 and in float32.

Special values are libm's, without its warnings: exp overflows to infinity and underflows gradually to
0; log 0 = −∞, log of a negative number is NaN, subnormals are right; NaN gives NaN. One difference is
meant: sin and cos of |x| > 2⁴⁰ (2²⁰ in float32) are NaN, for an angle of so many turns has lost its
meaning and the polynomials their accuracy.
"""
import numpy as np

from .bits import constant, flip, fma, low_word, polynomial, split, two_powers
from .compile import inlined

# exp r = 1 + r + r²·_exp(r), |r| ≤ ln 2 / 2
_exp = polynomial(
    (0.5000000000000001, 0.16666666666666669, 0.04166666666662413, 0.008333333333330062,
     0.0013888888917213717, 0.00019841269863053618, 2.4801521295954376e-05, 2.7557268459997064e-06,
     2.7620088445409746e-07, 2.510038549551032e-08),
    (0.5, 0.16666576989698775, 0.041666554617204574, 0.008363179052722578, 0.0013926183587713494))
# log m = f − s(f − R(s²)), f = m − 1, s = f/(2 + f), √½ ≤ m ≤ √2;  R(z) = z·_log(z)
_log = polynomial(
    (0.666666666666667, 0.39999999999899444, 0.2857142862600327, 0.22222211130259878,
     0.18182889455674947, 0.15331710618210773, 0.14616585424888623),
    (0.6666668504515603, 0.39988778282162807, 0.2958005304318844))
# sin r = r + r³·_sin(r²), cos r = 1 + r²·_cos(r²), |r| ≤ π/4
_sin = polynomial(
    (-0.16666666666666666, 0.008333333333330948, -0.00019841269836756774, 2.7557316101617874e-06,
     -2.505113165023518e-08, 1.5918115263265974e-10),
    (-0.16666664661714697, 0.008332748154085032, -0.00019587865702101875))
_cos = polynomial(
    (-0.5, 0.04166666666666664, -0.001388888888888077, 2.4801587293690305e-05,
     -2.755731556524682e-07, 2.0875886564482672e-09, -1.1367988423294987e-11),
    (-0.49999999969106984, 0.041666650639724655, -0.0013887588896733915, 2.4463754730095443e-05))

# adding it rounds to an integer, and leaves that integer in the low bits
_shift = constant(1.5 * 2.0**52, 1.5 * 2.0**23)
# constants in two or three parts, each the rest that the parts before leave over
_ln2 = constant(0.6931471805599453, 0.6931472)
_ln2_rest = constant(2.3190468138462996e-17, -1.9046542e-09)
_half_pi = constant(1.5707963267948966, 1.5707964)
_half_pi_rest = constant(6.123233995736766e-17, -4.371139e-08)
_half_pi_last = constant(-1.4973849048591698e-33, -1.7151245e-15)
_exp_top, _exp_bottom = constant(710.0, 89.0), constant(-746.0, -104.0)
_smallest_normal = constant(2.0**-1022, 2.0**-126)
_most_turns = constant(2.0**40, 2.0**20)


@inlined
def exp(x):
    """e^x; 0 far below, infinity far above, NaN of NaN."""
    x = _exp_top(x) if x > _exp_top(x) else x
    x = _exp_bottom(x) if x < _exp_bottom(x) else x
    t = fma(x, type(x)(1.4426950408889634), _shift(x))
    k = t - _shift(x)
    r = fma(-k, _ln2_rest(x), fma(-k, _ln2(x), x))
    a, b = two_powers(low_word(t), x)
    return (type(x)(1) + fma(r * r, _exp(r), r)) * a * b


@inlined
def log_positive(x):
    """Natural logarithm of a normal x > 0; nothing is promised for 0, subnormals, infinity or NaN."""
    real = type(x)
    e, m = split(x)
    f = m - real(1)
    s = f / (real(2) + f)
    z = s * s
    return fma(e, _ln2(x), fma(-s, f - z * _log(z), f))


@inlined
def log(x):
    """Natural logarithm; −∞ of 0, NaN of a negative number."""
    real = type(x)
    small = x < _smallest_normal(x)
    y = log_positive(x * real(2.0**54) if small else x)
    y = fma(real(-54.0), _ln2(x), y) if small else y
    y = x if x == real(np.inf) else y
    y = real(-np.inf) if x == real(0) else y
    return y if x >= real(0) else real(np.nan)


@inlined
def sin_small(r):
    """sin r for |r| ≤ π/4."""
    z = r * r
    return fma(r * z, _sin(z), r)


@inlined
def cos_small(r):
    """cos r for |r| ≤ π/4."""
    z = r * r
    return fma(z, _cos(z), type(r)(1))


@inlined
def _quarters(x):
    """x = q·π/2 + r with |r| ≤ π/4: r and the integer q modulo 2³²."""
    real = type(x)
    x = x if abs(x) <= _most_turns(x) else real(np.nan)
    t = fma(x, real(0.6366197723675814), _shift(x))
    q = t - _shift(x)
    r = fma(-q, _half_pi_rest(x), fma(-q, _half_pi(x), x))
    return fma(-q, _half_pi_last(x), r), low_word(t)


@inlined
def _quadrant(s, c, q):
    """sin(r + q·π/2) of s = sin r, c = cos r."""
    return flip(c if q & np.uint32(1) else s, q << np.uint32(30))


@inlined
def sincos(x):
    """(sin x, cos x) for the price of little more than one."""
    r, q = _quarters(x)
    s, c = sin_small(r), cos_small(r)
    return _quadrant(s, c, q), _quadrant(s, c, q + np.uint32(1))


@inlined
def sin(x):
    """sin x, x in radians."""
    return sincos(x)[0]


@inlined
def cos(x):
    """cos x, x in radians."""
    return sincos(x)[1]
