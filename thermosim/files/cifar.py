"""CIFAR-10's binary version: records of one label byte and 3 × 32 × 32 bytes, red plane first, nothing before them.

Source: Krizhevsky, "Learning multiple layers of features from tiny images" (2009), and the page of the data set.
"""

import numpy as np

from ..errors import UserError
from .guard import refuse_huge

LABELS, SIDE, PLANES = 10, 32, 3
RECORD = 1 + PLANES * SIDE * SIDE


def read_cifar(path):
    """The images of a .bin file, or of all data_batch_*.bin in a folder: (n, 32, 32, 3) uint8.

    Parameters
    ----------
    path : Path

    Raises
    ------
    UserError
        Missing files, a size that is no whole number of records, labels beyond 9, too much for this machine.
    """
    files = sorted(path.glob("data_batch_*.bin")) if path.is_dir() else [path]
    if not files:
        raise UserError(f"{path} holds no data_batch_*.bin: give the folder of CIFAR-10's binary version, or one .bin "
                        "file")
    try:
        sizes = [file.stat().st_size for file in files]
        for file, size in zip(files, sizes):
            if size == 0 or size % RECORD:
                raise UserError(f"{file} holds {size} bytes, no whole number of records of {RECORD}: "
                                "it is torn or not CIFAR-10's binary version")
        refuse_huge(path, 8 * sum(sizes))
        records = np.concatenate([np.fromfile(file, np.uint8).reshape(-1, RECORD) for file in files])
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}; check the name") from error
    if records[:, 0].max() >= LABELS:
        raise UserError(f"{path}: a label of {records[:, 0].max()}, but CIFAR-10 has 0 to {LABELS - 1}: it is another "
                        "format")
    return records[:, 1:].reshape(-1, PLANES, SIDE, SIDE).transpose(0, 2, 3, 1)
