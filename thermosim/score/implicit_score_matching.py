"""Score matching without a target: the divergence of the score in the place of the unknown density's own score."""
from dataclasses import dataclass

from .levels import LogNormal
from .losses import Loss


@dataclass(frozen=True)
class ImplicitScoreMatching(Loss):
    """L = ⟨σ^power (½|s|² + ∇·s)⟩/d for the score s(x, σ) = (D − x)/σ² of x = x_0 + σn (Hyvärinen 2005, JMLR 6, 695).

    By parts, ⟨½|s|² + ∇·s⟩ = ½⟨|s − ∇ln p_σ|²⟩ − ½⟨|∇ln p_σ|²⟩: least, at D = E[x_0|x], as the denoising losses are,
    but no x_0 enters. The divergence is exact and costs d tangents; see `SlicedScoreMatching` for many dimensions.

    Parameters
    ----------
    levels : object with draw(batches, step) → (batch,) noise levels
    power : float
        2 asks for the same accuracy of σ·s at every level.
    """

    levels: object = LogNormal()
    power: float = 2.0

    def value(self, model, batches, step):
        """The loss of minibatch `step`, a 0-d array of the device."""
        return self._parts(model, batches, step)[0]

    def __call__(self, model, batches, step):
        """The loss of minibatch `step`, and its gradient (n_parameters,), a view of the network's own."""
        loss, score, by_score, by_tangents = self._parts(model, batches, step)
        return loss, score.pull(by_score, by_tangents)

    def _parts(self, model, batches, step):
        xp, d = model.device.xp, model.dimension
        score, weight = noisy_score(self, model, batches, step, xp.eye(d)[:, None])
        loss = xp.mean(weight * (0.5 * (score.s**2).sum(axis=1) + xp.einsum("ini->n", score.Js)))
        share = (weight / len(weight))[:, None]
        return loss, score, share * score.s, share * xp.eye(d)[:, None]


class ScoreAlong:
    """s(x, σ) = (D − x)/σ² of a denoiser, its derivatives along v, and the gradient of any function of both.

    Parameters
    ----------
    model : Denoiser
    x : (n, d)
        Centred.
    sigma : (n,)
    v : (m, n, d), or (m, 1, d) for the same directions at all points

    Attributes
    ----------
    s : (n, d) float64
    Js : (m, n, d) float64
        ∂s/∂x·v.
    """

    def __init__(self, model, x, sigma, v):
        c_skip, c_out, self.c_in = model.coefficients(sigma)
        variance, d = sigma[:, None] ** 2, model.dimension
        skip, self.c_out, self.network, self.xp = ((c_skip - 1) / variance, c_out / variance, model.network,
                                                   model.device.xp)
        inputs, level = model.inputs(x, sigma)
        F, JF = self.network.push(inputs, model.tangents(self.c_in * v), level)
        self.s, self.Js = skip * x + self.c_out * F[:, :d], skip * v + self.c_out * JF[..., :d]

    def pull(self, by_s, by_Js):
        """∂L/∂parameters from ∂L/∂s (n, d) and ∂L/∂Js (m, n, d)."""
        outputs, dtype = self.network.sizes[-1], self.network.dtype
        slopes = []
        for by in (by_s, by_Js):
            slope = self.xp.zeros((*by.shape[:-1], outputs), dtype)
            slope[..., :by.shape[-1]] = self.c_out * by
            slopes.append(slope)
        return self.network.pull(*slopes)


def noisy_score(loss, model, batches, step, v):
    """The score along v at the noisy points of minibatch `step`, and their weights σ^power/d (n,)."""
    sigma = loss.levels.draw(batches, step)
    x = batches.clean(step) + sigma[:, None] * batches.noise(step)
    return ScoreAlong(model, x, sigma, v), sigma**loss.power / model.dimension
