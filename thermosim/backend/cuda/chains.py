"""Tridiagonal chains on a GPU: `backend.cpu.chains.Chains` with a thread a line, bit for bit on lines.

Rings are closed by array operations whose sums the GPU takes in an order of its own: equal to roundings.
"""
import numpy as np

from ..cpu.chains import Chains
from . import source

REAL = np.float64


class CudaChains(Chains):
    """Arguments and methods of `Chains`; fields are arrays of the device, rates come from the host.

    Parameters
    ----------
    up, down, h, ring
        As there.
    device : Gpu
    """

    def __init__(self, up, down, h, ring, device):
        self.device, self.xp = device, device.xp
        # lines along the last axis are turned, so that threads side by side read side by side
        self._turned = up.shape[2] == 1 < up.shape[0]
        super().__init__(*((a.transpose(2, 1, 0) for a in (up, down)) if self._turned else (up, down)), h, ring)

    def apply(self, u, c1, c2, repeat=1):
        """u ← (c₁·S + c₂·S²)^repeat u in place, on an array of the device."""
        if not self._turned:
            super().apply(u, c1, c2, repeat)
            return
        _, n, lines = self.shape
        field = u.reshape(lines, n)
        turned = self.xp.ascontiguousarray(field.T)
        super().apply(turned, c1, c2, repeat)
        field[...] = turned.T

    def series(self, u, coefficients):
        """u ← Σ_k a_k T_k(2S − 1) u in place, on an array of the device."""
        if self._turned:
            raise ValueError("a series is for one line, or for lines with inner > 1")
        super().series(u, coefficients)

    def _here(self, a):
        return self.device.asarray(a, REAL)

    def _factor(self, up, down, h):
        outer, _, inner = self.shape
        self._factors = tuple(self.xp.empty(self.shape, REAL) for _ in range(3))
        self._meet, self._work = self.xp.empty((outer, inner), REAL), self.xp.empty(self.shape, REAL)
        self._launch("factor", self._here(up), self._here(down), *self._factors, self._meet, REAL(h))

    def _solve(self, u, c1, c2, repeat):
        self._launch("solve_lines", u, self._work, *self._factors, self._meet, REAL(c1), REAL(c2), np.int64(repeat),
                     np.int32(self._keeps))

    def _sum_up(self, u, coefficients):
        rooms = [self.xp.empty(self.shape, REAL) for _ in range(4)]
        self._launch("series_lines", u, self._work, *rooms, *self._factors, self._meet, self._here(coefficients),
                     np.int64(len(coefficients)), np.int32(self._keeps))

    def _launch(self, kernel, *arguments):
        outer, _, inner = self.shape
        self.device.launch(source("chains"), kernel, REAL, (outer, inner), *arguments,
                           *(np.int64(s) for s in self.shape))
