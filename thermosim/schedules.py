"""Noise: how it grows with time (processes) and where a sampler stops on the way (grids).

A process noises data as x_t = α(t)·x_0 + s(t)·n with n ~ N(0, 1) and is at the same time a Langevin
process dx = f dt + √(2D) dw: VP is an overdamped particle in U = x²/2 at
T = 1, VE and EDM are free diffusion. A grid is a plain falling array of noise levels σ = s/α, both
ends included, that any sampler (ours or another library's) takes as its ``sigmas``.
"""

from dataclasses import dataclass

import numpy as np

from .errors import UserError


# --- processes ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class VP:
    """Variance preserving: dx = −½β x dt + √β dw, U = x²/2, T = 1, mobility β/2.

    β(t) rises linearly from `beta_min` to `beta_max` over 0 ≤ t ≤ 1; equal ends make it constant.

    Source: Song et al. 2021 (2011.13456), eq. 11 and 32.
    """

    beta_min: float = 0.1
    beta_max: float = 20.0

    def beta(self, t):
        """β(t)."""
        return self.beta_min + (self.beta_max - self.beta_min) * t

    def B(self, t):
        """∫₀ᵗ β."""
        return self.beta_min * t + 0.5 * (self.beta_max - self.beta_min) * t * t

    def time_of_B(self, B):
        """The time at which ∫β has reached B."""
        slope, b = self.beta_max - self.beta_min, self.beta_min
        # the rationalised root of ½ slope t² + b t − B = 0 holds for slope = 0 too
        return 2 * B / (b + np.sqrt(b * b + 2 * slope * B))

    def time(self, sigma):
        """The time at which noise/alpha is `sigma`: a grid of noise levels as timesteps."""
        return self.time_of_B(np.log1p(np.square(sigma)))

    def alpha(self, t):
        """α(t) = e^{−½∫β}."""
        return np.exp(-0.5 * self.B(t))

    def noise(self, t):
        """s(t), s² = 1 − e^{−∫β}."""
        return np.sqrt(-np.expm1(-self.B(t)))

    def drift_rate(self, t):
        """f = drift_rate·x."""
        return -0.5 * self.beta(t)

    def diffusivity(self, t):
        """D = β/2."""
        return 0.5 * self.beta(t)

    def bath_temperature(self, t):
        """T = 1."""
        return np.ones_like(np.asarray(t, float))


@dataclass(frozen=True)
class SubVP(VP):
    """Sub-VP: the drift of VP with less noise; U = x²/2 in a bath of T = 1 − e^{−2B}.

    Source: Song et al. 2021 (2011.13456), eq. 29.
    """

    def time(self, sigma):
        """The time at which noise/alpha is `sigma`."""
        return self.time_of_B(2 * np.arcsinh(0.5 * np.asarray(sigma, float)))

    def noise(self, t):
        """s(t) = 1 − e^{−∫β}."""
        return -np.expm1(-self.B(t))

    def diffusivity(self, t):
        """D = βT/2."""
        return 0.5 * self.beta(t) * self.bath_temperature(t)

    def bath_temperature(self, t):
        """T = 1 − e^{−2∫β}."""
        return -np.expm1(-2 * self.B(t))


class _Free:
    """Free diffusion: no energy, so no bath temperature either, only a diffusivity."""

    def alpha(self, t):
        return np.ones_like(np.asarray(t, float))

    def drift_rate(self, t):
        return np.zeros_like(np.asarray(t, float))

    def bath_temperature(self, t):
        return np.full_like(np.asarray(t, float), np.nan)


@dataclass(frozen=True)
class VE(_Free):
    """Variance exploding: dx = √(dσ²/dt) dw, σ(t) = σ_min (σ_max/σ_min)^t.

    Source: Song et al. 2021 (2011.13456), eq. 30.
    """

    sigma_min: float = 0.01
    sigma_max: float = 50.0

    def time(self, sigma):
        """The time at which the noise is `sigma`."""
        return np.log(np.asarray(sigma, float) / self.sigma_min) / np.log(self.sigma_max / self.sigma_min)

    def noise(self, t):
        """s(t) = σ(t)."""
        return self.sigma_min * (self.sigma_max / self.sigma_min) ** t

    def diffusivity(self, t):
        """D = ½dσ²/dt."""
        return self.noise(t) ** 2 * np.log(self.sigma_max / self.sigma_min)


@dataclass(frozen=True)
class EDM(_Free):
    """σ = t: dx = √(2t) dw, D = t. Source: Karras et al. 2022 (2206.00364), Table 1."""

    def time(self, sigma):
        """The time at which the noise is `sigma`: itself."""
        return np.asarray(sigma, float)

    def noise(self, t):
        """s(t) = t."""
        return np.asarray(t, float)

    def diffusivity(self, t):
        """D = t."""
        return np.asarray(t, float)


# --- a chain: a process on a grid of times ----------------------------------------------------------


@dataclass(frozen=True)
class Chain:
    """A Gaussian noising chain x_n ~ q(x_n | x_{n−1}), n = 1 … N, and its reverse kernels.

    Parameters
    ----------
    alpha, noise : (N + 1,) arrays
        x_n = alpha_n·x_0 + noise_n·n; index 0 is the data end (noise_0 = 0 there or a small σ_min).
    variance : {"posterior", "beta"} or (N,) array
        Variance of p(x_{n−1}|x_n): that of q(x_{n−1}|x_n, x_0) (β̃), that of q(x_n|x_{n−1}) (β), or one's own
        for n = 1 … N (see `thermo.work.least_variances`). Where β̃ is zero (noise_0 = 0) β stands in its place.
    prior_variance : float, optional
        Per component of the Gaussian p(x_N) that sampling starts from; noise_N² unless given.

    Source: Ho, Jain, Abbeel 2020 (2006.11239), eq. 6–7 and §3.2.
    """

    alpha: np.ndarray
    noise: np.ndarray
    variance: str = "posterior"
    prior_variance: float = None  # of p(x_N); None: noise_N², the law of pure noise

    def __post_init__(self):
        if isinstance(self.variance, str) and self.variance not in ("posterior", "beta"):
            raise UserError(f"reverse variance {self.variance!r} is unknown: use 'posterior' or 'beta'")
        if not isinstance(self.variance, str) and (np.shape(self.variance) != (len(self),)
                                                   or not np.all(np.asarray(self.variance) > 0)):
            raise UserError(f"a chain of {len(self)} steps needs as many reverse variances > 0")
        if np.any(np.diff(self.noise / self.alpha) <= 0):
            raise UserError("a noising chain needs noise/alpha rising from step to step")
        if self.prior_variance is None:
            object.__setattr__(self, "prior_variance", float(self.noise[-1]) ** 2)

    def __len__(self):
        return len(self.alpha) - 1

    def forward(self, n):
        """(a, b) of q(x_n|x_{n−1}) = N(a·x_{n−1}, b)."""
        a = self.alpha[n] / self.alpha[n - 1]
        return a, self.noise[n] ** 2 - (a * self.noise[n - 1]) ** 2

    def reverse(self, n):
        """(c_x, c_0, v) of p(x_{n−1}|x_n) = N(c_x·x_n + c_0·D, v), D the denoised x_n."""
        a, b = self.forward(n)
        shrink = (self.noise[n - 1] / self.noise[n]) ** 2
        c_x, c_0 = a * shrink, self.alpha[n - 1] * b / self.noise[n] ** 2
        if not isinstance(self.variance, str):
            return c_x, c_0, float(self.variance[n - 1])
        posterior = b * shrink
        return c_x, c_0, posterior if self.variance == "posterior" and posterior > 0 else b

    def sigma(self, n):
        """Noise level in units of the data, noise/alpha."""
        return self.noise[n] / self.alpha[n]

    @property
    def sigmas(self):
        """Its noise levels from noise to data, (N + 1,): the grid of a sampler that runs it backwards."""
        return (self.noise / self.alpha)[::-1]


def ve_chain(sigmas, variance="posterior"):
    """The VE chain over noise levels `sigmas` (either order)."""
    levels = np.sort(np.asarray(sigmas, float))
    return Chain(np.ones_like(levels), levels, variance)


def vp_chain(B, steps, variance="beta"):
    """The DDPM chain of equal steps in ∫β: β_n = 1 − e^{−B/N}, from clean data to the prior N(0, 1)."""
    b = np.linspace(0.0, B, steps + 1)
    return Chain(np.exp(-0.5 * b), np.sqrt(-np.expm1(-b)), variance, 1.0)


# --- grids: (sigma_max, sigma_min, steps) → (steps + 1,) falling noise levels --------------------------


def _checked(sigma_max, sigma_min, steps):
    if not (np.isfinite(sigma_max) and sigma_max > sigma_min > 0):
        raise UserError(f"noise levels must obey sigma_max > sigma_min > 0, not {sigma_max} and {sigma_min}")
    if int(steps) != steps or steps < 1:
        raise UserError(f"a grid needs a whole number of steps, at least 1, not {steps}")


def _with_ends(sigmas, sigma_max, sigma_min):
    """Rounding must not move the ends: two grids between the same ends share them exactly."""
    sigmas[0], sigmas[-1] = sigma_max, sigma_min
    return sigmas


def linear(sigma_max, sigma_min, steps, process=VP()):
    """Equal steps in the time of the linear-β VP process (DDPM; Ho et al. 2020, 2006.11239)."""
    _checked(sigma_max, sigma_min, steps)
    start, end = process.time(sigma_max), process.time(sigma_min)
    return _with_ends(np.sqrt(np.expm1(process.B(np.linspace(start, end, steps + 1)))), sigma_max, sigma_min)


def cosine(sigma_max, sigma_min, steps):
    """Equal steps in arctan σ: ᾱ = cos² (Nichol, Dhariwal 2021, 2102.09672)."""
    _checked(sigma_max, sigma_min, steps)
    angle = np.linspace(np.arctan(sigma_max), np.arctan(sigma_min), steps + 1)
    return _with_ends(np.tan(angle), sigma_max, sigma_min)


def karras(sigma_max, sigma_min, steps, rho=7.0):
    """Equal steps in σ^{1/ρ} (Karras et al. 2022, 2206.00364, eq. 5)."""
    _checked(sigma_max, sigma_min, steps)
    root = np.linspace(sigma_max ** (1 / rho), sigma_min ** (1 / rho), steps + 1)
    return _with_ends(root**rho, sigma_max, sigma_min)


def log_snr(sigma_max, sigma_min, steps):
    """Equal steps in ln σ (Lu et al. 2022, 2206.00927)."""
    _checked(sigma_max, sigma_min, steps)
    return _with_ends(np.geomspace(sigma_max, sigma_min, steps + 1), sigma_max, sigma_min)
