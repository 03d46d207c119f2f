"""Jacobian, products with it, divergence and its estimate, of whole denoisers, against complex steps of plain ones."""
from functools import partial

import numpy as np
import pytest

import plain
from plain import H, agree
from thermosim.backend import open_device
from thermosim.errors import UserError
from thermosim.score import parametrisation as predict
from thermosim.score.conditioning import Bumps, FourierFeatures, Nothing, Steps
from thermosim.score.denoiser import Denoiser
from thermosim.score.derivatives import probes
from thermosim.score.mlp import MLP
from thermosim.score.rbf import RBFNetwork

DEVICE = open_device("cpu")
MEAN, SIGMA_DATA, D = np.array([0.3, -0.2, 1.0]), 0.7, 3
rng = np.random.default_rng(3)
X, SIGMA = 2 * rng.standard_normal((4, D)), np.array([0.05, 0.4, 1.0, 7.0])
STEPS = Steps((-3.0, -1.0, 0.5))


def denoisers():
    """A denoiser, its network in plain NumPy, and its features."""
    waves = FourierFeatures(2)
    for outputs in (D, 2 * D):
        sizes = (D + 4, 5, 5, outputs)
        yield (Denoiser(MLP(sizes, np.float64, DEVICE, residual=True), MEAN, SIGMA_DATA), waves, partial(
            plain.hidden, sizes=sizes, f=plain.silu, residual=True), plain.shared)
    sizes = (D, 6, D)
    yield (Denoiser(RBFNetwork(sizes, np.float64, DEVICE, readout=STEPS), MEAN, SIGMA_DATA, None,
                    predict.NoisePrediction(),
                    Nothing()), None, partial(plain.cells, sizes=sizes),
           partial(plain.stepped, levels=np.array(STEPS.levels)))


MODELS = list(denoisers())


@pytest.fixture(params=range(len(MODELS)), ids=["variances-too" if i == 1 else str(i) for i in range(len(MODELS))])
def pair(request):
    """(denoiser, the same function of complex x)"""
    model, waves, lower, readout = MODELS[request.param]
    net = model.network
    net.parameters[:] = 0.5 * np.random.default_rng(1).standard_normal(net.parameters.size)

    def D_of(x):
        s, y, take = SIGMA[:, None], x - MEAN, plain.parameters_of(net.parameters)
        total, inputs = s**2 + SIGMA_DATA**2, y / np.sqrt(s**2 + SIGMA_DATA**2)
        if waves:
            phase = np.pi / 8 * np.log(s) * [1, 2]
            inputs = plain.beside(inputs, np.hstack([np.cos(phase), np.sin(phase)]))
        F = readout(lower(inputs, take), take, net.sizes, np.log(SIGMA))[:, :D]
        return MEAN + (SIGMA_DATA**2 / total * y + s * SIGMA_DATA / np.sqrt(total) * F if waves else y - s * F)

    J = np.stack([D_of(X + 1j * H * e).imag / H for e in np.eye(D)], axis=2)
    return model, D_of, J


def test_products_jacobian_and_divergence(pair):
    model, D_of, J = pair
    v, w = np.random.default_rng(2).standard_normal((2, 2, 4, D))
    agree(model(X, SIGMA), D_of(X))
    # D − x keeps fewer digits where σ is small
    agree(model.score(X, SIGMA), (D_of(X) - X) / SIGMA[:, None] ** 2, 1e-11)
    value, Jv = model.jvp(X, SIGMA, v)
    agree(value, D_of(X))
    agree(Jv, np.einsum("nij,mnj->mni", J, v))
    value, wJ = model.vjp(X, SIGMA, w[0])
    agree(value, D_of(X))
    agree(wJ, np.einsum("ni,nij->nj", w[0], J))
    agree(model.jacobian(X, SIGMA), J)
    agree(model.divergence(X, SIGMA), np.trace(J, axis1=1, axis2=2))
    agree(model.hutchinson(X, SIGMA, v), np.einsum("mni,nij,mnj->mn", v, J, v).mean(axis=0))


def test_estimate_of_the_divergence_has_no_bias(pair):
    """Over all 2³ signs the mean is the trace; over drawn ones it is within 6 of its own standard errors."""
    model, _, J = pair
    trace = np.trace(J, axis1=1, axis2=2)
    every = np.stack(np.meshgrid(*3 * [[-1.0, 1.0]], indexing="ij"), axis=-1).reshape(8, 1, D)
    agree(model.hutchinson(X, SIGMA, np.broadcast_to(every, (8, 4, D))), trace)
    v = probes(DEVICE, 5, 0, 4000, 4, D)
    single = (v * model.jvp(X, SIGMA, v)[1]).sum(axis=2)
    error = single.std(axis=0) / np.sqrt(len(v))
    # sees a bias of 6 errors, some 3 % of the spread of one estimate
    assert np.all(np.abs(single.mean(axis=0) - trace) < 6 * error)


def test_probes():
    """Signs of mean 0 and covariance 1, a function of seed, draw and point: the same for any split of a batch."""
    v = probes(DEVICE, 5, 2, 3, 1000, 4)
    assert v.shape == (3, 1000, 4) and set(np.unique(v)) == {-1.0, 1.0}
    rest = probes(DEVICE, 5, 2, 3, 400, 4, first=600)
    assert np.array_equal(rest, v[:, 600:])
    assert (not np.array_equal(v, probes(DEVICE, 5, 3, 3, 1000, 4))
            and not np.array_equal(v, probes(DEVICE, 6, 2, 3, 1000, 4)))
    covariance = np.einsum("anj,ank->jk", v, v) / 3000
    assert np.all(np.diag(covariance) == 1) and np.abs(covariance - np.eye(4)).max() < 6 / 3000**0.5
    assert np.abs(v.mean(axis=(0, 1))).max() < 6 / 3000**0.5
    assert v.std() > 0.9 and abs(np.mean(v[0] * v[1])) < 6 / 4000**0.5


def test_many_rows_go_through_in_parts(monkeypatch):
    """More points than go through together: each row's derivatives are its own."""
    monkeypatch.setattr(Denoiser, "chunk", 1000)
    model = MODELS[0][0]
    model.network.parameters[:] = np.random.default_rng(1).standard_normal(model.network.parameters.size)
    x = np.random.default_rng(9).standard_normal((3000, D))
    few = model.divergence(x[2990:], 0.5)
    assert np.allclose(model.divergence(x, 0.5)[2990:], few, rtol=1e-13)
    assert np.allclose(model.vjp(x, 0.5, x)[1][2990:], model.vjp(x[2990:], 0.5, x[2990:])[1], rtol=1e-12)


def test_networks_that_do_not_fit():
    for sizes, features in (((4, 5, 3), None), ((7, 5, 3), Nothing()), ((3, 5, 4), Nothing()),
                            ((12, 5, 3), Bumps(-3, 1, 8))):
        with pytest.raises(UserError, match="does not fit data"):
            Denoiser(MLP(sizes, np.float64, DEVICE), MEAN, 1.0, features=features)
