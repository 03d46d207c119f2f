"""Measured orders of the samplers: of the flow's against the exact quantile map, of the marginals on Gaussian data."""

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr

from .. import schedules
from ..backend.cpu.device import Cpu
from ..runs.sampling import sample
from ..samplers import (DDPM, DPM2, LMS, Ancestral, DDPMBeta, DPMpp2M, DPMpp2MSDE, DPMpp2S, DPMpp3M,
                        DPMpp3MCorrected, DPMpp3MSDE,
                        DPMppSDE, Euler, EulerAncestral, Heun)
from ..score.exact import GaussianMixture
from ..score.reverse import Least
from .row import Row, row

STEPS = (100, 200, 400, 800)
HOT, COLD = 10.0, 0.05
MIXTURE = GaussianMixture([0.4, 0.6], [[-1.5], [1.0]], [0.3**2, 0.2**2])
QUANTILES = (np.arange(32) + 0.5) / 32
DATA = 0.25  # variance of the Gaussian data


def quantiles(sigma):
    """Of the noised mixture, (32, 1), by root finding."""
    width = np.sqrt(MIXTURE.eigvals[:, 0] + sigma**2)
    return np.array([[brentq(lambda x: MIXTURE.weights @ ndtr((x - MIXTURE.means[:, 0]) / width) - u, -80,
                             80, xtol=1e-14)]
                     for u in QUANTILES])


def order(errors):
    """Slope of ln error against ln(1/steps)."""
    return -np.polyfit(np.log(STEPS), np.log(errors), 1)[0]


def order_of_the_flow(sampler):
    """Median error where 32 quantiles of p_10 end; the flow of one dimension keeps quantiles."""
    start, end = quantiles(HOT), quantiles(COLD)
    runs = (sample(sampler, MIXTURE, schedules.karras(HOT, COLD, N), len(start), 1, 0, Cpu(), books=False, start=start)
            for N in STEPS)
    return order([np.median(np.abs(run.x - end)) for run in runs])


class Impulses:
    """Draws in which particle k is given the k-th normal of the run as 1 and all others as 0."""

    def __init__(self, n):
        self.n, self.k = n, 0

    def normals(self):
        """The next normal of the run, (n, 1)."""
        self.k += 1
        return (np.arange(self.n) == self.k).astype(float)[:, None]


def end_variance(sampler, sigmas):
    """Variance at the end of a sampler on Gaussian data: there
    it is linear, and the sum of squared responses is exact."""
    N = len(sigmas) - 1
    draws, memory = Impulses(1 + N * sampler.draws), {"steps": N}
    x = np.sqrt(DATA + sigmas[0] ** 2) * (np.arange(draws.n) == 0)[:, None]
    for sigma, sigma_next in zip(sigmas[:-1], sigmas[1:]):
        for leg in sampler.legs(float(sigma), float(sigma_next), memory):
            _, x = leg.move(x, lambda y, s: DATA / (DATA + s * s) * y, draws)
    return float((x * x).sum())


def order_of_the_marginals(sampler):
    """Of the relative error of the end variance."""
    errors = [abs(end_variance(sampler, schedules.karras(5.0, COLD, N)) / (DATA + COLD**2) - 1) for N in STEPS]
    return order(errors)


flow_orders = [
    Row(f"sampler.order.{sampler}", source, expected, "exact mixture score, N = 100 … 800, against the quantile map",
        lambda sampler=sampler: order_of_the_flow(sampler), digits=np.log10(expected / 0.2))
    for sampler, expected, source in (
        (Euler(), 1, "Song, Meng, Ermon 2010.02502"), (Heun(), 2, "Karras et al. 2206.00364"),
        (DPM2(), 2, "Lu et al. 2206.00927"), (DPMpp2S(), 2, "Lu et al. 2211.01095"),
        (DPMpp2M(), 2, "Lu et al. 2211.01095"),
        (LMS(2), 2, "Adams–Bashforth"), (DPMpp3M(), 2, "Lu et al. 2211.01095, as published"),
        (DPMpp3MCorrected(), 3, "with the second derivative in full"))
]

marginal_orders = [
    Row(f"sampler.weak-order.{sampler}", source, expected, "exact variance on Gaussian data, N = 100 … 800",
        lambda sampler=sampler: order_of_the_marginals(sampler), digits=np.log10(expected / 0.2))
    for sampler, expected, source in (
        (EulerAncestral(), 1, "Ho et al. 2006.11239"), (DDPMBeta(), 1, "Ho et al. 2006.11239"),
        (Heun(s_churn=10.0), 2, "Karras et al. 2206.00364"), (Ancestral(DPM2()), 2, "order of its flow"),
        (Ancestral(DPMpp2S()), 2, "order of its flow"), (DPMppSDE(), 2, "Lu et al. 2211.01095"),
        (DPMpp2MSDE(), 2, "Lu et al. 2211.01095"), (DPMpp3MSDE(), 2, "Lu et al. 2211.01095, as published"))
]


@row("sampler.least-variance.gaussian", "Bao et al. 2201.06503, Theorem 1", DATA + COLD**2,
     "ddpm in three steps with the least reverse variances, exact variance at the end", digits=12)
def least_variance():
    """A step with them keeps the second moment, however long it is; β̃ in their place would keep a third of it."""
    return end_variance(DDPM(Least(lambda x, sigma: DATA * sigma**2 / (DATA + sigma**2)).variance),
                        schedules.karras(5.0, COLD, 3))
