"""Score matching along random directions: the divergence of the score is never written out."""
from dataclasses import dataclass

from .derivatives import probes
from .implicit_score_matching import ImplicitScoreMatching, noisy_score


@dataclass(frozen=True)
class SlicedScoreMatching(ImplicitScoreMatching):
    """L = ⟨σ^power (½|s|² + v·∂s/∂x·v)⟩/d over random signs v (Song et al. 2019, 1905.07088, §3).

    The mean over v is `ImplicitScoreMatching`, for ⟨v vᵀ⟩ = 1. What it costs does not grow with d.

    Parameters
    ----------
    levels, power : as there
    count : int
        Directions a point.
    reduced : bool
        False takes ½(v·s)² in the place of its mean ½|s|²: the plain form, which scatters more.
    """

    count: int = 1
    reduced: bool = True

    def _parts(self, model, batches, step):
        xp, (n, d) = model.device.xp, (batches.batch, model.dimension)
        v = probes(model.device, batches.seed, step, self.count, n, d)
        score, weight = noisy_score(self, model, batches, step, v)
        along = (v * score.s).sum(axis=2)
        square, by_s = (along**2).mean(axis=0), (v * along[:, :, None]).mean(axis=0)
        if self.reduced:
            square, by_s = (score.s**2).sum(axis=1), score.s
        loss = xp.mean(weight * (0.5 * square + (v * score.Js).sum(axis=2).mean(axis=0)))
        share = (weight / n)[:, None]
        return loss, score, share * by_s, share * v / self.count
