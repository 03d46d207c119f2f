"""Heating binary data: the work of a binomial chain against a denoiser's reverse kernels, step by step.

As for Gaussian noise (`runs.noising`): W = Σ W_n − ln p(x_T), ⟨e^{−W}⟩_q = p_θ(x_0), −⟨W⟩ the bound K.
"""

import numpy as np

from ..binomial import log_bernoulli
from ..errors import UserError
from ..ledger import Ledger, RunningMoments
from .noising import NoisingRun

FLIPS = 12  # stream of the sites' flips
CHANNELS = ("noising_work", "entropy_env", "heat")


def reverse_probability(chain, denoise, x, t, edge=False):
    """P(x_{t−1,i} = 1|x_t) of the reverse chain, (n, L).

    Parameters
    ----------
    chain : BinomialChain
    denoise : callable (x, t) → P(x_{0,i} = 1|x_t)
    edge : bool
        The edge convention of Sohl-Dickstein et al. 2015 (1503.03585, appendix A.2): p(x_0|x_1) = q(x_1|x_0),
        nothing is learned for the last step. Without it the last step is like every other.
    """
    if edge and t == 1:
        return np.where(x == 1, 1 - 0.5 * chain.beta(1), 0.5 * chain.beta(1))
    return chain.reverse(x, t, denoise(x, t))


def heat_binary(chain, denoise, data, seed, device, edge=False, frames=0, progress=iter):
    """Noise binary `data` (n, L) along `chain` and book the work of its reverse.

    Parameters
    ----------
    chain : BinomialChain
    denoise : callable (x, t) → P(x_{0,i} = 1|x_t)
    seed : int
    device : Cpu
        Of the random words.
    edge : bool
        See `reverse_probability`.
    frames : int
        Sequences whose whole path is kept.
    progress : callable over the steps
        Such as a `files.progress.Progress`.

    Returns
    -------
    NoisingRun
        With the ledger's columns noising_work, and entropy_env and heat, which are 0: the kernel is symmetric.
    """
    data = np.asarray(data)
    if data.ndim != 2 or data.size == 0 or not np.isin(data, (0, 1)).all():
        raise UserError("binary data to heat must be an array of 0 and 1 of shape (n, L)")
    x = data.astype(np.uint8)
    n, L = x.shape
    work = np.zeros(n)
    paths = np.empty((len(chain) + 1, min(frames, n), L), np.uint8) if frames else None
    columns = {name: np.zeros((2, len(chain))) for name in CHANNELS}
    if frames:
        paths[0] = x[:frames]
    for t in progress(range(1, len(chain) + 1)):
        uniform = (device.words(seed, FLIPS, t, n, L) + 0.5) / 2.0**32
        x_new = chain.step(x, t, uniform)
        p = reverse_probability(chain, denoise, x_new, t, edge)
        step = chain.log_forward(x, x_new, t) - log_bernoulli(x, p)
        work += step
        moments = RunningMoments()
        moments.add(step)
        columns["noising_work"][:, t - 1] = moments.mean, moments.variance
        x = x_new
        if frames:
            paths[t] = x[:frames]
    work += L * np.log(2)
    t = np.arange(1, len(chain) + 1)
    ledger = Ledger("noising_step", {"time": t.astype(float)}, {k: v[0] for k, v in columns.items()},
                    {k: v[1] for k, v in columns.items()}, n)
    return NoisingRun(work, ledger, x, paths)


def cool_binary(chain, denoise, n, L, seed, device, frames=None, known=None):
    """n sequences of the reverse chain, (n, L), or the frames asked for, (len(frames), n, L).

    Parameters
    ----------
    frames : sequence of int, optional
        Times, falling, at which to keep the sequences.
    known : (L,) array, optional
        Inpainting: sites pinned to 0 or 1 at every step, as in the paper's §2.5, and −1 where a site is open.
        A heuristic: the denoiser takes the pinned sites for noisy ones and believes them less than it could.
    """
    kept, pinned = [], None if known is None else np.asarray(known) >= 0
    x = ((device.words(seed, FLIPS + 1, 0, n, L) >> 31) & 1).astype(np.uint8)
    for t in range(len(chain), 0, -1):
        if frames is not None and t in frames:
            kept.append(x.copy())
        if pinned is not None:
            x[:, pinned] = known[pinned]
        p0 = denoise(x, t)
        if pinned is not None:
            p0[:, pinned] = known[pinned]
        uniform = (device.words(seed, FLIPS + 1, t, n, L) + 0.5) / 2.0**32
        x = (uniform < chain.reverse(x, t, p0)).astype(np.uint8)
    return x if frames is None else np.stack([*kept, x])
