"""A program as Numba source, as CUDA source, or run at once on NumPy arrays.

The two sources differ only in how a name is declared: operation by operation they are the same text,
and both are compiled without contraction, so they give the same bits.
"""

import numpy as np

INFIX = {"add": "{} + {}", "sub": "{} - {}", "mul": "{}*{}", "div": "{}/{}", "neg": "-{}"}
CALLS = {"fma": "fma({}, {}, {})", "sqrt": "sqrt({})", "exp": "exp({})", "log": "log({})",
         "sin": "sin({})", "cos": "cos({})", "abs": "absolute({})"}
PYTHON = {"min": "{0} if {0} < {1} else {1}", "max": "{1} if {0} < {1} else {0}", "less": "{2} if {0} < {1} else {3}"}
CUDA = {"min": "{0} < {1} ? {0} : {1}", "max": "{0} < {1} ? {1} : {0}", "less": "{0} < {1} ? {2} : {3}"}


def numba_lines(program, outputs):
    """Assignments in Python syntax, in order, without what no output needs.

    The constants k0, k1, … are left to the caller (`program.constants`): Numba freezes globals, so they
    are printed once per module in the kernel's own precision.
    """
    return [f"{name} = {({**INFIX, **CALLS, **PYTHON})[op].format(*args)}"
            for name, op, args in needed(program, outputs)]


def cuda_lines(program, outputs, real="REAL"):
    """The same assignments as C declarations, constants first."""
    lines = [f"const {real} {name} = ({real}){value!r};" for value, name in program.constants.items()]
    return lines + [f"const {real} {name} = {({**INFIX, **CALLS, **CUDA})[op].format(*args)};"
                    for name, op, args in needed(program, outputs)]


def needed(program, outputs):
    """The lines that the outputs depend on, in order."""
    wanted, keep = set(outputs), []
    for line in reversed(program.lines):
        if line[0] in wanted:
            wanted.update(line[2])
            keep.append(line)
    return keep[::-1]


NUMPY = {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide, "neg": np.negative,
    "fma": lambda a, b, c: a * b + c, "sqrt": np.sqrt, "exp": np.exp, "log": np.log, "sin": np.sin,
    "cos": np.cos, "abs": np.abs, "min": np.minimum, "max": np.maximum,
    "less": lambda a, b, c, d: np.where(np.less(a, b), c, d),
}


def evaluate(program, outputs, values):
    """Run a program on NumPy arrays.

    Parameters
    ----------
    program : Program
    outputs : list of str
    values : dict of str to array
        Every input and uniform of the program, broadcastable.

    Returns
    -------
    list of arrays
    """
    values = {**values, **{name: value for value, name in program.constants.items()}}
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        for name, op, args in needed(program, outputs):
            values[name] = NUMPY[op](*(values[a] for a in args))
    return [np.asarray(values[name], dtype=np.float64) for name in outputs]
