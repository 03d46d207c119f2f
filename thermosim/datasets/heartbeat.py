"""A binary sequence with a pulse every few sites, of unknown phase (Sohl-Dickstein et al. 2015, 1503.03585, §3.1.2)."""

from dataclasses import dataclass

import numpy as np

from ..errors import UserError


@dataclass(frozen=True)
class Heartbeat:
    """Sequences of zeros with a one at every `period`-th site; the phase is uniform: entropy ln(period).

    Parameters
    ----------
    length, period : int
        Whole periods only, so that all phases have as many pulses.
    """

    length: int = 20
    period: int = 5

    def __post_init__(self):
        if self.period < 1 or self.length < 1 or self.length % self.period:
            raise UserError(f"a heartbeat has whole periods: a length of {self.length} is no multiple of {self.period}")

    @property
    def states(self):
        """The sequences that occur, equally likely, (period, length) uint8."""
        return (np.arange(self.length) % self.period == np.arange(self.period)[:, None]).astype(np.uint8)

    def sample(self, n, seed=0):
        """n sequences, (n, length) uint8."""
        rng = np.random.Generator(np.random.PCG64(seed))
        return self.states[rng.integers(self.period, size=n)]

    def entropy(self):
        """ln(period), nats a sequence."""
        return float(np.log(self.period))
