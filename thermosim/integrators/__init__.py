"""Schemes as data: how one step is taken and which books each substep keeps.

    step.py          a step under construction: state, noise, coefficients, books
    arrays.py        the same where the coordinates are one array (lattices, mixtures)
    scheme.py        what a scheme is
    overdamped.py    Euler–Maruyama, exact OU, stochastic Heun, Leimkuhler–Matthews, MALA
    underdamped.py   splittings by string ("V R O R V")

To add one: a class whose `write` describes a step; kernels for every device follow from it.
"""

from .overdamped import MALA, EulerMaruyama, ExactOU, LeimkuhlerMatthews, StochasticHeun
from .underdamped import BAOAB, OBABO, Splitting

__all__ = ["BAOAB", "EulerMaruyama", "ExactOU", "LeimkuhlerMatthews", "MALA", "OBABO", "Splitting",
           "StochasticHeun"]
