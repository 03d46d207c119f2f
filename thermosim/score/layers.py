"""Layers of a network: a batch, and tangents of it, forwards; what they did to a loss, backwards.

What goes through a layer is a *bundle* of rows: first the n points of a batch, then, if any, m tangents of them,
n rows each. A layer h = φ(x) sends points to φ(x) and a tangent t to its directional derivative ∂φ/∂x·t, so that a
bundle of unit vectors comes out as the Jacobian. Backwards goes the derivative of any loss by the whole bundle.
That of a Jacobian's elements by the parameters, second order in the network, is then no more than the backward
pass of a bundle: one method serves training, Jacobians and score matching (forward over reverse; Pearlmutter 1994).
"""


class Rows:
    """A buffer of rows that grows when more are asked for and never shrinks; fewer are its first ones."""

    def __init__(self, width, dtype, device):
        self.width, self.dtype, self.device = width, dtype, device
        self._all = device.empty((0, width), dtype)

    def __call__(self, n):
        if n > len(self._all):
            self._all = self.device.empty((n, self.width), self.dtype)
        return self._all[:n]


def stacked(rows, n):
    """Rows (m·n, k) as (m, n, k), a view: tangent by tangent."""
    return rows.reshape(-1, n, rows.shape[1])


class Dense:
    """h = f(x W + b), or x + f(x W + b) with a skip (He et al. 2016, 1512.03385).

    Parameters
    ----------
    fan_in, fan_out : int
    activation : SiLU, Tanh, Sigmoid or LeakyReLU
    skip : bool
        Only where fan_in = fan_out.

    Attributes
    ----------
    shapes : shapes of W and b, which `bind` makes views of a network's flat vectors.
    """

    def __init__(self, fan_in, fan_out, activation, skip=False):
        self.shapes = (fan_in, fan_out), (fan_out,)
        self.activation, self.skip = activation, skip

    def bind(self, parameters, gradients, device):
        """Take (W, b) and (∂L/∂W, ∂L/∂b), views that the network owns."""
        (self.W, self.b), (self.W_gradient, self.b_gradient) = parameters, gradients
        self.device = device
        inside, outside = self.shapes[0]
        self._d, *outer = (Rows(k, self.W.dtype, device) for k in (inside, *5 * [outside]))
        self._h, self._g, self._w, self._u, self._above = outer

    def start(self, normals):
        """Weights of variance 1/fan_in (LeCun), biases 0; normals(n, d) are standard ones of this layer's own."""
        self.W[:] = normals(*self.W.shape) / len(self.W) ** 0.5
        self.b[:] = 0

    def forward(self, x, n, level=None):
        """The bundle (rows, fan_out) of the bundle x (rows, fan_in), whose first n rows are points."""
        self._x, h, g = x, self._h(len(x)), self._g(n)
        if len(x) == n:
            self.activation.layer(self.device, x, self.W, self.b, h, g)
        else:
            self.device.matmul(x, self.W, h)
            u = self._u(len(x) - n)
            u[:] = h[n:]
            self.activation.curved(self.device, h[:n], self.b, g, self._w(n))
            tangents = stacked(h[n:], n)
            tangents *= g
        if self.skip:
            h += x
        return h

    def evaluate(self, x, level=None):
        """`forward` of points alone, without what `backward` would need."""
        h = self._h(len(x))
        self.activation.value(self.device, x, self.W, self.b, h, self._g(len(x)))
        if self.skip:
            h += x
        return h

    def backward(self, d, n, below=True):
        """∂L/∂x from d = ∂L/∂h, which it spoils, and gradients by the parameters; no ∂L/∂x unless `below`."""
        device, g = self.device, self._g(n)
        if self.skip and below:
            above = self._above(len(d))
            above[:] = d
        if len(d) == n:
            device.scale_columns_sum(d, g, self.b_gradient)
        else:
            u = self._u(len(d) - n)
            device.bend(d[:n], stacked(d[n:], n), stacked(u, n), g, self._w(n))
            device.xp.sum(d[:n], axis=0, out=self.b_gradient)
        device.matmul(self._x.T, d, self.W_gradient)
        if not below:
            return None
        dx = device.matmul(d, self.W.T, self._d(len(d)))
        if self.skip:
            dx += above
        return dx
