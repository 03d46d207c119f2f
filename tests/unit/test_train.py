"""Training: it learns what is known in closed form, and its result is a function of seed and data alone."""
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from thermosim.backend import open_device
from thermosim.backend.cpu.threads import get_threads, set_threads
from thermosim.errors import UserError
from thermosim.files.checkpoint import Journal
from thermosim.schedules import vp_chain
from thermosim.score import rates
from thermosim.score import train as training
from thermosim.score.bound import LearnedVariances, VariationalBound, even_shares
from thermosim.score.denoiser import Denoiser
from thermosim.score.levels import Among, Minibatches
from thermosim.score.losses import DenoisingLoss
from thermosim.score.mlp import MLP
from thermosim.score.parametrisation import PARAMETRISATIONS, NoisePrediction, ScorePrediction
from thermosim.score.train import TrainConfig, train, trained, training_key

DEVICE = open_device("cpu")
SMALL = TrainConfig(width=24, depth=2, features=3, batch=64, steps=300, validate_every=50)
ENDLESS = replace(SMALL, steps=10**7)
ENDLESS_WITH_ALL = replace(ENDLESS, clip=0.3, patience=10**5, schedule=rates.InverseRoot(50),
                           parametrisation=NoisePrediction(),
                           loss=LearnedVariances(vp_chain(5.0, 20, "posterior")))
# few points are soon learnt by heart, and then the validation loss rises
IMPATIENT = replace(SMALL, steps=20_000, schedule=rates.Constant(), ema=20.0, patience=60)
SCALES = np.array([2.0, 0.4])


def points(n=400, seed=0):
    return np.array([3.0, -1.0]) + SCALES * np.random.default_rng(seed).standard_normal((n, 2))


@pytest.fixture(scope="module")
def small():
    return train(points(), SMALL, DEVICE, points(seed=1))


def test_learns_a_gaussian():
    """D = μ + s²/(s² + σ²)(x − μ), axis by axis; one σ_data for both axes leaves much to the network."""
    denoise = train(points(20_000), replace(SMALL, width=64, steps=4000), DEVICE)
    empty = MLP(denoise.network.sizes, np.float32, DEVICE)
    untrained = Denoiser(empty, denoise.mean, denoise.sigma_data)
    x0, rng = points(2000, seed=2), np.random.default_rng(3)
    for sigma in (0.1, 0.5, 2.0, 8.0):
        x = x0 + sigma * rng.standard_normal(x0.shape)
        gain = SCALES**2 / (SCALES**2 + sigma**2)
        exact = np.array([3.0, -1.0]) + gain * (x - np.array([3.0, -1.0]))
        posterior = np.sqrt(np.sum(gain) * sigma**2)     # rms distance of exact D to the data
        off, before = (np.sqrt(2 * np.mean((D(x, sigma) - exact) ** 2)) for D in (denoise, untrained))
        assert off < 0.06 * posterior and off < 0.3 * before


def test_seed_and_data_decide(small):
    again = train(points(), SMALL, DEVICE, points(seed=1))
    assert np.array_equal(small.network.parameters, again.network.parameters)
    other = train(points(), replace(SMALL, seed=1), DEVICE, points(seed=1))
    assert not np.array_equal(small.network.parameters, other.network.parameters)


class Stops(Journal):
    """A journal that interrupts the run when it is handed its third checkpoint."""

    puts = 0

    def put(self, key, tree):
        self.puts += 1
        if self.puts == 3:
            raise KeyboardInterrupt
        return super().put(key, tree)


def test_interrupted_and_resumed(small, tmp_path, monkeypatch):
    """Ctrl-C, then the same call: the bits of a run never stopped, the choice by validation included."""
    monkeypatch.setattr(training, "CHECKPOINT_SECONDS", 0.0)
    with pytest.raises(KeyboardInterrupt, match="finished work is kept"), Stops(tmp_path) as journal:
        train(points(), SMALL, DEVICE, points(seed=1), journal)
    kept = [Journal(tmp_path).get(key).attrs["steps"] for key in ("even", "odd")]
    assert sorted(kept) == [50, 100]
    resumed = train(points(), SMALL, DEVICE, points(seed=1), Journal(tmp_path))
    assert np.array_equal(resumed.network.parameters, small.network.parameters)


def killed_at_work(config, folder, data="t.points()", lines=5):
    """Train in another process, checkpoint at every look, and
    kill -9 it after so many checkpoints; its journal's folder."""
    here = Path(__file__)
    code = ("import sys; sys.path[:0] = sys.argv[1:3]\n"
            "import test_train as t; t.training.CHECKPOINT_SECONDS = 0.0\n"
            f"t.trained({data}, t.{config}, t.DEVICE, sys.argv[3], t.points(seed=1))\n")
    run = subprocess.Popen([sys.executable, "-c", code, *map(str, (here.parent, here.parents[2], folder))])

    def journal():
        return next(folder.glob("work/*/journal.jsonl"), None)

    limit = time.monotonic() + 60
    while not (journal() and journal().read_bytes().count(b"\n") >= lines):
        assert run.poll() is None and time.monotonic() < limit
        time.sleep(0.01)
    os.kill(run.pid, signal.SIGKILL)
    run.wait()
    return journal().parent


@pytest.mark.parametrize("config", ["ENDLESS", "ENDLESS_WITH_ALL"])
def test_survives_kill_9(config, tmp_path):
    """The process dies without a word between checkpoints; what is left is the state of so many steps, to the bit."""
    # an endless run: killed while it certainly was at work
    folder, config = killed_at_work(config, tmp_path), globals()[config]
    state = training._Run(points(), config, DEVICE, points(seed=1))
    done = training._Checkpoint(Journal(folder), state).restore()
    assert done >= 200
    by_hand = training._Run(points(), config, DEVICE, points(seed=1))
    for step in range(done):
        by_hand.advance(step)
    assert (state.lowest, state.lowest_at) == (by_hand.lowest, by_hand.lowest_at) and state.lowest_at > 0
    for name, array in by_hand.arrays().items():
        assert np.array_equal(array, state.arrays()[name]), name


@pytest.fixture
def steps(monkeypatch):
    """The (step, run) of every step taken."""
    taken, advance = [], training._Run.advance
    monkeypatch.setattr(training._Run, "advance", lambda run, step: taken.append((step, run)) or advance(run, step))
    return taken


def test_killed_resumed_and_stopped_early(tmp_path, steps):
    """kill -9, the same call again, and patience ends it where it ends a run never killed, in the same weights."""
    killed_at_work("IMPATIENT", tmp_path, data="t.points()[:30]")
    assert not list(tmp_path.glob("*.h5"))
    resumed = trained(points()[:30], IMPATIENT, DEVICE, tmp_path, points(seed=1))
    first, last = steps[0][0], steps[-1][0]
    unbroken = train(points()[:30], IMPATIENT, DEVICE, points(seed=1))
    assert first >= 200 and last == steps[-1][0]
    assert np.array_equal(resumed.network.parameters, unbroken.network.parameters)


def test_patience_ends_where_it_says(steps):
    """So many looks after the lowest validation loss, and the weights of that look are kept."""
    stopped = train(points()[:30], IMPATIENT, DEVICE, points(seed=1))
    last, run = steps[-1]
    assert run.lowest_at > 50 and last + 1 == run.lowest_at + IMPATIENT.patience * IMPATIENT.validate_every
    assert last + 1 < IMPATIENT.steps
    longer = train(points()[:30], replace(IMPATIENT, patience=None, steps=last + 1), DEVICE, points(seed=1))
    assert np.array_equal(stopped.network.parameters, longer.network.parameters)


@pytest.mark.parametrize("build, words", [
    (lambda: train(points(), IMPATIENT, DEVICE), "patience = 60 needs validation data"),
    (lambda: train(points(), replace(SMALL, patience=0), DEVICE, points()), "at least one look"),
    (lambda: train(points(), replace(SMALL, clip=0.0), DEVICE), "clip = 0.0 must be a norm above 0"),
    (lambda: train(points(), replace(SMALL, warmup=0), DEVICE), "warmup = 0 must be more"),
    (lambda: rates.Stairs(0), "at least 1 step"), (lambda: rates.Stairs(5, 2.0), "at most 1"),
    (lambda: rates.LinearDecay(last=2.0), "between 0 and 1"), (lambda: rates.InverseRoot(-1.0), "more than 0 steps"),
    (lambda: Among([0.1, 0.0]), "positive numbers"), (lambda: Among([0.1, 0.2], [0.5, 0.4]), "sum to one"),
    (lambda: VariationalBound(vp_chain(5.0, 4), np.full(3, 1 / 3)), "probabilities of 4 noise levels")])
def test_settings_that_make_no_sense(build, words):
    with pytest.raises(UserError, match=words) as error:
        build()
    assert "\n" not in str(error.value)


def test_clipping():
    """A long gradient is shortened to the limit, a shorter one keeps its bits, and NaN stays to be seen."""
    for dtype in (np.float32, np.float64):
        g = np.random.default_rng(0).standard_normal(1000).astype(dtype)
        long, short, lost = g.copy(), g.copy(), g.copy()
        training.shorten(np, long, 2.5)
        assert (np.isclose(np.linalg.norm(long), 2.5, rtol=1e-5)
                and np.allclose(long / g, 2.5 / np.linalg.norm(g), rtol=1e-5))
        assert long.dtype == dtype
        training.shorten(np, short, 1.01 * np.linalg.norm(g))
        assert np.array_equal(short, g)
        lost[3] = np.nan
        training.shorten(np, lost, 2.5)
        assert np.isnan(lost).all()


def test_clipped_steps():
    """With plain SGD in Adam's place the first step would be as long
    as the limit; here: other weights, finite, smaller moments."""
    free, clipped = (training._Run(points(), replace(SMALL, clip=clip), DEVICE, None) for clip in (None, 1e-3))
    for run in (free, clipped):
        run.advance(0)
    # after one step the second moment is (1 − β2) g²
    assert np.isclose(np.sqrt(clipped.v.sum() / (1 - SMALL.beta2)), 1e-3, rtol=1e-4)
    assert np.sqrt(free.v.sum() / (1 - SMALL.beta2)) > 0.1


def test_later_settings_leave_earlier_keys():
    """The name of a run with the first settings is what it was before there were others; others have their own."""
    assert training_key(np.eye(3), TrainConfig()) == "a97e13473f7fcc92"
    base = TrainConfig(steps=100)
    others = [replace(base, **change) for change in (
        {"clip": 1.0}, {"patience": 3}, {"schedule": rates.Constant()}, {"schedule": rates.WarmupCosine()},
        {"schedule": rates.Stairs(10)}, {"parametrisation": NoisePrediction()}, {"parametrisation": ScorePrediction()},
        {"parametrisation": ScorePrediction(power=0.0)}, {"loss": DenoisingLoss()},
        {"loss": VariationalBound(vp_chain(5.0, 1500))}, {"loss": VariationalBound(vp_chain(5.001, 1500))},
        {"loss": LearnedVariances(vp_chain(5.0, 1500))})]
    assert len({training_key(points(), config) for config in (base, *others)}) == 1 + len(others)


def test_reused_by_settings_and_data(tmp_path, monkeypatch):
    first = trained(points(), SMALL, DEVICE, tmp_path)
    monkeypatch.setattr(training, "train", None)      # a second training would fail
    second = trained(points(), SMALL, DEVICE, tmp_path)
    assert np.array_equal(first.network.parameters, second.network.parameters)
    assert [p.name for p in tmp_path.glob("*.h5")] == [f"denoiser-{training_key(points(), SMALL)}.h5"]
    assert not list(tmp_path.glob("work/*"))
    assert len({training_key(points(), SMALL), training_key(points(seed=5), SMALL),
                training_key(points(), replace(SMALL, decay=0.3)),
                training_key(points(), SMALL, points())}) == 4


def test_saved_and_loaded(small, tmp_path):
    """Bit for bit the same function, and how it was trained."""
    small.save(tmp_path / "d.h5")
    loaded, x = Denoiser.load(tmp_path / "d.h5", DEVICE), points(50, seed=8)
    assert np.array_equal(loaded(x, 0.7), small(x, 0.7))
    assert loaded.config == small.config and loaded.config["width"] == 24


@pytest.mark.parametrize("kind", PARAMETRISATIONS, ids=lambda kind: type(kind).__name__)
def test_files_know_what_the_network_predicts(kind, tmp_path):
    """Also with twice the outputs, for learned variances; a
    file that names nothing is from before there were others."""
    from thermosim.files.store import read_tree, write_tree

    for outputs in (2, 4):
        net = MLP((4, 5, outputs), np.float32, DEVICE)
        net.parameters[:] = np.random.default_rng(1).standard_normal(net.parameters.size)
        before = Denoiser(net, [1.0, 2.0], 0.5, parametrisation=kind)
        before.save(tmp_path / "d.h5")
        after, x = Denoiser.load(tmp_path / "d.h5", DEVICE), points(20)
        assert type(after.parametrisation) is type(kind)
        assert np.array_equal(after(x, 0.7), before(x, 0.7))
        tree = read_tree(tmp_path / "d.h5")
        for name in ("network", "features", "parametrisation"):
            del tree.attrs[name]
        tree.attrs["sizes"] = [4, 5, outputs]
        write_tree(tmp_path / "old.h5", tree)
        old = Denoiser(net, [1.0, 2.0], 0.5)
        assert np.array_equal(Denoiser.load(tmp_path / "old.h5", DEVICE)(x, 0.7), old(x, 0.7))
    assert np.array_equal(after.shares(x, 0.7), before.shares(x, 0.7)) and after.shares(x, 0.7).std() > 0.01


def test_a_long_chain_is_written_down(tmp_path):
    """Three columns of 3,000 steps are among the settings; a file holds and returns them."""
    chain = vp_chain(10.0, 3000)
    loss = VariationalBound(chain, even_shares(chain, 1.0))
    kept = trained(points(), replace(SMALL, steps=2, loss=loss), DEVICE, tmp_path)
    again = Denoiser.load(next(tmp_path.glob("*.h5")), DEVICE)
    assert again.config == kept.config and again.config["loss"]["is"] == "VariationalBound"
    assert (again.config["loss"]["probabilities"] == list(loss.probabilities)
            and len(again.config["loss"]["chain"]["alpha"]) == 3001)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_calls(small, dtype):
    """Any number of rows at a time, σ as a number or one a row: the same bits, of the type of x."""
    x = points(1300, seed=4).astype(dtype)
    whole = small(x, 0.5)
    assert whole.dtype == dtype and whole.shape == x.shape
    assert np.array_equal(whole, small(x, np.full(1300, 0.5)))
    assert np.array_equal(whole, np.concatenate([small(x[a:a + 100], 0.5) for a in range(0, 1300, 100)]))
    mixed = small(x[:2], np.array([0.5, 3.0]))
    assert np.array_equal(mixed, [small(x[:1], 0.5)[0], small(x[1:2], 3.0)[0]])


def test_threads_do_not_show():
    """A net wide enough for its products to be shared: weights after training have the same bits."""
    config, before = replace(SMALL, width=256, batch=512, steps=10), get_threads()
    trained = []
    for threads in (1, 2, 5):
        set_threads(threads)
        trained.append(train(points(), config, DEVICE).network.parameters)
    set_threads(before)
    assert np.array_equal(trained[0], trained[1]) and np.array_equal(trained[0], trained[2])


def test_validation_keeps_the_best():
    """Thirty points in eight dimensions are soon learnt by heart; kept are weights from before."""
    few, others = np.random.default_rng(6).standard_normal((2, 30, 8))
    config = replace(SMALL, width=64, depth=3, steps=800, rate=3e-3)

    def loss(denoise):
        centred = (others - denoise.mean).astype(np.float32)
        return DenoisingLoss().value(denoise, Minibatches(centred, 2048, 99, DEVICE), 0)

    assert loss(train(few, config, DEVICE, others)) < 0.8 * loss(train(few, config, DEVICE))


@pytest.mark.parametrize("data, words", [
    (np.zeros((5, 2)), "all data points are equal"), (np.zeros(5), "give at least two points"),
    (np.array([[0.0, np.nan], [1, 2]]), "all finite"), (np.zeros((1, 3)), "give at least two points")])
def test_bad_data(data, words):
    with pytest.raises(UserError, match=words):
        train(data, SMALL, DEVICE)


def test_divergence_is_said():
    with pytest.raises(UserError, match="training diverged at step .*lower the learning rate"):
        train(points(), replace(SMALL, rate=1e30, warmup=1), DEVICE)


def test_files_that_are_no_denoiser(small, tmp_path):
    from thermosim.files.store import read_tree, write_tree

    small.save(tmp_path / "d.h5")
    network = read_tree(tmp_path / "d.h5").attrs["network"]
    for change in (lambda t: t.attrs.pop("network"), lambda t: t.attrs.update(network=network.replace("24", "25", 1)),
                   lambda t: t.attrs.update(network=network.replace("SiLU", "os.system")),
                   lambda t: t.attrs.update(network=network.replace("8", "1000000000", 1)),
                   lambda t: t.attrs.update(parametrisation='{"__import__": {}}'),
                   lambda t: t.attrs.update(dtype="object"), lambda t: t.attrs.update(config="{"),
                   lambda t: t.datasets.pop("parameters")):
        tree = read_tree(tmp_path / "d.h5")
        change(tree)
        write_tree(tmp_path / "bad.h5", tree)
        with pytest.raises(UserError, match="denoiser"):
            Denoiser.load(tmp_path / "bad.h5", DEVICE)
    with pytest.raises(UserError, match="cannot read"):
        Denoiser.load(tmp_path / "none.h5", DEVICE)


def test_schedule_scales_with_its_length():
    """Up in a tenth of the steps, down to nothing at the end; the mean forgets by half in a fifteenth."""
    for config in (TrainConfig(steps=300), TrainConfig(steps=3000)):
        rates = [config.learning_rate(step) / config.rate for step in range(config.steps)]
        assert np.isclose(rates[0], 10 / config.steps) and np.argmax(rates) == config.steps // 10 - 1
        assert max(rates) > 0.97 and 0 < rates[-1] < 1e-4
        assert np.isclose((1 - config.follow(config.steps)) ** (config.steps / 15), 0.5)
    assert TrainConfig().follow(0) == 1 and TrainConfig(warmup=50, rate=2.0).learning_rate(0) == 2 / 50


def test_other_schedules():
    """Each against its definition, and with the right ends."""
    steps = np.arange(1000)

    def course(schedule):
        return np.array([replace(SMALL, steps=1000, rate=2.0, schedule=schedule).learning_rate(step) for step in steps])

    assert np.array_equal(course(None), course(rates.WarmupCosine()))
    assert np.array_equal(course(rates.WarmupCosine(50)),
                          [replace(SMALL, steps=1000, rate=2.0, warmup=50).learning_rate(k) for k in steps])
    assert np.array_equal(course(rates.Constant()), np.full(1000, 2.0))
    line = course(rates.LinearDecay(100, last=0.1))
    assert (np.allclose(line[:100], 2 * (steps[:100] + 1) / 100)
            and np.allclose(line[99:], np.linspace(2, 0.2, 902)[:901]))
    stairs = course(rates.Stairs(300, 0.5))
    assert np.array_equal(stairs[[0, 299, 300, 599, 600, 999]], [2, 2, 1, 1, 0.5, 0.25])
    root = course(rates.InverseRoot(64))
    assert np.isclose(root[0], 2 / 64) and root[63] == 2 == root.max() and np.isclose(root[255], 1)
