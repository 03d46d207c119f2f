"""Schemes for dx = μF dt + √(2μT) dw. Every step first moves the control, then the particle."""

import numpy as np

from ..dynamics import Overdamped
from ..errors import UserError
from .scheme import Scheme

NO_DENSITY = "the scheme has no explicit one-step density, so no entropy_env"
KINETIC = {"kinetic_temperature": "overdamped dynamics has no velocities"}
WITHOUT_DENSITY = KINETIC | {c: NO_DENSITY for c in ("shadow_work", "heat", "entropy_env")}


def _drift(b):
    return b.coefficient(lambda grid: b.dynamics.mobility*grid.h)


def _noise(b):
    return b.coefficient(lambda grid: np.sqrt(2*b.dynamics.mobility*grid.temperature*grid.h))


def _inverse_temperature(b):
    return b.coefficient(lambda grid: 1/grid.temperature)


def _twice_line(b, force, ahead, dx):
    """(F + F')·Δx."""
    return b.dot([b.program.op("add", p, q) for p, q in zip(force, ahead)], dx)


def _book_line(b, force, ahead, dx):
    """heat_line, −½(F + F')·Δx."""
    b.book_product("heat_line", b.program.constant(-0.5), _twice_line(b, force, ahead, dx))


def _book_bath(b, heat, beta):
    """heat, and entropy_env = −heat/T."""
    b.book("heat", heat)
    b.book_product("entropy_env", b.negative(heat), beta)


class EulerMaruyama(Scheme):
    """x' = x + μhF + √(2μTh) g.

    Parameters
    ----------
    tamed : bool
        Replace F by F/(1 + μh|F|), which cannot overshoot however steep the energy (Hutzenthaler,
        Jentzen, Kloeden 1010.3756). The books stay exact: the kernel is Gaussian about the tamed drift.
    """

    kind = Overdamped
    absent = KINETIC

    def __init__(self, tamed=False):
        self.tamed = bool(tamed)

    def __repr__(self):
        return "EulerMaruyama(tamed=True)" if self.tamed else "EulerMaruyama()"

    def write(self, b):
        drift, noise = _drift(b), _noise(b)
        b.move()
        force = self._tame(b, b.force, drift)
        new = [b.formula("x + a*F + s*g", x=x, a=drift, F=F, s=noise, g=b.normal(i))
               for i, (x, F) in enumerate(zip(b.x, force))]
        law = energy, ahead, extra = b.evaluate(new)
        ahead = self._tame(b, ahead, drift)
        dx = [b.minus(p, q) for p, q in zip(new, b.x)]
        # σ_env = Δx·(F + F')/2T + μh(F'² − F²)/4T = ½(F + F')·(Δx + ½μh(F' − F))/T
        half = b.half(drift)
        lever = [b.formula("e + c*(q - p)", e=e, c=half, p=p, q=q) for e, p, q in zip(dx, force, ahead)]
        heat = b.program.op("mul", b.program.constant(-0.5), _twice_line(b, force, ahead, lever))
        _book_bath(b, heat, _inverse_temperature(b))
        _book_line(b, force, ahead, dx)
        shadow = b.minus(b.minus(energy, b.energy), heat)
        if extra:
            stray = b.half(_twice_line(b, b.extra, extra, dx))
            b.book("work", stray)
            shadow = b.minus(shadow, stray)
        b.book("shadow_work", shadow)
        b.arrive(new, law)

    def _tame(self, b, force, drift):
        if not self.tamed:
            return force
        size = b.program.op("sqrt", b.dot(force, force))
        return [b.formula("F/(1 + a*z)", F=F, a=drift, z=size) for F in force]


class ExactOU(Scheme):
    """The transition law of a quadratic energy with uncoupled axes, exact for any step.

    x' = x + F(1 − e^{−μkh})/k + √(T(1 − e^{−2μkh})/k) g. It obeys detailed balance at the moved control,
    so all relaxation is heat and shadow_work is zero.

    Source: Gillespie, Phys. Rev. E 54, 2084 (1996), eq. 2.9.
    """

    kind = Overdamped
    absent = KINETIC

    def check(self, dynamics, grid):
        potential = dynamics.potential
        if dynamics.force is not None or not getattr(potential, "is_quadratic", False):
            raise UserError("ExactOU needs a quadratic potential and no extra force: use EulerMaruyama")
        for i, a in enumerate(potential.coordinates):
            if any(potential.derivative(a, c) != 0 for c in potential.coordinates[:i]):
                raise UserError("ExactOU needs uncoupled axes: turn the coordinates to the principal axes")

    def _stiffness(self, b, i):
        potential = b.dynamics.potential
        axis = potential.coordinates[i]

        def of(grid):
            values = {name: grid.parameters[name][1:] for name in potential.parameters}
            return potential._evaluate(potential.derivative(axis, axis), np.zeros((len(grid.h), b.d)), values)
        return of

    def write(self, b):
        b.move()
        new = []
        for i, (x, F) in enumerate(zip(b.x, b.force)):
            k, mobility = self._stiffness(b, i), b.dynamics.mobility
            pull = b.coefficient(lambda grid: _relaxed(k(grid), mobility*grid.h))
            noise = b.coefficient(lambda grid: np.sqrt(grid.temperature*_relaxed(k(grid), 2*mobility*grid.h)))
            new.append(b.formula("x + a*F + s*g", x=x, a=pull, F=F, s=noise, g=b.normal(i)))
        law = energy, ahead, _ = b.evaluate(new)
        heat = b.minus(energy, b.energy)
        dx = [b.minus(p, q) for p, q in zip(new, b.x)]
        _book_bath(b, heat, _inverse_temperature(b))
        _book_line(b, b.force, ahead, dx)
        b.book("shadow_work")
        b.arrive(new, law)


def _relaxed(k, s):
    """(1 − e^{−ks})/k, and its limit s at k = 0."""
    flat = k == 0
    return np.where(flat, s, -np.expm1(-k*s)/np.where(flat, 1, k))


class StochasticHeun(Scheme):
    """x̃ = x + μhF(x) + √(2μTh) g;  x' = x + ½μh(F(x) + F(x̃)) + √(2μTh) g: weak order 2 for additive noise.

    Source: Kloeden, Platen, Numerical Solution of SDEs (1992), §14.1.
    """

    kind = Overdamped
    absent = WITHOUT_DENSITY

    def write(self, b):
        drift, noise = _drift(b), _noise(b)
        b.move()
        kicks = [b.program.op("mul", noise, b.normal(i)) for i in b.axes]
        guess = [b.formula("x + a*F + r", x=x, a=drift, F=F, r=r) for x, F, r in zip(b.x, b.force, kicks)]
        _, at_guess, _ = b.evaluate(guess)
        half = b.half(drift)
        new = [b.formula("x + a*(F + G) + r", x=x, a=half, F=F, G=G, r=r)
               for x, F, G, r in zip(b.x, b.force, at_guess, kicks)]
        _finish_without_density(b, new)


class LeimkuhlerMatthews(Scheme):
    """x' = x + μhF(x) + ½√(2μTh)(g_n + g_{n+1}): averages over configurations to second order.

    Source: Leimkuhler, Matthews, 1203.5428, eq. 1.6.
    """

    kind = Overdamped
    absent = WITHOUT_DENSITY

    def write(self, b):
        drift, noise = _drift(b), _noise(b)
        b.move()
        half = b.half(noise)
        new = []
        for i, (x, F) in enumerate(zip(b.x, b.force)):
            before, fresh = b.state(f"normal{i}"), b.normal(i)
            new.append(b.formula("x + a*F + s*(p + g)", x=x, a=drift, F=F, s=half, p=before, g=fresh))
            b.become(f"normal{i}", fresh)
        _finish_without_density(b, new)


def _finish_without_density(b, new):
    law = _, ahead, extra = b.evaluate(new)
    dx = [b.minus(p, q) for p, q in zip(new, b.x)]
    _book_line(b, b.force, ahead, dx)
    if extra:
        b.book_product("work", b.program.constant(0.5), _twice_line(b, b.extra, extra, dx))
    b.arrive(new, law)


class MALA(Scheme):
    """An Euler–Maruyama proposal, accepted with probability min(1, e^{−ΔU/T − σ_env}): exact equilibrium.

    Detailed balance holds step by step, rejections included: entropy_env = −ΔU/T, shadow_work = 0.

    Source: Roberts, Tweedie, Bernoulli 2, 341 (1996).
    """

    kind = Overdamped
    absent = KINETIC

    def check(self, dynamics, grid):
        if dynamics.force is not None:
            raise UserError("MALA samples e^{−U/T}, which an extra force does not keep: use EulerMaruyama")

    def write(self, b):
        drift, noise, beta = _drift(b), _noise(b), _inverse_temperature(b)
        b.move()
        p = b.program
        new = [b.formula("x + a*F + s*g", x=x, a=drift, F=F, s=noise, g=b.normal(i))
               for i, (x, F) in enumerate(zip(b.x, b.force))]
        energy, ahead, _ = b.evaluate(new)
        half = b.half(drift)
        lever = [b.formula("y - x + c*(q - f)", y=y, x=x, c=half, f=f, q=q)
                 for y, x, f, q in zip(new, b.x, b.force, ahead)]
        rise = b.minus(energy, b.energy)
        # ln of the acceptance ratio: −ΔU/T − σ_env of the proposal
        ratio = b.formula("-i*(r + l)", i=beta, r=rise, l=b.half(_twice_line(b, b.force, ahead, lever)))
        threshold = p.op("log", b.number(b.d))
        keep = [p.op("less", threshold, ratio, y, x) for y, x in zip(new, b.x)]
        heat = p.op("less", threshold, ratio, rise, p.constant(0))
        dx = [b.minus(y, x) for y, x in zip(keep, b.x)]
        _book_bath(b, heat, beta)
        _book_line(b, b.force, ahead, dx)
        b.book("shadow_work")
        b.book("acceptance", p.op("less", threshold, ratio, p.constant(1), p.constant(0)))
        b.arrive(keep)
