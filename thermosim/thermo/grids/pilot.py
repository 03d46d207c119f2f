"""A pilot batch: its fine teacher trajectories along the probability flow, and errors measured against them."""

import numpy as np

from ...errors import UserError
from .geodesic import MseCurve

EVERYONE = slice(None)


def runge_kutta(denoise, x, sigma, sigma_next):
    """(x', D(x; σ)) of the classical rule of fourth order on dx/dlnσ = x − D(x; σ) (Kutta 1901)."""
    h, middle = np.log(sigma_next / sigma), np.sqrt(sigma * sigma_next)
    D = denoise(x, sigma)
    k1 = x - D
    k2 = x + 0.5 * h * k1
    k2 = k2 - denoise(k2, middle)
    k3 = x + 0.5 * h * k2
    k3 = k3 - denoise(k3, middle)
    k4 = x + h * k3
    k4 = k4 - denoise(k4, sigma_next)
    return x + h / 6 * (k1 + 2 * (k2 + k3) + k4), D


class Pilot:
    """What a few hundred particles tell about a denoiser, without any data.

    The teacher follows them from noise to `sigma_min` by Runge and Kutta's rule of fourth order over `fine` equal
    steps in ln σ and keeps x and D(x; σ) at every level; everything else here is differences along these trajectories.
    A teacher of second order would at 50 steps of a good sampler be no better than its pupil.

    Parameters
    ----------
    denoise : callable (x, sigma) → E[x_0|x]
        On host arrays.
    start : (n, d) array
        Noise of level `sigma_max`, or data with such noise added.
    sigma_max, sigma_min : float
    fine : int
    power : {1, 2}
        The end-point error that counts: 2 the rms distance (the one that bounds W2), 1 the mean
        distance, which a few particles that end in another mode do not rule.

    Attributes
    ----------
    sigmas : (fine + 1,) array
    x, D : (fine + 1, n, d) arrays
    evaluations : float
        Network evaluations so far, in units of the whole batch.
    shared : float
        Those of them that every grid shares: the teacher's and the error curve's.
    """

    def __init__(self, denoise, start, sigma_max, sigma_min, fine=100, power=2):
        start = np.asarray(start, float)
        if start.ndim != 2 or len(start) < 8 or not np.isfinite(start).all():
            raise UserError("a pilot needs at least 8 finite starting points, as (n, d)")
        if not (np.isfinite(sigma_max) and sigma_max > sigma_min > 0):
            raise UserError(f"noise levels must obey sigma_max > sigma_min > 0, not {sigma_max} and {sigma_min}")
        if power not in (1, 2):
            raise UserError(f"the end-point error is the mean (power 1) or rms (power 2) distance, not power {power}")
        self._denoise, self.evaluations, self.power = denoise, 0.0, power
        self.n, self.d = start.shape
        self.sigmas = np.geomspace(sigma_max, sigma_min, fine + 1)
        self.sigmas[0], self.sigmas[-1] = sigma_max, sigma_min
        self.x, self.D = np.empty((2, fine + 1, self.n, self.d))
        self.x[0] = start
        for k in range(fine):
            self.x[k + 1], self.D[k] = runge_kutta(self.ask, self.x[k], self.sigmas[k], self.sigmas[k + 1])
        self.D[-1] = self.ask(self.x[-1], sigma_min)
        self.shared = self.evaluations

    def ask(self, x, sigma):
        """D(x; σ), counted."""
        self.evaluations += len(x) / self.n
        return np.asarray(self._denoise(x, float(sigma)), float)

    @staticmethod
    def _step(sampler, x, sigma, sigma_next, memory, ask):
        for leg in sampler.legs(float(sigma), float(sigma_next), memory):
            x = leg.mean(x, ask)
        return x

    def miss(self, sampler, sigmas, rows=EVERYONE):
        """Where the sampler ends minus where the teacher ends, (n, d), for the particles in the slice `rows`."""
        x, memory = self.x[0, rows], {}
        for sigma, sigma_next in zip(sigmas[:-1], sigmas[1:]):
            x = self._step(sampler, x, sigma, sigma_next, memory, self.ask)
        return x - self.x[-1, rows]

    def error(self, sampler, sigmas, rows=EVERYONE):
        """End-point error of a grid: rms (power 2) or mean (power 1) distance to the teacher."""
        return self.size(self.miss(sampler, sigmas, rows))

    def size(self, miss):
        """Rms or mean length of (n, d) misses."""
        return float(np.mean(np.linalg.norm(miss, axis=1) ** self.power) ** (1 / self.power))

    def curve(self, levels=100, seed=0):
        """The error curve of the denoiser on its own samples, where the teacher ends: no data needed.

        Costs `levels` evaluations, with the same noise at every level so that the curve is smooth. For an exact
        denoiser its own samples are data, and this is the mmse but for sampling error.

        Returns
        -------
        MseCurve
        """
        end = self.x[-1]
        z = np.random.Generator(np.random.PCG64([seed, 2])).standard_normal(end.shape)
        sigmas = np.geomspace(self.sigmas[0], self.sigmas[-1], levels)
        sigmas[0], sigmas[-1] = self.sigmas[0], self.sigmas[-1]
        self.shared += levels
        return MseCurve(sigmas, [np.mean(((self.ask(end + s * z, s) - end) ** 2).sum(axis=1)) for s in sigmas])

    def spread(self):
        """σ_d: rms per component of the teacher's end about its mean."""
        end = self.x[-1]
        return float(np.sqrt(np.mean((end - end.mean(axis=0)) ** 2)))

    def one_step_errors(self, sampler, nodes, rows=EVERYONE):
        """The sampler's own error of one step i → j along the teacher, rms over particles.

        A multistep sampler first takes a step of the same length in ln σ that ends at i, to fill its memory with the
        teacher's D there. Where the sampler asks for D at x_i the teacher's own answer is used, so that
        Euler and dpmpp_2m cost nothing.

        Parameters
        ----------
        nodes : (m,) int array
            Levels of the teacher.
        rows : slice
            Of the particles.

        Returns
        -------
        (m, m) array, NaN where j <= i.
        """
        errors = np.full((len(nodes), len(nodes)), np.nan)
        for a, i in enumerate(nodes[:-1]):
            x, D = self.x[i, rows], self.D[i, rows]

            def known(y, sigma):
                return D if y is x else self.ask(y, sigma)

            for b in range(a + 1, len(nodes)):
                j, memory = nodes[b], {}
                before = max(0, 2 * i - j)
                if sampler.history and before < i:
                    self._step(sampler, self.x[before, rows], self.sigmas[before], self.sigmas[i], memory,
                               lambda y, s: self.D[before, rows])
                miss = self._step(sampler, x, self.sigmas[i], self.sigmas[j], memory, known) - self.x[j, rows]
                errors[a, b] = np.sqrt(np.mean((miss**2).sum(axis=1)))
        return errors

    def gain(self, nodes):
        """|J·c|/|c| per node and particle: how a displacement along the local change c of D reaches the end.

        J is the Jacobian of the flow, by differences: a twin of each particle, displaced by 10⁻³ σ, is
        led along the teacher with one evaluation an interval. Costs len(nodes)²/2 evaluations.
        """
        gains = np.ones((len(nodes), self.n))
        for a, k in enumerate(nodes[:-1]):
            c = self.D[nodes[a + 1]] - self.D[k]
            length = 1e-3 * self.sigmas[k]
            apart = length * c / np.maximum(np.linalg.norm(c, axis=1, keepdims=True), 1e-300)
            for i, j in zip(nodes[a:-1], nodes[a + 1:]):
                pulled = self.ask(self.x[i] + apart, self.sigmas[i]) - self.D[i]
                r = self.sigmas[j] / self.sigmas[i]
                apart = r * apart + (1 - r) * pulled
            gains[a] = np.linalg.norm(apart, axis=1) / length
        return gains
