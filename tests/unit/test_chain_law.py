"""Laws carried through a sampler without particles: against closed variances, densities on a mesh, and particles."""

import numpy as np
import pytest
from scipy.special import ndtri
from scipy.stats import kstest

from thermosim import schedules
from thermosim.backend.cpu.device import Cpu
from thermosim.errors import UserError
from thermosim.runs.sampling import sample
from thermosim.samplers import AnnealedLangevin, Carnot, DPMpp2M, DPMpp2MSDE, DPMppSDE, Euler, EulerAncestral, MALACorrected
from thermosim.schedules import ve_chain
from thermosim.score.exact import GaussianMixture
from thermosim.thermo.chain_law import chain_law
from thermosim.thermo.work import reverse_density

LAW = GaussianMixture([0.4, 0.6], [[-1.2], [0.8]], [0.06, 0.03])
U = (np.arange(400) + 0.5) / 400


@pytest.mark.parametrize("sampler", [EulerAncestral(), Carnot(), AnnealedLangevin(0.5, 2)], ids=str)
def test_gaussian_laws_stay_gaussian(sampler):
    """Quantiles of N(0, w) with w from the recursion of linear legs."""
    denoise = lambda x, sigma: 0.25 / (0.25 + sigma**2) * x  # noqa: E731
    sigmas = schedules.karras(5.0, 0.1, 10)
    w = 25.0
    for s, t in zip(sigmas[:-1], sigmas[1:]):
        for leg in sampler.legs(float(s), float(t), {}):
            w = leg.mean(np.ones((1, 1)), denoise)[0, 0] ** 2 * w + leg.variance
    # a kernel of 400 quantiles misses a little of the tails, step after step
    assert np.abs(chain_law(sampler, denoise, sigmas, 5 * ndtri(U)) / np.sqrt(w) - ndtri(U))[20:-20].max() < 0.01


def test_two_modes_are_those_of_the_density_on_a_mesh():
    """The ancestral chain of a mixture: quantiles of the density carried through the same kernels by matrix products."""
    sigmas = schedules.karras(3.0, 0.15, 6)
    x = np.linspace(-12, 12, 2401)
    F = np.cumsum(reverse_density(ve_chain(sigmas), LAW, x)) * (x[1] - x[0])
    exact = np.interp(U, F, x + 0.5 * (x[1] - x[0]))
    found = chain_law(EulerAncestral(), LAW, sigmas, 3.0 * ndtri(U))
    assert np.median(np.abs(found - exact)) < 0.003
    assert np.sqrt(np.mean((found - exact) ** 2)) < 0.05  # one quantile of 400 in the wrong mode is 0.1


def test_particles_agree():
    """Kolmogorov–Smirnov of 20,000 particles against the law; a memory without noise is followed too."""
    sigmas = schedules.karras(5.0, 0.1, 8)
    for sampler in (Carnot(0.8, 2), DPMpp2M(), Euler()):
        ends = sample(sampler, LAW, sigmas, 20_000, 1, 4, Cpu(), books=False).x[:, 0]
        law = chain_law(sampler, LAW, sigmas, 5.0 * ndtri(U))
        assert kstest(ends, lambda x: np.interp(x, law, U, 0.0, 1.0)).statistic < 0.013


def test_what_is_no_chain_of_laws_is_refused():
    for sampler, word in ((DPMpp2MSDE(), "memory"), (DPMppSDE(), "Gaussian"), (MALACorrected(), "Gaussian")):
        with pytest.raises(UserError, match=word):
            chain_law(sampler, LAW, schedules.karras(5.0, 0.1, 3), ndtri(U))
