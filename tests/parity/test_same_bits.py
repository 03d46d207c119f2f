"""One seed, one answer: threads and batches change no bit of noise or exact-score runs, and little of a network's."""

import numpy as np
import pytest

from thermosim.backend.cpu.device import Cpu
from thermosim.backend.cpu.threads import get_threads, set_threads
from thermosim.samplers import SAMPLERS
from thermosim.schedules import karras, ve_chain
from thermosim.score.denoiser import Denoiser
from thermosim.score.exact import GaussianMixture
from thermosim.score.mlp import MLP
from thermosim.runs.noising import heat
from thermosim.runs.sampling import sample

rng = np.random.default_rng(4)
A = rng.normal(size=(5, 8, 8))
EXACT = GaussianMixture(np.full(5, 0.2), rng.normal(size=(5, 8)), 0.2 * A @ A.transpose(0, 2, 1))
GRID = karras(20.0, 0.01, 6)


@pytest.fixture
def threads():
    """Sets the number of kernel threads; put back afterwards."""
    before = get_threads()
    yield set_threads
    set_threads(before)


def each(threads, run):
    """What `run(batch)` gives for 1 and 2 threads and batches of 100 and 1,000."""
    for n in (1, 2):
        threads(n)
        for batch in (100, 1000):
            yield run(batch)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_noise(threads, dtype):
    def run(batch):
        parts = [Cpu().normals(3, 1, 5, min(batch, 2500 - a), 8, first=a, dtype=dtype) for a in range(0, 2500, batch)]
        return np.concatenate(parts)

    first, *others = each(threads, run)
    assert all(np.array_equal(first, other) for other in others)


@pytest.mark.parametrize("sampler", SAMPLERS, ids=str)
def test_exact_score_runs(threads, sampler):
    first, *others = each(threads, lambda batch: sample(sampler, EXACT, GRID, 2500, 8, 3, Cpu(), batch=batch))
    for other in others:
        assert np.array_equal(first.x, other.x)
        for name in first.ledger.mean:
            assert np.array_equal(first.ledger.mean[name], other.ledger.mean[name], equal_nan=True)
        for name in first.totals:
            assert np.array_equal(first.totals[name], other.totals[name])


def test_exact_score_heating(threads):
    x0 = EXACT.sample(2500, 1, Cpu())
    chain = ve_chain([0.0, 0.1, 1.0, 10.0])
    first, *others = each(threads, lambda batch: heat(chain, EXACT, x0, 3, Cpu(), batch=batch).work)
    assert all(np.array_equal(first, other) for other in others)


def test_network_runs():
    """Equal bits at equal threads and batch; within 1e-4 whatever they are (BLAS sums in another order)."""
    limits = pytest.importorskip("threadpoolctl").threadpool_limits
    network = Denoiser(MLP((8 + 16, 64, 64, 8), "float32", Cpu(), seed=1), np.zeros(8), 1.0)
    heun = next(s for s in SAMPLERS if s.name == "heun")

    def run(batch, blas):
        with limits(blas, "blas"):
            return sample(heun, network, GRID, 1200, 8, 3, Cpu(), batch=batch, books=False).x

    runs = {(batch, blas): run(batch, blas) for batch in (100, 1000) for blas in (1, 2)}
    for (batch, blas), x in runs.items():
        assert np.array_equal(x, run(batch, blas))
        assert np.abs(x - runs[100, 1]).max() < 1e-4
