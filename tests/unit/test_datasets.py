"""Made data have the laws they state: densities, entropies and probabilities derived another way."""

import numpy as np
import pytest

from thermosim.datasets.checkerboard import Checkerboard
from thermosim.datasets.dead_leaves import DeadLeaves, same_leaf
from thermosim.datasets.heartbeat import Heartbeat
from thermosim.datasets.moons import Moons
from thermosim.datasets.ring import Ring
from thermosim.datasets.swiss_roll import SwissRoll
from thermosim.errors import UserError


def test_swiss_roll_density_is_normalised_and_is_that_of_the_sample():
    """On a mesh the density sums to one; −∫p ln p there is the entropy and its sample mean agrees."""
    roll = SwissRoll()
    axis = np.linspace(-2.6, 2.6, 131)
    x = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
    log_p, cell = roll.log_density(x, nodes=1500), (axis[1] - axis[0]) ** 2
    p = np.exp(log_p)
    assert abs(p.sum() * cell - 1) < 1e-6
    entropy = -(p * log_p).sum() * cell
    assert abs(entropy / np.log(2) - 1.394096) < 1e-4
    logs = -roll.log_density(roll.sample(2000, seed=3), nodes=1500)
    assert abs(logs.mean() - entropy) < 6 * logs.std() / np.sqrt(2000) and logs.std() < 1.5


def test_swiss_roll_without_noise_has_no_density():
    assert SwissRoll(0.0).sample(5).shape == (5, 2)
    with pytest.raises(UserError, match="noise > 0"):
        SwissRoll(0.0).log_density(np.zeros((1, 2)))


@pytest.mark.parametrize("law, half, entropy", [
    # modes that hardly overlap: entropy of one and ln 8 to choose it
    (Ring(), 3.0, np.log(8) + np.log(2 * np.pi * np.e * 0.01)),
    (Ring(5, 0.0, 0.4), 3.0, np.log(2 * np.pi * np.e * 0.16)),
    (Moons(0.1), 2.6, None), (Checkerboard(), 2.5, np.log(8.0)), (Checkerboard(2, 1.5), 2.0, np.log(4.5))], ids=str)
def test_plane_laws_are_normalised_and_are_those_of_their_samples(law, half, entropy):
    """∫p = 1 and −∫p ln p on a mesh; the sample's mean of −ln p
    agrees, and its shares of cells within 6 binomial errors."""
    edges, more = np.linspace(-half, half, 161), {"nodes": 300} if isinstance(law, Moons) else {}
    axis = 0.5 * (edges[1:] + edges[:-1])
    x = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
    log_p = law.log_density(x, **more)
    p = np.exp(log_p) * (edges[1] - edges[0]) ** 2
    assert abs(p.sum() - 1) < 1e-4
    seen = -(p[p > 0] @ log_p[p > 0])
    if entropy is not None:
        assert seen == pytest.approx(entropy, abs=2e-3)
    drawn = law.sample(20_000, seed=3)
    logs = -law.log_density(drawn[:3000], **more)
    assert abs(logs.mean() - seen) < 6 * logs.std() / np.sqrt(3000) + 1e-9
    coarse = p.reshape(10, 16, 10, 16).sum(axis=(1, 3))
    counts = np.histogram2d(*drawn.T, edges[::16])[0]
    assert np.all(np.abs(counts - 20_000 * coarse) <= 6 * np.sqrt(20_000 * coarse * (1 - coarse)) + 6)


@pytest.mark.parametrize("law", [Ring(), Moons(), Checkerboard(), SwissRoll()], ids=str)
def test_parts_of_plane_laws_are_equally_likely(law):
    """Eight shares of 40,000 draws within 6 binomial errors of 1/8, which is 8 % of a share."""
    parts = law.part(law.sample(40_000, seed=1))
    share = np.bincount(parts, minlength=8) / 40_000
    assert len(share) == law.parts == 8 and np.abs(share - 0.125).max() < 6 * np.sqrt(0.125 * 0.875 / 40_000)


def test_moons_are_those_of_scikit_learn():
    from sklearn.datasets import make_moons

    theirs, which = make_moons(400, shuffle=False, noise=None)
    far = np.abs(theirs[:, None] - Moons(0.0).curve(4000)).sum(axis=2)
    assert far.min(axis=1).max() < 2e-3
    assert np.array_equal(far.argmin(axis=1) >= 2000, which == 1)


def test_part_is_that_of_the_nearest_square_or_mode():
    board, ring = Checkerboard(), Ring()
    assert board.part([[-1.5, -1.5], [1.9, 1.9], [2.3, 1.9], [-1.45, -0.98]]).tolist() == [0, 7, 7, 0]
    assert ring.part([[3.0, 0.1], [0.0, 1.0]]).tolist() == [0, 2]
    assert np.isneginf(board.log_density([[-0.5, -1.5]])).all()
    for bad in (lambda: Ring(0), lambda: Ring(noise=0.0), lambda: Checkerboard(3), lambda: Checkerboard(4, 0.0)):
        with pytest.raises(UserError):
            bad()


def test_heartbeat():
    beats = Heartbeat().sample(5000, seed=1)
    assert beats.shape == (5000, 20) and np.all(beats.sum(axis=1) == 4)
    phases = beats[:, :5]
    assert np.all(phases.sum(axis=1) == 1) and np.array_equal(np.tile(phases, (1, 4)), beats)
    # binomial error of a share of 1/5: 0.0057
    assert np.abs(phases.mean(axis=0) - 0.2).max() < 6 * 0.0057
    assert Heartbeat(12, 3).entropy() == np.log(3)
    with pytest.raises(UserError, match="whole periods"):
        Heartbeat(20, 6)


def test_dead_leaves_two_point_law():
    """P(same leaf) of equal discs: over canvases of independent leaves, along both axes; sees an error of 0.015."""
    law, got = DeadLeaves(8, 8), []
    for seed in range(12):
        top, greys = law.leaves(160, seed)
        assert top.min() >= 0 and greys.shape > (top.max(),)
        got.append([np.mean([(top[k:] == top[:-k]).mean(), (top[:, k:] == top[:, :-k]).mean()])
                    for k in (4, 8, 12, 17)])
    mean, error = np.mean(got, axis=0), np.std(got, axis=0, ddof=1) / np.sqrt(12)
    want = same_leaf(np.array([0.5, 1.0, 1.5, 17 / 8]))
    assert np.all(np.abs(mean - want)[:3] < 6 * error[:3]) and error.max() < 0.0025
    assert mean[3] == 0 == want[3]


def test_dead_leaves_by_the_first_leaf_that_touches():
    """γ/(2 − γ) by Monte Carlo of one disc over two points, no canvas in it."""
    centres = np.random.default_rng(2).uniform(-2, 3, (200_000, 2))
    a, b = (centres**2).sum(1) < 1, ((centres - [1.0, 0.0]) ** 2).sum(1) < 1
    both, either = (a & b).sum(), (a | b).sum()
    p = both / either
    assert abs(p - same_leaf(1.0)) < 6 * np.sqrt(p * (1 - p) / either)


def test_power_law_radii():
    """Radii have density ∝ r^{−3}: the mean of 1/r² is the middle of its range, since r^{−2} is uniform."""
    r = DeadLeaves(1, 10)._radii(np.random.default_rng(0), 100_000)
    assert r.min() >= 1 and r.max() <= 10
    histogram = np.histogram(r, np.array([1, 2, 4, 10.0]))[0] / 1e5
    want = -np.diff(np.array([1, 2, 4, 10.0]) ** -2) / (1 - 0.01)
    assert np.abs(histogram - want).max() < 6 * 0.0016


def test_patches():
    patches = DeadLeaves(2, 8).sample(70, 16, seed=4, canvas=64)
    assert patches.shape == (70, 16, 16) and patches.min() >= 0 and patches.max() < 1
    assert np.array_equal(patches, DeadLeaves(2, 8).sample(70, 16, seed=4, canvas=64))
    top, greys = DeadLeaves(2, 8).leaves(64, [4, 0])
    assert np.array_equal(patches[1], greys[top][:16, 16:32])
    for bad in (0, 65):
        with pytest.raises(UserError, match="canvas"):
            DeadLeaves().sample(1, bad, canvas=64)
    with pytest.raises(UserError, match="radii"):
        DeadLeaves(3, 2)
