"""Source text to a module on disk, named by its hash, so that Numba's cache finds its kernels again.

Closures miss the disk cache and function pointers do not fuse; a generated file has neither fault. The
folder is private to the user and carries the library's own hash (`compile.kernel_cache`).
"""
import hashlib
import importlib.util
import os
import sys
import tempfile

from .compile import kernel_cache


def load_source(source, stem):
    """The module of a generated source; written once, atomically, and found again later.

    Parameters
    ----------
    source : str
        Python source made by this library from parsed expressions, never text of a user's file.
    stem : str
        What the file is for, as the beginning of its name.
    """
    name = f"{stem}_{hashlib.sha256(source.encode()).hexdigest()[:20]}"
    if name in sys.modules:
        return sys.modules[name]
    path = kernel_cache() / f"{name}.py"
    if not path.exists() or path.read_text() != source:
        handle, draft = tempfile.mkstemp(dir=path.parent, suffix=".draft")
        with os.fdopen(handle, "w") as file:
            file.write(source)
        os.replace(draft, path)
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module
