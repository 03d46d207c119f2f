"""The variational bound as a loss: minus the evidence lower bound of a chain, with fixed or with learned variances.

−ln p_θ(x_0) ≤ ⟨W⟩ = Σ_n ⟨ln q(x_n|x_{n−1}) − ln p(x_{n−1}|x_n)⟩ − ⟨ln p(x_N)⟩
(Sohl-Dickstein et al. 2015, 1503.03585, eq. 10–14): the mean work that `runs.noising.heat`
books, in nats per component. Given x_n and x_0, x_{n−1} is Gaussian about c_x x_n + c_0 x_0
with variance β̃_n and the reverse kernel has D in the place of x_0, so that step n costs

    ½⟨ln(Σ_n/b_n) − 1 + (β̃_n + c_0² (x_0 − D)²)/Σ_n⟩        b_n the variance of q(x_n|x_{n−1})

per component. A minibatch draws a step a point and weighs it by 1/p_n, which leaves the mean as it is.
"""
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..schedules import Chain
from .levels import Among
from .losses import Loss, prediction_error, weighted_square


@dataclass(frozen=True, eq=False)
class VariationalBound(Loss):
    """⟨W⟩/d of a chain whose reverse variances are its own: β̃, β or any others, one a step.

    As a loss of D it is a denoising loss with weights c_0²/(2v_n), beside what no network changes.
    Source: Ho, Jain, Abbeel 2020 (2006.11239), eq. 5 and 8.

    Parameters
    ----------
    chain : schedules.Chain
        Of data as they are, not centred; from clean data or from noise_0 > 0.
    probabilities : (N,) array, optional
        p_n > 0 with which step n = 1 … N is drawn, equal unless given; see `even_shares`.

    Raises
    ------
    UserError
        If the probabilities are none.
    """

    chain: Chain
    probabilities: np.ndarray = None

    def __post_init__(self):
        self.law    # made now, to complain now

    @cached_property
    def steps(self):
        """Columns c_0, v, b, β̃ of the steps n = 1 … N, (N, 4)."""
        rows = []
        for n in range(1, len(self.chain) + 1):
            (_, b), (_, c_0, v) = self.chain.forward(n), self.chain.reverse(n)
            rows.append((c_0, v, b, b * (self.chain.noise[n - 1] / self.chain.noise[n]) ** 2))
        return np.array(rows)

    @cached_property
    def law(self):
        """Which steps are drawn, by their noise levels."""
        sigmas = np.array([self.chain.sigma(n) for n in range(1, len(self.chain) + 1)])
        return Among(sigmas, self.probabilities)

    @cached_property
    def odds(self):
        """1/p_n, (N,)."""
        return (np.full(len(self.chain), float(len(self.chain)))
                if self.probabilities is None else 1 / self.probabilities)

    def parts(self, model, batches, step):
        c_0, v, b, posterior = self.steps.T
        n, clean, answer, c_out = self.answer(model, batches, step)
        weight = model.device.xp.asarray(0.5 * self.odds * c_0**2 / v)[n, None] * c_out**2
        loss, d = weighted_square(model.device.xp, weight, answer)
        steady = np.sum(np.log(v / b) - 1 + posterior / v) / 2
        return loss + self.end(model, clean) + float(steady), d

    def answer(self, model, batches, step):
        """Steps n − 1 (batch,) of the minibatch, its clean points, and what `prediction_error` gives there."""
        n = self.law.places(batches, step)
        clean, sigma = batches.clean(step), model.device.xp.asarray(self.law.sigmas)[n]
        return n, clean, *prediction_error(model, clean, sigma, batches.noise(step))

    def end(self, model, clean):
        """−⟨ln p(x_N)⟩ per component over these clean points, a 0-d array."""
        chain, V = self.chain, self.chain.prior_variance
        square = model.device.xp.mean((clean + model.mean) ** 2)
        return (float(np.log(2 * np.pi * V) / 2 + chain.noise[-1] ** 2 / (2 * V))
                + square * float(chain.alpha[-1] ** 2 / (2 * V)))


@dataclass(frozen=True, eq=False)
class LearnedVariances(VariationalBound):
    """⟨W⟩/d of a chain whose reverse variances are learned and depend on x, component by component.

    ln Σ = u ln β + (1 − u) ln β̃ with u = (1 + ρ)/2 from the network's second d outputs ρ; an untrained network
    begins halfway. Where β̃ is zero the next step's stands in its place, as an end of the range of ln Σ.

    Source: Nichol and Dhariwal 2021 (2102.09672), eq. 15. Their own loss adds L_simple and lets this one move only
    the variances; here the bound moves both. What is learned is drawn with and booked through `reverse.Learned`.
    """

    def outputs(self, d):
        return 2 * d

    @cached_property
    def ends(self):
        """ln β̃ and ln β of every step, (N, 2)."""
        _, _, b, posterior = self.steps.T
        least = posterior.copy()
        if least[0] == 0:
            least[0] = least[1] if len(least) > 1 else b[0]
        return np.log(np.stack([least, b], axis=1))

    def variance(self, model, x, n):
        """Σ of p(x_{n−1}|x_n) at y = x_n/alpha_n (rows of x), (n, d), for the step n = 1 … N."""
        low, high = self.ends[n - 1]
        return model.device.xp.exp(low + (high - low) * model.shares(x, self.chain.sigma(n)))

    def parts(self, model, batches, step):
        xp, d = model.device.xp, model.dimension
        n, clean, answer, c_out = self.answer(model, batches, step)
        c_0, _, b, posterior = self.steps.T
        low, high = self.ends.T

        def rows(table):
            return xp.asarray(table, answer.dtype)[n, None]

        odds, spread, width = rows(self.odds), rows(c_0) * c_out, rows(high - low)
        r, rho = answer[:, :d], answer[:, d:]
        log_variance = rows(low) + (0.5 + 0.5 * rho) * width
        precision = xp.exp(-log_variance)
        square = (rows(posterior) + (spread * r) ** 2) * precision
        loss = xp.mean(0.5 * odds * (log_variance - rows(np.log(b)) - 1 + square))
        scale = odds * answer.dtype.type(1 / r.size)
        r *= scale * spread**2 * precision
        rho[:] = scale * 0.25 * width * (1 - square)
        return loss + self.end(model, clean), answer


def even_shares(chain, sigma_data):
    """p_n in proportion to what step n costs Gaussian data of root mean square σ_d, (N,).

    With them the terms of a minibatch are alike in size and their mean scatters least; a hundredth of the draws is
    shared out equally, so that no step is forgotten.
    """
    p = np.empty(len(chain))
    for n in range(1, len(chain) + 1):
        (_, c_0, v), s2 = chain.reverse(n), chain.sigma(n) ** 2
        p[n - 1] = c_0**2 / v * s2 * sigma_data**2 / (s2 + sigma_data**2)
    return 0.99 * p / p.sum() + 0.01 / len(chain)
