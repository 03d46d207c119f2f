"""Binomial diffusion: kernels against matrix products, Jarzynski's identity by brute force over every path."""

import numpy as np
import pytest
from scipy.special import rel_entr

from thermosim.backend.cpu.device import Cpu
from thermosim.binomial import BinomialChain
from thermosim.datasets.heartbeat import Heartbeat
from thermosim.errors import UserError
from thermosim.runs.binomial import cool_binary, heat_binary
from thermosim.score.binary import BinaryStates
from thermosim.thermo.binomial import all_sequences, heartbeat_ceiling, heartbeat_orbits, path_average, reverse_law

STATES, WEIGHTS = np.array([[0, 1, 1], [1, 0, 1], [1, 1, 0]]), np.array([0.5, 0.3, 0.2])


def kernels(T):
    """One site's 2×2 kernels as in the paper, x_{t−1}(1 − β) + β/2, column = from."""
    return [np.eye(2) * (1 - 1 / (T - t + 1)) + 0.5 / (T - t + 1) for t in range(1, T + 1)]


def test_one_site_by_matrices():
    """Marginals are products of kernels; posteriors are Bayes' rule on them; entropies follow."""
    T = 7
    chain, K = BinomialChain(T), kernels(7)
    ahead = np.eye(2)
    for t in range(1, T + 1):
        before, ahead = ahead, K[t - 1] @ ahead
        assert np.isclose(0.5 * (1 + chain.memory(t)), ahead[0, 0], atol=1e-14)
        for xt in (0, 1):
            x = np.full((1, 1), xt, np.uint8)
            for x0 in (0, 1):
                joint = K[t - 1][xt] * before[:, x0]
                assert np.isclose(chain.posteriors(x, t)[x0][0, 0], joint[1] / joint.sum(), atol=1e-14)
        assert np.isclose(chain.step_entropy(t), -(K[t - 1][0] * np.log(K[t - 1][0])).sum())
        assert np.isclose(chain.noise_entropy(t), -(ahead[0] * np.log(ahead[0])).sum())
    assert np.allclose(ahead, 0.5)


def test_noising_draws_what_it_says():
    chain, rng = BinomialChain(10), np.random.default_rng(0)
    x0 = np.ones((40_000, 1), np.uint8)
    assert abs(chain.noised(x0, 4, rng.random(x0.shape)).mean() - 0.8) < 6 * 0.002
    walked = x0
    for t in range(1, 5):
        walked = chain.step(walked, t, rng.random(x0.shape))
    assert abs(walked.mean() - 0.8) < 6 * 0.002


@pytest.mark.parametrize("edge", [False, True])
@pytest.mark.parametrize("exact", [True, False])
def test_jarzynski_over_every_path(edge, exact):
    """⟨e^{−W}⟩_q = p_θ(x_0) to rounding, for the exact marginals and for a poor denoiser; ⟨W⟩ >= −ln p_θ."""
    chain = BinomialChain(3)
    law = BinaryStates(STATES, chain, WEIGHTS)
    denoise = law if exact else lambda x, t: 0.2 + 0.5 * x + 0.05 * t * (x.sum(axis=1, keepdims=True) > 1)
    p = reverse_law(chain, denoise, 3, edge)
    assert np.isclose(p.sum(), 1, atol=1e-13)
    for x0, mass in zip(all_sequences(3), p):
        exponential, mean = path_average(chain, denoise, x0, edge)
        assert np.isclose(exponential, mass, rtol=1e-12) and mean >= -np.log(mass)


def test_booked_work_agrees_with_every_path():
    """Sampled W and step divergences have the mean of the enumeration; sees an error of 0.05 nats."""
    chain, x0 = BinomialChain(3), np.array([0, 1, 1])
    law = BinaryStates(STATES, chain, WEIGHTS)
    run = heat_binary(chain, law, np.tile(x0, (20_000, 1)), 3, Cpu(), frames=2)
    _, mean = path_average(chain, law, x0)
    assert abs(run.work.mean() - mean) < 6 * run.work.std() / np.sqrt(len(run.work)) and run.work.std() < 1.2
    assert np.allclose(run.ledger["noising_work"].sum() + 3 * np.log(2), run.work.mean())
    assert np.all(run.ledger["entropy_env"] == 0) and run.frames.shape == (4, 2, 3)


def test_entropy_bounds_of_every_step():
    """H(X_t|X_{t−1}) + H(X_{t−1}|X_0) − H(X_t|X_0) <= H(X_{t−1}|X_t) <= H(X_t|X_{t−1}), entropies by enumeration."""
    chain, x = BinomialChain(9), all_sequences(3)
    law = BinaryStates(STATES, chain, WEIGHTS)
    entropy = lambda t: -(law.probability(x, t) @ np.log(law.probability(x, t))) if t else -(WEIGHTS @ np.log(WEIGHTS))
    for t in range(1, 10):
        ahead = 3 * chain.step_entropy(t)
        behind = ahead + entropy(t - 1) - entropy(t)
        lower = ahead + 3 * (chain.noise_entropy(t - 1) if t > 1 else 0) - 3 * chain.noise_entropy(t)
        assert lower <= behind <= ahead


def test_ceiling_against_all_sequences():
    """Heartbeat of six sites: the orbits' sum is the sum over 2^6 sequences, and no product of sites does better."""
    beat, chain = Heartbeat(6, 3), BinomialChain(5)
    law, x = BinaryStates(beat.states, chain), all_sequences(6)
    _, multiplicity = heartbeat_orbits(beat)
    assert multiplicity.sum() == 64
    for edge in (False, True):
        gap = lambda t: sum(np.exp(law.log_joint(x, t))[:, k] @ rel_entr(r, p).sum(axis=1)
                            for k, state in enumerate(beat.states)
                            for r, p in ((chain.reverse(x, t, state[None]), chain.reverse(x, t, law(x, t))),
                                         (1 - chain.reverse(x, t, state[None]), 1 - chain.reverse(x, t, law(x, t)))))
        first = 6 * chain.step_entropy(1) if edge else gap(1)  # with the edge: −⟨ln q(x_1|x_0)⟩, x_0 itself certain
        assert np.isclose(heartbeat_ceiling(beat, chain, edge), -first - sum(map(gap, range(2, 6))), atol=1e-12)
    data = beat.sample(4000, seed=1)
    for denoise in (law, lambda x, t: 0.9 * law(x, t) + 0.05):
        work = heat_binary(chain, denoise, data, 1, Cpu()).work
        assert -work.mean() < heartbeat_ceiling(beat, chain) + 6 * work.std() / np.sqrt(4000)


def test_cooling_draws_the_reverse_law():
    """Shares of the eight sequences among 30,000; binomial error at most 0.003."""
    chain = BinomialChain(6)
    law = BinaryStates(STATES, chain, WEIGHTS)
    drawn = cool_binary(chain, law, 30_000, 3, 5, Cpu()) @ [1, 2, 4]
    p = reverse_law(chain, law, 3)
    assert np.abs(np.bincount(drawn, minlength=8) / 30_000 - p).max() < 6 * 0.003
    frames = cool_binary(chain, law, 4, 3, 5, Cpu(), frames=(6, 3))
    assert frames.shape == (3, 4, 3)
    pinned = cool_binary(chain, law, 500, 3, 5, Cpu(), known=np.array([0, -1, -1]))
    assert np.all(pinned[:, 0] == 0) and np.mean((pinned == [0, 1, 1]).all(axis=1)) > 0.7


def test_nonsense_is_refused():
    with pytest.raises(UserError, match="at least 1"):
        BinomialChain(0)
    with pytest.raises(UserError, match="array of 0 and 1"):
        heat_binary(BinomialChain(2), None, np.full((2, 2), 2), 0, Cpu())
    with pytest.raises(UserError, match="states"):
        BinaryStates(np.zeros(3), BinomialChain(2))
