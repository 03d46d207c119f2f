"""Densities of positions and velocities: the splittings' own numbers at a long step, escape against friction."""

from functools import cache

import numpy as np

from ..fokker_planck import Axis, Grid, KleinKramers, mean
from ..integrators import BAOAB, OBABO
from ..potentials import DoubleWell, Harmonic
from .density import richardson
from .row import Row

SPLITTING = "Leimkuhler, Matthews, 1203.5428: linear maps of the covariance at k = m = T = γ = 1, h = 0.5"
HERMITE = "U = (x² − 1)², m = 1, T = 0.3: matrix in Hermite functions of x and v (Risken 1989, §10.1)"


def _trap(cells):
    return KleinKramers(Harmonic(), grid=Grid(Axis.uniform(-8, 8, 64), Axis.uniform(-8, 8, cells)))


@cache
def settled(scheme):
    """The law that steps of h = 0.5 leave alone."""
    trap = _trap(64)
    return trap.grid, trap.evolve(trap.steady_state(), (0.0, 30.0), scheme=scheme, steps=60).final


def spread(scheme, coordinate):
    """⟨x²⟩ or ⟨v²⟩ of it."""
    return mean(*settled(scheme), lambda z: z[:, coordinate]**2)


def shadow(scheme, steps):
    """Shadow work of so many steps from a canonical start."""
    def value(cells):
        """On so many cells of v."""
        trap = _trap(cells)
        return trap.evolve(trap.steady_state(), (0.0, 0.5*steps), scheme=scheme, steps=steps).ledger["shadow_work"][0]

    return richardson(value, 64)


def escape(friction):
    """The slowest relaxation rate of a double well: decay of ⟨x⟩ from t = 20 to 30, cells of v and steps doubled.

    With little friction the cells' own smoothing, of fifth order, weighs more: there are then more of them along x.
    """
    def value(cells):
        """On so many cells of v."""
        fluid = KleinKramers(DoubleWell(), 0.3, friction,
                             grid=Grid(Axis.uniform(-2.2, 2.2, 100 if friction >= 1 else 160),
                                       Axis.uniform(-4.2, 4.2, cells)))
        p = fluid.steady_state()*(1 + 0.9*np.tanh(3*fluid.grid.axes[0].centers))[:, None]
        run = fluid.evolve(p, (0.0, 20.0, 30.0), steps=5*cells)
        early, late = (mean(fluid.grid, q, lambda z: z[:, 0]) for q in run.densities[1:])
        return 0.1*np.log(early/late)

    return richardson(value, 48 if friction >= 1 else 96)


B, O = BAOAB(), OBABO()
steady = [Row(f"phase.{name}.{square}", SPLITTING, value, "density in phase space, 60 steps",
              lambda s=scheme, k=k: spread(s, k), digits=8)
          for name, scheme, values in (("baoab", B, (1.0, 0.9375)), ("obabo", O, (16/15, 1.0)))
          for k, (square, value) in enumerate(zip(("xx", "vv"), values))]
books = [Row(f"phase.{name}.shadow_work.N{steps}", "Sivak, Chodera, Crooks, 1107.2967, in the trap above", value,
             "density in phase space, Richardson",
             lambda s=scheme, n=steps: shadow(s, n), digits=4)
         for name, scheme, steps, value in (("baoab", B, 1, 0.0015496668), ("baoab", B, 10, 0.0020819821),
                                            ("obabo", O, 1, 0.00048828125))]
escapes = [Row(f"phase.escape.friction{friction:g}", HERMITE, value, "density in phase space, Richardson",
               lambda f=friction: escape(f), digits=3, fast=friction >= 1)
           for friction, value in ((0.2, 0.0126617), (1.0, 0.02292296), (5.0, 0.01042501))]
