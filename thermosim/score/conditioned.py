"""Conditioning: the denoiser of p(x_0)·r(x_0), up to its norm, from the denoiser of p alone.

Under noise the product stays p_σ(x)·r_σ(x) with r_σ(x) = E[r(x_0)|x], and its denoiser is

    D̃(x; σ) = E[x_0 r(x_0)|x] / E[r(x_0)|x] = D + σ²∇ln r_σ(x)

so that every sampler runs on it as it is; the reverse chain's mean is shifted by ∝ ∇ln r_σ, as in
Sohl-Dickstein et al. 2015 (1503.03585), §2.5, whose r(x_t) is chosen here as the one that keeps the kernels
normalised. What x_0 is given x is taken as N(D, C) with its true covariance C = σ²∂D/∂x (Robbins 1956; second
order as in Boys et al. 2023, 2310.06721): exact where the data are Gaussian, and to second order elsewhere.
For a mixture and a linear observation `observe` is exact.
"""

import numpy as np

from ..backend.cpu.device import Cpu
from ..errors import UserError
from .exact import GaussianMixture

STEP = 1e-4  # of central differences, in units of σ
POINTS = 11  # stream of the points of Tilt beyond three dimensions


def directional(denoise, x, sigma, direction):
    """σ²·∂D/∂x along `direction` (d,), by central differences:
    a column of C where direction is a unit vector, (n, d)."""
    h = STEP * sigma
    return sigma**2 * (denoise(x + h * direction, sigma) - denoise(x - h * direction, sigma)) / (2 * h)


class Observation:
    """r(x_0) = N(y; A x_0, noise²): what was seen of x_0, linearly and through Gaussian noise.

    Parameters
    ----------
    A : (m, d) array
    y : (m,) array
    noise : float
        Standard deviation; 0 pins A x_0 = y, and A then needs independent rows.

    Raises
    ------
    UserError
        Shapes that do not fit, negative noise, or dependent rows without noise.
    """

    def __init__(self, A, y, noise=0.0):
        self.A, self.y, self.noise = np.asarray(A, float), np.asarray(y, float), float(noise)
        if self.A.ndim != 2 or self.y.shape != self.A.shape[:1] or not len(self.y):
            raise UserError(f"an observation needs A (m, d) and y (m,), not {self.A.shape} and {self.y.shape}")
        if not (np.isfinite(self.A).all() and np.isfinite(self.y).all() and 0 <= self.noise < np.inf):
            raise UserError("an observation needs finite A and y and a finite noise >= 0")
        if self.noise == 0 and np.linalg.matrix_rank(self.A) < len(self.A):
            raise UserError("rows of A that depend on each other cannot all be seen without noise; drop some or give "
                            "noise")

    def update(self, x, sigma, D, denoise, device):
        """D + CAᵀ(ACAᵀ + noise²)⁻¹(y − AD): E[x_0|x, y] for x_0|x ~ N(D, C). 2m evaluations."""
        xp = device.xp
        A, y = device.asarray(self.A), device.asarray(self.y)
        CA = xp.stack([directional(denoise, x, sigma, a) for a in A], axis=2)
        # one particle at a time: the same bits in any batch
        S = (A[None, :, :, None] * CA[:, None, :, :]).sum(axis=2)
        S = 0.5 * (S + xp.swapaxes(S, 1, 2)) + self.noise**2 * xp.eye(len(y))
        miss = y - (A[None] * D[:, None, :]).sum(axis=2)
        return D + (CA * xp.linalg.solve(S, miss[:, :, None])[:, None, :, 0]).sum(axis=2)


class Tilt:
    """Any r(x_0), by its logarithm: E[x_0 r]/E[r] over points of N(D, C).

    Parameters
    ----------
    log_r : callable (x (n, d)) → (n,)
        May be −∞ where r = 0, but not everywhere that x_0 can be.
    points : int
        At most so many: a product trapezium rule over ±9 standard deviations up to three dimensions (at most
        256 points along one), fixed normals above.

    Raises
    ------
    UserError
        Fewer than 8 points.
    """

    def __init__(self, log_r, points=4096):
        if points < 8:
            raise UserError(f"r is averaged over at least 8 points, not {points}")
        self.log_r, self.points = log_r, int(points)

    def rule(self, d, device):
        """(z, ln w): points (K, d) of the standard normal and their weights (K,), up to a factor."""
        if d <= 3:
            # the trapezium rule is exact to rounding on what is smooth over a step
            z = np.linspace(-9.0, 9.0, min(256, int(self.points ** (1 / d) + 1e-9)))
            z = np.stack(np.meshgrid(*[z] * d, indexing="ij"), axis=-1).reshape(-1, d)
            return z, -0.5 * (z * z).sum(axis=1)
        half = device.to_host(device.normals(0, POINTS, 0, self.points // 2, d))
        return np.concatenate([half, -half]), np.zeros(2 * len(half))

    def update(self, x, sigma, D, denoise, device):
        """Σ_k w_k r(x_k)x_k / Σ_k w_k r(x_k), x_k = D + C^{1/2}z_k. 2d evaluations."""
        xp, d = device.xp, x.shape[1]
        C = xp.stack([directional(denoise, x, sigma, e) for e in device.asarray(np.eye(d))], axis=2)
        values, V = xp.linalg.eigh(0.5 * (C + xp.swapaxes(C, 1, 2)))
        root = V * xp.sqrt(xp.maximum(values, 0.0))[:, None, :]
        z, log_w = self.rule(d, device)

        def point(k):
            return D + (root * device.asarray(z[k])).sum(axis=2)

        logs = xp.stack([self.log_r(point(k)) + log_w[k] for k in range(len(z))])
        weights = xp.exp(logs - logs.max(axis=0))
        weights = weights / weights.sum(axis=0)
        return sum(weights[k][:, None] * point(k) for k in range(len(z)))


class Conditioned:
    """Denoiser of the law multiplied by r; runs under any sampler, ledger and all.

    Parameters
    ----------
    denoise : callable (x, sigma) → E[x_0|x]
        Of the law itself.
    r : Observation or Tilt
    device : Cpu or Gpu, optional
        Where x lives.
    """

    def __init__(self, denoise, r, device=None):
        self.denoise, self.r, self.device = denoise, r, device or Cpu()

    def __call__(self, x, sigma):
        return self.r.update(x, sigma, self.denoise(x, sigma), self.denoise, self.device)


def inpainting(denoise, known, device=None):
    """The denoiser of what is left open when some components are known.

    Parameters
    ----------
    denoise : callable (x, sigma) → E[x_0|x]
    known : (d,) array
        Their values; NaN where a component is open.

    Raises
    ------
    UserError
        Nothing known.
    """
    known = np.asarray(known, float)
    seen = np.isfinite(known)
    if known.ndim != 1 or not seen.any():
        raise UserError("inpainting needs a vector with at least one known component, and NaN for the open ones")
    return Conditioned(denoise, Observation(np.eye(len(known))[seen], known[seen]), device)


def denoising(denoise, seen, noise, device=None):
    """The denoiser of x_0 given one noisy sight of all of it, y = x_0 + noise·n.

    Parameters
    ----------
    denoise : callable (x, sigma) → E[x_0|x]
    seen : (d,) array
    noise : float
        > 0.
    """
    return Conditioned(denoise, Observation(np.eye(len(seen)), seen, noise), device)


def observe(mixture, observation):
    """A mixture multiplied by an `Observation`, exactly: a mixture again.

    Each component is updated as a Gaussian is, and its weight by the likelihood N(y; Aμ, ACAᵀ + noise²).

    Parameters
    ----------
    mixture : GaussianMixture
    observation : Observation

    Returns
    -------
    GaussianMixture
    """
    A, d = observation.A, mixture.d
    V = np.broadcast_to(np.eye(d), (len(mixture.weights), d, d)) if mixture.eigvecs is None else mixture.eigvecs
    log_w, means, covariances = [], [], []
    for w, mu, values, vectors in zip(mixture.weights, mixture.means, mixture.eigvals, V):
        C = (vectors * values) @ vectors.T
        S = A @ C @ A.T + observation.noise**2 * np.eye(len(A))
        gain = np.linalg.solve(S, A @ C).T
        miss = observation.y - A @ mu
        log_w.append(np.log(w) - 0.5 * (miss @ np.linalg.solve(S, miss) + np.linalg.slogdet(2 * np.pi * S)[1]))
        means.append(mu + gain @ miss)
        left = np.eye(d) - gain @ A  # Joseph's form keeps the covariance positive
        updated = left @ C @ left.T + observation.noise**2 * gain @ gain.T
        covariances.append(0.5 * (updated + updated.T))
    weights = np.exp(np.array(log_w) - max(log_w))
    kept = weights > 1e-300 * weights.sum()
    return GaussianMixture(weights[kept] / weights[kept].sum(), np.array(means)[kept], np.array(covariances)[kept])
