"""Ready energy laws and forces: each one expression, in the field's own symbols."""

from .base import ForceField, Potential


class Harmonic(Potential):
    """U = ½ k Σ (x_i − c)²: the optical trap.

    Parameters
    ----------
    stiffness, center : float
        Parameters `k` and `c`.
    dimension : int
    """

    def __init__(self, stiffness=1.0, center=0.0, dimension=1):
        names = _axes(dimension)
        square = " + ".join(f"({x} - c)**2" for x in names)
        super().__init__(f"k*({square})/2", names, {"k": stiffness, "c": center})


class DoubleWell(Potential):
    """U = h (x² − 1)² − f x, with minima near ±1 and a barrier `h` at f = 0."""

    def __init__(self, height=1.0, tilt=0.0):
        super().__init__("h*(x**2 - 1)**2 - f*x" if tilt else "h*(x**2 - 1)**2", ["x"],
                         {"h": height, "f": tilt} if tilt else {"h": height})


class Quartic(Potential):
    """U = ¼ a x⁴ + ½ b x²."""

    def __init__(self, a=1.0, b=0.0):
        super().__init__("a*x**4/4 + b*x**2/2", ["x"], {"a": a, "b": b})


class Periodic(Potential):
    """U = −A cos(2πx/L) − f x: the tilted washboard."""

    def __init__(self, amplitude=1.0, period=1.0, tilt=0.0):
        super().__init__("-A*cos(2*pi*x/L) - f*x", ["x"], {"A": amplitude, "L": period, "f": tilt})


class MullerBrown(Potential):
    """The Müller–Brown surface: three minima, two saddles, in two dimensions.

    Source: Müller, Brown, Theor. Chim. Acta 53, 75 (1979).
    """

    A = (-200, -100, -170, 15)
    a = (-1, -1, -6.5, 0.7)
    b = (0, 0, 11, 0.6)
    c = (-10, -10, -6.5, 0.7)
    x0 = (1, 0, -0.5, -1)
    y0 = (0, 0.5, 1.5, 1)

    def __init__(self, scale=1.0):
        terms = [f"({A})*exp(({a})*(x - ({x0}))**2 + ({b})*(x - ({x0}))*(y - ({y0})) + ({c})*(y - ({y0}))**2)"
                 for A, a, b, c, x0, y0 in zip(self.A, self.a, self.b, self.c, self.x0, self.y0)]
        super().__init__("s*(" + " + ".join(terms) + ")", ["x", "y"], {"s": scale})


class Rosenbrock(Potential):
    """U = s [(1 − x)² + b (y − x²)²]: a curved, narrow valley."""

    def __init__(self, scale=1.0, b=100.0):
        super().__init__("s*((1 - x)**2 + b*(y - x**2)**2)", ["x", "y"], {"s": scale, "b": b})


class Rotation(ForceField):
    """f = ω J x, J = [[0, 1], [−1, 0]]: a drift that circles around the origin and derives from no energy."""

    def __init__(self, omega=1.0):
        super().__init__(["omega*y", "-omega*x"], ["x", "y"], {"omega": omega})


class Tilt(ForceField):
    """A constant force along the first axis; on a periodic coordinate no single-valued energy gives it."""

    def __init__(self, force=1.0, dimension=1):
        names = _axes(dimension)
        super().__init__(["tilt"] + ["0*tilt"] * (dimension - 1), names, {"tilt": force})


def _axes(dimension):
    """x | x, y | x, y, z | x0, x1, …"""
    return list("xyz"[:dimension]) if dimension <= 3 else [f"x{i}" for i in range(dimension)]
