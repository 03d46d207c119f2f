"""Single machine instructions that kernels need and Python has no operator for.

All are typed by their operands (float32 or float64, 32-bit words) and have an exact CUDA counterpart,
named beside each.
"""
from .compile import cgutils, instruction, ir, types

I32, I64 = ir.IntType(32), ir.IntType(64)


def _integer(real):
    """Integer type as wide as `real`, its number of mantissa bits, its exponent bias."""
    return (I32, 23, 127) if isinstance(real, ir.FloatType) else (I64, 52, 1023)


@instruction(lambda a, b, c: (a, a, a, a))
def fma(builder, operands, a, b, c):
    """a·b + c rounded once. CUDA: fmaf / fma."""
    return builder.fma(a, b, c)


def polynomial(coefficients64, coefficients32=()):
    """x ↦ Σ c_k x^k by Horner's rule, one fma a coefficient; the coefficients follow the type of x."""
    @instruction(lambda x: (x, x))
    def horner(builder, operands, x):
        real = operands[0]
        chosen = coefficients64 if isinstance(real, ir.DoubleType) else coefficients32
        *rest, value = [ir.Constant(real, float(c)) for c in chosen]
        for c in reversed(rest):
            value = builder.fma(value, x, c)
        return value
    return horner


def constant(value64, value32):
    """x ↦ a number that depends on the precision of x alone."""
    return polynomial((value64,), (value32,))


@instruction(lambda x: (types.UniTuple(x, 2), x))
def split(builder, operands, x):
    """x = 2^e·m with √½ ≤ m < √2, for normal x > 0; returns (e, m), both as reals.

    CUDA: integer arithmetic on __float_as_int / __double_as_longlong.
    """
    real = operands[0]
    integer, mantissa, bias = _integer(real)
    root_half = 0x3F3504F3 if integer is I32 else 0x3FE6A09E667F3BCD      # bits of √½
    one = bias << mantissa
    shifted = builder.add(builder.bitcast(x, integer), integer(one - root_half))
    exponent = builder.sub(builder.ashr(shifted, integer(mantissa)), integer(bias))
    fraction = builder.add(builder.and_(shifted, integer((1 << mantissa) - 1)), integer(root_half))
    return builder.sitofp(exponent, real), builder.bitcast(fraction, real)


@instruction(lambda k, like: (like, types.uint32, like))
def uniform(builder, operands, k, like):
    """The word k as (k + ½)·2⁻³² in the type of `like`, always inside (0, 1).

    In float32 the last words would round to 1, whose logarithm is no radius: they stop at 1 − 2⁻²⁴.
    CUDA: fminf(fmaf(__uint2float_rn(k), 2⁻³², 2⁻³³), 1 − 2⁻²⁴).
    """
    real = operands[1]
    u = builder.fma(builder.uitofp(k, real), real(2.0**-32), real(2.0**-33))
    if isinstance(real, ir.FloatType):
        top = real(1 - 2.0**-24)
        u = builder.select(builder.fcmp_ordered("<", u, top), u, top)
    return u


@instruction(lambda k, like: (like, types.uint32, like))
def centred(builder, operands, k, like):
    """The low 30 bits j of a word as (j + ½)·2⁻³⁰ − ½, inside [−½, ½]; bits 30 and 31 stay free for signs.

    CUDA: fmaf(__int2float_rn((int)(k & 0x3fffffff) − 0x20000000), 2⁻³⁰, 2⁻³¹).
    """
    real = operands[1]
    j = builder.sub(builder.and_(k, I32(0x3FFFFFFF)), I32(0x20000000))
    return builder.fma(builder.sitofp(j, real), real(2.0**-30), real(2.0**-31))


@instruction(lambda x, k: (x, x, types.uint32))
def flip(builder, operands, x, k):
    """x with its sign turned if the top bit of the word k is set."""
    real = operands[0]
    integer, mantissa, _ = _integer(real)
    top = builder.and_(k, I32(0x80000000))
    if integer is I64:
        top = builder.shl(builder.zext(top, I64), I64(32))
    return builder.bitcast(builder.xor(builder.bitcast(x, integer), top), real)


@instruction(lambda t: (types.uint32, t))
def low_word(builder, operands, t):
    """The low 32 bits of a real; of k + 1.5·2⁵² (1.5·2²³ in float32) they are the integer k."""
    integer, mantissa, _ = _integer(operands[0])
    word = builder.bitcast(t, integer)
    if integer is I64:
        return builder.trunc(word, I32)
    return builder.sub(word, I32(0x4B400000))        # float32 has its exponent in the same word


@instruction(lambda k, like: (types.UniTuple(like, 2), types.uint32, like))
def two_powers(builder, operands, k, like):
    """Two reals whose product is 2^k, for signed k from two underflows to two overflows."""
    real = operands[1]
    integer, mantissa, bias = _integer(real)
    half = builder.ashr(k, I32(1))

    def power(exponent):
        if integer is I64:
            exponent = builder.sext(exponent, I64)
        return builder.bitcast(builder.shl(builder.add(exponent, integer(bias)), integer(mantissa)), real)
    return power(half), power(builder.sub(k, half))


@instruction(lambda x: (types.int64, types.float64))
def bits(builder, operands, x):
    """The bits of a float64 as an integer; numbers ≥ 0 stand in the order of their bits, NaN above all."""
    return builder.bitcast(x, I64)


@instruction(lambda k: (types.float64, types.int64))
def from_bits(builder, operands, k):
    """The float64 of these bits."""
    return builder.bitcast(k, ir.DoubleType())


# ---- 32 lanes at once: what the compiler would unroll into single numbers ---------------------------

LANES = 32
_DATA = 4                   # place of the pointer in Numba's array record
_WIDE = ir.VectorType(ir.DoubleType(), LANES)


def _lanes_at(builder, array, index, kind):
    """Pointer to the 32 numbers of an array that begin at `index`."""
    start = builder.gep(builder.extract_value(array, _DATA), [index])
    return builder.bitcast(start, ir.VectorType(kind, LANES).as_pointer())


def _all(builder, value):
    nothing, first = ir.Constant(_WIDE, ir.Undefined), ir.Constant(ir.VectorType(I32, LANES), [0]*LANES)
    return builder.shuffle_vector(builder.insert_element(nothing, value, I32(0)), nothing, first)


@instruction(lambda T, S, at, chunks, pivot: (types.void, T, S, types.int64, types.int64, types.float64))
def lane_sums(builder, operands, T, S, at, chunks, pivot):
    """Of z = S[at:at + 32·chunks] − pivot, the sums of every 32nd to T[:32] and those of z² to T[32:64].

    Nothing is checked. The sums stay in registers through the loop.
    """
    real = operands[1].elements[_DATA].pointee
    sums = [cgutils.alloca_once_value(builder, ir.Constant(_WIDE, [0.0]*LANES)) for _ in range(2)]
    shift = _all(builder, pivot)
    with cgutils.for_range(builder, chunks) as loop:
        y = builder.load(_lanes_at(builder, S, builder.add(at, builder.mul(loop.index, I64(LANES))), real), align=4)
        y = y if isinstance(real, ir.DoubleType) else builder.fpext(y, _WIDE)
        z = builder.fsub(y, shift)
        for place, term in zip(sums, (z, builder.fmul(z, z))):
            builder.store(builder.fadd(builder.load(place), term), place)
    for k, place in enumerate(sums):
        builder.store(builder.load(place), _lanes_at(builder, T, I64(k*LANES), ir.DoubleType()), align=8)


@instruction(lambda T, i: (types.float64, T, types.int64))
def sum_lanes(builder, operands, T, i):
    """Sum of T[i:i + 32]: 16 + 16, 8 + 8, … CUDA: `halved` of rows.cuh."""
    v = builder.load(_lanes_at(builder, T, i, ir.DoubleType()), align=8)
    half = LANES
    while half > 1:
        half //= 2
        low, high = (ir.Constant(ir.VectorType(I32, half), list(range(k, k + half))) for k in (0, half))
        v = builder.fadd(builder.shuffle_vector(v, v, low), builder.shuffle_vector(v, v, high))
    return builder.extract_element(v, I32(0))
