"""Bookkeeping of a Langevin step: particles against closed forms, identities at coarse steps."""

import numpy as np

from ..dynamics import Overdamped, Underdamped
from ..integrators import BAOAB, OBABO, EulerMaruyama, ExactOU
from ..potentials import Harmonic, Rotation
from ..protocols import Jump, Linear
from ..runs.particles import simulate
from ..thermo.fluctuation import exponential_average
from .row import Row

N = 1_000_000
TRAP = Harmonic(1.0, 0.0)
DRAG, BREATHE = Linear(c=(0.0, 2.0)), Linear(k=(1.0, 4.0))


def mean(values):
    """(mean, standard error) of values (n,)."""
    return values.mean(), values.std()/np.sqrt(len(values) - 1)


def variance(values):
    """(variance, standard error) of values (n,)."""
    return mean((values - values.mean())**2)


def identity(values):
    """(⟨e^{−values}⟩, standard error) of values (n,)."""
    found = exponential_average(values)
    return found.value, found.error


def dragged(scheme, steps):
    """A run in a trap that is dragged from 0 to 2 in two units of time."""
    return simulate(Overdamped(TRAP), particles=N, t=(0.0, 2.0), steps=steps, protocol=DRAG, scheme=scheme,
                    seed=1, every=steps, precision="double")


def breathing(protocol, steps):
    """A run of one unit of time in a trap that `protocol` drives."""
    return simulate(Overdamped(TRAP), particles=N, t=(0.0, 1.0), steps=steps, protocol=protocol, scheme=ExactOU(),
                    seed=1, every=steps, precision="double")


def kicked(scheme, steps, n=N):
    """An underdamped run in a still trap, in steps of 0.5."""
    return simulate(Underdamped(TRAP), particles=n, t=(0.0, 0.5*steps), steps=steps, scheme=scheme, seed=1, every=steps,
                    precision="double")


def _row(id, source, reference, road, compute, fast):
    return Row(f"langevin.{id}", source, reference, road, compute, sigmas=5, fast=fast)


CHAIN = "Gaussian moments of the discrete chain"
drag = [
    _row(f"drag.{name}.{steps}.{what}", CHAIN, value, "10⁶ particles",
         lambda scheme=scheme, steps=steps, take=take: take(dragged(scheme, steps)), steps == 4 and name == "em")
    for name, scheme, steps, numbers in (("em", EulerMaruyama(), 4, (1.031250, 2.457031, 1.218068)),
                                         ("em", EulerMaruyama(), 40, (1.122087, 2.282242, 1.019217)),
                                         ("ou", ExactOU(), 4, (1.194620, 2.389241, 1.0)))
    for (what, take), value in zip((("work", lambda r: mean(r.work)), ("variance", lambda r: variance(r.work)),
                                    ("exp", lambda r: identity(r.work))), numbers)
]

jarzynski = [
    _row(f"jarzynski.{name}.{steps}",
         "⟨e^{−(W + W_sh)}⟩ = e^{−ΔF} at any step (Jarzynski; Sivak, Chodera, Crooks)", value,
         "10⁶ particles", lambda go=go, steps=steps: identity((lambda r: r.work + r.shadow_work)(go(steps))), False)
    for steps in (4, 10, 40)
    for name, value, go in (
        ("em", 1.0, lambda steps: dragged(EulerMaruyama(), steps)),
        ("baoab", 0.5, lambda steps: simulate(Underdamped(TRAP), particles=N, t=(0.0, 2.0), steps=steps,
                                              protocol=BREATHE,
                                              scheme=BAOAB(), seed=1, every=steps, precision="double")))
]

breathe = [
    _row(f"breathe.{name}.{what}", source, value, "10⁶ particles",
         lambda protocol=protocol, steps=steps, take=take: take(breathing(protocol, steps).work), name == "sudden")
    for name, source, protocol, steps, numbers in (
        ("linear", "Riccati equation of the variance", BREATHE, 1000, (0.9360417073, 0.8422372512)),
        ("sudden", "3x²/2 of a unit Gaussian", Jump(at=0.0, k=(1.0, 4.0)), 2, (1.5, 4.5)))
    for (what, take), value in zip((("work", mean), ("variance", variance)), numbers)
]

splittings = [
    _row(f"splitting.{name}.shadow.{steps}", CHAIN, value, "10⁶ particles",
         lambda scheme=scheme, steps=steps: mean(kicked(scheme, steps).shadow_work), False)
    for name, scheme, steps, value in (("baoab", BAOAB(), 1, 0.0015496668), ("baoab", BAOAB(), 10, 0.0020819821),
                                       ("obabo", OBABO(), 1, 0.00048828125))
] + [
    _row(f"splitting.{name}.{what}", CHAIN, value, "10⁶ particles, 30 steps",
         lambda scheme=scheme, what=what: mean(getattr(kicked(scheme, 30), what)[:, 0]**2), False)
    for name, scheme, numbers in (("baoab", BAOAB(), (1.0, 0.9375)), ("obabo", OBABO(), (16/15, 1.0)))
    for what, value in zip("xv", numbers)
]


def worst_closure(steps):
    """The largest relative first-law defect of any particle in any row, energies from scratch."""
    r = simulate(Underdamped(TRAP), particles=10_000, t=(0.0, 2.0), steps=steps, protocol=BREATHE, seed=1,
                 precision="double")
    return float(r.ledger["closure"].max() < 1e-12)


closure = [
    Row(f"langevin.closure.{steps}", "ΔH = W + W_sh + Q for every particle: holds to 1e-12", 1.0, "10⁴ particles",
        lambda steps=steps: worst_closure(steps), digits=12) for steps in (4, 10, 40)
]


def steady_rotation():
    """Entropy production rate of a harmonic trap stirred at ω = 2, extrapolated in the step from h and 2h."""
    def rate(steps):
        r = simulate(Overdamped(Harmonic(1.0, dimension=2), force=Rotation(2.0)), particles=200_000, t=(0.0, 1.0),
                     steps=steps, seed=steps, every=steps, precision="double",
                     x0="equilibrium")
        return mean(r.entropy_env)
    (fine, e1), (coarse, e2) = rate(400), rate(200)
    return 2*fine - coarse, np.hypot(2*e1, e2)


rotation = [_row("rotation.entropy-rate", "2ω²/k, k = 1, ω = 2", 8.0, "2·10⁵ particles, two steps extrapolated",
                 steady_rotation, False)]
