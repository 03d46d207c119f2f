"""How a step over arrays is laid out in memory and written as loops, in the syntax of either language.

A subclass of `ArrayText` says how a loop, a value and a place are spelt; everything else is one text for both
devices, so that they round alike.
"""

from ..symbolic.loops import stages

SPARE = "spare"              # where a law leaves what nobody reads


class Layout:
    """Where everything lives: `arrays`, tiles in order; `numbers`, one value a particle, in order.

    Values that only one loop sees stay in registers and have no place.
    """

    def __init__(self, step):
        self.step = step
        self.arrays, scratch = list(step.state), []
        self.numbers = ["field", "field_square", *step.books, *step.levels, "energy", "energy_before"]
        self.programs = {}
        slots = {**step.state, **step.books, **step.levels, **step.carried}
        noise = [name for name, _, _ in step.noise]
        self.carried_arrays = [slot for slot in step.carried if slot.startswith("force")]
        self.arrays += self.carried_arrays
        self.numbers += [slot for slot in step.carried if slot not in self.carried_arrays]
        for key, program, outputs in (("advance", step.advance, slots), ("begin", step.begin, step.begun)):
            given = [*step.state, *self.carried_arrays, *noise]
            uniform, cut, arrays = stages(program, list(outputs.values()), given)
            self.programs[key] = uniform, cut, arrays, outputs
            far = self._far(cut, arrays, outputs, given)
            scratch += [(key, name, name in arrays) for name in far]
        self.arrays.append(SPARE)
        self.numbers.append(SPARE)
        for key, name, is_array in scratch:
            (self.arrays if is_array else self.numbers).append(place(key, name))

    def _far(self, cut, arrays, outputs, given):
        """Names that outlive the loop they are made in."""
        made, seen, far = {}, {}, []

        def read(name, where):
            seen.setdefault(name, set()).add(where)
        for k, stage in enumerate(cut):
            for name, _, args in stage.arrays:
                made[name] = ("loop", k)
                for a in args:
                    read(a, ("loop", k))
            for name, a, b in stage.sums:
                made[name] = "memory"
                read(a, ("loop", k)), read(b, ("loop", k))
            for (x, *_), (energy, force) in stage.laws.items():
                read(x, "memory")
                made |= {name: "memory" for name in (energy, force) if name}
            for name, _, args in stage.numbers:
                made[name] = ("pass", k)
                for a in args:
                    read(a, ("pass", k))
        for value in outputs.values():
            read(value, "memory")
        return [name for name, where in made.items() if where == "memory" or seen.get(name, set()) - {where}]


def place(key, name):
    """The slot of a program's intermediate value."""
    return f"{key}.{name}"


class ArrayText:
    """Lines of `advance` and `begin`, for a subclass that knows a language.

    Parameters
    ----------
    step : ArrayStep

    Attributes
    ----------
    length : int
        Steps that share whole Philox blocks: a group.
    per_step, rows : int
        Random numbers of a component in a step, and in a group.
    """

    operations = {}          # operation → format of its expression

    def __init__(self, step):
        self.step, self.plan = step, Layout(step)
        self.length, _ = step.grouping()
        self.per_step = max([index + 1 for _, _, index in [*step.noise, *step.numbers]], default=1)
        self.rows = self.length*self.per_step

    # ---- the language ----

    def let(self, name, value):
        """A value that nothing changes."""
        raise NotImplementedError

    def constant(self, name, value):
        """A number written out."""
        raise NotImplementedError

    def put(self, place, value):
        """An assignment to memory."""
        raise NotImplementedError

    def over_components(self, body):
        """A loop over all components of a particle."""
        raise NotImplementedError

    def over_particles(self, body):
        """What is done once a particle."""
        raise NotImplementedError

    def array_at(self, place):
        """The present component of array number `place`."""
        raise NotImplementedError

    def number_at(self, place):
        """Number `place` of the particle."""
        raise NotImplementedError

    def normal_at(self, index):
        """The present component's normal number of this step."""
        raise NotImplementedError

    def uniform_at(self, index):
        """The particle's uniform number of this step."""
        raise NotImplementedError

    def law(self, x, force, energy, uniforms):
        """Energy and force of array number x, to array number `force` and number `energy`."""
        raise NotImplementedError

    def table_at(self, table, row, column):
        """An entry of table "C" (coefficients) or "P" (parameters), `row` rows after this step's."""
        raise NotImplementedError

    # ---- the text ----

    def coefficients(self):
        """Lines that read this step's coefficients from their table."""
        return [self.let(name, self.table_at("C", 0, k)) for k, (name, _) in enumerate(self.step.coefficients)]

    def parameters(self, now, ahead):
        """Lines that read the parameters `now` rows and, of those that are driven, `ahead` rows after this step's."""
        column = self.step.parameters.index
        return ([self.let(f"now_{p}", self.table_at("P", now, column(p))) for p in self.step.parameters]
                + [self.let(f"next_{p}", self.table_at("P", ahead, column(p))) for p in self.step.driven])

    def program(self, key, program):
        """Lines of "advance" or "begin", after the uniforms were declared."""
        uniform, cut, _, outputs = self.plan.programs[key]
        self.key, constants = key, {k: repr(v) for v, k in program.constants.items()}
        self.known = {*program.uniforms, *constants, *(name for name, _, _ in uniform)}
        lines = [self.constant(name, value) for name, value in constants.items()] + self._all(uniform)
        for stage in cut:
            lines += self._loop(stage) + self._laws(stage) + self._pass(stage.numbers)
        moved = {slot: value for slot, value in outputs.items() if slot != value}
        arrays = {slot: value for slot, value in moved.items() if slot in self.plan.arrays}
        for slots, loop in ((arrays, self.over_components),
                            ({s: v for s, v in moved.items() if s not in arrays}, self.over_particles)):
            if slots:
                lines += loop([self.let(f"new_{slot}", self._value(value)) for slot, value in slots.items()]
                              + [self.put(self._at(slot), f"new_{slot}") for slot in slots])
        return lines

    def _all(self, lines):
        return [self.let(name, self.operations[operation].format(*args)) for name, operation, args in lines]

    def _inside(self, lines, also=()):
        """What a loop reads, computes and leaves behind."""
        made = [name for name, _, _ in lines]
        used = dict.fromkeys([a for _, _, args in lines for a in args] + list(also))
        read = [self.let(a, self._value(a)) for a in used if a not in made and a not in self.known]
        return read + self._all(lines) + [self.put(self._at(name), name) for name in made if self._slot(name) != name]

    def _loop(self, stage):
        if not stage.arrays and not stage.sums:
            return []
        body = self._inside(stage.arrays, [a for _, *pair in stage.sums for a in pair])
        body += [self.put(self._at(name), f"fma({a}, {b}, {self._at(name)})") for name, a, b in stage.sums]
        zero = self.over_particles([self.put(self._at(name), "0") for name, _, _ in stage.sums]) if stage.sums else []
        return zero + self.over_components(body)

    def _laws(self, stage):
        arrays, numbers = self.plan.arrays.index, self.plan.numbers.index
        return [self.law(arrays(self._slot(x)), arrays(self._slot(force) if force else SPARE),
                         numbers(self._slot(energy) if energy else SPARE), uniforms)
                for (x, *uniforms), (energy, force) in stage.laws.items()]

    def _pass(self, lines):
        return self.over_particles(self._inside(lines)) if lines else []

    def _value(self, name):
        """How a loop reads a value from outside: a uniform, a random number, or a place."""
        if name in self.known:
            return name
        for random, _, index in self.step.noise:
            if random == name:
                return self.normal_at(index)
        for random, _, index in self.step.numbers:
            if random == name:
                return self.uniform_at(index)
        return self._at(name)

    def _slot(self, name):
        own = place(self.key, name)
        return own if own in self.plan.arrays or own in self.plan.numbers else name

    def _at(self, name):
        slot = self._slot(name)
        if slot in self.plan.arrays:
            return self.array_at(self.plan.arrays.index(slot))
        return self.number_at(self.plan.numbers.index(slot))
