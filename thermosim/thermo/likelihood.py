"""Likelihood as work: the bound, the annealed estimate, the probability flow, and the entropies that fence each step.

With W of `runs.noising.heat` or `runs.binomial.heat_binary`, ⟨e^{−W}⟩_q = p_θ(x_0) and K = −⟨W⟩ <= ln p_θ
(Sohl-Dickstein et al. 2015, 1503.03585, eq. 10–14; Neal 1998, physics/9803008; Jarzynski 1997, cond-mat/9707325).
"""

from dataclasses import dataclass

import numpy as np
from scipy.integrate import solve_ivp

from ..errors import UserError
from ..score.derivatives import probes
from .fluctuation import SPARSE, Estimate

BITS = 1 / np.log(2)


def bound(work):
    """K = −⟨W⟩, the evidence lower bound in nats a point, with its standard error.

    Parameters
    ----------
    work : (n,) array
        One path a data point.

    Returns
    -------
    fluctuation.Estimate
    """
    work = _paths(work, 1)
    return Estimate(float(-work.mean()), float(work.std(ddof=1) / np.sqrt(len(work))), float(len(work)))


@dataclass(frozen=True)
class Annealed:
    """ln p_θ(x_0) by annealed importance sampling, point by point.

    Attributes
    ----------
    log_p, error : (n,) arrays
        ln⟨e^{−W}⟩ over the paths of a point, and its standard error to first order. With few paths that carry the
        average it lies too low: at most the bound K with one path, ln p_θ with ever more.
    effective : (n,) array
        Kish's number of paths that carry each average.
    mean : fluctuation.Estimate
        Of ln p_θ over the points, its error from both the points and the paths; `warning` where averages are sparse.
    """

    log_p: np.ndarray
    error: np.ndarray
    effective: np.ndarray
    mean: Estimate


def annealed(work):
    """The annealed estimate from many paths of each point.

    Parameters
    ----------
    work : (n, m) array
        W of m paths from each of n points, nats.

    Returns
    -------
    Annealed

    Raises
    ------
    UserError
        Fewer than two paths a point, or W that does not exist.
    """
    work = _paths(work, 2)
    n, m = work.shape
    low = work.min(axis=1, keepdims=True)
    weights = np.exp(low - work)
    log_p = np.log(weights.mean(axis=1)) - low[:, 0]
    effective = weights.sum(axis=1) ** 2 / (weights**2).sum(axis=1)
    error = np.sqrt(np.maximum(m / effective - 1, 0) / (m - 1))
    # the spread of the estimates over the points holds that of the paths already
    spread = log_p.std(ddof=1) / np.sqrt(n) if n > 1 else error[0]
    sparse = np.count_nonzero(effective < SPARSE)
    warning = (f"at {sparse} of {n} points fewer than {SPARSE:.0f} paths carry the average: take more paths or steps"
               if sparse else "")
    return Annealed(log_p, error, effective,
                    Estimate(float(log_p.mean()), float(spread), float(effective.min()), warning))


def flow_log_density(denoise, divergence, x, sigma_min, sigma_max, prior=None, rtol=1e-7, atol=1e-8):
    """ln p of points at noise level sigma_min by the probability flow dx/dσ = (x − D)/σ.

    ln p_{σmin}(x) = ln p_{σmax}(x(σmax)) + ∫ (d − ∇·D)/σ dσ along the flow (Chen et al. 2018, 1806.07366; Song et
    al. 2021, 2011.13456, §4.3), integrated in ln σ by Dormand–Prince.

    Parameters
    ----------
    denoise : callable (x, sigma) → E[x_0|x], (n, d)
    divergence : callable (x, sigma) → ∇·D, (n,)
        The trace of ∂D/∂x; `flow_divergence` finds the best there is.
    x : (n, d) array
    sigma_min, sigma_max : float
    prior : callable (x (n, d)) → ln p, optional
        At sigma_max; N(0, sigma_max² + 1) unless given, right to order 1/sigma_max² for data of variance 1.

    Returns
    -------
    (n,) array
    """
    x = np.asarray(x, float)
    if x.ndim != 2 or not 0 < sigma_min < sigma_max:
        raise UserError("the flow needs points (n, d) and 0 < sigma_min < sigma_max")
    n, d = x.shape

    def rate(u, state):
        sigma, at = float(np.exp(u)), np.ascontiguousarray(state[: n * d].reshape(n, d))
        return np.concatenate([(at - denoise(at, sigma)).ravel(), d - divergence(at, sigma)])

    start = np.concatenate([x.ravel(), np.zeros(n)])
    done = solve_ivp(rate, np.log([sigma_min, sigma_max]), start, "RK45", rtol=rtol, atol=atol,
                     t_eval=[np.log(sigma_max)])
    end, grown = done.y[: n * d, -1].reshape(n, d), done.y[n * d :, -1]
    if prior is None:
        V = sigma_max**2 + 1
        return grown - 0.5 * (end**2).sum(axis=1) / V - 0.5 * d * np.log(2 * np.pi * V)
    return grown + prior(end)


def flow_divergence(denoise, n, d, seed=0, most=16, count=8):
    """∇·D for the flow of n points in d dimensions: exact, by an estimate without bias, or by differences.

    Exact where the denoiser has a `divergence` and d <= most. Above, the mean of v·∂D/∂x·v over `count` random sign
    vectors v, the same all along the flow of a point (Grathwohl et al. 2019, 1810.01367), where it has a `jvp`.
    Of a denoiser that has neither, `numerical_divergence`.

    Parameters
    ----------
    denoise : callable (x, sigma) → (n, d)
    n, d : int
    seed : int
        Of the signs.
    most : int
        Dimensions up to which d tangents are worth their price.
    count : int

    Returns
    -------
    callable (x, sigma) → (n,)
    """
    if d > most and hasattr(denoise, "jvp"):
        v = probes(denoise.device, seed, 0, count, n, d)
        return lambda x, sigma: denoise.hutchinson(x, sigma, v)
    return denoise.divergence if hasattr(denoise, "divergence") else numerical_divergence(denoise)


def numerical_divergence(denoise, step=1e-4):
    """∇·D of a denoiser by central differences of `step`·σ: 2d evaluations a call.

    Returns
    -------
    callable (x, sigma) → (n,)
    """
    def divergence(x, sigma):
        h, total = step * sigma, 0.0
        for e in np.eye(x.shape[1]):
            total = total + ((denoise(x + h * e, sigma) - denoise(x - h * e, sigma)) @ e) / (2 * h)
        return total
    return divergence


@dataclass(frozen=True)
class EntropyBounds:
    """H(X_{n−1}|X_n) of each step n = 1 … N and what fences it, nats.

    Attributes
    ----------
    lower : (N,) array
        H(X_n|X_{n−1}) + H(X_{n−1}|X_0) − H(X_n|X_0); −∞ where X_0 itself is a point of a continuous law.
    upper : (N,) array
        H(X_n|X_{n−1}): holds where the marginal entropy rises.
    """

    lower: np.ndarray
    upper: np.ndarray


def entropy_bounds(chain, d):
    """Bounds of H(X_{n−1}|X_n) for data of d components
    (Sohl-Dickstein et al. 2015, 1503.03585, eq. 24 and appendix A).

    Parameters
    ----------
    chain : schedules.Chain
    d : int
    """
    steps = np.arange(1, len(chain) + 1)
    ahead = gaussian_entropy([chain.forward(n)[1] for n in steps], d)
    given = gaussian_entropy(chain.noise**2, d)
    return EntropyBounds(ahead + given[:-1] - given[1:], ahead)


def binomial_entropy_bounds(chain, L):
    """The same for L sites of a `binomial.BinomialChain`; the entropies are of discrete laws, so all are finite."""
    steps = range(1, len(chain) + 1)
    ahead = L * np.array([chain.step_entropy(t) for t in steps])
    given = L * np.array([0.0, *(chain.noise_entropy(t) for t in steps)])
    return EntropyBounds(ahead + given[:-1] - given[1:], ahead)


def gaussian_entropy(variance, d=1):
    """½d ln(2πe·variance), −∞ at 0."""
    with np.errstate(divide="ignore"):
        return 0.5 * d * np.log(2 * np.pi * np.e * np.asarray(variance, float))


def null_bound(d, variance=1.0):
    """L_null, nats a point: −ln p of the law that knows only the variance, −½d ln(2πe·variance)."""
    return -float(gaussian_entropy(variance, d))


def bits_per_dim(log_p, d, quantum=None):
    """ln p of a density, nats a point, as the code length of discrete data in bits per dimension.

    −log₂(p·quantum^d)/d: an upper bound on the code length of the lattice values where p is the density of
    `dequantised` ones (Theis et al. 2016, 1511.01844). Without a quantum, −log₂ p/d of the density itself.
    """
    shift = np.log(quantum) if quantum else 0.0
    return -(np.asarray(log_p) / d + shift) * BITS


def dequantised(values, quantum, seed=0):
    """Lattice values plus uniform noise of one lattice constant, centred on them: (n, d)."""
    if not quantum > 0:
        raise UserError(f"a lattice constant is > 0, not {quantum}")
    rng = np.random.Generator(np.random.PCG64(seed))
    return np.asarray(values, float) + quantum * (rng.random(np.shape(values)) - 0.5)


def _paths(work, axes):
    work = np.asarray(work, float)
    if work.ndim != axes or work.shape[-1] < 2:
        raise UserError(f"W must be {'one value a path, (n,)' if axes == 1 else '(points, paths)'} with at least 2 "
                        f"paths, not {work.shape}")
    if not np.isfinite(work).all():
        raise UserError("W is infinite or does not exist on some paths: the reverse chain forbids what the data do")
    return work
