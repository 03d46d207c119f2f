"""What the compiler presets promise, and where compiled kernels are kept."""
import os
import stat

import numba
import numpy as np
import pytest

from thermosim.backend.cpu import compile as compiling
from thermosim.backend.cpu.bits import fma
from thermosim.backend.cpu.compile import kernel_cache, library_stamp, relaxed, strict

posix = pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX")


def product_plus(decorate):
    @decorate(cache=False)
    def loop(a, b, c, out):
        for i in range(out.size):
            out[i] = a[i] * b[i] + c[i]
    return loop


def test_strict_rounds_twice_and_fma_once():
    """(1 + 2⁻³⁰)² − (1 + 2⁻²⁹) is 2⁻⁶⁰, or 0 where the product is rounded first."""
    a = np.full(100, 1 + 2.0**-30)
    c, out = np.full(100, -(1 + 2.0**-29)), np.empty(100)
    product_plus(strict)(a, a, c, out)
    assert np.all(out == 0)

    @strict(cache=False)
    def fused(a, b, c, out):
        for i in range(out.size):
            out[i] = fma(a[i], b[i], c[i])
    fused(a, a, c, out)
    assert np.all(out == 2.0**-60)


def test_strict_follows_ieee_and_relaxed_compiles():
    a = np.array([0.0, -0.0, 1.0, np.inf, np.nan])
    out = np.empty(5)

    @strict(cache=False)
    def divide(a, out):
        for i in range(out.size):
            out[i] = 1.0 / a[i]
    divide(a, out)
    assert np.array_equal(out, [np.inf, -np.inf, 1, 0, np.nan], equal_nan=True)
    x = np.arange(10.0)
    product_plus(relaxed)(x, x, x, out := np.empty(10))
    assert np.array_equal(out, x * x + x)


@posix
def test_cache_is_private_and_other_libraries_keep_theirs(tmp_path, monkeypatch):
    folder = kernel_cache()
    assert folder.name == library_stamp() or "thermosim-kernels-" in folder.name
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    strict(lambda x: x)
    assert numba.config.CACHE_DIR == str(tmp_path) and not list(tmp_path.iterdir())


@posix
def test_cache_moves_prunes_and_refuses_a_folder_that_others_can_write(tmp_path, monkeypatch):
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    root = tmp_path / "thermosim-kernels"
    root.mkdir(mode=0o700)
    for name, age in (("old", 40), ("young", 3)):
        (root / name).mkdir()
        then = (root / name).stat().st_mtime - age * 86400
        os.utime(root / name, (then, then))
    fresh = compiling.kernel_cache.__wrapped__
    assert fresh() == root / library_stamp()
    assert sorted(p.name for p in root.iterdir()) == sorted(["young", library_stamp()])
    root.chmod(0o777)
    assert root not in fresh().parents
    assert stat.S_IMODE(fresh().stat().st_mode) == 0o700
