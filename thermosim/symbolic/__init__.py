"""One definition of every scalar law: expression → derivatives → one list of operations → any printer.

    parse.py      strings from config files → sympy, through a whitelist
    program.py    sympy → a straight list of IEEE operations with every fma placed by hand
    printers.py   that list as Numba source, as CUDA source, or run at once on NumPy arrays
    loops.py      laws that are loops (lattices, mixtures), and a step over arrays cut into loops

sympy is imported only when an expression is first touched.
"""

from .parse import parse_expression
from .printers import cuda_lines, evaluate, numba_lines
from .program import Program

__all__ = ["Program", "cuda_lines", "evaluate", "numba_lines", "parse_expression"]
