"""CUDA sources as text, and the two ways to compile them.

Files mirror backend/cpu one to one, operation by operation: bits, elementary, philox, normals hold what is
inlined; random, network hold kernels. Nothing here needs a GPU, a driver or CuPy.

Kernels come in one precision at a time: REAL is float or double. They use no shared memory, and threads
never wait for one another, so that the same text also runs in a plain loop on a CPU.
"""
import functools
import re
from importlib import resources

C_TYPES = {"float32": "float", "float64": "double"}
_INCLUDE = re.compile(r'#include "([a-z_0-9]+\.cuh)"')


@functools.cache
def source(name):
    """The text of ``name``.cuh with everything it includes pasted in, each file once.

    One self-contained text serves compilers that see no files, and a kernel cache that hashes it
    notices a change in any of its parts.
    """
    return expand(resources.files(__package__).joinpath(f"{name}.cuh").read_text("utf-8"), f"{name}.cuh")


def expand(text, file):
    """`text` with its includes of our files pasted in; `file` is its name in a compiler's messages."""
    return "\n".join(_paste(text, file, {file})) + "\n"


def _paste(text, file, seen):
    yield f'#line 1 "{file}"'
    for number, line in enumerate(text.splitlines(), 1):
        included = _INCLUDE.fullmatch(line.strip())
        if not included:
            yield line
        elif included[1] not in seen:
            seen.add(included[1])
            yield from _paste(resources.files(__package__).joinpath(included[1]).read_text("utf-8"),
                              included[1], seen)
            yield f'#line {number + 1} "{file}"'


def options(real, fast=False):
    """Compiler options for kernels of precision `real` ("float32" or "float64").

    Portable: IEEE operations as written, bit for bit what backend/cpu computes where that is strict.
    Fast: contraction and hardware approximations, for statistics only.
    """
    arithmetic = ("-use_fast_math", "-DFAST") if fast else ("--fmad=false",)
    return ("-std=c++17", f"-DREAL={C_TYPES[real]}", *arithmetic)
