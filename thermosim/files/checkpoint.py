"""Finished work that survives kill −9: whole segments, and a journal that says which are whole.

A file that is being written is unreadable after a crash more often than not; one that was closed,
fsynced and renamed never is. So each finished unit of work becomes a small file of its own, and its
SHA-256 goes into ``journal.jsonl``. Anything that does not match its hash is done again.
"""

import hashlib
import json
import os
import re
import shutil
from pathlib import Path

import numpy as np

from ..errors import UserError
from .atomic import writable_folder
from .store import read_tree, write_tree


def config_key(config):
    """Stable name of a configuration: 16 hexadecimal digits, the same in every process.

    Parameters
    ----------
    config : dict
        Whatever JSON can hold, numpy numbers and arrays included; the order of the keys is of no
        account. Two configurations that differ in one number have different keys.
    """
    text = json.dumps(config, sort_keys=True, separators=(",", ":"), default=_plain)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _plain(value):
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    raise TypeError(f"a configuration cannot hold {value!r}")


class Journal:
    """The finished units of work of one run, each a tree under a key, in one folder.

    As a context manager it turns Ctrl-C into a KeyboardInterrupt that says where the finished work
    is kept, which `command.run` prints.

    Parameters
    ----------
    folder : str or Path
        Of this run alone; name it by `config_key` so that another configuration never finds it.

    Raises
    ------
    UserError
        If the folder cannot be made or written to.

    Examples
    --------
    >>> with Journal(out / "work" / config_key(config)) as journal:      # doctest: +SKIP
    ...     for name in names:
    ...         result = journal.get(name)
    ...         if result is None:
    ...             result = journal.put(name, compute(name))
    """

    def __init__(self, folder):
        self.folder = writable_folder(folder)
        self._path = self.folder / "journal.jsonl"
        self._hashes = dict(self._lines())

    def get(self, key):
        """The tree stored under `key`, or None where there is none or it is not whole."""
        segment = self._segment(key)
        try:
            whole = hashlib.sha256(segment.read_bytes()).hexdigest() == self._hashes.get(key)
            return read_tree(segment) if whole else None
        except (OSError, UserError):
            return None

    def put(self, key, tree):
        """Store `tree` under `key`, whole or not at all; returns `tree`."""
        self._hashes[key] = write_tree(self._segment(key), tree)
        line = json.dumps({"key": key, "sha256": self._hashes[key]}) + "\n"
        try:
            with open(self._path, "a+b") as journal:
                # after a crash the last line may be torn: never glue a good one to it
                torn = journal.tell() and not self._path.read_bytes().endswith(b"\n")
                journal.write((b"\n" if torn else b"") + line.encode())
                journal.flush()
                os.fsync(journal.fileno())
        except OSError as error:
            raise UserError(f"cannot write {self._path}: {error.strerror}; free some space") from error
        return tree

    def clear(self):
        """Forget everything: the folder and what is in it."""
        self._hashes.clear()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, kind, stop, trace):
        if kind is KeyboardInterrupt and not stop.args and self._hashes:
            raise KeyboardInterrupt(f"- finished work is kept in {self.folder}; "
                                    "the same command goes on from there") from None

    def _segment(self, key):
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,120}", key):
            raise ValueError(f"a key is letters, digits, dots, dashes and underscores, not {key!r}")
        return Path(self.folder, f"{key}.h5")

    def _lines(self):
        lines = self._path.read_bytes().splitlines() if self._path.exists() else ()
        for line in lines:
            try:
                entry = json.loads(line)
                yield str(entry["key"]), str(entry["sha256"])
            except (ValueError, KeyError, TypeError):
                continue  # torn by a crash: that unit is done again
