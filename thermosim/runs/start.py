"""Where particles start: drawn from e^{−U/T}, or given."""

import numpy as np

from ..backend.cpu.normals import normals
from ..backend.cpu.philox import words
from ..errors import UserError

START = 0                       # stream of one seed; the noise of the dynamics has its own
POSITION, SECOND, VELOCITY, REMEMBERED, CHOICE = 0, 1, 2, 3, 4   # draws of that stream; 0 to 3 share their words
CHUNK = 1 << 18                 # particles at a time: bounded memory, same bits for any value
DEPTH = 45.0                    # energies above the minimum, in T, that no draw ever reaches


def equilibrium(potential, temperature, parameters, seed, n, first=0):
    """n draws from e^{−U/T}/Z.

    Exact for a quadratic energy and for a mixture in any dimension, and in one dimension (inverse of the
    integrated density on 65,537 points).

    Parameters
    ----------
    potential : Energy
    temperature : float
    parameters : dict of float
    seed, n, first : int
        Particle i of the stream gets draw `first` + i, whatever the batch.

    Returns
    -------
    (n, d) array

    Raises
    ------
    UserError
        If the energy confines no particle, or has several dimensions and is not quadratic.
    """
    d = potential.dimension
    out = np.empty((n, d))
    if hasattr(potential, "equilibrium"):
        draw = _by_potential(potential, temperature, parameters, seed)
    elif getattr(potential, "is_quadratic", False):
        draw = _gaussian(potential, temperature, parameters, seed)
    elif d == 1:
        draw = _inverse_density(potential, temperature, parameters, seed)
    else:
        raise UserError('x0="equilibrium" knows quadratic energies, mixtures and one dimension: give x0 as an array, '
                        "or let a first run relax and start from its x")
    for lo in range(0, n, CHUNK):
        hi = min(lo + CHUNK, n)
        out[lo:hi] = draw(hi - lo, first + lo)
    return out


def _by_potential(potential, temperature, parameters, seed):
    def draw(count, start):
        z = normals(seed, START, POSITION, count, potential.dimension, first=start)
        u = (words(seed, START, CHOICE, count, 1, first=start)[:, 0] + 0.5) * 2.0**-32
        return potential.equilibrium(z, u, temperature, parameters)
    return draw


def _gaussian(potential, temperature, parameters, seed):
    d, origin = potential.dimension, np.zeros((1, potential.dimension))
    hessian = potential.hessian(origin, **parameters)[0]
    try:
        root = np.linalg.cholesky(hessian)
    except np.linalg.LinAlgError:
        raise UserError('x0="equilibrium" needs an energy that confines in every direction: '
                        "give x0 as an array") from None
    mean = np.linalg.solve(hessian, potential.force(origin, **parameters)[0])
    spread = np.sqrt(temperature) * np.linalg.inv(root)

    def draw(count, start):
        g = normals(seed, START, POSITION, count, d, first=start)
        # summed term by term: a matrix product may round differently from batch to batch
        x = g[:, 0, None] * spread[0]
        for k in range(1, d):
            x += g[:, k, None] * spread[k]
        return np.add(x, mean, out=x)
    return draw


def _inverse_density(potential, temperature, parameters, seed):
    coarse = np.sinh(np.linspace(-16, 16, 40001))
    energy = potential.energy(coarse, **parameters) / temperature
    energy[~np.isfinite(energy)] = np.inf
    inside = np.flatnonzero(energy <= energy.min() + DEPTH)
    if inside[0] == 0 or inside[-1] == len(coarse) - 1:
        raise UserError('x0="equilibrium" needs an energy that confines on both sides: give x0 as an array')
    x = np.linspace(coarse[inside[0] - 1], coarse[inside[-1] + 1], 65537)
    energy = potential.energy(x, **parameters) / temperature
    density = np.exp(energy.min() - energy)
    mass = np.concatenate(([0.0], np.cumsum(0.5 * (density[1:] + density[:-1]))))
    mass /= mass[-1]

    def draw(count, start):
        high = words(seed, START, POSITION, count, 1, first=start)[:, 0].astype(np.float64)
        low = words(seed, START, SECOND, count, 1, first=start)[:, 0].astype(np.float64)
        return np.interp((high + (low + 0.5) * 2.0**-32) * 2.0**-32, mass, x)[:, None]
    return draw


def initial_state(dynamics, slots, grid, x0, v0, n, seed, first):
    """The state array (n, slots) of a run: positions, velocities, remembered normals.

    Parameters
    ----------
    slots : list of str
        Layout of a step's state: x0…, v0…, normal0…
    x0 : "equilibrium", number, (d,) or (n, d) array
    v0 : "equilibrium" or an array like x0
    """
    d = dynamics.dimension
    state = np.empty((n, len(slots)))
    if isinstance(x0, str) and x0 == "equilibrium":
        state[:, :d] = equilibrium(dynamics.potential, grid.initial_temperature,
                                   {k: v for k, v in grid.at(0).items() if k in dynamics.potential.parameters},
                                   seed, n, first)
    else:
        state[:, :d] = _given(x0, n, d, "x0")
    for k, slot in enumerate(slots):
        if slot == "v0":
            state[:, k:k + d] = _velocities(dynamics, grid, v0, n, d, seed, first)
        elif slot == "normal0":
            state[:, k:k + d] = normals(seed, START, REMEMBERED, n, d, first=first)
    return state


def _velocities(dynamics, grid, v0, n, d, seed, first):
    if not (isinstance(v0, str) and v0 == "equilibrium"):
        return _given(v0, n, d, "v0")
    return np.sqrt(grid.initial_temperature / dynamics.mass) * normals(seed, START, VELOCITY, n, d, first=first)


def _given(values, n, d, name):
    try:
        values = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise UserError(f'{name} must be "equilibrium", a number or an array of shape ({n}, {d})') from None
    if values.shape == (n,) and d == 1:
        values = values[:, None]
    if values.shape not in ((), (d,), (n, d)):
        raise UserError(f"{name} must have shape ({n}, {d}), not {values.shape}")
    if not np.all(np.isfinite(values)):
        raise UserError(f"{name} contains values that are not finite")
    return np.broadcast_to(values, (n, d))
