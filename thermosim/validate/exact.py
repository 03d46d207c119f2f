"""Exact scores: a Gaussian's least error, and the law of finitely many points, whose sampler returns the points."""

import numpy as np

from ..backend.cpu.device import Cpu
from ..runs.sampling import sample
from ..samplers import DPMpp2M
from ..schedules import karras
from ..score.empirical import Empirical
from ..score.exact import Gaussian
from .row import row


@row("gaussian.mmse.full", "σ²tr C(C + σ²)⁻¹ of C = [[.5, .3], [.3, .4]], σ = 0.6", 0.34748048,
     "error of the denoiser over 100,000 draws", sigmas=6)
def gaussian_error():
    """Mean of |D − x_0|² over draws, with its standard error."""
    law, sigma = Gaussian([0.2, -0.1], [[0.5, 0.3], [0.3, 0.4]]), 0.6
    x0 = law.sample(100_000, 1, Cpu())
    squares = ((law(x0 + sigma * Cpu().normals(2, 0, 0, *x0.shape), sigma) - x0) ** 2).sum(axis=1)
    return squares.mean(), squares.std() / np.sqrt(len(squares))


@row("empirical.mmse.pair", "1 − ⟨tanh(1 + z)⟩ of points ±1 at σ = 1, z ~ N(0, 1)", 0.44959951,
     "posterior variance over a mesh", digits=7)
def pair_error():
    """∫p Var[x_0|x] dx of the empirical law of two points."""
    law, x = Empirical([[-1.0], [1.0]]), np.linspace(-10.0, 10.0, 801)[:, None]
    return float(np.exp(law.log_density(x, 1.0)) @ law.posterior_variance(x, 1.0) * 0.025)


@row("empirical.memorises", "largest distance of samples to the training points", 0.0,
     "dpmpp_2m on the exact score of 100 points in 8 dimensions", digits=12)
def memorises():
    """Of 500 samples the largest distance to the nearest training point."""
    points = Cpu().normals(3, 0, 0, 100, 8)
    x = sample(DPMpp2M(), Empirical(points), np.append(karras(40.0, 0.005, 40), 0.0), 500, 8, 4, Cpu(), books=False).x
    return float(np.linalg.norm(x[:, None] - points, axis=2).min(axis=1).max())
