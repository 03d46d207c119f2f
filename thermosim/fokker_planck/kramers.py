"""The Klein–Kramers equation of one underdamped coordinate, and the verbs a user has for it."""

import warnings
from dataclasses import replace

import numpy as np

from ..backend import open_device
from ..dynamics import Overdamped, Underdamped
from ..errors import UserError
from ..integrators import BAOAB, Splitting
from . import densities
from .checks import made_of, positive
from .equation import keep
from .evolution import evolve
from .grid import Grid

# a cell in units of the thermal width of its axis, beyond which tails are limited and rates far from second order
COARSE = 0.5


class KleinKramers:
    """∂p/∂t = −v ∂ₓp + ∂ᵥ[(γv − F/m)p] + (γT/m) ∂ᵥ²p, F = −∂ₓU + f, on a grid of (x, v).

    Parameters
    ----------
    dynamics : Underdamped, or an energy law of one coordinate
        With an energy law `temperature`, `friction` and `mass` make it underdamped dynamics (1, 1 and 1 unless given).
        Without friction there is no bath: Liouville's equation.
    temperature, friction, mass : float, optional
        In the place of those of `dynamics`.
    grid : Grid
        Two axes of equal cells, x and then v; x may be periodic, all other ends are open.

    Raises
    ------
    UserError
        For dynamics without inertia or of more coordinates, another grid, an energy that is not finite on the grid or
        does not close on a periodic axis.

    Examples
    --------
    >>> grid = Grid(Axis.uniform(-2.5, 2.5, 120), Axis.uniform(-4, 4, 120))                      # doctest: +SKIP
    >>> well = KleinKramers(DoubleWell(), temperature=0.3, friction=0.5, grid=grid)              # doctest: +SKIP
    >>> well.evolve(well.grid.density(law), t=(0.0, 10.0)).ledger["heat"]                        # doctest: +SKIP

    Source: Risken, The Fokker–Planck Equation, 2nd ed. (1989), eq. 10.1.
    """

    def __init__(self, dynamics, temperature=None, friction=None, mass=None, grid=None):
        given = {k: positive(v, k) for k, v in (("temperature", temperature), ("mass", mass)) if v is not None}
        given |= {} if friction is None else {"friction": friction}
        if not hasattr(dynamics, "energy"):
            raise UserError(f"give Underdamped dynamics or an energy law such as DoubleWell(), not {dynamics!r:.60}")
        if isinstance(dynamics, Overdamped):
            raise UserError("a density of positions and velocities needs Underdamped dynamics; without inertia take "
                            "FokkerPlanck")
        self.dynamics = (replace(dynamics, **given)
                         if isinstance(dynamics, Underdamped) else Underdamped(dynamics, **given))
        if self.dynamics.dimension != 1:
            raise UserError(f"a density in phase space is for one coordinate, not for {self.dynamics.dimension}: take "
                            "particles")
        made_of(grid, Grid,
                "give the cells: grid=Grid(Axis.uniform(low, high, cells), Axis.uniform(slowest, fastest, cells))")
        if grid.dimension != 2 or any(np.ptp(a.widths) > 1e-9 * a.widths[0] for a in grid.axes):
            raise UserError("a grid of phase space has two axes of equal cells, x and v: take Axis.uniform for both")
        if grid.axes[1].ends != ("open", "open") or grid.has_end("absorbing") or grid.has_end("reflecting"):
            raise UserError("in phase space the ends are open, those of x open or periodic: write a wall as a steep "
                            "energy")
        if not grid.axes[1].centers[0] < 0 < grid.axes[1].centers[-1]:
            raise UserError("the cells of v must reach to both sides of 0")
        self.grid, self._landscapes, self._baths = grid, {}, {}
        self.landscape()
        if grid.axes[0].periodic:
            low, high = self.dynamics.potential.energy(grid.axes[0].edges[[0, -1]])
            if abs(high - low) > 1e-9 * (1 + abs(low)):
                raise UserError(f"the energy jumps by {abs(high - low):.3g} across the periodic end of x: choose the "
                                "period of "
                                "the energy, and write a constant slope as force=Tilt(...)")

    # ---- the physics on the grid ----------------------------------------------------------------

    def landscape(self, **parameters):
        """U, −∂ₓU and f at the cells of x."""
        key = tuple(sorted(parameters.items()))
        if key not in self._landscapes:
            own, force = self.dynamics.potential.parameters, self.dynamics.force
            x, values = self.grid.axes[0].centers, {k: v for k, v in parameters.items() if k in own}
            found = [self.dynamics.potential.energy(x, **values), self.dynamics.potential.force(x, **values)[:, 0],
                     np.zeros_like(x) if force is None else force.force(x, **{k: v for k, v in parameters.items() if k not in own})[:, 0]]
            if not np.all(np.isfinite(found)):
                raise UserError("energy or force is not finite on the whole grid: choose a grid inside its domain")
            keep(self._landscapes, key, found)
        return self._landscapes[key]

    def bath(self, temperature=None):
        """What friction and noise do to velocities at a temperature → `Bath`."""
        temperature = self.dynamics.temperature if temperature is None else float(temperature)
        if temperature not in self._baths:
            from .phase_space import Bath                    # loads Numba

            keep(self._baths, temperature,
                 Bath(self.grid.axes[1], self.dynamics.friction, self.dynamics.mass, temperature))
        return self._baths[temperature]

    def energy(self, **parameters):
        """H = U + ½mv² at the cell centres, of the grid's shape."""
        return np.add.outer(self.landscape(**parameters)[0], 0.5 * self.dynamics.mass * self.grid.axes[1].centers**2)

    # ---- what `evolve` asks ---------------------------------------------------------------------

    def stepper(self, drive, scheme, device):
        """What carries cell masses over a step of `evolve`."""
        from .phase_space import PhaseStep

        return PhaseStep(self, drive, scheme)

    def check_ends(self, m):
        """Refuse cell masses that have reached an open end."""
        self.grid.check_open_ends(m, "enlarge the grid, or take more steps if it should not get there")

    def warn_if_steep(self, m, temperature, **parameters):
        """Warn where cells are coarse against the thermal speed,
        or the thermal width in the well that the density is in."""
        if self.dynamics.friction == 0:
            return
        at, (x, v) = m.sum(axis=1), self.grid.axes
        stiffest = np.max(-np.gradient(self.landscape(**parameters)[1], x.centers),
                          where=at > 0.01 * at.max(), initial=0.0)
        for name, axis, k in (("x", x, stiffest), ("v", v, self.dynamics.mass)):
            if k * axis.widths[0]**2 > COARSE**2 * temperature:
                cells = int(np.ceil(axis.cells * axis.widths[0] * np.sqrt(k / temperature) / COARSE))
                warnings.warn(f"cells of {name} are {axis.widths[0]:.3g} wide, a density in equilibrium "
                              f"{np.sqrt(temperature / k):.3g}: "
                              f"try {cells} cells", stacklevel=4)

    # ---- verbs ----------------------------------------------------------------------------------

    def evolve(self, p, t=(0.0, 1.0), protocol=None, scheme=BAOAB(), tolerance=1e-3, steps=None):
        """Carry a density through time and keep its books, those of particles that take the same steps.

        Parameters
        ----------
        p : array of the grid's shape
            The start, normalised.
        t : rising times
            The densities at these times are kept; give the times of jumps of the protocol among them.
        protocol : Protocol, optional
            What moves; ``temperature`` drives the bath.
        scheme : integrators.Splitting
            BAOAB() unless given. Any step keeps mass and p ≥ 0; of second order where it reads the same backward.
        tolerance : float
            L1 error in time allowed over the whole run: the steps are chosen for it. Asking for less than coarse cells
            smooth in a step costs steps in vain.
        steps : int, optional
            Equal steps in each interval instead, no error measured.

        Returns
        -------
        Evolution
            Its ledger has work, shadow_work and heat as `simulate` books them; energies are U + ½mv².

        Raises
        ------
        UserError
            For a density that does not fit the grid, is negative or not normalised, reaches an end, for times,
            protocols, schemes or tolerances that make no sense.
        """
        made_of(scheme, Splitting, "a scheme in phase space is a splitting such as BAOAB() or Splitting('V R O R V')")
        return evolve(self, p, t, protocol, scheme, tolerance, steps, open_device("cpu"))

    def steady_state(self, **parameters):
        """The density that does not change, e^{−H/T}/Z.

        Raises
        ------
        UserError
            Where a force without energy keeps the particle going, or the grid is too small.
        """
        if self.dynamics.force is not None:
            raise UserError("with a force without energy there is no e^{-H/T}: evolve a density until it rests")
        H = self.energy(**parameters)
        m = np.exp(-(H - H.min()) / self.dynamics.temperature) * self.grid.volumes
        m /= m.sum()
        self.check_ends(m)
        return m / self.grid.volumes

    def free_energy(self, p, **parameters):
        """F = ⟨H⟩ − T·S."""
        return (densities.mean(self.grid, p, self.energy(**parameters))
                - self.dynamics.temperature * densities.entropy(self.grid, p))

    def entropy_production(self, p):
        """Entropy production rate of the density as it stands, ∫(irreversible current)²/(Dp), nats per unit time.

        The irreversible current runs along v alone, −γvp − D∂ᵥp with D = γT/m; 0 without friction.
        """
        return self.bath().entropy_production(self.grid.masses(p))
