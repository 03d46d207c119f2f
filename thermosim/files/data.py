"""Data to learn from: the built-in sets, and a user's own arrays."""

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..datasets.swiss_roll import SwissRoll
from ..errors import UserError
from ..names import unknown
from .cifar import read_cifar
from .guard import refuse_huge
from .idx import read_idx
from .images import read_images

FORMATS = ("FILE.npy", "FILE.npz", "an IDX file (idx in its name)", "FILE.bin of CIFAR-10", "a folder of pictures")


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


def load_data(name, minimum=16, seed=0, patch=None):
    """The built-in set of that name, or the array in a file or folder.

    Parameters
    ----------
    name : str or Path
        "digits", "swissroll", or a path: ``.npy`` or ``.npz`` with numbers of shape (n, ...), in an archive the
        array called x or data, or the only one; an IDX file as of MNIST (a name with idx in it, ``.gz`` or not);
        CIFAR-10's binary version (``.bin``, or the folder of its batches); a folder of pictures. Bytes of
        pictures become x/127.5 − 1 in [−1, 1].
    minimum : int
        Fewest points to accept.
    seed : int
        Of generated sets.
    patch : int, optional
        Cut the pictures of a folder into squares of that many pixels.

    Returns
    -------
    Data

    Raises
    ------
    UserError
        For an unknown name, a missing or damaged file, or an array that is not n finite points of one shape.
    """
    if str(name) in BUILT_IN:
        return BUILT_IN[str(name)](seed)
    path = Path(name)
    if path.suffix in (".npy", ".npz", ".bin") or "idx" in path.name or path.is_dir():
        return _checked(_read(path, patch), path, minimum)
    if path.exists():
        raise UserError(f"{path}: not one of {', '.join(FORMATS)}; save the array with numpy.save")
    raise unknown("data set", str(name), [*BUILT_IN, *FORMATS])


def digits(seed=0):
    """The 1,797 handwritten 8×8 digits of scikit-learn (Alpaydin & Kaynak 1998), as x/8 − 1 in [−1, 1]."""
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise UserError('the digits come with scikit-learn: pip install "thermosim[experiments]"') from error
    return Data(load_digits().data / 8 - 1, (8, 8), "digits", quantum=1 / 8)


def swiss_roll(seed=0, n=6000, noise=0.05):
    """n points of `datasets.swiss_roll.SwissRoll`."""
    return Data(SwissRoll(noise).sample(n, seed), (2,), "swissroll")


BUILT_IN = {"digits": digits, "swissroll": swiss_roll}


def _read(path, patch):
    """The array of a user's file or folder."""
    if path.suffix in (".npy", ".npz"):
        return _read_file(path)
    if path.is_dir():
        return read_cifar(path) if any(path.glob("data_batch_*.bin")) else read_images(path, patch)
    if path.suffix == ".bin":
        return read_cifar(path)
    array = read_idx(path)
    if array.ndim < 2:
        raise UserError(f"{path} holds one number a point, labels perhaps: give the file of the images")
    return array


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
    refuse_huge(path, declared * 8 // dtype.itemsize)


def _checked(array, path, minimum):
    if array.ndim == 0 or array.size == 0:
        raise UserError(f"{path}: an array of shape {array.shape} holds no points; (n, ...) is needed")
    if len(array) < minimum:
        raise UserError(f"{path}: {len(array)} points are too few; at least {minimum} are needed "
                        f"(the first axis of {array.shape} counts them)")
    shape = array.shape[1:] or (1,)
    values = np.ascontiguousarray(array, dtype=np.float64).reshape(len(array), -1)
    if path.suffix not in (".npy", ".npz") and array.dtype == np.uint8:
        return Data(values / 127.5 - 1, shape, path.stem, quantum=1 / 127.5)
    if not np.isfinite(values).all():
        row, column = np.argwhere(~np.isfinite(values))[0]
        raise UserError(f"{path}: {values[row, column]} at row {row}, column {column}; "
                        "remove or fill such values first")
    return Data(values, shape, path.stem)
