"""Denoisers of PyTorch and JAX: the answers of the same formula in NumPy, the same ledger, and no copy."""

import sys

import numpy as np
import pytest

from thermosim import schedules
from thermosim.backend.cpu.device import Cpu
from thermosim.errors import UserError
from thermosim.runs.sampling import sample
from thermosim.samplers import FAMILY, Heun, SAMPLERS
from thermosim.score.exact import GaussianMixture
from thermosim.score.foreign import jax_denoiser, torch_denoiser
from thermosim.score.timesteps import TimestepDenoiser, Timesteps

RING = GaussianMixture(np.full(3, 1 / 3), [[1.0, 0.0], [-0.5, 0.9], [-0.5, -0.9]], np.full(3, 0.04))
GRID = schedules.karras(10.0, 0.05, 6)


def outside(xp, softmax, means):
    """The exact denoiser of RING in another library's words."""
    def denoise(x, sigma):
        v = 0.04 + sigma**2
        r = softmax(-((x[:, None, :] - means) ** 2).sum(-1) / (2 * v), -1)
        return (0.04 * x + sigma**2 * (r @ means)) / v

    return denoise


def check(denoise, tolerance):
    """Ends and every channel of the ledger agree with the exact mixture, for one sampler of each kind."""
    for sampler in (*SAMPLERS, FAMILY[-1]):
        ours, theirs = (sample(sampler, D, GRID, 50, 2, 3, Cpu(), batch=20) for D in (RING, denoise))
        assert np.allclose(ours.x, theirs.x, rtol=tolerance, atol=tolerance)
        assert theirs.evaluations == ours.evaluations or sampler.name == "rk45"
        for name in ours.ledger.mean:
            assert np.allclose(ours.ledger.mean[name], theirs.ledger.mean[name], rtol=20 * tolerance,
                               atol=20 * tolerance,
                               equal_nan=True), name


def test_a_pytorch_module():
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install thermosim[torch]")

    class Ring(torch.nn.Module):
        def __init__(self, dtype):
            super().__init__()
            self.means = torch.nn.Parameter(torch.as_tensor(RING.means, dtype=dtype))
            self.seen = []

        def forward(self, x, sigma):
            assert not torch.is_grad_enabled() and sigma.dtype == x.dtype == self.means.dtype
            D = outside(torch, torch.softmax, self.means)(x, sigma)
            self.seen = [x.data_ptr(), D.data_ptr()]
            return D

    module = Ring(torch.float64)
    denoise = torch_denoiser(module)
    check(denoise, 1e-9)
    x = np.random.default_rng(0).standard_normal((40, 2))
    D = denoise(x, 0.7)
    assert module.seen == [x.ctypes.data, D.ctypes.data] and D.dtype == np.float64
    single = torch_denoiser(Ring(torch.float32))
    assert np.allclose(single(x, 0.7), D, rtol=1e-5, atol=1e-5) and single(x, 0.7).dtype == np.float64
    assert sample(Heun(), single, GRID, 50, 2, 3, Cpu()).x.dtype == np.float64


def test_a_pytorch_function_and_a_frozen_x():
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install thermosim[torch]")
    denoise = torch_denoiser(outside(torch, torch.softmax, torch.as_tensor(RING.means)))
    x = np.random.default_rng(0).standard_normal((40, 2))
    x.flags.writeable = False
    assert np.allclose(denoise(x, 0.7), RING(x, 0.7), rtol=1e-12)


@pytest.fixture
def jax64():
    jax = pytest.importorskip("jax", reason="JAX is not installed: pip install thermosim[jax]")
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    yield jax
    jax.config.update("jax_enable_x64", before)


def aligned(values):
    """A copy that begins at a multiple of 64 bytes."""
    raw = np.empty(values.nbytes + 64, np.uint8)
    start = -raw.ctypes.data % 64
    copy = raw[start:start + values.nbytes].view(values.dtype).reshape(values.shape)
    copy[:] = values
    return copy


def test_a_jax_function(jax64):
    given = []
    formula = jax64.jit(outside(jax64.numpy, jax64.nn.softmax, jax64.numpy.asarray(RING.means)))

    def function(x, sigma):
        D = formula(x, sigma).block_until_ready()     # a pointer is waited for under the interpreter lock, for ever
        given[:] = [x.unsafe_buffer_pointer(), D.unsafe_buffer_pointer()]
        return D

    denoise = jax_denoiser(function)
    check(denoise, 1e-9)
    x = aligned(np.random.default_rng(0).standard_normal((40, 2)))
    D = denoise(x, 0.7)
    assert given == [x.ctypes.data, D.ctypes.data]
    assert np.allclose(denoise(D, 0.7), RING(D, 0.7), rtol=1e-12)  # what JAX returned is read-only


def test_a_jax_function_in_its_own_precision():
    jax = pytest.importorskip("jax", reason="JAX is not installed: pip install thermosim[jax]")
    denoise = jax_denoiser(outside(jax.numpy, jax.nn.softmax, jax.numpy.asarray(RING.means)))
    x = np.random.default_rng(0).standard_normal((40, 2))
    assert np.allclose(denoise(x, 0.7), RING(x, 0.7), rtol=1e-4, atol=1e-5) and denoise(x, 0.7).dtype == np.float64


def test_a_jax_network_of_timesteps_on_images(jax64):
    """ε of a unit Gaussian, √(1 − ᾱ) x_t, of a JAX function on
    images; and tensors of PyTorch as they are, without NumPy."""
    alpha_bar = np.linspace(0.999, 0.01, 40)
    table, x = Timesteps(alpha_bar), np.random.default_rng(0).standard_normal((7, 4))

    def network(images, t):
        assert images.shape == (7, 1, 2, 2)
        return (1 - alpha_bar[round(t)]) ** 0.5 * images

    for sigma in table.sigmas[::13]:
        D = TimestepDenoiser(jax_denoiser(jax64.jit(network, static_argnums=1)), table, shape=(1, 2, 2))(x, sigma)
        assert np.allclose(D, x / (1 + sigma**2), rtol=1e-12, atol=1e-14) and isinstance(D, np.ndarray)
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install thermosim[torch]")
    D = TimestepDenoiser(network, table, shape=(1, 2, 2))(torch.from_numpy(x), table.sigmas[9])
    assert torch.is_tensor(D) and np.allclose(D.numpy(), x / (1 + table.sigmas[9] ** 2), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("library, make", [("torch", torch_denoiser), ("jax", jax_denoiser)])
def test_what_is_missing_is_named_in_one_line(library, make, monkeypatch):
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(UserError, match=rf"thermosim\[{library}\]"):
        make(lambda x, sigma: x)


def test_an_answer_of_another_shape_is_refused():
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install thermosim[torch]")
    with pytest.raises(UserError, match="shape"):
        torch_denoiser(lambda x, sigma: x[:, :1])(np.ones((4, 2)), 1.0)
    with pytest.raises(UserError, match="bfloat16"):
        torch_denoiser(torch.nn.Linear(2, 2, dtype=torch.bfloat16))
