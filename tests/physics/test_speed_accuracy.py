"""The speed–accuracy inequality over random mixtures and perturbations, and for samplers' own paths."""

import numpy as np
import pytest

from thermosim import schedules
from thermosim.backend.cpu.device import Cpu
from thermosim.samplers import DPMpp2M, Euler, Heun
from thermosim.score.exact import GaussianMixture
from thermosim.runs.sampling import sample
from thermosim.thermo import speed_accuracy as sa

NOISE = GaussianMixture([1.0], [[0.0]], [1.0])


def test_never_violated_over_a_random_sweep():
    rng = np.random.default_rng(11)
    shares = []
    for _ in range(12):
        K = rng.integers(1, 4)
        data = GaussianMixture(rng.dirichlet(np.full(K, 3.0)), rng.normal(scale=1.5, size=(K, 1)),
                               rng.uniform(0.05, 1, K))
        actions = [sa.mixture_action(data, d, 200, 60) for d in (sa.cosine, sa.conditional_transport)]
        for _ in range(3):
            off = GaussianMixture([1.0], [[rng.normal()]], [rng.uniform(0.3, 1.7)])  # χ² is finite below 2
            shares += [sa.response(data, NOISE, off, 1001) / action for action in actions]
    assert 0 <= min(shares) and max(shares) <= 1
    assert max(shares) > 0.1  # a bound within ten of what is measured: a lost factor would show


def test_a_mixture_of_one_is_the_gaussian_closed_form():
    one = GaussianMixture([1.0], [[0.0]], [0.25])
    assert sa.mixture_action(one, sa.cosine, 4000, 400) == pytest.approx(sa.gaussian_action(sa.cosine, 0.25), rel=2e-3)


@pytest.mark.parametrize("sampler", [Euler(), Heun(), DPMpp2M()], ids=str)
def test_a_samplers_own_path_obeys_it(sampler):
    """In coordinates x/√(1 + σ²); W1 between the very points, matched in order; D_0 of N(0, 1) and N(½, 1)."""
    mixture, n = GaussianMixture([0.4, 0.6], [[-1.5], [1.0]], [0.09, 0.04]), 2000
    z = sa.mixture_quantiles(NOISE, (np.arange(n) + 0.5) / n)[:, None]
    sigmas = schedules.karras(20.0, 0.05, 10)
    scale = np.sqrt(1 + sigmas**2)
    paths = [sample(sampler, mixture, sigmas, n, 1, 0, Cpu(), n, False, frames=n, start=(z + m) * scale[0]).frames
             / scale[:, None, None] for m in (0.0, 0.5)]
    w1 = [np.mean(np.abs(np.sort(a[:, 0]) - np.sort(b[:, 0]))) for a, b in zip(*paths)]
    left = (w1[-1] - w1[0]) ** 2 / np.expm1(0.25)
    assert 0 < left <= sa.sampler_action(paths[0])
