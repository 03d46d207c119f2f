"""Fluctuation theorems on work and entropy values, with error bars that say when they mean nothing.

Everything takes plain arrays, one value per path, so it serves particle runs, samplers and measured
trajectories alike. Exponential averages live in the tail: `effective` is Kish's number of values that
carry one, and `warning` says when it is too small.

Sources: Jarzynski, cond-mat/9610209; Crooks, cond-mat/9901352; Bennett, J. Comput. Phys. 22, 245 (1976);
Seifert, cond-mat/0503686; Hatano, Sasa, cond-mat/0010405; Barato, Seifert, 1502.05944.
"""

from dataclasses import dataclass

import numpy as np

from ..errors import UserError

SPARSE = 50.0           # effective values below which an exponential average is not to be trusted


@dataclass(frozen=True)
class Estimate:
    """A number with its standard error.

    Attributes
    ----------
    value, error : float
    effective : float
        Number of values that carry the estimate; n for a plain mean.
    warning : str
        Why not to trust it, or "".
    """

    value: float
    error: float
    effective: float
    warning: str = ""

    def __str__(self):
        return f"{self.value:.6g} ± {self.error:.2g}" + (f" ({self.warning})" if self.warning else "")


def _values(samples, what):
    samples = np.asarray(samples, dtype=np.float64)
    if samples.ndim != 1 or len(samples) < 2:
        raise UserError(f"{what} must be one value per path, shape (n,) with n >= 2, not {samples.shape}")
    if not np.all(np.isfinite(samples)):
        raise UserError(f"{what} contains values that do not exist (NaN): the scheme has no such book")
    return samples


def _exponential(w):
    """ln⟨e^{−w}⟩ and the normalised weights."""
    top = (-w).max()
    weights = np.exp(-w - top)
    return top + np.log(weights.mean()), weights/weights.sum()


def bootstrap(statistic, *samples, resamples=200, seed=0):
    """Standard error of statistic(*samples) by resampling each set of paths with replacement.

    Parameters
    ----------
    statistic : callable of (n_i,) arrays → float
    *samples : (n_i,) or (n_i, …) arrays, resampled independently along their first axis
    """
    rng = np.random.default_rng(seed)
    found = [statistic(*(s[rng.integers(len(s), size=len(s))] for s in samples)) for _ in range(resamples)]
    return float(np.std(found, ddof=1))


def exponential_average(values):
    """⟨e^{−values}⟩ with its standard error: 1 for a total entropy production or Y of Hatano and Sasa.

    Parameters
    ----------
    values : (n,) array, dimensionless

    Returns
    -------
    Estimate
    """
    values = _values(values, "the values")
    log_mean, weights = _exponential(values)
    effective, n = 1/np.sum(weights**2), len(values)
    # Var(e^{−w})/⟨e^{−w}⟩² = n/n_eff − 1
    relative = np.sqrt(max(n/effective - 1, 0)/(n - 1))
    return Estimate(float(np.exp(log_mean)), float(np.exp(log_mean)*relative), float(effective), _sparse(effective))


def _sparse(effective):
    if effective >= SPARSE:
        return ""
    return f"{effective:.0f} paths carry the average: take more paths or a slower protocol"


def jarzynski(work, temperature=1.0, resamples=200, seed=0):
    """ΔF = −T ln⟨e^{−W/T}⟩.

    For a discrete chain W is work + shadow_work: only their sum obeys the equality at any step size.

    Parameters
    ----------
    work : (n,) array
    temperature : float

    Returns
    -------
    Estimate
        Error by bootstrap.
    """
    w = _values(work, "work")/temperature
    estimate = lambda sample: -temperature*_exponential(sample)[0]
    effective = 1/np.sum(_exponential(w)[1]**2)
    return Estimate(float(estimate(w)), bootstrap(estimate, w, resamples=resamples, seed=seed), float(effective),
                    _sparse(effective))


def bar(forward, reverse, temperature=1.0):
    """ΔF by Bennett's acceptance ratio, from pymbar.

    Parameters
    ----------
    forward, reverse : (n,), (m,) arrays
        Work of the process and of its reverse, each counted as done on the system in its own run.

    Raises
    ------
    UserError
        Without pymbar.
    """
    try:
        from pymbar import other_estimators
    except ImportError:
        raise UserError("Bennett's acceptance ratio needs pymbar: pip install 'thermosim[free_energy]'") from None
    f, r = _values(forward, "forward work")/temperature, _values(reverse, "reverse work")/temperature
    found = other_estimators.bar(f, r)
    share = overlap(f, r)
    return Estimate(float(found["Delta_f"]*temperature), float(found["dDelta_f"]*temperature), share*(len(f) + len(r)),
                    "" if share > 0.01 else "forward and reverse work hardly overlap")


def overlap(forward, reverse):
    """∫ min(P_F(W), P_R(−W)) dW from histograms: 1 for one law, 0 where they do not meet."""
    f, r = _values(forward, "forward values"), -_values(reverse, "reverse values")
    edges = np.linspace(min(f.min(), r.min()), max(f.max(), r.max()), 101)
    p, q = np.histogram(f, edges)[0]/len(f), np.histogram(r, edges)[0]/len(r)
    return float(np.minimum(p, q).sum())


@dataclass(frozen=True)
class Crossing:
    """ln P_F(w)/P_R(−w) against w: a line of slope 1 through w = ΔF/T.

    Attributes
    ----------
    centers : (bins,) array
        Mean w of the values in each bin.
    log_ratio, error : (bins,) arrays
    slope, crossing : Estimate
    """

    centers: np.ndarray
    log_ratio: np.ndarray
    error: np.ndarray
    slope: Estimate
    crossing: Estimate


def detailed(forward, reverse, bins=30, least=20):
    """The detailed fluctuation theorem (Crooks) by histograms of forward values and minus the reverse ones.

    Parameters
    ----------
    forward, reverse : (n,), (m,) arrays
        W/T, or Σ, of the process and of its reverse.
    bins : int
    least : int
        Bins with fewer counts on either side are left out.

    Returns
    -------
    Crossing
        Slope and crossing by weighted least squares; the crossing is ΔF/T for work, 0 for Σ.

    Raises
    ------
    UserError
        Where fewer than three bins hold both.
    """
    f, r = _values(forward, "forward values"), -_values(reverse, "reverse values")
    edges = np.linspace(max(f.min(), r.min()), min(f.max(), r.max()), bins + 1)
    if edges[0] >= edges[-1]:
        raise UserError("forward and reverse values do not overlap: take a slower protocol or more paths")
    p, q = np.histogram(f, edges)[0], np.histogram(r, edges)[0]
    keep = (p >= least) & (q >= least)
    if keep.sum() < 3:
        raise UserError("forward and reverse values share fewer than three bins: take more paths or a slower protocol")
    # ln P_F/P_R of a bin is ln⟨e^w⟩ under R and −ln⟨e^{−w}⟩ under F: the mean of both means of w is its place
    # to third order in the bin's width, the bin's middle only to first
    sums = [np.histogram(v, edges, weights=v)[0] for v in (f, r)]
    centers = 0.5*(sums[0][keep]/p[keep] + sums[1][keep]/q[keep])
    ratio = np.log(p[keep]/len(f)) - np.log(q[keep]/len(r))
    error = np.sqrt(1/p[keep] + 1/q[keep])
    # weighted least squares about the mean abscissa, where slope and height are independent
    weight = 1/error**2
    middle = np.average(centers, weights=weight)
    slope = np.sum(weight*(centers - middle)*ratio)/np.sum(weight*(centers - middle)**2)
    slope_error = 1/np.sqrt(np.sum(weight*(centers - middle)**2))
    height, height_error = np.average(ratio, weights=weight), 1/np.sqrt(weight.sum())
    crossing = middle - height/slope
    crossing_error = np.hypot(height_error/slope, (crossing - middle)*slope_error/slope)
    count = float((p + q)[keep].sum())
    return Crossing(centers, ratio, error, Estimate(float(slope), float(slope_error), count),
                    Estimate(float(crossing), float(crossing_error), count))


def total_entropy(log_p_start, log_p_end, entropy_env):
    """Σ = ln p_0(x_0) − ln p̃(x_N) + Σσ_env, per path (n,).

    ⟨e^{−Σ}⟩ = 1 for any normalised p̃ that is positive wherever the chain ends; with p̃ the law of x_N
    itself, Σ is the stochastic total entropy production of Seifert.

    Parameters
    ----------
    log_p_start, log_p_end : (n,) arrays
        Normalised log densities at both ends.
    entropy_env : (n,) array
    """
    return np.asarray(log_p_start) - np.asarray(log_p_end) + _values(entropy_env, "entropy_env")


def hatano_sasa(frames, log_steady, values):
    """Y = Σ_n [φ(x_n; λ_{n+1}) − φ(x_n; λ_n)], φ = −ln p_ss, per path (n,); ⟨e^{−Y}⟩ = 1.

    Parameters
    ----------
    frames : (N + 1, n, d) array
        Positions at every step, the start included.
    log_steady : callable (x, value) → (n,) array
        Log of the normalised stationary density at a control value.
    values : (N + 1,) array or list
        The control at every step.
    """
    if len(frames) != len(values):
        raise UserError(f"{len(frames)} frames, but {len(values)} control values: give one of each per step")
    return sum(log_steady(x, old) - log_steady(x, new) for x, old, new in zip(frames, values, values[1:]))


def uncertainty_ratio(current, entropy, resamples=200, seed=0):
    """(Var J/⟨J⟩²)·⟨Σ⟩/2, at least 1 in a steady overdamped state over one same time (Barato–Seifert bound).

    Parameters
    ----------
    current, entropy : (n,) arrays
        A time-integrated current and the entropy production of the same paths.

    Returns
    -------
    Estimate
    """
    pairs = np.column_stack([_values(current, "current"), _values(entropy, "entropy production")])

    def ratio(sample):
        j, s = sample.T
        return j.var(ddof=1)/j.mean()**2*s.mean()/2
    return Estimate(float(ratio(pairs)), bootstrap(ratio, pairs, resamples=resamples, seed=seed), float(len(pairs)))
