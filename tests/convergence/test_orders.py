"""Measured orders of the schemes, from nested Brownian increments.

At finite time the scheme's own step runs in NumPy (`symbolic.evaluate`), so that the increments of a
coarse step are built from those of two fine ones. Errors are differences between neighbouring levels of
the same paths, D(h) ∝ h^p, which need no reference solution; the slope of log D against log h is p.
Stationary averages need many more steps: they run through the kernels, against quadrature.
"""
import numpy as np
import pytest

from thermosim.dynamics import Overdamped, Underdamped
from thermosim.integrators import BAOAB, EulerMaruyama, LeimkuhlerMatthews, StochasticHeun
from thermosim.potentials import Potential
from thermosim.protocols import Grid
from thermosim.runs.particles import simulate
from thermosim.symbolic import evaluate

WELL = Potential("x**2/2 + x**4/4", ["x"])
WAVY = Potential("x**2/2 + 2*cos(x)", ["x"])
PATHS = 200_000


def walk(dynamics, scheme, state, noise, time):
    """All paths of `state` through len(noise) equal steps; noise[n] are the normals of step n."""
    step = scheme.build(dynamics, (), ())
    grid = Grid(dynamics, None, np.linspace(0.0, time, len(noise) + 1))
    tables = {name: table(grid) for name, table in step.coefficients}
    state = dict(state)
    slots = dict(zip(step.begun, evaluate(step.begin, list(step.begun.values()), state)))
    (name, _, _), = step.noise
    for n, normals in enumerate(noise):
        values = {**state, **slots, name: normals, **{c: table[n] for c, table in tables.items()}}
        targets = {**step.state, **step.carried}
        new = dict(zip(targets, evaluate(step.advance, list(targets.values()), values)))
        state, slots = {k: new[k] for k in step.state}, {**slots, **{k: new[k] for k in step.carried}}
    return state


def levels(dynamics, scheme, time, coarsest, count, batches):
    """Final positions for `count` step sizes, each half the one before, on the same Brownian paths."""
    found = [[] for _ in range(count)]
    for seed in range(batches):
        noise = np.random.default_rng(seed).normal(size=(coarsest*2**(count - 1), PATHS))
        for level in reversed(range(count)):
            found[level].append(walk(dynamics, scheme, {"x0": np.ones(PATHS)}, noise, time)["x0"])
            noise = (noise[::2] + noise[1::2])/np.sqrt(2)
    return [np.concatenate(x) for x in found]


def slope(differences, first):
    """Order and its standard error from (n,) differences per level, weighted by their own errors."""
    mean = np.array([abs(d.mean()) for d in differences])
    error = np.array([d.std() for d in differences])/np.sqrt(len(differences[0]))/mean
    h, weight = np.log(first*0.5**np.arange(len(mean))), 1/(error + 0.01)**2
    centred = h - np.average(h, weights=weight)
    return (np.sum(weight*centred*np.log(mean))/np.sum(weight*centred**2),
            np.sqrt(1/np.sum(centred**2/(error + 1e-9)**2)))


@pytest.mark.parametrize("scheme, coarsest, count, batches, strong, weak", [
    (EulerMaruyama(), 16, 4, 1, 1, 1), (StochasticHeun(), 16, 3, 4, None, 2)], ids=repr)
def test_finite_time_orders(scheme, coarsest, count, batches, strong, weak):
    x = levels(Overdamped(WELL), scheme, 1.0, coarsest, count, batches)
    order, error = slope([a**2 - b**2 for a, b in zip(x, x[1:])], 1/coarsest)
    assert abs(order - weak) < 0.15 and error < 0.1, (order, error)
    if strong is not None:
        order, error = slope([np.abs(a - b) for a, b in zip(x, x[1:])], 1/coarsest)
        assert abs(order - strong) < 0.15 and error < 0.1, (order, error)


@pytest.mark.parametrize("dynamics, scheme, steps", [
    (Overdamped(WAVY), LeimkuhlerMatthews(), (0.5, 0.35, 0.25)), (Underdamped(WAVY), BAOAB(), (0.8, 0.6, 0.4))],
                         ids=repr)
def test_configurational_averages_are_of_second_order(dynamics, scheme, steps):
    """⟨x²⟩ of 10⁸ steps against ∫x²e^{−U}; statistical error of the order about 0.06."""
    x = np.linspace(-12, 12, 100_001)
    p = np.exp(-WAVY.energy(x))
    bias = []
    for h in steps:
        run = simulate(dynamics, particles=50_000, x0=1.0, t=(0, 3000*h), steps=3000, scheme=scheme, every=3,
                       books=False, seed=5)
        bias.append((run.ledger.variance["x"] + run.ledger["x"]**2)[100:].mean() - (p*x*x).sum()/p.sum())
    order = np.polyfit(np.log(steps), np.log(np.abs(bias)), 1)[0]
    assert np.all(np.array(bias) < 0) and abs(order - 2) < 0.15, (order, bias)
