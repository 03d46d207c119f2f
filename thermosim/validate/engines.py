"""Engines in a trap: quasi-static cycles, optimal strokes, limit cycles in moments, by particles and by the density."""

from functools import cache
from math import log

import numpy as np

from ..thermo.cycles import quasi_static as qs
from ..thermo.cycles.moments import limit_cycle, propagator, OverdampedMoments
from ..thermo.cycles.optimal import SchmiedlSeifert, moving_trap_work, stiffening
from ..thermo.cycles.roads import by_density, by_particles
from ..thermo.cycles.strokes import otto
from .row import Row, row

SS = "Schmiedl, Seifert, 0710.4097"
BEST = SchmiedlSeifert(1.0, 2.0, 2.0, 1.0)


def _best():
    return limit_cycle(BEST.strokes(BEST.best_duration, BEST.best_duration)).books


def _row(id, value, compute, source="reversible strokes", road="closed form", digits=6.5):
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

maximum_power = [
    _row("best.duration", 1.9802187, lambda: BEST.best_duration, SS),
    _row("best.work", log(2)/4, lambda: -_best().work, SS, "moments, limit cycle", 8),
    _row("best.power", 0.0437545, lambda: _best().power, SS, "moments, limit cycle", 6),
    _row("best.efficiency", 2/7, lambda: _best().efficiency, SS, "moments, limit cycle", 8),
]


def _stiffening_by_moments():
    _, stroke = stiffening(1.0, 4.0, 1.0)
    end = propagator(OverdampedMoments(), stroke) @ np.array([1.0, 1.0, 0.0, 0.0])
    return 2*end[1] - 0.5 - end[2]


strokes = [
    _row("trap.moved", 1/3, lambda: moving_trap_work(1.0, 1.0), "Schmiedl, Seifert, cond-mat/0701554", digits=12),
    _row("trap.stiffened", 0.8905718, _stiffening_by_moments, "Schmiedl, Seifert, cond-mat/0701554", "moments"),
    _row("trap.stiffened.start", 1.3923748, lambda: stiffening(1.0, 4.0, 1.0)[1].k(0.0), "Schmiedl, Seifert, cond-mat/0701554"),
    _row("trap.stiffened.end", 3.3542487, lambda: stiffening(1.0, 4.0, 1.0)[1].k(1.0), "Schmiedl, Seifert, cond-mat/0701554"),
]


OTTO = otto(2.0, 1.0, 1.5, 1.0, 2.0)
_otto = cache(lambda: by_particles(OTTO, particles=400_000, steps=40, turns=3, seed=1))
_best_seen = cache(lambda: by_particles(BEST.strokes(BEST.best_duration, BEST.best_duration), particles=400_000, steps=100, seed=2))
_best_spread = cache(lambda: by_density(BEST.strokes(BEST.best_duration, BEST.best_duration), cells=300, tolerance=3e-6, warm=2))


def _seen(id, value, measured, what, sign=1):
    """A row by particles: one of the books with its standard error."""
    return Row(f"engines.{id}.particles", SS, value, "400,000 particles, exact steps",
               lambda: (sign*getattr(measured().books, what), getattr(measured().error, what)), sigmas=5, fast=False)


turned = [
    # long isochores: what is left of the start after duration t is e^{−2μkt}
    _row("otto.efficiency.moments", 1/3, lambda: limit_cycle(OTTO).books.efficiency, road="moments, limit cycle", digits=12),
    _row("otto.work.moments", 1/12, lambda: -limit_cycle(otto(2.0, 1.0, 1.5, 1.0, 12.0)).books.work, road="moments, limit cycle", digits=8),
    _seen("otto.work", 0.081607959, _otto, "work", -1),
    _seen("best.work", log(2)/4, _best_seen, "work", -1),
    _seen("best.heat", 2*0.5*log(2) - BEST.action/BEST.best_duration, _best_seen, "heat_hot"),
    Row("engines.best.work.density", SS, log(2)/4, "density, extrapolated in Δx", lambda: -_best_spread().books.work, digits=5, fast=False),
    Row("engines.best.efficiency.density", SS, 2/7, "density, extrapolated in Δx", lambda: _best_spread().books.efficiency, digits=5, fast=False),
]
