"""Schedules of least work and of least transport error; the speed–accuracy inequality."""

import numpy as np

from ..score.exact import GaussianMixture
from ..thermo import speed_accuracy
from ..thermo.least_work import least_work
from .likelihood import reference_curve
from .row import Row, row

WATSON = "dynamic programming, Watson et al. 2106.03802, on the reference mixture R"


def optimum(steps):
    """Least dissipated work on R, σ 50 → 0.01."""
    curve = reference_curve()
    return curve.dissipation(least_work(curve, 50.0, 0.01, steps))


optima = [
    Row(f"mixture.P.optimum.N{N}", WATSON, P, "dynamic programming over 200,001 levels", lambda N=N: optimum(N),
        digits=6, fast=False)
    for N, P in ((5, 7.561759), (10, 2.499554), (20, 1.047506), (50, 0.378633))
]

IKEDA = "Ikeda et al. 2407.04495: data N(0, 1/4), noise N(0, 1), perturbed start N(1, 1), τ = 1"


def gaussian(mean, variance):
    return GaussianMixture([1.0], [[mean]], [variance])


@row("speed-accuracy.left", IKEDA, 0.1454942, "quadrature of W1 and χ²", digits=6)
def left_side():
    return speed_accuracy.response(gaussian(0.0, 0.25), gaussian(0.0, 1.0), gaussian(1.0, 1.0), points=20_001)


@row("speed-accuracy.transport", IKEDA, 0.25, "W2² of the ends by quantiles", digits=6)
def optimal_transport():
    u = (np.arange(200_000) + 0.5) / 200_000
    far, near = (speed_accuracy.mixture_quantiles(gaussian(0.0, v), u) for v in (1.0, 0.25))
    # the two tails of half a cell each hold what the midpoint rule loses: removed by Richardson in 1/n
    half = (np.arange(100_000) + 0.5) / 100_000
    far2, near2 = (speed_accuracy.mixture_quantiles(gaussian(0.0, v), half) for v in (1.0, 0.25))
    return 2 * np.mean((far - near) ** 2) - np.mean((far2 - near2) ** 2)


@row("speed-accuracy.cosine", IKEDA, 0.3084251, "sum over 20,000 times", digits=6)
def cosine_dynamics():
    return speed_accuracy.gaussian_action(speed_accuracy.cosine, 0.25)


@row("speed-accuracy.conditional-transport", IKEDA, 0.4646018, "sum over 20,000 times", digits=6)
def conditional_dynamics():
    return speed_accuracy.gaussian_action(speed_accuracy.conditional_transport, 0.25)
