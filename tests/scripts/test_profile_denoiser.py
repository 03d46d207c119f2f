"""The profile of a denoiser as a user runs it: own network,
model of diffusers, and what it says when something is wrong."""

import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from thermosim.errors import UserError
from thermosim.files.store import read_tree

SCRIPT = Path(__file__).parents[2] / "experiments" / "profile_denoiser.py"
ONE_THREAD = os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


def launch(*args, **env):
    return subprocess.run([sys.executable, SCRIPT, *map(str, args)], capture_output=True, text=True,
                          env=ONE_THREAD | env)


def columns(out, name):
    return {key: d.values for key, d in read_tree(out / "run.h5")[name].datasets.items()}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    pytest.importorskip("torch", reason="PyTorch is not installed: pip install thermosim[torch]")
    pytest.importorskip("sklearn", reason="scikit-learn is not installed: pip install thermosim[experiments]")
    out = tmp_path_factory.mktemp("profile") / "out"
    done = launch("--quick", "--out", out)
    assert done.returncode == 0, done.stderr
    return done.stdout, out


def test_the_recommended_grid_is_better_where_it_was_made_to_be(finished):
    """By noise that the pilot has not seen. A grid handed back
    in the wrong order, or from another sampler, would not be."""
    seen = columns(finished[1], "profile")
    mine = seen["grid"] == "recommended"
    assert len(seen["grid"]) == 3 * 2 * 4 and np.all(seen["error_error"] > 0)
    # dpmpp_2m of few steps has little to gain over a spacing that is even in ln σ where it counts
    assert np.all(seen["over_usual"][mine] - 4 * seen["over_usual_error"][mine] < 1.02)
    assert np.all(seen["over_usual"][mine & (seen["sampler"] != "dpmpp_2m")] < 0.9)
    whole = seen["over_usual"][seen["grid"] == "whole"]
    assert np.abs(whole / seen["over_usual"][mine] - 1).max() < 0.1
    assert np.array_equal(seen["over_usual"][seen["grid"] == "usual"], np.ones(6))


def test_the_chain_wastes_least_over_its_own_grid(finished):
    work = columns(finished[1], "work")
    for n in set(work["nfe"]):
        P = dict(zip(work["grid"][work["nfe"] == n], work["dissipated_work"][work["nfe"] == n]))
        assert P["recommended"] < 0.8 * min(P["karras"], P["usual"])
    assert np.all((work["eta_grid"] > 0) & (work["eta_grid"] < 1)) and np.all(work["dissipated_work_error"] > 0)
    curve = columns(finished[1], "curve")
    assert np.all(np.diff(curve["sigma"]) < 0) and np.all(curve["mse_error"] > 0)


def test_what_it_prints_can_be_pasted(finished):
    text, out = finished
    found = re.findall(r"sigmas = (\[.*\])\n  timesteps = (\[.*\])", text)
    assert len(found) == 4 * 2
    for sigmas, timesteps in found:
        sigmas, timesteps = (np.array([float(v) for v in part.strip("[]").split(",")]) for part in (sigmas, timesteps))
        assert (len(sigmas) == len(timesteps) + 1 and np.all(np.diff(sigmas) < 0) and np.all(np.diff(timesteps) < 0)
                and timesteps[0] == 999)
    kept = read_tree(out / "run.h5")["recommended/dpmpp_2m/n8"]
    assert (len(kept["sigma"].values) == 9 and kept["timestep"].values[0] == 999
            and np.isnan(kept["timestep"].values).sum() <= 1)
    assert "processor time" in text
    assert (out / "profile.png").stat().st_size > 10_000
    assert not list((out / "work").iterdir())


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory):
    """A folder as diffusers leaves it: a tiny network and its scheduler."""
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install thermosim[diffusers]")
    diffusers = pytest.importorskip("diffusers", reason="diffusers is not installed: pip install thermosim[diffusers]")
    torch.manual_seed(0)
    unet = diffusers.UNet2DModel(sample_size=4, in_channels=1, out_channels=1, layers_per_block=1,
                                 block_out_channels=(8,), norm_num_groups=4,
                                 down_block_types=("DownBlock2D",), up_block_types=("UpBlock2D",))
    with torch.no_grad():
        unet.conv_out.weight *= 0.1
    folder = tmp_path_factory.mktemp("model")
    scheduler = diffusers.DDIMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear",
                                        prediction_type="v_prediction")
    diffusers.DDPMPipeline(unet, scheduler).save_pretrained(folder)
    return folder


def test_a_model_of_diffusers_with_images(pipeline, tmp_path):
    np.save(tmp_path / "images.npy", np.random.default_rng(0).uniform(-1, 1, (40, 4, 4)))
    done = launch("--quick", "--diffusers", pipeline, "--images", tmp_path / "images.npy", "--evaluations", "4",
                  "--particles", "16", "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert "DDIMScheduler takes no grid of one's own: use EulerDiscreteScheduler" in done.stdout
    seen = columns(tmp_path / "out", "profile")
    assert np.isfinite(seen["error"]).all() and len(seen["grid"]) == 3 * 4
    assert read_tree(tmp_path / "out" / "run.h5")["curve"].attrs["of"] == "images"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("name",
                         ["DDIMScheduler", "DDPMScheduler", "PNDMScheduler", "EulerDiscreteScheduler",
                          "DPMSolverMultistepScheduler", "KDPM2DiscreteScheduler"])
@pytest.mark.parametrize("spacing", ["linspace", "leading", "trailing"])
def test_the_usual_grid_is_the_schedulers_own(name, spacing, pipeline, tmp_path):
    """Levels where the scheduler itself stops, and the network's least at the end; a folder without subfolders."""
    import diffusers

    scheduler = getattr(diffusers, name)(timestep_spacing=spacing)
    scheduler.save_pretrained(tmp_path)
    diffusers.UNet2DModel.from_pretrained(pipeline, subfolder="unet").save_pretrained(tmp_path)
    subject = runpy.run_path(str(SCRIPT))["theirs"](str(tmp_path), "")
    table = subject.denoise.timesteps
    for steps in (4, 10):
        grid = subject.usual(steps)
        assert len(grid) == steps + 1 and np.all(np.diff(grid) < 0) and grid[-1] == pytest.approx(table.sigmas[0])
        if name not in ("PNDMScheduler", "KDPM2DiscreteScheduler"):  # which put stops of their own between
            stops = []
            for count in (steps, steps + 1):  # one more where the spacing ends at the least level itself
                scheduler.set_timesteps(count)
                stops.append(scheduler.timesteps.double().numpy())
            times = table.time(grid)
            assert np.allclose(times[:-1], stops[0], atol=1e-6) or np.allclose(times, stops[1], atol=1e-6)


def test_what_is_wrong_is_one_line_and_leaves_nothing(pipeline, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    np.save(tmp_path / "large.npy", np.zeros((20, 8, 8)))
    (tmp_path / "empty").mkdir()
    torn = tmp_path / "torn"  # weights as a pickle only
    (torn / "unet").mkdir(parents=True)
    (torn / "unet" / "config.json").write_text((pipeline / "unet" / "config.json").read_text())
    (torn / "unet" / "diffusion_pytorch_model.bin").write_bytes(b"\x80\x04")
    main = runpy.run_path(str(SCRIPT))["main"]  # in this process: diffusers takes long to import
    for arguments, line in (
            (("--diffusers", pipeline, "--images", tmp_path / "large.npy"),
             "the network was made for (c, h, w) = (1, 4, 4)"),
            (("--diffusers", tmp_path / "nowhere"), "is no folder"),
            (("--diffusers", tmp_path / "large.npy"), "is no folder"),
            (("--diffusers", tmp_path / "empty"), "holds no UNet2DModel in safetensors"),
            (("--diffusers", torn), "holds no UNet2DModel in safetensors"),
            (("--images", tmp_path / "large.npy"), "give it by --diffusers"),
            (("--evaluations", "1,5"), "whole numbers from 2 to 200")):
        with pytest.raises(UserError) as error:
            main([*map(str, arguments), "--quick", "--out", str(tmp_path / "out")])
        assert line in str(error.value) and "\n" not in str(error.value)
        assert not (tmp_path / "out" / "run.h5").exists()


@pytest.mark.parametrize("missing, arguments, extra",
                         [("torch", (), "torch"), ("diffusers", ("--diffusers", "any/name"), "diffusers")])
def test_what_is_missing_is_named(missing, arguments, extra, tmp_path):
    (tmp_path / f"{missing}.py").write_text("raise ImportError")
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    done = launch("--quick", *arguments, "--out", tmp_path / "out", PYTHONPATH=path)
    assert done.returncode == 2 and f"thermosim[{extra}]" in done.stderr and done.stderr.count("\n") == 1, done.stderr
