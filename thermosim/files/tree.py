"""A neutral picture of a file: groups, arrays and attributes, with no file behind it.

Engines build one, ``store.write_tree`` writes it, ``store.read_tree`` gives it back. Text is numpy
unicode, every axis has a name, and an array whose only axis carries its own name is the coordinate
of that axis: ``Dataset(t, ("time",))`` stored as ``time``.

What does not exist is NaN, and the attribute ``nan_reason`` of the same dataset says why in one
sentence; never 0, never a missing row.
"""

from dataclasses import dataclass, field

import numpy as np


@dataclass
class Dataset:
    """One array with named axes.

    Parameters
    ----------
    values : array_like
        Integers, floats, booleans or text, of any shape.
    dims : tuple of str
        One name per axis. The coordinate of that name is looked up in the same group, then in its
        parents; where there is none the axis is named all the same.
    attrs : dict
        Text, numbers, or flat lists of them.

    Raises
    ------
    ValueError
        If the number of names is not the number of axes.
    """

    values: np.ndarray
    dims: tuple = ()
    attrs: dict = field(default_factory=dict)

    def __post_init__(self):
        self.values = np.asarray(self.values)
        self.dims = (self.dims,) if isinstance(self.dims, str) else tuple(self.dims)
        if len(self.dims) != self.values.ndim:
            raise ValueError(f"an array of shape {self.values.shape} needs {self.values.ndim} "
                             f"axis names, not {self.dims}")


@dataclass
class Group:
    """A folder of datasets and groups; ``tree["a/b/c"]`` reads and sets by path.

    Parameters
    ----------
    attrs : dict
        As for a dataset.
    datasets, groups : dict of str
        What it holds, in the order it was put in.
    """

    attrs: dict = field(default_factory=dict)
    datasets: dict = field(default_factory=dict)
    groups: dict = field(default_factory=dict)

    def __getitem__(self, path):
        """The dataset or group at `path`; KeyError with the whole path where there is none."""
        node = self
        for name in _names(path):
            held = {**node.groups, **node.datasets} if isinstance(node, Group) else {}
            if name not in held:
                raise KeyError(path)
            node = held[name]
        return node

    def __setitem__(self, path, node):
        """Put a Dataset or Group at `path`, making the groups on the way."""
        *parents, name = _names(path)
        group = self
        for parent in parents:
            if parent in group.datasets:
                raise ValueError(f"{path}: {parent} is an array, not a group")
            group = group.groups.setdefault(parent, Group())
        here, there = ((group.groups, group.datasets) if isinstance(node, Group)
                       else (group.datasets, group.groups))
        there.pop(name, None)
        here[name] = node

    def __contains__(self, path):
        try:
            self[path]
        except KeyError:
            return False
        return True

    def walk(self, prefix=""):
        """Yield (path, Dataset or Group) for everything below, arrays before groups."""
        for name, dataset in self.datasets.items():
            yield prefix + name, dataset
        for name, group in self.groups.items():
            yield prefix + name, group
            yield from group.walk(f"{prefix}{name}/")


def _names(path):
    names = [name for name in path.split("/") if name]
    if not names or "." in names:
        raise KeyError(path)
    return names
