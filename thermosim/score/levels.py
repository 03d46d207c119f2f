"""What a loss draws: minibatches of data and noise, and noise levels; all functions of seed and step."""
from dataclasses import dataclass

import numpy as np

from ..errors import UserError

# Philox streams of training, one for each use, so that none shares numbers with another
INDEX, LEVEL, NOISE = 0x7161, 0x7162, 0x7163


class Minibatches:
    """Clean points and unit noise of minibatch number `step`.

    Parameters
    ----------
    data : array, (n, d)
        Centred clean data, on the device, in the network's dtype.
    batch : int
        Points of a minibatch.
    seed : int
    device : Cpu or Gpu
    """

    def __init__(self, data, batch, seed, device):
        self.data, self.batch, self.seed, self.device = data, batch, seed, device
        self._noise = device.xp.empty((batch, data.shape[1]), data.dtype)

    def clean(self, step):
        """(batch, d), drawn with replacement."""
        words = self.device.words(self.seed, INDEX, step, self.batch, 1)[:, 0]
        return self.data[(words.astype(np.uint64) * len(self.data)) >> 32]

    def noise(self, step, stream=NOISE):
        """Standard normals (batch, d), in a buffer that the next call overwrites."""
        n, d = self._noise.shape
        return self.device.normals(self.seed, stream, step, n, d, dtype=self._noise.dtype, out=self._noise)

    def level_normals(self, step):
        """(batch,) float64, for a loss's noise levels."""
        return self.device.normals(self.seed, LEVEL, step, self.batch, 1)[:, 0]

    def level_uniforms(self, step):
        """(batch,) in (0, 1), instead of `level_normals`."""
        return (self.device.words(self.seed, LEVEL, step, self.batch, 1)[:, 0] + 0.5) / 2.0**32


@dataclass(frozen=True)
class LogNormal:
    """ln σ normal with mean P_mean and deviation P_std, held within [ln σ_min, ln σ_max].

    Source: Karras et al. 2022 (2206.00364), §5.
    """

    P_mean: float = -0.8
    P_std: float = 1.2
    sigma_min: float = 0.01
    sigma_max: float = 20.0

    def draw(self, batches, step):
        """(batch,) noise levels."""
        xp, ends = batches.device.xp, (np.log(self.sigma_min), np.log(self.sigma_max))
        return xp.exp(xp.clip(self.P_mean + self.P_std * batches.level_normals(step), *ends))


@dataclass(frozen=True, eq=False)
class Among:
    """One of given noise levels, each as likely as the others unless `probabilities` says otherwise.

    Over the levels of a DDPM chain it is the law of Ho, Jain, Abbeel 2020 (2006.11239), algorithm 1.

    Parameters
    ----------
    sigmas : (N,) array, > 0
    probabilities : (N,) array, optional
        > 0, summing to one.

    Raises
    ------
    UserError
        If there is no level, one is not positive, or the probabilities are none.
    """

    sigmas: np.ndarray
    probabilities: np.ndarray = None

    def __post_init__(self):
        sigmas, p = np.asarray(self.sigmas, float), self.probabilities
        if sigmas.ndim != 1 or not len(sigmas) or not np.all(sigmas > 0):
            raise UserError("noise levels to draw from must be a list of positive numbers")
        if p is not None and (np.shape(p) != sigmas.shape or not np.all(np.asarray(p) > 0)
                              or abs(np.sum(p) - 1) > 1e-9):
            raise UserError(f"probabilities of {len(sigmas)} noise levels must be as many positive numbers that sum to "
                            "one")

    def places(self, batches, step):
        """(batch,) indices into `sigmas`."""
        xp, count = batches.device.xp, len(self.sigmas)
        uniform = batches.level_uniforms(step)
        if self.probabilities is None:
            return (uniform * count).astype(np.int64)
        steps = xp.searchsorted(xp.asarray(np.cumsum(self.probabilities)), uniform)
        return xp.minimum(steps, count - 1)     # the sum may end a rounding below one

    def draw(self, batches, step):
        """(batch,) noise levels."""
        return batches.device.xp.asarray(self.sigmas, np.float64)[self.places(batches, step)]
