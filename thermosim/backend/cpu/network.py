"""The elementwise work of a network between its matrix products, each in one pass over memory.

A NumPy expression reads and writes its arrays once per operator; these kernels once per layer.
They are serial: between two matrix products of a small network there is nothing for a second thread
to win. Scalars arrive in the dtype of the arrays, so float32 never widens to float64 inside a loop.
"""
import numpy as np

from .compile import relaxed
from .elementary import exp


@relaxed
def silu(z, b, g):
    """g = silu'(z + b), and z becomes silu(z + b); z, g (n, k), b (k,), one dtype."""
    one, low = z.dtype.type(1), z.dtype.type(-80)
    for r in range(z.shape[0]):
        zr, gr = z[r], g[r]
        for c in range(zr.size):
            v = zr[c] + b[c]
            v = low if v < low else v  # below, silu is 0 to rounding; further down exp(-v) is infinite
            s = one / (one + exp(-v))
            q = v * s
            zr[c] = q
            gr[c] = s + q * (one - s)


@relaxed
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


@relaxed
def adam(p, g, m, v, ema, rate, beta1, beta2, unbias1, unbias2, eps, decay, follow):
    """One Adam step with decoupled weight decay, and the running mean of p beside it; all (k,).

    unbias1 = 1/(1 - beta1^t), unbias2 = 1/(1 - beta2^t); `follow` = 1 - the decay of the mean.
    """
    one = p.dtype.type(1)
    for i in range(p.size):
        gi = g[i]
        mi = beta1 * m[i] + (one - beta1) * gi
        vi = beta2 * v[i] + (one - beta2) * gi * gi
        m[i] = mi
        v[i] = vi
        pi = p[i] - rate * (mi * unbias1 / (np.sqrt(vi * unbias2) + eps) + decay * p[i])
        p[i] = pi
        ema[i] += follow * (pi - ema[i])
