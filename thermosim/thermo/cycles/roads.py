"""A cycle of strokes on particles and on a density: two roads to the books that `moments` has in closed form.

Every stroke is run as itself, with its own bath and its own stiffness; between strokes the stiffness jumps at
frozen positions, which is work and nothing else. Both roads turn the cycle until it repeats before they book it.
"""

import warnings
from dataclasses import dataclass

import numpy as np

from ...dynamics import Overdamped, Underdamped
from ...errors import UserError
from ...fokker_planck import Axis, FokkerPlanck, Grid, KleinKramers, SecondOrder
from ...integrators import BAOAB, ExactOU, Splitting
from ...potentials import Harmonic
from ...protocols import Protocol, Sampled
from ...runs.particles import simulate
from .books import Books
from .moments import Isolated, OverdampedMoments, UnderdampedMoments, baths, limit_cycle

TRAP = Harmonic()
REACH = 7.0                # of a grid of phase space, in the widest law's standard deviations
NARROW = 0.4               # its cells along x, in the narrowest law's


@dataclass(frozen=True)
class Measured:
    """Books of a turn and how sure they are.

    Attributes
    ----------
    books : Books
    covariance : (3, 3) array
        Of the errors of W, Q_h and Q_c: statistical for particles, what extrapolation still changed for a density.
    """

    books: Books
    covariance: np.ndarray

    @property
    def error(self):
        """Standard errors of W, Q_h and Q_c, in the places of their values."""
        b, (work, hot, cold) = self.books, np.sqrt(np.diag(self.covariance))
        return Books(float(work), float(hot), float(cold), b.hot, b.cold, b.duration)

    def _spread(self, *gradient):
        return float(np.sqrt(max(0.0, gradient @ self.covariance @ np.array(gradient))))

    def entropy_production_error(self):
        """Of Σ = −Q_h/T_h − Q_c/T_c."""
        return self._spread(0.0, -1/self.books.hot, -1/self.books.cold)

    def power_error(self):
        """Of −W/duration."""
        return self._spread(-1/self.books.duration, 0.0, 0.0)

    def efficiency_error(self):
        """Of −W/Q_h."""
        b = self.books
        return self._spread(-1/b.heat_hot, b.work/b.heat_hot**2, 0.0)

    def cop_error(self):
        """Of Q_c/W."""
        b = self.books
        return self._spread(-b.heat_cold/b.work**2, 0.0, 1/b.work)

    def cop_heating_error(self):
        """Of −Q_h/W."""
        b = self.books
        return self._spread(b.heat_hot/b.work**2, -1/b.work, 0.0)


class Along(Protocol):
    """The stiffness of a stroke as a protocol."""

    names = ("k",)

    def __init__(self, stroke):
        self.stroke = stroke

    def before(self, t, span):
        """k at times t (N,), counted from the start of the stroke."""
        return {"k": np.array([self.stroke.k(float(s - span[0])) for s in t])}


def by_particles(strokes, medium=OverdampedMoments(), particles=100_000, steps=200, warm=3, turns=1, seed=0):
    """The books of a turn from an ensemble of particles.

    The stiffness of a step is the stroke's at the middle of the step, so that books err by (duration/steps)² where a
    step is shorter than 1/(μk); longer steps are a staircase that wastes about T(Δ ln k)²/4 at each.

    Parameters
    ----------
    strokes : sequence of Stroke
    medium : OverdampedMoments or UnderdampedMoments
        Exact steps of the linear force, or BAOAB; velocity Verlet where there is no bath.
    particles, steps : int
        Steps of each stroke.
    warm, turns : int
        Turns before the books are opened, and turns booked.
    seed : int

    Returns
    -------
    Measured
        Errors from the scatter of the particles' own totals; of
        the scatter itself there is a closed form, `fluctuations`.
    """
    strokes = list(strokes)
    cold, hot = baths(strokes)
    totals = {"work": np.zeros(particles), **{s.temperature: np.zeros(particles) for s in strokes}}
    inertia = isinstance(medium, UnderdampedMoments)
    x = v = "equilibrium"
    k = strokes[0].k(0.0)
    for turn in range(warm + turns):
        for place, s in enumerate(strokes):
            middles = (np.arange(steps) + 0.5)*s.duration/steps
            table = np.array([k, *(s.k(t) for t in middles)])
            dynamics, scheme = _motion(s, medium)
            run = simulate(dynamics, particles=particles, x0=x, v0=v, t=(0.0, s.duration), steps=steps,
                           protocol=Sampled(k=table), scheme=scheme, every=steps,
                           seed=_seed(seed, turn, place), precision="double", books=("work", "heat", "shadow_work"))
            x, v, k = run.x, run.v if inertia else "equilibrium", table[-1]
            if turn >= warm:
                totals["work"] += run.work + run.shadow_work
                totals[s.temperature] += run.heat
    each = np.array([totals["work"], totals[hot], totals[cold]])/turns
    return Measured(Books(*map(float, each.mean(axis=1)), hot, cold, sum(s.duration for s in strokes)),
                    np.cov(each)/particles)


def _motion(stroke, medium):
    """Dynamics and scheme of a stroke; one without bath is BAOAB's frame around nothing, velocity Verlet."""
    if isinstance(stroke, Isolated):
        medium.isolated(stroke.k(0.0))                      # says so where that cannot be
        return Underdamped(TRAP, 1.0, medium.friction, medium.mass), Splitting("V R V")
    if isinstance(medium, UnderdampedMoments):
        return Underdamped(TRAP, stroke.temperature, medium.friction, medium.mass), BAOAB()
    return Overdamped(TRAP, stroke.temperature, medium.mobility), ExactOU()


def _seed(seed, turn, place):
    return int(np.random.SeedSequence([seed, turn, place]).generate_state(1, np.uint64)[0])


def by_density(strokes, medium=OverdampedMoments(), cells=None, tolerance=1e-6, warm=4):
    """The books of a turn from the density itself: of positions, or with inertia of positions and velocities.

    Parameters
    ----------
    strokes : sequence of Stroke
    medium : OverdampedMoments or UnderdampedMoments
    cells : int, optional
        Of the finer of two grids, 300; books are extrapolated from both, their error being
        of second order. With inertia cells of v, 120. A step is then the same share of 1/ω
        (or 2/γ) as a cell of the thermal speed, so that one extrapolation mends both.
    tolerance : float
        L1 error that a stroke's time steps may make; without inertia.
    warm : int
        Turns before the books are opened.

    Returns
    -------
    Measured
        Errors are what extrapolation still changed.

    Raises
    ------
    UserError
        For fewer cells than the law of the coldest corner of an underdamped cycle needs.
    """
    strokes = list(strokes)
    cold, hot = baths(strokes)

    def books(level):
        if isinstance(medium, UnderdampedMoments):
            return _turn(strokes, *_in_phase_space(strokes, medium, (cells or 120)//2, level), warm)
        return _turn(strokes, *_on_a_line(strokes, medium, (cells or 300)//2, level, tolerance), warm)
    coarse, fine = books(1), books(2)
    better = fine + (fine - coarse)/3
    return Measured(Books(*map(float, better), hot, cold, sum(s.duration for s in strokes)),
                    np.diag((better - fine)**2))


def _on_a_line(strokes, medium, cells, level, tolerance):
    """Equations by temperature, and how each stroke is run, on `level` times as many cells."""
    width = 9*np.sqrt(limit_cycle(strokes, medium).width.max())
    grid = Grid(Axis.uniform(-width, width, level*cells))
    fluids = {s.temperature: FokkerPlanck(TRAP, s.temperature, medium.mobility, grid) for s in strokes}
    return fluids, [{"scheme": SecondOrder(), "tolerance": tolerance} for _ in strokes]


def _in_phase_space(strokes, medium, cells, level):
    """The same for positions and velocities, the steps `level` times as many. Kicks and flights move moments of x
    exactly on any cells that resolve the law: these are not refined."""
    states = limit_cycle(strokes, medium).states
    (x, narrow), (v, slow) = ((REACH*np.sqrt(states[:, k].max()), np.sqrt(states[:, k].min())) for k in (1, 3))
    if cells*slow < 4*v:
        raise UserError(f"{2*cells} cells are too wide for the slowest law of this cycle: take "
                        f"{2*int(np.ceil(4*v/slow))} or more")
    grid = Grid(Axis.uniform(-x, x, int(np.ceil(2*x/(NARROW*narrow)))), Axis.uniform(-v, v, level*cells))
    fluids = {T: KleinKramers(TRAP, T, medium.friction, medium.mass, grid) if np.isfinite(T) else
              KleinKramers(TRAP, 1.0, 0.0, medium.mass, grid) for T in {s.temperature for s in strokes}}
    return fluids, [{"steps": level*int(np.ceil(0.5*cells*slow/v*s.duration*_rate(s, medium)))} for s in strokes]


def _rate(stroke, medium):
    """ω where the trap of a stroke is stiffest, or half the friction where that is faster."""
    stiffest = max(stroke.k(t) for t in np.linspace(0, stroke.duration, 33))
    return max(np.sqrt(max(stiffest, 0.0)/medium.mass), medium.friction/2)


def _turn(strokes, fluids, how, warm):
    """(W, Q_hot, Q_cold) of the last turn on a grid."""
    (cold, hot), first = baths(strokes), fluids[strokes[0].temperature]
    squares = first.grid.points()[:, 0].reshape(first.grid.shape)**2*first.grid.volumes
    p = first.steady_state(k=strokes[0].k(0.0))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")                     # the coarse grid is coarse on purpose
        for _ in range(warm + 1):
            work, heat = 0.0, dict.fromkeys(fluids, 0.0)
            for s, following, options in zip(strokes, strokes[1:] + strokes[:1], how):
                run = fluids[s.temperature].evolve(p, (0.0, s.duration), Along(s), **options)
                p = run.final
                jump = following.k(0.0) - s.k(s.duration)
                work += run.ledger["work"].sum() + run.ledger["shadow_work"].sum() + 0.5*jump*np.sum(squares*p)
                heat[s.temperature] += run.ledger["heat"].sum()
    return np.array([work, heat[hot], heat[cold]])
