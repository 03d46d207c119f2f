"""Reverse variances: how far x' scatters about the ancestral mean x + c(D − x), c = 1 − σ'²/σ², on a step from σ to σ'.

Each is an object whose `variance(x, sigma, sigma_next)` gives that of every component, in units of the data squared,
(n, d) or what broadcasts to it. `samplers.DDPM` draws with it, and `runs.noising.heat` books with it.
"""

from dataclasses import dataclass
from typing import Callable

import numpy as np

from ..errors import UserError
from .bound import LearnedVariances
from .remembered import Remembered


@dataclass(frozen=True)
class Least:
    """The variance of least dissipation: σ'²c + c²·u, the posterior's own spread and what D does not know of x_0.

    With u = E‖x_0 − D‖²/d over the data, one number a level, it is the least of those that are the same everywhere,
    and a step from the exact law of σ has the right second moment at σ' whatever the data (Bao et al. 2022, 2201.06503,
    Theorem 1, of an exact score; `thermo.work.least_variances` of a chain). With u = tr Cov[x_0|x]/d it is the least of
    those that are the same for every component (Bao et al. 2022, 2206.07309).

    Parameters
    ----------
    unknown : callable (x, sigma) → (n, d), (n, 1) or a number
        u, per component.
    """

    unknown: Callable

    def variance(self, x, sigma, sigma_next):
        """Of x' per component, given x (n, d)."""
        c = 1 - (sigma_next / sigma) ** 2
        return sigma_next**2 * c + c**2 * self.unknown(x, sigma)


class Learned:
    """What a network trained by `LearnedVariances` says of the
    reverse chain: the denoiser, and the variances beside it.

    Both come from one pass through the network: the last answers are kept.

    Parameters
    ----------
    model : Denoiser
        With 2d outputs.
    chain : schedules.Chain
        Whose steps are gone back. It may be coarser than the one the network was trained on, or another altogether:
        β̃ and β between which the network points are this one's (Nichol, Dhariwal 2021, 2102.09672, §4).
    """

    def __init__(self, model, chain):
        self.device, self.chain, self.learned = model.device, chain, LearnedVariances(chain)
        self.look = Remembered(model.both)

    def __call__(self, x, sigma):
        """E[x_0|x], (n, d)."""
        return self.look(x, sigma)[0]

    def shares(self, x, sigma):
        """Where between β̃ (0) and β (1) ln variance lies, (n, d)."""
        return self.look(x, sigma)[1]

    def variance(self, x, sigma, sigma_next):
        """Of x' per component, given x, (n, d).

        Raises
        ------
        UserError
            If no step of the chain leads from `sigma` to `sigma_next`: sample over the chain's own `sigmas`.
        """
        levels = self.chain.sigmas[::-1]
        n = int(np.abs(levels - sigma).argmin())
        if n == 0 or not np.allclose(levels[[n - 1, n]], [sigma_next, sigma], rtol=1e-9, atol=0):
            raise UserError(f"no step of the chain leads from σ = {sigma:g} to {sigma_next:g}: sample over its sigmas, "
                            "or make the chain of the levels you sample over")
        return self.learned.variance(self, x, n) / self.chain.alpha[n - 1] ** 2
