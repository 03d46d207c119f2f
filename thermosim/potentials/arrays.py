"""Energies of one array: anharmonic lattices, and Gaussian mixtures in any dimension.

Their laws are loops around a short expression (`symbolic.loops`): no formula is written out per component,
so 4,096 sites cost no more to define than one.
"""

import numpy as np

from ..errors import UserError
from ..symbolic import Program
from ..symbolic.loops import Bonds, LogSum
from .base import Law, Potential


class ArrayEnergy(Law):
    """An energy U(x; λ) of arrays x with d components, given by a loop.

    Attributes
    ----------
    loop : Bonds or LogSum
    """

    def __init__(self, dimension, parameters, loop):
        super().__init__([f"x{i}" for i in range(dimension)], parameters)
        self.loop = loop

    def energy(self, x, **parameters):
        """U(x; λ), shape (n,), of x (n, d); parameters are numbers."""
        return self._at(x, parameters)[0]

    def force(self, x, **parameters):
        """−∇U, shape (n, d)."""
        return self._at(x, parameters)[1]

    def _at(self, x, parameters):
        from ..backend.cpu.arrays import energy_and_force

        values = self.values(**parameters)
        if any(np.ndim(v) for v in values.values()):
            raise UserError(f"parameters of {type(self).__name__} are numbers, the same for every particle")
        return energy_and_force(self.loop, self.points(x), values)


class Lattice(ArrayEnergy):
    """U = Σ_i u(φ_i) + Σ_⟨ij⟩ v(φ_i − φ_j) on a periodic lattice; a bond points forwards along its axis.

    Parameters
    ----------
    site : str or sympy expression
        u, in the variable ``phi``.
    bond : str or sympy expression
        v, in the variable ``delta``.
    shape : tuple of int
        Sites along each axis, each at least 3; x holds them row by row.
    parameters : dict
        Name → default value, of site and bond together.

    Raises
    ------
    UserError
        For a shape too small, or names in an expression that are no parameters.

    Examples
    --------
    The chain of Fermi, Pasta, Ulam and Tsingou, 32 masses:

    >>> chain = Lattice("0", "delta**2/2 + a*delta**3/3", shape=(32,), parameters={"a": 0.25})
    """

    def __init__(self, site, bond, shape, parameters=None):
        self.shape = tuple(int(n) for n in np.atleast_1d(shape))
        if min(self.shape) < 3:
            raise UserError(f"a periodic lattice of shape {self.shape} needs at least 3 sites along each axis")
        parameters = dict(parameters or {})
        self.laws = Potential(site, ["phi"], parameters), Potential(bond, ["delta"], parameters)
        super().__init__(int(np.prod(self.shape)), parameters,
                         Bonds(*map(_derived, self.laws), _neighbours(self.shape)))

    def __repr__(self):
        values = "".join(f", {k}={v:g}" for k, v in self.parameters.items())
        return f"{type(self).__name__}({self.laws[0]._given}, {self.laws[1]._given}, {self.shape}{values})"


class PhiFour(Lattice):
    """H = Σ_i [½ r φ_i² + ¼ u φ_i⁴] + ½ c Σ_⟨ij⟩ (φ_i − φ_j)²: the Landau–Ginzburg field on a periodic lattice.

    In one, two or more dimensions; u = 0 is the Gaussian field, with structure factor T/(r + c k̂²).

    Parameters
    ----------
    shape : tuple of int
    r, u, c : float

    Source: Chaikin, Lubensky, Principles of Condensed Matter Physics (1995), §5.3.
    """

    def __init__(self, shape, r=-1.0, u=1.0, c=1.0):
        super().__init__("r*phi**2/2 + u*phi**4/4", "c*delta**2/2", shape, {"r": r, "u": u, "c": c})


class MixtureEnergy(ArrayEnergy):
    """U = −θ ln p_σ(x), p_σ the law of a Gaussian mixture under noise σ: the energy of a diffusion model.

    At temperature θ the mixture is its equilibrium and the force is θ times its score. Both parameters,
    `sigma` and `theta`, may be driven: a protocol for sigma anneals, and its work is exact.

    Parameters
    ----------
    mixture : GaussianMixture
        Anything with `weights` (K,), `means` and `eigvals` (K, d), `eigvecs` (K, d, d) or None.
    sigma : float
        Noise level; 0 only where no component is a point mass.
    theta : float
        Energy unit.
    """

    def __init__(self, mixture, sigma=0.0, theta=1.0):
        vectors = mixture.eigvecs if mixture.eigvecs is not None else np.empty((len(mixture.weights), 0, 0))
        self.mixture = mixture
        tables = (np.log(mixture.weights), mixture.means, mixture.eigvals, vectors, np.swapaxes(vectors, 1, 2))
        super().__init__(mixture.means.shape[1], {"sigma": sigma, "theta": theta},
                         LogSum(*(np.ascontiguousarray(t, dtype=np.float64) for t in tables)))
        if sigma < 0 or theta <= 0 or (sigma == 0 and mixture.eigvals.min() <= 0):
            raise UserError(f"sigma = {sigma}, theta = {theta}: theta must be positive, and sigma too where a "
                            "component is a point mass")

    def equilibrium(self, z, u, temperature, parameters):
        """Draws from e^{−U/T}, at T = θ only: the mixture itself, under its noise.

        Parameters
        ----------
        z : (n, d) array of standard normal numbers
        u : (n,) array of uniform numbers
        temperature : float
        parameters : dict of float

        Raises
        ------
        UserError
            At any other temperature, where the law is no mixture.
        """
        if not np.isclose(parameters["theta"], temperature, rtol=1e-12):
            raise UserError(f'x0="equilibrium" of a mixture needs temperature = theta = {parameters["theta"]:g}, '
                            f"not {temperature:g}: give x0 as an array")
        mixture = self.mixture
        k = np.minimum(np.searchsorted(np.cumsum(mixture.weights), u), len(mixture.weights) - 1)
        x = np.sqrt(mixture.eigvals[k] + parameters["sigma"]**2) * z
        return mixture.means[k] + (x if mixture.eigvecs is None else np.einsum("nij,nj->ni", mixture.eigvecs[k], x))

    def __repr__(self):
        k, d = self.mixture.means.shape
        return f"MixtureEnergy({k} components in {d} dimensions, " + ", ".join(
            f"{n}={v:g}" for n, v in self.parameters.items()) + ")"


def _derived(potential):
    """(Program, [value, derivative]) of a potential of one variable."""
    names = {p: f"p_{p}" for p in potential.parameters}
    program = Program(potential.coordinates, names.values())
    laws = [potential.derivative(), potential.derivative(*potential.coordinates)]
    return program, program.expressions(laws, potential.names(potential.coordinates, names))


def _neighbours(shape):
    sites = np.arange(np.prod(shape)).reshape(shape)
    forwards = [np.roll(sites, -1, axis).ravel() for axis in range(len(shape))]
    backwards = [np.roll(sites, 1, axis).ravel() for axis in range(len(shape))]
    return np.ascontiguousarray(np.stack(forwards + backwards, axis=1))
