"""Programs: the same numbers as sympy, the same text for both devices, work shared."""
import numpy as np
import pytest
import sympy as sp

from thermosim.errors import UserError
from thermosim.symbolic import Program, cuda_lines, evaluate, numba_lines

x, a = sp.symbols("x a", real=True)
LAWS = [a*(x**2 - 1)**2, a*sp.cos(x) + sp.exp(-x**2), sp.sqrt(1 + x**2), 1/(1 + a*x**2)**3, sp.tanh(a*x),
        sp.sinh(x)*sp.cosh(x),
        sp.log(2 + sp.sin(x)), sp.Abs(x)*sp.sign(x - 1), sp.Max(x, a, 0), x**7 - 3*x**5/(a + 2) - x,
        (x**2 + 1)**sp.Rational(5, 2),
        sp.exp(3*x)*sp.exp(a), (x**2 + 2)**0.3, sp.tan(x/3)]


@pytest.mark.parametrize("law", LAWS, ids=str)
def test_values_agree_with_sympy(law):
    program = Program(["x0"], ["p"])
    output = program.expressions([law, sp.diff(law, a)], {x: "x0", a: "p"})
    at = np.linspace(-1.7, 2.3, 41)
    found = evaluate(program, output, {"x0": at, "p": 0.7})
    for value, expression in zip(found, (law, sp.diff(law, a))):
        expected = [float(expression.subs({x: t, a: 0.7})) for t in at]
        assert np.allclose(np.broadcast_to(value, at.shape), expected, rtol=1e-12, atol=1e-12)


def test_both_printers_write_the_same_operations():
    program = Program(["x0"], ["p"])
    output = program.expressions([LAWS[0], sp.diff(LAWS[0], x), LAWS[1]], {x: "x0", a: "p"})
    python, cuda = numba_lines(program, output), cuda_lines(program, output)[len(program.constants):]
    assert [f"const REAL {line};" for line in python] == cuda
    assert any("fma(" in line for line in python)


def test_equal_operations_are_written_once_and_unused_ones_not_at_all():
    program = Program(["x0"], ["p", "q"])
    first = program.expressions([a*(x**2 - 1)**2], {x: "x0", a: "p"})
    before = len(program.lines)
    second = program.expressions([a*(x**2 - 1)**2], {x: "x0", a: "q"})
    assert len(program.lines) - before == 1          # all but the factor is shared
    assert len(numba_lines(program, first)) < len(program.lines)
    assert len(numba_lines(program, first + second)) == len(program.lines)


def test_unknown_functions_and_names_are_named():
    with pytest.raises(UserError, match="erf"):
        Program(["x0"]).expressions([sp.erf(x)], {x: "x0"})
    with pytest.raises(UserError, match="neither a coordinate nor a parameter"):
        Program(["x0"]).expressions([x*a], {x: "x0"})
