"""A model of diffusers over the bridge: our samplers end where
its own schedulers do, from the same noise on the same grid.

The network is a tiny untrained UNet2DModel in float32, in which the schedulers compute, too: 5e-6 of the largest value.
"""

import sys

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install thermosim[diffusers]")
diffusers = pytest.importorskip("diffusers", reason="diffusers is not installed: pip install thermosim[diffusers]")

from thermosim.backend.cpu.device import Cpu  # noqa: E402
from thermosim.errors import UserError  # noqa: E402
from thermosim.runs.sampling import sample  # noqa: E402
from thermosim.samplers import SAMPLERS, DPMpp2M, Euler, Heun  # noqa: E402
from thermosim.schedules import karras  # noqa: E402
from thermosim.score.foreign import (diffusers_denoiser, diffusers_grid, diffusers_timesteps, torch_denoiser)  # noqa: E402
from thermosim.score.timesteps import TimestepDenoiser  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
PLAIN = {"beta_start": 1e-4, "beta_end": 0.02, "beta_schedule": "linear"}
SHAPE, N, STEPS = (1, 8, 8), 3, 12
EXACT = {"lower_order_final": False, "final_sigmas_type": "zero"}


@pytest.fixture(scope="module")
def unet():
    torch.manual_seed(0)
    return diffusers.UNet2DModel(sample_size=8, in_channels=1, out_channels=1, layers_per_block=1,
                                 block_out_channels=(8, 16), norm_num_groups=4,
                                 down_block_types=("DownBlock2D", "DownBlock2D"),
                                 up_block_types=("UpBlock2D", "UpBlock2D")).eval()


def noise():
    return np.random.default_rng(3).standard_normal((N, 64)).astype(np.float32).astype(float)


@torch.no_grad()
def theirs(scheduler, unet, sigma, variance_preserving):
    """End of the scheduler's own loop from noise of level `sigma`, rows."""
    start = noise() * (sigma / np.sqrt(1 + sigma**2) if variance_preserving else sigma)
    x = torch.from_numpy(start.reshape(N, *SHAPE)).float()
    for t in scheduler.timesteps:
        x = scheduler.step(unet(scheduler.scale_model_input(x, t), t).sample, t, x).prev_sample
    return x.double().numpy().reshape(N, -1)


def ours(sampler, denoise, grid):
    return sample(sampler, denoise, grid, N, 64, 0, Cpu(), books=False, start=grid[0] * noise()).x


def levels(scheduler):
    """Noise levels that a scheduler stops at, exact where it keeps them in float32."""
    return np.append(diffusers_timesteps(scheduler).sigma(scheduler.timesteps.double().numpy()), 0.0)


CASES = {
    "euler": (Euler(), lambda kind: diffusers.EulerDiscreteScheduler(**PLAIN, prediction_type=kind), False),
    "ddim": (Euler(), lambda kind: diffusers.DDIMScheduler(**PLAIN, prediction_type=kind, clip_sample=False), True),
    "dpmpp_2m": (DPMpp2M(), lambda kind: diffusers.DPMSolverMultistepScheduler(**PLAIN, prediction_type=kind, **EXACT),
                 True),
}


@pytest.mark.parametrize("kind", ["epsilon", "v_prediction", "sample"])
@pytest.mark.parametrize("name", CASES)
def test_our_samplers_over_the_bridge_end_where_their_schedulers_do(name, kind, unet):
    sampler, make, variance_preserving = CASES[name]
    scheduler = make(kind)
    scheduler.set_timesteps(STEPS)
    # its linear spacing puts levels between whole timesteps elsewhere than ln σ does: give it one's own
    if name == "euler":
        scheduler.set_timesteps(**diffusers_grid(scheduler, np.append(levels(scheduler)[:-1], 0.0)))
    grid = levels(scheduler)
    there = theirs(scheduler, unet, grid[0], variance_preserving)
    here = ours(sampler, diffusers_denoiser(unet, scheduler), grid)
    assert np.abs(there).max() > 0.5  # more than nothing is compared
    assert np.abs(here - there).max() < 5e-6 * np.abs(there).max()


def test_the_books_are_kept_over_it_too(unet):
    denoise = diffusers_denoiser(unet, diffusers.DDPMScheduler(**PLAIN))
    for sampler in SAMPLERS:
        run = sample(sampler, denoise, karras(20.0, 0.1, 4), 5, 64, 0, Cpu())
        assert np.isfinite(run.ledger["heat_line"]).all() and run.x.dtype == np.float64


def test_whole_timesteps_serve_a_table_of_embeddings():
    """A network of one's own, with an embedding for each timestep and no config."""
    class Table(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding, self.seen = torch.nn.Embedding(1000, 1), []

        def forward(self, x, t):
            self.seen.append(int(t))
            return x * self.embedding(t)

    network, scheduler = Table(), diffusers.DDPMScheduler(**PLAIN)
    denoise = diffusers_denoiser(network, scheduler, SHAPE, whole=True)
    assert ours(Heun(), denoise, karras(10.0, 0.1, 3)).shape == (N, 64)
    table = diffusers_timesteps(scheduler)
    assert network.seen[0] == np.rint(table.time(10.0)) and len(network.seen) == 6
    # the parts alone do it as well
    by_hand = TimestepDenoiser(torch_denoiser(lambda x, t: x * 0.5), table, shape=SHAPE)
    x = noise()
    assert np.allclose(by_hand(x, 2.0), x - 2.0 * 0.5 * x / np.sqrt(5), rtol=1e-12)


def test_of_learned_variances_the_mean_counts(unet):
    scheduler = diffusers.DDPMScheduler(**PLAIN)
    both = diffusers_denoiser(lambda x, t: torch.cat([0.3 * x, 100 + x], dim=1), scheduler, SHAPE)
    assert np.allclose(both(noise(), 1.0),
                       diffusers_denoiser(lambda x, t: 0.3 * x, scheduler, SHAPE)(noise(), 1.0), rtol=1e-14)


# --- the way back -------------------------------------------------------------------------------------------------

TAKEN = {"EulerDiscreteScheduler": "sigmas", "DDPMScheduler": "timesteps", "DPMSolverMultistepScheduler": "timesteps",
         "DPMSolverSinglestepScheduler": "timesteps", "HeunDiscreteScheduler": "timesteps"}
REFUSED = ("DDIMScheduler", "EulerAncestralDiscreteScheduler", "LMSDiscreteScheduler", "KDPM2DiscreteScheduler",
           "PNDMScheduler",
           "UniPCMultistepScheduler", "DEISMultistepScheduler")


@pytest.mark.parametrize("name", TAKEN)
def test_a_grid_of_ours_goes_into_their_scheduler(name):
    scheduler = getattr(diffusers, name)(**PLAIN)
    grid = karras(100.0, 0.05, 7)
    given = diffusers_grid(scheduler, grid)
    assert list(given) == [TAKEN[name]]
    scheduler.set_timesteps(**given)
    stops = np.unique(scheduler.timesteps.double().numpy())[::-1]
    table = diffusers_timesteps(scheduler)
    assert len(stops) == 7 and np.abs(stops - table.time(grid[:-1])).max() < (1e-3 if TAKEN[name] == "sigmas" else 0.5 + 1e-9)


def test_it_ends_where_ours_ends_over_whole_timesteps_too(unet):
    """dpmpp_2m over a recommended grid as timesteps, ending at the table's least level."""
    scheduler = diffusers.DPMSolverMultistepScheduler(**PLAIN, lower_order_final=False, final_sigmas_type="sigma_min")
    table = diffusers_timesteps(scheduler)
    scheduler.set_timesteps(**diffusers_grid(scheduler, karras(table.sigmas[-1], table.sigmas[0], STEPS)))
    grid = np.append(levels(scheduler)[:-1], table.sigmas[0])
    there, here = (theirs(scheduler, unet, grid[0], True) * np.sqrt(1 + grid[-1] ** 2),
                   ours(DPMpp2M(), diffusers_denoiser(unet, scheduler), grid))
    assert np.abs(here - there).max() < 5e-6 * np.abs(there).max()


@pytest.mark.parametrize("name", REFUSED)
def test_a_scheduler_that_makes_its_own_grids_is_refused(name):
    with pytest.raises(UserError, match="takes no grid of one's own: use EulerDiscreteScheduler"):
        diffusers_grid(getattr(diffusers, name)(**PLAIN), karras(50.0, 0.05, 5))


def test_zero_terminal_snr_loses_its_level_of_pure_noise():
    scheduler = diffusers.DDIMScheduler(**PLAIN, rescale_betas_zero_snr=True)
    assert len(diffusers_timesteps(scheduler)) == 999


@pytest.mark.parametrize("cause, line", [
    (lambda: diffusers_denoiser(lambda x, t: x, diffusers.FlowMatchEulerDiscreteScheduler(), SHAPE),
     "FlowMatchEulerDiscreteScheduler is no"),
    (lambda: diffusers_denoiser(lambda x, t: x, diffusers.EulerDiscreteScheduler(timestep_type="continuous"), SHAPE),
     "discrete timesteps"),
    (lambda: diffusers_denoiser(lambda x, t: x, diffusers.DDPMScheduler(prediction_type="flow"), SHAPE),
     "unknown prediction_type 'flow'"),
    (lambda: diffusers_denoiser(lambda x, t: x, diffusers.DDPMScheduler()), "give shape"),
    (lambda: diffusers_denoiser(lambda x, t: x[:, :, :2], diffusers.DDPMScheduler(), SHAPE)(noise(), 1.0),
     "answers shape"),
    (lambda: diffusers_denoiser(lambda x, t: x, diffusers.DDPMScheduler(), SHAPE)(noise(), 500.0), "500 leaves"),
])
def test_what_is_wrong_is_said_in_one_line(cause, line):
    with pytest.raises(UserError, match=line) as error:
        cause()
    assert "\n" not in str(error.value)


def test_missing_pytorch_is_named(unet, monkeypatch):
    scheduler = diffusers.DDPMScheduler(**PLAIN)
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(UserError, match=r"thermosim\[torch\]"):
        diffusers_denoiser(unet, scheduler)
