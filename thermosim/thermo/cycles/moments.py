"""Cycles at finite speed in closed Gaussian moments: linear equations, integrated to 1e-11.

In U = k(t)x²/2 the second moments obey a linear system; with a 1 in front and the heat behind it stays
linear, so one fundamental matrix per stroke gives the limit cycle by a linear solve and its books exactly.
The stiffness may jump between strokes: work at frozen moments. Source: Schmiedl, Seifert, 0710.4097.
"""

from dataclasses import dataclass
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
            raise UserError(f"a stroke needs a positive temperature and duration, not {self.temperature} and {self.duration}")

    @classmethod
    def linear(cls, k0, k1, temperature, duration):
        """The stiffness on a straight line from k0 to k1; an isochore where they are equal."""
        return cls(lambda t: k0 + (k1 - k0)*t/duration, temperature, duration)

    def backward(self):
        """The same stiffness in the opposite order."""
        return Stroke(lambda t: self.k(self.duration - t), self.temperature, self.duration)


@dataclass(frozen=True)
class OverdampedMoments:
    """z = (1, ⟨x²⟩, Q): d⟨x²⟩/dt = −2μ(k⟨x²⟩ − T), dQ = ½k d⟨x²⟩; no kinetic energy."""

    mobility: float = 1.0
    size = 3

    def generator(self, k, T):
        mu = self.mobility
        return np.array([[0, 0, 0], [2*mu*T, -2*mu*k, 0], [mu*k*T, -mu*k*k, 0]])

    def energy(self, z, k):
        return k*z[1]/2


@dataclass(frozen=True)
class UnderdampedMoments:
    """z = (1, ⟨x²⟩, ⟨xv⟩, ⟨v²⟩, Q), with Q̇ = γ(T − m⟨v²⟩): full phase space."""

    friction: float = 1.0
    mass: float = 1.0
    size = 5

    def generator(self, k, T):
        g, m = self.friction, self.mass
        return np.array([[0, 0, 0, 0, 0], [0, 0, 2, 0, 0], [0, -k/m, -g, 1, 0], [2*g*T/m, 0, -2*k/m, -2*g, 0],
                         [g*T, 0, 0, -g*m, 0]])

    def energy(self, z, k):
        return k*z[1]/2 + self.mass*z[3]/2


def propagator(medium, stroke):
    """The fundamental matrix of z over a stroke, (size, size)."""
    from scipy.integrate import solve_ivp

    n = medium.size
    found = solve_ivp(lambda t, z: (medium.generator(stroke.k(t), stroke.temperature) @ z.reshape(n, n)).ravel(),
                      (0.0, stroke.duration), np.eye(n).ravel(), method="DOP853", rtol=1e-12, atol=1e-13)
    if not found.success or not np.all(np.isfinite(found.y[:, -1])):
        raise UserError("the moments of a stroke run away: the stiffness must confine the particle")
    return found.y[:, -1].reshape(n, n)


@dataclass(frozen=True)
class Turn:
    """The limit cycle: its `books`, and per stroke the heat (S,), and ⟨x²⟩ at every corner (S + 1,)."""

    books: Books
    heat: np.ndarray
    width: np.ndarray


def limit_cycle(strokes, medium=OverdampedMoments()):
    """The periodic state of a cycle of strokes between two baths, and its books.

    Raises
    ------
    UserError
        Where no state is periodic, or a third temperature is among the baths.
    """
    strokes = list(strokes)
    baths = sorted({s.temperature for s in strokes})
    if len(baths) != 2:
        raise UserError(f"a cycle needs two bath temperatures, not {len(baths)}")
    steps = [propagator(medium, s) for s in strokes]
    whole = reduce(lambda first, then: then @ first, steps)
    inner = slice(1, medium.size - 1)
    start = np.zeros(medium.size)
    start[0] = 1.0
    start[inner] = np.linalg.solve(np.eye(medium.size - 2) - whole[inner, inner], whole[inner, 0])
    states = [start]
    for step in steps:
        states.append(step @ states[-1])
    heat = np.diff([z[-1] for z in states])
    work = 0.0
    for i, s in enumerate(strokes):
        # first law of the stroke together with the jump to the next one's stiffness, which takes no heat
        following = strokes[(i + 1) % len(strokes)]
        work += medium.energy(states[i + 1], following.k(0.0)) - medium.energy(states[i], s.k(0.0)) - heat[i]
    of = {T: sum(q for q, s in zip(heat, strokes) if s.temperature == T) for T in baths}
    cold, hot = baths
    return Turn(Books(work, of[hot], of[cold], hot, cold, sum(s.duration for s in strokes)), heat,
                np.array([z[1] for z in states]))
