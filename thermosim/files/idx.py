"""IDX, the format of MNIST: a magic number that names type and rank, big-endian lengths, then the numbers.

Source: LeCun, Cortes, Burges, "The MNIST database", section on file formats.
"""

import gzip
import math
import zlib

import numpy as np

from ..errors import UserError
from .guard import DEFLATE_RATIO, refuse_huge

TYPES = {8: "u1", 9: "i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}
MAX_RANK = 8


def read_idx(path):
    """The array in an IDX file, gzipped where the name ends in .gz.

    Parameters
    ----------
    path : Path

    Returns
    -------
    array of the file's own type and shape

    Raises
    ------
    UserError
        A file that is missing, no IDX, torn, longer than it declares, or too large for this machine; the
        lengths are checked before anything is read.
    """
    zipped = path.suffix == ".gz"
    try:
        stored = path.stat().st_size * (DEFLATE_RATIO if zipped else 1)
        with gzip.open(path) if zipped else open(path, "rb") as file:
            dtype, shape = _header(path, file)
            declared = dtype.itemsize * math.prod(shape)
            refuse_huge(path, math.prod(shape) * 8)
            # one byte more than declared shows that there is more
            body = file.read(declared + 1) if declared <= stored else b""
    except EOFError as error:
        raise UserError(f"{path} is torn: download it again") from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise UserError(f"{path} is damaged or not gzipped: download it again") from error
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}; check the name") from error
    if len(body) != declared:
        raise UserError(f"{path} declares {declared:.10g} bytes of numbers and holds "
                        f"{'more' if len(body) > declared else 'fewer'}: download it again")
    return np.frombuffer(body, dtype).reshape(shape)


def _header(path, file):
    """Type and shape that the head of the file declares."""
    head = file.read(4)
    if len(head) < 4 or head[:2] != b"\0\0" or head[2] not in TYPES or not 1 <= head[3] <= MAX_RANK:
        raise UserError(f"{path} is no IDX file: give one such as train-images-idx3-ubyte.gz")
    lengths = file.read(4 * head[3])
    if len(lengths) < 4 * head[3]:
        raise UserError(f"{path} is torn: download it again")
    return np.dtype(TYPES[head[2]]), [int(k) for k in np.frombuffer(lengths, ">u4")]
