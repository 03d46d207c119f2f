"""An engine that runs on information: its work, information and equality by three roads."""

from functools import cache
from math import exp, log

from ..thermo.cycles.feedback import Feedback, by_density, by_particles, closed, most_work
from .row import Row

AS = "Abreu, Seifert, EPL 94, 10001 (2011), 1102.3826"
SU = "Sagawa, Ueda, PRL 104, 090602 (2010), 0907.4914"
ENGINE = Feedback.least_work(0.25, 2.0)
FREE = Feedback(lambda t: 1.2, lambda t: 0.4*exp(-t), 1.0, 2.0)           # no optimum, and a vague measurement

_closed = cache(lambda: closed(ENGINE))
_walked = cache(lambda: by_particles(ENGINE, particles=200_000, steps=100, seed=1))
_spread = cache(lambda: by_density(ENGINE, cells=160, tolerance=2e-4).balance)


def _slow(t=50.0):
    """What is wasted falls as 1/t: the efficiency of information without it."""
    once, twice = (closed(Feedback.least_work(0.25, time)).efficiency for time in (t, 2*t))
    return 2*twice - once


def _shown(figure):
    seen = _walked()
    return getattr(seen.balance, figure), getattr(seen.error, figure)


def _equality(steps):
    seen = by_particles(FREE, particles=200_000, steps=steps, seed=2).equality
    return seen.value, seen.error


FIGURES = {"work": -most_work(0.25, 2.0), "information": 0.5*log(5), "width": 1.0}

feedback = [
    *(Row(f"feedback.{figure}.moments", AS, value, "moments given the answer",
          lambda f=figure: getattr(_closed(), f), digits=8)
      for figure, value in FIGURES.items()),
    *(Row(f"feedback.{figure}.density", AS, value, "density given the answer, by Bayes' rule",
          lambda f=figure: getattr(_spread(), f), digits=3, fast=False)
      for figure, value in FIGURES.items()),
    *(Row(f"feedback.{figure}.particles", AS, value, "200,000 particles, each measured", lambda f=figure: _shown(f),
          sigmas=5, fast=False)
      for figure, value in FIGURES.items()),
    Row("feedback.efficiency.slow", SU, 1.0, "moments, extrapolated in 1/duration", _slow, digits=8),
    *(Row(f"feedback.equality.{steps}", SU, 1.0, f"200,000 particles, {steps} steps", lambda n=steps: _equality(n), sigmas=5, fast=False) for steps in (2, 20)),
]
