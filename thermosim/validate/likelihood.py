"""Likelihood as work, and the grid of least work."""

from functools import cache

import numpy as np

from .. import schedules
from ..backend.cpu.device import Cpu
from ..schedules import ve_chain, vp_chain
from ..score.exact import GaussianMixture
from ..runs.noising import heat
from ..thermo.grids.geodesic import MseCurve
from ..thermo.work import mean_work, reverse_density
from .row import Row, row

HOT = GaussianMixture([1.0], [[0.0]], [4.0])
R = GaussianMixture([0.4, 0.6], [[-1.5], [1.0]], [0.3**2, 0.2**2])
CLOSED = "P = K(σ_N²) + Σ ½(r − 1 − ln r), r = σ²_{n−1}/σ²_n"


def dissipated_work(steps, variance):
    """P of the DDPM chain s = 2, B = 10, equal steps, by quadrature of the mmse."""
    chain = vp_chain(10.0, steps, variance)
    work, end = mean_work(chain, HOT.mmse, 4.0)
    return work.sum() + end - HOT.entropy()


gaussian_beta = [
    Row(f"ddpm.P.beta.N{N}", CLOSED, P, "quadrature of mmse(σ)", lambda N=N: dissipated_work(N, "beta"), digits=7)
    for N, P in ((1, 0.8066485568), (10, 0.1891465679), (100, 0.0162046966), (1000, 0.0015937007))
]


@row("ddpm.P.posterior.N100", "closed sum with β̃, β at n = 1", 0.311266, "quadrature of mmse(σ)", digits=5.5)
def gaussian_posterior():
    """P of 100 steps with β̃, β at n = 1."""
    return dissipated_work(100, "posterior")


@row("ddpm.P.posterior.limit", "γ_E/2, the limit N → ∞", 0.5 * np.euler_gamma,
     "quadrature, fit P + (a + b ln N)/N", digits=4)
def gaussian_posterior_limit():
    """P with β̃ of 250, 500 and 1,000 steps, extrapolated."""
    steps = np.array([250, 500, 1000])
    terms = np.stack([np.ones(3), 1 / steps, np.log(steps) / steps], axis=1)
    return np.linalg.solve(terms, [dissipated_work(N, "posterior") for N in steps])[0]


def sampled_work(steps):
    """P from the booked work of 200,000 heated particles, with its standard error."""
    x0 = HOT.sample(200_000, seed=7, device=Cpu())
    run = heat(vp_chain(10.0, steps, "beta"), HOT, x0, seed=8, device=Cpu(), batch=50_000)
    mean, error = run.bound()
    return mean - HOT.entropy(), error


sampled = [
    Row(f"ddpm.P.sampled.N{N}", CLOSED, P, "200,000 particles", lambda N=N: sampled_work(N), sigmas=5, fast=N < 100)
    for N, P in ((1, 0.8066485568), (10, 0.1891465679), (100, 0.0162046966))
]


@row("ais.density", "transfer of the prior through every reverse kernel on a mesh", 0.0,
     "ln of the mean of e^{−W} over 200,000 paths, minus ln p_θ", sigmas=5)
def annealed_importance_sampling():
    """ln⟨e^{−W}⟩ − ln p_θ at x_0 = 0.8, with its standard error."""
    chain, x0 = ve_chain(np.concatenate(([0.0], np.geomspace(0.2, 10.0, 12))), "beta"), 0.8
    run = heat(chain, R, np.full((200_000, 1), x0), seed=3, device=Cpu(), batch=50_000)
    mesh = np.linspace(-60.0, 60.0, 6001)
    p = np.interp(x0, mesh, reverse_density(chain, R, mesh))
    weight = np.exp(-run.work)
    return np.log(weight.mean() / p), weight.std() / weight.mean() / np.sqrt(len(weight))


@cache
def reference_curve(mesh=200_001):
    """mmse of R at 400 noise levels, σ 50 → 0.01."""
    sigmas = np.geomspace(50.0, 0.01, 400)
    return MseCurve(sigmas, np.array([R.mmse(s) for s in sigmas]), mesh)


@row("mixture.length", "reference mixture R, σ 50 → 0.01", 4.211323, "quadrature of √ζ", digits=6)
def length():
    """Thermodynamic length of the reference mixture."""
    return reference_curve().length


@row("mixture.half-integral", "reference mixture R, ½∫mmse dλ", 3.831588, "quadrature", digits=6)
def half_integral():
    """½∫mmse dλ of the reference mixture."""
    return reference_curve().integral(0.01)


def over_optimum(grid, steps, optimum):
    """P of a grid over the dynamic-programming optimum of Watson et al. (2106.03802)."""
    curve = reference_curve()
    sigmas = curve.geodesic(50.0, 0.01, steps) if grid == "geodesic" else getattr(schedules, grid)(50.0, 0.01, steps)
    return curve.dissipation(sigmas) / optimum


grids_over_optimum = [
    Row(f"mixture.P.{grid}.N{N}", "P over the dynamic-programming optimum on R", ratio, "quadrature",
        lambda grid=grid, N=N, best=best: over_optimum(grid, N, best), digits=digits)
    for N, best, *ratios in (
        (5, 7.561759, 1.0872, 11.784, 2.789), (10, 2.499554, 1.0203, 4.760, 2.066),
        (20, 1.047506, 1.0044, 3.221, 1.793), (50, 0.378633, 1.0006, 2.661, 1.670))
    for grid, ratio, digits in zip(("geodesic", "karras", "log_snr"), ratios, (4, 3.6, 3.4))
]
