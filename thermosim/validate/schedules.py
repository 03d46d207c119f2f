"""Schedules of least work and of least transport error; the speed–accuracy inequality (PHYSICS §3, §4)."""

from ..thermo.least_work import least_work
from .likelihood import reference_curve
from .row import Row

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
