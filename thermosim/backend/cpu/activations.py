"""Activations of a network: f(z + b), its slope, and where asked its curvature, in one pass over memory.

The jets take float32 or float64 and consist of IEEE operations and explicit fma. e^v as in `elementary.exp`,
without the care for results that are subnormal or infinite: far out every activation is at its limit.
"""
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
def _reduced(u):
    """e^u = 2^k e^r, |r| ≤ ln 2/2: the r, and 2^k."""
    t = fma(u, type(u)(1.4426950408889634), _shift(u))
    k = t - _shift(u)
    return fma(-k, _ln2_rest(u), fma(-k, _ln2(u), u)), _power_of_two(t)


@inlined
def _held(v, far):
    """v within ±far; NaN stays, to be seen."""
    v = -far if v < -far else v
    return far if v > far else v


@inlined
def silu_jet(v):
    """v σ(v), σ(v) = 1/(1 + e^−v), with first and second derivative."""
    one, far = type(v)(1), type(v)(80)
    v = -far if v < -far else v
    r, power = _reduced(-(far if v > far else v))
    s = one / (one + fma(r * r, _exp(r), one + r) * power)
    q = v * s
    return q, fma(q, one - s, s), s * (one - s) * fma(v, one - s - s, type(v)(2))


@inlined
def sigmoid_jet(v):
    """σ(v) = 1/(1 + e^−v), with first and second derivative."""
    one = type(v)(1)
    r, power = _reduced(-_held(v, type(v)(80)))
    e = fma(r * r, _exp(r), one + r) * power
    s = one / (one + e)
    g = e * s * s
    return s, g, g * (one - s - s)


@inlined
def tanh_jet(v):
    """tanh v, with first and second derivative; of e^2|v| − 1, so that near 0 and far out all digits are right."""
    one, two = type(v)(1), type(v)(2)
    a = _held(v, type(v)(40))
    r, power = _reduced(two * abs(a))
    m = fma(fma(r * r, _exp(r), r), power, power - one)     # e^2|v| − 1
    q = one / (m + two)
    h = -m * q if a < 0 else m * q
    g = type(v)(4) * ((m + one) * q) * q
    return h, g, -two * h * g


@strict
def silu(z, b, g):
    """g = f'(z + b), and z becomes f(z + b); z, g (n, k), b (k,), one dtype."""
    for r in range(z.shape[0]):
        zr, gr = z[r], g[r]
        for c in range(zr.size):
            zr[c], gr[c], _ = silu_jet(zr[c] + b[c])


@strict
def silu_alone(z, b):
    """z becomes f(z + b), as in `silu`."""
    for r in range(z.shape[0]):
        zr = z[r]
        for c in range(zr.size):
            zr[c] = silu_jet(zr[c] + b[c])[0]


@strict
def silu_curved(z, b, g, w):
    """As `silu`, and w = f''(z + b), (n, k)."""
    for r in range(z.shape[0]):
        zr, gr, wr = z[r], g[r], w[r]
        for c in range(zr.size):
            zr[c], gr[c], wr[c] = silu_jet(zr[c] + b[c])


@strict
def sigmoid(z, b, g):
    """As `silu`."""
    for r in range(z.shape[0]):
        zr, gr = z[r], g[r]
        for c in range(zr.size):
            zr[c], gr[c], _ = sigmoid_jet(zr[c] + b[c])


@strict
def sigmoid_curved(z, b, g, w):
    """As `silu_curved`."""
    for r in range(z.shape[0]):
        zr, gr, wr = z[r], g[r], w[r]
        for c in range(zr.size):
            zr[c], gr[c], wr[c] = sigmoid_jet(zr[c] + b[c])


@strict
def tanh(z, b, g):
    """As `silu`."""
    for r in range(z.shape[0]):
        zr, gr = z[r], g[r]
        for c in range(zr.size):
            zr[c], gr[c], _ = tanh_jet(zr[c] + b[c])


@strict
def tanh_curved(z, b, g, w):
    """As `silu_curved`."""
    for r in range(z.shape[0]):
        zr, gr, wr = z[r], g[r], w[r]
        for c in range(zr.size):
            zr[c], gr[c], wr[c] = tanh_jet(zr[c] + b[c])


@strict
def leaky_relu(z, b, g, slope):
    """v for v = z + b > 0, slope·v below, and its derivative; the curvature is 0."""
    one = z.dtype.type(1)
    for r in range(z.shape[0]):
        zr, gr = z[r], g[r]
        for c in range(zr.size):
            v = zr[c] + b[c]
            gr[c] = one if v > 0 else slope
            zr[c] = v * gr[c]
