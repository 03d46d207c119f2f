"""Gpu against Cpu, method by method: bit for bit where the CPU's arithmetic is strict."""
import numpy as np
import pytest

from thermosim.backend.cpu.device import Cpu
from thermosim.backend.cpu.mixture import mixture_denoise
from thermosim.errors import UserError
from thermosim.score.activations import LeakyReLU, Sigmoid, SiLU, Tanh
from thermosim.score.conditioning import Bumps, Nothing, Steps
from thermosim.score.denoiser import Denoiser
from thermosim.score.derivatives import probes
from thermosim.score.empirical import Empirical
from thermosim.score.exact import Gaussian
from thermosim.score.implicit_score_matching import ImplicitScoreMatching
from thermosim.score.levels import Minibatches
from thermosim.score.mlp import MLP
from thermosim.score.rbf import RBFNetwork
from thermosim.score.sliced_score_matching import SlicedScoreMatching

CPU = Cpu()
SHAPES = [(1, 1), (7, 3), (1000, 1), (300, 2), (5, 257), (2, 70_001), (1, 1000)]
REALS = [np.float32, np.float64]


def numbers(shape, dtype, draw=0, scale=1.0):
    return CPU.normals(11, 5, draw, *shape, dtype=dtype) * dtype(scale)


@pytest.mark.parametrize("seed, stream, draw, first", [
    (0, 0, 0, 0), (3, 1, 5, 17), (2**40 + 9, 2, 4 * 2**20 + 2, 0),
    (2**64 - 1, 2**32 - 1, 2**34 - 1, 2**32 - 1000)])
def test_words_and_normals(gpu, seed, stream, draw, first):
    for n, d in SHAPES:
        ours = gpu.to_host(gpu.words(seed, stream, draw, n, d, first))
        assert np.array_equal(ours, CPU.words(seed, stream, draw, n, d, first))
        for real in REALS:
            ours = gpu.to_host(gpu.normals(seed, stream, draw, n, d, first, real))
            assert ours.dtype == real
            assert np.array_equal(ours, CPU.normals(seed, stream, draw, n, d, first, real))


def test_normals_fill_an_array(gpu):
    out = gpu.xp.empty((9, 4), np.float32)
    assert gpu.normals(1, 2, 3, 9, 4, dtype=np.float32, out=out) is out
    assert np.array_equal(gpu.to_host(out), CPU.normals(1, 2, 3, 9, 4, dtype=np.float32))
    assert gpu.normals(1, 2, 3, 0, 4).shape == (0, 4) and gpu.words(1, 2, 3, 4, 0).shape == (4, 0)
    for wrong in (dict(out=out), dict(dtype=np.int32), dict(n=-1), dict(seed=2**64)):
        with pytest.raises(UserError, match="random numbers"):
            gpu.normals(**dict(seed=1, stream=2, draw=3, n=9, d=4) | wrong)


@pytest.mark.parametrize("real", REALS)
@pytest.mark.parametrize("name", ["silu", "sigmoid", "tanh"])
def test_activations(gpu, name, real):
    """The CPU may place its multiply-adds elsewhere: bounded by roundings, not by bits."""
    eps = np.finfo(real).eps
    for shape in SHAPES:
        z, b = numbers(shape, real, 0, 5), numbers((1, shape[1]), real, 1)[0]
        z.flat[0] = -200
        for suffix, outputs in (("", 1), ("_curved", 2)):
            ours, found = gpu.asarray(z), [gpu.asarray(np.empty_like(z)) for _ in range(outputs)]
            getattr(gpu, name + suffix)(ours, gpu.asarray(b), *found)
            theirs, expected = z.copy(), [np.empty_like(z) for _ in range(outputs)]
            getattr(CPU, name + suffix)(theirs, b, *expected)
            assert np.allclose(gpu.to_host(ours), theirs, rtol=4 * eps, atol=0)
            for a, b_ in zip(found, expected):
                # derivatives are sums of terms up to 2 that cancel where they change their sign
                assert np.allclose(gpu.to_host(a), b_, rtol=8 * eps, atol=8 * eps)


@pytest.mark.parametrize("real", REALS)
def test_leaky_relu(gpu, real):
    z, b = numbers((300, 7), real, 0, 5), numbers((1, 7), real, 1)[0]
    results = []
    for device in (gpu, CPU):
        arrays = device.asarray(z.copy()), device.asarray(b), device.asarray(np.empty_like(z))
        device.leaky_relu(*arrays, 0.05)
        results.append([device.to_host(a) for a in arrays])
    for ours, theirs in zip(*results):
        assert np.array_equal(ours, theirs)


@pytest.mark.parametrize("real", REALS)
def test_whole_networks(gpu, real):
    """Answers, Jacobian products and both gradients of every kind of layer: the CPU's up to rounding."""
    bumps, steps = Bumps(-2.0, 1.0, 4), Steps((-1.0, -0.2, 0.9))
    kinds = [(MLP, (5, 9, 9, 3), dict(activation=f, residual=True)) for f in (SiLU(), Tanh(), Sigmoid(), LeakyReLU())]
    kinds += [(RBFNetwork, (5, 7, 3), dict(readout=readout)) for readout in (Nothing(), bumps, steps)]
    x, level, tangents, d = (numbers(shape, real, k) for k, shape in enumerate([(40, 5), (40, 1), (80, 5), (40, 3)]))
    level = level[:, 0].astype(np.float64)
    for kind, sizes, parts in kinds:
        found = []
        for device in (gpu, CPU):
            net = kind(sizes, real, device, seed=1, **parts)
            net.parameters[:] = device.asarray(numbers((1, net.parameters.size), real, 9, 0.5)[0])
            points, levels, slopes = device.asarray(x), device.asarray(level), device.asarray(d)
            first = [net.forward(points, levels), *net.backward(slopes, want_input=True)]
            found.append([device.to_host(a).copy() for a in first])
            F, JT = net.push(points, device.asarray(tangents.reshape(2, 40, 5)), levels)
            second = [F.copy(), JT.copy(), *net.pull(slopes, JT.copy(), want_input=True)]
            found[-1] += [device.to_host(a).copy() for a in second]
        for ours, theirs in zip(*found):
            # some thousand roundings of terms of the size of the largest
            assert np.abs(ours - theirs).max() <= 300 * np.finfo(real).eps * np.abs(theirs).max()


@pytest.mark.parametrize("real", REALS)
def test_derivatives_and_score_matching(gpu, real):
    """A denoiser's Jacobian products and both losses without a target, on either device: the same up to rounding."""
    data, x = numbers((60, 3), real), numbers((20, 3), real, 1)
    v, steps = numbers((2, 20 * 3), real, 2).reshape(2, 20, 3), Steps((-2.0, -1.0, 0.5))
    found = []
    for device in (gpu, CPU):
        net = RBFNetwork((7, 6, 3), real, device, seed=1, readout=steps)
        net.parameters[:] = device.asarray(numbers((1, net.parameters.size), real, 9, 0.5)[0])
        model, batches = Denoiser(net, np.zeros(3), 0.9), Minibatches(device.asarray(data), 16, 5, device)
        points, directions = device.asarray(x), device.asarray(v)
        answers = [*model.jvp(points, 0.7, directions), model.vjp(points, 0.7, directions[0])[1],
                   model.jacobian(points, 0.7),
                   model.divergence(points, 0.7), model.hutchinson(points, 0.7, probes(device, 1, 2, 4, 20, 3, real))]
        for loss in (ImplicitScoreMatching(), SlicedScoreMatching(count=2), SlicedScoreMatching(reduced=False)):
            value, gradient = loss(model, batches, 3)
            answers += [gpu.xp.asarray([float(value)]), gradient.copy()]
        found.append([device.to_host(a) for a in answers])
    for ours, theirs in zip(*found):
        assert (ours.shape == theirs.shape
                and np.abs(ours - theirs).max() <= 300 * np.finfo(real).eps * np.abs(theirs).max())


def test_silu_shows_nan(gpu):
    z, slope = gpu.asarray(np.array([[np.nan, 1.0]])), gpu.asarray(np.zeros((1, 2)))
    gpu.silu(z, gpu.asarray(np.zeros(2)), slope)
    assert np.isnan(gpu.to_host(z)).tolist() == [[True, False]]


@pytest.mark.parametrize("real", REALS)
def test_scale_columns_sum(gpu, real):
    """The product is one rounding on both sides, the sum a different order of the same numbers."""
    for rows in (1, 31, 32, 33, 512, 2049):
        d, g = numbers((rows, 37), real), numbers((rows, 37), real, 1)
        ours, sums = gpu.asarray(d), gpu.asarray(np.empty(37, real))
        gpu.scale_columns_sum(ours, gpu.asarray(g), sums)
        assert np.array_equal(gpu.to_host(ours), d * g)
        product = (d * g).astype(np.float64)
        chain = 32 * 3        # additions behind one another: at most three rounds
        bound = chain * np.finfo(real).eps * np.abs(product).sum(axis=0)
        assert np.all(np.abs(gpu.to_host(sums) - product.sum(axis=0)) <= bound)


def test_sum_over_no_rows_is_zero(gpu):
    empty, sums = gpu.asarray(np.empty((0, 5))), gpu.asarray(np.ones(5))
    gpu.scale_columns_sum(empty, empty, sums)
    assert not gpu.to_host(sums).any()


@pytest.mark.parametrize("real", REALS)
def test_adam(gpu, real):
    k = 1001
    p, m, ema = (numbers((1, k), real, j)[0] for j in range(3))
    v = np.abs(numbers((1, k), real, 3)[0])
    ours = [gpu.asarray(a) for a in (p, m, v, ema)]
    theirs = [a.copy() for a in (p, m, v, ema)]
    for step in range(1, 6):
        g = numbers((1, k), real, 10 + step)[0]
        for device, (p_, m_, v_, ema_), g_ in ((gpu, ours, gpu.asarray(g)), (CPU, theirs, g)):
            device.adam(p_, g_, m_, v_, ema_, 1e-2, (0.9, 0.999), step, 1e-8, 0.01, 0.05)
    eps = np.finfo(real).eps
    for a, b in zip(ours, theirs):
        # five steps, each a handful of roundings of terms no larger than 4
        assert np.allclose(gpu.to_host(a), b, rtol=20 * eps, atol=20 * eps)


@pytest.mark.parametrize("d, components, turned", [(1, 1, False), (2, 5, True), (3, 4, False), (9, 3, True),
                                                   (16, 2, True)])
def test_mixture(gpu, d, components, turned):
    rng = np.random.default_rng(d)
    weights = rng.random(components) + 0.1
    law = weights / weights.sum(), 3 * rng.normal(size=(components, d)), rng.random((components, d)) + 0.01
    vectors = np.linalg.qr(rng.normal(size=(components, d, d)))[0] if turned else None
    for sigma in (0.02, 1.0, 50.0):
        x = law[1][rng.integers(components, size=700)] + sigma * rng.normal(size=(700, d))
        x[3] = np.nan
        ours = gpu.mixture_denoise(gpu.asarray(x), sigma, *law, vectors)
        theirs = mixture_denoise(x, sigma, *law, vectors)
        for a, b in zip(ours, theirs):
            assert np.array_equal(gpu.to_host(a), b, equal_nan=True)
    with pytest.raises(UserError, match="mixture"):
        gpu.mixture_denoise(gpu.asarray(np.zeros((4, d + 1))), sigma, *law, vectors)


def test_wrong_arrays_are_refused(gpu):
    z = gpu.asarray(np.zeros((4, 6)))
    with pytest.raises(ValueError, match="silu"):
        gpu.silu(z[:, ::2], gpu.asarray(np.zeros(3)), gpu.asarray(np.zeros((4, 3))))
    with pytest.raises(ValueError, match="silu"):
        gpu.silu(z, gpu.asarray(np.zeros(6, np.float32)), gpu.asarray(np.zeros((4, 6))))


def test_arrays_come_and_go(gpu):
    x = gpu.asarray(np.arange(6).reshape(2, 3).T, np.float32)
    assert x.flags.c_contiguous and x.dtype == np.float32
    assert np.array_equal(gpu.to_host(x), [[0, 3], [1, 4], [2, 5]]) and isinstance(gpu.to_host(x), np.ndarray)


def test_exact_laws(gpu):
    """A full Gaussian and a set of points: the same denoiser, density, divergence and draws as on the CPU."""
    points = numbers((3000, 5), np.float64)
    C = points[:40].T @ points[:40] / 40
    x = points[:700] + 0.3 * numbers((700, 5), np.float64, 1)
    for here, there in ((Gaussian(points[0], C), Gaussian(points[0], C, gpu)),
                        (Empirical(points), Empirical(points, gpu))):
        for name in ("__call__", "log_density", "divergence", "score"):
            ours = gpu.to_host(getattr(there, name)(gpu.asarray(x), 0.5))
            assert np.allclose(ours, getattr(here, name)(x, 0.5), rtol=1e-10, atol=1e-12), name
        assert np.allclose(gpu.to_host(there.sample(50, 3, gpu)), here.sample(50, 3, CPU), rtol=1e-13, atol=1e-14)
