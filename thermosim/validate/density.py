"""Fokker–Planck on a grid: spectra, first passages, free energies.

Where a row says Richardson its value is (4·v(n/2) − v(n))/3 of two cell widths: the error of the grid is
second order, and this cancels its leading term.
"""

from functools import cache

import numpy as np

from ..datasets.swiss_roll import SwissRoll
from ..fokker_planck import Axis, FokkerPlanck, Grid, Noising, SecondOrder, entropy, marginal, w2
from ..potentials import DoubleWell, Harmonic
from ..protocols import Linear
from ..schedules import VE, VP, vp_chain
from ..thermo.efficiency import eta_geo
from ..thermo.work import excess_over_equilibrium, mean_work
from .row import Row, row


def richardson(value, cells):
    """Extrapolate value(cells) of second order to cells → ∞, from `cells` and twice as many."""
    return (4 * value(2 * cells) - value(cells)) / 3


def well(T, cells, high=3.0, ends="open"):
    """The double well on [−3, high]."""
    return FokkerPlanck(DoubleWell(), T, 1.0, Grid(Axis.uniform(-3.0, high, cells, ends)))


def rate(T, k):
    """The k-th nonzero relaxation rate of U = (x² − 1)²."""
    return richardson(lambda n: well(T, n).spectrum(k + 1).rates[k], 1200)


spectrum = [
    Row(f"well.rate{k}.T{T:g}", "U = (x² − 1)², μ = 1, Hermite–Galerkin", value, "tridiagonal eigenvalues, Richardson",
        lambda T=T, k=k: rate(T, k), digits=7.5)
    for T, values in ((0.25, (0.0297795933, 3.31039406, 5.51224030, 7.91147834)),
                      (1.0, (0.748681672, 6.00411367, 11.6606956, 18.6431468)))
    for k, value in enumerate(values, 1)
]


def passage(target):
    """Mean time from −1 to the absorbing end at `target`, T =
    0.25, read off a polynomial through the six cells about −1."""
    def value(cells):
        """τ on that many cells."""
        fp = well(0.25, cells, target, ("open", "absorbing"))
        x, tau = fp.grid.axes[0].centers, fp.first_passage()
        near = np.argsort(np.abs(x + 1))[:6]
        return np.polyval(np.polyfit(x[near] + 1, tau[near], 5), 0.0)

    return richardson(value, 1200)


passages = [
    Row(f"well.first-passage.{name}", "double integral, Gardiner §5.2.7", value, "backward equation, Richardson",
        lambda target=target: passage(target), digits=7)
    for name, target, value in (("top", 0.0, 33.945744), ("far-well", 1.0, 69.263645))
]


@row("well.second-moment.T0.25", "∫x²e^{−U/T}/Z", 0.9176708607, "steady state on cells, Richardson", digits=8)
def second_moment():
    """⟨x²⟩ of the steady state."""
    def value(n):
        fp = well(0.25, n)
        return np.sum(fp.steady_state() * fp.grid.volumes * fp.grid.axes[0].centers**2)

    return richardson(value, 600)


@row("well.partition-function.T0.25", "Z = ∫e^{−U/T}dx, from F = −T ln Z", 0.9478378330,
     "free energy of the steady state, Richardson",
     digits=8)
def partition_function():
    """e^{−F/T}."""
    def value(n):
        fp = well(0.25, n)
        return np.exp(-fp.free_energy(fp.steady_state()) / 0.25)

    return richardson(value, 600)


def trap_work(protocol, cells, low=-7.0, high=9.0):
    """Work of moving a trap for 2 units of time, or of stiffening it for 1; as many steps as cells."""
    fp = FokkerPlanck(Harmonic(), 1.0, 1.0, Grid(Axis.uniform(low, high, cells)))
    times = (0.0, 2.0) if "c" in protocol.names else (0.0, 1.0)
    return fp.evolve(fp.steady_state(), times, protocol, SecondOrder(), steps=cells).ledger["work"].sum()


@row("trap.moving.work", "⟨W⟩ = (u²/μ)[t − τ_r(1 − e^{−t/τ_r})]", 1 + np.exp(-2.0),
     "density ledger, Richardson in cells and steps",
     digits=6)
def moving_trap():
    """c: 0 → 2."""
    return richardson(lambda n: trap_work(Linear(c=(0.0, 2.0)), n), 300)


@row("trap.breathing.work", "k 1 → 4 linearly in τ = 1", 0.9360417073,
     "density ledger, Richardson in cells and steps", digits=6)
def breathing_trap():
    """k: 1 → 4."""
    return richardson(lambda n: trap_work(Linear(k=(1.0, 4.0)), n), 300)


# --- diffusion models on cells ------------------------------------------------------------------------


def gaussian(s):
    """The density of N(0, s²), a function of points (n, 1)."""
    return lambda x: np.exp(-0.5 * (x[:, 0] / s) ** 2) / (s * np.sqrt(2 * np.pi))


def there_and_back(law, B, half, cells, xi=1.0):
    """(noising, passage there, passage back) under VP with β = B for a unit of time."""
    noising = Noising(VP(B, B), Grid(Axis.uniform(-half, half, cells)))
    times = np.linspace(0.0, 1.0, cells // 2 + 1) ** 2
    there = noising.forward(noising.grid.density(law), times)
    return noising, there, noising.reverse(there, xi)


@row("grid.vp.sigma.s2.B10", "Σ = K(s²) − K(σ_B²)", 0.8068528148,
     "face by face entropy production, Richardson", digits=5)
def vp_entropy_production():
    """Σ of noising N(0, 4)."""
    return richardson(lambda n: there_and_back(gaussian(2.0), 10.0, 14.0, n)[1].entropy_production.sum(), 400)


@row("grid.ve.sigma.two-deltas", "Δh of ½N(−1, σ²) + ½N(1, σ²), σ 0.1 → 3", 2.7607218380,
     "face by face, Richardson", digits=5)
def ve_two_deltas():
    """Σ of spreading two narrow lumps."""
    def value(n):
        noising = Noising(VE(0.1, 3.0), Grid(Axis.uniform(-20.0, 20.0, n)))
        start = noising.grid.density(lambda x: 0.5 * (gaussian(0.1)(x - 1) + gaussian(0.1)(x + 1)))
        return noising.forward(start, np.linspace(0.0, 1.0, n // 4 + 1)).entropy_production.sum()

    return richardson(value, 1600)


@row("grid.eta_geo.vp.s2.B10", "W2²/(∫D dt·Σ)", 0.2478429, "W2 by quantiles and Σ of cells, Richardson", digits=5)
def geometric_efficiency():
    """η_geo of noising N(0, 4)."""
    def value(n):
        noising, there, _ = there_and_back(gaussian(2.0), 10.0, 14.0, n)
        distance = w2(noising.grid.axes[0], there.densities[0], there.final)
        return float(eta_geo(distance, there.diffusion.sum(), there.entropy_production.sum()))

    return richardson(value, 400)


def second_law(xi):
    """ΔF/W_on of the reverse process on two lumps of different width."""
    def value(n):
        noising, there, back = there_and_back(
            lambda x: 0.3 * gaussian(0.25)(x + 1.5) + 0.7 * gaussian(0.6)(x - 0.8), 8.0, 8.0, n, xi)
        moved = np.sum((back.final - there.final) * noising.grid.volumes * noising.half_square)
        gained = noising.kl_to_normal(back.final) - noising.kl_to_normal(there.final)
        return gained / (moved - back.heat.sum())

    return richardson(value, 400)


second_laws = [
    Row(f"grid.eta_II.xi{xi:g}", "ξ/(1 + ξ), the H-theorem", xi / (1 + xi), "score of the grid, Richardson",
        lambda xi=xi: second_law(xi), digits=4)
    for xi in (1.0, 0.5)
]


@row("grid.ddpm.P.N10", "P = K(σ_N²) + Σ ½(r − 1 − ln r)", 0.1891465679,
     "mmse by Fisher information of cells, Richardson", digits=4)
def dissipated_work():
    """P of ten DDPM steps for N(0, 4)."""
    chain = vp_chain(10.0, 10, "beta")

    def value(n):
        noising = Noising(VP(10.0, 10.0), Grid(Axis.uniform(-14.0, 14.0, n)))
        start = noising.grid.density(gaussian(2.0))
        there = noising.forward(start, np.linspace(0.0, 1.0, 11), substeps=n // 20)
        levels = np.array([chain.sigma(k) for k in range(1, 11)])
        mse = [noising.mmse(p, t) for p, t in zip(there.densities[1:], there.times[1:])]
        work, end = mean_work(chain, lambda sigma: mse[np.argmin(np.abs(levels - sigma))], 4.0)
        return work.sum() + end - entropy(noising.grid, start)

    return richardson(value, 400)


# --- in the plane -------------------------------------------------------------------------------------

ROLL, NODES = SwissRoll(0.25), 400         # the law of a spiral, as that many Gaussians along it


@cache
def roll_there(cells, frames, substeps=1):
    """(noising, passage of the swiss roll to noise) under VP
    with β = 6, frames evenly in √t or, with substeps, in t."""
    noising = Noising(VP(6.0, 6.0), Grid(*[Axis.uniform(-6.0, 6.0, cells)] * 2))
    times = np.linspace(0.0, 1.0, frames + 1)
    start = noising.grid.density(lambda x: np.exp(ROLL.log_density(x, NODES)))
    return noising, noising.forward(start, times**2 if substeps == 1 else times, substeps)


def roll_sigma(cells):
    """Σ of noising the swiss roll."""
    return roll_there(cells, cells // 3)[1].entropy_production.sum()


def roll_second_law(cells):
    """ΔF/W_on of the way back to the swiss roll."""
    noising, there = roll_there(cells, cells // 3)
    back = noising.reverse(there)
    moved = np.sum((back.final - there.final) * noising.grid.volumes * noising.half_square)
    return (noising.kl_to_normal(back.final) - noising.kl_to_normal(there.final)) / (moved - back.heat.sum())


def roll_work(cells):
    """P of ten DDPM steps for the swiss roll."""
    chain = vp_chain(6.0, 10, "beta")
    noising, there = roll_there(cells, 10, cells // 20)
    levels = np.array([chain.sigma(k) for k in range(1, 11)])
    mse = [noising.mmse(p, t) for p, t in zip(there.densities[1:], there.times[1:])]
    second_moment = np.mean(np.sum(ROLL.curve(NODES) ** 2, axis=1)) + 2 * ROLL.noise**2
    work, end = mean_work(chain, lambda sigma: mse[np.argmin(np.abs(levels - sigma))], second_moment, d=2)
    return work.sum() + end - entropy(noising.grid, there.densities[0])


def plane_eta_geo(cells):
    """η_geo of noising N(0, diag(4, ¼)) by B = 3: W2 of each axis by quantiles, Σ of the plane."""
    noising = Noising(VP(3.0, 3.0), Grid(Axis.uniform(-12.0, 12.0, cells), Axis.uniform(-6.0, 6.0, cells)))
    start = noising.grid.density(lambda x: gaussian(2.0)(x[:, :1]) * gaussian(0.5)(x[:, 1:]))
    there = noising.forward(start, np.linspace(0.0, 1.0, cells // 2 + 1))
    square = sum(w2(axis, *(marginal(noising.grid, p, k) for p in (start, there.final))) ** 2
                 for k, axis in enumerate(noising.grid.axes))
    return float(eta_geo(np.sqrt(square), there.diffusion.sum(), there.entropy_production.sum()))


QUADRATURE = "quadrature of the closed form on 360² points"
rolls = [
    Row("grid.swissroll.sigma.B6", QUADRATURE, 0.3667279198, "face by face entropy production in the plane, Richardson",
        lambda: richardson(roll_sigma, 120), digits=4),
    Row("grid.swissroll.eta_II", "ξ/(1 + ξ), the H-theorem", 0.5, "score of the plane's cells, Richardson",
        lambda: richardson(roll_second_law, 120), digits=3.5),
    Row("grid.swissroll.ddpm.P.N10", QUADRATURE, 0.3256516338,
        "mmse by Fisher information of the plane's cells, Richardson",
        lambda: richardson(roll_work, 120), digits=5),
]


def plane_closed_form():
    """W2²/(∫D dt·Σ) of independent Gaussians under VP, B = 3."""
    s2 = np.array([4.0, 0.25])
    end = 1 + (s2 - 1) * np.exp(-3.0)
    Sigma = np.sum(excess_over_equilibrium(s2) - excess_over_equilibrium(end))
    return float(eta_geo(np.linalg.norm(np.sqrt(s2) - np.sqrt(end)), 1.5, Sigma))


plane_straightness = Row("grid.plane.eta_geo.vp.B3", "W2²/(∫D dt·Σ) of two independent Gaussians", plane_closed_form(),
                         "W2 of marginals and Σ of the plane's cells, Richardson",
                         lambda: richardson(plane_eta_geo, 120), digits=5)
