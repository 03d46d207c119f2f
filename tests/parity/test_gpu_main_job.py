"""Training, cooling and heating with a Gpu in the Cpu's place: the same results to rounding.

Every array operation must stay on the device: one that mixes it with a NumPy array raises.
"""
from dataclasses import replace

import numpy as np
import pytest

from thermosim.backend.cpu.device import Cpu
from thermosim.samplers.ancestral import DDPM, EulerAncestral
from thermosim.samplers.dpmpp_2m import DPMpp2M
from thermosim.samplers.heun import Heun
from thermosim.samplers.langevin import AnnealedLangevin, PredictorCorrector
from thermosim.schedules import karras, vp_chain
from thermosim.score.bound import LearnedVariances, VariationalBound, even_shares
from thermosim.score.denoiser import Denoiser
from thermosim.score.levels import Among
from thermosim.score.losses import DenoisingLoss
from thermosim.score.parametrisation import NoisePrediction, ScorePrediction, VelocityPrediction
from thermosim.score.rates import InverseRoot
from thermosim.score.reverse import Least
from thermosim.score.train import TrainConfig, train
from thermosim.runs.noising import heat, squared_error_curve
from thermosim.runs.sampling import sample

CPU = Cpu()
CENTRES = np.repeat([[2.0, 0.0], [-1.0, 1.0], [0.0, -2.0]], 100, axis=0)
DATA = CENTRES + np.random.default_rng(3).normal(size=(300, 2)) * [1.0, 0.2]
# float64, so that rounding stays far below what 120 steps of training amplify
CONFIG = TrainConfig(width=16, depth=2, features=3, batch=32, steps=120, warmup=10, validate_every=60,
                     dtype="float64")


@pytest.fixture(scope="module")
def cpu_denoiser():
    return train(DATA, CONFIG, CPU, DATA[::3])


@pytest.fixture
def pair(gpu, cpu_denoiser, tmp_path):
    """One network, on the CPU and on the GPU."""
    cpu_denoiser.save(tmp_path / "network.h5")
    return cpu_denoiser, Denoiser.load(tmp_path / "network.h5", gpu)


def close(a, b):
    return np.allclose(a, b, rtol=1e-9, atol=1e-9, equal_nan=True)


def test_training(gpu, cpu_denoiser):
    ours = train(DATA, CONFIG, gpu, DATA[::3])
    assert close(gpu.to_host(ours.network.parameters), cpu_denoiser.network.parameters)
    assert np.abs(cpu_denoiser.network.layers[-1].W).max() > 0.01       # it did learn: these begin at 0


LOSSES = [
    (DenoisingLoss(Among(np.array([0.1, 0.5, 2.0]), np.array([0.2, 0.3, 0.5]))), ScorePrediction()),
    (VariationalBound(vp_chain(4.0, 6)), NoisePrediction()),
    (LearnedVariances(vp_chain(4.0, 6), even_shares(vp_chain(4.0, 6), 1.0)), VelocityPrediction())]


@pytest.mark.parametrize("loss, kind", LOSSES, ids=lambda part: type(part).__name__)
def test_training_by_other_losses(gpu, loss, kind):
    """Clipped, by another schedule, over drawn levels: everything stays on the device."""
    config = replace(CONFIG, steps=30, warmup=3, validate_every=10, loss=loss, parametrisation=kind,
                     clip=0.2, patience=2,
                     schedule=InverseRoot(5))
    theirs, ours = (train(DATA, config, device, DATA[::3]) for device in (CPU, gpu))
    assert close(gpu.to_host(ours.network.parameters), theirs.network.parameters)
    x = np.ascontiguousarray(DATA[:40])
    assert close(gpu.to_host(ours(gpu.asarray(x), 0.5)), theirs(x, 0.5))
    if isinstance(loss, LearnedVariances):
        assert close(gpu.to_host(loss.variance(ours, gpu.asarray(x), 2)), loss.variance(theirs, x, 2))


@pytest.mark.parametrize("sampler", [EulerAncestral(), DPMpp2M(), Heun(), AnnealedLangevin(), PredictorCorrector(),
                                     DDPM(Least(lambda x, sigma: 0.1 + 0.05 * x**2).variance)],
                         ids=lambda s: type(s).__name__)
def test_cooling(gpu, pair, sampler):
    sigmas = karras(5.0, 0.05, 6)
    theirs, ours = (sample(sampler, model, sigmas, 50, 2, 7, device, batch=30, frames=4)
                    for model, device in zip(pair, (CPU, gpu)))
    assert close(ours.x, theirs.x) and close(ours.frames, theirs.frames)
    for name, mean in theirs.ledger.mean.items():
        assert close(ours.ledger.mean[name], mean), name


def test_heating(gpu, pair):
    theirs, ours = (heat(vp_chain(4.0, 6), model, DATA[:50], 3, device, quantum=0.1, batch=30)
                    for model, device in zip(pair, (CPU, gpu)))
    assert close(ours.work, theirs.work)
    assert close(ours.ledger["squared_error"], theirs.ledger["squared_error"])


def test_error_curve(gpu, pair):
    theirs, ours = (squared_error_curve(model, DATA[:40], [0.1, 1.0], 5, device, replicas=2, batch=30)
                    for model, device in zip(pair, (CPU, gpu)))
    assert close(ours, theirs)
