"""An engine that runs on information: a particle in a trap is measured with error, and the trap follows the answer.

One bath at T. At the start of each turn y = x + noise of variance e; then U = ½k(t)(x − g(t)y)² for a duration, at
whose end the trap jumps back to (k_0, centre 0). Everything stays Gaussian given y, so a turn has its books in closed
moments (`closed`), by particles (`by_particles`) and by the density given the answer (`by_density`).

The balance (nats): the measurement gives I = ½ln(1 + w/e), w = ⟨x²⟩ before it; what the particle still shares with the
answer at the end, I_left, is not used; W ≥ −T(I − I_left), and ⟨e^{−(W − ΔF)/T − i}⟩ = 1 with i = ln p(y|x)/p(y)
from equilibrium, at any speed (here ΔF = 0).

Sources: Sagawa, Ueda, Phys. Rev. Lett. 104, 090602 (2010), 0907.4914 (equality and second law); Abreu, Seifert,
EPL 94, 10001 (2011), 1102.3826 (least work after a measurement in a trap).
"""

import warnings
from dataclasses import dataclass
from math import hypot, log, sqrt
from typing import Callable

import numpy as np

from ...backend import open_device
from ...errors import UserError
from ...fokker_planck import Axis, FokkerPlanck, Grid, SecondOrder, kl, mean
from ...potentials import Harmonic
from ...protocols import Protocol
from ..fluctuation import Estimate, exponential_average
from .optimal import optimal_stroke, positive

ANSWER, BATH = 0, 1                     # streams: start and measurements; kicks of the bath


@dataclass(frozen=True)
class Feedback:
    """How the trap follows the answer: stiffness k(t) and centre g(t)·y for 0 < t < duration.

    Attributes
    ----------
    k, gain : callable of a time
    duration : float
    error : float
        e, variance of the measurement's error.
    temperature, stiffness, mobility : float
        T; k_0 of the trap at rest, around 0; μ.
    """

    k: Callable
    gain: Callable
    duration: float
    error: float
    temperature: float = 1.0
    stiffness: float = 1.0
    mobility: float = 1.0

    def __post_init__(self):
        positive(duration=self.duration, error=self.error, temperature=self.temperature, stiffness=self.stiffness,
                 mobility=self.mobility)

    @classmethod
    def least_work(cls, error, duration, temperature=1.0, stiffness=1.0, mobility=1.0):
        """Mean and width back from the posterior to equilibrium along the geodesic of W2, both at constant speed.

        Raises
        ------
        UserError
            For a duration in which the trap would have to push outwards.
        """
        positive(error=error, duration=duration, temperature=temperature, stiffness=stiffness, mobility=mobility)
        w = temperature/stiffness
        known = w*error/(w + error)
        shortest = sqrt(w)*(sqrt(w) - sqrt(known))/(mobility*temperature)
        if duration <= shortest:
            raise UserError(f"in a duration of {duration:g} the trap would have to push outwards: take more than "
                            f"{shortest:.4g}")
        spread = optimal_stroke(known, w, temperature, duration, mobility)

        def gain(t):
            return w/(w + error)*(1 - t/duration - 1/(mobility*duration*spread.k(t)))
        return cls(spread.k, gain, duration, error, temperature, stiffness, mobility)

    @property
    def rest(self):
        """⟨x²⟩ in equilibrium with the trap at rest, T/k_0."""
        return self.temperature/self.stiffness


@dataclass(frozen=True)
class Balance:
    """One turn: W on the particle, I of the measurement and what is left of it at the end, in nats.

    Attributes
    ----------
    work, information, left : float
    width : float
        ⟨x²⟩ at the end of the turn.
    temperature, duration : float
    """

    work: float
    information: float
    left: float
    width: float
    temperature: float
    duration: float

    @property
    def entropy_production(self):
        """Σ = I − I_left + W/T ≥ 0 where a turn ends in the law it began in."""
        return self.information - self.left + self.work/self.temperature

    @property
    def efficiency(self):
        """−W/(T·I): the share of the information that became work."""
        return -self.work/(self.temperature*self.information)

    @property
    def power(self):
        """Work delivered per unit of time."""
        return -self.work/self.duration


def most_work(error, duration, temperature=1.0, stiffness=1.0, mobility=1.0):
    """What a turn delivers at most, T·I − W2²/(μt) with W2² =
    ⟨m²⟩ + (√w − √w')², m and w' of the posterior (1102.3826)."""
    positive(error=error, duration=duration, temperature=temperature, stiffness=stiffness, mobility=mobility)
    w = temperature/stiffness
    known = w*error/(w + error)
    return temperature*0.5*log(1 + w/error) - ((w - known) + (sqrt(w) - sqrt(known))**2)/(mobility*duration)


def closed(engine):
    """The limit cycle in moments given the answer: ⟨x|y⟩ = ay and Var(x|y) = v obey linear equations.

    Returns
    -------
    Balance

    Raises
    ------
    UserError
        Where no width repeats.
    """
    mu, T, e = engine.mobility, engine.temperature, engine.error

    def carried(start, answers=0.0):
        """(a, v, Q) at the end, Q the heat for ⟨y²⟩ = answers."""
        from scipy.integrate import solve_ivp

        def rate(t, z):
            k, g = engine.k(t), engine.gain(t)
            da, dv = -mu*k*(z[0] - g), 2*mu*(T - k*z[1])
            return [da, dv, k*((z[0] - g)*da*answers + 0.5*dv)]
        return solve_ivp(rate, (0.0, engine.duration), [*start, 0.0], method="DOP853", rtol=1e-12, atol=1e-14).y[:, -1]

    shift, grown, _ = carried((0.0, 0.0))
    kept = carried((1.0, 0.0))[0] - shift
    # a turn maps w to (kept + shift)²w + shift²e + grown
    again = (kept + shift)**2
    if not again < 1:
        raise UserError("the turns of this feedback engine drift apart: the trap must let the particle forget")
    w = (grown + shift**2*e)/(1 - again)
    a, v, heat = carried((w/(w + e), w*e/(w + e)), w + e)
    return Balance(float(-heat), 0.5*log(1 + w/e), 0.5*log((v + a*a*(w + e))/v), float(v + a*a*(w + e)), T,
                   engine.duration)


@dataclass(frozen=True)
class Measured:
    """A turn from an ensemble or a grid.

    Attributes
    ----------
    balance, error : Balance
        `error` holds standard errors (particles) or what extrapolation changed (density) in place of values.
    equality : Estimate or None
        ⟨e^{−W/T − i}⟩ of the first turn, from equilibrium: 1 for any control. Its tail is long where e < w, since
        e^{−i} alone then has no variance: read `equality.effective`.
    """

    balance: Balance
    error: Balance
    equality: Estimate = None


def by_particles(engine, particles=100_000, steps=200, warm=0, turns=1, seed=0, device="cpu"):
    """Particles, each measured and each with a trap of its own.

    Every step moves the control to the middle of its interval (work), then the particle by the exact law of the
    trap (heat): the equality of Sagawa and Ueda holds at any number of steps. Books of the control itself need steps
    shorter than 1/(μk): longer ones are a staircase that wastes about T(Δ ln k)²/4 at each.

    Parameters
    ----------
    engine : Feedback
    particles, steps : int
    warm, turns : int
        Turns before the books are opened, after one from equilibrium; turns booked. A control that ends in
        equilibrium needs no warming up.
    seed : int

    Returns
    -------
    Measured
    """
    device, (mu, T, e, h) = open_device(device), (engine.mobility, engine.temperature, engine.error,
                                                  engine.duration/steps)
    middles = (np.arange(steps) + 0.5)*h
    table = [(engine.k(t), engine.gain(t)) for t in middles]
    kicks = (lambda stream, draw: device.to_host(device.normals(seed, stream, draw, particles, 1))[:, 0])
    x = sqrt(engine.rest)*kicks(ANSWER, 0)
    w, equality, gained = engine.rest, None, []
    for turn in range(warm + turns):
        noise = sqrt(e)*kicks(ANSWER, turn + 1)
        y = x + noise
        spread = w + e if turn == 0 else y.var()
        told = 0.5*np.log(spread/e) + 0.5*(y*y/spread - noise*noise/e)
        work, energy = np.zeros(particles), 0.5*engine.stiffness*x*x
        for n, (k, g) in enumerate(table):
            away = x - g*y
            work += 0.5*k*away*away - energy
            scatter = sqrt(T*-np.expm1(-2*mu*k*h)/k) if k else sqrt(2*mu*T*h)
            away = away*np.exp(-mu*k*h) + scatter*kicks(BATH, turn*steps + n)
            x, energy = g*y + away, 0.5*k*away*away
        work += 0.5*engine.stiffness*x*x - energy
        if turn == 0:
            equality = exponential_average(work/T + told)
        if turn >= warm:
            gained.append((work, told, np.corrcoef(x, y)[0, 1], x.var()))
    works, informations = (np.mean([g[k] for g in gained], axis=0) for k in (0, 1))
    r, width, root = np.mean([g[2] for g in gained]), np.mean([g[3] for g in gained]), sqrt(particles)
    found = Balance(works.mean(), informations.mean(), -0.5*log(1 - r*r), width, T, engine.duration)
    # dI_left = r dr/(1 − r²) with dr = (1 − r²)/√n; near r = 0 it is χ²/2n
    scatter = Balance(works.std()/root, informations.std()/root, hypot(r/root, 0.7/particles), width*sqrt(2)/root, T,
                      engine.duration)
    return Measured(found, scatter, equality)


class Following(Protocol):
    """Trap and centre after one answer, as a protocol."""

    names = ("k", "c")

    def __init__(self, engine, answer):
        self.engine, self.answer = engine, answer

    def before(self, t, span):
        """k and c at times t (N,), counted from the measurement."""
        return {"k": np.array([self.engine.k(float(s - span[0])) for s in t]),
                "c": np.array([self.answer*self.engine.gain(float(s - span[0])) for s in t])}


def by_density(engine, cells=240, tolerance=1e-4, nodes=4, warm=0):
    """The density given the answer, by Bayes' rule on the grid, for the answers of a Gauss–Hermite rule.

    Work and information are quadratic in the answer, so that few answers average them exactly.

    Parameters
    ----------
    engine : Feedback
    cells : int
        Of the finer of two grids.
    tolerance : float
        L1 error of the time steps of one turn.
    nodes : int
        Answers, an even number; the law at the end is their mixture, which `warm` turns start from.
    warm : int
        Turns before the books are opened.

    Returns
    -------
    Measured
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")                     # the coarse grid is coarse on purpose
        coarse = _on_grid(engine, cells//2, tolerance, nodes, warm)
    fine = _on_grid(engine, cells, tolerance, nodes, warm)
    better, change = fine + (fine - coarse)/3, np.abs(fine - coarse)/3
    return Measured(*(Balance(*map(float, values), engine.temperature, engine.duration) for values in (better, change)))


def _on_grid(engine, cells, tolerance, nodes, warm):
    """(W, I, I_left, ⟨x²⟩) of the last turn."""
    half = 6*sqrt(engine.rest) + 3*sqrt(engine.rest + engine.error)
    grid, trap = Grid(Axis.uniform(-half, half, cells)), Harmonic()
    fluid = FokkerPlanck(trap, engine.temperature, engine.mobility, grid)
    x = grid.axes[0].centers
    p = fluid.steady_state(k=engine.stiffness)
    roots, weights = np.polynomial.hermite_e.hermegauss(nodes)
    roots, weights = roots[nodes//2:], weights[nodes//2:]/weights[nodes//2:].sum()       # ±y are mirror images
    rest, result = 0.5*engine.stiffness*x*x, None
    for _ in range(warm + 1):
        answers = roots*sqrt(mean(grid, p, x*x) + engine.error)
        work, told, ends = 0.0, 0.0, []
        for y, weight in zip(answers, weights):
            known = p*np.exp(-(x - y)**2/(2*engine.error))
            known /= np.sum(known*grid.volumes)
            run = fluid.evolve(known, (0.0, engine.duration), Following(engine, y), SecondOrder(), tolerance)
            first, last = (0.5*engine.k(t)*(x - y*engine.gain(t))**2 for t in (0.0, engine.duration))
            work += weight*(mean(grid, known, first - rest) + run.ledger["work"].sum()
                            + mean(grid, run.final, rest - last))
            told += weight*kl(grid, known, p)
            ends.append(run.final)
        p = 0.5*sum(weight*(q + q[::-1]) for q, weight in zip(ends, weights))
        left = sum(weight*kl(grid, q, p) for q, weight in zip(ends, weights))
        result = np.array([work, told, left, mean(grid, p, x*x)])
    return result
