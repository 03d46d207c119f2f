"""λ(t) and T(t): how control parameters move while a run goes on.

A protocol is asked once, on the host, for a table over the time grid; kernels see float64 numbers only,
so any expression works on every device. Values in a table are left limits λ(t−): a jump inside the run
belongs to the move of the step that follows it, and a jump at the very end becomes a last row of zero
duration, in which only work is done. The name ``temperature`` drives the bath.
"""

import numpy as np

from .errors import UserError
from .symbolic import Program, evaluate, parse_expression


class Protocol:
    """What a run asks of a protocol.

    ``names`` — the parameters it drives; ``before(t, span)`` and ``after(t, span)`` — left and right
    limits at times t (N,), each a dict of arrays (N,). `span` = (t0, t1) is the interval of the run.
    ``a & b`` drives the parameters of both.
    """

    names = ()

    def before(self, t, span):
        """Left limits at times t (N,): {name: (N,) array}."""
        raise NotImplementedError

    def after(self, t, span):
        """Right limits; the same where nothing jumps."""
        return self.before(t, span)

    def __and__(self, other):
        return Together(self, other)


class Constant(Protocol):
    """Parameters held at other values than the potential's own: ``Constant(k=2.0)``."""

    def __init__(self, **values):
        self.names, self.values = tuple(values), values

    def before(self, t, span):
        return {name: np.full(len(t), float(v)) for name, v in self.values.items()}


class Ramp(Protocol):
    """λ = λ_0 + (λ_1 − λ_0)·shape(s), s from 0 to 1 over the run; the base of Linear and Smooth."""

    def __init__(self, **ends):
        for name, pair in ends.items():
            if np.shape(pair) != (2,):
                raise UserError(f"{name} needs two values (start, end), not {pair!r}")
        self.names, self.ends = tuple(ends), ends

    def shape(self, s):
        """Share of the way at s, from 0 at s = 0 to 1 at s = 1."""
        raise NotImplementedError

    def before(self, t, span):
        s = self.shape(np.clip((t - span[0])/(span[1] - span[0]), 0.0, 1.0))
        return {name: (1 - s)*a + s*b for name, (a, b) in self.ends.items()}

    def __repr__(self):
        return f"{type(self).__name__}({', '.join(f'{k}={v}' for k, v in self.ends.items())})"


class Linear(Ramp):
    """A straight ramp over the run: ``Linear(c=(0.0, 2.0))``."""

    def shape(self, s):
        return s


class Smooth(Ramp):
    """A ramp that starts and ends at rest, without acceleration: 10s³ − 15s⁴ + 6s⁵."""

    def shape(self, s):
        return s*s*s*(10 + s*(6*s - 15))


class Piecewise(Protocol):
    """Straight lines between knots; a time given twice is a jump.

    Parameters
    ----------
    times : (K,) array, not falling
    **values : (K,) arrays

    Examples
    --------
    ``Piecewise([0, 0, 1, 1], k=[1.0, 1.4, 3.4, 4.0])`` jumps at both ends and is linear between.
    """

    def __init__(self, times, **values):
        self.times = np.asarray(times, dtype=np.float64)
        self.names, self.values = tuple(values), {k: np.asarray(v, dtype=np.float64) for k, v in values.items()}
        if self.times.ndim != 1 or len(self.times) < 2 or np.any(np.diff(self.times) < 0) \
                or not np.all(np.isfinite(self.times)):
            raise UserError("a piecewise protocol needs at least two times that never fall")
        for name, v in self.values.items():
            if v.shape != self.times.shape or not np.all(np.isfinite(v)):
                raise UserError(f"{name} needs one finite value per time: {len(self.times)}, not {v.shape}")

    def _limit(self, t, side):
        t = np.clip(np.asarray(t, dtype=np.float64), self.times[0], self.times[-1])
        # the knot interval on the wanted side: left limits end an interval, right limits begin one
        j = np.searchsorted(self.times, t, side=side)
        j = np.clip(j, 1, len(self.times) - 1)
        width = self.times[j] - self.times[j - 1]
        s = np.where(width > 0, (t - self.times[j - 1])/np.where(width > 0, width, 1), 1.0 if side == "right" else 0.0)
        return {name: (1 - s)*v[j - 1] + s*v[j] for name, v in self.values.items()}

    def before(self, t, span):
        return self._limit(t, "left")

    def after(self, t, span):
        return self._limit(t, "right")


class Sampled(Piecewise):
    """Values at equal distances over the run, straight lines between: ``Sampled(k=array)``."""

    def __init__(self, **values):
        count = {len(np.atleast_1d(v)) for v in values.values()}
        if len(count) != 1:
            raise UserError("sampled arrays must have one common length")
        super().__init__(np.linspace(0.0, 1.0, count.pop()), **values)

    def before(self, t, span):
        return super().before((t - span[0])/(span[1] - span[0]), span)

    def after(self, t, span):
        return super().after((t - span[0])/(span[1] - span[0]), span)


class Jump(Protocol):
    """One sudden switch: ``Jump(at=0.0, k=(1.0, 4.0))``."""

    def __init__(self, at=0.0, **ends):
        Ramp.__init__(self, **ends)
        self.at = float(at)

    def before(self, t, span):
        return {name: np.where(t > self.at, b, a) for name, (a, b) in self.ends.items()}

    def after(self, t, span):
        return {name: np.where(t >= self.at, b, a) for name, (a, b) in self.ends.items()}


class Expression(Protocol):
    """Any expression in t: ``Expression(c="2*sin(3*t)")``, or a sympy expression in the symbol t."""

    def __init__(self, **laws):
        self.names, self.laws = tuple(laws), laws

    def before(self, t, span):
        program, out = Program(["t"]), []
        for law in self.laws.values():
            expr = parse_expression(law, ["t"]) if isinstance(law, str) else _sympify(law)
            out += program.expressions([expr], {s: "t" for s in expr.free_symbols if s.name == "t"})
        values = evaluate(program, out, {"t": np.asarray(t, dtype=np.float64)})
        return {name: np.broadcast_to(v, np.shape(t)).copy() for name, v in zip(self.names, values)}


class Together(Protocol):
    """Several protocols at once; no parameter may be driven twice."""

    def __init__(self, *parts):
        self.parts = parts
        self.names = tuple(name for part in parts for name in part.names)
        if len(set(self.names)) < len(self.names):
            raise UserError(f"a parameter is driven twice: {', '.join(self.names)}")

    def before(self, t, span):
        return {k: v for part in self.parts for k, v in part.before(t, span).items()}

    def after(self, t, span):
        return {k: v for part in self.parts for k, v in part.after(t, span).items()}


def _sympify(law):
    import sympy

    return sympy.sympify(law) if not isinstance(law, str) else law


class Grid:
    """Time, parameters and bath temperature of every step: what coefficient tables are made from.

    Step n goes from times[n] to times[n+1]; it first moves the parameters from row n to row n+1.

    Attributes
    ----------
    times : (N+1,) array
    h : (N,) array
        Durations; the last is zero where the protocol jumps at the end.
    parameters : dict of (N+1,) arrays
    temperature : (N,) array
        Bath of each step.
    driven : tuple of str
        Parameters that change anywhere.
    """

    def __init__(self, dynamics, protocol, times):
        times = np.asarray(times, dtype=np.float64)
        if times.ndim != 1 or len(times) < 2 or not np.all(np.isfinite(times)) or np.any(np.diff(times) <= 0):
            raise UserError("times must rise: give t=(t0, t1) with steps=N, or a rising array of times")
        span, protocol = (times[0], times[-1]), protocol or Constant()
        unknown = set(protocol.names) - set(dynamics.parameters) - {"temperature"}
        if unknown:
            raise UserError(f"the protocol drives {', '.join(sorted(unknown))}, but the parameters are "
                            f"{', '.join([*dynamics.parameters, 'temperature'])}")
        table = protocol.before(times, span)
        last = {k: v[0] for k, v in protocol.after(times[-1:], span).items()}
        if any(last[k] != table[k][-1] for k in table):
            times = np.append(times, times[-1])
            table = {k: np.append(v, last[k]) for k, v in table.items()}
        for name, v in table.items():
            if not np.all(np.isfinite(v)):
                raise UserError(f"the protocol gives {name} a value that is not finite")
        self.times, self.h = times, np.diff(times)
        self.parameters = {k: table.get(k, np.full(len(times), float(v))) for k, v in dynamics.parameters.items()}
        self.temperature = table.get("temperature", np.full(len(times), float(dynamics.temperature)))[1:]
        self.initial_temperature = float(table["temperature"][0]) if "temperature" in table else dynamics.temperature
        if np.any(self.temperature <= 0) or self.initial_temperature <= 0:
            raise UserError("the temperature must stay positive throughout the protocol")
        self.driven = tuple(k for k, v in self.parameters.items() if np.any(v != v[0]))

    @property
    def steps(self):
        """Number of steps."""
        return len(self.h)

    def reversed(self):
        """The grid of the reverse process: the order of substeps turned too, particle first, then control.

        A leading row without a move and a last row without duration do that with the same step.
        """
        back = object.__new__(Grid)
        back.h = np.append(self.h[::-1], 0.0)
        back.times = self.times[0] + np.concatenate(([0.0], np.cumsum(back.h)))
        back.parameters = {k: np.concatenate((v[-1:], v[::-1])) for k, v in self.parameters.items()}
        back.temperature = np.append(self.temperature[::-1], self.temperature[0])
        back.initial_temperature, back.driven = float(self.temperature[-1]), self.driven
        return back

    def at(self, n):
        """All parameters at row n, as floats."""
        return {k: float(v[n]) for k, v in self.parameters.items()}
