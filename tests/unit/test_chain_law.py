"""Laws carried through a sampler without particles: against closed variances, densities on a mesh, and particles."""

import numpy as np
import pytest
from scipy.stats import kstest, norm

from thermosim import schedules
from thermosim.backend.cpu.device import Cpu
from thermosim.errors import UserError
from thermosim.runs.sampling import sample
from thermosim.samplers import (AnnealedLangevin, Carnot, DPMpp2M, DPMpp2MSDE, DPMppSDE, Euler, EulerAncestral,
                                MALACorrected)
from thermosim.schedules import ve_chain
from thermosim.score.exact import GaussianMixture
from thermosim.thermo.chain_law import chain_law, distance_to_mixture
from thermosim.thermo.work import reverse_density

LAW = GaussianMixture([0.4, 0.6], [[-1.2], [0.8]], [0.06, 0.03])


@pytest.mark.parametrize("sampler", [EulerAncestral(), Carnot(), AnnealedLangevin(0.5, 2)], ids=str)
def test_gaussian_laws_stay_gaussian(sampler):
    """Distribution function of N(0, w) with w from the recursion of linear legs; noise 1 % too strong is seen."""
    denoise = lambda x, sigma: 0.25 / (0.25 + sigma**2) * x  # noqa: E731
    sigmas = schedules.karras(5.0, 0.1, 10)
    w = 25.0
    for s, t in zip(sigmas[:-1], sigmas[1:]):
        for leg in sampler.legs(float(s), float(t), {}):
            w = leg.mean(np.ones((1, 1)), denoise)[0, 0] ** 2 * w + leg.variance
    x, weight = chain_law(sampler, denoise, sigmas)
    assert weight.sum() == pytest.approx(1) and np.all(np.diff(x) > 0) and np.all(weight > 0)
    assert np.abs(np.cumsum(weight) - 0.5 * weight - norm.cdf(x / np.sqrt(w))).max() < 4e-4
    assert weight @ x**2 == pytest.approx(w, rel=2e-3) and abs(weight @ x) < 1e-4


def test_two_modes_are_those_of_the_density_on_a_mesh():
    """The ancestral chain of a mixture: the density carried through the same kernels by matrix products.

    The share of each mode to 3e-4: rounded to one of 300 points it would be off by ten times that.
    """
    sigmas = schedules.karras(3.0, 0.15, 6)
    mesh = np.linspace(-12, 12, 2401)
    h = mesh[1] - mesh[0]
    F = np.cumsum(reverse_density(ve_chain(sigmas), LAW, mesh)) * h
    errors = []
    for points in (150, 300):
        x, weight = chain_law(EulerAncestral(), LAW, sigmas, points)
        errors.append(np.abs(np.cumsum(weight) - 0.5 * weight - np.interp(x, mesh + 0.5 * h, F)).max())
    assert abs(weight[x < -0.2].sum() - np.interp(-0.2, mesh + 0.5 * h, F)) < 3e-4
    assert errors[1] < 3e-4 and errors[0] / errors[1] > 2


def test_particles_agree():
    """Kolmogorov–Smirnov of 20,000 particles against the law; a memory without noise is followed too."""
    sigmas = schedules.karras(5.0, 0.1, 8)
    for sampler in (Carnot(0.8, 2), DPMpp2M(), Euler()):
        ends = sample(sampler, LAW, sigmas, 20_000, 1, 4, Cpu(), books=False).x[:, 0]
        x, weight = chain_law(sampler, LAW, sigmas)
        assert kstest(ends, lambda at: np.interp(at, x, np.cumsum(weight) - 0.5 * weight, 0.0, 1.0)).statistic < 0.012


def test_distance_to_a_mixture():
    """A shifted and widened Gaussian: W2² = (shift)² + (difference of widths)²; a mode's share moved over a gap."""
    unit = GaussianMixture([1.0], [[0.0]], [0.75])
    for n, miss in ((200, 8e-3), (20_000, 5e-4)):
        x = 1.5 * norm.ppf((np.arange(n) + 0.5) / n) + 0.3
        assert distance_to_mixture(x, np.full(n, 1 / n), unit, 0.5) == pytest.approx(np.hypot(0.3, 0.5), rel=miss)
    points = GaussianMixture([0.4, 0.6], [[-1.0], [1.0]], [1e-12, 1e-12])
    assert (distance_to_mixture(np.array([-1.0, 1.0, 1.0]), np.array([0.3, 0.1, 0.6]), points, 1e-6)
            == pytest.approx(np.sqrt(0.1 * 4), rel=1e-3))
    assert (distance_to_mixture(np.array([-1.0, 1.0, 1.0]), np.array([0.3, 0.1, 0.6]), points, 1e-6, 1)
            == pytest.approx(0.1 * 2, rel=1e-3))


def test_what_is_no_chain_of_laws_is_refused():
    for sampler, word in ((DPMpp2MSDE(), "memory"), (DPMppSDE(), "Gaussian"), (MALACorrected(), "Gaussian")):
        with pytest.raises(UserError, match=word):
            chain_law(sampler, LAW, schedules.karras(5.0, 0.1, 3))
