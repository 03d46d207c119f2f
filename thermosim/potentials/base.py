"""What an energy law is: one expression over coordinates and parameters.

Force, Laplacian and ∂U/∂λ follow by differentiation and are never typed twice. The same law is written
into kernels (`write`) and evaluated on arrays (`energy`, `force`, …).
"""

import keyword
from functools import cached_property

import numpy as np

from ..errors import UserError
from ..symbolic import Program, evaluate, parse_expression

TIME_LIKE = ("t", "temperature")


class Law:
    """Names, parameters and the array face that every energy law and force field shares.

    A subclass says how its values are written into a program: ``write(program, x, parameters)``.
    """

    def __init__(self, coordinates, parameters):
        self.coordinates = tuple(_name(c) for c in coordinates)
        self.parameters = {_name(k): float(v) for k, v in dict(parameters or {}).items()}
        names = (*self.coordinates, *self.parameters)
        if len(set(names)) < len(names):
            raise UserError(f"coordinates and parameters must have different names: {', '.join(names)}")
        for name in names:
            if not name.isidentifier() or keyword.iskeyword(name) or name.startswith("_") or name in TIME_LIKE:
                raise UserError(f"{name!r} cannot name a coordinate or a parameter: choose another name")

    @property
    def dimension(self):
        """d, the number of coordinates."""
        return len(self.coordinates)

    def points(self, x):
        """x as (n, d) float64; (n,) is taken for d = 1."""
        x = np.asarray(x, dtype=np.float64)
        if x.ndim == 1 and self.dimension == 1:
            x = x[:, None]
        if x.ndim != 2 or x.shape[1] != self.dimension:
            raise UserError(f"positions must have shape (n, {self.dimension}), not {x.shape}")
        return x

    def values(self, **changed):
        """All parameters, some of them changed."""
        unknown = set(changed) - set(self.parameters)
        if unknown:
            raise UserError(f"unknown parameter {', '.join(sorted(unknown))}; "
                            f"known are {', '.join(self.parameters) or 'none'}")
        return {**self.parameters, **changed}

    def _columns(self, x, changed):
        """Inputs of an array evaluation: coordinates as columns; parameters scalar or (n,)."""
        x = self.points(x)
        return {f"x{i}": x[:, i] for i in range(self.dimension)} | self.values(**changed), len(x)

    def blank_program(self):
        """A program whose inputs are x0, x1, … and whose uniforms are the parameters."""
        return Program([f"x{i}" for i in range(self.dimension)], self.parameters)

    def own_names(self):
        """The identity map of a blank program: coordinate values, parameter values."""
        return [f"x{i}" for i in range(self.dimension)], {name: name for name in self.parameters}


class Energy(Law):
    """An energy law: `write` gives the energy and the force components."""

    @cached_property
    def _written(self):
        program = self.blank_program()
        energy, force = self.write(program, *self.own_names())
        return program, [energy, *force]

    def energy(self, x, **parameters):
        """U(x; λ), shape (n,).

        Parameters
        ----------
        x : (n, d) array
        **parameters : float or (n,) array
            Values in the place of the defaults.
        """
        program, (energy, *_) = self._written
        values, n = self._columns(x, parameters)
        return np.broadcast_to(evaluate(program, [energy], values)[0], (n,)).copy()

    def force(self, x, **parameters):
        """−∇U, shape (n, d)."""
        program, (_, *force) = self._written
        values, n = self._columns(x, parameters)
        return np.stack([np.broadcast_to(f, (n,)) for f in evaluate(program, force, values)], axis=1)


class Potential(Energy):
    """An energy from an expression.

    Parameters
    ----------
    expression : sympy expression or str
        U(x; λ). A string is read through a whitelist (`thermosim.symbolic.parse_expression`).
    coordinates : list of sympy.Symbol or str
        In the order of the columns of x.
    parameters : dict
        Name (or symbol) → default value. A protocol may drive any of them.

    Raises
    ------
    UserError
        For names in the expression that are neither, or functions without a fast kernel.

    Examples
    --------
    >>> trap = Potential("k*(x - c)**2/2", coordinates=["x"], parameters={"k": 1.0, "c": 0.0})
    >>> trap.force([[2.0]])
    array([[-2.]])
    """

    def __init__(self, expression, coordinates, parameters=None):
        super().__init__(coordinates, parameters)
        self._given = expression
        if not isinstance(expression, str):
            self._expression            # complain about wrong names now, while sympy is loaded anyway

    def __getstate__(self):
        """Pickles carry the definition, not what was derived from it."""
        return {k: v for k, v in self.__dict__.items() if k in ("coordinates", "parameters", "_given")}

    @cached_property
    def _expression(self):
        """(sympy expression in real symbols, {name: symbol})."""
        import sympy

        names = (*self.coordinates, *self.parameters)
        symbols = {name: sympy.Symbol(name, real=True) for name in names}
        given = self._given
        if isinstance(given, str):
            return parse_expression(given, names), symbols
        given = sympy.sympify(given) if isinstance(given, (int, float)) else given
        unknown = {s.name for s in given.free_symbols} - set(names)
        if unknown:
            raise UserError(f"the expression contains {', '.join(sorted(unknown))}, "
                            "neither a coordinate nor a parameter: give a value in parameters={...}")
        return given.xreplace({s: symbols[s.name] for s in given.free_symbols}), symbols

    def __repr__(self):
        values = "".join(f", {k}={v:g}" for k, v in self.parameters.items())
        return f"{type(self).__name__}({self._given}{values})"

    def derivative(self, *names):
        """The sympy derivative of U by coordinates or parameters, in their order."""
        import sympy

        expression, symbols = self._expression
        if not names:
            return expression
        return sympy.factor_terms(sympy.diff(expression, *(symbols[n] for n in names)))

    def names(self, x, parameters):
        """Symbols → values of a program."""
        _, symbols = self._expression
        return {symbols[c]: v for c, v in zip(self.coordinates, x)} | {symbols[p]: v for p, v in parameters.items()}

    def write(self, program, x, parameters):
        """Write U and F = −∇U into a program.

        Parameters
        ----------
        program : Program
        x : list of str
            The program's values of the coordinates.
        parameters : dict of str to str
            Parameter → value of the program.

        Returns
        -------
        energy : str
        force : list of str
        """
        laws = [self.derivative()] + [-self.derivative(c) for c in self.coordinates]
        energy, *force = program.expressions(laws, self.names(x, parameters))
        return energy, force

    def _evaluate(self, expression, x, changed):
        program = self.blank_program()
        output = program.expressions([expression], self.names(*self.own_names()))
        values, n = self._columns(x, changed)
        return np.broadcast_to(evaluate(program, output, values)[0], (n,)).copy()

    def laplacian(self, x, **parameters):
        """∇²U, shape (n,)."""
        return self._evaluate(sum(self.derivative(c, c) for c in self.coordinates), x, parameters)

    def parameter_derivative(self, name, x, **parameters):
        """∂U/∂λ for the parameter `name`, shape (n,)."""
        self.values(**{name: 0.0})
        return self._evaluate(self.derivative(name), x, parameters)

    def hessian(self, x, **parameters):
        """∂²U/∂x_i∂x_j, shape (n, d, d)."""
        rows = [[self._evaluate(self.derivative(a, b), x, parameters) for b in self.coordinates]
                for a in self.coordinates]
        return np.moveaxis(np.array(rows), -1, 0)

    @cached_property
    def is_quadratic(self):
        """True where every second derivative is free of the coordinates: Gaussian at equilibrium."""
        import sympy

        _, symbols = self._expression
        coordinates = {symbols[c] for c in self.coordinates}
        return all(not (sympy.simplify(self.derivative(a, b)).free_symbols & coordinates)
                   for a in self.coordinates for b in self.coordinates)


class ForceField(Law):
    """A force that need not come from an energy: a rotational drift, a constant tilt.

    Its work f∘dx (midpoint rule) is booked as work, with F the total force.

    Parameters
    ----------
    components : list of sympy expressions or str
        One per coordinate.
    coordinates, parameters
        As for `Potential`.
    """

    def __init__(self, components, coordinates, parameters=None):
        super().__init__(coordinates, parameters)
        if len(components) != self.dimension:
            raise UserError(f"a force needs one component per coordinate: {len(components)} for {self.dimension}")
        self._parts = [Potential(c, coordinates, parameters) for c in components]

    def write(self, program, x, parameters):
        """Write the components into a program; a list of its values."""
        laws = [part.derivative() for part in self._parts]
        return program.expressions(laws, self._parts[0].names(x, parameters))

    def force(self, x, **parameters):
        """f(x), shape (n, d)."""
        return np.stack([part.energy(x, **parameters) for part in self._parts], axis=1)

    def __repr__(self):
        return f"{type(self).__name__}({', '.join(str(p._given) for p in self._parts)})"


def _name(symbol):
    return symbol if isinstance(symbol, str) else symbol.name
