"""The Fokker–Planck equation of an overdamped dynamics, and the verbs a user has for it."""

import warnings
from dataclasses import replace

import numpy as np

from ..backend import open_device
from ..dynamics import Overdamped, Underdamped
from ..errors import UserError
from . import densities, modes, passage
from .checks import made_of, positive
from .evolution import DrivenStep, Relaxation, evolve
from .fluxes import Generator
from .grid import Grid
from .schemes import SCHEMES, ImplicitEuler, Propagator, Scheme

STEEP = 2.0            # |ΔU/T| across a face beyond which the flux is closer to upwind than to second order
MASS_STEEP = 0.01      # probability there that earns a warning
KEPT = 4               # factored steps kept at a time: a step, its half, and one size to either side


class FokkerPlanck:
    """∂p/∂t = ∇·[−μFp + μT∇p], F = −∇U + f, on a grid.

    Parameters
    ----------
    dynamics : Overdamped, or an energy law
        With an energy law `temperature` and `mobility` make it overdamped dynamics (1 and 1 unless given).
    temperature, mobility : float, optional
        In the place of those of `dynamics`.
    grid : Grid

    Raises
    ------
    UserError
        For dynamics with inertia, another dimension than the grid's, an energy that is not finite on the
        grid or does not close on a periodic axis.

    Examples
    --------
    >>> well = FokkerPlanck(DoubleWell(), temperature=0.25, grid=Grid(Axis.uniform(-3, 3, 600)))  # doctest: +SKIP
    >>> well.evolve(well.grid.delta(-1.0), t=(0.0, 10.0)).final                                  # doctest: +SKIP

    Source: Risken, The Fokker–Planck Equation, 2nd ed. (1989), eq. 4.95.
    """

    def __init__(self, dynamics, temperature=None, mobility=None, grid=None):
        given = {k: positive(v, k) for k, v in (("temperature", temperature), ("mobility", mobility)) if v is not None}
        if not hasattr(dynamics, "energy"):
            raise UserError(f"give Overdamped dynamics or an energy law such as DoubleWell(), not {dynamics!r:.60}")
        if isinstance(dynamics, Underdamped):
            raise UserError("a grid of positions needs Overdamped dynamics: with inertia take KleinKramers, for one "
                            "coordinate and its velocity")
        self.dynamics = (replace(dynamics, **given)
                         if isinstance(dynamics, Overdamped) else Overdamped(dynamics, **given))
        if not isinstance(grid, Grid):
            raise UserError("give the cells: grid=Grid(Axis.uniform(low, high, cells), ...)")
        if grid.dimension != self.dynamics.dimension:
            raise UserError(f"the dynamics has {self.dynamics.dimension} coordinate(s), the grid {grid.dimension} axes")
        self.grid, self._energies, self._generators, self._propagators = grid, {}, {}, {}
        self.energy()
        self._check_rings()

    # ---- the physics on the grid ----------------------------------------------------------------

    def _split(self, parameters):
        """Values for the potential and for the extra force."""
        unknown = set(parameters) - set(self.dynamics.parameters)
        if unknown:
            raise UserError(f"unknown parameter {', '.join(sorted(unknown))}; "
                            f"known are {', '.join(self.dynamics.parameters) or 'none'}")
        own = self.dynamics.potential.parameters
        return ({k: v for k, v in parameters.items() if k in own},
                {k: v for k, v in parameters.items() if k not in own})

    def energy(self, **parameters):
        """U at the cell centres, of the grid's shape."""
        values, _ = self._split(parameters)
        key = tuple(sorted(values.items()))
        if key not in self._energies:
            U = self.dynamics.potential.energy(self.grid.points(), **values).reshape(self.grid.shape)
            if not np.all(np.isfinite(U)):
                raise UserError("the energy is not finite on the whole grid: choose a grid inside its domain")
            keep(self._energies, key, U)
        return self._energies[key]

    def _on_faces(self, law, axis):
        """A law at both ends of an axis, or at all its edges: (edges along the axis)."""
        shape = list(self.grid.shape)
        shape[axis] = -1
        return lambda along: law(self.grid.points(axis, along)).reshape(shape)

    def _force_times_distance(self, axis, values):
        """fΔx across every face of an axis."""
        edges = self.grid.axes[axis].edges
        f = self._on_faces(lambda x: self.dynamics.force.force(x, **values)[:, axis], axis)(edges)
        along = [1] * self.grid.dimension
        along[axis] = -1
        return f * self.grid.axes[axis].distances.reshape(along)

    def _climbs(self, temperature, parameters):
        """w = (ΔU − fΔx)/T of every face; see `Generator`."""
        values, forcing = self._split(parameters)
        U, climbs = self.energy(**parameters), []
        for k, axis in enumerate(self.grid.axes):
            first, last = (slice(None),) * k + (slice(0, 1),), (slice(None),) * k + (slice(-1, None),)
            if axis.periodic:
                ends = (U[first] - U[last],) * 2
            elif "absorbing" in axis.ends:
                wall = self._on_faces(lambda x: self.dynamics.potential.energy(x, **values), k)(axis.edges[[0, -1]])
                ends = U[first] - wall[first], wall[last] - U[last]
            else:
                ends = (np.zeros_like(U[first]),) * 2
            w = np.concatenate([ends[0], np.diff(U, axis=k), ends[1]], axis=k)
            if self.dynamics.force is not None:
                w = w - self._force_times_distance(k, forcing)
            climbs.append(w / temperature)
        return climbs

    def generator(self, temperature=None, **parameters):
        """The hop rates between cells at fixed parameters."""
        temperature = self.dynamics.temperature if temperature is None else float(temperature)
        key = (temperature, *sorted(parameters.items()))
        if key not in self._generators:
            made = Generator(self.grid, self._climbs(temperature, parameters), self.dynamics.mobility * temperature)
            keep(self._generators, key, made)
        return self._generators[key]

    def power(self, generator, m, parameters):
        """⟨f·v⟩: work of the extra force per unit time."""
        _, forcing = self._split(parameters)
        total = 0.0
        for k, (flow, axis) in enumerate(zip(generator.flows(m), self.grid.axes)):
            terms = flow * self._force_times_distance(k, forcing)
            if axis.periodic:                  # the seam is listed at both ends
                terms = np.delete(terms, 0, axis=k)
            total += terms.sum()
        return total

    def _check_rings(self):
        for k, axis in enumerate(self.grid.axes):
            if not axis.periodic:
                continue
            ends = self._on_faces(self.dynamics.potential.energy, k)(axis.edges[[0, -1]])
            jump = np.max(np.abs(np.diff(ends, axis=k)))
            if jump > 1e-9 * (1 + np.max(np.abs(ends))):
                raise UserError(f"the energy jumps by {jump:.3g} across the periodic end of axis {k}: choose the "
                                "period of "
                                "the energy, and write a constant slope as force=Tilt(...)")

    def warn_if_steep(self, m, temperature, **parameters):
        """Warn where the density sits in cells too coarse for the slope of the energy."""
        for k, w in enumerate(self.generator(temperature, **parameters).climbs):
            before = (slice(None),) * k
            across = np.maximum(np.abs(w[(*before, slice(0, -1))]), np.abs(w[(*before, slice(1, None))]))
            held = m[across > STEEP].sum()
            if held > MASS_STEEP:
                cells = int(np.ceil(self.grid.shape[k] * np.sum(m * across) / held / STEEP))
                warnings.warn(f"cell Péclet number above {STEEP:g} along axis {k} for {held:.0%} of the density: "
                              "fluxes are "
                              f"first order there; try {cells} cells", stacklevel=4)

    # ---- verbs ----------------------------------------------------------------------------------

    def evolve(self, p, t=(0.0, 1.0), protocol=None, scheme=ImplicitEuler(), tolerance=1e-3, steps=None, device="cpu"):
        """Carry a density through time and keep its books.

        A step moves the parameters to the middle of its interval at frozen p (work), lets p relax there
        (heat), and moves them to the end (work).

        Parameters
        ----------
        p : array of the grid's shape
            The start, normalised.
        t : rising times
            The densities at these times are kept; give the times of jumps of the protocol among them.
        protocol : Protocol, optional
            What moves; ``temperature`` drives the bath.
        scheme : ImplicitEuler, SecondOrder or Chebyshev
            The first keeps p ≥ 0 at any step; the second is far more accurate per step, see its limits; on
            one axis at rest the third takes any time in one step.
        tolerance : float
            L1 error in time allowed over the whole run: the steps are chosen for it.
        steps : int, optional
            Equal steps in each interval instead, no error measured.
        device : str
            "cpu", or "cuda" for the sweeps on a GPU, a thread a line: made for two and three dimensions. The
            densities agree to roundings, bit for bit where no axis is periodic and the steps are the same.

        Returns
        -------
        Evolution

        Raises
        ------
        UserError
            For a density that does not fit the grid, is negative or not normalised, reaches an open end,
            for times, protocols or tolerances that make no sense, or a device that is not there.
        """
        made_of(scheme, Scheme, SCHEMES)
        return evolve(self, p, t, protocol, scheme, tolerance, steps, open_device(device))

    def stepper(self, drive, scheme, device):
        """What carries cell masses over a step of `evolve`."""
        return (Relaxation if drive.rests else DrivenStep)(self, drive, scheme, device)

    def check_ends(self, m):
        """Refuse cell masses that have reached an open end."""
        self.grid.check_open_ends(m)

    def propagator(self, generator, scheme, h, device=None):
        """One factored step; the last few are kept."""
        key = (id(generator), scheme, h, device and device.name)
        if key not in self._propagators:
            # the generator goes along so that its id stays its own
            keep(self._propagators, key, (Propagator(generator, scheme, h, device), generator))
        return self._propagators[key][0]

    def steady_state(self, **parameters):
        """The density that does not change; e^{−U/T}/Z where no extra force acts."""
        if self.grid.has_end("absorbing"):
            raise UserError("with an absorbing end nothing stays: ask for first_passage or spectrum")
        if self.dynamics.force is None:
            U = self.energy(**parameters)
            m = np.exp(-(U - U.min()) / self.dynamics.temperature) * self.grid.volumes
            m /= m.sum()
        else:
            m = modes.null_vector(self.generator(**parameters))
        self.grid.check_open_ends(m)
        return m / self.grid.volumes

    def spectrum(self, k=4, **parameters):
        """The k slowest relaxation rates, by real part, and their modes → `modes.Spectrum`.

        The first is 0 on a closed grid. Complex pairs where a force circulates; a pair is never cut.
        """
        return modes.spectrum(self.generator(**parameters), k, reversible=self.dynamics.force is None)

    def first_passage(self, target=None, **parameters):
        """Mean time to first reach a target, from every cell: array of the grid's shape.

        Parameters
        ----------
        target : boolean array of the grid's shape, function of points (n, d) → (n,) bool, or None
            Cells that count as reached; None: the absorbing ends of the grid, which lie on cell edges
            and are therefore second order in the cell width, where a region of cells is first order.

        Source: Gardiner, Handbook of Stochastic Methods, §5.2.7: the backward equation.
        """
        return passage.mean_time(self.generator(**parameters), self._cells(target))

    def splitting(self, target, other=None, **parameters):
        """Probability of reaching `target` before `other`, from every cell (the committor).

        Parameters
        ----------
        target, other : Wall, boolean array, or function of points
            `other` may be left out where the remaining absorbing ends are meant.
        """
        return passage.splitting(self.generator(**parameters), self._cells(target), self._cells(other))

    def _cells(self, region):
        if callable(region):
            region = np.asarray(region(self.grid.points())).reshape(self.grid.shape)
        return region

    def current(self, p, **parameters):
        """J = p·ν at the faces, one array per axis (n + 1 along it): probability per time and area."""
        m, out = self.grid.masses(p), []
        for k, flow in enumerate(self.generator(**parameters).flows(m)):
            areas = self.grid.product([np.ones(1) if j == k else a.widths for j, a in enumerate(self.grid.axes)])
            out.append(flow / areas)
        return out

    def free_energy(self, p, **parameters):
        """F = ⟨U⟩ − T·S."""
        U = self.energy(**parameters)
        return densities.mean(self.grid, p, U) - self.dynamics.temperature * densities.entropy(self.grid, p)

    def entropy_production(self, p, **parameters):
        """Entropy production rate of the density as it stands, nats per unit time."""
        return self.generator(**parameters).entropy_production(self.grid.masses(p))


def keep(cache, key, value):
    """Put into a small cache, the oldest out."""
    while len(cache) >= KEPT:
        del cache[next(iter(cache))]
    cache[key] = value
