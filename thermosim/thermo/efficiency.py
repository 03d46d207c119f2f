"""Efficiencies of a sampler, each a number with a range. 0/0 is NaN: nothing to do, nothing lost."""

import numpy as np


def _ratio(a, b):
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(a, float) / np.asarray(b, float)


def eta_path(K, P):
    """Discrete reversibility K/(K + P) in [0, 1]: K = KL(data‖prior), P the dissipated work, nats."""
    return _ratio(K, np.add(K, P))


def eta_grid(integral, P):
    """Reversibility of a grid, ½∫mse dλ/(½∫mse dλ + P) in [0, 1]; needs no entropy of the data.

    It belongs to the grid and to the ancestral chain over it, not to an ODE sampler on the same grid.
    """
    return _ratio(integral, np.add(integral, P))


def eta_geo(w2, diffusion, Sigma):
    """Straightness of the transport W2²/(∫D dt·Σ) in [0, 1].

    W2 lies between the two end marginals of the interval over which ∫D dt and the entropy production
    Σ = ∫E|ν|²/D dt are taken (Benamou, Brenier 2000; Ikeda et al. 2407.04495).
    """
    return _ratio(np.square(w2), np.multiply(diffusion, Sigma))


def eta_II(dF, Sigma, T=1.0):
    """Second law, ΔF/(ΔF + TΣ): free energy stored over work spent; ½ for the exact reverse SDE."""
    return _ratio(dF, np.add(dF, np.multiply(T, Sigma)))


def eta_step(ds_sys, entropy_env):
    """Order gained over entropy given to the bath, −Δs_sys/σ_env, where Δs_sys < 0 (Landauer); else NaN."""
    ds_sys = np.asarray(ds_sys, float)
    return np.where(ds_sys < 0, _ratio(-ds_sys, entropy_env), np.nan)


def eta_cycle(K, Sigma_forward, Sigma_reverse):
    """Data → noise → data: (K − Σ_f)/(K + Σ_r) in (−∞, 1]; negative means it runs as no engine."""
    return _ratio(np.subtract(K, Sigma_forward), np.add(K, Sigma_reverse))


def coefficient_of_variation(per_step):
    """Population std over |mean| of the ensemble means per step: 0 for a sampler that is isothermal.

    Means little where the heat changes sign from step to step.
    """
    per_step = np.asarray(per_step, float)
    return float(_ratio(per_step.std(), abs(per_step.mean())))
