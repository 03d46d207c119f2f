"""The elementwise work of a network between its matrix products, each in one pass over memory.

A NumPy expression reads and writes its arrays once per operator; these kernels once per layer.
Scalars arrive in the dtype of the arrays, so float32 never widens to float64 inside a loop.
"""
import numpy as np

from .bits import I32, I64, fma
from .compile import inlined, instruction, ir, strict
from .elementary import _exp, _ln2, _ln2_rest, _shift


@instruction(lambda t: (t, t))
def _power_of_two(builder, operands, t):
    """2^k, of a real t whose lowest bits hold the integer k of a normal result."""
    integer, mantissa, bias = (I32, 23, 127) if isinstance(operands[0], ir.FloatType) else (I64, 52, 1023)
    exponent = builder.add(builder.bitcast(t, integer), integer(bias))
    return builder.bitcast(builder.shl(exponent, integer(mantissa)), operands[0])


@inlined
def silu_and_slope(v):
    """silu(v) = v/(1 + e^−v) and its derivative.

    e^−v as in `elementary.exp`, without the care for results that are subnormal or infinite: outside
    ±80 silu is 0 or v to rounding.
    """
    one, far = type(v)(1), type(v)(80)
    v = -far if v < -far else v
    u = far if v > far else v
    t = fma(u, type(v)(-1.4426950408889634), _shift(v))
    k = t - _shift(v)
    r = fma(-k, _ln2_rest(v), fma(-k, _ln2(v), -u))
    s = one / (one + fma(r * r, _exp(r), one + r) * _power_of_two(t))
    q = v * s
    return q, fma(q, one - s, s)


@strict
def silu(z, b, g):
    """g = silu'(z + b), and z becomes silu(z + b); z, g (n, k), b (k,), one dtype."""
    for r in range(z.shape[0]):
        zr, gr = z[r], g[r]
        for c in range(zr.size):
            zr[c], gr[c] = silu_and_slope(zr[c] + b[c])


@strict
def scale_columns_sum(d, g, s):
    """d *= g, and s = the sum of the new d over its rows; d, g (n, k), s (k,)."""
    for c in range(s.size):
        s[c] = 0
    for r in range(d.shape[0]):
        dr, gr = d[r], g[r]
        for c in range(s.size):
            v = dr[c] * gr[c]
            dr[c] = v
            s[c] += v


@strict
def adam(p, g, m, v, ema, rate, beta1, beta2, unbias1, unbias2, eps, decay, follow):
    """One Adam step with decoupled weight decay, and the running mean of p beside it; all (k,).

    unbias1 = 1/(1 − beta1^t), unbias2 = 1/(1 − beta2^t); `follow` = 1 − the decay of the mean.
    """
    one = p.dtype.type(1)
    for i in range(p.size):
        gi = g[i]
        mi = fma(beta1, m[i], (one - beta1) * gi)
        vi = fma(beta2, v[i], (one - beta2) * gi * gi)
        m[i] = mi
        v[i] = vi
        pi = fma(-rate, fma(decay, p[i], mi * unbias1 / (np.sqrt(vi * unbias2) + eps)), p[i])
        p[i] = pi
        ema[i] = fma(follow, pi - ema[i], ema[i])
