"""Stochastic dynamics of particles: which energy, which bath, which friction.

The equations only; how a step is taken is a scheme (`integrators`), what is booked is the ledger.
"""

from dataclasses import dataclass

import numpy as np

from .errors import UserError


def _positive(**values):
    for name, value in values.items():
        if not (np.isscalar(value) and np.isfinite(value) and value > 0):
            raise UserError(f"{name} = {value!r} must be a positive number")


def _same_space(potential, force):
    if force is not None and force.coordinates != potential.coordinates:
        raise UserError(f"the extra force acts on {', '.join(force.coordinates)}, "
                        f"the potential on {', '.join(potential.coordinates)}: use the same coordinates")
    if force is not None and set(force.parameters) & set(potential.parameters):
        raise UserError("the extra force and the potential share a parameter name: rename one of them")


@dataclass(frozen=True)
class Overdamped:
    """dx = μF dt + √(2μT) dw, F = −∇U + f.

    Parameters
    ----------
    potential : Energy
        U(x; λ).
    temperature : float
        T, with k_B = 1; a protocol may drive it under the name ``temperature``.
    mobility : float
        μ; the diffusivity is D = μT.
    force : ForceField, optional
        f(x; λ), what no energy gives.

    Source: Seifert, cond-mat/0503686, eq. 1.
    """

    potential: object
    temperature: float = 1.0
    mobility: float = 1.0
    force: object = None

    def __post_init__(self):
        _positive(temperature=self.temperature, mobility=self.mobility)
        _same_space(self.potential, self.force)

    @property
    def dimension(self):
        """d, that of the potential."""
        return self.potential.dimension

    @property
    def parameters(self):
        """Values of all parameters by name, the potential's and the force's."""
        return {**self.potential.parameters, **(self.force.parameters if self.force else {})}

    def energy(self, state, **parameters):
        """U of states (n, d), shape (n,)."""
        return self.potential.energy(state, **parameters)

    def relaxation_rate(self, curvature):
        """The fastest rate of a mode of that curvature: what a time step must resolve."""
        return self.mobility * curvature


@dataclass(frozen=True)
class Underdamped:
    """dx = v dt, m dv = F dt − γ m v dt + √(2γmT) dw, F = −∇U + f.

    Parameters
    ----------
    potential, temperature, force
        As for `Overdamped`.
    friction : float
        γ, a rate; 0 where there is no bath.
    mass : float
        m.

    Source: Leimkuhler, Matthews, 1203.5428, eq. 1.
    """

    potential: object
    temperature: float = 1.0
    friction: float = 1.0
    mass: float = 1.0
    force: object = None

    def __post_init__(self):
        _positive(temperature=self.temperature, mass=self.mass)
        if not (np.isscalar(self.friction) and np.isfinite(self.friction) and self.friction >= 0):
            raise UserError(f"friction = {self.friction!r} must be 0 or a positive number")
        _same_space(self.potential, self.force)

    dimension = Overdamped.dimension
    parameters = Overdamped.parameters

    def energy(self, state, **parameters):
        """H = U + ½mv² of states (n, 2d): positions, then velocities."""
        d = self.dimension
        return self.potential.energy(state[:, :d], **parameters) + 0.5*self.mass*(state[:, d:2*d]**2).sum(axis=1)

    def relaxation_rate(self, curvature):
        """The fastest rate of a mode of that curvature: what a time step must resolve."""
        return max(np.sqrt(curvature / self.mass), self.friction)
