"""Samplers beside the schedulers of diffusers: same denoiser, same grid, same noise.

Their schedulers compute in float32, so agreement ends at 5e-6 (1e-4 for ddpm, whose coefficients they take
from float32 differences of ᾱ). Grids are theirs, read back and used in float64 here.
"""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install thermosim[parity]")
diffusers = pytest.importorskip("diffusers", reason="diffusers is not installed: pip install thermosim[parity]")

from thermosim.backend.cpu.device import Cpu  # noqa: E402
from thermosim.runs.sampling import START, Draws, sample  # noqa: E402
from thermosim.samplers import (DDIM, DDPM, DPM2, LMS, Ancestral, DDPMBeta, DPMpp2M, DPMpp2MSDE, DPMpp3M, Euler,
                                EulerAncestral,  # noqa: E402
                                Heun)
from thermosim.schedules import Chain  # noqa: E402
from thermosim.score.reverse import Learned  # noqa: E402
from thermosim.thermo.grids.geodesic import MseCurve  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
BETAS = {"beta_start": 1e-4, "beta_end": 0.012, "beta_schedule": "linear"}
N, D, SEED, STEPS = 30, 2, 4, 20


def denoise(x, sigma):
    return np.tanh(1.3 * x) / (1 + 0.2 * sigma) + 0.1 * np.sin(x[:, ::-1]) / (1 + sigma**2)


def scale(sigma):
    """α of the variance-preserving variables."""
    return (1 + sigma**2) ** -0.5


def theirs(scheduler, levels, alpha):
    """Run a scheduler; `levels` are the noise levels at which it asks, `alpha` scales its x."""
    x = torch.from_numpy(alpha(levels[0]) * levels[0] * Cpu().normals(SEED, START, 0, N, D)).float()
    for sigma, t in zip(levels, scheduler.timesteps):
        y = x.double().numpy() / alpha(sigma)
        epsilon = torch.from_numpy((y - denoise(y, sigma)) / sigma).float()
        scheduler.scale_model_input(x, t)
        x = scheduler.step(epsilon, t, x).prev_sample
    return x.double().numpy()


def ours(sampler, grid):
    return sample(sampler, denoise, grid, N, D, SEED, Cpu(), books=False).x


def same_noise(monkeypatch, scheduler):
    """Let the scheduler draw our normals."""
    draws = Draws(Cpu(), SEED, N, D, 0)
    module = __import__(type(scheduler).__module__, fromlist=["_"])
    monkeypatch.setattr(module, "randn_tensor", lambda shape, **kw: torch.from_numpy(draws.normals()).float())


def multistep(**settings):
    return diffusers.DPMSolverMultistepScheduler(**BETAS, lower_order_final=False, final_sigmas_type="zero", **settings)


CASES = {
    "euler": (Euler(), lambda: diffusers.EulerDiscreteScheduler(**BETAS), None),
    "euler_ancestral": (EulerAncestral(), lambda: diffusers.EulerAncestralDiscreteScheduler(**BETAS), None),
    "heun": (Heun(), lambda: diffusers.HeunDiscreteScheduler(**BETAS), None),
    "lms": (LMS(), lambda: diffusers.LMSDiscreteScheduler(**BETAS), None),
    "dpm_2": (DPM2(), lambda: diffusers.KDPM2DiscreteScheduler(**BETAS), None),
    "dpm_2_ancestral": (Ancestral(DPM2()), lambda: diffusers.KDPM2AncestralDiscreteScheduler(**BETAS), None),
    "dpmpp_1": (Euler(), lambda: multistep(solver_order=1), scale),
    "dpmpp_2m": (DPMpp2M(), lambda: multistep(solver_order=2), scale),
    "dpmpp_3m": (DPMpp3M(), lambda: multistep(solver_order=3, solver_type="heun"), scale),
    "dpmpp_2m_sde": (DPMpp2MSDE(), lambda: multistep(solver_order=2, algorithm_type="sde-dpmsolver++"), scale),
}


@pytest.mark.parametrize("name", CASES)
def test_it_is_the_scheduler_of_diffusers(name, monkeypatch):
    sampler, make, alpha = CASES[name]
    scheduler = make()
    scheduler.set_timesteps(STEPS)
    same_noise(monkeypatch, scheduler) if sampler.draws else None
    grid = np.array(list(dict.fromkeys(scheduler.sigmas.double().tolist())))
    assert grid[-1] == 0 and len(grid) == STEPS + 1
    levels = grid[:-1]
    if sampler.evaluations == 2:  # the second look of a step: at its end, or half way in ln σ
        flow_end = np.append(np.square(grid[1:-1]) / grid[:-2], 0) if sampler.draws else grid[1:]
        second = grid[1:] if name == "heun" else np.sqrt(grid[:-1] * flow_end)
        levels = np.stack([grid[:-1], second], axis=1).ravel()[:-1]
    assert np.abs(ours(sampler, grid) - theirs(scheduler, levels, alpha or (lambda sigma: 1.0))).max() < 5e-6


@pytest.mark.parametrize("name, tolerance",
                         [("ddim", 5e-6), ("ddim_eta", 5e-6), ("ddpm posterior", 1e-4), ("ddpm beta", 1e-4)])
def test_it_is_ddim_and_ddpm_of_diffusers(name, tolerance, monkeypatch):
    """posterior is their fixed_small, β their fixed_large; both names of euler and euler_ancestral."""
    plain = {**BETAS, "clip_sample": False}
    sampler, scheduler = {
        "ddim": lambda: (Euler(), diffusers.DDIMScheduler(**plain)),
        "ddim_eta": lambda: (DDIM(0.6), diffusers.DDIMScheduler(**plain)),
        "ddpm posterior": lambda: (EulerAncestral(), diffusers.DDPMScheduler(**plain, variance_type="fixed_small")),
        "ddpm beta": lambda: (DDPMBeta(), diffusers.DDPMScheduler(**plain, variance_type="fixed_large"))}[name]()
    scheduler.set_timesteps(STEPS)
    same_noise(monkeypatch, scheduler)
    if name == "ddim_eta":
        step = scheduler.step
        monkeypatch.setattr(scheduler, "step", lambda *a: step(*a, eta=0.6))
    alpha_bar = scheduler.alphas_cumprod[scheduler.timesteps].double().numpy()
    grid = np.append(np.sqrt((1 - alpha_bar) / alpha_bar), 0.0)
    assert np.abs(ours(sampler, grid) - theirs(scheduler, grid[:-1], scale)).max() < tolerance


class TwoOutputs:
    """In the place of a network with learned variances."""

    device = Cpu()

    def both(self, x, sigma):
        return denoise(x, sigma), 0.5 + 0.5 * np.tanh(x[:, ::-1] + np.log(sigma))


@pytest.mark.parametrize("kind", ["learned", "learned_range"])
def test_it_is_ddpm_of_diffusers_with_learned_variances(kind, monkeypatch):
    """Of every component and point; in float64, which their ᾱ allows, to 1e-11: 5e-6 was all that float32 gave."""
    scheduler = diffusers.DDPMScheduler(**BETAS, clip_sample=False, variance_type=kind)
    scheduler.set_timesteps(STEPS)
    scheduler.alphas_cumprod, scheduler.one = scheduler.alphas_cumprod.double(), scheduler.one.double()
    draws = Draws(Cpu(), SEED, N, D, 0)
    monkeypatch.setattr(__import__(type(scheduler).__module__, fromlist=["_"]), "randn_tensor",
                        lambda shape, **kw: torch.from_numpy(draws.normals()))
    alpha_bar = np.append(scheduler.alphas_cumprod[scheduler.timesteps].numpy(), 1.0)[::-1]
    chain, network = Chain(np.sqrt(alpha_bar), np.sqrt(1 - alpha_bar)), TwoOutputs()
    reverse = Learned(network, chain)
    x = torch.from_numpy(scale(chain.sigmas[0]) * chain.sigmas[0] * Cpu().normals(SEED, START, 0, N, D))
    for k, t in enumerate(scheduler.timesteps):
        sigma = chain.sigmas[k]
        y = x.numpy() / scale(sigma)
        clean, shares = network.both(y, sigma)
        told = (2 * shares - 1 if kind == "learned_range"
                else alpha_bar[-2 - k] * reverse.variance(y, sigma, chain.sigmas[k + 1]))
        x = scheduler.step(torch.from_numpy(np.hstack([(y - clean) / sigma, told])), t, x).prev_sample
    found = sample(DDPM(reverse.variance), reverse, chain.sigmas, N, D, SEED, Cpu(), books=False).x
    assert np.abs(found - x.numpy()).max() < 1e-11


def test_a_computed_grid_goes_in_as_sigmas():
    """A work geodesic given to their scheduler: as it is; it asks at our levels and ends where ours does."""
    levels = np.geomspace(15.0, 0.02, 60)
    curve = MseCurve(levels, D / (1 + levels**-2.0))
    for grid in (curve.geodesic(15.0, 0.02, 12), curve.even(15.0, 0.02, 12)):
        scheduler = diffusers.EulerDiscreteScheduler(**BETAS)
        scheduler.set_timesteps(sigmas=list(grid))
        assert np.allclose(scheduler.sigmas.double().numpy(), grid, rtol=1e-6)
        assert np.allclose(theirs(scheduler, grid[:-1], lambda s: 1.0), ours(Euler(), grid), atol=2e-5)
