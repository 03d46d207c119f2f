"""Strings to sympy expressions through an AST whitelist: nothing is ever evaluated.

Python's own parser reads the string; each node is translated by hand or refused. Limits on length,
depth and exponents keep a hostile config file from costing more than a message.
"""

import ast

from ..errors import UserError

LENGTH, DEPTH, DEGREE = 2000, 100, 64

FUNCTIONS = ("exp", "log", "sqrt", "sin", "cos", "tan", "sinh", "cosh", "tanh", "Abs", "abs", "sign", "Min", "Max")
CONSTANTS = ("pi",)


def parse_expression(text, names=None):
    """A sympy expression from a string of config-file arithmetic.

    Parameters
    ----------
    text : str
        ``+ - * / **``, numbers, names, `pi` and the functions of `FUNCTIONS`.
    names : iterable of str, optional
        The only names that may appear; without it every identifier becomes a real symbol.

    Raises
    ------
    UserError
        For anything else, for more than 2000 characters, nesting beyond 100 levels, exponents that are
        no plain numbers, or powers of powers beyond degree 64.
    """
    if not isinstance(text, str):
        raise UserError(f"an expression must be a string or a sympy expression, not {type(text).__name__}")
    if len(text) > LENGTH:
        raise UserError(f"the expression has {len(text)} characters; at most {LENGTH} are read")
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise UserError(f"cannot read the expression {_short(text)!r}: use + - * / **, numbers, names, "
                        f"{', '.join(FUNCTIONS)}") from None
    return _Reader(text, None if names is None else set(names)).read(tree.body, 0)[0]


def _short(text):
    return text if len(text) <= 60 else text[:57] + "..."


class _Reader:
    """One walk over the tree; every node gives (sympy expression, degree)."""

    def __init__(self, text, names):
        import sympy

        self.sympy, self.text, self.names = sympy, text, names

    def refuse(self, why):
        raise UserError(f"in the expression {_short(self.text)!r}: {why}")

    def read(self, node, depth):
        if depth > DEPTH:
            self.refuse(f"nested more than {DEPTH} levels deep")
        if isinstance(node, ast.Constant):
            return self.number(node.value), 1
        if isinstance(node, ast.Name):
            return self.name(node.id), 1
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
            value, degree = self.read(node.operand, depth + 1)
            return (-value if isinstance(node.op, ast.USub) else value), degree
        if isinstance(node, ast.BinOp):
            return self.binary(node, depth)
        if isinstance(node, ast.Call):
            return self.call(node, depth)
        self.refuse(f"{type(node).__name__} is not arithmetic")

    def number(self, value):
        if type(value) not in (int, float):
            self.refuse(f"{value!r} is not a real number")
        if abs(value) > 1e100:
            self.refuse("a number beyond 1e100")
        return self.sympy.Integer(value) if type(value) is int else self.sympy.Float(value)

    def name(self, name):
        if name in CONSTANTS:
            return self.sympy.pi
        if self.names is not None and name not in self.names:
            self.refuse(f"unknown name {name!r}; known are {', '.join(sorted(self.names))}")
        if name.startswith("_"):
            self.refuse(f"names may not begin with an underscore: {name!r}")
        return self.sympy.Symbol(name, real=True)

    def binary(self, node, depth):
        left, a = self.read(node.left, depth + 1)
        if isinstance(node.op, ast.Pow):
            power = self.exponent(node.right)
            degree = a * max(abs(power), 1)
            if degree > DEGREE:
                self.refuse(f"a power of degree {degree:g}; at most {DEGREE}")
            return left ** self.sympy.nsimplify(power), degree
        right, b = self.read(node.right, depth + 1)
        if isinstance(node.op, ast.Add):
            return left + right, max(a, b)
        if isinstance(node.op, ast.Sub):
            return left - right, max(a, b)
        if isinstance(node.op, ast.Mult):
            return left * right, a + b
        if isinstance(node.op, ast.Div):
            if right == 0:
                self.refuse("division by zero")
            return left / right, a + b
        self.refuse(f"the operator {type(node.op).__name__} is not known")

    def exponent(self, node):
        sign = 1
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            sign, node = -1, node.operand
        if not (isinstance(node, ast.Constant) and type(node.value) in (int, float) and abs(node.value) <= DEGREE):
            self.refuse(f"an exponent must be a plain number of at most {DEGREE}")
        return sign * node.value

    def call(self, node, depth):
        if not isinstance(node.func, ast.Name) or node.func.id not in FUNCTIONS or node.keywords or not node.args:
            self.refuse(f"only the functions {', '.join(FUNCTIONS)} may be called")
        name = "Abs" if node.func.id == "abs" else node.func.id
        if len(node.args) != 1 and name not in ("Min", "Max"):
            self.refuse(f"{name} takes one argument")
        arguments = [self.read(a, depth + 1) for a in node.args]
        return getattr(self.sympy, name)(*(a for a, _ in arguments)), max(d for _, d in arguments)
