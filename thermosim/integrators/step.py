"""One step under construction, independent of any device.

A step maps slots to slots. Slots are

    state      what a checkpoint must keep: positions, velocities, a remembered normal number
    carried    energies and forces at the present point, recomputed from scratch at every row
    books      sums over a row, one per ledger column
    levels     the last value in a row (the kinetic temperature)

The control parameters come in two sets: `now`, after this step's move, and `next`, after the move of the
following step. Evaluating both at the end of a step, where they share most of their operations, gives
the next step its force and its work.
"""

from dataclasses import dataclass, field
from math import gcd

from ..symbolic import Program
from ..symbolic.printers import needed


@dataclass
class Step:
    """What a printer needs: two programs and the layout of their inputs and outputs.

    Attributes
    ----------
    advance, begin : Program
        The step; the carried values and the energy at the beginning of a row.
    state, carried, books, levels : dict of str to str
        Slot → the value of `advance` that becomes its new content.
    begun : dict of str to str
        Carried slot (and "energy") → value of `begin`.
    noise : list of (name, component, index)
        Normal numbers of a step; `index` counts within (component, step).
    numbers : list of (name, component, index)
        Uniform numbers on (0, 1) of a step.
    coefficients : list of (name, function)
        Uniform of `advance`, and how its table over the steps follows from the time grid.
    parameters : list of str
        Parameters: their values are uniforms ``now_<name>`` and, if driven, ``next_<name>``.
    driven : tuple of str
    """

    advance: Program
    begin: Program
    state: dict = field(default_factory=dict)
    carried: dict = field(default_factory=dict)
    books: dict = field(default_factory=dict)
    levels: dict = field(default_factory=dict)
    begun: dict = field(default_factory=dict)
    noise: list = field(default_factory=list)
    numbers: list = field(default_factory=list)
    coefficients: list = field(default_factory=list)
    parameters: list = field(default_factory=list)
    driven: tuple = ()

    def grouping(self):
        """Steps that share whole Philox blocks of four draws, and the rows of random numbers they need."""
        noise = self.noise + self.numbers
        per_step = max([index + 1 for _, _, index in noise], default=1)
        length = 4//gcd(4, per_step)
        return length, length*per_step*len({c for _, c, _ in noise})

    def prune(self):
        """Drop carried values that nothing uses, once the books are chosen."""
        keep = {}
        while True:
            outputs = [*self.state.values(), *self.books.values(), *self.levels.values(), *keep.values()]
            used = set(outputs).union(*(args for _, _, args in needed(self.advance, outputs)))
            found = {slot: value for slot, value in self.carried.items() if slot in used}
            if found.keys() == keep.keys():
                break
            keep = found
        unused = self.carried.keys() - keep.keys()
        self.carried = keep
        self.begun = {slot: value for slot, value in self.begun.items() if slot not in unused}
        self.coefficients = [c for c in self.coefficients if c[0] in used]


class Builder:
    """The vocabulary schemes are written in.

    Parameters
    ----------
    dynamics : Overdamped or Underdamped
    driven : iterable of str
        Parameters that the protocol moves.
    books : iterable of str
        Ledger columns to keep.
    """

    def __init__(self, dynamics, driven, books):
        self.dynamics, self.wanted = dynamics, set(books)
        self.d = dynamics.dimension
        self.axes = self._axes()
        names = list(dynamics.parameters)
        uniforms = [f"now_{n}" for n in names] + [f"next_{n}" for n in names]
        self.program, begin = Program([], uniforms), Program([], uniforms)
        self.step = Step(self.program, begin, parameters=names, driven=tuple(n for n in names if n in set(driven)))
        self.now = {n: f"now_{n}" for n in names}
        self.next = {n: f"next_{n}" if n in self.step.driven else f"now_{n}" for n in names}
        self.x = [self.state(f"x{i}") for i in self.axes]
        self._begin_point(begin)
        self.energy_before = "energy_now"            # before this step's move
        self.energy = self.energy_moved              # after it

    def _axes(self):
        """What a scheme writes one line for: each component."""
        return range(self.d)

    # --- inputs -----------------------------------------------------------------------------------

    def state(self, name):
        """A slot of the state; its new value is set by `become`."""
        self.program.inputs.append(name)
        self.step.state[name] = name
        return name

    def normal(self, component, index=0):
        """A standard normal number of this step."""
        name = f"g{component}_{index}"
        self.program.inputs.append(name)
        self.step.noise.append((name, component, index))
        return name

    def number(self, component):
        """A uniform number on (0, 1) of this step."""
        name = f"u{component}"
        self.program.inputs.append(name)
        self.step.numbers.append((name, component, 0))
        return name

    def coefficient(self, table):
        """A number that is the same for all particles of a step; `table(grid)` gives it for every step."""
        name = f"c{len(self.step.coefficients)}"
        self.program.uniforms.append(name)
        self.program._uniform.add(name)
        self.step.coefficients.append((name, table))
        return name

    # --- outputs ----------------------------------------------------------------------------------

    def become(self, name, value):
        """The new content of a state slot."""
        self.step.state[name] = value

    def book(self, column, *values):
        """Add values to a ledger column; columns nobody asked for cost nothing."""
        if column not in self.wanted:
            return
        if column not in self.step.books:
            self.program.inputs.append(column)
            self.step.books[column] = column
        for value in values:
            self.step.books[column] = self.program.op("add", self.step.books[column], value)

    def book_product(self, column, a, b):
        """Add a·b to a ledger column, fused."""
        self.book(column)
        if column in self.wanted:
            self.step.books[column] = self.program.op("fma", a, b, self.step.books[column])

    def level(self, column, value):
        """The present value of a quantity; rows keep the last one."""
        if column in self.wanted:
            self.step.levels[column] = value

    # --- algebra ----------------------------------------------------------------------------------

    def formula(self, text, **names):
        """An expression in text, its names bound to values of the program."""
        return self.program.formula(text, **names)

    def dot(self, a, b, program=None):
        """Σ a_i b_i."""
        program = program or self.program
        total = program.op("mul", a[0], b[0])
        for p, q in zip(a[1:], b[1:]):
            total = program.op("fma", p, q, total)
        return total

    def half(self, value):
        """value/2."""
        return self.program.op("mul", self.program.constant(0.5), value)

    def negative(self, value):
        """−value."""
        return self.program.op("neg", value)

    def minus(self, a, b):
        """a − b."""
        return self.program.op("sub", a, b)

    # --- the law ----------------------------------------------------------------------------------

    def evaluate(self, x, parameters=None):
        """U, total force F and its part f without an energy (None if there is none), at x."""
        return self._law(self.program, x, parameters or self.now)

    def _law(self, program, x, parameters):
        pick = lambda law: {name: parameters[name] for name in law.parameters}
        energy, force = self.dynamics.potential.write(program, x, pick(self.dynamics.potential))
        if self.dynamics.force is None:
            return energy, force, None
        extra = self.dynamics.force.write(program, x, pick(self.dynamics.force))
        return energy, [program.op("add", a, b) for a, b in zip(force, extra)], extra

    def _begin_point(self, begin):
        """Slots for U before and after the move, F and f after it, and how a row begins."""
        x = self.x
        begin.inputs.extend(self.step.state)
        energy, _, _ = self._law(begin, x, self.now)
        moved, force, extra = self._law(begin, x, self.next)
        self.force = [self._carry(f"force{i}", f) for i, f in enumerate(force)]
        self.extra = [self._carry(f"extra{i}", f) for i, f in enumerate(extra)] if extra else None
        self._carry("energy_now", energy)
        self.energy_moved = self._carry("energy_moved", moved) if self.step.driven else "energy_now"
        self.step.begun["energy"] = energy

    def _carry(self, slot, value):
        self.program.inputs.append(slot)
        self.step.begun[slot] = value
        return slot

    def move(self):
        """The move of the control parameter at frozen x: its work is booked."""
        if self.step.driven:
            self.book("work", self.minus(self.energy, self.energy_before))
        else:
            self.book("work")

    def arrive(self, x, law=None):
        """Where a step ends: what the next one starts from. `law` = evaluate(x), if already there."""
        energy, force, extra = law or self.evaluate(x)
        moved, ahead, beyond = self.evaluate(x, self.next) if self.step.driven else (energy, force, extra)
        carried = {"energy_now": energy} | {f"force{i}": f for i, f in enumerate(ahead)}
        carried |= {f"extra{i}": f for i, f in enumerate(beyond)} if beyond else {}
        carried |= {"energy_moved": moved} if self.step.driven else {}
        self.step.carried = carried
        for i, value in enumerate(x):
            self.become(f"x{i}", value)

    def finish(self):
        """The step, cut down to what is asked of it."""
        self.step.prune()
        return self.step
