"""What a caller may give: numbers, fields and objects of the right kind, or one line that says what is wrong."""

import numbers

import numpy as np

from ..errors import UserError


def whole(value, words, least=1, most=np.inf):
    """`value` as an int within least … most; `words` end the sentence that refuses it."""
    good = (isinstance(value, numbers.Real) and not isinstance(value, bool) and value == np.floor(value)
            and least <= value <= most)
    if not good or not np.isfinite(value):
        raise UserError(f"{words} must be a whole number from {least}{'' if most == np.inf else f' to {most}'}, not "
                        f"{value!r}")
    return int(value)


def positive(value, words):
    """`value` as a float above 0 and finite."""
    if not isinstance(value, numbers.Real) or isinstance(value, bool) or not 0 < value < np.inf:
        raise UserError(f"{words} must be a positive number, not {value!r}")
    return float(value)


def numeric(values, words):
    """`values` as an array of floats."""
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise UserError(f"{words} must be numbers, not {values!r:.60}") from None


def field(grid, values, words="the density"):
    """`values` as floats, one per cell."""
    values = numeric(values, words)
    if values.shape != grid.shape:
        raise UserError(f"{words} has shape {values.shape}, the grid {grid.shape}")
    return values


def made_of(value, kinds, words):
    """`value`, an instance of one of `kinds`; `words` begin the sentence that refuses it."""
    if not isinstance(value, kinds):
        raise UserError(f"{words}, not {value!r:.60}")
    return value
