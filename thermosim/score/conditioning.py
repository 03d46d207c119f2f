"""How a network is told the noise level: features beside its input, or a readout that depends on the level.

`level` is whatever coordinate counts the noise: ln σ in a `Denoiser`, t in a chain of steps. Features fill columns
of the input; what can choose or mix readouts has `readout(fan_in, fan_out)`.
"""
from dataclasses import dataclass

import numpy as np

from ..errors import UserError
from .readouts import MixedReadout, SharedReadout, StepReadout


@dataclass(frozen=True)
class Nothing:
    """No features of the level, and one readout for all."""

    width = 0

    def fill(self, out, level, xp):
        """Nothing to fill."""

    def readout(self, fan_in, fan_out):
        """The layer that answers, fan_in → fan_out."""
        return SharedReadout(fan_in, fan_out)


@dataclass(frozen=True)
class FourierFeatures:
    """cos and sin of 2πk·level/period, k = 1 … count (after Tancik et al. 2020, 2006.10739, at fixed frequencies).

    The period of 16 in ln σ is a factor e¹⁶ in σ: more than any schedule spans.
    """

    count: int = 8
    period: float = 16.0

    def __post_init__(self):
        if not (self.count >= 0 and self.period > 0):
            raise UserError(f"Fourier features need a count >= 0 and a period > 0, not {self.count} and {self.period}")

    @property
    def width(self):
        """Number of columns."""
        return 2 * self.count

    def fill(self, out, level, xp):
        """Columns (n, 2·count) of levels (n,): all cosines, then all sines."""
        waves = xp.arange(1, self.count + 1) * (2 * np.pi / self.period)
        phase = level[:, None] * waves
        out[:, :self.count] = xp.cos(phase)
        out[:, self.count:] = xp.sin(phase)


@dataclass(frozen=True)
class Bumps:
    """g_j ∝ exp(−(level − τ_j)²/2w²), Σ_j g_j = 1: soft steps (Sohl-Dickstein et al. 2015, 1503.03585, appendix D).

    The centres τ_j divide [low, high] evenly, its ends among them.

    Parameters
    ----------
    low, high : float
    count : int
        At least 2.
    spread : float
        w in units of the distance of the centres; ½ as in the code that was released with the paper.
    """

    low: float
    high: float
    count: int = 10
    spread: float = 0.5

    def __post_init__(self):
        if not (self.low < self.high and self.count >= 2 and self.spread > 0):
            raise UserError(f"bumps need low < high, a count >= 2 and a spread > 0, not {self}")

    @property
    def width(self):
        """Number of columns."""
        return self.count

    def fill(self, out, level, xp):
        """Columns (n, count) of levels (n,)."""
        between = (self.high - self.low) / (self.count - 1)
        away = (level[:, None] - self.low) / between - xp.arange(self.count)
        logs = -(away**2) / (2 * self.spread**2)
        bumps = xp.exp(logs - logs.max(axis=1, keepdims=True))    # far outside the nearest one remains
        out[:] = bumps / bumps.sum(axis=1, keepdims=True)

    def readout(self, fan_in, fan_out):
        """The layer Σ_j g_j (x W_j + b_j), fan_in → fan_out."""
        return MixedReadout(fan_in, fan_out, self)


@dataclass(frozen=True)
class Steps:
    """Separate readouts for a list of levels; a level in between goes to the nearest.

    Parameters
    ----------
    levels : sequence of float
        In rising order.
    """

    levels: tuple

    def __post_init__(self):
        object.__setattr__(self, "levels", tuple(map(float, self.levels)))
        if not self.levels or not np.all(np.diff(self.levels) > 0):
            raise UserError("steps need at least one level, in rising order")

    @property
    def width(self):
        """Number of steps."""
        return len(self.levels)

    def which(self, level, device):
        """The step nearest to each level, (n,) int64."""
        levels = np.asarray(self.levels)
        borders = device.asarray((levels[1:] + levels[:-1]) / 2, np.float64)
        return device.xp.searchsorted(borders, level).astype(np.int64)

    def readout(self, fan_in, fan_out):
        """The layer x W_j + b_j of the nearest step j, fan_in → fan_out."""
        return StepReadout(fan_in, fan_out, self)
