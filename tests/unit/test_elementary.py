"""exp, log, sin, cos against mpmath, in units of the last place."""
import math
import subprocess
import sys

import mpmath
import numpy as np
import pytest

from thermosim.backend.cpu import elementary
from thermosim.backend.cpu.compile import strict


def over_arrays(function):
    @strict(cache=False)
    def loop(x, y):
        for i in range(x.size):
            y[i] = function(x[i])

    def call(x):
        y = np.empty_like(x)
        loop(x, y)
        return y
    return call


exp, log, sin, cos = (over_arrays(getattr(elementary, name)) for name in ("exp", "log", "sin", "cos"))


def worst_ulps(function, exact, x):
    y = function(x)
    worst = 0.0
    with mpmath.workdps(40):
        for argument, value in zip(x, y):
            true = exact(mpmath.mpf(float(argument)))
            unit = np.spacing(np.abs(x.dtype.type(float(true))))
            worst = max(worst, abs(float((mpmath.mpf(float(value)) - true) / mpmath.mpf(float(unit)))))
    return worst


def both_signs(rng, low, high, size=1000):
    """Magnitudes spread evenly over the decades."""
    return 10 ** rng.uniform(np.log10(low), np.log10(high), size) * rng.choice([-1.0, 1.0], size)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_exp(dtype):
    rng = np.random.default_rng(0)
    top, bottom = (709.7, -708.3) if dtype is np.float64 else (88.7, -87.3)
    for x in (rng.uniform(bottom, top, 1500), both_signs(rng, 1e-12, 10)):
        assert worst_ulps(exp, mpmath.exp, x.astype(dtype)) < 1.2


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_exp_at_its_ends(dtype):
    limits = np.finfo(dtype)
    over = np.log(np.longdouble(limits.max))
    x = np.array([np.inf, 2 * over, over * 1.001, -np.inf, 2 * -over, np.nan, 0, -0.0], dtype)
    assert np.array_equal(exp(x), [np.inf, np.inf, np.inf, 0, 0, np.nan, 1, 1], equal_nan=True)
    ends = [float(np.log(v)) for v in (limits.tiny, limits.smallest_subnormal)]
    under = np.linspace(*ends, 500).astype(dtype)
    exact = np.exp(under.astype(np.float64)) if dtype is np.float32 else [math.exp(v) for v in under]
    assert np.abs(exp(under) - np.asarray(exact, dtype)).max() <= limits.smallest_subnormal * 2
    assert np.isfinite(exp(np.array([over * 0.9999], dtype))).all()


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_log(dtype):
    rng = np.random.default_rng(1)
    decades = 300 if dtype is np.float64 else 37
    for x in (10 ** rng.uniform(-decades, decades, 1500), rng.uniform(0.5, 2, 1500),
              1 + both_signs(rng, 1e-9, 0.1)):
        x = x.astype(dtype)
        assert worst_ulps(log, mpmath.log, x[x != 1]) < 1.4
    assert log(np.ones(1, dtype))[0] == 0


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_log_at_its_ends(dtype):
    limits = np.finfo(dtype)
    x = np.array([np.inf, 0.0, -0.0, -1.0, -np.inf, np.nan], dtype)
    assert np.array_equal(log(x), [np.inf, -np.inf, -np.inf, np.nan, np.nan, np.nan], equal_nan=True)
    tiny = np.array([limits.smallest_subnormal, limits.tiny / 3, limits.tiny, limits.max], dtype)
    assert np.allclose(log(tiny), np.log(tiny), rtol=3 * limits.eps, atol=0)


@pytest.mark.parametrize("dtype, furthest", [(np.float64, 1e12), (np.float32, 1e6)])
def test_sin_and_cos(dtype, furthest):
    rng = np.random.default_rng(2)
    multiples = (np.arange(-500, 500) * (np.pi / 2)).astype(dtype)
    for x in (both_signs(rng, 1e-8, furthest), rng.uniform(-10, 10, 1000), multiples):
        x = x.astype(dtype)
        assert worst_ulps(sin, mpmath.sin, x[x != 0]) < 1.7
        assert worst_ulps(cos, mpmath.cos, x) < 1.7


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_angles_without_meaning(dtype):
    far = 2.0**41 if dtype is np.float64 else 2.0**21
    x = np.array([np.inf, -np.inf, np.nan, far, -far], dtype)
    assert np.isnan(sin(x)).all() and np.isnan(cos(x)).all()
    assert sin(np.zeros(1, dtype))[0] == 0 and cos(np.zeros(1, dtype))[0] == 1


def test_sincos_is_both():
    for x in (0.3, -7.0, 1e5):
        assert elementary.sincos(x) == (elementary.sin(x), elementary.cos(x))


def test_bits_do_not_depend_on_the_place_in_the_array():
    """Vector body, remainder and a lone scalar must round alike."""
    x = np.random.default_rng(4).uniform(0.01, 20, 1003)
    for function in (exp, log, sin, cos):
        whole = function(x)
        assert all(np.array_equal(whole[i:j], function(x[i:j])) for i, j in ((1, 2), (3, 20), (5, 1003)))


def test_strict_stays_strict_whoever_calls_first():
    """A relaxed caller compiled first must not lend its flags to the helper: NaN would turn into infinity."""
    code = (
        "import numpy as np\n"
        "from thermosim.backend.cpu.compile import relaxed, strict\n"
        "from thermosim.backend.cpu.elementary import exp\n"
        "def over(a, b):\n"
        "    for i in range(a.size):\n"
        "        b[i] = exp(a[i])\n"
        "a = np.full(16, np.nan); b = np.zeros(16)\n"
        "relaxed(cache=False)(over)(a, b)\n"
        "strict(cache=False)(over)(a, b)\n"
        "assert np.isnan(b).all(), b\n")
    subprocess.run([sys.executable, "-c", code], check=True)
