"""Engines in a trap (PHYSICS §5): quasi-static cycles, optimal strokes, the limit cycle in moments and particles."""

from math import log, sqrt

import numpy as np

from ..thermo.cycles import quasi_static as qs
from ..thermo.cycles.moments import limit_cycle, propagator, OverdampedMoments
from ..thermo.cycles.optimal import SchmiedlSeifert, moving_trap_work, stiffening
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
    end = propagator(OverdampedMoments(), stroke) @ np.array([1.0, 1.0, 0.0])
    return 2*end[1] - 0.5 - end[2]


strokes = [
    _row("trap.moved", 1/3, lambda: moving_trap_work(1.0, 1.0), "Schmiedl, Seifert, cond-mat/0701554", digits=12),
    _row("trap.stiffened", 0.8905718, _stiffening_by_moments, "Schmiedl, Seifert, cond-mat/0701554", "moments"),
    _row("trap.stiffened.start", 1.3923748, lambda: stiffening(1.0, 4.0, 1.0)[1].k(0.0), "Schmiedl, Seifert, cond-mat/0701554"),
    _row("trap.stiffened.end", 3.3542487, lambda: stiffening(1.0, 4.0, 1.0)[1].k(1.0), "Schmiedl, Seifert, cond-mat/0701554"),
]


@row("engines.best.work.particles", SS, log(2)/4, "400,000 particles, exact OU steps", sigmas=5, fast=False)
def best_by_particles():
    """Work delivered in one turn at maximum power, started in the limit cycle."""
    from ..dynamics import Overdamped
    from ..integrators import ExactOU
    from ..potentials import Harmonic
    from ..protocols import Sampled
    from ..runs.particles import simulate

    n, steps, t = 400_000, 4000, BEST.best_duration
    hot, cold = BEST.strokes(t, t)
    x = sqrt(BEST.w_a)*np.random.default_rng(5).standard_normal((n, 1))
    work = np.zeros(n)
    for seed, (stroke, after) in enumerate(((hot, cold), (cold, hot))):
        table = np.array([stroke.k(s) for s in np.linspace(0, t, steps + 1)])
        run = simulate(Overdamped(Harmonic(), temperature=stroke.temperature), x0=x, t=(0.0, t), steps=steps, seed=seed,
                       protocol=Sampled(k=table), scheme=ExactOU(), every=steps, precision="double", books=("work",))
        x = run.x
        work += run.work + 0.5*(after.k(0.0) - stroke.k(t))*x[:, 0]**2
    return -work.mean(), work.std()/sqrt(n)
