"""Cycles at finite speed in closed Gaussian moments: linear equations, integrated to 1e-11.

In U = k(t)x²/2 the second moments obey a linear system; with a 1 in front and the heat behind it stays linear, so one
fundamental matrix per stroke gives the limit cycle by a linear solve and its books exactly. The stiffness may jump
between strokes: work at frozen moments. Source: Schmiedl, Seifert, EPL 81, 20003 (2008), 0710.4097.
"""

from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Callable

import numpy as np

from ...errors import UserError
from .books import Books


@dataclass(frozen=True)
class Stroke:
    """Contact with a bath at `temperature` for `duration`, while the stiffness is k(t), t from 0 to duration."""

    k: Callable
    temperature: float
    duration: float

    def __post_init__(self):
        if not (0 < self.temperature < np.inf and 0 < self.duration < np.inf):
            raise UserError(f"a stroke needs a positive temperature and duration, not {self.temperature} and "
                            f"{self.duration}")

    @classmethod
    def linear(cls, k0, k1, temperature, duration):
        """The stiffness on a straight line from k0 to k1; an isochore where they are equal."""
        return cls(lambda t: k0 + (k1 - k0)*t/duration, temperature, duration)

    def backward(self):
        """The same stiffness in the opposite order."""
        return replace(self, k=lambda t: self.k(self.duration - t))

    def generator(self, medium, t):
        """M of ż = Mz at time t of the stroke."""
        return medium.generator(self.k(t), self.temperature)


@dataclass(frozen=True)
class Isolated(Stroke):
    """No bath while the stiffness is k(t): an adiabat, isentropic however fast (Liouville), reversible where slow.

    With inertia only; overdamped adiabats are jumps between strokes.
    """

    temperature: float = field(default=np.inf, init=False)

    def __post_init__(self):
        if not 0 < self.duration < np.inf:
            raise UserError(f"a stroke needs a positive duration, not {self.duration}")

    @classmethod
    def reversible(cls, k0, k1, mass=1.0, half_turns=1):
        """From one equilibrium to another in finite time: 1/ω linear in t, ω² = k/m, for a whole number of half turns.

        x√ω oscillates in ln ω at one frequency, √(ω_0²/b² − ¼) with 1/ω = (1 + bt)/ω_0; after whole half turns a
        Gaussian of temperature T is one of temperature T√(k1/k0). Source: Kosloff, Rezek, Entropy 19, 136 (2017),
        1612.03582 (the frictionless solutions of a constant ω̇/ω²).

        Raises
        ------
        UserError
            For stiffnesses that are equal or not positive, or less than one half turn.
        """
        if not (0 < k0 < np.inf and 0 < k1 < np.inf and k0 != k1 and mass > 0 and half_turns >= 1
                and int(half_turns) == half_turns):
            raise UserError("a reversible adiabat needs two different stiffnesses, a mass and whole half turns, not "
                            f"{k0}, {k1}, {mass}, {half_turns}")
        ratio = np.sqrt(k0/k1)
        rate = np.sign(ratio - 1)*np.sqrt(k0/mass/(0.25 + (np.pi*half_turns/np.log(ratio))**2))
        return cls(lambda t: k0/(1 + rate*t)**2, float((ratio - 1)/rate))

    def generator(self, medium, t):
        """M of ż = Mz at time t of the stroke."""
        return medium.isolated(self.k(t))


@dataclass(frozen=True)
class OverdampedMoments:
    """z = (1, ⟨x²⟩, Q, ∫Θ): d⟨x²⟩/dt = −2μ(k⟨x²⟩ − T), dQ = ½k d⟨x²⟩; no kinetic energy.

    Θ = μT⟨F²⟩ limits how much heat a rate of entropy production σ can carry, Q̇² ≤ Θσ (Shiraishi, Saito, Tasaki,
    1605.00356; here by Cauchy and Schwarz from Q̇ = −⟨Fν⟩ and σ = ⟨ν²⟩/(μT)).

    Attributes
    ----------
    mobility : float
        μ; the diffusivity is μT.
    """

    mobility: float = 1.0
    size, state = 4, slice(1, 2)

    def generator(self, k, T):
        """M(k, T) of ż = Mz, shape (size, size)."""
        mu = self.mobility
        return np.array([[0, 0, 0, 0], [2*mu*T, -2*mu*k, 0, 0], [mu*k*T, -mu*k*k, 0, 0], [0, mu*T*k*k, 0, 0]])

    def isolated(self, k):
        """An overdamped particle has no dynamics without its bath."""
        raise UserError("an overdamped particle does not move without a bath: let the stiffness jump between strokes")

    def energy(self, z, k):
        """⟨U⟩ in a trap of stiffness k."""
        return k*z[1]/2

    def entropy(self, z):
        """Gibbs and Shannon entropy of the Gaussian law, up to a constant."""
        return 0.5*np.log(z[1])


@dataclass(frozen=True)
class UnderdampedMoments:
    """z = (1, ⟨x²⟩, ⟨xv⟩, ⟨v²⟩, Q, ∫Θ), with Q̇ = γ(T − m⟨v²⟩): full phase space.

    Θ = γT m⟨v²⟩, by the same argument in the velocities.

    Attributes
    ----------
    friction : float
        γ, a rate.
    mass : float
    """

    friction: float = 1.0
    mass: float = 1.0
    size, state = 6, slice(1, 4)

    def generator(self, k, T):
        """M(k, T) of ż = Mz, shape (size, size)."""
        g, m = self.friction, self.mass
        return np.array([[0, 0, 0, 0, 0, 0], [0, 0, 2, 0, 0, 0], [0, -k/m, -g, 1, 0, 0],
                         [2*g*T/m, 0, -2*k/m, -2*g, 0, 0],
                         [g*T, 0, 0, -g*m, 0, 0], [0, 0, 0, g*m*T, 0, 0]])

    def isolated(self, k):
        """M(k) without a bath: no friction, no heat."""
        return UnderdampedMoments(0.0, self.mass).generator(k, 0.0)

    def energy(self, z, k):
        """⟨U⟩ + m⟨v²⟩/2 in a trap of stiffness k."""
        return k*z[1]/2 + self.mass*z[3]/2

    def entropy(self, z):
        """Gibbs and Shannon entropy of the Gaussian law of (x, v), up to a constant."""
        return 0.5*np.log(z[1]*z[3] - z[2]**2)


def propagator(medium, stroke):
    """The fundamental matrix of z over a stroke, (size, size).

    Raises
    ------
    UserError
        Where the moments run away.
    """
    from scipy.integrate import solve_ivp

    n, begins = medium.size, medium.state.stop           # Q and ∫Θ do not act back: their columns stay those of 1
    whole = np.eye(n)
    found = solve_ivp(lambda t, z: (stroke.generator(medium, t) @ z.reshape(n, begins)).ravel(),
                      (0.0, stroke.duration), whole[:, :begins].ravel(), method="DOP853", rtol=1e-12, atol=1e-13)
    if not found.success or not np.all(np.isfinite(found.y[:, -1])):
        raise UserError("the moments of a stroke run away: the stiffness must confine the particle")
    whole[:, :begins] = found.y[:, -1].reshape(n, begins)
    return whole


@dataclass(frozen=True)
class Turn:
    """The limit cycle of S strokes.

    Attributes
    ----------
    books : Books
    strokes : tuple of Stroke
    medium : OverdampedMoments or UnderdampedMoments
    states : (S + 1, size) array
        z at every corner, Q and ∫Θ counted from the first.
    """

    books: Books
    strokes: tuple
    medium: object
    states: np.ndarray

    @property
    def width(self):
        """⟨x²⟩ at every corner, (S + 1,)."""
        return self.states[:, 1]

    @property
    def heat(self):
        """Heat absorbed in each stroke, (S,)."""
        return np.diff(self.states[:, -2])

    @property
    def exchange(self):
        """∫Θ dt of each stroke, (S,)."""
        return np.diff(self.states[:, -1])

    @property
    def entropy_production(self):
        """Σ = ΔS − Q/T of each stroke, (S,): the second law holds for every one of them."""
        entropy = np.array([self.medium.entropy(z) for z in self.states])
        return np.diff(entropy) - self.heat/np.array([s.temperature for s in self.strokes])


def periodic(strokes, medium):
    """z at every corner of the limit cycle, (S + 1, size), and the work of a turn."""
    steps = [propagator(medium, s) for s in strokes]
    whole = reduce(lambda first, then: then @ first, steps)
    inner = medium.state
    start = np.zeros(medium.size)
    start[0] = 1.0
    start[inner] = np.linalg.solve(np.eye(inner.stop - 1) - whole[inner, inner], whole[inner, 0])
    states = [start]
    for step in steps:
        states.append(step @ states[-1])
    work = 0.0
    for i, s in enumerate(strokes):
        # first law of the stroke together with the jump to the next one's stiffness, which takes no heat
        following = strokes[(i + 1) % len(strokes)]
        heat = states[i + 1][-2] - states[i][-2]
        work += medium.energy(states[i + 1], following.k(0.0)) - medium.energy(states[i], s.k(0.0)) - heat
    return np.array(states), work


def baths(strokes):
    """Temperatures of the coldest and the hottest bath; what lies between are stores of a regenerator.

    Raises
    ------
    UserError
        For fewer than two.
    """
    found = {s.temperature for s in strokes if not isinstance(s, Isolated)}
    if len(found) < 2:
        raise UserError(f"a cycle needs two bath temperatures, not {len(found)}")
    return min(found), max(found)


def limit_cycle(strokes, medium=OverdampedMoments()):
    """The periodic state of a cycle of strokes between two baths, and its books.

    Parameters
    ----------
    strokes : sequence of Stroke
        Between the hottest and the coldest there may be stores that get back in a turn what they gave (`regenerate`).
    medium : OverdampedMoments or UnderdampedMoments

    Returns
    -------
    Turn

    Raises
    ------
    UserError
        For fewer than two baths, and for a store that gains or loses heat.
    """
    strokes = tuple(strokes)
    cold, hot = baths(strokes)
    states, work = periodic(strokes, medium)
    heat = np.diff(states[:, -2])
    # inf: none
    of = {T: sum(q for q, s in zip(heat, strokes) if s.temperature == T) for T in {s.temperature for s in strokes}}
    for T, gained in of.items():
        if cold < T < hot and abs(gained) > 1e-8*np.abs(heat).max():
            raise UserError(f"the store at T = {T:g} loses {gained:.3g} a turn: let regenerate(strokes) find its "
                            "temperature")
    return Turn(Books(float(work), float(of[hot]), float(of[cold]), hot, cold, sum(s.duration for s in strokes)),
                strokes, medium, states)


def regenerate(strokes, medium=OverdampedMoments()):
    """Give every store between the two baths the temperature at which a turn leaves it as it was.

    Strokes of one temperature meet one store. Heats are linear in the temperatures, so that this is one linear solve.

    Parameters
    ----------
    strokes : sequence of Stroke
    medium : OverdampedMoments or UnderdampedMoments

    Returns
    -------
    tuple of Stroke

    Raises
    ------
    UserError
        Where no temperature between the baths does it.
    """
    strokes, (cold, hot) = tuple(strokes), baths(strokes)
    stores = np.array(sorted({s.temperature for s in strokes} - {cold, hot, np.inf}))
    place = {T: j for j, T in enumerate(stores)}

    def at(temperatures):
        return tuple(replace(s, temperature=float(temperatures[place[s.temperature]])) if s.temperature in place else s
                     for s in strokes)

    def gained(temperatures):
        heat, total = np.diff(periodic(at(temperatures), medium)[0][:, -2]), np.zeros(len(stores))
        for q, s in zip(heat, strokes):
            if s.temperature in place:
                total[place[s.temperature]] += q
        return total

    here = gained(stores)
    slope = (np.column_stack([gained(stores + step) - here for step in 0.01*cold*np.eye(len(stores))])/(0.01*cold)
             if len(stores) else None)
    found = stores - np.linalg.solve(slope, here) if len(stores) else stores
    if np.any(found <= cold) or np.any(found >= hot) or len(set(found)) < len(found):
        raise UserError("no temperatures between the baths balance these stores: give the isochores more time")
    return at(found)
