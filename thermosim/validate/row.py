"""One row of the validation table: a number from outside, and thermosim's own road to it."""

import math
from dataclasses import dataclass
from typing import Callable


@dataclass(frozen=True)
class Row:
    """A reference number and the function that reproduces it.

    Parameters
    ----------
    id : str
        Unique, readable: "vp.entropy-production.s2".
    source : str
        Where the reference comes from: a paper, a closed form, a standard.
    reference : float
    road : str
        How `compute` gets there: closed form, quadrature, particles, density, outside library.
    compute : callable () → float, or (value, standard error)
    digits : float, optional
        Agreement asked for, −log10 of the relative error (absolute where the reference is 0).
    sigmas : float, optional
        Agreement asked for in standard errors; `compute` then returns one.
    fast : bool
        Under about a second, so that the test suite runs it each time.
    """

    id: str
    source: str
    reference: float
    road: str
    compute: Callable
    digits: float = None
    sigmas: float = None
    fast: bool = True

    def check(self):
        """Run the row → Outcome."""
        value = self.compute()
        if self.sigmas is not None:
            value, error = value
            z = (value - self.reference) / error if error > 0 else math.inf
            return Outcome(self, float(value), f"{z:+.2f} s.e.", abs(z) <= self.sigmas)
        miss = abs(value - self.reference) / (abs(self.reference) or 1.0)
        agree = math.inf if miss == 0 else -math.log10(miss) if miss == miss else -math.inf
        shown = "exact" if agree == math.inf else f"{agree:.1f} digits"
        return Outcome(self, float(value), shown, agree >= self.digits)


@dataclass(frozen=True)
class Outcome:
    """What a row gave: its value, its error in digits or standard errors, and whether that is enough."""

    row: Row
    value: float
    error: str
    passed: bool


def row(id, source, reference, road, *, digits=None, sigmas=None, fast=True):
    """Turn a function without arguments into a Row."""
    if (digits is None) == (sigmas is None):
        raise ValueError(f"row {id}: state the agreement in digits or in standard errors, one of them")
    return lambda compute: Row(id, source, reference, road, compute, digits, sigmas, fast)
