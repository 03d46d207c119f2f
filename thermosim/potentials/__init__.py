"""Energy laws U(x; λ): write the energy once, the rest is derived.

    base.py      Potential (any expression), ForceField (what no energy gives), the interface of both
    library.py   the ready ones: Harmonic, DoubleWell, Quartic, Periodic, MullerBrown, Rosenbrock
    arrays.py    energies that are loops: Lattice, PhiFour, MixtureEnergy

To add one: a subclass whose __init__ hands an expression to Potential, as in library.py.
"""

from .arrays import ArrayEnergy, Lattice, MixtureEnergy, PhiFour
from .base import ForceField, Potential
from .library import DoubleWell, Harmonic, MullerBrown, Periodic, Quartic, Rosenbrock, Rotation, Tilt

__all__ = ["ArrayEnergy", "DoubleWell", "ForceField", "Harmonic", "Lattice", "MixtureEnergy", "MullerBrown",
           "Periodic", "PhiFour", "Potential", "Quartic", "Rosenbrock", "Rotation", "Tilt"]
