"""Speed against accuracy: (ΔW1)²/(τ D_0) ≤ ∫T_t Ṡ_t dt (Ikeda, Uda, Okanohara, Ito 2024, 2407.04495).

ΔW1 is how far W1 between the true and a perturbed law changes over the generation, D_0 = χ²(perturbed‖true)
at its start, and the right side the action ∫E|ν|² dt of the true flow over a time τ (here 1). One dimension,
by quadrature: a flow there keeps quantiles, so its map is Q_end(F_start(x)).
"""

import numpy as np
from scipy.special import ndtr


def gaussian_action(dynamics, variance, steps=20_001):
    """∫ẇ² dt over τ = 1 with w² = α²·variance + s²: N(0, variance) to N(0, 1) under `dynamics(t)` → (α, s).

    The flow of a Gaussian is x = w(t)·z, so E|ν|² = ẇ².
    """
    t = np.linspace(0.0, 1.0, steps)
    alpha, s = dynamics(t)
    w = np.sqrt(alpha**2 * variance + s**2)
    return float(np.sum(np.diff(w) ** 2 / np.diff(t)))


def cosine(t):
    """α = cos, s = sin of πt/2."""
    return np.cos(0.5 * np.pi * t), np.sin(0.5 * np.pi * t)


def conditional_transport(t):
    """Conditional optimal transport: α = 1 − t, s = t (flow matching; Lipman et al. 2022, 2210.02747)."""
    return 1 - t, t


def mixture_cdf(mixture, x, alpha=1.0, s=0.0):
    """P(αx_0 + s·n ≤ x) of a 1-D `GaussianMixture`."""
    width = np.sqrt(alpha**2 * mixture.eigvals[:, 0] + s**2)
    return ndtr((np.asarray(x)[..., None] - alpha * mixture.means[:, 0]) / width) @ mixture.weights


def mixture_quantiles(mixture, u, alpha=1.0, s=0.0):
    """Inverse of `mixture_cdf` at `u`, by bisection to rounding."""
    width = 12 * np.sqrt(alpha**2 * mixture.eigvals[:, 0].max() + s**2)
    lo = np.full(np.shape(u), alpha * mixture.means.min() - width)
    hi = np.full(np.shape(u), alpha * mixture.means.max() + width)
    for _ in range(60):
        middle = 0.5 * (lo + hi)
        below = mixture_cdf(mixture, middle, alpha, s) < u
        lo, hi = np.where(below, middle, lo), np.where(below, hi, middle)
    return 0.5 * (lo + hi)


def mixture_action(mixture, dynamics, quantiles=1000, steps=400):
    """∫E|ν|² dt over τ = 1 of αx_0 + s·n: squared steps of the quantiles, which the flow keeps.

    The straight pieces between `steps` times are themselves a flow between the same laws, never longer
    than the true one: the value approaches the action from below.
    """
    u = (np.arange(quantiles) + 0.5) / quantiles
    alpha, s = dynamics(np.linspace(0.0, 1.0, steps + 1))
    places = np.array([mixture_quantiles(mixture, u, a, b) for a, b in zip(alpha, s)])
    return float(steps * np.mean(np.diff(places, axis=0) ** 2, axis=1).sum())


def response(end, start, perturbed, points=4001):
    """(ΔW1)²/D_0 of the flow that carries 1-D mixture `start` to `end`, begun from `perturbed` instead.

    W1 = ∫|F − G| dx at the start, and the same mass differences over the mapped points at the end;
    D_0 = ∫(q − p)²/p dx.
    """
    width = 12 * np.sqrt(max(start.eigvals.max(), perturbed.eigvals.max()))
    lo = min(start.means.min(), perturbed.means.min()) - width
    hi = max(start.means.max(), perturbed.means.max()) + width
    x = np.linspace(lo, hi, points)
    p, q = (np.exp(law.log_density(x[:, None])) for law in (start, perturbed))
    F = mixture_cdf(start, x)
    gap = np.abs(F - mixture_cdf(perturbed, x))
    inside = (F > 1e-13) & (F < 1 - 1e-13)
    chi2 = np.sum(np.where(p > 1e-290, (q - p) ** 2 / np.maximum(p, 1e-290), 0.0)) * (x[1] - x[0])
    mapped = mixture_quantiles(end, F[inside])
    before, after = np.trapezoid(gap[inside], x[inside]), np.trapezoid(gap[inside], mapped)
    return (after - before) ** 2 / chi2


def sampler_action(path):
    """τΣ|Δx|²/Δt of a sampler's path (steps + 1, n, d), equal times a step, τ = 1: its right side.

    The straight pieces of a deterministic sampler obey the same inequality against its own laws:
    |ΔW1| of a map T is at most ∫|T − x||q − p| ≤ √(E|T − x|²·χ²), and no map raises χ².
    """
    path = np.asarray(path, float)
    return float((len(path) - 1) * np.mean((np.diff(path, axis=0) ** 2).sum(axis=2), axis=1).sum())
