"""Engines in a trap: named cycles by three roads, forward and turned around; strokes of least work.

Cycles are run at finite speed with isotherms of least work, whose waste is known, A/t each (0710.4097): what it costs
is given back before a figure is compared with the reversible one. Isochores last until nothing of the start is left.
"""

from dataclasses import dataclass, replace
from functools import cache, cached_property
from math import exp, log
from typing import Callable

import numpy as np

from ..dynamics import Overdamped
from ..fokker_planck import Axis, FokkerPlanck, Grid, SecondOrder
from ..integrators import ExactOU
from ..potentials import Harmonic
from ..protocols import Protocol, Sampled
from ..runs.particles import simulate
from ..thermo.cycles import quasi_static as qs
from ..thermo.cycles.bounds import frontier, most_power
from ..thermo.cycles.moments import Isolated, OverdampedMoments, Stroke, UnderdampedMoments, limit_cycle, propagator
from ..thermo.cycles.optimal import SchmiedlSeifert, curzon_ahlborn, geodesic, moving_trap_work, stiffening
from ..thermo.cycles.roads import by_density, by_particles
from ..thermo.cycles.strokes import carnot, inert_otto, otto, regenerated_stirling, stirling
from .row import Row

SS = "Schmiedl, Seifert, EPL 81, 20003 (2008), 0710.4097"
LEAST = "Schmiedl, Seifert, PRL 98, 108301 (2007), cond-mat/0701554"
REVERSIBLE = "reversible strokes, in closed form"
BEST = SchmiedlSeifert(1.0, 2.0, 2.0, 1.0)
T, REST, S = 6.0, 10.0, 0.5*log(4)                  # an isotherm, an isochore; the entropy of k 4 → 1


def _row(id, value, compute, source=REVERSIBLE, road="closed form", digits=6.5):
    return Row(f"engines.{id}", source, value, road, compute, digits=digits)


quasi_static = [
    _row("carnot.work", log(2), lambda: -qs.run(qs.carnot(2, 1, 4, 1)).work, digits=12),
    _row("carnot.heat", 1.3862944, lambda: qs.run(qs.carnot(2, 1, 4, 1)).heat_hot),
    _row("carnot.efficiency", 0.5, lambda: qs.run(qs.carnot(2, 1, 4, 1)).efficiency, digits=12),
    _row("carnot.cop", 1.0, lambda: qs.run(qs.carnot(2, 1, 4, 1)[::-1]).cop, digits=12),
    _row("stirling.efficiency", 0.3674650, lambda: qs.run(qs.stirling(2, 1, 4, 1)).efficiency),
    _row("stirling.efficiency.full", 0.2904701, lambda: qs.run(qs.stirling(2, 1, 4, 1), full=True).efficiency),
    _row("stirling.regenerator", 0.5, lambda: qs.run(qs.stirling(2, 1, 4, 1), regenerator=True).efficiency, digits=12),
    _row("otto.work", 1/12, lambda: -qs.run(qs.otto(2, 1, 1.5, 1)).work, digits=12),
    _row("otto.heat", 0.25, lambda: qs.run(qs.otto(2, 1, 1.5, 1)).heat_hot, digits=12),
]


@dataclass(frozen=True)
class Case:
    """A cycle, what its isotherms waste in the hot and in the cold bath, and the figures it is checked by."""

    make: Callable
    waste: tuple
    figures: dict
    source: str = REVERSIBLE
    warm: int = 1
    medium: object = OverdampedMoments()
    particles: int = 60_000
    steps: int = 60
    tolerance: float = 1e-3
    cells: int = 120

    @cached_property
    def strokes(self):
        """The cycle, made when it is first asked for."""
        return self.make()

    def without_waste(self, books):
        """The books as they would be at no speed."""
        in_hot, in_cold = self.waste
        return replace(books, work=books.work - in_hot - in_cold, heat_hot=books.heat_hot + in_hot,
                       heat_cold=books.heat_cold + in_cold)


def _stairs(k0, k1, temperature, rest, steps=6):
    """An isotherm of sudden steps, each left to relax, and its
    waste: W = ½T·steps·(q − 1) with q = (k1/k0)^(1/steps)."""
    q = (k1/k0)**(1/steps)
    strokes = tuple(Stroke.linear(k0*q**j, k0*q**j, temperature, rest) for j in range(1, steps + 1))
    return strokes, 0.5*temperature*(steps*(q - 1) - log(k1/k0))


(DOWN, IN_HOT), (UP, IN_COLD) = _stairs(4.0, 1.0, 2.0, 12.0), _stairs(1.0, 4.0, 1.0, 12.0)
STIFF_DOWN, IN_STIFF = _stairs(16.0, 4.0, 2.0, 12.0)
INERT = {"medium": UnderdampedMoments(2.0, 1.0), "particles": 12_000, "steps": 320, "cells": 100}
HOT_WASTE, COLD_WASTE = (2**0.5 - 0.5**0.5)**2/T, 0.25/T      # w 1/2 ↔ 2 at T = 2; 1/4 ↔ 1 at T = 1
CASES = {
    "carnot": Case(lambda: carnot(2.0, 1.0, 4.0, 1.0, T, T, geodesic), (HOT_WASTE, HOT_WASTE),
                   {"work": -S, "heat_hot": 2*S, "efficiency": 0.5}),
    "carnot.refrigerator": Case(lambda: carnot(1.0, 2.0, 2.0, 0.5, T, T, geodesic), (HOT_WASTE, HOT_WASTE),
                                {"work": S, "heat_cold": S, "cop": 1.0, "cop_heating": 2.0}),
    "stirling": Case(lambda: stirling(2.0, 1.0, 4.0, 1.0, T, REST, geodesic), (HOT_WASTE, COLD_WASTE),
                     {"work": -S, "heat_hot": 2*S + 0.5, "efficiency": 0.3674650123}),
    "stirling.refrigerator": Case(lambda: stirling(1.0, 2.0, 4.0, 1.0, T, REST, geodesic), (HOT_WASTE, COLD_WASTE),
                                  {"work": S, "heat_cold": S - 0.5, "cop": 1 - 0.5/S, "cop_heating": 2 - 0.5/S}),
    "stirling.regenerated": Case(lambda: regenerated_stirling(2.0, 1.0, 4.0, 1.0, T, 4*REST, 3, geodesic),
                                 (HOT_WASTE, COLD_WASTE),
                                 {"work": -S, "heat_hot": 2*S + 0.125, "efficiency": S/(2*S + 0.125)}),
    "otto": Case(lambda: otto(2.0, 1.0, 1.5, 1.0, REST), (0.0, 0.0),
                 {"work": -1/12, "heat_hot": 0.25, "efficiency": 1/3}),
    "otto.refrigerator": Case(lambda: otto(2.0, 1.0, 3.0, 1.0, REST), (0.0, 0.0),
                              {"work": 1/3, "heat_cold": 1/6, "cop": 0.5, "cop_heating": 1.5}),
    "best": Case(lambda: BEST.strokes(BEST.best_duration, BEST.best_duration), (0.0, 0.0),
                 {"work": -log(2)/4, "heat_hot": log(2) - BEST.action/BEST.best_duration, "efficiency": 2/7, "power": 0.043754459}, SS, 2, tolerance=2e-4),
    "stirling.inertia": Case(lambda: (*DOWN, Stroke.linear(1.0, 1.0, 1.0, 14.0), *UP, Stroke.linear(4.0, 4.0, 2.0, 14.0)), (IN_HOT, IN_COLD),
                             {"work": -S, "heat_hot": 2*S + 1, "efficiency": 0.2904701079}, **INERT),
    "carnot.inertia": Case(lambda: (*STIFF_DOWN, Isolated.reversible(4.0, 1.0), *UP, Isolated.reversible(4.0, 16.0)),
                           (IN_STIFF, IN_COLD),
                           {"work": -S, "heat_hot": 2*S, "efficiency": 0.5}, **INERT),
    "otto.inertia": Case(lambda: inert_otto(2.0, 1.0, 1.5, 1.0, 14.0), (0.0, 0.0),
                         {"work": -(1 - 1.5**-0.5)*(2 - 1.5**0.5), "heat_hot": 2 - 1.5**0.5,
                          "efficiency": 1 - 1.5**-0.5}, **INERT),
}


@cache
def _closed(name):
    case = CASES[name]
    return case.without_waste(limit_cycle(case.strokes, case.medium).books)


@cache
def _walked(name):
    case = CASES[name]
    seen = by_particles(case.strokes, case.medium, case.particles, case.steps, warm=case.warm, seed=1)
    return replace(seen, books=case.without_waste(seen.books))


@cache
def _spread(name):
    case = CASES[name]
    return case.without_waste(by_density(case.strokes, case.medium, case.cells, case.tolerance, case.warm).books)


def _figure(seen, figure):
    """A figure of an ensemble with its standard error."""
    booked = figure in ("work", "heat_hot", "heat_cold")
    return getattr(seen.books, figure), getattr(seen.error, figure) if booked else getattr(seen, f"{figure}_error")()


def _by_three_roads(name, case):
    """Rows of a case: no particles where every one of them has the same figure."""
    for figure, value in case.figures.items():
        id, over = f"engines.{name}.{figure}", isinstance(case.medium, OverdampedMoments)
        yield Row(f"{id}.moments", case.source, value, "moments, limit cycle",
                  lambda f=figure: getattr(_closed(name), f), digits=8)
        yield Row(f"{id}.density", case.source, value, f"density, extrapolated in {'Δx' if over else 'Δv and h'}",
                  lambda f=figure: getattr(_spread(name), f), digits=3, fast=False)
        if (name, figure) not in (("otto", "efficiency"), ("otto.refrigerator", "cop_heating")):
            yield Row(f"{id}.particles", case.source, value,
                      f"{case.particles:,} particles, {'exact steps' if over else 'BAOAB'}",
                      lambda f=figure: _figure(_walked(name), f), sigmas=5, fast=False)


turned = [row for name, case in CASES.items() for row in _by_three_roads(name, case)]


def _dragged(path, t=1.0, steps=200):
    """Mean work and error of 200,000 particles in a trap dragged by 1 along `path`, jumps at both ends included."""
    table = np.array([0.0, *(path((n + 0.5)*t/steps) for n in range(steps)), 1.0])
    return _sampled(c=table)


def _stiffened(steps=200):
    stroke = stiffening(1.0, 4.0, 1.0)[1]
    return _sampled(k=np.array([1.0, *(stroke.k((n + 0.5)/steps) for n in range(steps)), 4.0]))


def _sampled(**table):
    (name, values), = table.items()
    trap = Harmonic()
    run = simulate(Overdamped(trap), particles=200_000, steps=len(values) - 2, protocol=Sampled(**{name: values[:-1]}),
                   scheme=ExactOU(),
                   every=len(values), precision="double", seed=3, books=("work",))
    work = run.work + trap.energy(run.x, **{name: values[-1]}) - trap.energy(run.x, **{name: values[-2]})
    return work.mean(), work.std()/np.sqrt(len(work))


class _Path(Protocol):
    """One parameter along a function of time, with a jump at both ends."""

    def __init__(self, name, law, start, end):
        self.names, self.law, self.start, self.end = (name,), law, start, end

    def before(self, t, span):
        return {self.names[0]: np.array([self.law(float(s)) if s > 0 else self.start for s in t])}

    def after(self, t, span):
        return {self.names[0]: np.array([self.law(float(s)) if s < span[1] else self.end for s in t])}


def _density_work(name, law, start, end):
    grid = Grid(Axis.uniform(-7, 8, 240))
    fluid = FokkerPlanck(Harmonic(), 1.0, 1.0, grid)
    return fluid.evolve(fluid.steady_state(), (0.0, 1.0), _Path(name, law, start, end), SecondOrder(), 1e-4).ledger["work"].sum()


def _stiffening_by_moments():
    _, stroke = stiffening(1.0, 4.0, 1.0)
    end = propagator(OverdampedMoments(), stroke) @ np.array([1.0, 1.0, 0.0, 0.0])
    return 2*end[1] - 0.5 - end[2]


def _mean_work(path, ends):
    """Of a dragged trap k = 1 from its mean alone, by quadrature: ẋ = c − x, W = Σ jumps − ∫(x − c)dc."""
    from scipy.integrate import solve_ivp

    a, b = ends
    slope = (path(0.75) - path(0.25))/0.5                   # both paths are straight between the jumps
    x, cost = solve_ivp(lambda t, z: [path(t) - z[0], -(z[0] - path(t))*slope], (0, 1), [0.0, 0.0], rtol=1e-12,
                        atol=1e-14).y[:, -1]
    return 0.5*(path(0.0) - a)**2 + cost + 0.5*((x - b)**2 - (x - path(1.0))**2)


def _friction():
    """t(W − ΔF) of a slow linear ramp k 1 → 4, extrapolated in 1/t: ∫ζ k̇² t dt with ζ = T/(4μk³)."""
    def excess(t):
        end = propagator(OverdampedMoments(), Stroke.linear(1.0, 4.0, 1.0, t)) @ np.array([1.0, 1.0, 0.0, 0.0])
        return t*(2*end[1] - 0.5 - end[2] - 0.5*log(4))
    found = [excess(t) for t in (20.0, 40.0, 80.0, 160.0)]
    for order in (2, 4, 8):
        found = [(order*b - a)/(order - 1) for a, b in zip(found, found[1:])]
    return found[0]


OPTIMAL, LINEAR = (lambda s: (1 + s)/3), (lambda s: s)
strokes = [
    _row("trap.moved", 1/3, lambda: moving_trap_work(1.0, 1.0), LEAST, digits=12),
    _row("trap.moved.moments", 1/3, lambda: _mean_work(OPTIMAL, (0.0, 1.0)), LEAST, "moments", 8),
    _row("trap.moved.linear.moments", 0.3678794412, lambda: _mean_work(LINEAR, (0.0, 1.0)), LEAST, "moments", 8),
    _row("trap.stiffened", 0.8905718, lambda: stiffening(1.0, 4.0, 1.0)[0], LEAST),
    _row("trap.stiffened.moments", 0.8905717855, _stiffening_by_moments, LEAST, "moments", 8),
    _row("trap.stiffened.start", 1.3923748, lambda: stiffening(1.0, 4.0, 1.0)[1].k(0.0), LEAST),
    _row("trap.stiffened.end", 3.3542487, lambda: stiffening(1.0, 4.0, 1.0)[1].k(1.0), LEAST),
    _row("trap.friction", 0.3515625, _friction, "Sivak, Crooks, PRL 108, 190602 (2012), 1201.4166",
         "moments of slow ramps, extrapolated", 5),
    *(Row(f"engines.trap.{id}.particles", LEAST, value, "200,000 particles, exact steps", compute, sigmas=5, fast=False)
      for id, value, compute in (
        ("moved", 1/3, lambda: _dragged(OPTIMAL)), ("moved.linear", exp(-1), lambda: _dragged(LINEAR)),
        ("stiffened", 0.8905717855, _stiffened))),
    *(Row(f"engines.trap.{id}.density", LEAST, value, "density", compute, digits=3, fast=False)
      for id, value, compute in (
        ("moved", 1/3, lambda: _density_work("c", OPTIMAL, 0.0, 1.0)),
        ("moved.linear", exp(-1), lambda: _density_work("c", LINEAR, 0.0, 1.0)),
        ("stiffened", 0.8905717855, lambda: _density_work("k", stiffening(1.0, 4.0, 1.0)[1].k, 1.0, 4.0)))),
]

maximum_power = [
    _row("curzon_ahlborn", 0.2928932, lambda: curzon_ahlborn(2.0, 1.0), "Curzon, Ahlborn, Am. J. Phys. 43, 22 (1975)"),
    _row("best.duration", 1.9802187, lambda: BEST.best_duration, SS),
    _row("best.frontier", 1.0, lambda: frontier(2.0, 1.0, 2/7), "Holubec, Ryabov 2016, 1603.02551", "search", 6),
    _row("best.most_power", 0.043754459, lambda: most_power(2.0, 1.0, 1.0, 2.0), SS, digits=8),
]
