"""Where a number came from: everything needed to make it again."""

import json
import platform
import shlex
import subprocess
import sys
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

import numpy as np

from ..version import __version__
from .tree import Group

PACKAGES = ("numpy", "numba", "scipy", "h5py", "sympy", "scikit-learn", "POT", "matplotlib")


def provenance(config, seed, device="cpu", dtype="float64", argv=None):
    """The group ``/parameters`` of a run.

    Parameters
    ----------
    config : dict
        The resolved configuration: every default filled in, whatever JSON can hold.
    seed : int
        Key of the noise streams.
    device : str
        "cpu" or "cuda": where the run was computed.
    dtype : dtype_like
        Of the state.
    argv : list of str, optional
        The command line; that of this process by default.

    Returns
    -------
    Group
        Attributes ``config`` (JSON), seed, device, dtype, argv, created_at (UTC), cpu, os, commit;
        group ``versions`` with one attribute per package.
    """
    group = Group({
        "config": json.dumps(config, sort_keys=True, default=lambda value: np.asarray(value).tolist()),
        "seed": int(seed),
        "device": device,
        "dtype": np.dtype(dtype).name,
        "argv": shlex.join(sys.argv if argv is None else argv),
        "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cpu": cpu_model(),
        "os": platform.platform(),
        "commit": git_commit(),
    })
    group["versions"] = Group({"python": platform.python_version(), "thermosim": __version__,
                               **versions(PACKAGES)})
    return group


def versions(packages):
    """Installed version of each package by its name on PyPI, "absent" where there is none."""
    found = {}
    for package in packages:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "absent"
    return found


def cpu_model():
    """Name of the processor as its maker gives it."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def git_commit():
    """Commit of the source tree, "+changes" behind it where files differ; "" where it is no checkout.

    An installed package may lie inside somebody else's repository: only a tree whose top holds this
    package counts.
    """
    source = Path(__file__).resolve().parents[2]
    try:
        if Path(_git(source, "rev-parse", "--show-toplevel")).resolve() != source:
            return ""
        changed = _git(source, "status", "--porcelain", "--untracked-files=no")
        return _git(source, "rev-parse", "HEAD") + ("+changes" if changed else "")
    except (OSError, subprocess.SubprocessError):
        return ""


def _git(folder, *args):
    done = subprocess.run(["git", "-C", str(folder), *args], capture_output=True, text=True,
                          timeout=10, check=True)
    return done.stdout.strip()
