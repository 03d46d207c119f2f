"""What stands between the matrix products of a network beside its activations, each in one pass over memory.

A NumPy expression reads and writes its arrays once per operator; these kernels once per layer.
Scalars arrive in the dtype of the arrays, so float32 never widens to float64 inside a loop.
"""
import numpy as np

from .bits import fma
from .compile import strict
from .elementary import exp


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
def bend(d, e, u, g, w):
    """Through h = f(z) and its tangents f'(z) u backwards: d = g d + w Σ_a e_a u_a, then e = g e.

    d, g, w (n, k): ∂L/∂h, which becomes ∂L/∂z; f'(z); f''(z). e, u (m, n, k): ∂L/∂(tangents of h), which
    becomes ∂L/∂u; the tangents of z.
    """
    for r in range(d.shape[0]):
        dr, gr, wr = d[r], g[r], w[r]
        for c in range(dr.size):
            dr[c] *= gr[c]
        for a in range(e.shape[0]):
            er, ur = e[a, r], u[a, r]
            for c in range(dr.size):
                dr[c] += wr[c] * er[c] * ur[c]
                er[c] *= gr[c]


@strict
def bumps(x, centre, sharpness, a, phi):
    """a = −½ s_k |x − c_k|², phi = softmax of a along k.

    x (n, d), centre (d, K), sharpness (K,), a and phi (n, K), one dtype.
    """
    half = x.dtype.type(-0.5)
    for r in range(x.shape[0]):
        ar, pr = a[r], phi[r]
        for k in range(ar.size):
            ar[k] = 0
        for i in range(x.shape[1]):
            for k in range(ar.size):
                v = x[r, i] - centre[i, k]
                ar[k] += v * v
        top = half * sharpness[0] * ar[0]
        for k in range(ar.size):
            ar[k] *= half * sharpness[k]
            top = max(top, ar[k])
        total = top - top
        for k in range(ar.size):
            pr[k] = exp(ar[k] - top)
            total += pr[k]
        for k in range(ar.size):
            pr[k] /= total


@strict
def soften(phi, d):
    """d = φ(d − Σ_k φ_k d_k) row by row: the derivative of a softmax, which is symmetric; (n, K) both."""
    for r in range(d.shape[0]):
        dr, pr = d[r], phi[r]
        mean = dr[0] - dr[0]
        for k in range(dr.size):
            mean += pr[k] * dr[k]
        for k in range(dr.size):
            dr[k] = pr[k] * (dr[k] - mean)


@strict
def own_rows(x, w, b, which, out):
    """out_r = x_r W_j, j = which[r mod n], plus b_j in the first n rows.

    x (rows, i), w (J, i, k), b (J, k), which (n,) int64, out (rows, k); rows a multiple of n.
    """
    n = which.size
    for r in range(x.shape[0]):
        j, o = which[r % n], out[r]
        for c in range(o.size):
            o[c] = b[j, c] if r < n else 0
        for i in range(x.shape[1]):
            for c in range(o.size):
                o[c] += x[r, i] * w[j, i, c]


@strict
def own_rows_back(x, w, which, d, dx, dw, db):
    """From d = ∂L/∂out of `own_rows`: ∂L/∂x into dx, ∂L/∂w into dw, ∂L/∂b into db."""
    n = which.size
    dw[:] = 0
    db[:] = 0
    for r in range(x.shape[0]):
        j, dr = which[r % n], d[r]
        if r < n:
            for c in range(dr.size):
                db[j, c] += dr[c]
        for i in range(x.shape[1]):
            inner = dr[0] - dr[0]
            for c in range(dr.size):
                dw[j, i, c] += x[r, i] * dr[c]
                inner += w[j, i, c] * dr[c]
            dx[r, i] = inner


@strict
def adam(start, stop, p, g, m, v, ema, rate, beta1, beta2, unbias1, unbias2, eps, decay, follow):
    """One Adam step with decoupled weight decay, and the running mean of p beside it; start … stop of all (k,).

    unbias1 = 1/(1 − beta1^t), unbias2 = 1/(1 − beta2^t); `follow` = 1 − the decay of the mean.
    """
    one = p.dtype.type(1)
    # slices, for an index that might be negative keeps the loop from vector registers
    p, g, m, v, ema = p[start:stop], g[start:stop], m[start:stop], v[start:stop], ema[start:stop]
    for i in range(p.size):
        gi = g[i]
        mi = fma(beta1, m[i], (one - beta1) * gi)
        vi = fma(beta2, v[i], (one - beta2) * gi * gi)
        m[i] = mi
        v[i] = vi
        pi = fma(-rate, fma(decay, p[i], mi * unbias1 / (np.sqrt(vi * unbias2) + eps)), p[i])
        p[i] = pi
        ema[i] = fma(follow, pi - ema[i], ema[i])
