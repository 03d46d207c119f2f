"""Mean work of a noising chain in closed form of its mse, and the density its reverse chain gives."""

import numpy as np


def mean_work(chain, mse, second_moment, d=1):
    """⟨W⟩ = Σ⟨W_n⟩ − ⟨ln p(x_N)⟩ of runs.noising.heat, in nats, without a sample.

    Given (x_n, x_0) the chain's x_{n−1} is Gaussian about c_x·x_n + c_0·x_0 with variance β̃_n, the
    reverse kernel's mean has D in the place of x_0; so only E‖x_0 − D‖² enters.

    Parameters
    ----------
    chain : schedules.Chain, from clean data or from noise_0 > 0
    mse : callable sigma → E‖x_0 − D(x; σ)‖², summed over dimensions
    second_moment : float
        E‖x_0‖².
    d : int

    Returns
    -------
    steps, end : (N,) array ⟨W_n⟩ and the float −⟨ln p(x_N)⟩
    """
    steps = np.empty(len(chain))
    for n in range(1, len(chain) + 1):
        _, b = chain.forward(n)
        _, c_0, v = chain.reverse(n)
        posterior = b * (chain.noise[n - 1] / chain.noise[n]) ** 2
        spread = d * posterior + c_0**2 * mse(chain.sigma(n))
        steps[n - 1] = 0.5 * d * np.log(v / b) - 0.5 * d + 0.5 * spread / v
    final = chain.alpha[-1] ** 2 * second_moment + d * chain.noise[-1] ** 2
    V = chain.prior_variance
    return steps, 0.5 * d * np.log(2 * np.pi * V) + 0.5 * final / V


def least_variances(chain, mse, d):
    """The reverse variances, one a step, that cost the least mean work: β̃_n + c_0²·mse(σ_n)/d, (N,).

    The mean square of x_{n−1} about the reverse mean: the posterior's own spread, and what D does not know of x_0
    (Bao et al. 2022, 2201.06503, for an exact score). They lie above β̃ and for good denoisers below β.

    Parameters
    ----------
    chain : schedules.Chain
    mse : callable sigma → E‖x_0 − D(x; σ)‖², summed over dimensions
    d : int
    """
    found = np.empty(len(chain))
    for n in range(1, len(chain) + 1):
        _, b = chain.forward(n)
        found[n - 1] = (b * (chain.noise[n - 1] / chain.noise[n]) ** 2
                        + chain.reverse(n)[1] ** 2 * mse(chain.sigma(n)) / d)
    return found


def excess_over_equilibrium(v):
    """K(v) = ½(v − 1 − ln v) = KL(N(0, v)‖N(0, 1)) per component, nats."""
    return 0.5 * (v - 1 - np.log(v))


def reverse_density(chain, denoise, x):
    """p_θ of the reverse chain on a uniform 1-D mesh, by carrying the prior through every kernel.

    Parameters
    ----------
    chain : schedules.Chain
    denoise : callable (y, sigma) → E[x_0|y], y of shape (m, 1)
    x : (m,) uniform mesh, wide and fine enough for the narrowest kernel

    Returns
    -------
    (m,) array, the density of x at the data end
    """
    h = x[1] - x[0]
    V = chain.prior_variance
    p = np.exp(-0.5 * x**2 / V) / np.sqrt(2 * np.pi * V)
    for n in range(len(chain), 0, -1):
        c_x, c_0, v = chain.reverse(n)
        mean = c_x * x + c_0 * denoise((x / chain.alpha[n])[:, None], chain.sigma(n))[:, 0]
        kernel = np.exp(-0.5 * (x[:, None] - mean[None, :]) ** 2 / v) / np.sqrt(2 * np.pi * v)
        p = kernel @ (p * h)
    return p
