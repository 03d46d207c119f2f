"""Every deterministic sampler against a plain float64 reference written from its paper's own form, to 1e-10.

Ours run in σ form. The references run in the papers' variables: ᾱ for ddim, x_t = α_t x_0 + σ_t ε and
λ = ln(α_t/σ_t) for DPM-Solver++, Butcher tableaux and interpolating polynomials for the rest.
"""

import numpy as np
import pytest

from thermosim import schedules
from thermosim.backend.cpu.device import Cpu
from thermosim.runs.sampling import sample
from thermosim.samplers import (DPM2, LMS, DPMpp2M, DPMpp2MSDE, DPMpp2S, DPMpp3M, DPMpp3MCorrected,
                                DPMpp3MSDE, Euler, Heun)

START = 10.0 * np.random.default_rng(3).standard_normal((40, 2))


def denoise(x, sigma):
    return np.tanh(1.3 * x) / (1 + 0.2 * sigma) + 0.1 * np.sin(x[:, ::-1]) / (1 + sigma**2)


class VP:
    """The variance-preserving process at noise level σ: α, its own σ_t, λ, and D of its x."""

    def __init__(self, level):
        self.level = level
        self.alpha = (1 + level**2) ** -0.5
        self.sigma = (1 - self.alpha**2) ** 0.5
        self.lam = np.log(self.alpha / self.sigma)

    def data(self, x):
        return denoise(x / self.alpha, self.level)


def over(step):
    """Run `step(x, s, t, past)`, in variance-preserving variables, over a grid."""
    def run(grid):
        points, past = [VP(level) for level in grid], []
        x = points[0].alpha * START
        for s, t in zip(points[:-1], points[1:]):
            x = step(x, s, t, past)
        return x / points[-1].alpha

    return run


def ddim(x, s, t, past):
    x_0 = s.data(x)
    epsilon = (x - s.alpha * x_0) / (1 - s.alpha**2) ** 0.5
    return t.alpha * x_0 + (1 - t.alpha**2) ** 0.5 * epsilon


def dpm_solver_pp_2s(x, s, t, past):
    h = t.lam - s.lam
    middle = VP(np.exp(-(s.lam + 0.5 * h)))
    u = middle.sigma / s.sigma * x - middle.alpha * np.expm1(-0.5 * h) * s.data(x)
    return t.sigma / s.sigma * x - t.alpha * np.expm1(-h) * middle.data(u)


def dpm_solver_pp_2m(x, s, t, past):
    h, D = t.lam - s.lam, s.data(x)
    if past:
        before, lam_before = past[-1]
        r = (s.lam - lam_before) / h
        bar = (1 + 1 / (2 * r)) * D - before / (2 * r)
    else:
        bar = D
    past.append((D, s.lam))
    return t.sigma / s.sigma * x - t.alpha * np.expm1(-h) * bar


def dpm_solver_pp_3m(x, s, t, past):
    """Divided differences D_1, D_2 of the paper's appendix, D_2 without its factor 2."""
    h, D = t.lam - s.lam, s.data(x)
    past.append((D, s.lam))
    x = t.sigma / s.sigma * x - t.alpha * np.expm1(-h) * D
    if len(past) > 1:
        first = (D - past[-2][0]) / (s.lam - past[-2][1])
        second = 0.0
        if len(past) > 2:
            second = (first - (past[-2][0] - past[-3][0]) / (past[-2][1] - past[-3][1])) / (s.lam - past[-3][1])
            first = first + second * (s.lam - past[-2][1])
        x = x + t.alpha * ((np.expm1(-h) / h + 1) * h * first - ((np.expm1(-h) + h) / h**2 - 0.5) * h * h * second)
    return x


def exact_integral(x, s, t, past):
    """σ_t/σ_s·x + σ_t ∫e^λ P(λ)dλ with P through the last three D: what a third-order step must be.

    The first step takes P through D and D half a step on.
    """
    h, D = t.lam - s.lam, s.data(x)
    past.append((D, s.lam))
    known = past[-3:]
    if len(past) == 1:
        middle = VP(np.exp(-(s.lam + 0.5 * h)))
        known = known + [(middle.data(middle.sigma / s.sigma * x - middle.alpha * np.expm1(-0.5 * h) * D), middle.lam)]
    u, w = np.polynomial.legendre.leggauss(12)
    total = 0.0
    for lam, weight in zip(s.lam + 0.5 * h * (u + 1), 0.5 * h * w):
        P = sum(value * np.prod([(lam - b) / (a - b) for _, b in known if b != a]) for value, a in known)
        total = total + weight * np.exp(lam) * P
    return t.sigma / s.sigma * x + t.sigma * total


def tableau(nodes, weights):
    """A two-stage explicit Runge–Kutta rule on dx/dσ; `nodes(σ, σ')` is where its second stage stands."""
    def run(grid):
        x = START
        for s, t in zip(grid[:-1], grid[1:]):
            c = (nodes(s, t) - s) / (t - s)
            k_1 = (x - denoise(x, s)) / s
            level = s + c * (t - s)
            y = x + (t - s) * c * k_1
            k_2 = (y - denoise(y, level)) / level
            x = x + (t - s) * (weights[0] * k_1 + weights[1] * k_2)
        return x

    return run


def adams(terms):
    def run(grid):
        """The interpolating polynomial of the slopes by its Vandermonde system, integrated by its antiderivative."""
        x, known = START, []
        for s, t in zip(grid[:-1], grid[1:]):
            known = (known + [(s, (x - denoise(x, s)) / s)])[-terms:]
            u = np.array([level - s for level, _ in known])
            moments = np.array([(t - s) ** (k + 1) / (k + 1) for k in range(len(u))])
            weights = np.linalg.solve(np.vander(u, increasing=True).T, moments)
            x = x + sum(w * d for w, (_, d) in zip(weights, known))
        return x

    return run


CASES = [
    (Euler(), over(ddim)), (Heun(), tableau(lambda s, t: t, (0.5, 0.5))),
    (DPM2(), tableau(lambda s, t: (s * t) ** 0.5, (0.0, 1.0))),
    (LMS(), adams(4)), (LMS(3), adams(3)), (LMS(2), adams(2)), (DPMpp2S(), over(dpm_solver_pp_2s)),
    (DPMpp2M(), over(dpm_solver_pp_2m)), (DPMpp2MSDE(0.0), over(dpm_solver_pp_2m)), (DPMpp3M(), over(dpm_solver_pp_3m)),
    (DPMpp3MSDE(0.0), over(dpm_solver_pp_3m)), (DPMpp3MCorrected(), over(exact_integral))]


@pytest.mark.parametrize("grid", [schedules.karras(10.0, 0.02, 12), schedules.linear(10.0, 0.05, 30)],
                         ids=["karras", "linear"])
@pytest.mark.parametrize("sampler, reference", CASES, ids=lambda c: str(c) if hasattr(c, "legs") else "")
def test_it_is_the_paper_s(sampler, reference, grid):
    ours = sample(sampler, denoise, grid, len(START), 2, 0, Cpu(), books=False, start=START).x
    assert np.abs(ours - reference(grid)).max() < 1e-10
