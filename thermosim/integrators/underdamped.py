"""Splittings of underdamped Langevin dynamics, written as a string of substeps.

    V (or B)   v' = v + (h_V/m) F            kick
    R (or A)   x' = x + h_R v                drift
    O          v' = a v + √(T(1 − a²)/m) g   bath, a = e^{−γ h_O}

Each letter shares the step equally with its twins. Every substep books its own energy change: O is heat,
V and R are shadow work, the move of the control (before all substeps) is work.

Sources: Leimkuhler, Matthews, 1203.5428; Sivak, Chodera, Crooks, 1107.2967, eqs. 9-12.
"""

import numpy as np

from ..dynamics import Underdamped
from ..errors import UserError
from .scheme import Scheme

SYNONYMS = {"A": "R", "B": "V"}


class Splitting(Scheme):
    """A splitting such as ``Splitting("V R O R V")`` or ``Splitting("B A O A B")``; need not be a palindrome.

    Only a detailed (Crooks) fluctuation theorem with the same scheme on both sides needs one.
    """

    kind = Underdamped
    absent = {"heat_line": "the midpoint line integral is a book of overdamped steps"}

    def __init__(self, letters):
        sequence = [SYNONYMS.get(c, c) for c in "".join(str(letters).split()).upper()]
        if not sequence or set(sequence) - set("VRO") or not {"V", "R"} <= set(sequence):
            raise UserError(f"splitting {letters!r}: use the letters V (or B), R (or A) and O, V and R at least once")
        self.letters = "".join(sequence)

    def __repr__(self):
        return f"Splitting({' '.join(self.letters)!r})"

    @property
    def is_palindrome(self):
        """Whether the step reads the same backwards."""
        return self.letters == self.letters[::-1]

    def write(self, b):
        share = {c: 1/self.letters.count(c) for c in set(self.letters)}
        gamma, m = b.dynamics.friction, b.dynamics.mass
        kick = b.coefficient(lambda grid: grid.h*share["V"]/m)
        drift = b.coefficient(lambda grid: grid.h*share["R"])
        if "O" in share:
            decay = b.coefficient(lambda grid: np.exp(-gamma*grid.h*share["O"]))
            noise = b.coefficient(lambda grid: np.sqrt(-grid.temperature/m*np.expm1(-2*gamma*grid.h*share["O"])))
            beta = b.coefficient(lambda grid: 1/grid.temperature)
        v = [b.state(f"v{i}") for i in b.axes]
        half_mass = b.program.constant(m/2)
        b.book("heat"), b.book("entropy_env"), b.book("shadow_work")
        b.move()
        x, energy, law, draws = b.x, b.energy, (b.energy, b.force, b.extra), 0
        last_bath = self.letters.rfind("O")
        for place, letter in enumerate(self.letters):
            if letter == "R":
                x = [b.formula("x + h*v", x=p, h=drift, v=q) for p, q in zip(x, v)]
                law = None
                continue
            if letter == "V":
                if law is None:
                    energy, law = self._drifted(b, x, energy)
                _, force, extra = law
                new = [b.formula("v + c*F", v=p, c=kick, F=F) for p, F in zip(v, force)]
                gain = self._kinetic_gain(b, v, new, half_mass)
                if extra:       # power of the force without energy at the mean velocity of the kick
                    both = b.dot([b.program.op("add", p, q) for p, q in zip(v, new)], extra)
                    stray = b.formula("M*c*z", M=half_mass, c=kick, z=both)
                    b.book("work", stray)
                    gain = b.minus(gain, stray)
                b.book("shadow_work", gain)
            else:
                new = [b.formula("a*v + s*g", a=decay, v=p, s=noise, g=b.normal(i, draws)) for i, p in enumerate(v)]
                heat = self._kinetic_gain(b, v, new, half_mass)
                b.book("heat", heat)
                b.book_product("entropy_env", b.negative(heat), beta)
                draws += 1
            v = new
            if place == last_bath:
                b.level("kinetic_temperature", b.formula("c*z", c=b.program.constant(m/b.d), z=b.dot(v, v)))
        if law is None:
            energy, law = self._drifted(b, x, energy)
        b.arrive(x, law)
        for i, value in enumerate(v):
            b.become(f"v{i}", value)
        self._total_energy(b)

    def _drifted(self, b, x, before):
        """Energy and force after drifts; the energy change is shadow work."""
        law = b.evaluate(x)
        b.book("shadow_work", b.minus(law[0], before))
        return law[0], law

    def _kinetic_gain(self, b, old, new, half_mass):
        """½m(v'² − v²) = ½m(v' − v)·(v' + v)."""
        change = b.dot([b.minus(q, p) for p, q in zip(old, new)], [b.program.op("add", p, q) for p, q in zip(old, new)])
        return b.program.op("mul", half_mass, change)

    def _total_energy(self, b):
        """Rows report H = U + ½mv²."""
        begin = b.step.begin
        v = [f"v{i}" for i in b.axes]
        begin.inputs.extend(v)
        b.step.begun["energy"] = begin.op("fma", begin.constant(b.dynamics.mass/2), b.dot(v, v, begin),
                                          b.step.begun["energy"])


def BAOAB():
    """V R O R V: exact configurations in a harmonic trap, second order elsewhere."""
    return Splitting("V R O R V")


def OBABO():
    """O V R V O: exact velocities in a harmonic trap."""
    return Splitting("O V R V O")
