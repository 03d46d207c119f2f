"""Entropy production of noising processes."""

import numpy as np

from ..schedules import EDM, VE, VP
from ..score.exact import GaussianMixture
from ..thermo.entropy import Noised
from .row import row

HOT = GaussianMixture([1.0], [[0.0]], [4.0])  # N(0, 2²)
UNIT = GaussianMixture([1.0], [[0.0]], [1.0])
DELTAS = GaussianMixture([0.5, 0.5], [[-1.0], [1.0]], [0.0, 0.0])
KINETIC = "Σ = ½(v − 1 − ln v) between the end variances"


@row("vp.sigma.s2.B10", KINETIC, 0.8068528148, "quadrature of E|ν|²/D", digits=9)
def vp_entropy_production():
    """Σ of N(0, 2²) noised by VP to ∫β = 10."""
    return Noised(VP(10.0, 10.0), HOT).entropy_production(0.0, 1.0)


@row("vp.epr.s2.t0", "½β s²(1 − 1/s²)² at t = 0, β = 1", 1.125, "quadrature", digits=9)
def vp_initial_rate():
    """Rate of entropy production of N(0, 2²) under VP at t = 0."""
    return Noised(VP(1.0, 1.0), HOT).entropy_production_rate(0.0)


@row("edm.sigma.s1", "½ln((1 + 80²)/(1 + 0.002²))", 4.3821028, "quadrature of E|ν|²/D", digits=7)
def edm_entropy_production():
    """Σ of N(0, 1) noised by EDM from σ = 0.002 to 80."""
    return Noised(EDM(), UNIT).entropy_production(0.002, 80.0)


@row("ve.sigma.two-deltas", "Δh of ½N(−1, σ²) + ½N(1, σ²), σ 0.1 → 3", 2.7607218380, "quadrature of E|ν|²/D", digits=8)
def ve_two_deltas():
    """Σ of two point masses noised by VE."""
    return Noised(VE(0.1, 3.0), DELTAS, points=20_001).entropy_production(0.0, 1.0)


@row("vp.h-theorem.mixture", "Σ = KL(p_0‖N) − KL(p_T‖N), zero difference", 0.0, "two quadratures", digits=8)
def vp_h_theorem():
    """Σ of a mixture noised by VP, less the fall of its KL to N(0, 1)."""
    data = GaussianMixture([0.4, 0.6], [[-1.5], [1.0]], [0.09, 0.04])
    noised = Noised(VP(5.0, 5.0), data)
    return noised.entropy_production(0.0, 1.0) - noised.kl_to_normal(0.0) + noised.kl_to_normal(1.0)


@row("ve.de-bruijn", "dh/dσ = σ·I: Σ of free diffusion is Δh", 0.0, "entropy and rate, two quadratures", digits=7)
def de_bruijn():
    """Σ of a mixture noised by VE, less the rise of its entropy."""
    data = GaussianMixture([0.3, 0.7], [[-1.0], [0.5]], [0.25, 0.04])

    def entropy(sigma):
        y = np.linspace(*data.support(sigma), 40_001)
        log_p = data.log_density(y[:, None], sigma)
        return -np.sum(np.exp(log_p) * log_p) * (y[1] - y[0])

    return Noised(VE(0.1, 3.0), data).entropy_production(0.0, 1.0) - entropy(3.0) + entropy(0.1)
