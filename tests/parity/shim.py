"""CUDA sources compiled by g++ and run on the CPU, behind as much of CuPy's interface as ours uses.

`standin(folder)` is NumPy with CuPy's names: with it in the place of cupy, the very code that launches
kernels on a GPU (grids, argument types, order of calls) runs here, and the kernels' text with it.
"""
import ctypes
import hashlib
import platform
import re
import subprocess
import types
from functools import wraps
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
# no contraction: only the fma that are written; with the hardware's fma, for libm's is slow
FLAGS = ["-std=c++17", "-O2", "-ffp-contract=off", "-shared", "-fPIC", "-Wno-unknown-pragmas"]
if platform.machine() in ("x86_64", "AMD64"):
    FLAGS.append("-march=native")


class Module:
    """`cupy.RawModule` by g++: compiled once a text into `folder`."""

    def __init__(self, folder, code, options=()):
        kernels = re.findall(r'extern "C" __global__ void (\w+)\(', code)
        defines = [o for o in options if o.startswith("-D")]
        text = "\n".join(['#include "shim.h"', code, *(f"OPEN({k})" for k in kernels)])
        stem = folder / hashlib.sha256("\n".join([text, *defines]).encode()).hexdigest()[:16]
        library = stem.with_suffix(".so")
        if not library.exists():
            stem.with_suffix(".cpp").write_text(text)
            subprocess.run(["g++", *FLAGS, *defines, f"-I{HERE}", "-o", library, stem.with_suffix(".cpp")],
                           check=True)
        self.library = ctypes.CDLL(str(library))

    def get_function(self, name):
        launch = getattr(self.library, f"launch_{name}")
        text = ctypes.create_string_buffer(1000)
        getattr(self.library, f"signature_{name}")(text)
        expected = text.value.decode().split()

        def kernel(grid, block, arguments):
            assert not any(type(a) is np.ndarray for a in arguments), f"{name} reads the host's memory"
            found = [("P" if isinstance(a, np.ndarray) else "") + a.dtype.str[1:] for a in arguments]
            assert found == expected, f"{name} takes {expected}, got {found}"
            assert len(grid) == len(block) == 3 and np.prod(block) <= 1024 and max(grid[1:]) <= 65535
            values = [ctypes.c_void_p(a.ctypes.data) if isinstance(a, np.ndarray) else
                      (ctypes.c_char * a.itemsize).from_buffer_copy(a.tobytes()) for a in arguments]
            addresses = (ctypes.c_void_p * len(values))(*(ctypes.addressof(v) for v in values))
            launch((ctypes.c_uint * 3)(*grid), (ctypes.c_uint * 3)(*block), addresses)
        return kernel


class DeviceArray(np.ndarray):
    """An array that, like CuPy's, does not mix with NumPy's own."""

    def __array_ufunc__(self, ufunc, method, *inputs, out=None, **options):
        if any(type(a) is np.ndarray and a.ndim for a in (*inputs, *(out or ()))):
            raise TypeError(f"{ufunc.__name__} of an array of the device and one of the host")
        if out:
            options["out"] = tuple(map(_plain, out))
        result = getattr(ufunc, method)(*map(_plain, inputs), **options)
        return out[0] if out else on_device(result)

    def __array_function__(self, function, kinds, arguments, options):
        if np.ndarray in kinds:
            raise TypeError(f"{function.__name__} of an array of the device and one of the host")
        result = function(*map(_plain, arguments), **{k: _plain(v) for k, v in options.items()})
        return options["out"] if options.get("out") is not None else on_device(result)

    def __setitem__(self, place, value):
        if type(value) is np.ndarray and value.ndim:
            raise TypeError("an array of the host is assigned to one of the device")
        super().__setitem__(place, value)


def _plain(a):
    if isinstance(a, (list, tuple)):
        return [_plain(item) for item in a]
    return a.view(np.ndarray) if isinstance(a, DeviceArray) else a


def on_device(result):
    """The same memory as an array of the device; scalars as they are."""
    return result.view(DeviceArray) if type(result) is np.ndarray else result


def standin(folder):
    """A module to stand in for cupy: NumPy, RawModule, and a runtime that reports one card."""
    def borrowed(name):
        function = getattr(np, name)
        return wraps(function)(lambda *a, **options: on_device(function(*a, **options)))

    def asarray(x, dtype=None, order=None):
        return np.array(x, dtype, order=order).view(DeviceArray)

    cupy = types.ModuleType("cupy")
    cupy.__getattr__ = borrowed
    cupy.ndarray, cupy.asarray, cupy.asnumpy = DeviceArray, asarray, np.array
    cupy.RawModule = lambda code, options=(): Module(folder, code, options)
    cupy.cuda = types.SimpleNamespace(
        runtime=types.SimpleNamespace(getDeviceCount=lambda: 1, CUDARuntimeError=RuntimeError),
        nvrtc=types.SimpleNamespace(getVersion=lambda: (13, 0)))
    return cupy
