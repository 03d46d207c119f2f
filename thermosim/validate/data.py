"""Made data and their laws: entropies, dead leaves, and the least work of cooling a swiss roll."""

from functools import lru_cache

import numpy as np

from ..datasets.dead_leaves import DeadLeaves, same_leaf
from ..datasets.swiss_roll import SwissRoll
from ..schedules import vp_chain
from ..score.exact import GaussianMixture
from ..thermo.grids.geodesic import MseCurve
from ..thermo.grids.least_work import least_work
from ..thermo.likelihood import null_bound
from ..thermo.work import mean_work
from .row import Row, row

BITS = 1 / np.log(2)


@row("swissroll.density", "E log2 p of the roll with noise 0.05, standardised without it", -1.394,
     "Gauss–Legendre × Gauss–Hermite", digits=4)
def swiss_roll_entropy():
    """E log₂ p of the roll, along it and across it."""
    return -SwissRoll().entropy(along=150, across=8) * BITS


def roll_mmse(sigma):
    """mmse of the swiss roll by the trapezium rule in the plane: E‖x_0‖² − E‖D‖²."""
    roll = SwissRoll()
    width = np.hypot(sigma, roll.noise)
    nodes = int(20 / width) + 40  # closer together than the width, where the mid-point rule is exact to rounding
    law = GaussianMixture(np.full(nodes, 1 / nodes), roll.curve(nodes), np.full(nodes, roll.noise**2))
    half = 2.2 + 6.5 * width
    axis = np.linspace(-half, half, int(2 * half / (0.85 * width)) + 2)
    x = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
    # far from the spiral there is nothing
    near = np.concatenate([((part[:, None] - law.means[::4]) ** 2).sum(axis=2).min(axis=1)
                           for part in np.array_split(x, 16)])
    x = x[near < (7.5 * width) ** 2]
    p = np.exp(law.log_density(x, sigma)) * (axis[1] - axis[0]) ** 2
    return law.second_moment() * p.sum() - p @ (law(x, sigma) ** 2).sum(axis=1)


@lru_cache(1)
def roll_curve():
    """mmse of the swiss roll, σ 50 → 0.01."""
    sigmas = np.geomspace(50.0, 0.01, 160)
    return MseCurve(sigmas, np.array([roll_mmse(s) for s in sigmas]))


@row("swissroll.length", "∫½√E‖Cov(x_0|x)‖_F² dλ by quadrature in the plane, σ 50 → 0.01", 5.7912,
     "slope of the mmse, the same quadrature", digits=4)
def roll_length():
    """Thermodynamic length of `roll_curve`."""
    return roll_curve().length


least = [
    Row(f"swissroll.P.T{T}", "least dissipation with posterior variance, σ 50 → 0.01; bits", P,
        "dynamic programming over quadrature",
        lambda T=T: roll_curve().dissipation(least_work(roll_curve(), 50.0, 0.01, T)) * BITS, digits=2.6)
    for T, P in ((40, 1.309), (100, 0.499), (400, 0.122))
]


@row("unit-gaussian.K", "−½ log2(2πe)·2, reverse = forward", -4.094191, "mean work of the chain; bits", digits=6.5)
def unit_gaussian():
    """K in bits of a point of two unit Gaussian components, exact denoiser."""
    steps, end = mean_work(vp_chain(8.0, 40, "beta"), lambda s: 2 * s**2 / (1 + s**2), 2.0, 2)
    return -(steps.sum() + end) * BITS


@row("unit-gaussian.K-null", "K − L_null = 0 for unit Gaussian data", 0.0, "mean work of the chain; bits", digits=12)
def unit_gaussian_over_null():
    """The same less the bound of the law that knows only the variance."""
    return unit_gaussian.compute() - null_bound(2) * BITS


def seen_leaves(pixels, radius=8):
    """P(same leaf) of pixels that far apart, over six canvases."""
    got = []
    for seed in range(6):
        top, _ = DeadLeaves(radius, radius).leaves(384, seed)
        got.append(0.5 * ((top[pixels:] == top[:-pixels]).mean() + (top[:, pixels:] == top[:, :-pixels]).mean()))
    return np.mean(got), np.std(got, ddof=1) / np.sqrt(len(got))


leaves = [
    Row(f"dead-leaves.same.{ratio:g}", "γ/(2 − γ), Bordenave, Gousseau, Roueff 2006", P, *how)
    for ratio, P in ((0.5, 0.520956), (1.0, 0.243010), (1.5, 0.077757))
    for how in (("closed form", lambda ratio=ratio: float(same_leaf(ratio)), 5.3),)
] + [
    Row(f"dead-leaves.seen.{ratio:g}", "γ/(2 − γ), equal discs", P, "pixels of six canvases",
        lambda ratio=ratio: seen_leaves(round(8 * ratio)), sigmas=6)
    for ratio, P in ((0.5, 0.520956), (1.0, 0.243010), (1.5, 0.077757))
]
