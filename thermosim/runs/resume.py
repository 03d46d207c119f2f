"""Checkpoints of a particle run: two units that take turns, so that one is always whole."""

import numpy as np

from ..files.checkpoint import Journal
from ..files.tree import Dataset, Group


class Checkpoint:
    """State, totals and rows of a run, kept in a folder; without a folder it does nothing.

    Parameters
    ----------
    folder : path or None
        Its name tells everything the result depends on: another run never finds these rows.
    rows : object with mean, variance, closure, frames
    state, totals : arrays
        Restored in place.
    """

    def __init__(self, folder, rows, state, totals):
        self.journal = None if folder is None else Journal(folder)
        self.arrays = {"mean": rows.mean, "variance": rows.variance, "closure": rows.closure, "frames": rows.frames,
                       "state": state, "totals": totals}
        self.turn = 0

    def restore(self):
        """Rows already done; the arrays are as they were after them."""
        if self.journal is None:
            return 0
        found = [tree for tree in map(self.journal.get, ("even", "odd")) if tree is not None]
        if not found:
            return 0
        newest = max(found, key=lambda tree: tree.attrs["rows"])
        for name, array in self.arrays.items():
            array[...] = newest[name].values
        self.turn = int(newest.attrs["turn"]) + 1
        return int(newest.attrs["rows"])

    def save(self, rows):
        """Keep the run as it is after `rows` rows."""
        if self.journal is None:
            return
        tree = Group({"rows": rows, "turn": self.turn})
        for name, array in self.arrays.items():
            tree[name] = Dataset(np.array(array), tuple(f"{name}_{k}" for k in range(array.ndim)))
        self.journal.put(("even", "odd")[self.turn % 2], tree)
        self.turn += 1

    def clear(self):
        """Forget what was kept: the run is whole."""
        if self.journal is not None:
            self.journal.clear()

    def __enter__(self):
        if self.journal is not None:
            self.journal.__enter__()
        return self

    def __exit__(self, *stop):
        return self.journal.__exit__(*stop) if self.journal is not None else None
