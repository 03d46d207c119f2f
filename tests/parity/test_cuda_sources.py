"""Every CUDA source through NVRTC, which needs neither a driver nor a card; and the arithmetic they share."""
import functools
import re
from importlib import resources

import numpy as np
import pytest

from thermosim.backend import cuda
from thermosim.backend.cpu import elementary
from thermosim.backend.cpu.compile import strict
from thermosim.backend.cpu.normals import fill_pair

import shim

FILES = sorted(f.name.partition(".")[0] for f in resources.files(cuda).iterdir() if f.name.endswith(".cuh"))
NO_SPILLS = ["0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads"]
FUNCTIONS = ["exp", "log", "sin", "cos"]


def nvrtc_log(text, *options):
    """What NVRTC says about a source it accepts, with the options that CuPy adds."""
    try:
        from cuda.bindings import nvrtc
    except ImportError as cause:
        pytest.fail(f'NVRTC is missing ({cause}): pip install "thermosim[test]"')
    _, program = nvrtc.nvrtcCreateProgram(text.encode(), b"source.cu", 0, [], [])
    options = [o.encode() for o in (*options, "-ftz=true", "--device-as-default-execution-space")]
    status, = nvrtc.nvrtcCompileProgram(program, len(options), options)
    _, size = nvrtc.nvrtcGetProgramLogSize(program)
    log = b" " * size
    nvrtc.nvrtcGetProgramLog(program, log)
    nvrtc.nvrtcDestroyProgram(program)
    log = log.replace(b"\0", b"").decode()
    assert status == nvrtc.nvrtcResult.NVRTC_SUCCESS, log
    return log


@pytest.mark.parametrize("architecture", ["sm_80", "sm_90"])
@pytest.mark.parametrize("fast", [False, True], ids=["portable", "fast"])
@pytest.mark.parametrize("name", FILES)
def test_compiles_into_registers(name, fast, architecture):
    """No warning, no spilled register, no array in local memory."""
    text = cuda.source(name)
    for real in ("float32", "float64"):
        log = nvrtc_log(text, f"-arch={architecture}", "--ptxas-options=-v", *cuda.options(real, fast))
        assert "warning" not in log and "error" not in log, log
        kernels = text.count('extern "C" __global__')
        assert re.findall(r"\d+ bytes stack frame.*", log) == NO_SPILLS * kernels, log


def test_messages_name_file_and_line():
    text = cuda.expand('#include "philox.cuh"\nint good;\nint bad = ;\n', "mine.cuh")
    with pytest.raises(AssertionError, match=r"mine\.cuh\(3\): error"):
        nvrtc_log(text, "-arch=sm_90", *cuda.options("float64"))


def test_each_file_is_pasted_once():
    text = cuda.source("random")
    assert text.count("struct Words") == text.count("struct Layout;") == 1 and "#include" not in text


# ---- the functions that all kernels share ----------------------------------------------------------

@functools.cache
def numba_function(name):
    function = getattr(elementary, name)

    @strict(cache=False)
    def apply(x, out):
        for i in range(x.size):
            out[i] = function(x[i])
    return apply


@pytest.fixture(scope="module")
def cuda_functions(shim_folder):
    kernels = "".join(f"""
        extern "C" __global__ void apply_{f}(const REAL* x, REAL* out, long long n) {{
            at_every_place(1, n, [&](long long, long long i) {{ out[i] = {f}(x[i]); }});
        }}""" for f in FUNCTIONS)
    text = cuda.expand(f"""#include "elementary.cuh"
        #include "places.cuh"
        namespace thermosim {{ {kernels} }}""", "functions.cuh")

    def apply(name, x, fast):
        module = shim.Module(shim_folder, text, cuda.options(x.dtype.name, fast))
        out = np.empty_like(x)
        kernel = module.get_function(f"apply_{name}")
        kernel((1, -(-x.size // 256), 1), (256, 1, 1), (*map(shim.on_device, (x, out)), np.int64(x.size)))
        return out
    return apply


def arguments(real):
    """Every exponent, both signs, edges of the ranges, and what is no number."""
    info = np.finfo(real)
    rng = np.random.default_rng(1)
    exponents = rng.integers(info.minexp - 20, info.maxexp, 20_000)
    x = np.concatenate([rng.uniform(-1, 1, 20_000) * 2.0**exponents,
                        rng.uniform(-800, 800, 20_000), rng.uniform(-2, 2, 20_000),
                        [0, 1, -1, 89, 710, -104, -746, 2.0**20, 2.0**40, 2.0**41, info.tiny, info.max,
                         info.smallest_subnormal, np.inf, -np.inf, np.nan]])
    with np.errstate(over="ignore"):
        return np.concatenate([x, -x]).astype(real)


@pytest.mark.parametrize("real", [np.float32, np.float64])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_bit_for_bit(cuda_functions, name, real):
    x = arguments(real)
    expected = np.empty_like(x)
    numba_function(name)(x, expected)
    assert np.array_equal(cuda_functions(name, x, fast=False), expected, equal_nan=True)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_fast_functions_are_the_same_functions(cuda_functions, name):
    x = np.linspace(0.01, 20, 1001, dtype=np.float32)
    expected = getattr(np, name)(x.astype(np.float64))
    assert np.allclose(cuda_functions(name, x, fast=True), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("real", [np.float32, np.float64])
def test_normals_of_corner_words(shim_folder, real):
    """Random words hardly ever meet the last 128, which need a guard in float32."""
    text = cuda.expand("""#include "normals.cuh"
        #include "places.cuh"
        namespace thermosim {
        extern "C" __global__ void pairs(const unsigned* a,
                                         const unsigned* b, REAL* x, REAL* y, long long n) {
            at_every_place(1, n, [&](long long, long long i) { box_muller(a[i], b[i], x[i], y[i]); });
        }
        }""", "pairs.cuh")
    corners = np.array([0, 1, 2**29 - 1, 2**29, 2**30 - 1, 2**30, 2**31 - 1, 2**31, 0xB504F333, 0xB504F334,
                        *range(2**32 - 300, 2**32)], np.uint32)
    a, b = (g.ravel().copy() for g in np.meshgrid(corners, corners))
    x, y, p, q = (np.empty(a.size, real) for _ in range(4))
    kernel = shim.Module(shim_folder, text, cuda.options(np.dtype(real).name)).get_function("pairs")
    kernel((1, -(-a.size // 256), 1), (256, 1, 1), (*map(shim.on_device, (a, b, x, y)), np.int64(a.size)))
    zero = np.uint64(0)
    fill_pair(p, q, zero, a, b, zero, np.uint64(a.size))
    assert np.array_equal(x, p) and np.array_equal(y, q) and np.all(np.hypot(x, y) > 0)


# ---- the fast build's normals ----------------------------------------------------------------------

def test_fast_normals_follow_the_portable_ones(shim_gpu):
    """The same function of the same words up to what libm rounds: a wrong sign, half or scale would show."""
    portable, fast = (shim_gpu.Gpu(fast).normals(5, 1, 2, 20_000, 3, dtype=np.float32)
                      for fast in (False, True))
    assert not np.array_equal(portable, fast)
    assert np.sqrt(np.mean((portable - fast) ** 2)) < 1e-6
