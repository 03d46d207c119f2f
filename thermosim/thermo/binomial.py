"""Binomial chains by enumeration: what a reverse chain gives exactly, and the best that a product of sites can do."""

import itertools
from math import comb, factorial

import numpy as np

from ..binomial import binary_entropy
from ..runs.binomial import reverse_probability
from ..score.binary import BinaryStates


def all_sequences(L):
    """All 2^L sequences, (2^L, L) uint8."""
    return ((np.arange(2**L)[:, None] >> np.arange(L)) & 1).astype(np.uint8)


def reverse_law(chain, denoise, L, edge=False):
    """p_θ(x_0) of all 2^L sequences: the uniform law carried through every reverse kernel, (2^L,)."""
    x = all_sequences(L)
    law = np.full(len(x), 2.0**-L)
    for t in range(len(chain), 0, -1):
        p = reverse_probability(chain, denoise, x, t, edge)
        kernel = np.where(x[None] == 1, p[:, None], 1 - p[:, None]).prod(axis=2)
        law = law @ kernel
    return law


def path_average(chain, denoise, x0, edge=False):
    """⟨e^{−W}⟩_q and ⟨W⟩_q from one x_0 (L,), as a sum over every path x_1 … x_T: (2^L)^T terms."""
    x = all_sequences(len(x0))
    forward, reverse = [], []
    for t in range(1, len(chain) + 1):
        p = reverse_probability(chain, denoise, x, t, edge)
        forward.append(np.stack([chain.log_forward(np.broadcast_to(row, x.shape), x, t) for row in x]))
        reverse.append(np.log(np.where(x[None] == 1, p[:, None], 1 - p[:, None])).sum(axis=2))  # [x_t, x_{t−1}]
    start = int(np.flatnonzero((x == x0).all(axis=1))[0])
    exponential = mean = 0.0
    for path in itertools.product(range(len(x)), repeat=len(chain)):
        nodes = (start, *path)
        q = sum(forward[t][nodes[t], nodes[t + 1]] for t in range(len(chain)))
        p = sum(reverse[t][nodes[t + 1], nodes[t]] for t in range(len(chain)))
        work = q - p + len(x0) * np.log(2)
        exponential += np.exp(q - work)
        mean += np.exp(q) * work
    return exponential, mean


def heartbeat_orbits(heartbeat):
    """Sequences that stand for all 2^L ones under relabelling of
    phases and of beats: (m, L), and how many each stands for.

    Only how many sites of each phase are one matters, and not which phase is which.
    """
    beats, period = heartbeat.length // heartbeat.period, heartbeat.period
    counts = list(itertools.combinations_with_replacement(range(beats + 1), period))
    x = np.zeros((len(counts), beats, period), np.uint8)
    multiplicity = np.empty(len(counts))
    for k, count in enumerate(counts):
        x[k] = np.arange(beats)[:, None] < np.array(count)
        orders = factorial(period)
        for same in set(count):
            orders //= factorial(count.count(same))
        multiplicity[k] = orders * np.prod([float(comb(beats, c)) for c in count])
    return x.reshape(len(counts), -1), multiplicity


def heartbeat_steps(heartbeat, chain):
    """Mean H(X_{t−1,i}|X_t) summed over sites, for t = 1 … T: the exact marginals, by enumeration; nats, (T,)."""
    law = BinaryStates(heartbeat.states, chain)
    x, multiplicity = heartbeat_orbits(heartbeat)
    return np.array([
        (multiplicity * law.probability(x, t)) @ binary_entropy(chain.reverse(x, t, law(x, t))).sum(axis=1)
        for t in range(1, len(chain) + 1)])


def heartbeat_ceiling(heartbeat, chain, edge=False):
    """The largest K of any reverse chain whose sites are independent given x_t: nats a sequence.

    K = Σ_t [H(X_t|X_{t−1}) − Σ_i H(X_{t−1,i}|X_t)] − L ln 2; with `edge` step 1 contributes nothing
    (p(x_0|x_1) = q(x_1|x_0), see `runs.binomial.reverse_probability`).
    """
    L = heartbeat.length
    gain = L * np.array([chain.step_entropy(t) for t in range(1, len(chain) + 1)]) - heartbeat_steps(heartbeat, chain)
    return float(gain[1 if edge else 0:].sum() - L * np.log(2))
