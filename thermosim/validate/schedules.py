"""Schedules of least work and of least transport error; the speed–accuracy inequality."""

from functools import cache

import numpy as np

from .. import schedules
from ..backend.cpu.device import Cpu
from ..runs.sampling import sample
from ..samplers import Euler, Heun
from ..score.exact import GaussianMixture
from ..thermo import speed_accuracy
from ..thermo.grids.least_work import least_work
from ..thermo.grids.pilot import Pilot
from ..thermo.grids.transport import transport_geodesic
from .likelihood import R, reference_curve
from .row import Row, row

WATSON = "dynamic programming, Watson et al. 2106.03802, on the reference mixture R"


def optimum(steps):
    """Least dissipated work on R, σ 50 → 0.01."""
    curve = reference_curve(100_001)
    return curve.dissipation(least_work(curve, 50.0, 0.01, steps))


optima = [
    Row(f"mixture.P.optimum.N{N}", WATSON, P, "dynamic programming over 100,001 levels", lambda N=N: optimum(N),
        digits=6, fast=False)
    for N, P in ((5, 7.561759), (10, 2.499554), (20, 1.047506), (50, 0.378633))
]


@row("mixture.P.N-over-length-squared", "P·N/L² → 1 (Crooks 0706.0559)", 1.0, "geodesic of 5,000 steps on R", digits=3)
def long_geodesic():
    """P·N/L² of a geodesic of 5,000 steps."""
    curve = reference_curve()
    return curve.dissipation(curve.geodesic(50.0, 0.01, 5000)) * 5000 / curve.length**2


# --- W2 of probability-flow samplers on R: from 20,000 mid-quantiles of p_50 to σ = 0.01, against those of the data


@cache
def ends():
    """Mid-quantiles of p_50, (20000, 1), and of the data, (20000,)."""
    u = (np.arange(20_000) + 0.5) / 20_000
    return speed_accuracy.mixture_quantiles(R, u, s=50.0)[:, None], speed_accuracy.mixture_quantiles(R, u)


@cache
def pilot():
    """Of every 20th of those quantiles."""
    return Pilot(R, ends()[0][10::20], 50.0, 0.01, fine=200)


def distance(sampler, sigmas):
    """W2 of the sampler's end to the data."""
    start, data = ends()
    x = sample(sampler, R, sigmas, len(start), 1, 0, Cpu(), batch=len(start), books=False, start=start).x
    return np.sqrt(np.mean((np.sort(x[:, 0]) - data) ** 2))


def transport_rows(sampler, name, source, make, digits, references):
    """Rows of one sampler over one grid of 5, 10, 20 and 50 steps."""
    return [Row(f"transport.{sampler}.{name}.N{N}", source, W2, "20,000 quantiles carried by the exact score",
                lambda N=N: distance(sampler, make(N)), digits=digits) for N, W2 in zip((5, 10, 20, 50), references)]


KARRAS = "Karras et al. 2206.00364, eq. 5, on R"
AYS = "Sabour et al. 2404.14507, Theorem 3.1, unit variance, on R"
ROOT = "equal steps in ∫√ε dlnσ, ε the rms of dD/dlnσ along the flow, on R"
euler_karras = transport_rows(Euler(), "karras", KARRAS, lambda N: schedules.karras(50.0, 0.01, N), 2.7,
                              (0.3234, 0.1482, 0.0745, 0.0314))
euler_arctan = transport_rows(Euler(), "arctan", AYS, lambda N: schedules.cosine(50.0, 0.01, N), 2.7,
                              (0.1528, 0.0856, 0.0500, 0.0250))
euler_geodesic = transport_rows(Euler(), "geodesic", ROOT, lambda N: transport_geodesic(pilot(), N), 1.5,
                                (0.177, 0.084, 0.045, 0.021))
heun_karras = transport_rows(Heun(), "karras", KARRAS, lambda N: schedules.karras(50.0, 0.01, N), 2.1,
                             (0.4320, 0.0841, 0.0262, 0.0079))
heun_arctan = transport_rows(Heun(), "arctan", AYS, lambda N: schedules.cosine(50.0, 0.01, N), 2.4,
                             (0.5220, 0.1543, 0.0486, 0.0117))
heun_geodesic = transport_rows(Heun(), "geodesic", ROOT, lambda N: transport_geodesic(pilot(), N), 1.5,
                               (0.186, 0.053, 0.019, 0.0058))

IKEDA = "Ikeda et al. 2407.04495: data N(0, 1/4), noise N(0, 1), perturbed start N(1, 1), τ = 1"


def gaussian(mean, variance):
    """N(mean, variance) on the line."""
    return GaussianMixture([1.0], [[mean]], [variance])


@row("speed-accuracy.left", IKEDA, 0.1454942, "quadrature of W1 and χ²", digits=6)
def left_side():
    """(ΔW1)²/D_0 of the perturbed start."""
    return speed_accuracy.response(gaussian(0.0, 0.25), gaussian(0.0, 1.0), gaussian(1.0, 1.0), points=20_001)


@row("speed-accuracy.transport", IKEDA, 0.25, "W2² of the ends by quantiles", digits=6)
def optimal_transport():
    """Action of the W2 geodesic: W2² of the ends."""
    u = (np.arange(200_000) + 0.5) / 200_000
    far, near = (speed_accuracy.mixture_quantiles(gaussian(0.0, v), u) for v in (1.0, 0.25))
    # the two tails of half a cell each hold what the midpoint rule loses: removed by Richardson in 1/n
    half = (np.arange(100_000) + 0.5) / 100_000
    far2, near2 = (speed_accuracy.mixture_quantiles(gaussian(0.0, v), half) for v in (1.0, 0.25))
    return 2 * np.mean((far - near) ** 2) - np.mean((far2 - near2) ** 2)


@row("speed-accuracy.cosine", IKEDA, 0.3084251, "sum over 20,000 times", digits=6)
def cosine_dynamics():
    """Action of the cosine schedule."""
    return speed_accuracy.gaussian_action(speed_accuracy.cosine, 0.25)


@row("speed-accuracy.conditional-transport", IKEDA, 0.4646018, "sum over 20,000 times", digits=6)
def conditional_dynamics():
    """Action of the conditional optimal transport."""
    return speed_accuracy.gaussian_action(speed_accuracy.conditional_transport, 0.25)
