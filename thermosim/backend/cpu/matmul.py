"""Products of matrices, C = A B, tile by tile in registers.

A tile of C stays in vector registers while k runs; each k loads a piece of a row of B and multiplies it
by one number from each row of A. The matrices of a score network fit the second-level cache, so nothing
is packed into buffers first, which is most of what a general BLAS does around the same inner loop.

Every element of C is one chain of fma over rising k. It depends on its row of A and its column of B
alone: not on the other rows of a batch, nor on threads, nor on the width of the vectors. Threads share
the rows of C and sleep when they have none; those of a BLAS spin, and where cores are shared every small
product then waits for the scheduler.
"""
import numpy as np
from numpy._core._multiarray_umath import __cpu_features__ as features

from .activations import silu, silu_alone
from .compile import instruction, ir, strict, types
from .threads import over_threads

# a tile: rows, vectors, bytes of a vector; the wide one fills the register file with sums
if features.get("AVX512F"):
    WIDE = (6, 4, 64)
elif features.get("AVX2"):
    WIDE = (6, 2, 32)
else:
    WIDE = (6, 4, 16)
NARROW = (12, 1, min(WIDE[2], 32))     # for columns left over: loads limit it, longer vectors gain nothing
BLOCK = 8                          # tiles of rows that go through all columns together
WORTH_A_THREAD = 200_000           # multiply-adds, some 4 µs: what it takes to hand over a share
STORE = 8                          # multiply-adds that an element takes beside those of its sum
THIN = 4                           # columns that are rather made the rows of the transposed product
DATA = 4                           # where Numba keeps an array's pointer in its structure


def _tile(rows, vectors, length):
    """An instruction for C[r, j] = Σ_k A[r, k] B[k, j], `rows` by `vectors` registers of `length` bytes.

    It takes each array with the place of its first element and the steps from there, all counted in
    elements: those of A are free, so that A may be transposed or repeat a row; along a row of B and C
    columns are neighbours.
    """
    @instruction(lambda a, a0, a_row, a_k, b, b0, b_k, c, c0, c_row, depth:
                 (types.int64, a, *3 * [types.int64], b, *2 * [types.int64], c, *3 * [types.int64]))
    def tile(builder, operands, a, a0, a_row, a_k, b, b0, b_k, c, c0, c_row, depth):
        A, B, C = (builder.extract_value(array, DATA) for array in (a, b, c))
        real, I32, I64 = A.type.pointee, ir.IntType(32), ir.IntType(64)
        size = 4 if isinstance(real, ir.FloatType) else 8
        lanes = length // size
        vector = ir.VectorType(real, lanes)
        nothing, lane_zero = ir.Constant(vector, ir.Undefined), ir.Constant(ir.VectorType(I32, lanes), None)
        name = f"llvm.fma.v{lanes}{real.intrinsic_name}"
        fma = (builder.module.globals.get(name)
               or ir.Function(builder.module, ir.FunctionType(vector, 3 * [vector]), name))

        def after(pointer, step, times=1):
            return builder.gep(pointer, [builder.mul(step, I64(times)) if times != 1 else step])

        def piece(pointer, v):
            return builder.bitcast(after(pointer, I64(v * lanes)), vector.as_pointer())

        a_rows = [after(after(A, a0), a_row, r) for r in range(rows)]
        b_first = after(B, b0)
        entry = builder.block
        loop, end = builder.append_basic_block("depth"), builder.append_basic_block("store")
        builder.branch(loop)
        builder.position_at_end(loop)
        k = builder.phi(I64)
        sums = [[builder.phi(vector) for _ in range(vectors)] for _ in range(rows)]
        b_row, a_place = after(b_first, builder.mul(k, b_k)), builder.mul(k, a_k)
        pieces = [builder.load(piece(b_row, v), align=size) for v in range(vectors)]
        new = []
        for r in range(rows):
            number = builder.load(after(a_rows[r], a_place))
            spread = builder.shuffle_vector(builder.insert_element(nothing, number, I32(0)), nothing, lane_zero)
            new.append([builder.call(fma, [spread, pieces[v], sums[r][v]]) for v in range(vectors)])
        for old, value in ((old, value) for pair in zip(sums, new) for old, value in zip(*pair)):
            old.add_incoming(ir.Constant(vector, None), entry)
            old.add_incoming(value, loop)
        k_next = builder.add(k, I64(1))
        k.add_incoming(I64(0), entry)
        k.add_incoming(k_next, loop)
        builder.cbranch(builder.icmp_signed("<", k_next, depth), loop, end)
        builder.position_at_end(end)
        for r in range(rows):
            c_place = after(after(C, c0), c_row, r)
            for v in range(vectors):
                builder.store(new[r][v], piece(c_place, v), align=size)
        return I64(0)
    return tile


_wide_tile, _single_row, _narrow_tile = _tile(*WIDE), _tile(1, *WIDE[1:]), _tile(*NARROW)


@strict
def _wide(start, stop, a, a_row, a_k, b, b_column, b_k, c, columns, depth, bias, slope):
    """Columns 0 … columns of C, for tiles of rows start … stop.

    Column j of B begins at place j·b_column, where j counts whole tiles. Unless `bias` is empty, each block
    of rows then becomes silu(C + bias), and slope, unless empty, its derivative, while it is in the cache.
    """
    rows, width = WIDE[0], WIDE[1] * WIDE[2] // c.itemsize
    n, m = c.shape
    cut = n - rows
    spare = np.empty((rows, width), c.dtype)
    for first in range(start, stop, BLOCK):
        last = min(first + BLOCK, stop)
        for j in range(0, columns, width):
            for t in range(first, last):
                top = t * rows
                if top + rows <= n:
                    _wide_tile(a, top * a_row, a_row, a_k, b, j * b_column, b_k, c, top * m + j, m, depth)
                elif n >= rows:        # the last rows, with some from the tile before
                    _wide_tile(a, cut * a_row, a_row, a_k, b, j * b_column, b_k, spare, 0, width, depth)
                    c[top:n, j:j + width] = spare[top - cut:]
                else:
                    for r in range(n):
                        _single_row(a, r * a_row, 0, a_k, b, j * b_column, b_k, c, r * m + j, 0, depth)
        top, end = first * rows, min(last * rows, n)
        if slope.size:
            silu(c[top:end], bias, slope[top:end])
        elif bias.size:
            silu_alone(c[top:end], bias)


@strict
def _narrow(start, stop, a, a_row, a_k, b, c, columns):
    """Columns `columns` … of C; b (depth, whole vectors) holds those of B, filled up with zeros."""
    rows, lanes = NARROW[0], NARROW[2] // c.itemsize
    n, m = c.shape
    depth, width = b.shape
    spare = np.empty((rows, lanes), c.dtype)
    for j in range(0, width, lanes):
        left, right = columns + j, min(columns + j + lanes, m)
        for t in range(start, stop):
            top, end = t * rows, min(t * rows + rows, n)
            if n >= rows:
                _narrow_tile(a, (end - rows) * a_row, a_row, a_k, b, j, width, spare, 0, lanes, depth)
                for r in range(top, end):
                    for i in range(left, right):
                        c[r, i] = spare[r - end + rows, i - left]
            else:
                for r in range(n):
                    _narrow_tile(a, r * a_row, 0, a_k, b, j, width, spare, 0, 0, depth)
                    for i in range(left, right):
                        c[r, i] = spare[0, i - left]


@instruction(lambda a, a0, a_row, out, out0, out_row:
             (types.int64, a, *2 * [types.int64], out, *2 * [types.int64]))
def _turn(builder, operands, a, a0, a_row, out, out0, out_row):
    """8 × 8 elements of `a` transposed into `out`, in registers; places and steps as in a tile."""
    A, OUT = (builder.extract_value(array, DATA) for array in (a, out))
    I64, size = ir.IntType(64), 4 if isinstance(A.type.pointee, ir.FloatType) else 8
    vector = ir.VectorType(A.type.pointee, 8)

    def row(pointer, first, step, r):
        place = builder.gep(pointer, [builder.add(first, builder.mul(step, I64(r)))])
        return builder.bitcast(place, vector.as_pointer())

    def pick(x, y, lanes):
        return builder.shuffle_vector(x, y, ir.Constant(ir.VectorType(ir.IntType(32), 8), lanes))

    rows = [builder.load(row(A, a0, a_row, r), align=size) for r in range(8)]
    for h in (1, 2, 4):          # swap the off-diagonal h × h blocks of every 2h × 2h block
        for r in range(8):
            if not r & h:
                x, y = rows[r], rows[r + h]
                rows[r] = pick(x, y, [8 + i - h if i & h else i for i in range(8)])
                rows[r + h] = pick(x, y, [8 + i if i & h else i + h for i in range(8)])
    for r in range(8):
        builder.store(rows[r], row(OUT, out0, out_row, r), align=size)
    return I64(0)


@strict
def _packed(bt, width):
    """The transpose of bt (m, k), `width` columns after `width` columns: (m // width · k, width)."""
    m, k = bt.shape
    out = np.empty((m // width * k, width), bt.dtype)
    for j in range(0, m - m % width, 8):
        top, column = j // width * k, j % width
        if k < 8:
            for r in range(k):
                for c in range(8):
                    out[top + r, column + c] = bt[j + c, r]
        else:
            for start in range(0, k, 8):
                r = min(start, k - 8)
                _turn(bt, j * k + r, k, out, (top + r) * width + column, width)
    return out


def matmul(a, b, out):
    """out = a b.

    Parameters
    ----------
    a : (n, k) array
    b : (k, m) array
        Both may be transposed views; of one dtype, float32 or float64.
    out : (n, m) array
        C-contiguous, apart from a and b.

    Returns
    -------
    out

    Raises
    ------
    ValueError
        If shapes, dtypes or layout do not fit.
    """
    return _product(a, b, out)


def silu_layer(x, W, b, h, slope=None):
    """h = silu(x W + b), and slope, where given, its derivative; x (n, k), W (k, m), b (m,), h and slope (n, m).

    x and W as for `matmul`, h and slope as its `out`.
    """
    if b.shape != h.shape[1:] or b.dtype != h.dtype:
        raise ValueError(f"silu_layer: {b.dtype} {b.shape}, {h.dtype} {h.shape}")
    if slope is None:
        slope = _NO_SLOPE[h.dtype.char]
    elif slope.shape != h.shape or slope.dtype != h.dtype:
        raise ValueError(f"silu_layer: {h.dtype} {h.shape}, {slope.dtype} {slope.shape}")
    return _product(x, W, h, b, slope)


_NO_BIAS, _NO_SLOPE = ({kind: np.empty(shape, kind) for kind in "fd"} for shape in (0, (0, 0)))


def _product(a, b, out, bias=None, slope=None):
    (n, k), (k_b, m), kind = a.shape, b.shape, out.dtype.char
    if (k_b != k or out.shape != (n, m) or not a.dtype.char == b.dtype.char == kind or kind not in "fd"
            or not out.flags.c_contiguous):
        raise ValueError(f"matmul: {a.dtype} {a.shape} times {b.dtype} {b.shape} "
                         f"into {out.dtype} {out.shape}")
    if not k:
        out[:] = 0
    if not (n and k and m):
        return out
    if m <= THIN < n and bias is None and not a.flags.c_contiguous:
        out[:] = _product(b.T, a.T, np.empty((m, n), out.dtype)).T
        return out
    if bias is None:
        bias, slope = _NO_BIAS[kind], _NO_SLOPE[kind]
    if a.flags.f_contiguous:
        a, a_row, a_k = a.T, 1, n
    else:
        a, a_row, a_k = np.ascontiguousarray(a), k, 1
    width, lanes = WIDE[1] * WIDE[2] // out.itemsize, NARROW[2] // out.itemsize
    columns = m - m % width
    if columns < m:
        edge = np.zeros((k, -(-(m - columns) // lanes) * lanes), b.dtype)
        edge[:, :m - columns] = b[:, columns:]
        _share(_narrow, NARROW[0], n, (k + STORE) * edge.shape[1], a, a_row, a_k, edge, out, columns)
    if columns:
        if b.flags.f_contiguous:
            sides = _packed(b.T, width), k, width
        else:
            sides = np.ascontiguousarray(b), 1, m
        _share(_wide, WIDE[0], n, (k + STORE) * columns, a, a_row, a_k, *sides, out, columns, k, bias, slope)
    elif slope.size:
        silu(out, bias, slope)
    elif bias.size:
        silu_alone(out, bias)
    return out


def _share(kernel, rows, n, work, *arguments):
    """Over threads, in tiles of `rows` of the n rows; `work` is multiply-adds a row."""
    over_threads(kernel, -(-n // rows), -(-WORTH_A_THREAD // (rows * work)), *arguments)
