"""What follows from Jacobian-vector products: the Jacobian, its trace, and an estimate of the trace."""
import numpy as np

PROBES = 0x7164  # the Philox stream of probes


def probes(device, seed, draw, m, n, d, dtype=np.float64, first=0):
    """Random signs v (m, n, d) with ⟨v vᵀ⟩ = 1 (Hutchinson 1989), of points first … first + n − 1.

    Of all such v those of signs scatter least in v·J v. They depend on (seed, draw, point) alone.
    """
    words = device.words(seed, PROBES, draw, n, m * d, first=first)
    signs = (words >> np.uint32(31)).astype(dtype) * 2 - 1
    return device.xp.ascontiguousarray(signs.reshape(n, m, d).transpose(1, 0, 2))


class Differentiable:
    """A denoiser D(x, σ) whose `jvp(x, sigma, v)` gives D (n, d) and J v (m, n, d) for v (m, n, d)."""

    def jacobian(self, x, sigma):
        """∂D_i/∂x_j as (n, i, j), by d tangents."""
        return self.device.xp.ascontiguousarray(self.jvp(x, sigma, self._axes(x))[1].transpose(1, 2, 0))

    def divergence(self, x, sigma):
        """∇·D (n,), exact, by d tangents."""
        return self.device.xp.einsum("jnj->n", self.jvp(x, sigma, self._axes(x))[1])

    def hutchinson(self, x, sigma, v):
        """The mean of v·J v over the m probes v (m, n, d): ∇·D on average where ⟨v vᵀ⟩ = 1."""
        return self.device.xp.mean((v * self.jvp(x, sigma, v)[1]).sum(axis=2), axis=0)

    def _axes(self, x):
        n, d = x.shape
        return self.device.xp.broadcast_to(self.device.xp.eye(d, dtype=x.dtype)[:, None], (d, n, d))
