"""Heating: run data through a noising chain and book the work W_n of its likelihood bound.

W_n = ln q(x_n|x_{n−1}) − ln p(x_{n−1}|x_n) and W = Σ W_n − ln p(x_N), so that ⟨e^{−W}⟩_q = p_θ(x_0)
(Jarzynski, Neal) and −⟨W⟩ is the evidence lower bound (Sohl-Dickstein et al. 2015, 1503.03585, eq. 10–14).
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import log_ndtr

from ..errors import UserError
from ..ledger import Ledger, RunningMoments

PATHS = 2  # stream of the noising noise; sampling uses 0 and 1
CHANNELS = ("noising_work", "ancestral_work", "squared_error", "entropy_env", "heat")


@dataclass
class NoisingRun:
    """What heating the data cost.

    Attributes
    ----------
    work : (n,) array
        W per particle in nats, W = Σ W_n − ln p(x_N).
    ledger : Ledger
        One row a step n = 1 … N, from data to noise.
    x : (n, d) array
        The heated data.
    frames : (N + 1, kept, d) array or None
    """

    work: np.ndarray
    ledger: Ledger
    x: np.ndarray
    frames: np.ndarray = None

    def bound(self):
        """(mean, standard error) of W in nats: minus the evidence lower bound, −ln p_θ at most."""
        return self.work.mean(), self.work.std() / np.sqrt(max(len(self.work) - 1, 1))

    def bits_per_dim(self, d):
        """(mean, standard error) of the bound in bits per dimension."""
        mean, error = self.bound()
        return mean / (d * np.log(2)), error / (d * np.log(2))


def _log_normal(square, d, variance):
    return -0.5 * square / variance - 0.5 * d * np.log(2 * np.pi * variance)


def log_mass(x, mean, std, quantum):
    """ln of the mass a Gaussian puts on the cells of width `quantum` about x, summed over components.

    Cells are open at no end: for data on a lattice this is the exact decoder of Ho et al. 2020
    (2006.11239, eq. 13) up to its two outermost cells, which only lowers the bound.
    """
    hi, lo = (x - mean + 0.5 * quantum) / std, (x - mean - 0.5 * quantum) / std
    flip = lo > 0  # both ends in the upper tail: use the lower one, where log_ndtr keeps its digits
    hi, lo = np.where(flip, -lo, hi), np.where(flip, -hi, lo)
    top, bottom = log_ndtr(hi), log_ndtr(lo)
    return (top + np.log(-np.expm1(bottom - top))).sum(axis=1)


def heat(chain, denoise, data, seed, device, quantum=None, batch=1000, frames=0, variance=None):
    """Noise `data` along `chain` and book the work against the reverse kernels of `denoise`.

    Parameters
    ----------
    chain : schedules.Chain
        Index 0 is the data end; with noise_0 = 0 the chain starts at the data themselves, otherwise at
        x_0 + noise_0·n, and the books then cover [noise_0, noise_N] only.
    denoise : callable (y, sigma) → E[x_0|y], y = x/alpha in units of the data
    data : (n, d) array
    seed : int
    device : Cpu or Gpu
    quantum : float, optional
        Lattice constant of discrete data: the last reverse step is then the probability *mass* of the
        data's cell and W bounds the code length; otherwise W bounds minus a log density.
    variance : callable (y, sigma, sigma_next) → (m, d), or what broadcasts to it, optional
        Reverse variances of y' at σ' given y at σ, in the place of the chain's, an array of the device: the same
        that sampling takes (`samplers.DDPM`); `variance` of a `score.reverse.Learned` or `score.reverse.Least`.

    Returns
    -------
    NoisingRun
    """
    data = np.asarray(data, float)
    if data.ndim != 2 or not np.all(np.isfinite(data)):
        raise UserError("data to heat must be a finite array of shape (n, d)")
    n, d = data.shape
    N = len(chain)
    work, x_end = np.zeros(n), np.empty((n, d))
    paths = np.empty((N + 1, min(frames, n), d)) if frames else None
    columns = [{name: RunningMoments() for name in CHANNELS} for _ in range(N)]
    for first in range(0, n, batch):
        m = min(batch, n - first)
        shown = max(0, min(frames - first, m))
        x0 = device.asarray(data[first : first + m])
        x = chain.alpha[0] * x0
        if chain.noise[0] > 0:
            x = x + chain.noise[0] * device.normals(seed, PATHS, 0, m, d, first=first)
        if shown:
            paths[0, first : first + shown] = device.to_host(x[:shown])
        for k in range(1, N + 1):
            a, b = chain.forward(k)
            c_x, c_0, v = chain.reverse(k)
            z = device.normals(seed, PATHS, k, m, d, first=first)
            x_new = a * x + b**0.5 * z
            y = x_new / chain.alpha[k]
            D = denoise(y, chain.sigma(k))
            if variance is not None:
                told = variance(y, chain.sigma(k), chain.sigma(k - 1))
                v = chain.alpha[k - 1] ** 2 * device.xp.broadcast_to(device.xp.asarray(told), y.shape)
            error = device.to_host(((x0 - D) ** 2).sum(axis=1))
            ahead = _log_normal(device.to_host((z * z).sum(axis=1)), d, 1.0) - 0.5 * d * np.log(b)
            mean = c_x * x_new + c_0 * D
            if k == 1 and quantum and chain.noise[0] == 0:
                std = v**0.5 if variance is None else device.to_host(v) ** 0.5
                behind = log_mass(device.to_host(x), device.to_host(mean), std, chain.alpha[0] * quantum)
            elif variance is None:
                behind = _log_normal(device.to_host(((x - mean) ** 2).sum(axis=1)), d, v)
            else:
                behind = device.to_host(-0.5 * ((x - mean) ** 2 / v + device.xp.log(2 * np.pi * v)).sum(axis=1))
            books = {"noising_work": ahead - behind, "squared_error": error}
            if chain.noise[k - 1] > 0:
                jump = chain.sigma(k - 1) ** -2 - chain.sigma(k) ** -2
                books["ancestral_work"] = 0.5 * jump * error
            # ln q(x'|x) − ln q(x|x') of the noising kernel: zero for free diffusion, where a = 1
            back = device.to_host(((x - a * x_new) ** 2).sum(axis=1))
            books["entropy_env"] = ahead - _log_normal(back, d, b)
            books["heat"] = -books["entropy_env"]
            for name, values in books.items():
                columns[k - 1][name].add(values)
            work[first : first + m] += books["noising_work"]
            x = x_new
            if shown:
                paths[k, first : first + shown] = device.to_host(x[:shown])
        x_end[first : first + m] = device.to_host(x)
    work -= _log_normal((x_end**2).sum(axis=1), d, chain.prior_variance)
    ledger = Ledger(
        "noising_step",
        {"sigma": chain.noise[:-1] / chain.alpha[:-1], "sigma_next": chain.noise[1:] / chain.alpha[1:]},
        {name: np.array([c[name].mean for c in columns]) for name in CHANNELS},
        {name: np.array([c[name].variance for c in columns]) for name in CHANNELS},
        n,
        {"ancestral_work": "first step from clean data: λ is infinite there"} if chain.noise[0] == 0 else {},
    )
    return NoisingRun(work, ledger, x_end, paths)


def squared_error_curve(denoise, data, sigmas, seed, device, replicas=4, batch=1000):
    """mse(σ) = E‖x_0 − D(x_0 + σn; σ)‖², the same noise n at every level so that the curve is smooth.

    Parameters
    ----------
    sigmas : (M,) array
    replicas : int
        Noise draws per data point.

    Returns
    -------
    (M, n) array
        ‖x_0 − D‖², summed over dimensions, averaged over replicas; its mean over n is the curve.
    """
    data = np.asarray(data, float)
    n, d = data.shape
    per_point = np.zeros((len(sigmas), n))
    for first in range(0, n, batch):
        x0 = device.asarray(data[first : first + batch])
        for r in range(replicas):
            z = device.normals(seed, PATHS + 1, r, len(x0), d, first=first)
            for i, sigma in enumerate(sigmas):
                D = denoise(x0 + float(sigma) * z, float(sigma))
                per_point[i, first : first + len(x0)] += device.to_host(((x0 - D) ** 2).sum(axis=1))
    return per_point / replicas
