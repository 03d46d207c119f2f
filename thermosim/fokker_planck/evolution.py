"""A density through time, and the ledger it fills: the columns of the particles, without their noise.

An equation says what carries its cell masses over a step (`stepper`), what energy the cells have and where its grid
ends; the rest is the same for positions alone and for phase space. On a grid of positions the density is the law of a
Markov chain whose hop rates obey ln(rate/rate back) = −w, so the entropy given to the bath is −heat/T exactly and
there is no shadow work.
"""

from dataclasses import dataclass

import numpy as np

from ..errors import UserError
from ..ledger import Ledger
from ..protocols import Constant, Protocol
from .checks import made_of, numeric, positive, whole
from .densities import entropy
from .march import March
from .schemes import Propagator

LEAVES = "mass leaves through an absorbing end: what it carries off is booked by nobody"


@dataclass
class Evolution:
    """What a density did.

    Attributes
    ----------
    times : (F,) array
    densities : (F, *shape) array
        p at those times, the first being the start.
    ledger : Ledger
        One row per interval between frames, the columns of the particle ledger and free_energy at the end
        of the row; variances are NaN, for a density knows means only.
    error : float
        Estimate of the L1 error of the last density due to time steps, an upper bound where the estimate
        of each step is right; NaN for fixed steps.
    steps : int
    """

    times: np.ndarray
    densities: np.ndarray
    ledger: Ledger
    error: float
    steps: int

    @property
    def final(self):
        """The density at the end."""
        return self.densities[-1]


def evolve(equation, p, t, protocol, scheme, tolerance, steps, device):
    """Body of `FokkerPlanck.evolve` and `KleinKramers.evolve`; see there."""
    times = numeric(t, "times")
    if times.ndim != 1 or len(times) < 2 or not np.all(np.isfinite(times)) or np.any(np.diff(times) <= 0):
        raise UserError("times must rise: give t=(t0, t1), or a rising array of times for frames")
    tolerance = positive(tolerance, "tolerance, an L1 error,")
    steps = steps if steps is None else whole(steps, "steps per interval")
    if protocol is not None:
        made_of(protocol, Protocol, "give a protocol such as Linear(f=(0, 1))")
    grid, drive = equation.grid, Drive(equation, protocol, (times[0], times[-1]))
    m = grid.masses(p)
    temperature, parameters = drive.before(times[0])
    equation.warn_if_steep(m, temperature, **parameters)
    step = equation.stepper(drive, scheme, device)
    march = March(step, tolerance, times[0], times[-1], step.finest, step.first_steps)
    books, frames = Books(equation, drive, step, m, times[0]), [m]
    moving = device.asarray(m)
    for a, b in zip(times[:-1], times[1:]):
        moving, booked = march.over(moving, a, b) if steps is None else march.fixed(moving, a, b, steps)
        m = device.to_host(moving)
        equation.check_ends(m)
        books.close(m, b, booked, last=b == times[-1])
        frames.append(m)
    return Evolution(times, np.stack(frames) / grid.volumes, books.ledger(), march.error, march.steps)


class Drive:
    """A protocol over one run: temperature and parameters as a step asks for them."""

    def __init__(self, equation, protocol, span):
        self.protocol, self.span, self.temperature = protocol or Constant(), span, equation.dynamics.temperature
        known = [*equation.dynamics.parameters, "temperature"]
        unknown = set(self.protocol.names) - set(known)
        if unknown:
            raise UserError(f"the protocol drives {', '.join(sorted(unknown))}, but the parameters are "
                            f"{', '.join(known)}")
        self.rests = isinstance(self.protocol, Constant) and equation.dynamics.force is None

    def _values(self, limits):
        values = {k: float(v[0]) for k, v in limits.items()}
        temperature = values.pop("temperature", self.temperature)
        if not temperature > 0:
            raise UserError("the temperature must stay positive throughout the protocol")
        return temperature, values

    def before(self, t):
        """(temperature, parameters), left limits at t."""
        return self._values(self.protocol.before(np.array([t]), self.span))

    def after(self, t):
        """(temperature, parameters), right limits at t."""
        return self._values(self.protocol.after(np.array([t]), self.span))


class Step:
    """What carries cell masses over time, and what it books: (work, shadow_work, heat, entropy_env).

    Attributes
    ----------
    order : int
        Of the step.
    finest : float
        The time in which the fastest cell empties.
    first_steps : int
        Into how many steps a run with controlled error is divided at first.
    books : bool
        Whether it books at all; where it does not, all energy gained is heat.
    absent : dict of str to str
        Ledger column → why it has no value.
    """

    books, absent = True, {}

    def __call__(self, m, t, h, steps=1):
        """Masses after `steps` steps of h from t, and what was booked on the way."""
        booked = np.zeros(4)
        for n in range(steps):
            m, one = self.one(m, t + n * h, h)
            booked += one
        return m, booked


class Relaxation(Step):
    """Steps while nothing moves and all force has an energy: heat follows from the ends of an interval."""

    books = False

    def __init__(self, equation, drive, scheme, device):
        temperature, parameters = drive.before(drive.span[0])
        self.equation, self.scheme, self.device = equation, scheme, device
        self.order, self.first_steps = scheme.order_at_rest, scheme.first_steps
        self.generator = equation.generator(temperature, **parameters)
        self.finest = 1 / self.generator.fastest()

    def __call__(self, m, t, h, steps=1):
        """Masses after `steps` steps of h; nothing booked."""
        return self.equation.propagator(self.generator, self.scheme, h, self.device).advance(m, steps), np.zeros(4)


class DrivenStep(Step):
    """Parameters to the middle of the step at frozen p, relaxation there, parameters to the end."""

    def __init__(self, equation, drive, scheme, device):
        temperature, parameters = drive.before(drive.span[0])
        self.equation, self.drive, self.scheme, self.device = equation, drive, scheme, device
        self.order, self.first_steps = scheme.order, scheme.first_steps
        self.finest = 1 / equation.generator(temperature, **parameters).fastest()

    def one(self, m, t, h):
        """One step, and what it booked."""
        equation = self.equation
        temperature, parameters = self.drive.before(t + 0.5 * h)
        generator = equation.generator(temperature, **parameters)
        moved = Propagator(generator, self.scheme, h, self.device).advance(m)
        m, relaxed = (self.device.to_host(x) for x in (m, moved))      # the books are kept on the host
        start, U, end = (equation.energy(**values) for values in
                         (self.drive.before(t)[1], parameters, self.drive.before(t + h)[1]))
        work = np.sum(m * (U - start)) + np.sum(relaxed * (end - U))
        heat = np.sum((relaxed - m) * U)
        if equation.dynamics.force is not None:
            powers = [equation.power(generator, x, parameters) for x in (m, relaxed)]
            done = h * (powers[1] if self.scheme.order == 1 else 0.5 * sum(powers))
            work, heat = work + done, heat - done
        return moved, np.array([work, 0.0, heat, -heat / temperature])


class Books:
    """Ledger rows, one per interval between frames."""

    def __init__(self, equation, drive, step, m, t):
        self.equation, self.drive, self.step, self.rows = equation, drive, step, []
        self.energy, self.entropy = self._state(m, drive.before(t)[1])

    def _state(self, m, parameters):
        grid = self.equation.grid
        return np.sum(m * self.equation.energy(**parameters)), entropy(grid, m / grid.volumes)

    def close(self, m, t, booked, last):
        """Book the interval that ends at t with (work, shadow_work, heat, entropy_env)."""
        temperature, parameters = self.drive.before(t)
        work, shadow, heat, env = booked
        if last and self.step.books:
            # a jump at the very end of the run is work of its last row
            before, (temperature, parameters) = self.equation.energy(**parameters), self.drive.after(t)
            work = work + np.sum(m * (self.equation.energy(**parameters) - before))
        energy, S = self._state(m, parameters)
        if not self.step.books:
            heat = energy - self.energy
            env = -heat / temperature
        self.rows.append((t, temperature, work, shadow, heat, env, energy, S - self.entropy, energy - temperature * S))
        self.energy, self.entropy = energy, S

    def ledger(self):
        """All rows so far as a Ledger."""
        time, temperature, work, shadow, heat, env, energy, sys, free = np.array(self.rows).T
        means = {"work": work, "shadow_work": shadow, "heat": heat, "heat_line": heat.copy(),
                 "entropy_env": env, "energy": energy, "entropy_sys": sys, "free_energy": free}
        reasons = dict(self.step.absent)
        means.update((name, np.full_like(work, np.nan)) for name in reasons)
        if self.equation.grid.has_end("absorbing"):
            means, reasons = {k: np.full_like(v, np.nan) for k, v in means.items()}, dict.fromkeys(means, LEAVES)
        variance = {k: np.full_like(v, np.nan) for k, v in means.items()}
        return Ledger("interval", {"time": time, "temperature": temperature}, means, variance, 0, reasons)
