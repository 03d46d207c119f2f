"""Adaptive probability flow: Dormand–Prince 5(4), each particle with as many substeps as its own error asks for."""

import numpy as np

from ..errors import UserError
from .base import Sampler, flow, squared

# Dormand, Prince 1980: nodes, stages, and the fifth-order weights minus the fourth-order ones
C = (0.0, 1 / 5, 3 / 10, 4 / 5, 8 / 9, 1.0)
A = ((), (1 / 5,), (3 / 40, 9 / 40), (44 / 45, -56 / 15, 32 / 9),
     (19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729),
     (9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656))
B = (35 / 384, 0.0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84)
E = (71 / 57600, 0.0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40)


def slope(x, sigma, denoise):
    """dx/dσ of the flow."""
    return (x - denoise(x, sigma)) / sigma


def dormand_prince(x, sigma, sigma_next, denoise, first):
    """(x', error, slope at x') of one step σ → σ', (m, d) each; `first` is the slope at x."""
    h, k = sigma_next - sigma, [first]
    for c, row in zip(C[1:], A[1:]):
        k.append(slope(x + h * sum(a * ki for a, ki in zip(row, k)), sigma + c * h, denoise))
    x_new = x + h * sum(b * ki for b, ki in zip(B, k) if b)
    k.append(slope(x_new, sigma_next, denoise))
    return x_new, h * sum(e * ki for e, ki in zip(E, k) if e), k[-1]


def rms(a):
    """√(|a|²/d) of each particle, (m,)."""
    return (squared(a) / a.shape[1]) ** 0.5


def march(x, levels, denoise, first):
    """(x', summed error) over all `levels`; `first` is the slope at x."""
    total = 0.0
    for sigma, sigma_next in zip(levels[:-1], levels[1:]):
        x, error, first = dormand_prince(x, sigma, sigma_next, denoise, first)
        total = total + rms(error)
    return x, total


class RK45(Sampler):
    """Between two levels of the grid a particle takes 1, 2, 4, … equal substeps, until its summed error is small.

    Halving by particle, instead of one step size for a batch, leaves each particle's path independent of
    its neighbours. A step to σ = 0 is Euler's.

    Source: Song et al. 2021 (2011.13456), §4.3, with the pair of Dormand, Prince 1980.

    Parameters
    ----------
    rtol, atol : float
        A particle is done where the sum of its substeps' error estimates is at most atol + rtol·|x'|, both
        as √(|·|²/d).
    halvings : int
        Most doublings of the number of substeps.

    Raises
    ------
    UserError
        Tolerances not positive; while running, a particle that needs more halvings.
    """

    name, also, order, evaluations = "rk45", ("probability_flow",), 5, 7

    def __init__(self, rtol=1e-5, atol=1e-5, halvings=12):
        if not (rtol >= 0 and atol >= 0 and rtol + atol > 0):
            raise UserError(f"rk45 needs tolerances >= 0, one of them > 0, not rtol={rtol}, atol={atol}")
        self.rtol, self.atol, self.halvings = rtol, atol, halvings

    def legs(self, sigma, sigma_next, memory):
        def mean(x, denoise):
            first = slope(x, sigma, denoise)
            if sigma_next == 0:
                return x + (sigma_next - sigma) * first
            x_new, error = march(x, (sigma, sigma_next), denoise, first)
            left = self._too_coarse(x_new, error).nonzero()[0]
            for halving in range(1, self.halvings + 1):
                if not len(left):
                    return x_new
                levels = [float(s) for s in np.linspace(sigma, sigma_next, 2**halving + 1)]
                x_new[left], error = march(x[left], levels, denoise, first[left])
                left = left[self._too_coarse(x_new[left], error)]
            if len(left):
                raise UserError(f"rk45: {len(left)} particles miss rtol={self.rtol}, atol={self.atol} between sigma "
                                f"{sigma:g} "
                                f"and {sigma_next:g} after {self.halvings} halvings; loosen them or use more steps")
            return x_new

        yield flow(sigma, sigma_next, mean)

    def _too_coarse(self, x, error):
        """Which particles to refine; NaN goes on as it is."""
        return error > self.atol + self.rtol * rms(x)
