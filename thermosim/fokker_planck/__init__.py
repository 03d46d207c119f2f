"""Densities on a grid: the deterministic half of the framework, and the oracle for the stochastic half.

    grid.py        Axis, Grid: cells, ends, checked densities
    fluxes.py      Scharfetter–Gummel hop rates; the generator, its currents and entropy production
    schemes.py     ImplicitEuler (positive at any step), SecondOrder, Chebyshev (one axis, one step); factored steps
    march.py       steps whose error is measured
    evolution.py   a density through time under a protocol, and its ledger
    modes.py       spectrum and steady state;  passage.py   first-passage times and splitting probabilities
    densities.py   entropy, KL, W2, marginals
    noising.py     diffusion-model processes: noise, and the way back with the score of the grid
    equation.py    FokkerPlanck: the verbs of all these
    kramers.py     KleinKramers: the same verbs for one coordinate and its velocity
    phase_space.py kicks, flights and the bath: a step of its density

A new verb is a function of a Generator or of densities, and one line in equation.py.
"""

from .densities import conditional, entropy, kl, l1, marginal, mean, w2
from .equation import FokkerPlanck
from .evolution import Evolution
from .grid import Axis, Grid, Wall
from .kramers import KleinKramers
from .noising import Noising, Passage
from .schemes import Chebyshev, ImplicitEuler, SecondOrder

__all__ = ["Axis", "Chebyshev", "Evolution", "FokkerPlanck", "Grid", "ImplicitEuler", "KleinKramers", "Noising",
           "Passage", "SecondOrder", "Wall", "conditional", "entropy", "kl", "l1", "marginal", "mean", "w2"]
