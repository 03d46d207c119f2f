"""Learning rates: each schedule gives the rate of step 0, 1, … steps − 1 from the largest rate, `peak`.

Settings that are no numbers of steps raise a UserError.
"""
import math
from dataclasses import dataclass

from ..errors import UserError


def _require(sound, what):
    if not sound:
        raise UserError(f"learning rate: {what}")


@dataclass(frozen=True)
class Constant:
    """peak throughout."""

    def __call__(self, peak, step, steps):
        return peak


@dataclass(frozen=True)
class WarmupCosine:
    """Up linearly over `warmup` steps, and down to 0 along a half cosine (Loshchilov and Hutter 2017, 1608.03983).

    Parameters
    ----------
    warmup : float, optional
        By default a tenth of the steps.
    """

    warmup: float | None = None

    def __post_init__(self):
        _require(self.warmup is None or self.warmup > 0, f"warmup = {self.warmup} must be more than 0 steps")

    def __call__(self, peak, step, steps):
        warmup = steps / 10 if self.warmup is None else self.warmup
        return peak * min(1.0, (step + 1) / warmup) * 0.5 * (1 + math.cos(math.pi * step / steps))


@dataclass(frozen=True)
class LinearDecay:
    """Up linearly over `warmup` steps, then down in a straight line that would reach `last`·peak at step `steps`."""

    warmup: float = 1.0
    last: float = 0.0

    def __post_init__(self):
        _require(self.warmup > 0, f"warmup = {self.warmup} must be more than 0 steps")
        _require(0 <= self.last <= 1, f"last = {self.last} must lie between 0 and 1, in units of the peak")

    def __call__(self, peak, step, steps):
        if step + 1 < self.warmup:
            return peak * (step + 1) / self.warmup
        fallen = (step + 1 - self.warmup) / (steps + 1 - self.warmup)
        return peak * (1 - (1 - self.last) * fallen)


@dataclass(frozen=True)
class Stairs:
    """peak, multiplied by `factor` after every `every` steps."""

    every: int
    factor: float = 0.5

    def __post_init__(self):
        _require(self.every >= 1, f"every = {self.every} must be at least 1 step")
        _require(0 < self.factor <= 1, f"factor = {self.factor} must be above 0 and at most 1")

    def __call__(self, peak, step, steps):
        return peak * self.factor ** (step // self.every)


@dataclass(frozen=True)
class InverseRoot:
    """Up linearly over `warmup` steps, then peak·√(warmup/step) (Vaswani et al. 2017, 1706.03762, eq. 3)."""

    warmup: float = 100.0

    def __post_init__(self):
        _require(self.warmup > 0, f"warmup = {self.warmup} must be more than 0 steps")

    def __call__(self, peak, step, steps):
        return peak * min((step + 1) / self.warmup, math.sqrt(self.warmup / (step + 1)))
