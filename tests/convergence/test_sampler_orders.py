"""Orders of the samplers: between every two grids on two modes in the plane, and of paths on one Brownian motion."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from thermosim import schedules
from thermosim.backend.cpu.device import Cpu
from thermosim.runs.sampling import sample
from thermosim.samplers import (DPM2, FAMILY, LMS, Ancestral, DPMpp2MSDE, DPMpp2S, DPMpp3MSDE, DPMppSDE, EulerAncestral)
from thermosim.score.exact import GaussianMixture

PLANE = GaussianMixture([0.4, 0.6], [[-1.5, 0.2], [1.0, -0.3]], [[0.09, 0.2], [0.04, 0.1]])
LINE = GaussianMixture([0.4, 0.6], [[-1.5], [1.0]], [0.25, 0.16])


@pytest.fixture(scope="module")
def flow():
    """24 starts at σ = 10 and where the exact flow takes them, by DOP853 at 1e-12."""
    start = 10.0 * np.random.default_rng(0).standard_normal((24, 2))

    def slope(s, y):
        y = y.reshape(-1, 2)
        return ((y - PLANE(y, s)) / s).ravel()

    return start, solve_ivp(slope, (10.0, 0.05), start.ravel(), "DOP853", rtol=1e-12, atol=1e-12).y[:, -1].reshape(-1, 2)


@pytest.mark.parametrize("sampler", [s for s in FAMILY if not s.draws and s.order in (1, 2, 3)] + [LMS(2)],
                         ids=lambda s: f"{s}{getattr(s, 'terms', '')}")
def test_orders_of_the_flow(flow, sampler):
    """Median error at N = 100 … 800, karras grid.

    lms with four slopes starts at Euler's order and so passes from 4 down to 2: only bounded here.
    """
    start, end = flow
    errors = [np.median(np.linalg.norm(
        sample(sampler, PLANE, schedules.karras(10.0, 0.05, N), 24, 2, 0, Cpu(), books=False, start=start).x - end,
        axis=1))
        for N in (100, 200, 400, 800)]
    slopes = np.log2(np.array(errors[:-1]) / errors[1:])
    if sampler.history == 3:
        assert np.all(slopes > sampler.order - 0.1) and errors[0] < 1e-4
    else:
        assert np.abs(slopes - sampler.order).max() < 0.2, slopes


class OnePath:
    """Normals made of given ones."""

    def __init__(self, normals):
        self.normals = iter(normals).__next__


@pytest.mark.parametrize("sampler", [
    EulerAncestral(), Ancestral(DPM2()), Ancestral(DPMpp2S()), DPMppSDE(), DPMpp2MSDE(), DPMpp3MSDE()], ids=str)
def test_paths_converge_in_first_order(sampler):
    """Rms distance between neighbouring levels of one Brownian path, 25 … 400 steps.

    With Λ = σ⁻² as clock the noise of a step is σ'²(B(Λ') − B(Λ)); 3,000 paths give the slope to 0.1. Were
    the noise of dpmpp_sde's stage and of its step independent, paths would not converge at all.
    """
    fine, n = 800, 3000
    sigmas = schedules.log_snr(5.0, 0.1, fine)
    clock = sigmas**-2.0
    rng = np.random.default_rng(1)
    B = np.cumsum(np.sqrt(np.diff(clock, prepend=0))[:, None, None] * rng.standard_normal((fine + 1, n, 1)), axis=0)
    start = LINE.sample(n, 1, Cpu()) + 5 * rng.standard_normal((n, 1))

    def increment(i, j):
        return (B[j] - B[i]) / np.sqrt(clock[j] - clock[i])

    ends = []
    for steps in (25, 50, 100, 200, 400):
        x, memory, width = start, {"steps": steps}, fine // steps
        for i in range(0, fine, width):
            cuts = [i, i + width // 2, i + width] if sampler.draws == 2 else [i, i + width]
            (leg,) = sampler.legs(float(sigmas[i]), float(sigmas[i + width]), memory)
            _, x = leg.move(x, LINE, OnePath([increment(a, b) for a, b in zip(cuts, cuts[1:])]))
        ends.append(x)
    apart = [np.sqrt(np.mean((a - b) ** 2)) for a, b in zip(ends, ends[1:])]
    slope = -np.polyfit(np.log2([25, 50, 100, 200]), np.log2(apart), 1)[0]
    assert abs(slope - sampler.strong) < 0.25, slope
