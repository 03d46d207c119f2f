"""DPM-Solver++(2M) and (3M) for the reverse SDE and the flow: D as a polynomial in λ = −ln σ through earlier answers.

With H = (1 + η)h, h = ln(σ/σ'), and D(λ + uh) = D + u·d_1 + u²·d_2/2, the exact integral of the drift is

    x' = e^{−H}x + (1 − e^{−H})D + φ_2 d_1 + φ_3 d_2,    φ_2 = 1 − (1 − e^{−H})/H,    φ_3 = ½ − φ_2/H

and the noise of the reverse SDE with ξ = η has standard deviation σ'√(1 − e^{−2ηh}); η = 0 is the flow.
"""

import math
from collections import deque

from ..errors import UserError
from .base import DRIVEN, FLOW, Leg, Sampler

MULTISTEP = "multistep: the step leans on earlier points, so x' given x alone has no density"


class Multistep(Sampler):
    """What (2M) and (3M) share; a step to σ = 0 ends at D.

    Parameters
    ----------
    eta : float
        0 (the flow) … 1 (the reverse SDE).

    Raises
    ------
    UserError
        eta out of range.
    """

    def __init__(self, eta=1.0):
        if not 0 <= eta <= 1:
            raise UserError(f"eta must lie between 0 (the flow) and 1 (the reverse SDE), not {eta}")
        self.eta = eta
        if eta > 0:
            self.strong, self.strokes, self.draws = 1, (DRIVEN,), 1

    def correction(self, D, past, h, H, half_way):
        """φ_2 d_1 + φ_3 d_2; `past` holds (h, D) of the steps before, the last one first.

        `half_way()` is D where an Euler step ends half way: one evaluation more, for a first step.
        """
        raise NotImplementedError

    def legs(self, sigma, sigma_next, memory):
        h = math.log(sigma / sigma_next) if sigma_next > 0 else math.inf
        H = (1 + self.eta) * h

        def mean(x, denoise):
            D = denoise(x, sigma)
            if sigma_next == 0:
                return D
            past = memory.setdefault("past", deque(maxlen=self.history))

            def half_way():
                return denoise(D + math.exp(-H / 2) * (x - D), sigma * math.exp(-h / 2))

            x_new = math.exp(-H) * x - math.expm1(-H) * D + self.correction(D, past, h, H, half_way)
            past.appendleft((h, D))
            return x_new

        if self.eta > 0:
            variance = sigma_next**2 * -math.expm1(-2 * self.eta * h)
            yield Leg(DRIVEN, sigma, sigma_next, mean, variance, self.eta, blind=MULTISTEP)
        else:
            yield Leg(FLOW, sigma, sigma_next, mean, 0.0)


def phi_2(H):
    """1 − (1 − e^{−H})/H."""
    return 1 + math.expm1(-H) / H


class DPMpp2MSDE(Multistep):
    """dpmpp_2m_sde in its midpoint form: φ_2 is replaced by ½(1 − e^{−H}), the same to second order.

    Source: Lu et al. 2022 (2211.01095), §5 and Alg. 2; with η as in k-diffusion.
    """

    name, order, history = "dpmpp_2m_sde", 2, 1

    def correction(self, D, past, h, H, half_way):
        if not past:
            return 0.0
        h_last, D_last = past[0]
        return -0.5 * math.expm1(-H) * (h / h_last) * (D - D_last)


class DPMpp3MSDE(Multistep):
    """dpmpp_3m_sde as published: its d_2 is the second divided difference, half of the derivative it stands for.

    On the flow it is therefore of second order; `DPMpp3MCorrected` has the factor.

    Source: Lu et al. 2022 (2211.01095), App.; with η as in k-diffusion.
    """

    name, order, history, doubled = "dpmpp_3m_sde", 2, 2, 1

    def correction(self, D, past, h, H, half_way):
        if not past:
            return 0.0
        h_1, D_1 = past[0]
        slope = (h / h_1) * (D - D_1)
        if len(past) == 1:
            return phi_2(H) * slope
        h_2, D_2 = past[1]
        slope_before = (h / h_2) * (D_1 - D_2)
        bend = (slope - slope_before) / ((h_1 + h_2) / h)
        return phi_2(H) * (slope + (h_1 / h) * bend) + self.doubled * (0.5 - phi_2(H) / H) * bend


class DPMpp3M(DPMpp3MSDE):
    """dpmpp_3m as published: `DPMpp3MSDE` on the flow, of second order."""

    name = "dpmpp_3m"

    def __init__(self):
        super().__init__(0.0)


class DPMpp3MCorrected(DPMpp3M):
    """dpmpp_3m made third order: d_2 is the second derivative, twice the divided difference.

    And the first step looks half way ahead, at one evaluation more, for Euler's error there would be h².
    """

    name, order, doubled = "dpmpp_3m_corrected", 3, 2

    def correction(self, D, past, h, H, half_way):
        if not past:
            return phi_2(H) * 2 * (half_way() - D)
        return super().correction(D, past, h, H, half_way)
