"""Efficiencies of a sampler."""

import numpy as np

from ..schedules import EDM, VP, vp_chain
from ..score.exact import GaussianMixture
from ..thermo.efficiency import coefficient_of_variation, eta_geo, eta_II, eta_path
from ..thermo.entropy import Noised
from ..thermo.work import excess_over_equilibrium, mean_work
from .row import Row, row

HOT = GaussianMixture([1.0], [[0.0]], [4.0])
COLD = GaussianMixture([1.0], [[0.0]], [0.25])
UNIT = GaussianMixture([1.0], [[0.0]], [1.0])
MIXTURE = GaussianMixture([0.4, 0.6], [[-1.5], [1.0]], [0.09, 0.04])


def path_efficiency(steps):
    """η_path of the DDPM chain s = 2, B = 10 with variance β."""
    work, end = mean_work(vp_chain(10.0, steps, "beta"), HOT.mmse, 4.0)
    return float(eta_path(excess_over_equilibrium(4.0), work.sum() + end - HOT.entropy()))


path = [
    Row(f"eta_path.N{N}", "K/(K + P), closed forms", eta, "quadrature of mmse(σ)",
        lambda N=N: path_efficiency(N), digits=7)
    for N, eta in ((1, 0.5000633), (10, 0.8100937), (100, 0.9803116), (1000, 0.9980287))
]


def geo_efficiency(data, process, t0, t1, w2):
    """η_geo of a 1-D Gaussian: W2 is the change of its standard deviation."""
    noised = Noised(process, data)
    return float(eta_geo(w2, noised.diffusion(t0, t1), noised.entropy_production(t0, t1)))


def vp_geo(data, s, B):
    """η_geo of N(0, s²) noised by VP to ∫β = B."""
    return geo_efficiency(data, VP(B, B), 0.0, 1.0, abs(np.sqrt(1 + (s * s - 1) * np.exp(-B)) - s))


geo = [
    Row(f"eta_geo.vp.s{s}.B{B}", "W2²/(∫D dt·Σ), closed forms", eta, "quadrature of Σ",
        lambda data=data, s=s, B=B: vp_geo(data, s, B), digits=6.5)
    for data, s, B, eta in (
        (HOT, 2.0, 1, 0.9637388), (HOT, 2.0, 10, 0.2478429), (COLD, 0.5, 1, 0.8358515), (COLD, 0.5, 10, 0.1571493))
]


@row("eta_geo.edm.s1", "W2²/(∫D dt·Σ), closed forms", 0.4451336, "quadrature of Σ", digits=6.5)
def geo_edm():
    """η_geo of N(0, 1) noised by EDM from σ = 0.002 to 80."""
    return geo_efficiency(UNIT, EDM(), 0.002, 80.0, np.sqrt(1 + 80.0**2) - np.sqrt(1 + 0.002**2))


def second_law(data, xi=1.0):
    """η_II = ΔF/W_on of the reverse process, from the exact p_T; W_on by the line integral of the force."""
    dF, work = Noised(VP(20.0, 20.0), data).second_law_work(0.0, 1.0, xi)
    return dF / work


second_laws = [
    Row(f"eta_II.{name}.xi{xi:g}", "ξ/(1 + ξ), the H-theorem", xi / (1 + xi), "ΔF and W_on by separate quadratures",
        lambda data=data, xi=xi: second_law(data, xi), digits=7)
    for name, data in (("gaussian", COLD), ("mixture", MIXTURE)) for xi in (1.0, 0.5)
]


def reverse_chain(s, B, N):
    """Euler–Maruyama chain of the reverse VP SDE on N(0, s²): its moments, step by step, in closed form.

    Returns ΔKL, Σ from σ_env of the step kernel, Σ from −Q/T, and Q_n booked by the line integral.
    """
    b = np.linspace(B, 0.0, N + 1)
    h = B / N  # in units of ∫β
    variance = 1 + (s * s - 1) * np.exp(-b)
    w = variance[0]
    entropy_env, heat = 0.0, []
    K = excess_over_equilibrium
    start = w
    for n in range(N):
        # drift ½x + s(x) = g·x over h, kernel N((1 + gh)x, h); σ_env, the ends exchanged
        g = 0.5 - 1 / variance[n]
        m = 1 + g * h
        w_new = m * m * w + h
        entropy_env += 0.5 * (m * m - 1) * (w_new - w) / h
        # F = drift/mobility = 2g·x, Q = −½(F + F')·Δx
        heat.append(-2 * g * 0.5 * (w_new - w))
        w = w_new
    dS = 0.5 * np.log(w / start)
    return K(w) - K(start), dS + entropy_env, dS - sum(heat), heat


@row("eta_II.chain.entropy", "Gaussian moments of the chain, s = 0.5, B = 3, N = 10", 0.566135,
     "closed moments, σ_env of the step kernel", digits=6)
def second_law_chain():
    """η_II of `reverse_chain`, its entropy production from σ_env."""
    dF, Sigma, _, _ = reverse_chain(0.5, 3.0, 10)
    return float(eta_II(dF, Sigma))


@row("eta_II.chain.heat", "the same with −Q/T, which omits the shadow work", 0.371074, "closed moments, −Q/T", digits=6)
def second_law_chain_heat():
    """η_II of `reverse_chain`, its entropy production from −Q/T."""
    dF, _, Sigma, _ = reverse_chain(0.5, 3.0, 10)
    return float(eta_II(dF, Sigma))


@row("heat.cv.chain", "population std over |mean| of Q_n, s = 2, B = 5, N = 10", 4.57,
     "closed moments, line integral", digits=3)
def heat_variation():
    """Coefficient of variation of Q_n over the steps of `reverse_chain`."""
    return coefficient_of_variation(reverse_chain(2.0, 5.0, 10)[3])
