"""The one door to Numba: how a Python function becomes a kernel, and what its arithmetic promises.

``strict``   every operation is IEEE and stands where it was written: no reassociation, no contraction
             behind the author's back. With `bits.fma` placed by hand, the same expression in CUDA gives
             the same bits. All dynamics, noise and books are strict.
``inlined``  a strict helper pasted into its caller, without which no loop around it vectorises.
``relaxed``  the compiler may fuse multiply-adds and forget the sign of zero; it also assumes that no NaN
             or infinity occurs, so a relaxed kernel must not test for them: check its output outside.
             Bits still do not depend on how a batch is split. For network activations and the like.

Each takes Numba's own options as keywords where a kernel wants to differ: ``@strict(cache=False)``.
Threads run compiled kernels from outside (`threads.over_threads`).
"""
import functools
import hashlib
import inspect
import os
import shutil
import stat
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import numba
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from platformdirs import user_cache_path

__all__ = ["strict", "inlined", "relaxed", "instruction", "types", "ir", "cgutils", "library_stamp", "kernel_cache"]

# no reassociation ("reassoc"): it would make a sum depend on where a batch is cut
RELAXED_MATH = frozenset({"contract", "nnan", "ninf", "nsz"})
UNUSED_FOR_DAYS = 30


def _preset(**defaults):
    def preset(function=None, **options):
        if function is None:
            return lambda f: preset(f, **options)
        merged = {"error_model": "numpy", **defaults, **options}
        if not merged.get("cache"):
            return numba.njit(**merged)(function)
        with _cache_in(kernel_cache()):
            return numba.njit(**merged)(function)
    return preset


# fastmath=False is said aloud: a helper that leaves it open takes on the flags of whoever called it first;
# no kernel is ever passed to a kernel, so none needs the wrapper for that, which costs time to compile
strict = _preset(nogil=True, cache=True, fastmath=False, no_cfunc_wrapper=True)
inlined = _preset(forceinline=True, fastmath=False, no_cfunc_wrapper=True)
relaxed = _preset(nogil=True, cache=True, fastmath=set(RELAXED_MATH))


def instruction(signature):
    """An inlined function written as a few LLVM instructions, for what Python has no operator for.

    ``signature(*operand_types) -> result, *operands`` names the types; the decorated function
    ``emit(builder, operand_types, *values)`` builds the value (a tuple of values for a tuple result).
    Being typed by its operands, one definition serves float32 and float64.
    """
    def decorate(emit):
        def typed(typing_context, *operands):
            result, *wanted = signature(*operands)

            def codegen(context, builder, resolved, values):
                out = emit(builder, [context.get_value_type(t) for t in wanted], *values)
                return context.make_tuple(builder, result, out) if isinstance(out, tuple) else out
            return result(*wanted), codegen
        typed.__name__, typed.__doc__ = emit.__name__, emit.__doc__
        # Numba counts arguments by the signature, and cannot lower a *operands
        names = ["typing_context", *inspect.signature(signature).parameters]
        typed.__signature__ = inspect.Signature(
            [inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in names])
        return intrinsic(typed)
    return decorate


# ---- the kernel cache -------------------------------------------------------------------------

@functools.cache
def library_stamp():
    """Hash of every source of the package that takes part in compiled code.

    Numba notices a change in a kernel's own file, not in a helper inlined from another: this does.
    """
    package = Path(__file__).parents[2]
    digest = hashlib.sha256(numba.__version__.encode())
    for source in sorted(package.rglob("*.py")):
        text = source.read_bytes()
        if b"compile import" in text or source == Path(__file__):
            digest.update(source.relative_to(package).as_posix().encode() + b"\0" + text)
    return digest.hexdigest()[:16]


@functools.cache
def kernel_cache():
    """Folder of compiled kernels for this very library: only the user can write there.

    Kernels are unpickled by Numba, so a folder that others could write is refused and a temporary
    one takes its place. ``NUMBA_CACHE_DIR`` moves the root. Folders unused for 30 days are removed.
    """
    root = Path(numba.config.CACHE_DIR or user_cache_path("thermosim")) / "thermosim-kernels"
    folder = root / library_stamp()
    try:
        for path in (root, folder):
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not _private(path):
                raise PermissionError(path)
        os.utime(folder)
        _prune(root)
    except OSError:
        import atexit
        folder = Path(tempfile.mkdtemp(prefix="thermosim-kernels-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _private(path):
    if os.name != "posix":       # elsewhere the per-user cache folder is private by its ACL
        return True
    found = path.stat()
    return found.st_uid == os.getuid() and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _prune(root):
    oldest = time.time() - UNUSED_FOR_DAYS * 86400
    for folder in root.iterdir():
        if folder.is_dir() and folder.stat().st_mtime < oldest:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _cache_in(folder):
    # Numba reads its cache folder when it decorates; put back at once, other libraries keep theirs
    before, numba.config.CACHE_DIR = numba.config.CACHE_DIR, str(folder)
    try:
        yield
    finally:
        numba.config.CACHE_DIR = before
