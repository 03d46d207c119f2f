"""What is read off trajectories: correlations, diffusion, response. Arrays in, numbers with errors out."""

import numpy as np

from ..errors import UserError
from .fluctuation import Estimate


def _series(values):
    a = np.asarray(values, dtype=np.float64)
    if a.ndim == 1:
        a = a[:, None]
    if a.ndim != 2 or len(a) < 2 or not np.all(np.isfinite(a)):
        raise UserError(f"a series must be finite, of shape (frames,) or (frames, paths), not {np.shape(values)}")
    return a


def correlation(a, b=None, mean=None):
    """C(k) = ⟨δa(t) δb(t + k)⟩ over times and paths, (frames,); by FFT, with the unbiased 1/(N − k).

    Parameters
    ----------
    a, b : (frames,) or (frames, paths) arrays
        b = a by default.
    mean : float, optional
        The known mean of both; that of the data otherwise.
    """
    a = _series(a)
    b = a if b is None else _series(b)
    if a.shape != b.shape:
        raise UserError(f"series of shapes {a.shape} and {b.shape} do not belong together")
    n = len(a)
    da = a - (a.mean() if mean is None else mean)
    db = b - (b.mean() if mean is None else mean)
    size = 1 << (2*n - 1).bit_length()
    spectrum = np.conj(np.fft.rfft(da, size, axis=0))*np.fft.rfft(db, size, axis=0)
    sums = np.fft.irfft(spectrum, size, axis=0)[:n].mean(axis=1)
    return sums/np.arange(n, 0, -1)


def correlation_time(series):
    """Integrated autocorrelation time in frames, 1 + 2ΣC(k)/C(0), cut at Sokal's window k ≥ 5τ.

    Source: Sokal, Monte Carlo Methods in Statistical Mechanics (1996), §3.
    """
    c = correlation(series)
    if c[0] == 0:
        raise UserError("a constant series has no correlation time")
    tau = 2*np.cumsum(c/c[0]) - 1
    window = np.flatnonzero(np.arange(len(tau)) >= 5*tau)
    return float(max(tau[window[0] if len(window) else -1], 1.0))


def effective_sample_size(series):
    """Independent frames that the series is worth, over all its paths."""
    return _series(series).size/correlation_time(series)


def mean_squared_displacement(frames):
    """⟨|x(t + k) − x(t)|²⟩ over times and paths, (frames,).

    Parameters
    ----------
    frames : (frames, paths, d) array
    """
    frames = np.asarray(frames, dtype=np.float64)
    if frames.ndim != 3:
        raise UserError(f"frames must have shape (frames, paths, d), not {frames.shape}")
    n = len(frames)
    x = frames - frames.mean(axis=(0, 1))
    squares = (x*x).sum(axis=2).mean(axis=1)
    total = np.concatenate(([0.0], np.cumsum(squares)))
    k = np.arange(n)
    ends = (total[n] - total[k]) + total[n - k]           # Σ over both ends of every pair k apart
    inner = sum(correlation(x[:, :, i], mean=0.0) for i in range(x.shape[2]))
    return np.maximum(ends/(n - k) - 2*inner, 0.0)


def effective_diffusion(start, end, time):
    """D_eff = Var(x(t) − x(0))/(2 d t) of independent paths, with the error of a variance.

    Parameters
    ----------
    start, end : (n, d) arrays
    time : float
    """
    moved = np.asarray(end, dtype=np.float64) - np.asarray(start, dtype=np.float64)
    squares = ((moved - moved.mean(axis=0))**2).mean(axis=1)
    scale, n = 1/(2*time), len(squares)
    return Estimate(float(squares.sum()/(n - 1)*scale), float(squares.std(ddof=1)/np.sqrt(n)*scale), float(n))


def response(perturbed, reference, strength):
    """(⟨A⟩_perturbed − ⟨A⟩_reference)/strength from runs with the same noise, path by path.

    The same seed gives the same noise, so the paths are paired and most of the scatter cancels.

    Parameters
    ----------
    perturbed, reference : (n,) arrays
        A of the same path with and without the perturbation.
    strength : float
    """
    difference = (np.asarray(perturbed, dtype=np.float64) - np.asarray(reference, dtype=np.float64))/strength
    return Estimate(float(difference.mean()), float(difference.std(ddof=1)/np.sqrt(len(difference))),
                    float(len(difference)))
