"""The ledger: what every engine books, under one set of names, units and signs.

Particles, samplers and densities fill the same columns. Conventions (k_B = 1): work W > 0 is done
*on* the system, heat Q > 0 is absorbed *by* the system, entropy_env > 0 is given *to* the bath, so
that every row obeys ΔE = work + shadow_work + heat and heat = −T·entropy_env.

Sources: Sekimoto, Prog. Theor. Phys. Suppl. 130, 17 (1998); Seifert, cond-mat/0503686;
Sivak, Chodera, Crooks, 1107.2967 (shadow work).
"""

from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Column:
    """One quantity of the ledger: its unit, its sign convention and its definition, in words."""

    name: str
    unit: str
    sign: str
    definition: str


ENERGY, NATS, ONE = "k_B T units of energy", "nat", "1"

COLUMNS = {
    c.name: c
    for c in (
        # where a row stands
        Column("time", "time", "increases from row to row", "time at the end of the row"),
        Column("sigma", "data units", "falls while cooling", "noise level at the start of the row"),
        Column("sigma_next", "data units", "falls while cooling", "noise level at the end of the row"),
        Column("sampler_step", ONE, "counts up", "the sampler step that this row is a leg of"),
        Column("stroke", ONE, "-", "the thermal process this row is"),
        Column("nfe", ONE, "counts up", "network evaluations of the sampler so far, the books' own left out"),
        Column("log_volume", NATS, "> 0 expands",
               "entropy of the law that an adiabat changes by stretching its coordinate, without heat"),
        # energy
        Column("work", ENERGY, "> 0 done on the system",
               "energy change by moving the control parameter at frozen x, plus f∘dx of forces f without an energy"),
        Column("shadow_work", ENERGY, "> 0 done on the system",
               "work done by the discretisation: ΔE + T·entropy_env over the relaxation"),
        Column("heat", ENERGY, "> 0 absorbed by the system", "−T·entropy_env"),
        Column("heat_line", ENERGY, "> 0 absorbed by the system",
               "midpoint line integral −½(F + F')·Δx of the step's force over both ends"),
        Column("energy", ENERGY, "-", "energy at the end of the row, recomputed from scratch"),
        Column("free_energy", ENERGY, "-", "⟨U⟩ − T·S of the density at the end of the row"),
        Column("kinetic_temperature", "k_B T", ">= 0", "m⟨v²⟩/d at mid-step"),
        Column("temperature", ENERGY, ">= 0", "bath temperature of the row's last step"),
        Column("step", ONE, "counts up", "steps done at the end of the row"),
        Column("closure", ONE, ">= 0", "largest relative |ΔE − (work + shadow_work + heat)| of a particle in the row"),
        Column("acceptance", ONE, "0 … 1", "share of Metropolis proposals that were taken"),
        # entropy
        Column("entropy_env", NATS, "> 0 given to the bath",
               "ln k(x'|x) − ln k(x|x'), the same step kernel with its ends exchanged"),
        Column("entropy_sys", NATS, "> 0 when the system's entropy grows",
               "change of the marginal entropy over the row"),
        Column("transport_action", NATS, ">= 0",
               "⟨|δ|²⟩/∫D dt of the row, δ the displacement by the mean local velocity ν and D = ½dσ²/dt"),
        # likelihood as work
        Column("noising_work", NATS, "> 0 done on the system",
               "W_n = ln q(x_n|x_{n−1}) − ln p(x_{n−1}|x_n), forward kernel over reverse kernel"),
        Column("ancestral_work", NATS, ">= 0 on average",
               "ln q(x_{k+1}|x_k, x_0) − ln p(x_{k+1}|x_k); mean ½(λ_{k+1} − λ_k)·mse(λ_k)"),
        Column("squared_error", "data units²", ">= 0", "|x_0 − D(x; σ)|², summed over dimensions"),
    )
}


@dataclass
class Ledger:
    """Rows of ensemble statistics.

    Parameters
    ----------
    scale : str
        Name of the row dimension ("sampler_step", "step").
    coordinates : dict of (rows,) arrays
        What each row is: time, sigma, stroke ...
    mean, variance : dict of (rows,) arrays
        Ensemble mean and (population) variance of each channel; NaN where it does not exist.
    count : int
        Particles in the ensemble.
    reasons : dict of str
        Why a channel is NaN, wherever it is.
    """

    scale: str
    coordinates: dict
    mean: dict
    variance: dict
    count: int
    reasons: dict = field(default_factory=dict)

    def __len__(self):
        return len(next(iter(self.mean.values())))

    def __getitem__(self, name):
        """Ensemble mean of a channel, or a coordinate: (rows,)."""
        return self.mean[name] if name in self.mean else self.coordinates[name]

    def standard_error(self, name):
        """Standard error of the ensemble mean, (rows,)."""
        return np.sqrt(self.variance[name] / max(self.count - 1, 1))


class RunningMoments:
    """Mean and variance of particles that arrive in batches, in order; the same bits for any batching.

    Sums run strictly one particle after another about a fixed pivot (the first value seen), so where
    one batch ends and the next begins leaves no trace.
    """

    def __init__(self):
        self.count, self.pivot, self.sum, self.squares = 0, 0.0, 0.0, 0.0

    def add(self, values):
        """Take in the next particles' values, shape (m,)."""
        values = np.asarray(values, dtype=np.float64)
        if values.size == 0:
            return
        if self.count == 0:
            self.pivot = values[0]
        y = values - self.pivot
        self.sum = np.add.accumulate(np.concatenate(([self.sum], y)))[-1]
        self.squares = np.add.accumulate(np.concatenate(([self.squares], y * y)))[-1]
        self.count += values.size

    @property
    def mean(self):
        """Mean of all values so far; NaN of none."""
        return self.pivot + self.sum / self.count if self.count else np.nan

    @property
    def variance(self):
        """Their population variance; NaN of none."""
        if not self.count:
            return np.nan
        shift = self.sum / self.count
        return max(self.squares / self.count - shift * shift, 0.0)
