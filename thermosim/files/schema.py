"""The shape of a run's file: H5MD 1.1 (de Buyl, Colberg, Höfling 2014, 1308.6382) that opens in xarray.

    /time /step /particle /component        coordinates of what is followed through time
    /h5md/{author, creator}                 who and what wrote it
    /particles/trajectory/{box, position/{step, time, value}}
    /observables/<name>/{step, time, value} on the same frames
    /ledger/…                               tables, each with a row coordinate of its own
    /summary                                one row per run of a comparison
    /parameters                             provenance

``step`` and ``time`` increase along the file; a sampler that runs backwards in time stores elapsed
time there and its noise level in a column ``sigma``. Columns carry ``units``, ``sign`` and
``definition``, and ``nan_reason`` wherever a value is NaN. H5MD's own ``unit`` attribute is left
out: the units are reduced, and its readers know only laboratory ones.
"""

import getpass

import numpy as np

from ..version import __version__
from .tree import Dataset, Group

NO_REASON = "no reason was recorded"


def new_run(parameters, author=None):
    """The tree of a run before its results: ``/h5md`` and ``/parameters``.

    Parameters
    ----------
    parameters : Group
        From `provenance.provenance`.
    author : str, optional
        The login name by default.
    """
    tree = Group()
    tree["h5md"] = Group({"version": np.array([1, 1])})
    tree["h5md/author"] = Group({"name": author or _login()})
    tree["h5md/creator"] = Group({"name": "thermosim", "version": __version__})
    tree["parameters"] = parameters
    return tree


def add_trajectory(tree, step, time, position, observables=None):
    """Put a trajectory, and what was measured on the same frames, into the tree of a run.

    Parameters
    ----------
    tree : Group
    step : (frames,) int array
        Strictly increasing.
    time : (frames,) array
        Increasing; elapsed time where the process runs backwards.
    position : (frames, particles, d) array
    observables : dict of Dataset-like (values, attrs), optional
        Arrays of shape (frames, ...); a second axis of the length of `particles` is theirs.

    Raises
    ------
    ValueError
        If the frames do not agree in number or do not increase.
    """
    step, time, position = np.asarray(step), np.asarray(time), np.asarray(position)
    if not (len(step) == len(time) == len(position)) or position.ndim != 3:
        raise ValueError(f"{len(step)} steps, {len(time)} times and positions of shape {position.shape}")
    if np.any(np.diff(step) <= 0) or np.any(np.diff(time) <= 0):
        raise ValueError("step and time must increase along a trajectory")
    particles, dimension = position.shape[1:]
    tree["time"] = Dataset(time, "time", {"units": "1", "definition": "elapsed time of the frame"})
    tree["step"] = Dataset(step, "time", {"units": "1", "definition": "integration steps so far"})
    tree["particle"] = Dataset(np.arange(particles), "particle")
    tree["component"] = Dataset(np.arange(dimension), "component")
    tree["particles/trajectory/box"] = Group({"dimension": dimension, "boundary": ["none"] * dimension})
    tree["particles/trajectory/position"] = _element(
        step, time, Dataset(position, ("time", "particle", "component")))
    for name, (values, attrs) in (observables or {}).items():
        values = np.asarray(values)
        inner = ["particle" if axis == 1 and n == particles else f"{name}_{axis}"
                 for axis, n in enumerate(values.shape) if axis]
        tree[f"observables/{name}"] = _element(step, time, Dataset(values, ("time", *inner), attrs))


def ledger_group(columns, dim_name, attrs=None):
    """A table: columns that share their first axis, each of which says what it means.

    Parameters
    ----------
    columns : dict of (values, attrs)
        Values of shape (rows, ...); further axes are called ``<column>_1`` and so on. The
        attributes hold `units`, `sign` and `definition`; `nan_reason` where there is a NaN.
    dim_name : str
        Name of the rows' axis and of its coordinate, 0 .. rows − 1 unless it is among the columns.
    attrs : dict, optional
        Of the table itself.

    Returns
    -------
    Group

    Raises
    ------
    ValueError
        If columns differ in length or one does not say what it means.
    """
    columns = {name: (np.asarray(values), dict(about)) for name, (values, about) in columns.items()}
    lengths = {name: len(values) for name, (values, _) in columns.items()}
    if len(set(lengths.values())) != 1:
        raise ValueError(f"columns of one table differ in length: {lengths}")
    table = Group(dict(attrs or {}))
    if dim_name not in columns:
        table[dim_name] = Dataset(np.arange(next(iter(lengths.values()))), dim_name)
    for name, (values, about) in columns.items():
        missing = {"units", "sign", "definition"} - set(about)
        if missing:
            raise ValueError(f"column {name} does not tell its {', '.join(sorted(missing))}")
        if values.dtype.kind == "f" and np.isnan(values).any():
            about.setdefault("nan_reason", NO_REASON)
        inner = [f"{name}_{axis}" for axis in range(1, values.ndim)]
        table[name] = Dataset(values, (dim_name, *inner), about)
    return table


def h5md_3d(tree):
    """A copy of a run for readers that insist on three dimensions: missing components are zero.

    Parameters
    ----------
    tree : Group
        With a trajectory of d <= 3.

    Returns
    -------
    Group
        ``/h5md``, the coordinates and ``/particles`` alone.
    """
    position = tree["particles/trajectory/position"]
    value = position["value"].values
    d = value.shape[2]
    if d > 3:
        raise ValueError(f"a trajectory in {d} dimensions does not fit into three")
    padded = Group()
    padded["h5md"] = tree["h5md"]
    add_trajectory(padded, position["step"].values, position["time"].values,
                   np.concatenate([value, np.zeros((*value.shape[:2], 3 - d), value.dtype)], axis=2))
    return padded


def _element(step, time, value):
    """A time-dependent H5MD element."""
    return Group(datasets={"step": Dataset(step, "time"), "time": Dataset(time, "time"), "value": value})


def _login():
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "unknown"
