"""Binomial diffusion: noise for binary data, q(x_t|x_{t−1}) = Bernoulli(x_{t−1}(1 − β_t) + ½β_t) at each site.

With β_t = 1/(T − t + 1) a site still remembers x_0 with probability (T − t)/T after t steps: linear in time, and at
t = T nothing is left (Sohl-Dickstein et al. 2015, 1503.03585, §2.4.1 and appendix B.1.2). The kernel is symmetric,
so noising gives no entropy to any bath.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import entr

from .errors import UserError


@dataclass(frozen=True)
class BinomialChain:
    """The chain x_0 … x_T of independent sites, and what each step says about the one before.

    Parameters
    ----------
    steps : int
        T.
    """

    steps: int

    def __post_init__(self):
        if int(self.steps) != self.steps or self.steps < 1:
            raise UserError(f"a chain needs a whole number of steps, at least 1, not {self.steps}")

    def __len__(self):
        return self.steps

    def beta(self, t):
        """β_t of step t = 1 … T."""
        return 1.0 / (self.steps - t + 1)

    def memory(self, t):
        """Probability that a site of x_t was never drawn anew, (T − t)/T; x_t = x_0 with (1 + memory)/2."""
        return (self.steps - t) / self.steps

    def evidence(self, t):
        """ln of the odds that a site of x_t tells for x_0 being like it; t >= 1."""
        return np.log1p(self.memory(t)) - np.log1p(-self.memory(t))

    def noised(self, x0, t, uniform):
        """x_t given x_0, one uniform number a site: (n, L) uint8."""
        return _flip(x0, uniform < 0.5 * (1 - self.memory(t)))

    def step(self, x, t, uniform):
        """x_t given x_{t−1}."""
        return _flip(x, uniform < 0.5 * self.beta(t))

    def reverse(self, x, t, p0):
        """P(x_{t−1,i} = 1 | x_t), sites apart, when x_{0,i} = 1 has probability p0: (n, L).

        The posterior q(x_{t−1}|x_t, x_0) averaged over x_0; with p0 in {0, 1} that posterior itself, with p0 the
        exact P(x_{0,i} = 1|x_t) the exact marginals, the best that a product of sites can do.
        """
        zero, one = self.posteriors(x, t)
        return zero + (one - zero) * p0

    def posteriors(self, x, t):
        """q(x_{t−1,i} = 1 | x_{t,i}, x_{0,i}) for x_{0,i} = 0 and for 1: two arrays (n, L)."""
        # only x_{t,i} counts: four numbers, looked up
        stay, before = 1 - 0.5 * self.beta(t), 0.5 * (1 + self.memory(t - 1))
        table = np.empty((2, 2))
        for x0, up in ((0, 1 - before), (1, before)):
            for xt, kernel in ((0, 1 - stay), (1, stay)):
                a, b = kernel * up, (1 - kernel) * (1 - up)
                table[x0, xt] = a / (a + b)
        return table[0][x], table[1][x]

    def log_forward(self, x, x_new, t):
        """ln q(x_t|x_{t−1}) of sequences (n, L), summed over sites, (n,)."""
        flipped = (x != x_new).sum(axis=1)
        half = 0.5 * self.beta(t)
        return flipped * np.log(half) + (x.shape[1] - flipped) * np.log1p(-half)

    def step_entropy(self, t):
        """H(X_t|X_{t−1}) of one site, nats."""
        return float(binary_entropy(0.5 * self.beta(t)))

    def noise_entropy(self, t):
        """H(X_t|X_0) of one site, nats."""
        return float(binary_entropy(0.5 * (1 - self.memory(t))))


def binary_entropy(p):
    """−p ln p − (1 − p) ln(1 − p), nats."""
    p = np.asarray(p, float)
    return entr(p) + entr(1 - p)


def log_bernoulli(x, p):
    """Σ_i ln P(x_i) of sites that are one with probability p, (n, L) → (n,)."""
    return np.log(np.where(x == 1, p, 1 - p)).sum(axis=1)


def _flip(x, where):
    return np.asarray(x, np.uint8) ^ where
