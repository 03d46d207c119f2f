"""Scores known exactly: Gaussians and their mixtures in any dimension, under noise of any level.

Each is at once a data density, its own exact denoiser, and so the yardstick of everything learned. The law of
a finite set of points is in `score.empirical`.
"""

import numpy as np

from ..backend.cpu.device import Cpu
from ..backend.cpu.mixture import mixture_covariance, mixture_denoise
from ..errors import UserError

DRAWS = 4  # stream of a density's own samples; 0, 1, 2, 3 belong to sampling and noising


class Exact:
    """What every exact law answers, of x (n, d) = x_0 + σn.

    ``law(x, sigma)`` is the denoiser D = E[x_0|x], (n, d); `log_density` is ln p_σ(x), (n,); `posterior_variance`
    is tr Cov[x_0|x], (n,). Score and divergence follow from them.
    """

    def score(self, x, sigma):
        """∇ln p_σ(x) = (D − x)/σ², (n, d) (Robbins 1956; Efron 2011)."""
        self._noisy(sigma)
        return (self(x, sigma) - x) / sigma**2

    def divergence(self, x, sigma):
        """∇·D = tr Cov[x_0|x]/σ², (n,), of the denoiser; that of the score is (∇·D − d)/σ²."""
        self._noisy(sigma)
        return self.posterior_variance(x, sigma) / sigma**2

    def _noisy(self, sigma):
        if not sigma > 0:
            raise UserError("a point mass has no score without noise; give sigma > 0")


class Gaussian(Exact):
    """N(μ, C) with a full covariance: two products of matrices, O(d²) a point.

    D = μ + V diag(l/(l + σ²)) Vᵀ(x − μ) with C = V diag(l) Vᵀ (Wiener's filter).

    Parameters
    ----------
    mean : (d,) array
    covariance : (d, d) array
        Symmetric, no eigenvalue negative; a zero one is a direction in which nothing varies.
    device : Cpu or Gpu, optional
        Whose arrays come and go.

    Raises
    ------
    UserError
        Shapes that do not fit, or no covariance.
    """

    def __init__(self, mean, covariance, device=None):
        mean = np.asarray(mean, float)
        if mean.ndim != 1 or np.shape(covariance) != 2 * mean.shape:
            raise UserError(f"a Gaussian needs a mean (d,) and a covariance (d, d), not {mean.shape} and "
                            f"{np.shape(covariance)}")
        self.d, self.device = len(mean), device or Cpu()
        values, vectors = eigen(np.asarray(covariance, float))
        self.mean, self.eigvals, self.eigvecs = (self.device.asarray(a) for a in (mean, values, vectors))

    def __call__(self, x, sigma):
        """E[x_0|x], (n, d), at noise level `sigma`."""
        gain = self.eigvals / (self.eigvals + self._variance(sigma))
        return self.mean + self._turn(gain * self._principal(x), self.eigvecs.T)

    def log_density(self, x, sigma=0.0):
        """ln p_σ(x), (n,)."""
        xp, v = self.device.xp, self.eigvals + self._variance(sigma)
        return -0.5 * ((self._principal(x) ** 2 / v).sum(axis=1) + xp.log(2 * np.pi * v).sum())

    def score(self, x, sigma=0.0):
        """∇ln p_σ(x), (n, d); without noise too, where C is regular."""
        return -self._turn(self._principal(x) / (self.eigvals + self._variance(sigma)), self.eigvecs.T)

    def posterior_variance(self, x, sigma):
        """tr Cov[x_0|x], (n,): the same everywhere."""
        return self.device.xp.full(len(x), self.mmse(sigma))

    def sample(self, n, seed, device, first=0):
        """Points `first` … `first + n − 1`, (n, d); they depend on (seed, index) alone."""
        z = device.normals(seed, DRAWS, 0, n, self.d, first=first)
        x = device.asarray(self.eigvals) ** 0.5 * z
        return device.asarray(self.mean) + device.matmul(x, device.asarray(self.eigvecs).T, device.xp.empty_like(x))

    def second_moment(self):
        """E‖x_0‖²."""
        return float(self.eigvals.sum() + (self.mean**2).sum())

    def mmse(self, sigma):
        """E‖x_0 − E[x_0|x]‖² = Σ lσ²/(l + σ²)."""
        return float((self.eigvals * sigma**2 / (self.eigvals + self._variance(sigma))).sum())

    def entropy(self, sigma=0.0):
        """h(x_0 + σn), nats."""
        return float(0.5 * self.device.xp.log(2 * np.pi * np.e * (self.eigvals + self._variance(sigma))).sum())

    def _principal(self, x):
        return self._turn(self.device.asarray(x, np.float64) - self.mean, self.eigvecs)

    def _turn(self, y, by):
        return self.device.matmul(y, by, self.device.xp.empty_like(y))

    def _variance(self, sigma):
        """σ², where it makes the covariance regular."""
        if not float(self.eigvals.min()) + sigma**2 > 0:
            raise UserError("a singular Gaussian has no density without noise; give sigma > 0")
        return sigma**2


def eigen(C):
    """Eigenvalues (…, d) and eigenvectors, as columns (…, d, d), of covariances (…, d, d).

    Raises
    ------
    UserError
        Not finite, not symmetric, or an eigenvalue below zero by more than rounding.
    """
    if not (np.isfinite(C).all() and np.allclose(C, np.swapaxes(C, -1, -2))):
        raise UserError("a covariance matrix is finite and symmetric")
    values, vectors = np.linalg.eigh(C)
    # a singular covariance comes out of eigh as −1e-17
    values[np.abs(values) < 1e-13 * np.abs(values).max()] = 0.0
    if np.any(values < 0):
        raise UserError("a covariance has no negative eigenvalue")
    return values, vectors


class GaussianMixture(Exact):
    """Σ_k w_k N(μ_k, C_k), and its law after x = x_0 + σn.

    Parameters
    ----------
    weights : (K,) array
        Positive, summing to one.
    means : (K, d) array
    covariances : array
        (K,) isotropic variances, (K, d) diagonal ones, or (K, d, d) matrices; zero is a point mass.

    Calling it gives the exact denoiser E[x_0|x] = x + σ²∇ln p_σ(x) (Robbins 1956; Efron 2011).
    """

    def __init__(self, weights, means, covariances):
        self.weights, self.means = np.asarray(weights, float), np.asarray(means, float)
        C = np.asarray(covariances, float)
        K, d = self.means.shape if self.means.ndim == 2 else (0, 0)
        if self.weights.shape != (K,) or C.shape not in ((K,), (K, d), (K, d, d)):
            raise UserError("a mixture needs weights (K,), means (K, d) and covariances (K,), (K, d) or (K, d, d)")
        if np.any(self.weights <= 0) or abs(self.weights.sum() - 1) > 1e-9:
            raise UserError("the weights of a mixture are positive and sum to one")
        self.d = d
        self.eigvecs = None
        if C.ndim == 3:
            self.eigvals, self.eigvecs = eigen(C)
        else:
            self.eigvals = np.repeat(C[:, None], d, axis=1) if C.ndim == 1 else C.copy()
        if np.any(self.eigvals < 0):
            raise UserError("a covariance has no negative eigenvalue")

    def _laws(self, x, sigma, kernel):
        return kernel(x, float(sigma), self.weights, self.means, self.eigvals, self.eigvecs)

    def __call__(self, x, sigma):
        """E[x_0|x], (n, d), at noise level `sigma`."""
        return self._laws(x, sigma, mixture_denoise)[0]

    def log_density(self, x, sigma=0.0):
        """ln p_σ(x), (n,)."""
        return self._laws(x, sigma, mixture_denoise)[1]

    def posterior_variance(self, x, sigma):
        """tr Cov[x_0|x], (n,), within the components and between them."""
        return self._laws(x, sigma, mixture_covariance)[2]

    def score(self, x, sigma=0.0):
        """∇ln p_σ(x), (n, d); without noise too, where no component is a point mass."""
        if sigma > 0:
            return super().score(x, sigma)
        # Tweedie divides by σ²; without noise, split N(μ, C) as N(μ, C − ε) under noise ε instead
        epsilon = 0.5 * self.eigvals.min()
        if epsilon <= 0:
            raise UserError("a point mass has no score without noise; give sigma > 0")
        D = mixture_denoise(x, epsilon**0.5, self.weights, self.means, self.eigvals - epsilon, self.eigvecs)[0]
        return (D - x) / epsilon

    def sample(self, n, seed, device, first=0):
        """Points `first` … `first + n − 1` of the mixture, (n, d); they depend on (seed, index) alone."""
        z = device.normals(seed, DRAWS, 0, n, self.d, first=first)
        uniform = (device.words(seed, DRAWS + 1, 0, n, 1, first=first)[:, 0] + 0.5) / 2.0**32
        k = np.minimum(np.searchsorted(np.cumsum(self.weights), uniform), len(self.weights) - 1)
        x = np.sqrt(self.eigvals[k]) * z
        if self.eigvecs is not None:
            x = np.einsum("nij,nj->ni", self.eigvecs[k], x)
        return self.means[k] + x

    def second_moment(self):
        """E‖x_0‖²."""
        return float(self.weights @ (self.eigvals.sum(axis=1) + (self.means**2).sum(axis=1)))

    # --- on a line and in the plane, by quadrature -----------------------------------------------------

    def support(self, sigma=0.0):
        """(lo, hi) outside of which a 1-D mixture has less than 1e-22 of its mass."""
        lo, hi = self._box(sigma)
        return float(lo[0]), float(hi[0])

    def mmse(self, sigma):
        """E‖x_0 − E[x_0|x]‖² at noise level `sigma`, d <= 2."""
        y, cell = self._mesh(sigma)
        log_p = self.log_density(y, sigma)
        # covariances cost ten times as much as densities: not where there is nothing
        y = y[log_p > log_p.max() - 35]
        _, log_p, trace, _ = self._laws(y, sigma, mixture_covariance)
        return float(np.sum(np.exp(log_p) * trace) * cell)

    def entropy(self, sigma=0.0):
        """h(x_0 + σn) = −∫p ln p, nats, d <= 2."""
        y, cell = self._mesh(sigma)
        log_p = self.log_density(y, sigma)
        return float(-np.sum(np.exp(log_p) * log_p) * cell)

    def _box(self, sigma):
        width = 10 * np.sqrt(self.eigvals.max(axis=1, keepdims=True) + sigma**2)
        return (self.means - width).min(axis=0), (self.means + width).max(axis=0)

    def _mesh(self, sigma):
        """Nodes (m, d) of the trapezium rule and the size of their cells."""
        if self.d > 2:
            raise UserError(f"quadrature over a mixture is for one dimension or two, not {self.d}")
        narrow = np.sqrt(self.eigvals.min() + sigma**2)
        # exact to rounding at a quarter of the narrowest width; in a plane half of it has to do, and errs by 1e-5 or so
        fine, least, most = (4, 400, 400_000) if self.d == 1 else (2, 60, 2000)
        axes = [np.linspace(lo, hi, int(np.clip(fine * (hi - lo) / narrow, least, most)) + 1)
                for lo, hi in zip(*self._box(sigma))]
        nodes = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, self.d)
        return nodes, np.prod([axis[1] - axis[0] for axis in axes])
