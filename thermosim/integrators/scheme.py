"""What a scheme is: a step written once, in a vocabulary that fits the energy."""

from ..potentials import ArrayEnergy
from .arrays import ArrayBuilder
from .step import Builder


class Scheme:
    """A scheme writes a step and says which columns it cannot book, and why.

    Attributes
    ----------
    kind : type of dynamics it integrates
    absent : dict of str to str
        Ledger column → reason for its NaN.
    """

    kind = None
    absent = {}

    def write(self, b):
        """Write one step with the vocabulary of `Builder` b."""
        raise NotImplementedError

    def check(self, dynamics, grid):
        """Raise UserError where the scheme does not apply."""

    def build(self, dynamics, driven, books):
        """The finished `Step`."""
        vocabulary = ArrayBuilder if isinstance(dynamics.potential, ArrayEnergy) else Builder
        b = vocabulary(dynamics, driven, [c for c in books if c not in self.absent])
        self.write(b)
        return b.finish()

    def __repr__(self):
        return type(self).__name__ + "()"
