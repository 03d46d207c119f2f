"""All losses ask for the same denoiser, E[x_0|x]: shown exactly, on minibatches made so that averages have no error.

Two settings. In the first, every value of x has a free parameter of its own (the most flexible model), and the
minibatch holds every pair of data and noise once, many of which meet in one x. In the second, the model is linear
and the minibatch has exactly the moments of Gaussian data and noise. Each loss is minimised with nothing but its own
gradient, which is linear in the parameters, and each is shown to be flat at the exact denoiser.
"""
import itertools
from dataclasses import replace

import numpy as np
import pytest

from thermosim.backend import open_device
from thermosim.runs.noising import heat
from thermosim.schedules import Chain, ve_chain, vp_chain
from thermosim.score import parametrisation as predict
from thermosim.score import sliced_score_matching
from thermosim.score.binary import BinaryLoss
from thermosim.score.bound import LearnedVariances, VariationalBound, even_shares
from thermosim.score.denoiser import Denoiser
from thermosim.score.exact import GaussianMixture
from thermosim.score.implicit_score_matching import ImplicitScoreMatching
from thermosim.score.levels import Minibatches
from thermosim.score.losses import DenoisingLoss
from thermosim.score.mlp import MLP
from thermosim.score.reverse import Learned
from thermosim.score.sliced_score_matching import SlicedScoreMatching
from thermosim.score.train import TrainConfig, train

DEVICE = open_device("cpu")
KINDS = [*predict.PARAMETRISATIONS, predict.ScorePrediction(power=0.0)]


class Given:
    """Minibatches of given points, noise and places among the noise levels."""

    def __init__(self, clean, noise, uniforms):
        self.given, self.device, self.batch, self.seed = (clean, noise, uniforms), DEVICE, len(clean), 0

    clean = lambda self, step: self.given[0]
    noise = lambda self, step: self.given[1]
    level_uniforms = lambda self, step: self.given[2]


class Levels:
    """One noise level for all points, or one for each."""

    def __init__(self, sigma):
        self.sigma = sigma

    def draw(self, batches, step):
        return np.broadcast_to(self.sigma, len(batches.clean(step))).astype(float)


def minimiser(loss, model, batches):
    """Parameters where the gradient, linear in them, is zero."""
    p = model.network.parameters

    def gradient(at):
        p[:] = at
        return loss(model, batches, 0)[1].copy()

    at_zero = gradient(np.zeros(p.size))
    curvature = np.array([gradient(unit) - at_zero for unit in np.eye(p.size)])
    return np.linalg.solve(curvature, -at_zero)


# --- the most flexible model -----------------------------------------------------------------------


class Table:
    """A network with one free answer for each distinct row of inputs."""

    def __init__(self, rows, outputs):
        self.rows, self.device, self.dtype = rows, DEVICE, np.dtype(float)
        self.sizes = (rows.shape[1], outputs)
        self.parameters = np.zeros(len(rows) * outputs)

    def forward(self, inputs, level=None):
        self.place = np.abs(inputs[:, None] - self.rows).max(axis=2).argmin(axis=1)
        return self.parameters.reshape(len(self.rows), -1)[self.place]

    evaluate = forward

    def backward(self, d):
        gradient = np.zeros((len(self.rows), d.shape[1]))
        np.add.at(gradient, self.place, d)
        return gradient.ravel()


def lattice():
    """Data on {−1, 0, 2} and noise σn on {−2 … 2} at σ = ½ and 1, not Gaussian and not needing to be; 90 draws."""
    x0, k, sigma = np.array(list(itertools.product([-1.0, 0.0, 0.0, 2.0], [-2.0, -1.0, 0.0, 1.0, 2.0], [0.5, 1.0]))).T
    return x0[:, None], (k / sigma)[:, None], sigma


def table_model(kind, outputs=1):
    x0, n, sigma = lattice()
    model = Denoiser(Table(np.zeros((1, 3)), outputs), [0.0], 1.3, parametrisation=kind)
    rows, _ = model.inputs(x0 + sigma[:, None] * n, sigma)
    model.network = Table(np.unique(rows.round(12), axis=0), outputs)
    return model


def conditional_means():
    """E[x_0|x, σ] by counting, a row a draw."""
    x0, n, sigma = lattice()
    x = (x0 + sigma[:, None] * n)[:, 0]
    same = (x[:, None] == x) & (sigma[:, None] == sigma)
    assert same.sum(axis=1).max() > 3           # draws do meet
    return (same @ x0) / same.sum(axis=1, keepdims=True)


def flexible_losses():
    x0, n, sigma = lattice()
    chain = ve_chain([0.2, 0.5, 1.0])
    # step n = 1 leads from σ = ½, step 2 from σ = 1
    uniforms = np.where(sigma == 0.5, 0.25, 0.75)
    for kind in KINDS:
        yield DenoisingLoss(Levels(sigma)), kind, Given(x0, n, uniforms)
    for variance in ("posterior", "beta", np.array([0.3, 0.1])):
        yield VariationalBound(replace(chain, variance=variance)), predict.NoisePrediction(), Given(x0, n, uniforms)


@pytest.mark.parametrize("loss, kind, batches", [*flexible_losses()], ids=lambda v: type(v).__name__)
def test_most_flexible_model(loss, kind, batches):
    x0, n, sigma = lattice()
    model = table_model(kind)
    model.network.parameters[:] = minimiser(loss, model, batches)
    assert np.allclose(model(x0 + sigma[:, None] * n, sigma), conditional_means(), rtol=0, atol=1e-12)


def test_learned_variances_of_the_most_flexible_model():
    """Flat at the conditional mean and at Σ = β̃ + c_0² Var[x_0|x], and nowhere lower near by."""
    x0, n, sigma = lattice()
    loss, model = LearnedVariances(ve_chain([0.2, 0.5, 1.0])), table_model(predict.Preconditioned(), outputs=2)
    batches = Given(x0, n, np.where(sigma == 0.5, 0.25, 0.75))
    x = x0 + sigma[:, None] * n
    D = conditional_means()
    same = (x == x.T) & (sigma[:, None] == sigma)
    spread = (same @ x0**2) / same.sum(axis=1, keepdims=True) - D**2
    step = np.where(sigma == 0.5, 0, 1)
    c_0, _, b, least = (column[:, None] for column in loss.steps[step].T)
    low, high = (column[:, None] for column in loss.ends[step].T)
    rho = 2 * (np.log(least + c_0**2 * spread) - low) / (high - low) - 1
    c_skip, c_out, _ = model.coefficients(sigma)
    inputs, _ = model.inputs(x, sigma)
    model.network.forward(inputs)
    table = model.network.parameters.reshape(-1, 2)
    table[model.network.place] = np.hstack([(D - c_skip * x) / c_out, rho])
    lowest, gradient = loss(model, batches, 0)
    assert np.abs(gradient).max() < 1e-13
    assert np.allclose(model(x, sigma), D, atol=1e-13)
    assert np.allclose(loss.variance(model, x[step == 1], 2), (least + c_0**2 * spread)[step == 1], rtol=1e-12)
    rng, best = np.random.default_rng(0), table.copy()
    for _ in range(20):
        table[:] = best + 0.1 * rng.standard_normal(table.shape)
        assert loss.value(model, batches, 0) > lowest


# --- Gaussian data and a linear model ----------------------------------------------------------------

SIGMA, COVARIANCE = 0.8, np.array([[2.0, 0.6], [0.6, 0.5]])
MEAN = np.array([1.0, -2.0])


def gaussian_draws(n=24):
    """Points and noise with no mean, covariances C and 1, uncorrelated, and all odd moments zero: to rounding."""
    q = np.linalg.qr(np.random.default_rng(1).standard_normal((n // 2, 4)))[0] * (n / 2) ** 0.5
    q = np.concatenate([q, -q])
    return q[:, :2] @ np.linalg.cholesky(COVARIANCE).T, np.ascontiguousarray(q[:, 2:])


def linear_model(kind, outputs=2):
    return Denoiser(MLP((2, outputs), np.float64, DEVICE), MEAN, 1.1, parametrisation=kind)


def gaussian_losses():
    for kind in KINDS:
        yield DenoisingLoss(Levels(SIGMA)), kind
        yield ImplicitScoreMatching(Levels(SIGMA)), kind
    for variance in ("posterior", "beta"):
        yield VariationalBound(ve_chain([0.3, SIGMA], variance)), predict.VelocityPrediction()
    yield VariationalBound(Chain(np.array([0.9, 0.6]), np.array([0.0, 0.6 * SIGMA]))), predict.CleanPrediction()
    for kind in KINDS[:-1]:
        yield ImplicitScoreMatching(Levels(SIGMA)), kind
    for reduced in (True, False):
        yield SlicedScoreMatching(Levels(SIGMA), count=4, reduced=reduced), predict.ScorePrediction()


@pytest.fixture
def every_direction(monkeypatch):
    """Slices along all four signs at every point, in the place of random ones."""
    every = np.array([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
    monkeypatch.setattr(sliced_score_matching, "probes",
                        lambda device, seed, draw, m, n, d: np.repeat(every[:, None], n, axis=1))


@pytest.mark.parametrize("loss, kind", [*gaussian_losses()], ids=lambda v: type(v).__name__)
def test_gaussian_data(loss, kind, every_direction):
    """Every minimiser is the Wiener filter C(C + σ²)⁻¹, which is also what the exact law gives.

    Score matching without a target is among them: it sees x alone, and its divergence in the place of x_0.
    """
    model, batches = linear_model(kind), Given(*gaussian_draws(), np.full(24, 0.5))
    model.network.parameters[:] = minimiser(loss, model, batches)
    x = MEAN + np.random.default_rng(2).standard_normal((50, 2)) * 3
    filtered = MEAN + (x - MEAN) @ np.linalg.solve(COVARIANCE + SIGMA**2 * np.eye(2), COVARIANCE)
    assert np.allclose(model(x, SIGMA), filtered, rtol=0, atol=1e-11)
    assert np.allclose(GaussianMixture([1.0], [MEAN], [COVARIANCE])(x, SIGMA), filtered, rtol=0, atol=1e-12)


def test_learned_variances_of_gaussian_data():
    """Flat at the Wiener filter and Σ = β̃ + c_0²·posterior variance, which no longer depends on x."""
    loss, model = LearnedVariances(ve_chain([0.3, SIGMA])), linear_model(predict.NoisePrediction(), outputs=4)
    gain = np.linalg.solve(COVARIANCE + SIGMA**2 * np.eye(2), COVARIANCE)
    posterior = np.diag(COVARIANCE - COVARIANCE @ gain)
    c_0, _, _, least = loss.steps[0]
    low, high = loss.ends[0]
    root = np.sqrt(SIGMA**2 + 1.1**2)      # 1/c_in; D = x − σF
    model.network.layers[0].W[:, :2] = root * (np.eye(2) - gain) / SIGMA
    model.network.layers[0].b[2:] = 2 * (np.log(least + c_0**2 * posterior) - low) / (high - low) - 1
    _, gradient = loss(model, Given(*gaussian_draws(), np.full(24, 0.5)), 0)
    assert np.abs(gradient).max() < 1e-13


# --- binary data ---------------------------------------------------------------------------------------


class ExactLogits:
    """In the place of a network: the logits of the exact P(x_{0,i} = 1|x_t)."""

    def __init__(self, states, flip):
        self.states, self.flip = states, flip

    def logits(self, x, memory):
        joint = np.prod(np.where(x[:, None] == self.states, 1 - self.flip, self.flip), axis=2)
        p = joint @ self.states / joint.sum(axis=1, keepdims=True)
        return np.log(p / (1 - p))


def test_binomial_cross_entropy():
    """Every (x_0, x_t) as often as it is likely, memory ½: at each x_t the residuals of the exact law cancel."""
    states = np.array([[0, 0, 1], [1, 0, 1], [1, 1, 0]], np.uint8)
    x0, x = [], []
    for state, noisy in itertools.product(states, itertools.product([0, 1], repeat=3)):
        often = 3 ** int((state == noisy).sum())      # stays with ¾, flips with ¼
        x0 += [state] * often
        x += [noisy] * often
    x0, x = np.array(x0, np.uint8), np.array(x, np.uint8)
    _, residual = BinaryLoss(ExactLogits(states, 0.25), None, len(x), 0).value(x0, np.full(len(x), 0.5), x)
    for noisy in itertools.product([0, 1], repeat=3):
        assert np.abs(residual[(x == noisy).all(axis=1)].sum(axis=0)).max() < 1e-12


# --- the bound is what heating costs ---------------------------------------------------------------------


def wiggly(outputs=2):
    """A denoiser that is wrong in an honest way: a network of random weights."""
    net = MLP((6, 8, outputs), np.float64, DEVICE)
    net.parameters[:] = 0.5 * np.random.default_rng(4).standard_normal(net.parameters.size)
    return Denoiser(net, MEAN, 1.1)


@pytest.mark.parametrize("chain", [vp_chain(5.0, 6, "beta"), vp_chain(5.0, 6, "posterior"), ve_chain([0.2, 0.6, 2.0])],
                         ids=["vp beta", "vp posterior", "ve"])
def test_bound_is_the_mean_work_of_heating(chain):
    """Against 40,000 heated points; it would see 1 % of the bound's excess. Steps drawn either way agree."""
    model = wiggly()
    data = np.random.default_rng(5).standard_normal((40_000, 2)) @ np.linalg.cholesky(COVARIANCE).T + MEAN
    work, error = heat(chain, model, data, 6, DEVICE).bound()
    batches = Minibatches(data - MEAN, 2000, 7, DEVICE)
    for p in (None, even_shares(chain, 1.1)):
        loss = VariationalBound(chain, p)
        values = np.array([float(loss.value(model, batches, step)) for step in range(40)])
        off = np.hypot(values.std() / 40**0.5, error / 2)
        assert off < 0.02 * values.mean()
        assert abs(values.mean() - work / 2) < 6 * off


@pytest.mark.parametrize("chain", [vp_chain(5.0, 6), ve_chain([0.2, 0.6, 2.0])], ids=["vp", "ve"])
def test_bound_with_learned_variances_is_the_mean_work_too(chain):
    """Variances that vary with x, step by step booked and drawn."""
    model, loss = wiggly(4), LearnedVariances(chain)
    data = np.random.default_rng(5).standard_normal((20_000, 2)) @ np.linalg.cholesky(COVARIANCE).T + MEAN
    some = loss.variance(model, data[:100], 1)
    assert some.std() > 0.04 * some.mean()
    reverse = Learned(model, chain)
    work, error = heat(chain, reverse, data, 6, DEVICE, variance=reverse.variance).bound()
    batches = Minibatches(data - MEAN, 2000, 7, DEVICE)
    values = np.array([float(loss.value(model, batches, step)) for step in range(40)])
    off = np.hypot(values.std() / 40**0.5, error / 2)
    assert off < 0.02 * values.mean()
    assert abs(values.mean() - work / 2) < 6 * off


@pytest.mark.parametrize("quantum", [None, 0.2])
def test_books_of_variances_that_are_constant(quantum):
    """Told as a function of x, in units of the data, or as the chain's own: the same work of every particle, of
    densities and of lattices."""
    chain, own = vp_chain(5.0, 6), np.linspace(0.3, 0.9, 6)
    in_data_units = {chain.sigma(n): own[n - 1] / chain.alpha[n - 1] ** 2 for n in range(1, 7)}
    data = 0.2 * np.random.default_rng(5).integers(-5, 6, (50, 2))
    fixed = heat(replace(chain, variance=own), wiggly(), data, 6, DEVICE, quantum)
    told = heat(chain, wiggly(), data, 6, DEVICE, quantum, variance=lambda y, sigma, sigma_next: in_data_units[sigma])
    assert np.allclose(told.work, fixed.work, rtol=1e-13, atol=0)


def test_learned_variances_that_are_constant_are_ones_own():
    """A network whose second half is flat: the bound of a chain that is told these very variances, to rounding."""
    model, d, chain = wiggly(4), 2, vp_chain(5.0, 6, "posterior")
    model.network.layers[-1].W[:, d:] = 0
    model.network.layers[-1].b[d:] = 0.3
    learned = LearnedVariances(chain)
    own = np.exp(learned.ends @ [0.35, 0.65])
    fixed = VariationalBound(replace(chain, variance=own))
    batches = Minibatches(np.random.default_rng(5).standard_normal((500, 2)), 60, 7, DEVICE)
    n = learned.law.places(batches, 3)
    steady = (np.log(own / fixed.steps[:, 2]) - 1 + fixed.steps[:, 3] / own) / 2
    drawn = learned.value(model, batches, 3) - np.mean(steady[n]) * len(chain) + steady.sum()
    narrow = Denoiser(MLP((6, 8, 2), np.float64, DEVICE), MEAN, 1.1)
    for ours, theirs in zip(narrow.network.layers, model.network.layers):
        ours.W[:], ours.b[:] = theirs.W[:, :ours.W.shape[1]], theirs.b[:len(ours.b)]
    assert np.isclose(drawn, fixed.value(narrow, batches, 3), rtol=1e-12)


# --- and training finds it ------------------------------------------------------------------------------


SMALL = TrainConfig(width=32, depth=2, features=3, batch=256, steps=1000, rate=1e-2, sigma_min=0.1, sigma_max=3.0)


@pytest.mark.parametrize("kind, loss", [
    *((kind, None) for kind in predict.PARAMETRISATIONS),
    (predict.NoisePrediction(), "bound"), (predict.VelocityPrediction(), "learned")], ids=lambda v: str(v)[:12])
def test_training_finds_it(kind, loss):
    """Two unequal clusters: a small network trained by each loss
    comes within a fifth of E[x_0|x] (rms, of its scatter)."""
    exact = GaussianMixture([0.3, 0.7], [[-1.0], [1.0]], [0.04, 0.09])
    data = exact.sample(20_000, 1, DEVICE)
    levels = np.geomspace(0.1, 3.0, 21)
    chain = ve_chain(levels)
    losses = {None: None, "bound": VariationalBound(chain, even_shares(chain, 0.95)),
              "learned": LearnedVariances(chain, even_shares(chain, 0.95))}
    model = train(data, replace(SMALL, parametrisation=kind, loss=losses[loss]), DEVICE)
    for sigma in (0.3, 0.6, 1.2):
        x = data[:4000] + sigma * np.random.default_rng(2).standard_normal((4000, 1))
        ours, theirs = model(x, sigma), exact(x, sigma)
        assert np.sqrt(np.mean((ours - theirs) ** 2)) < 0.2 * theirs.std(), sigma


def test_velocity_is_edm_with_its_sign_turned():
    """The same steps of training with the last layer's sign turned: the same denoiser to the bit."""
    data = GaussianMixture([0.3, 0.7], [[-1.0], [1.0]], [0.04, 0.09]).sample(500, 1, DEVICE)
    edm, velocity = (train(data, replace(SMALL, steps=60, parametrisation=kind), DEVICE)
                     for kind in (predict.Preconditioned(), predict.VelocityPrediction()))
    assert edm.network.layers[-1].W.any()
    assert np.array_equal(edm.network.layers[-1].W, -velocity.network.layers[-1].W)
    assert np.array_equal(edm(data, 0.7), velocity(data, 0.7))
