"""The dynamic programme against exhaustive search, closed forms and stationarity."""

from itertools import combinations

import numpy as np
import pytest

from thermosim.errors import UserError
from thermosim.thermo.grids.geodesic import MseCurve
from thermosim.thermo.grids.least_work import _best_starts, least_work

SIGMAS = np.geomspace(20.0, 0.02, 60)
LAM = SIGMAS**-2.0


def two_scales(mesh):
    """An error curve with two shoulders: coarse structure of variance 4, fine structure of 0.01."""
    return MseCurve(SIGMAS, 4 / (1 + 4 * LAM) + 0.5 / (1 + 0.01 * LAM), mesh)


@pytest.mark.parametrize("steps", [1, 2, 3, 4])
def test_it_is_the_best_of_all_grids_on_the_mesh(steps):
    curve = two_scales(mesh=25)
    inner = curve.lam[1:-1] ** -0.5
    best = min(curve.dissipation([20.0, *chosen, 0.02]) for chosen in combinations(inner, steps - 1))
    assert curve.dissipation(least_work(curve, 20.0, 0.02, steps)) == pytest.approx(best, rel=1e-12)


def test_on_gaussian_data_it_is_the_closed_optimum():
    """Equal ratios of 1 + λs² are the exact optimum for N(0, s²) at any number of steps."""
    curve = MseCurve(SIGMAS, 0.7 / (1 + 0.7 * LAM))
    ratio = np.diff(np.log(1 + 0.7 * least_work(curve, 20.0, 0.02, 9) ** -2.0))
    assert np.ptp(ratio) < 5e-3 * ratio.mean()  # a mesh of 20,001 levels places each to 1e-3


def test_between_inner_ends():
    curve = two_scales(mesh=20_001)
    sigmas = least_work(curve, 5.0, 0.1, 12)
    assert sigmas[0] == 5.0 and sigmas[-1] == 0.1 and np.all(np.diff(sigmas) < 0)
    assert curve.dissipation(sigmas) < curve.dissipation(curve.geodesic(5.0, 0.1, 12))


def test_nonsense_is_refused():
    curve = two_scales(mesh=201)
    with pytest.raises(UserError, match="whole number"):
        least_work(curve, 20.0, 0.02, 0)
    with pytest.raises(UserError, match="too flat"):
        least_work(curve, 20.0, 0.02, 300)
    with pytest.raises(UserError, match="measure it"):
        least_work(curve, 50.0, 0.02, 5)


def test_best_starts_are_those_of_a_dense_search():
    """Halving against argmin over all lines, for falling slopes and rising places, mesh sizes odd and even."""
    rng = np.random.default_rng(8)
    for M in (2, 3, 7, 64, 101):
        x, slope = np.sort(rng.random(M)), np.sort(rng.random(M))[::-1]
        offset = rng.random(M)
        dense = np.argmin(offset[None, :] + slope[None, :] * x[:, None], axis=1)
        found = _best_starts(offset, slope, x)
        # only from a monotone answer may halving be asked for it
        assert np.all(np.diff(dense) >= 0)
        assert np.array_equal(found, dense)
