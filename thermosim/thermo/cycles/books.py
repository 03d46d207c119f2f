"""What one turn of a cycle costs and gives: the same table for every road."""

from dataclasses import dataclass
from math import nan


@dataclass(frozen=True)
class Books:
    """One closed turn between two baths.

    Attributes
    ----------
    work : float
        W > 0 done on the system.
    heat_hot, heat_cold : float
        Q > 0 absorbed by the system.
    hot, cold : float
        Temperatures of the baths, k_B = 1.
    duration : float
        Of one turn; infinite for a quasi-static cycle.
    """

    work: float
    heat_hot: float
    heat_cold: float
    hot: float
    cold: float
    duration: float = float("inf")

    @property
    def entropy_production(self):
        """Σ = −Q_h/T_h − Q_c/T_c."""
        return -self.heat_hot/self.hot - self.heat_cold/self.cold

    @property
    def power(self):
        """Work delivered per unit of time."""
        return -self.work/self.duration

    @property
    def efficiency(self):
        """η = −W/Q_h of an engine; NaN where the cycle delivers no work."""
        return -self.work/self.heat_hot if self.work < 0 < self.heat_hot else nan

    @property
    def cop(self):
        """Q_c/W of a refrigerator; NaN where it does not cool."""
        return self.heat_cold/self.work if self.work > 0 < self.heat_cold else nan

    @property
    def cop_heating(self):
        """−Q_h/W of a heat pump; NaN where it heats nothing."""
        return -self.heat_hot/self.work if self.work > 0 > self.heat_hot else nan
