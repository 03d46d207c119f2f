"""Grids that others computed from a model, to compare with: equal steps of a length of their own."""

import numpy as np

from ... import schedules


def align_your_steps(sigma_max, sigma_min, steps, sigma_data):
    """Equal steps in arctan(σ/σ_d), the optimum for Gaussian data
    (Sabour, Fidler, Kreis 2024, 2404.14507, Theorem 3.1)."""
    return sigma_data * schedules.cosine(sigma_max / sigma_data, sigma_min / sigma_data, steps)


def entropic(curve, sigma_max, sigma_min, steps):
    """Equal steps in H(x_0|x_σ), which is half the integral of mse over
    λ (Stancevic, Handke, Ambrogioni 2025, 2504.13612, Theorem 5.1).

    Parameters
    ----------
    curve : MseCurve
        It covers sigma_max … sigma_min.
    """
    return _even(np.diff(curve.integral(curve.sigmas)), curve.sigmas, sigma_max, sigma_min, steps)


def rescaled_entropic(curve, sigma_max, sigma_min, steps):
    """Equal steps in ∫σ dH(x_0|x_σ) = ∫mse dσ/σ² (Stancevic,
    Handke, Ambrogioni 2025, 2504.13612, §5.3 and Algorithm 2)."""
    middle = 0.5 * (curve.sigmas[1:] + curve.sigmas[:-1])
    return _even(middle * np.diff(curve.integral(curve.sigmas)), curve.sigmas, sigma_max, sigma_min, steps)


def score_optimal(pilot, steps):
    """Equal steps in Σ√L, L = σ'²·E_{x ~ p_σ}|s(x; σ') − s(x; σ)|² between neighbouring levels of the pilot.

    The corrector-optimised cost, with the identity as predictor and σ as velocity (Williams, Campbell, Doucet, Syed
    2024, 2412.07877, eq. 13–15, §3.3, Algorithm 1). The predictor-optimised one needs Jacobians of the score and is
    not here. Costs one evaluation a level.
    """
    cost = []
    for k, (sigma, lower) in enumerate(zip(pilot.sigmas[:-1], pilot.sigmas[1:])):
        x = pilot.x[k]
        change = (pilot.ask(x, lower) - x) / lower**2 - (pilot.D[k] - x) / sigma**2
        cost.append(lower**2 * np.mean((change**2).sum(axis=1)))
    return _even(np.sqrt(cost), pilot.sigmas, pilot.sigmas[0], pilot.sigmas[-1], steps)


def constant_rate(pilot, steps):
    """Equal steps in the change of what is predicted, rms |D(x_σ; σ) − D(x_σ'; σ')| along the flow.

    Constant-rate scheduling (Okada, Doi, Yoshihashi, Kataoka, Tanaka 2024, 2411.12188) leaves the measure of change to
    its user and offers three; this is the prediction's, along the pilot's own trajectories. Costs no evaluation.
    """
    change = np.diff(pilot.D, axis=0)
    return _even(np.sqrt(np.mean((change**2).sum(axis=2), axis=1)), pilot.sigmas, pilot.sigmas[0],
                 pilot.sigmas[-1], steps)


def _even(lengths, levels, sigma_max, sigma_min, steps):
    """The grid (steps + 1,) at equal parts of the summed `lengths` between neighbouring `levels`, linear in ln σ."""
    way, u = np.concatenate(([0.0], np.cumsum(lengths))), -np.log(levels)
    ends = np.interp([-np.log(sigma_max), -np.log(sigma_min)], u, way)
    keep = np.concatenate(([True], np.diff(way) > 0))  # where nothing changes there is nothing to divide
    sigmas = np.exp(-np.interp(np.linspace(*ends, steps + 1), way[keep], u[keep]))
    sigmas[0], sigmas[-1] = sigma_max, sigma_min
    return sigmas
