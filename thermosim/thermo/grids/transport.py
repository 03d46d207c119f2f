"""Grids of least transport error, from a pilot alone: the geodesic, the dynamic-programming optimum, a polish.

A one-step error of a sampler of order p is ∝ h^{p+1} for a step h in ln σ; Euler's
is ½h²|dD/dlnσ| along the flow, and with ε the rms of that derivative the least sum
of errors has equal steps in ∫√ε dlnσ. What counts is where the particle ends.
"""

import numpy as np
from scipy.interpolate import RegularGridInterpolator

from .pilot import EVERYONE


def transport_geodesic(pilot, steps):
    """Equal steps in ∫√ε dlnσ, ε the rms of the denoiser's change dD/dlnσ along the flow."""
    h, rate = _rate(pilot)
    way = np.concatenate(([0.0], np.cumsum(h * np.sqrt(rate))))
    return _grid(pilot, np.interp(np.linspace(0, way[-1], steps + 1), way, -np.log(pilot.sigmas)))


def transport_length(pilot):
    """∫√ε dlnσ over the whole pilot."""
    h, rate = _rate(pilot)
    return float(np.sum(h * np.sqrt(rate)))


def _rate(pilot):
    """(h, ε) of the intervals between the pilot's levels."""
    h = -np.diff(np.log(pilot.sigmas))
    return h, np.sqrt(np.mean((np.diff(pilot.D, axis=0) ** 2).sum(axis=2), axis=1)) / h


def transport_optimum(pilot, sampler, errors, nodes, steps, mesh=400):
    """Least Σ⟨|step(x_i→j) − x_j|²⟩ over all grids, by dynamic programming.

    The measured one-step errors (`Pilot.one_step_errors` on `nodes`, times a gain where what is left of them at the end
    is to count), divided by h^{p+1}, are smooth and are interpolated to `mesh` levels.
    """
    u, order = -np.log(pilot.sigmas[nodes]), sampler.order + 1
    upper = np.triu_indices(len(u), 1)
    smooth = np.zeros_like(errors)
    smooth[upper] = np.log(np.maximum(errors[upper], 1e-300)) - order * np.log(u[upper[1]] - u[upper[0]])
    smooth += smooth.T
    beside = np.diagonal(smooth, 1)
    smooth[np.diag_indices(len(u))] = 0.5 * (np.append(beside, beside[-1]) + np.insert(beside, 0, beside[0]))
    fine = np.linspace(u[0], u[-1], max(mesh, 8 * steps) + 1)
    start, end = np.meshgrid(fine, fine, indexing="ij")
    cost = (2 * (RegularGridInterpolator((u, u), smooth)((start, end)))
            + 2 * order * np.log(np.maximum(end - start, 1e-300)))
    return _grid(pilot, fine[cheapest_path(np.where(end > start, np.exp(cost), np.inf), steps)])


def cheapest_path(cost, steps):
    """Indices (steps + 1,) of the cheapest way from first to last in exactly `steps` steps of cost[i, j]."""
    value, chosen = np.full(len(cost), np.inf), []
    value[0] = 0.0
    for _ in range(steps):
        total = value[:, None] + cost
        chosen.append(total.argmin(axis=0))
        value = total.min(axis=0)
    path = [len(cost) - 1]
    for best in reversed(chosen):
        path.append(best[path[-1]])
    return np.array(path[::-1])


def polish(pilot, sampler, sigmas, budget, knots=8, rows=EVERYONE):
    """Lower the pilot's end-point error of a grid by Levenberg–Marquardt on the lengths of its steps.

    The logarithm of the steps is varied by hat functions at `knots` places; the residual is where each
    particle ends against its teacher (the aim of Tong et al. 2024, 2405.15506, without backpropagation).
    Mean distances (power 1) are minimised by reweighting. Looks only at the particles in the slice `rows`, so
    that the others can judge it, and stops before `budget` evaluations are spent.
    """
    steps = len(sigmas) - 1
    m = min(steps, knots)
    if m == 1:
        return sigmas
    hats = np.array([np.interp(np.arange(steps), np.linspace(0, steps - 1, m), e) for e in np.eye(m)])
    span, stop = np.log(sigmas[-1] / sigmas[0]), pilot.evaluations + budget

    def varied(c):
        lengths = np.diff(np.log(sigmas)) * np.exp(c @ hats)
        return _grid(pilot, -np.log(sigmas[0]) - np.concatenate(([0.0], np.cumsum(lengths * span / lengths.sum()))))

    def trial(grid):
        return pilot.miss(sampler, grid, rows)

    before = pilot.evaluations
    residual = trial(sigmas)
    price, best = pilot.evaluations - before, pilot.size(residual)
    damping, h = 1e-2, 0.02
    while pilot.evaluations + (m + 1) * price <= stop:
        J = np.array([(trial(varied(h * e)) - residual) / h for e in np.eye(m)])
        length = np.linalg.norm(residual, axis=1)
        weight = np.maximum(length, 1e-3 * length.mean() + 1e-300) ** (pilot.power - 2)
        A = np.einsum("anc,n,bnc->ab", J, weight, J, optimize=True)
        b = np.einsum("anc,n,nc->a", J, weight, residual, optimize=True)
        gained = 0.0
        while pilot.evaluations + price <= stop and damping < 1e3 and np.trace(A) > 0:
            c = -np.linalg.solve(A + damping * np.diag(np.diag(A)) + 1e-12 * np.trace(A) * np.eye(m), b)
            grid = varied(np.clip(c, -1, 1))
            new = trial(grid)
            if pilot.size(new) < best:
                gained, best = 1 - pilot.size(new) / best, pilot.size(new)
                sigmas, residual, damping = grid, new, max(damping / 4, 1e-4)
                break
            damping *= 6
        if gained < 1e-3:
            break
    return sigmas


def _grid(pilot, u):
    sigmas = np.exp(-u)
    sigmas[0], sigmas[-1] = pilot.sigmas[0], pilot.sigmas[-1]
    return sigmas
