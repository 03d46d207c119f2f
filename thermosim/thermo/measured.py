"""The books of trajectories that were measured, not simulated: colloids in traps, foreign engines.

No kernel is known, so there is no entropy_env of a step and no shadow work: work is the energy change at
frozen positions when the control moves, heat is the rest of the energy change (Sekimoto), and the midpoint
line integral is its independent estimate.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import UserError
from ..protocols import Protocol

BOLTZMANN = 1.380649e-23        # J/K, exact in the SI
CSV_BYTES = 1 << 30


@dataclass(frozen=True)
class Trajectory:
    """Measured paths.

    Attributes
    ----------
    times : (N + 1,) array
    positions : (N + 1, n, d) array
    parameters : dict of (N + 1,) arrays
        Control parameters read along with them.
    """

    times: np.ndarray
    positions: np.ndarray
    parameters: dict


@dataclass(frozen=True)
class Books:
    """Books of measured paths, in units of k_B T.

    Attributes
    ----------
    work, heat, heat_line : (N, n) arrays
        Per interval and path; heat is absorbed by the particle, ΔU = work + heat.
    energy : (N + 1, n) array
    temperature : float
        k_B T in the energy unit of the potential.
    """

    work: np.ndarray
    heat: np.ndarray
    heat_line: np.ndarray
    energy: np.ndarray
    temperature: float

    def total(self, column):
        """Sum over the intervals, one value per path (n,)."""
        return getattr(self, column).sum(axis=0)


def book(trajectory, potential, protocol=None, temperature=None, kelvin=None):
    """Book measured trajectories.

    Parameters
    ----------
    trajectory : Trajectory, or (times, positions)
        Positions (N + 1, n, d), (N + 1, n) in one dimension, or (N + 1,) for a single path.
    potential : Potential
        U in the energy unit of `temperature`; in joules, with positions in metres, for `kelvin`.
    protocol : Protocol, optional
        Parameters read with the trajectory are used otherwise.
    temperature : float
        k_B T in the energy unit of the potential.
    kelvin : float
        T in kelvin, in its place.

    Returns
    -------
    Books
        In units of k_B T.

    Raises
    ------
    UserError
        Where shapes, times or temperature do not fit.
    """
    if (temperature is None) == (kelvin is None):
        raise UserError("give either temperature (k_B T in the potential's energy unit) or kelvin")
    unit = BOLTZMANN*kelvin if temperature is None else float(temperature)
    if not unit > 0:
        raise UserError("the temperature must be positive")
    if not isinstance(trajectory, Trajectory):
        trajectory = Trajectory(*trajectory, parameters={})
    times, x = np.asarray(trajectory.times, dtype=np.float64), _frames(trajectory.positions, potential.dimension)
    if times.shape != (len(x),) or np.any(np.diff(times) <= 0):
        raise UserError(f"{len(x)} frames need as many rising times, not {times.shape}")
    if not np.all(np.isfinite(x)):
        raise UserError("the positions contain gaps (NaN): cut the trajectory there")
    table = dict(trajectory.parameters)
    if isinstance(protocol, Protocol):
        table |= protocol.before(times, (times[0], times[-1]))
    potential.values(**table)
    at = lambda n: {name: float(values[n]) for name, values in table.items()}
    energy = np.array([potential.energy(p, **at(n)) for n, p in enumerate(x)])
    moved = np.array([potential.energy(p, **at(n + 1)) for n, p in enumerate(x[:-1])])
    line = [-0.5*((potential.force(p, **at(n + 1)) + potential.force(q, **at(n + 1)))*(q - p)).sum(axis=1)
            for n, (p, q) in enumerate(zip(x, x[1:]))]
    return Books((moved - energy[:-1])/unit, (energy[1:] - moved)/unit, np.array(line)/unit, energy/unit, unit)


def _frames(positions, d):
    x = np.asarray(positions, dtype=np.float64)
    if x.ndim == 1:
        x = x[:, None]
    if x.ndim == 2:
        x = x[:, :, None] if d == 1 else x[:, None, :]
    if x.ndim != 3 or x.shape[2] != d or len(x) < 2:
        raise UserError(f"positions must have shape (frames, paths, {d}), not {np.shape(positions)}")
    return x


def read_trajectory(path, coordinates):
    """A path from a CSV file with a header: column ``time``, the coordinates, and any parameters.

    Parameters
    ----------
    path : path
    coordinates : list of str
        Columns that are positions; every other column but ``time`` is a control parameter.

    Raises
    ------
    UserError
        If a column is missing or an entry is no number.
    """
    path = Path(path)
    try:
        if path.stat().st_size > CSV_BYTES:
            raise UserError(f"{path} is larger than 1 GiB: cut it, or give arrays")
        with open(path) as file:
            names = [name.strip() for name in file.readline().split(",")]
            lines = file.readlines()
        values = np.loadtxt(lines, delimiter=",", ndmin=2) if lines else np.empty((0, len(names)))
    except (OSError, ValueError) as error:
        raise UserError(f"cannot read {path}: {str(error).splitlines()[0]}") from None
    missing = {"time", *coordinates} - set(names)
    if missing or values.shape[1] != len(names):
        raise UserError(f"{path} needs a header with the columns time, {', '.join(coordinates)}; it has "
                        f"{', '.join(names)}")
    columns = dict(zip(names, values.T))
    x = np.stack([columns.pop(c) for c in coordinates], axis=1)[:, None, :]
    return Trajectory(columns.pop("time"), x, columns)
