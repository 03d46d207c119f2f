"""A network that knows timesteps of a variance-preserving chain, asked for ε, v or x_0 on images, as denoiser D(x, σ).

Such a network was trained on x_t = √ᾱ_t x_0 + √(1 − ᾱ_t) ε for whole t = 0 … T − 1. In units of the data that is
x = x_t/√ᾱ_t = x_0 + σ_t ε with σ_t = √((1 − ᾱ_t)/ᾱ_t), hence x_t = x/√(1 + σ²): a table of noise levels is all that
lies between it and any sampler, grid and ledger of this house. Arithmetic only: any array library will do.
"""

import numpy as np

from ..errors import UserError
from .parametrisation import NoisePrediction

ROUNDING = 1e-6  # tables and grids pass through float32 on their way between libraries


class Timesteps:
    """The noise levels σ_t that a chain was trained at.

    Between them t is interpolated linearly in ln σ; past their ends there is nothing to ask.

    Parameters
    ----------
    alpha_bar : (T,) array
        ᾱ_t, falling, between 0 and 1 (``alphas_cumprod`` in diffusers).

    Attributes
    ----------
    sigmas : (T,) array
        σ_t, rising, in units of the data.

    Raises
    ------
    UserError
        For anything else. A chain that ends in pure noise (ᾱ = 0) has no σ there: leave that timestep out.
    """

    def __init__(self, alpha_bar):
        a = np.asarray(alpha_bar, float)
        if a.ndim != 1 or len(a) < 2 or not (np.all(np.diff(a) < 0) and 0 < a[-1] and a[0] < 1):
            raise UserError("a table of timesteps needs alpha_bar falling from step to step between 1 and 0, both left "
                            "out: "
                            "leave out timesteps of pure noise (alpha_bar = 0)")
        self.sigmas = np.sqrt((1 - a) / a)

    def __len__(self):
        return len(self.sigmas)

    def time(self, sigma):
        """Timesteps of noise levels, of any shape: fractional between those of the table.

        Raises
        ------
        UserError
            For levels outside the table, 0 among them.
        """
        sigma, (low, high) = np.asarray(sigma, float), self.sigmas[[0, -1]]
        if not (np.all(sigma >= low * (1 - ROUNDING)) and np.all(sigma <= high * (1 + ROUNDING))):
            raise UserError(f"noise level {_outside(sigma, low, high):g} leaves the network's timesteps, {low:g} … "
                            f"{high:g}: "
                            "give sigma_max and sigma_min between these")
        return np.interp(np.log(sigma), np.log(self.sigmas), np.arange(len(self)))

    def sigma(self, time):
        """Noise levels of timesteps, whole or fractional: `time` backwards."""
        return np.exp(np.interp(time, np.arange(len(self)), np.log(self.sigmas)))

    def whole(self, sigmas):
        """The whole timesteps nearest to falling noise levels, each of them once, (N,) int.

        Where levels lie closer than the table's, the colder ones make way.

        Raises
        ------
        UserError
            For more levels than timesteps, or levels outside the table.
        """
        n = len(sigmas)
        if n > len(self):
            raise UserError(f"{n} noise levels are more than the {len(self)} timesteps: ask for fewer steps")
        k = np.arange(n)
        falling = np.minimum.accumulate(np.rint(self.time(sigmas)).astype(int) + k) - k
        return np.maximum(falling, n - 1 - k)  # as many as follow must find room above 0

    def stops(self, sigmas):
        """Whole timesteps at which a grid of N steps asks, (N,) int:
        those of all its N + 1 levels but the last, which may be 0."""
        sigmas = np.asarray(sigmas, float)
        return self.whole(sigmas[sigmas > 0])[: len(sigmas) - 1]  # the last one, too, wants a timestep of its own


def _outside(sigma, low, high):
    """The first level that is not between the two."""
    return next(s for s in np.ravel(sigma) if not low * (1 - ROUNDING) <= s <= high * (1 + ROUNDING))


class TimestepDenoiser:
    """D(x, σ) = c_skip x + c_out F(x/√(1 + σ²), t(σ)) of a network F on images of a variance-preserving chain.

    Source: Karras et al. 2022 (2206.00364), table 1: c_in and c_noise of VP, which asks at fractional t, and of iDDPM,
    which rounds to a level of the table; app. C.3 on networks that were trained at discrete levels.

    Parameters
    ----------
    network : callable (x_t, t) → prediction
        x_t (n, *shape) of unit variance if the data are, t a float. Answers an array like x_t.
    timesteps : Timesteps
    prediction : parametrisation, optional
        What it predicts, for data in units of their own (σ_d = 1):
        NoisePrediction, VelocityPrediction, CleanPrediction ...
    shape : tuple of int, optional
        Of one image: (c, h, w). Particles are rows; without it the network sees rows, too.
    whole : bool
        Round t, for a network with a table of embeddings; x and σ stay as they are.

    Called with x (n, d) and a float σ it returns E[x_0|x], (n, d), of the library that the network answers in.

    Raises
    ------
    UserError
        When called: σ outside the table, rows that are no such image, an answer of another shape.
    """

    def __init__(self, network, timesteps, prediction=NoisePrediction(), shape=None, whole=False):
        self.network, self.timesteps, self.prediction = network, timesteps, prediction
        self.shape, self.whole = None if shape is None else tuple(shape), whole

    def __call__(self, x, sigma):
        if self.shape is not None and (len(x.shape) != 2 or x.shape[1] != np.prod(self.shape)):
            raise UserError(f"particles of shape {tuple(x.shape)} are no rows of images {self.shape}: give (n, "
                            f"{np.prod(self.shape)})")
        t = float(self.timesteps.time(sigma))
        images = x / (1 + float(sigma) ** 2) ** 0.5
        images = images if self.shape is None else images.reshape(-1, *self.shape)
        told = self.network(images, round(t) if self.whole else t)
        if tuple(told.shape) != tuple(images.shape):
            raise UserError(f"the network answers shape {tuple(told.shape)} to images of shape {tuple(images.shape)}; "
                            "it must return one prediction a pixel")
        c_skip, c_out = self.prediction.coefficients(np, np.float64(sigma), 1.0)
        return float(c_skip) * x + float(c_out) * told.reshape(x.shape)
