"""Networks away from training: activations to rounding, the
same function from a file, cells and steps as they are named."""
from dataclasses import replace

import numpy as np
import pytest

from thermosim.backend import open_device
from thermosim.errors import UserError
from thermosim.files.store import read_tree, write_tree
from thermosim.score import parametrisation as predict
from thermosim.score.activations import LeakyReLU, Sigmoid, SiLU, Tanh
from thermosim.score.architecture import Perceptron, RadialBasis
from thermosim.score.conditioning import Bumps, FourierFeatures, Nothing, Steps
from thermosim.score.denoiser import Denoiser
from thermosim.score.implicit_score_matching import ImplicitScoreMatching
from thermosim.score.mlp import MLP
from thermosim.score.rbf import RBFNetwork
from thermosim.score.recorded import rebuilt_network, rebuilt_part, recorded
from thermosim.score.sliced_score_matching import SlicedScoreMatching
from thermosim.score.train import TrainConfig, train, training_key

DEVICE = open_device("cpu")
STEPS = Steps((-3.0, -1.0, 0.5))
NETWORKS = [
    (MLP, (7, 6, 6, 3), dict(residual=True), FourierFeatures(2)),
    (MLP, (3, 6, 3), dict(activation=Tanh(), readout=STEPS), Nothing()),
    (MLP, (8, 6, 3), dict(activation=Sigmoid()), Bumps(-4.0, 2.0, 5)),
    (MLP, (3, 6, 3), dict(activation=LeakyReLU(0.2), readout=Bumps(-4.0, 2.0, 3)), Nothing()),
    (RBFNetwork, (3, 6, 3), dict(readout=STEPS), Nothing()), (RBFNetwork, (7, 6, 6), {}, FourierFeatures(2))]


def network(kind, sizes, parts, dtype=np.float64):
    net = kind(sizes, dtype, DEVICE, **parts)
    net.parameters[:] = 0.5 * np.random.default_rng(4).standard_normal(net.parameters.size)
    return net


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_tanh_and_sigmoid(dtype):
    """Values and slopes within a few roundings of long double, near 0 and far out too; the CPU's own tanh agrees."""
    tiny = np.float64(10.0) ** np.arange(-30, 0)
    z = np.concatenate([-tiny, tiny, np.linspace(-30, 30, 2001)]).astype(dtype)[:, None]
    v, eps = z.astype(np.longdouble), np.finfo(dtype).eps
    s, h, cosh, less = 1 / (1 + np.exp(-v)), np.tanh(v), (np.exp(v) + np.exp(-v)) / 2, np.exp(-np.abs(v))
    for name, value, slope, curvature in (("tanh", h, cosh**-2, -2 * h * cosh**-2),
                                          ("sigmoid", s, less / (1 + less) ** 2,
                                           -less / (1 + less) ** 2 * np.tanh(v / 2))):
        plain, curved = (z.copy(), np.empty_like(z)), (z.copy(), np.empty_like(z), np.empty_like(z))
        for out, kernel in ((plain, name), (curved, name + "_curved")):
            getattr(DEVICE, kernel)(out[0], np.zeros(1, dtype), *out[1:])
            assert np.all(np.abs(out[0] - value) <= 4 * eps * np.abs(value))
            # e^v passes the rounding of its own argument on |v|-fold
            assert np.all(np.abs(out[1] - slope) <= 6 * eps * (1 + np.abs(v)) * slope)
        assert np.all(np.abs(curved[2] - curvature) <= 8 * eps * (1 + np.abs(v)) * slope)
    far = np.array([[-1e4, 1e4, np.nan]], dtype)
    for name, limits in (("tanh", [-1, 1]), ("sigmoid", [0, 1])):
        out = far.copy(), np.empty_like(far)
        getattr(DEVICE, name)(out[0], np.zeros(3, dtype), out[1])
        assert (np.allclose(out[0][0, :2], limits, atol=1e-30) and np.abs(out[1][0, :2]).max() < 1e-30
                and np.isnan(out[0][0, 2]))


def test_silu_curvature():
    z = np.linspace(-30, 30, 2001)[:, None]
    v = z.astype(np.longdouble)
    s = 1 / (1 + np.exp(-v))
    out = z.copy(), np.empty_like(z), np.empty_like(z)
    DEVICE.silu_curved(out[0], np.zeros(1), *out[1:])
    assert np.abs(out[0] - v * s).max() < 1e-14
    bound = 1e-15 * (1 + np.abs(v))       # 1 − s keeps no more digits
    assert np.all(np.abs(out[1] - s * (1 + v * (1 - s))) < bound)
    assert np.all(np.abs(out[2] - s * (1 - s) * (2 + v * (1 - 2 * s))) < bound)


@pytest.mark.parametrize("kind, sizes, parts, features", NETWORKS)
def test_single_precision_follows_double(kind, sizes, parts, features):
    """The same weights in both: answers, Jacobian products and both gradients differ by single-precision rounding."""
    rng = np.random.default_rng(9)
    x, t, d = (rng.standard_normal(shape).astype(np.float32)
               for shape in ((40, sizes[0]), (2, 40, sizes[0]), (40, sizes[-1])))
    level, found = rng.uniform(-4, 2, 40), []
    for dtype in (np.float32, np.float64):
        net = network(kind, sizes, parts, dtype)
        first = [net.forward(x.astype(dtype), level).copy(), net.backward(d.astype(dtype)).copy()]
        second = [a.copy() for a in net.push(x.astype(dtype), t.astype(dtype), level)]
        found.append([*first, *second, net.pull(d.astype(dtype), second[1])])
        assert all(a.dtype == dtype for a in found[-1])
    for single, double in zip(*found):
        assert 0 < np.abs(single - double).max() < 2e-5 * np.abs(double).max()


@pytest.mark.parametrize("kind, sizes, parts, features", NETWORKS)
def test_rows_do_not_meet(kind, sizes, parts, features):
    """A row's answer is its own to the last bit, whatever the batch around it."""
    net, rng = network(kind, sizes, parts), np.random.default_rng(3)
    x, level = rng.standard_normal((300, sizes[0])), rng.uniform(-4, 2, 300)
    whole = net.forward(x, level).copy()
    for size in (1, 7, 100):
        parts = [net.forward(x[a:a + size], level[a:a + size]).copy() for a in range(0, 300, size)]
        assert np.array_equal(np.concatenate(parts), whole)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind, sizes, parts, features", NETWORKS)
def test_the_same_from_a_file(kind, sizes, parts, features, dtype, tmp_path):
    """Bit for bit the same denoiser, made of the same parts; from HDF5, text and numbers."""
    before = Denoiser(network(kind, sizes, parts, dtype), [0.1, 0.2, 0.3], 0.7, {"a": 1},
                      predict.ScorePrediction(0.5), features)
    before.save(tmp_path / "d.h5")
    after = Denoiser.load(tmp_path / "d.h5", DEVICE)
    x, sigma = np.random.default_rng(5).standard_normal((50, 3)), np.geomspace(0.01, 9, 50)
    assert np.array_equal(before(x, sigma), after(x, sigma)) and before(x, sigma).std() > 0.1
    assert np.array_equal(before.divergence(x, sigma), after.divergence(x, sigma))
    assert (type(after.network) is kind and after.network.settings == before.network.settings
            and after.network.dtype == dtype)
    assert (after.features, after.parametrisation, after.config) == (features, predict.ScorePrediction(0.5), {"a": 1})


def test_records_that_are_none(tmp_path):
    """Names of other things, wrong values, wrong numbers: one line, and nothing of it is ever run or reserved."""
    net = network(*NETWORKS[1][:3])
    text, numbers = recorded(net), np.array(net.parameters)
    for wrong in ("", "[]", "{}", "7", "null", '{"MLP": 3}', '{"Network": {}}', '{"os.system": {"command": "true"}}',
                  text.replace("Tanh", "eval"),
                  text.replace('"sizes"', '"size"'), text.replace("[3, 6, 3]", "[3, 6, 4]"),
                  text.replace("[3, 6, 3]", "[3, -6, 3]"),
                  text.replace("[3, 6, 3]", "[3, 600000000, 3]"), text.replace("[3, 6, 3]", '"3"'),
                  text.replace("-1.0", "9.0"), text.replace("-1.0", '"x"'),
                  text.replace('{"Tanh": {}}', "null"), text.replace('{"Tanh": {}}', '{"Steps": {"levels": [1]}}')):
        assert wrong != text
        with pytest.raises(UserError):
            rebuilt_network(wrong, numbers, "float64", DEVICE)
    for dtype in ("object", "float16"):
        with pytest.raises(UserError, match="float32 or float64"):
            rebuilt_network(text, numbers, dtype, DEVICE)
    for role, wrong in (("features", '{"FourierFeatures": {"count": -1}}'),
                        ("features", '{"Bumps": {"low": 2, "high": 1}}'), ("features", "null"),
                        ("features", '{"Steps": {"levels": [1]}}'), ("readout", '{"Steps": {"levels": []}}'),
                        ("readout", '{"MLP": {}}'),
                        ("activation", '{"LeakyReLU": {"slope": 2}}'), ("parametrisation", '{"SiLU": {}}')):
        with pytest.raises(UserError):
            rebuilt_part(role, wrong)
    assert rebuilt_part("readout", recorded(STEPS)) == STEPS
    Denoiser(net, np.zeros(3), 1.0, features=Nothing()).save(tmp_path / "d.h5")
    tree = read_tree(tmp_path / "d.h5")
    tree.attrs["features"] = recorded(FourierFeatures(3))
    write_tree(tmp_path / "d.h5", tree)
    with pytest.raises(UserError, match="d.h5 is no sound denoiser.*does not fit"):
        Denoiser.load(tmp_path / "d.h5", DEVICE)


def test_residual_blocks_keep_what_they_are_given():
    """With zero hidden weights and f(0) = 0 a stack of equal widths
    is the identity; where widths change, nothing is skipped."""
    net = MLP((4, 4, 4, 4), np.float64, DEVICE, activation=Tanh(), residual=True)
    net.parameters[:] = 0
    net.layers[-1].W[:] = np.eye(4)
    x = np.random.default_rng(1).standard_normal((5, 4))
    assert np.array_equal(net.forward(x), x)
    assert ([layer.skip for layer in MLP((3, 4, 4, 5, 2), np.float64, DEVICE, residual=True).layers[:-1]]
            == [False, True, False])


def test_cells():
    """The shares of soft cells sum to one; far out the nearest centre has all, without overflow."""
    net = network(RBFNetwork, (2, 5, 3), {}, np.float32)
    layer = net.layers[0]
    net.forward(np.array([[0.3, -0.2], [300.0, 200.0], [-1e4, 0.0]], np.float32))
    phi = layer._phi(3)
    assert np.allclose(phi.sum(axis=1), 1, rtol=1e-6) and phi[0].max() < 0.999
    assert np.all(np.sort(phi[1:], axis=1)[:, -1] == 1)


def test_steps():
    """The nearest level, the ends for what lies outside; an own readout each."""
    assert STEPS.which(np.array([-9.0, -2.1, -1.9, -0.3, -0.2, 4.0]), DEVICE).tolist() == [0, 0, 1, 1, 2, 2]
    net = MLP((3, 2), np.float64, DEVICE, readout=STEPS)
    net.layers[0].b[:] = [[1, 2], [3, 4], [5, 6]]
    assert net.forward(np.zeros((3, 3)), np.array([0.4, -3.0, -1.2])).tolist() == [[5, 6], [1, 2], [3, 4]]
    net.forward(np.ones((1, 3)), np.array([-3.0]))
    net.backward(np.ones((1, 2)))
    # the other steps stand still
    assert net.gradient.reshape(-1)[:6].tolist() == 6 * [1] and not net.gradient[6:18].any()


def test_what_cannot_be_a_network():
    for sizes in ((3,), (3, 0, 2)):
        with pytest.raises(UserError, match="widths"):
            MLP(sizes, np.float64, DEVICE)
    with pytest.raises(UserError, match="has 8 parameters, not 9"):
        MLP((3, 2), np.float64, DEVICE, parameters=np.zeros(9))
    with pytest.raises(UserError, match="rising order"):
        Steps((1.0, 1.0))


@pytest.mark.parametrize("plan",
                         [Perceptron(6, 2, Tanh(), True, Bumps(-4.0, 2.0, 4), STEPS), RadialBasis(5, readout=STEPS),
                          RadialBasis(5, FourierFeatures(1))])
def test_plans_train_and_are_kept(plan, tmp_path):
    """A TrainConfig trains the network of its plan, whose file and key know what it is."""
    data = np.random.default_rng(0).standard_normal((200, 2))
    config = TrainConfig(batch=32, steps=60, validate_every=30, architecture=plan)
    denoise = train(data, config, DEVICE, data)
    assert (denoise.network.settings == plan.network(2, 2, np.float32, DEVICE, 0).settings
            and denoise.features == plan.features)
    denoise.save(tmp_path / "d.h5")
    after = Denoiser.load(tmp_path / "d.h5", DEVICE)
    assert np.array_equal(after(data, 0.4), denoise(data, 0.4)) and np.abs(denoise.network.layers[-1].W).max() > 0
    assert training_key(data, config) != training_key(data, replace(config, architecture=None))


@pytest.mark.parametrize("loss", [ImplicitScoreMatching(), SlicedScoreMatching()], ids=lambda loss: type(loss).__name__)
def test_score_matching_learns_a_gaussian(loss):
    """No target, only the divergence: after 1,500 steps D is near s²/(s² + σ²) x, axis by axis."""
    scales = np.array([2.0, 0.4])
    data = scales * np.random.default_rng(0).standard_normal((20_000, 2))
    config = TrainConfig(width=32, depth=2, features=3, batch=128, steps=1500, loss=loss)
    denoise, x0 = train(data, config, DEVICE), data[:2000]
    for sigma in (0.5, 2.0):
        x = x0 + sigma * np.random.default_rng(3).standard_normal(x0.shape)
        gain = scales**2 / (scales**2 + sigma**2)
        # in units of the rms distance of exact D to the data; untrained it is 0.58 and 0.52 away
        off = np.sqrt(np.mean(np.sum((denoise(x, sigma) - gain * x) ** 2, axis=1)) / np.sum(gain * sigma**2))
        assert off < 0.15
