"""Lattices and mixtures through the loops: laws against NumPy, steps against the symbolic engine, exact statistics."""

import numpy as np
import pytest

from thermosim.dynamics import Overdamped, Underdamped
from thermosim.errors import UserError
from thermosim.integrators import BAOAB, MALA, EulerMaruyama, ExactOU, LeimkuhlerMatthews, Splitting, StochasticHeun
from thermosim.potentials import Harmonic, Lattice, MixtureEnergy, PhiFour, Potential, Tilt
from thermosim.protocols import Linear
from thermosim.runs.particles import simulate
from thermosim.score.exact import GaussianMixture

TURNED = GaussianMixture([0.3, 0.7], [[0, 1.0], [2, -1]], [[[1, 0.3], [0.3, 0.5]], [[0.4, 0], [0, 0.9]]])
RING = GaussianMixture(np.full(8, 1 / 8), 3 * np.stack([np.cos(np.arange(8) * np.pi / 4),
                                                        np.sin(np.arange(8) * np.pi / 4)], 1), np.full(8, 0.1))
ONE = GaussianMixture([1.0], [[0.0, 0.0]], [1.0])
CUBIC = Lattice("h*phi**2", "delta**2/2 + a*delta**3/3", (6,), {"h": 0.1, "a": 0.25})


def test_lattice_is_the_sum_over_sites_and_bonds():
    field = PhiFour((5, 7), r=-0.5, u=0.8, c=1.3)
    p = np.random.default_rng(0).normal(size=(600, 5, 7))
    bonds = sum((np.roll(p, -1, axis) - p) ** 2 for axis in (1, 2))
    energy = (-0.25 * p**2 + 0.2 * p**4 + 0.65 * bonds).sum((1, 2))
    flat = p.reshape(600, 35)
    np.testing.assert_allclose(field.energy(flat), energy, rtol=1e-13, atol=1e-12)
    laplace = sum(np.roll(p, s, axis) for s in (1, -1) for axis in (1, 2)) - 4 * p
    force = 0.5 * p - 0.8 * p**3 + 1.3 * laplace
    np.testing.assert_allclose(field.force(flat), force.reshape(600, 35), rtol=1e-12, atol=1e-12)
    assert field.energy(flat, r=0.5) == pytest.approx(energy + 0.5 * (p**2).sum((1, 2)))


def test_odd_bonds_keep_their_direction():
    x = np.random.default_rng(1).normal(size=(3, 6))
    step = 1e-6 * np.eye(6)
    slope = [(CUBIC.energy(x + e) - CUBIC.energy(x - e)) / 2e-6 for e in step]
    np.testing.assert_allclose(CUBIC.force(x), -np.stack(slope, 1), atol=1e-8)
    assert CUBIC.energy(x[:, ::-1]) != pytest.approx(CUBIC.energy(x))      # a mirror turns δ³ around


@pytest.mark.parametrize("mixture", [TURNED, RING], ids=["two turned components", "ring"])
def test_mixture_energy_is_its_log_density_and_score(mixture):
    x = 2 * np.random.default_rng(2).normal(size=(700, 2))
    energy = MixtureEnergy(mixture, sigma=0.3, theta=1.5)
    np.testing.assert_allclose(energy.energy(x), -1.5 * mixture.log_density(x, 0.3), rtol=1e-13)
    np.testing.assert_allclose(energy.force(x), 1.5 * mixture.score(x, 0.3), rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("scheme, precision", [
    (EulerMaruyama(), "double"), (StochasticHeun(), "mixed"), (LeimkuhlerMatthews(), "mixed"), (MALA(), "single"),
    (BAOAB(), "mixed"), (Splitting("O V R O V R"), "single")], ids=repr)
def test_steps_are_those_of_the_symbolic_engine(scheme, precision):
    """One component N(0, 1) is a trap: the same noise, the same moves, bit for bit, and the same books."""
    dynamics = Underdamped if isinstance(scheme, Splitting) else Overdamped
    options = dict(particles=1100, x0=0.5, t=(0, 2.0), steps=41, scheme=scheme, seed=3, precision=precision, every=7)
    written, looped = (simulate(dynamics(u), **options) for u in (Harmonic(1.0, 0.0, 2), MixtureEnergy(ONE)))
    assert np.array_equal(written.x, looped.x) and written.totals.keys() == looped.totals.keys()
    rounding = 2e-14 if precision != "single" else 1e-5
    for name, total in written.totals.items():
        np.testing.assert_allclose(looped.totals[name], total, rtol=rounding, atol=rounding)
    assert looped.ledger.mean["field"][-1] == pytest.approx(written.x.mean(), abs=rounding)
    assert looped.ledger.mean["field_square"][-1] == pytest.approx((written.x.astype(float)**2).mean(), abs=rounding)


def test_bits_belong_to_the_particle():
    field = Overdamped(PhiFour((4, 4)))
    options = dict(x0=0.2, t=(0, 0.5), steps=37, protocol=Linear(r=(-1.0, 1.0)), seed=5)
    whole = simulate(field, particles=1300, threads=1, **options)
    shared = simulate(field, particles=1300, threads=2, every=5, **options)
    part = simulate(field, particles=300, first_particle=900, **options)
    assert np.array_equal(whole.x, shared.x) and np.array_equal(whole.x[900:1200], part.x)
    for name in whole.totals:
        assert np.allclose(whole.totals[name], shared.totals[name], rtol=1e-12, atol=1e-12)   # rows add in parts
        assert np.array_equal(whole.totals[name][900:1200], part.totals[name])
    assert np.max(whole.ledger.coordinates["closure"]) < 1e-12


def test_gaussian_field_has_eulers_own_structure_factor():
    """Model A: Euler–Maruyama's modes have variance 1/(ω(1 − ωh/2)), ω = r + k̂², exactly; 2 % would be seen."""
    size, h, r = 16, 0.05, 0.25
    field = Overdamped(PhiFour((size, size), r=r, u=0.0))
    run = simulate(field, particles=1024, x0=0.0, t=(0, 20.0), steps=400, seed=8, books=False)
    modes = np.abs(np.fft.fft2(run.x.reshape(-1, size, size)))**2 / size**2
    k = 2 * np.sin(np.pi * np.arange(size) / size)
    omega = r + k[:, None]**2 + k**2
    exact = 1 / (omega * (1 - omega * h / 2))
    assert np.all(np.abs(modes.mean(0) / exact - 1) < 6 * modes.std(0) / exact / np.sqrt(1024) + 1e-4)
    mean, error = (modes / exact).mean(), (modes / exact).mean((1, 2)).std() / np.sqrt(1024)
    assert abs(mean - 1) < 6 * error and error < 0.0033


def test_annealing_a_mixture_costs_exactly_its_free_energy():
    """Every p_σ is normalised, so ⟨e^{−(W + W_shadow)}⟩ = 1 whatever the protocol: annealed importance sampling."""
    model = Overdamped(MixtureEnergy(RING))
    run = simulate(model, particles=100_000, t=(0, 1.0), steps=12, protocol=Linear(sigma=(1.0, 0.4)), seed=4)
    weights = np.exp(-(run.work + run.shadow_work))
    error = weights.std() / np.sqrt(len(weights))
    assert error < 0.02 and abs(weights.mean() - 1) < 6 * error
    assert abs(np.exp(-run.work).mean() - 1) > 10 * error        # the discrete chain needs its shadow work
    assert run.work.mean() > 5 * run.work.std() / np.sqrt(len(weights))


def test_equilibrium_of_a_mixture_is_the_mixture():
    x = simulate(Overdamped(MixtureEnergy(TURNED, sigma=0.5)), particles=200_000, t=(0, 1e-9), steps=1, seed=1).x
    mean = TURNED.weights @ TURNED.means
    second = x.T @ x / len(x)
    exact = sum(w * (np.outer(m, m) + V @ np.diag(l) @ V.T) for w, m, l, V in
                zip(TURNED.weights, TURNED.means, TURNED.eigvals, TURNED.eigvecs)) + 0.25 * np.eye(2)
    assert np.all(np.abs(x.mean(0) - mean) < 6 * x.std(0) / np.sqrt(len(x)))
    assert np.all(np.abs(second - exact) < 6 * 3 * np.abs(exact).max() / np.sqrt(len(x)))


@pytest.mark.parametrize("broken, said", [
    (lambda: PhiFour((2, 8)), "needs at least 3 sites along each axis"),
    (lambda: Lattice("phi**2", "b*delta**2", (4,)), "unknown name 'b'"),
    (lambda: MixtureEnergy(GaussianMixture([1.0], [[0.0]], [0.0])), "sigma too where a component is a point mass"),
    (lambda: PhiFour((4,)).energy(np.zeros((2, 4)), r=np.zeros(2)), "are numbers"),
    (lambda: PhiFour((4,)).force(np.zeros((2, 5))), "shape"),
    (lambda: simulate(Overdamped(PhiFour((4,))), particles=3, steps=2), "give x0 as an array"),
    (lambda: simulate(Overdamped(MixtureEnergy(RING), temperature=2.0), particles=3, steps=2), "temperature = theta"),
    (lambda: simulate(Overdamped(MixtureEnergy(ONE)), particles=3, steps=2, scheme=ExactOU()), "quadratic"),
    (lambda: simulate(Overdamped(PhiFour((4,)), force=Tilt(1.0, 4)), x0=0.0, particles=3, steps=2), "extra force"),
    (lambda: simulate(Overdamped(PhiFour((4,), u=4.0)), x0=3.0, particles=3, t=(0, 9.0), steps=30), "left all bounds"),
])
def test_complaints(broken, said):
    with pytest.raises(UserError, match=said) as caught:
        broken()
    assert "\n" not in str(caught.value)


def test_chain_of_two_kinds_of_terms_equals_one_expression():
    names = [f"x{i}" for i in range(6)]
    text = " + ".join(f"h*{n}**2 + ({n} - {m})**2/2 + a*({n} - {m})**3/3" for n, m in zip(names, names[1:] + names[:1]))
    written = Potential(text, names, {"h": 0.1, "a": 0.25})
    x = np.random.default_rng(4).normal(size=(50, 6))
    np.testing.assert_allclose(CUBIC.energy(x), written.energy(x), rtol=1e-12)
    np.testing.assert_allclose(CUBIC.force(x), written.force(x), rtol=1e-11, atol=1e-12)
