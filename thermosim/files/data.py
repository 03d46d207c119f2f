"""Data to learn from: the built-in sets, and a user's own arrays."""

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import UserError
from ..names import unknown
from .guard import memory_bytes


@dataclass
class Data:
    """Points to learn from.

    Attributes
    ----------
    values : (n, d) float64 array
    shape : tuple of int
        Of one point before it was flattened: (8, 8) for a digit.
    name : str
    quantum : float or None
        Spacing of the grid that the values lie on, where they do: a discrete likelihood in bits per
        dimension needs it.
    """

    values: np.ndarray
    shape: tuple
    name: str
    quantum: float | None = None

    def __len__(self):
        return len(self.values)


def load_data(name, minimum=16, seed=0):
    """The built-in set of that name, or the array in a file.

    Parameters
    ----------
    name : str or Path
        "digits", "swissroll", or the path of a ``.npy`` or ``.npz`` file that holds numbers of shape
        (n, ...): in an archive the array called x or data, or the only one.
    minimum : int
        Fewest points to accept.
    seed : int
        Of generated sets.

    Returns
    -------
    Data

    Raises
    ------
    UserError
        For an unknown name, a missing file, or an array that is not n finite points of one shape.
    """
    path = Path(name)
    if path.suffix in (".npy", ".npz"):
        return _checked(_read_file(path), path, minimum)
    if str(name) in BUILT_IN:
        return BUILT_IN[str(name)](seed)
    if path.exists():
        raise UserError(f"{path}: only .npy and .npz files can be read; save the array with numpy.save")
    raise unknown("data set", str(name), [*BUILT_IN, "FILE.npy", "FILE.npz"])


def digits(seed=0):
    """The 1,797 handwritten 8×8 digits of scikit-learn (Alpaydin & Kaynak 1998), as x/8 − 1 in [−1, 1]."""
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise UserError('the digits come with scikit-learn: pip install "thermosim[experiments]"') from error
    return Data(load_digits().data / 8 - 1, (8, 8), "digits", quantum=1 / 8)


def swiss_roll(seed=0, n=6000, noise=0.05):
    """Points on a spiral: (t cos t, t sin t), t = 1.5π(1 + 2u), standardised, plus Gaussian noise.

    Each coordinate is standardised by the exact mean and variance over u ~ U(0, 1), not by those of
    the sample: the density is the same for every seed and n. With t uniform on [3π/2, 9π/2],
    ⟨t cos t⟩ = 2, ⟨t sin t⟩ = 2/(3π), ⟨t² cos² t⟩ = 39π²/8 − 1/4, ⟨t² sin² t⟩ = 39π²/8 + 1/4.
    """
    rng = np.random.Generator(np.random.PCG64(seed))
    t = 1.5 * np.pi * (1 + 2 * rng.random(n))
    mean = np.array([2, 2 / (3 * np.pi)])
    square = 39 * np.pi**2 / 8 + np.array([-0.25, 0.25])
    spiral = np.stack([t * np.cos(t), t * np.sin(t)], axis=1)
    values = (spiral - mean) / np.sqrt(square - mean**2) + noise * rng.standard_normal((n, 2))
    return Data(values, (2,), "swissroll")


BUILT_IN = {"digits": digits, "swissroll": swiss_roll}


def _read_file(path):
    """The array in a file, after its header and before its data were believed."""
    try:
        if path.suffix == ".npy":
            with open(path, "rb") as file:
                _check_header(path, file, path.stat().st_size)
                file.seek(0)
                return np.lib.format.read_array(file, allow_pickle=False)
        with zipfile.ZipFile(path) as archive:
            member = _member(path, [i for i in archive.infolist() if i.filename.endswith(".npy")])
            with archive.open(member) as file:
                _check_header(path, file, member.file_size)
            with archive.open(member) as file:
                return np.lib.format.read_array(file, allow_pickle=False)
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}; check the name") from error
    except (ValueError, EOFError, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise UserError(f"{path} is damaged or no numpy file ({str(error).splitlines()[0][:80]}): "
                        "save the array again with numpy.save") from error


def _member(path, members):
    by_name = {member.filename.removesuffix(".npy"): member for member in members}
    for name in ("x", "data"):
        if name in by_name:
            return by_name[name]
    if len(members) != 1:
        raise UserError(f"{path} holds {', '.join(by_name) or 'no array'}: call the one to learn from x")
    return members[0]


def _check_header(path, file, size):
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(file)
    if dtype.kind not in "iufb":
        raise UserError(f"{path} holds {dtype} and not numbers: convert it to float first")
    declared = dtype.itemsize
    for length in shape:  # in Python's integers: an absurd shape must not wrap around
        declared *= length
    if declared > size:
        raise UserError(f"{path} declares {declared:.3g} bytes and holds {size}: save the array again")
    if declared * 8 // dtype.itemsize > memory_bytes() // 2:
        raise UserError(f"{path} needs {declared * 8 / dtype.itemsize:.3g} bytes as float64, more than half of "
                        "this machine's memory: take a part of it")


def _checked(array, path, minimum):
    if array.ndim == 0 or array.size == 0:
        raise UserError(f"{path}: an array of shape {array.shape} holds no points; (n, ...) is needed")
    if len(array) < minimum:
        raise UserError(f"{path}: {len(array)} points are too few; at least {minimum} are needed "
                        f"(the first axis of {array.shape} counts them)")
    shape = array.shape[1:] or (1,)
    values = np.ascontiguousarray(array, dtype=np.float64).reshape(len(array), -1)
    if not np.isfinite(values).all():
        row, column = np.argwhere(~np.isfinite(values))[0]
        raise UserError(f"{path}: {values[row, column]} at row {row}, column {column}; "
                        "remove or fill such values first")
    return Data(values, shape, path.stem)
