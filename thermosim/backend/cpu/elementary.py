"""exp, log, sin, cos as short polynomials: they vectorise, and CUDA repeats them bit for bit.

Calls into libm stop the vectoriser and differ between machines. These are inlined into the kernel that
uses them, take float32 or float64, and consist of IEEE operations and explicit fma only. Argument
reduction is Cody & Waite's (1980); the polynomials are Chebyshev fits made for these intervals, with
relative error below 2e-17 (float64) and 2e-8 (float32) before rounding.
"""
from .bits import polynomial, split, fma
from .compile import inlined

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

LN2 = 0.6931471805599453


@inlined
def log_positive(x):
    """Natural logarithm of a normal x > 0; nothing is promised for 0, subnormals, infinity or NaN."""
    real = type(x)
    e, m = split(x)
    f = m - real(1)
    s = f / (real(2) + f)
    z = s * s
    return fma(e, real(LN2), fma(-s, f - z * _log(z), f))


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
