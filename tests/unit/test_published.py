"""Grids of others against their closed forms on Gaussian data."""

import numpy as np
import pytest

from thermosim.score.exact import GaussianMixture
from thermosim.thermo.grids.geodesic import MseCurve
from thermosim.thermo.grids.pilot import Pilot
from thermosim.thermo.grids.published import align_your_steps, constant_rate, entropic, rescaled_entropic, score_optimal

LEVELS = np.geomspace(20.0, 0.02, 300)
CURVE = MseCurve(LEVELS, 0.7 / (1 + 0.7 * LEVELS**-2.0))


def even(lengths, tolerance):
    return np.ptp(lengths) < tolerance * abs(np.mean(lengths))


def test_align_your_steps_has_its_ends_and_its_arctan():
    sigmas = align_your_steps(20.0, 0.05, 6, 0.5)
    assert sigmas[0] == pytest.approx(20.0) and sigmas[-1] == pytest.approx(0.05)
    assert even(np.diff(np.arctan(sigmas / 0.5)), 1e-12)


def test_entropic_grid_gains_equal_order():
    """½∫mse dλ = Σ½ln(1 + λs²) over the components: equal steps of that, between inner ends too."""
    wide, lam = np.array([0.7, 0.01]), LEVELS[:, None] ** -2.0
    curve = MseCurve(LEVELS, np.sum(wide / (1 + wide * lam), axis=1))

    def order(sigmas):
        return 0.5 * np.log1p(wide * sigmas[:, None] ** -2.0).sum(axis=1)

    assert even(np.diff(order(entropic(curve, 20.0, 0.02, 7))), 1e-3)
    inner = entropic(curve, 5.0, 0.1, 7)
    assert inner[0] == 5.0 and inner[-1] == 0.1 and even(np.diff(order(inner)), 1e-3)


def test_rescaled_entropic_time_of_a_gaussian_is_align_your_steps():
    """∫mse dσ/σ² = s·arctan(σ/s) (Stancevic et al. 2025, Appendix E)."""
    assert np.allclose(rescaled_entropic(CURVE, 20.0, 0.02, 9),
                       align_your_steps(20.0, 0.02, 9, np.sqrt(0.7)), rtol=1e-3)


def test_score_optimal_grid_of_a_gaussian():
    """s = −x/v, v = s² + σ²: √L = σ·2σdσ·√v/v², so equal steps of ∫σ²dσ/v^{3/2} = asinh(σ/s) − σ/√v."""
    pilot = Pilot(GaussianMixture([1.0], [[0.0]], [0.7]), 20 * np.random.default_rng(0).standard_normal((64, 1)), 20.0,
                  0.05, fine=800)
    before = pilot.evaluations
    sigmas = score_optimal(pilot, 8)
    assert pilot.evaluations == before + 800
    assert even(np.diff(np.arcsinh(sigmas / np.sqrt(0.7)) - sigmas / np.sqrt(0.7 + sigmas**2)), 5e-3)


def test_constant_rate_grid_of_a_gaussian():
    """D = s²x/v and x ∝ √v along the flow, so equal steps of 1/√v; no evaluation beside the pilot's own."""
    pilot = Pilot(GaussianMixture([1.0], [[0.0]], [0.7]), 20 * np.random.default_rng(0).standard_normal((64, 1)), 20.0,
                  0.05, fine=800)
    before = pilot.evaluations
    sigmas = constant_rate(pilot, 8)
    assert pilot.evaluations == before
    assert even(np.diff(1 / np.sqrt(0.7 + sigmas**2)), 5e-3)
