"""Samplers as cycles: their books in the trap U = y²/2, and the engine that data → noise → data is."""

import functools

import numpy as np

from .. import schedules
from ..backend.cpu.device import Cpu
from ..runs.sampling import sample
from ..samplers import DDIM, Carnot
from ..samplers.books import book
from ..samplers.frames import TRAP
from ..schedules import VP
from ..score.exact import GaussianMixture
from ..thermo.efficiency import eta_cycle, eta_II, eta_step
from ..thermo.entropy import Noised
from ..thermo.speed_accuracy import mixture_quantiles
from ..thermo.work import excess_over_equilibrium
from .efficiency import COLD
from .row import Row, row

LEGS = "legs of the sampler weighed at quadrature nodes, N → ∞ by Richardson"
FINE = "continuous reverse SDE to N(0, s²), closed form"


class Nodes:
    """Normals at the nodes of a quadrature."""

    def __init__(self, z):
        self.z = z

    def normals(self):
        """The nodes, whenever asked."""
        return self.z


def weighed(sampler, sigmas, s2):
    """{work, heat, dS, dF, Sigma} of a one-step sampler on N(0, s2), from N(0, 1) in the trap: every law stays
    Gaussian, every mean is that of a polynomial of second degree in x and the noise, and nine nodes make it exact."""
    z, weight = np.polynomial.hermite_e.hermegauss(3)
    nodes, weights = (np.stack(np.meshgrid(z, z), -1).reshape(-1, 2),
                      np.outer(weight, weight).ravel() / weight.sum() ** 2)
    w = start = sigmas[0] ** 2
    total = {"work": 0.0, "heat": 0.0}
    for sigma, after in zip(sigmas[:-1], sigmas[1:]):
        for leg in sampler.legs(float(sigma), float(after), {"steps": len(sigmas) - 1}):
            x = np.sqrt(w) * nodes[:, :1]
            denoise = lambda at, s: s2 / (s2 + s * s) * at  # noqa: E731
            mean, x_new = leg.move(x, denoise, Nodes(nodes[:, 1:]))
            booked = book(leg, x, mean, x_new, denoise, TRAP)
            for name in total:
                total[name] += weights @ booked[name]
            w = weights @ x_new[:, 0] ** 2
    v, v_0 = (TRAP.alpha(s) ** 2 * u for s, u in ((sigmas[-1], w), (sigmas[0], start)))
    dS = 0.5 * np.log(v / v_0)
    dF = excess_over_equilibrium(v) - excess_over_equilibrium(v_0)
    return total | {"dS": dS, "dF": dF, "Sigma": dS - total["heat"]}


@functools.lru_cache(None)
def limit(eta, s2):
    """The same of ddim(eta) in the limit of fine steps, by Romberg
    over 250, 500, 1000 steps between σ = 1000 and 0.001."""
    table = [weighed(DDIM(eta), schedules.log_snr(1000.0, 0.001, N), s2) for N in (250, 500, 1000)]
    once = [{k: 2 * b[k] - a[k] for k in a} for a, b in zip(table, table[1:])]
    return {k: (4 * once[1][k] - once[0][k]) / 3 for k in once[0]}


books = [
    Row(f"trap.{name}.s2", FINE, value, LEGS, lambda name=name: limit(1.0, 4.0)[name], digits=4.5)
    for name, value in (("work", 1.6137056), ("heat", -0.1137056), ("dS", 0.6931472), ("Sigma", 0.8068528))
] + [
    Row(f"trap.eta_II.ddim.xi{eta**2:.2g}.s{s:g}", "ξ/(1 + ξ), the H-theorem", eta**2 / (1 + eta**2), LEGS,
        lambda eta=eta, s=s: float(eta_II(limit(eta, s * s)["dF"], limit(eta, s * s)["Sigma"])), digits=4.5)
    for eta, s in ((1.0, 0.5), (1.0, 2.0), (0.5**0.5, 0.5), (0.5, 0.5))
]


@row("trap.eta_step.s0.5", "ln 2/(K(¼) + ln 2), the whole continuous stroke",
     np.log(2) / (excess_over_equilibrium(0.25) + np.log(2)), LEGS, digits=5)
def landauer():
    """Order gained over entropy given to the bath, of a fine stroke to N(0, ¼)."""
    fine = limit(1.0, 0.25)
    return float(eta_step(fine["dS"], -fine["heat"]))


@row("trap.bit-cost.s0.5", "heat of the one bit of order in N(0, ¼), k_B T; ln 2 at least",
     excess_over_equilibrium(0.25) + np.log(2), LEGS, digits=5)
def cost_of_a_bit():
    """Heat given per bit of order gained by that stroke."""
    fine = limit(1.0, 0.25)
    return -fine["heat"] * np.log(2) / -fine["dS"]


@row("eta_II.chain.noising-kernel", "s = 0.5, B = 3, N = 10, against the exact noising kernel", 0.3687,
     "closed moments of the chain", digits=3.9)
def against_the_noising_kernel():
    """Σ = ΔS + ⟨ln k(x'|x) − ln q(x|x')⟩ of the Euler–Maruyama chain, q the exact Ornstein–Uhlenbeck step."""
    h, w = 0.3, 1 - 0.75 * np.exp(-3.0)
    start, a, v, ratio = w, np.exp(-0.15), -np.expm1(-0.3), 0.0
    for b in np.linspace(3.0, 0.0, 11)[:-1]:
        m = 1 + h * (0.5 - 1 / (1 - 0.75 * np.exp(-b)))
        after = m * m * w + h
        ratio += 0.5 * (np.log(v / h) - 1 + (w - 2 * a * m * w + a * a * after) / v)
        w = after
    return float(eta_II(excess_over_equilibrium(w) - excess_over_equilibrium(start), 0.5 * np.log(w / start) + ratio))


@row("eta_cycle.undriven", "heat undriven, K = Σ_f: no engine", 0.0,
     "quadratures of Σ and KL, s = 0.5, B = 20", digits=7)
def undriven():
    """η_cycle with the entropy production of noising on the way back, too."""
    noised = Noised(VP(20.0, 20.0), COLD)
    Sigma = noised.entropy_production(0.0, 1.0)
    return float(eta_cycle(noised.kl_to_normal(0.0), Sigma, Sigma))


@row("eta_cycle.geodesic.s0.5", "(K − W2²/Dτ)/(K + W2²/Dτ), Dτ = 5", 0.7283695,
     "K by quadrature, W2 by quantiles and Richardson", digits=6)
def geodesic():
    """η_cycle along the W2 geodesic between N(0, ¼) and N(0, 1), there and back."""
    W2 = []
    for n in (20_000, 40_000):  # the tails of the midpoint rule lose a share ∝ 1/n
        u = (np.arange(n) + 0.5) / n
        W2.append(np.mean((mixture_quantiles(COLD, u, 0.0, 1.0) - mixture_quantiles(COLD, u)) ** 2))
    Sigma = (2 * W2[1] - W2[0]) / 5.0
    K = 0.5 * COLD.second_moment() - COLD.entropy() + 0.5 * np.log(2 * np.pi)
    return float(eta_cycle(K, Sigma, Sigma))


def staircase(N):
    """N·Σ of Carnot on N(0, ¼), 60 long isotherms at each of N levels
    equally far apart in ln of the law's variance in the trap."""
    target = lambda sigma: (0.25 + sigma**2) / (1 + sigma**2)  # noqa: E731
    u = np.exp(np.linspace(np.log(target(20.0)), np.log(target(0.3)), N + 1))
    sampler = Carnot(3.0, 60, mse=lambda sigma: 0.25 * sigma**2 / (0.25 + sigma**2))
    return N * weighed(sampler, np.sqrt((u - 0.25) / (1 - u)), 0.25)["Sigma"]


@row("carnot.thermodynamic-length", "N·Σ → ¼(Δ ln v)² of the targets: a reversible limit",
     0.25 * np.log(0.34 / 1.09 * 401 / 400.25) ** 2,
     "legs weighed at quadrature nodes, 10 and 20 levels, Richardson", digits=2)
def reversible_limit():
    """`staircase` of 10 and 20 levels, extrapolated."""
    coarse, fine = staircase(10), staircase(20)
    return 2 * fine - coarse


@row("carnot.fluctuation-theorem", "⟨e^{−Σ}⟩ = 1 on two modes, four coarse steps", 1.0, "50,000 particles", sigmas=5)
def fluctuation_theorem():
    """Mean of e^{−Σ} over particles weighed against N(0, 1) at the end, with its standard error."""
    law, grid, n = GaussianMixture([0.4, 0.6], [[-1.2], [0.8]], [0.2, 0.1]), schedules.karras(1.5, 0.3, 4), 50_000
    run = sample(Carnot(0.8, 2), law, grid, n, 1, 11, Cpu(), batch=n, frame=TRAP)
    v, y = (TRAP.alpha(grid[0]) * grid[0]) ** 2, TRAP.alpha(grid[-1]) * run.x[:, 0]
    y_0 = TRAP.alpha(grid[0]) * grid[0] * Cpu().normals(11, 0, 0, n, 1)[:, 0]
    weight = np.exp(0.5 * (y_0**2 / v + np.log(v) - y**2) - run.totals["entropy_env"])
    return weight.mean(), weight.std() / np.sqrt(n)


LEVELS = schedules.karras(3.0, 0.1, 8)


def recursion():
    """Σ of Carnot on N(0, ¼): in y the variance u relaxes towards
    that of p_σ on each isotherm, and jumps do nothing."""
    K, u, Sigma = excess_over_equilibrium, LEVELS[0] ** 2 / (1 + LEVELS[0] ** 2), 0.0
    for sigma in LEVELS[1:]:
        held, m = (0.25 + sigma**2) / (1 + sigma**2), 1 + np.expm1(-1.0) * sigma**2 / (0.25 + sigma**2)
        u, before = held + m * m * (u - held), u
        Sigma += K(before / held) - K(u / held)
    return Sigma, u


@row("carnot.Sigma.gaussian", "ΣK(u/u*) − K(u'/u*), recursion of the variance, s = ½, 8 levels", recursion()[0],
     "50,000 particles", sigmas=5)
def carnot_particles():
    """Σ of sampled particles, σ_env as booked and ΔS in closed form, with its standard error."""
    sampler, n = Carnot(mse=lambda sigma: 0.25 * sigma**2 / (0.25 + sigma**2)), 50_000
    run = sample(sampler, lambda x, s: 0.25 / (0.25 + s * s) * x, LEVELS, n, 1, 12, Cpu(), batch=n, frame=TRAP)
    given = run.totals["entropy_env"]
    dS = 0.5 * np.log(recursion()[1] * (1 + LEVELS[0] ** 2) / LEVELS[0] ** 2)
    return dS + given.mean(), given.std() / np.sqrt(n)
