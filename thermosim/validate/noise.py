"""Random streams: Philox4x32-10 by its published answers, the normals by their moments."""

import numpy as np

from ..backend.cpu import normals, philox4x32
from .row import Row, row

KNOWN = {  # counter and key → words, the reference vectors of the Random123 distribution
    "zero": ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    "ones": ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    "pi": ((0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344), (0xA4093822, 0x299F31D0),
           (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1)),
}


def wrong_bits(counter, key, words):
    """Bits of the block that differ from the published words."""
    return float(sum(bin(int(a) ^ b).count("1") for a, b in zip(philox4x32(counter, key), words)))


philox = [
    Row(f"philox.{name}", "Salmon, Moraes, Dror, Shaw 2011, known answers: no bit differs", 0.0, "CPU kernel",
        lambda case=case: wrong_bits(*case), digits=16)
    for name, case in KNOWN.items()
]


def moment(power, dtype):
    """Mean of z^power over 2,000,000 normals, with its standard error."""
    z = normals(11, 0, 0, 1_000_000, 2, dtype=dtype).astype(float) ** power
    return z.mean(), z.std() / np.sqrt(z.size)


moments = [
    Row(f"normal.{np.dtype(dtype).name}.moment{power}", "N(0, 1)", value, "2,000,000 draws",
        lambda power=power, dtype=dtype: moment(power, dtype), sigmas=5)
    for dtype in (np.float64, np.float32) for power, value in ((1, 0.0), (2, 1.0), (3, 0.0), (4, 3.0))
]


@row("normal.neighbours", "independent: zero correlation", 0.0, "1,000,000 pairs of neighbouring particles", sigmas=5)
def neighbours():
    """Mean product of the normals of neighbouring particles, with its standard error."""
    z = normals(12, 0, 0, 1_000_001, 1)[:, 0]
    product = z[1:] * z[:-1]
    return product.mean(), product.std() / np.sqrt(product.size)
