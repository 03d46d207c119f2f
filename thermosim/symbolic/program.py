"""From sympy to a straight list of IEEE operations.

A program is what every printer shares: single assignments of +, −, ×, ÷, fma, √ and a handful of
elementary functions, in one fixed order. Where a fused multiply–add goes is decided here, once, so the
same law printed for two devices rounds alike. Equal operations are kept once (value numbering), which
shares work between all expressions of a program beyond what `sympy.cse` found in one call.
"""

import math

from ..errors import UserError

COMMUTE = {"add", "mul", "min", "max"}
STEPS = {"sign": (-1, 0, 1), "Heaviside": (0, 0.5, 1)}      # values below, at and above zero
UNARY = {"exp": "exp", "log": "log", "sin": "sin", "cos": "cos", "Abs": "abs"}


class Program:
    """Straight-line code under construction.

    Parameters
    ----------
    inputs : iterable of str
        Names given from outside, different for every particle.
    uniform : iterable of str
        Names given from outside, the same for every particle: products gather them first, so that a
        compiler lifts them out of the particle loop.
    """

    def __init__(self, inputs, uniform=()):
        self.inputs, self.uniforms = list(inputs), list(uniform)
        self.constants = {}          # value → name
        self.lines = []              # (name, operation, argument names)
        self._uniform = set(self.uniforms)
        self._seen = {}

    # --- values -----------------------------------------------------------------------------------

    def constant(self, value):
        """The name of a number."""
        value = float(value)
        if not math.isfinite(value):
            raise UserError(f"the expression contains {value}: it must be finite where it is used")
        if value not in self.constants:
            self.constants[value] = f"k{len(self.constants)}"
            self._uniform.add(self.constants[value])
        return self.constants[value]

    def op(self, operation, *arguments):
        """The name of an operation's result, old if it was computed before."""
        if operation in COMMUTE:
            arguments = tuple(sorted(arguments))
        key = (operation, *arguments)
        if key not in self._seen:
            name = f"t{len(self.lines)}"
            self.lines.append((name, operation, arguments))
            self._seen[key] = name
            if all(a in self._uniform for a in arguments):
                self._uniform.add(name)
        return self._seen[key]

    def expressions(self, exprs, names):
        """Several sympy expressions at once, with shared subexpressions.

        Parameters
        ----------
        exprs : list of sympy expressions
        names : dict of sympy.Symbol to str
            Which value of this program each symbol stands for.

        Returns
        -------
        list of str
            The names of the results.
        """
        import sympy

        shared, reduced = sympy.cse([sympy.sympify(e) for e in exprs], symbols=sympy.numbered_symbols("_cse"))
        names = dict(names)
        for symbol, expr in shared:
            names[symbol] = self._write(expr, names)
        return [self._write(expr, names) for expr in reduced]

    def formula(self, text, **names):
        """One line of our own algebra, e.g. ``formula("a*b + c", a="t3", b="x0", c="t7")``."""
        from .parse import parse_expression

        expr = parse_expression(text, names)
        return self._write(expr, {s: names[s.name] for s in expr.free_symbols})

    # --- translation ------------------------------------------------------------------------------

    def _write(self, expr, names):
        if expr.is_Symbol:
            if expr not in names:
                raise UserError(f"the expression contains {expr}, which is neither a coordinate nor a parameter")
            return names[expr]
        if expr.is_number:
            if not expr.is_real:
                raise UserError(f"the expression contains {expr}, which is not a finite real number")
            return self.constant(expr)
        kind = type(expr).__name__
        if expr.is_Add:
            return self._sum(expr, names)
        if expr.is_Mul:
            sign, factors, denominators = self._factors(expr, names)
            value = self._over(self._product(factors), denominators)
            return self.op("neg", value) if sign < 0 else value
        if expr.is_Pow:
            return self._power(expr.base, expr.exp, names)
        if kind in UNARY:
            return self.op(UNARY[kind], self._write(expr.args[0], names))
        if kind in ("Min", "Max"):
            first, *rest = [self._write(a, names) for a in _ordered(expr.args)]
            for other in rest:
                first = self.op(kind.lower(), first, other)
            return first
        if kind in DERIVED:
            return self._write(DERIVED[kind](expr.args[0]), names)
        if kind in STEPS:
            below, at, above = (self.constant(v) for v in STEPS[kind])
            u, zero = self._write(expr.args[0], names), self.constant(0)
            return self.op("less", u, zero, below, self.op("less", zero, u, above, at))
        raise UserError(f"{kind} has no fast kernel: use powers, exp, log, sin, cos, tan, sinh, cosh, tanh, "
                        "sqrt, Abs, sign, Min and Max")

    def _sum(self, expr, names):
        """Plain terms first, then products folded in by fma."""
        plain, products = [], []
        for term in _ordered(expr.args):
            sign, factors, denominators = self._factors(term, names)
            if denominators or len(factors) == 1:
                plain.append((sign, self._over(self._product(factors), denominators)))
            else:
                products.append((sign, factors))
        plain.sort(key=lambda p: -p[0])      # begin with a term that needs no negation
        total = None
        for sign, value in plain:
            if total is None:
                total = value if sign > 0 else self.op("neg", value)
            else:
                total = self.op("add" if sign > 0 else "sub", total, value)
        for sign, factors in products:
            if total is None:
                total = self._product(factors)
                total = total if sign > 0 else self.op("neg", total)
            else:
                head = self._product(factors[:-1])
                total = self.op("fma", head if sign > 0 else self.op("neg", head), factors[-1], total)
        return total

    def _factors(self, term, names):
        """sign, factors above and factors below the fraction line; uniform values come first."""
        coefficient, rest = term.as_coeff_Mul()
        sign = -1 if coefficient < 0 else 1
        above, below = [], []
        if abs(coefficient) != 1:
            above.append(self.constant(abs(coefficient)))
        for factor in _ordered(rest.args if rest.is_Mul else (rest,)):
            if factor == 1:
                continue
            if factor.is_Pow and factor.exp.is_number and factor.exp < 0:
                below.append(self._power(factor.base, -factor.exp, names))
            else:
                above.append(self._write(factor, names))
        above.sort(key=lambda value: value not in self._uniform)
        below.sort(key=lambda value: value not in self._uniform)
        return sign, above or [self.constant(1)], below

    def _product(self, factors):
        value = factors[0]
        for factor in factors[1:]:
            value = self.op("mul", value, factor)
        return value

    def _over(self, value, denominators):
        return self.op("div", value, self._product(denominators)) if denominators else value

    def _power(self, base, exponent, names):
        if base.is_Function and type(base).__name__ == "exp":     # exp(u)**n → exp(n u)
            return self._write(type(base)(base.args[0] * exponent, evaluate=False), names) \
                if exponent.is_number and not exponent.is_Integer else self._integer(self._write(base, names), exponent)
        if not exponent.is_number:
            import sympy

            return self._write(sympy.exp(exponent * sympy.log(base)), names)
        value = self._write(base, names)
        if exponent.is_Integer:
            return self._integer(value, exponent)
        if (2 * exponent).is_Integer:
            return self._integer(self.op("sqrt", value), 2 * exponent)
        return self.op("exp", self.op("mul", self.constant(exponent), self.op("log", value)))

    def _integer(self, value, n):
        """Repeated squaring; each intermediate power is computed once."""
        n = int(n)
        if n < 0:
            return self.op("div", self.constant(1), self._integer(value, -n))
        if n == 1:
            return value
        half = self._integer(value, n // 2)
        square = self.op("mul", half, half)
        return self.op("mul", square, value) if n % 2 else square


def _ordered(args):
    from sympy import default_sort_key

    return sorted(args, key=default_sort_key)


def _tanh(u):
    import sympy

    return 1 - 2 / (sympy.exp(2 * u) + 1)     # tends to ±1 also where exp overflows


def _sinh(u):
    import sympy

    return (sympy.exp(u) - sympy.exp(-u)) / 2


def _cosh(u):
    import sympy

    return (sympy.exp(u) + sympy.exp(-u)) / 2


def _tan(u):
    import sympy

    return sympy.sin(u) / sympy.cos(u)


DERIVED = {"tanh": _tanh, "sinh": _sinh, "cosh": _cosh, "tan": _tan}
