"""Scores known exactly: Gaussian mixtures in any dimension, under noise of any level.

A mixture of one is a Gaussian, a mixture of point masses is the empirical law of a data set; each is
at once a data density, its own exact denoiser, and so the yardstick of everything learned.
"""

import numpy as np

from ..backend.cpu.mixture import mixture_covariance, mixture_denoise
from ..errors import UserError

DRAWS = 4  # stream of a density's own samples; 0, 1, 2, 3 belong to sampling and noising


class GaussianMixture:
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
            if not np.allclose(C, np.swapaxes(C, 1, 2)):
                raise UserError("a covariance matrix is symmetric")
            self.eigvals, self.eigvecs = np.linalg.eigh(C)
            # a singular covariance comes out of eigh as −1e-17
            self.eigvals[np.abs(self.eigvals) < 1e-13 * np.abs(self.eigvals).max()] = 0.0
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

    def score(self, x, sigma=0.0):
        """∇ln p_σ(x), (n, d)."""
        if sigma > 0:
            return (self(x, sigma) - x) / sigma**2
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

    # --- one dimension, by quadrature ---------------------------------------------------------------

    def support(self, sigma=0.0):
        """(lo, hi) outside of which a 1-D mixture has less than 1e-22 of its mass."""
        width = 10 * np.sqrt(self.eigvals[:, 0] + sigma**2)
        return float((self.means[:, 0] - width).min()), float((self.means[:, 0] + width).max())

    def _mesh(self, sigma):
        narrow = np.sqrt(self.eigvals.min() + sigma**2)
        lo, hi = self.support(sigma)
        # the trapezium rule is exact to rounding at a quarter of the narrowest width
        y = np.linspace(lo, hi, int(np.clip(4 * (hi - lo) / narrow, 400, 400_000)) + 1)
        return y[:, None], y[1] - y[0]

    def mmse(self, sigma):
        """E‖x_0 − E[x_0|x]‖² at noise level `sigma`, d = 1."""
        self._one_dimension()
        y, h = self._mesh(sigma)
        _, log_p, trace, _ = self._laws(y, sigma, mixture_covariance)
        return float(np.sum(np.exp(log_p) * trace) * h)

    def entropy(self, sigma=0.0):
        """h(x_0 + σn) = −∫p ln p, nats, d = 1."""
        self._one_dimension()
        y, h = self._mesh(sigma)
        log_p = self.log_density(y, sigma)
        return float(-np.sum(np.exp(log_p) * log_p) * h)

    def _one_dimension(self):
        if self.d != 1:
            raise UserError(f"quadrature over a mixture is for one dimension, not {self.d}")
