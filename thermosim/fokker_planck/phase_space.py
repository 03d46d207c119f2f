"""A step in phase space: kicks, flights and the bath, one after the other, each with its own energy change booked.

    V   every row of velocities moves by h F(x)/m          (a row for each x)
    R   every row of positions moves by h v                (a row for each v)
    O   every row of velocities relaxes: e^{hK}, K the hops of the bath along v, exact in time

The letters are those of the particles' `integrators.Splitting`, the books too: O is heat, V and R are shadow work,
moves of the parameters are work. Each substep keeps mass and p ≥ 0 whatever its length; together they err by h² where
the letters read the same backward.

Source: Leimkuhler, Matthews, 1203.5428; for densities Cheng, Knorr, J. Comput. Phys. 22, 330 (1976).
"""

import numpy as np

from ..backend.cpu.shears import shift
from .evolution import Step
from .fluxes import VANISHING, produced

TERMS = 20        # of the exponential series of a matrix with norm 1: the first left out is 2·10⁻²⁰


class Bath:
    """Friction and noise along v, the same at every x: hops between cells, of which e^{hK} is made exactly.

    A Maxwellian M ∝ e^{−mv²/2T} rests where its flows up and down each face are equal, S say, and every mean velocity
    decays as e^{−γt} on cells of any width Δv where up − down = −γv/Δv in each cell: S = −Σγv M/Δv over the cells
    below. Higher moments of v relax too slowly by shares of order Δv².

    Parameters
    ----------
    v : Axis
    friction, mass, temperature : float
    """

    def __init__(self, v, friction, mass, temperature):
        push, H = friction * v.centers / v.widths[0], 0.5 * mass * v.centers**2 / temperature
        middle = np.searchsorted(v.centers, 0.0)
        below, above = np.exp(np.diff(H)[:middle]), np.exp(-np.diff(H)[middle:])
        self.up, self.down = np.zeros(v.cells), np.zeros(v.cells)
        for i in range(middle):                    # from either end to the middle: sums of positive numbers
            self.up[i] = self.down[i] - push[i]
            self.down[i + 1] = self.up[i] * below[i]
        for i in range(v.cells - 1, middle, -1):
            self.down[i] = self.up[i] + push[i]
            self.up[i - 1] = self.down[i] * above[i - 1 - middle]
        self._steps = {}

    def step(self, h):
        """e^{hK} by sums and products of positive numbers alone, (v cells, v cells): it acts on columns of masses."""
        if h not in self._steps:
            leaving = self.up + self.down
            fastest = np.max(leaving)
            halvings = int(np.ceil(np.log2(max(1.0, fastest * h))))
            some = h / 2**halvings * (np.diag(self.up[:-1], -1) + np.diag(self.down[1:], 1)
                                      + np.diag(fastest - leaving))
            term = whole = np.eye(len(leaving))
            for k in range(1, TERMS):
                term = some @ term / k
                whole = whole + term
            for _ in range(halvings):
                whole = whole / whole.sum(axis=0)
                whole = whole @ whole
            self._steps[h] = whole / whole.sum(axis=0)
        return self._steps[h]

    def entropy_production(self, m):
        """∫(irreversible current along v)²/(Dp) of cell masses (x, v), nats per unit time; see `fluxes.produced`.

        A cell that is empty, as tails shifted across the end of a grid are, counts as almost so.
        """
        m = np.maximum(m, VANISHING)
        return float(produced(self.up[:-1] * m[:, :-1], self.down[1:] * m[:, 1:]).sum())


class PhaseStep(Step):
    """Parameters to the middle of the step at frozen p, the letters of a splitting, parameters to the end.

    Parameters
    ----------
    equation : KleinKramers
    drive : Drive
    scheme : integrators.Splitting
    """

    first_steps = 16

    def __init__(self, equation, drive, scheme):
        self.equation, self.drive, self.absent = equation, drive, scheme.absent
        self.letters = scheme.letters if equation.dynamics.friction > 0 else scheme.letters.replace("O", "")
        self.order = 2 if scheme.is_palindrome else 1
        self.share = {c: 1 / scheme.letters.count(c) for c in scheme.letters}
        x, v = equation.grid.axes
        self.finest = x.widths[0] / np.max(np.abs(v.edges))

    def one(self, m, t, h):
        """One step, and what it booked."""
        equation, mass = self.equation, self.equation.dynamics.mass
        x, v = equation.grid.axes
        (_, start), (temperature, parameters), (_, end) = (self.drive.before(s) for s in (t, t + 0.5 * h, t + h))
        U, force, extra = equation.landscape(**parameters)
        bath, half_square = equation.bath(temperature), 0.5 * mass * v.centers**2
        total, at = m.sum(), m.sum(axis=1)
        work, shadow, heat = at @ (U - equation.landscape(**start)[0]), 0.0, 0.0
        potential, kinetic = at @ U, m.sum(axis=0) @ half_square
        for letter in self.letters:
            span = h * self.share[letter]
            if letter == "R":
                m = shift(m.T, span / x.widths[0] * v.centers, x.periodic).T
                before, potential = potential, m.sum(axis=1) @ U
                shadow += potential - before
                continue
            if letter == "V":
                kicked = shift(m, span / (mass * v.widths[0]) * (force + extra))
                # a force without energy works at the mean velocity of the kick
                done = 0.5 * span * extra @ ((m + kicked) @ v.centers) if np.any(extra) else 0.0
                m = kicked
            else:
                m = (bath.step(span) @ m.T).T
            before, kinetic = kinetic, m.sum(axis=0) @ half_square
            if letter == "V":
                work, shadow = work + done, shadow + kinetic - before - done
            else:
                heat += kinetic - before
        m = np.ascontiguousarray(m)
        m.flat[m.argmax()] += total - m.sum()      # what rounding took
        work += m.sum(axis=1) @ (equation.landscape(**end)[0] - U)
        return m, np.array([work, shadow, heat, -heat / temperature])
