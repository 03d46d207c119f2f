"""Derivatives of networks against integration by parts: ⟨½|s + n/σ|²⟩ = ⟨½|s|² + ∇·s⟩ + d/2σ² over Gaussian noise n."""

import functools

import numpy as np

from ..backend.cpu.device import Cpu
from ..score.activations import Sigmoid, Tanh
from ..score.conditioning import Bumps, Nothing, Steps
from ..score.denoiser import Denoiser
from ..score.implicit_score_matching import ScoreAlong
from ..score.mlp import MLP
from ..score.rbf import RBFNetwork
from .row import Row

SIGMA, CLEAN = 0.5, np.array([0.4, -0.9])
SOURCE = "integration by parts (Hyvärinen 2005, JMLR 6, 695, theorem 1; Vincent 2011, Neural Computation 23, 1661)"
STEPS = Steps((-2.0, -0.5, 1.0))

NETWORKS = {   # one of each kind that is smooth, for 60² nodes are exact there
    "silu": (MLP, (6, 8, 8, 2), {"residual": True}, None),
    "tanh": (MLP, (2, 8, 2), {"activation": Tanh(), "readout": STEPS}, Nothing()),
    "sigmoid": (MLP, (2, 8, 8, 2), {"activation": Sigmoid(), "readout": Bumps(-3.0, 2.0, 4)}, Nothing()),
    "cells": (RBFNetwork, (2, 6, 2), {"readout": STEPS}, Nothing())}


def denoiser(name):
    """Around that network, its parameters of no pattern."""
    kind, sizes, parts, features = NETWORKS[name]
    net = kind(sizes, float, Cpu(), **parts)
    net.parameters[:] = 0.4 * np.random.default_rng(1).standard_normal(net.parameters.size)
    return Denoiser(net, np.zeros(2), 1.0, features=features)


@functools.cache
def nodes():
    """Noise (3600, 2) and its shares (3600,): Gauss–Hermite."""
    node, weight = np.polynomial.hermite_e.hermegauss(60)
    share = weight / weight.sum()
    return np.stack(np.meshgrid(node, node, indexing="ij"), axis=-1).reshape(-1, 2), np.outer(share, share).ravel()


@functools.cache
def by_parts(name):
    """Explicit less implicit score matching, and the largest element of the difference of their gradients, relative."""
    model, (noise, share) = denoiser(name), nodes()
    axes = np.eye(2)[:, None]
    score = ScoreAlong(model, CLEAN + SIGMA * noise, np.full(len(noise), SIGMA), axes)
    off, share = score.s + noise / SIGMA, share[:, None]
    explicit = np.sum(share * off**2) / 2
    implicit = np.sum(share * (0.5 * score.s**2)) + np.sum(share * np.einsum("ini->n", score.Js)[:, None])
    by_explicit = score.pull(share * off, 0 * score.Js).copy()
    by_implicit = score.pull(share * score.s, share * axes)
    return explicit - implicit, np.abs(by_explicit - by_implicit).max() / np.abs(by_explicit).max()


ROWS = [Row(f"network.{what}.{name}", SOURCE, reference, "quadrature over the noise",
            lambda k=k, name=name: by_parts(name)[k], digits=12)
        for name in NETWORKS for k, (what, reference) in enumerate([("divergence", 1 / SIGMA**2),
                                                                    ("second-order-gradient", 0.0)])]
