"""Networks in a few lines of NumPy that take complex numbers, and dual numbers that take complex ones.

f(w + ih) has the imaginary part h f'(w) up to h³: with h = 1e-150 the derivative is exact to rounding. A dual
number a + bε carries a directional derivative b; made of complex numbers, it gives the derivative of that as well.
"""
import numpy as np

H = 1e-150


class Dual:
    """a + bε with ε² = 0."""

    __array_ufunc__ = None      # NumPy arrays leave the operation to us

    def __init__(self, a, b):
        self.a, self.b = a, b

    def __add__(self, o):
        return Dual(self.a + o.a, self.b + o.b) if isinstance(o, Dual) else Dual(self.a + o, self.b + 0 * o)

    def __mul__(self, o):
        return Dual(self.a * o.a, self.a * o.b + self.b * o.a) if isinstance(o, Dual) else Dual(self.a * o, self.b * o)

    def inverse(self):
        return Dual(1 / self.a, -self.b / self.a**2)

    def __truediv__(self, o):
        return self * (o.inverse() if isinstance(o, Dual) else 1 / o)

    def __rtruediv__(self, o):
        return self.inverse() * o

    def __neg__(self):
        return self * -1

    def __sub__(self, o):
        return self + -o

    def __rsub__(self, o):
        return -self + o

    def __matmul__(self, W):
        return Dual(self.a @ W, self.b @ W)

    def __getitem__(self, where):
        return Dual(self.a[where], self.b[where])

    def sum(self, axis, keepdims=False):
        return Dual(self.a.sum(axis, keepdims=keepdims), self.b.sum(axis, keepdims=keepdims))

    __radd__, __rmul__ = __add__, __mul__


def exp(x):
    return Dual(np.exp(x.a), np.exp(x.a) * x.b) if isinstance(x, Dual) else np.exp(x)


def real(x):
    return (x.a if isinstance(x, Dual) else x).real


def beside(x, columns):
    """x with columns that do not depend on it."""
    if isinstance(x, Dual):
        return Dual(beside(x.a, columns), beside(x.b, 0 * columns))
    return np.hstack([x, columns])


def silu(v):
    return v / (1 + exp(-v))


def sigmoid(v):
    return 1 / (1 + exp(-v))


def tanh(v):
    return (exp(v) - exp(-v)) / (exp(v) + exp(-v))


def leaky(v):
    return v * np.where(real(v) > 0, 1.0, 0.05)


def hidden(x, take, sizes, f, residual=False):
    """The layers of an MLP below its readout; take(*shape) gives the next parameters."""
    for a, b in zip(sizes, sizes[1:-1]):
        h = f(x @ take(a, b) + take(b))
        x = x + h if residual and a == b else h
    return x


def cells(x, take, sizes):
    """Normalised Gaussian bumps, one after another."""
    centre, log_s = take(*sizes[:2]), take(sizes[1])
    a = (sum((x[:, i][:, None] - centre[i]) * (x[:, i][:, None] - centre[i]) for i in range(sizes[0]))
         * (-0.5 * np.exp(log_s)))
    e = exp(a)
    return e / e.sum(1, keepdims=True)


def shared(h, take, sizes, level):
    return h @ take(*sizes[-2:]) + take(sizes[-1])


def mixed(h, take, sizes, level, centres, w):
    """Σ_j g_j (h W_j + b_j), the W_j side by side."""
    a, b = sizes[-2:]
    W, bias = take(a, len(centres) * b), take(len(centres), b)
    g = np.exp(-((level[:, None] - centres) ** 2) / (2 * w**2))
    g = g / g.sum(1, keepdims=True)
    return sum(g[:, [j]] * (h @ W[:, j * b:(j + 1) * b] + bias[j]) for j in range(len(centres)))


def stepped(h, take, sizes, level, levels):
    """The readout of the nearest level, by a mask for each."""
    a, b = sizes[-2:]
    W, bias = take(len(levels), a, b), take(len(levels), b)
    nearest = np.abs(level[:, None] - levels).argmin(1)
    return sum((nearest == j)[:, None] * (h @ W[j] + bias[j]) for j in range(len(levels)))


def parameters_of(flat):
    """take(*shape) for the functions above: the parameters one after another."""
    place = 0

    def take(*shape):
        nonlocal place
        place += (size := int(np.prod(shape)))
        return flat[place - size:place].reshape(shape)
    return take


def complex_step(f, at):
    """The gradient of f at a real array."""
    gradient = np.empty(at.shape)
    for i in np.ndindex(at.shape):
        moved = at.astype(complex)
        moved[i] += 1j * H
        gradient[i] = f(moved).imag / H
    return gradient


def agree(ours, reference, digits=1e-12):
    """Within 1e-12 of the largest element of the reference, which is not 0."""
    assert ours.shape == reference.shape
    scale = np.abs(reference).max()
    assert scale > 0 and np.abs(ours - reference).max() < digits * scale
