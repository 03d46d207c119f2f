"""Densities that cannot go wrong: what must hold exactly, and closed forms."""
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm

from thermosim.dynamics import Overdamped, Underdamped
from thermosim.errors import UserError
from thermosim.fokker_planck import (Axis, Chebyshev, FokkerPlanck, Grid, ImplicitEuler, SecondOrder, Wall,
                                     conditional, entropy,
                                     kl, l1, marginal, mean, w2)
from thermosim.potentials import DoubleWell, Harmonic, MixtureEnergy, MullerBrown, Periodic, Potential, Rotation, Tilt
from thermosim.protocols import Constant, Jump, Linear
from thermosim.score.exact import GaussianMixture

SCHEMES = [ImplicitEuler(), SecondOrder()]


def gaussian(mean, variance):
    return lambda x: np.exp(-0.5 * (x[:, 0] - mean) ** 2 / variance) / np.sqrt(2 * np.pi * variance)


def line(low=-3.0, high=3.0, cells=300, ends="open"):
    return Grid(Axis.uniform(low, high, cells, ends))


# ---- what holds for every potential, grid and step ------------------------------------------------

random_problem = st.fixed_dictionaries({
    "coefficients": st.lists(st.floats(-3, 3), min_size=4, max_size=4),
    "temperature": st.floats(0.01, 10.0),
    "cells": st.integers(4, 60),
    "stretch": st.floats(0.0, 0.8),
    "end": st.sampled_from(["reflecting", "periodic"]),
    "start": st.floats(-0.999, 0.999),
    "log_h": st.floats(-12, 8),
    "scale": st.floats(0.1, 30.0),
})


def build(problem):
    a, b, c, d = problem["coefficients"]
    u = np.linspace(-1, 1, problem["cells"] + 1)
    edges = u + problem["stretch"] * np.sin(np.pi * u) / np.pi
    law = Potential("s*(a*cos(pi*x) + b*sin(pi*x) + c*cos(2*pi*x) + d*sin(3*pi*x))", ["x"],
                    {"s": problem["scale"], "a": a, "b": b, "c": c, "d": d})
    return FokkerPlanck(law, problem["temperature"], 1.0, Grid(Axis(edges, problem["end"])))


@pytest.mark.filterwarnings("ignore:cell Péclet")
@settings(max_examples=150, deadline=None, derandomize=True)
@given(random_problem)
def test_from_a_delta_positive_conserving_and_downhill(problem):
    """Any potential, T from 0.01 to 10, any grid, any step: p ≥ 0, mass 1, free energy never rises."""
    fp = build(problem)
    h = 10.0 ** problem["log_h"]
    step, m = fp.propagator(fp.generator(), ImplicitEuler(), h), fp.grid.masses(fp.grid.delta(problem["start"]))
    masses = [m] + [m := step.advance(m) for _ in range(5)]
    assert np.min(masses) >= 0
    np.testing.assert_allclose(np.sum(masses, axis=1), 1.0, atol=1e-13)
    F = [fp.free_energy(m / fp.grid.volumes) for m in masses]
    assert np.all(np.diff(F) <= 1e-12 * (1 + np.abs(F[0]) + np.ptp(fp.energy())))


@pytest.mark.filterwarnings("ignore:cell Péclet")
@settings(max_examples=100, deadline=None, derandomize=True)
@given(random_problem)
def test_boltzmann_stays_cell_by_cell(problem):
    fp = build(problem)
    p = fp.steady_state()
    q = fp.evolve(p, (0.0, 10.0 ** problem["log_h"]), steps=1).final
    np.testing.assert_allclose(q, p, rtol=1e-12, atol=1e-300)


@pytest.mark.filterwarnings("ignore:cell Péclet")
@settings(max_examples=40, deadline=None, derandomize=True)
@given(random_problem, st.integers(4, 20), st.sampled_from(["reflecting", "periodic"]))
def test_the_same_in_a_plane(problem, rows, end):
    """p ≥ 0, mass 1, free energy never rises, e^{−U/T} stays: with a second axis coupled to the first."""
    line = build(problem)
    a, b, c, d = problem["coefficients"]
    law = Potential("s*(a*cos(pi*x)*sin(pi*y) + b*sin(pi*x) + c*cos(2*pi*(x + y)) + d*sin(pi*y))", ["x", "y"],
                    {"s": problem["scale"], "a": a, "b": b, "c": c, "d": d})
    fp = FokkerPlanck(law, problem["temperature"], 1.0, Grid(line.grid.axes[0], Axis.uniform(-1, 1, rows, end)))
    h = 10.0 ** problem["log_h"]
    step, m = fp.propagator(fp.generator(), ImplicitEuler(), h), fp.grid.masses(fp.grid.delta(problem["start"]))
    masses = [m] + [m := step.advance(m) for _ in range(4)]
    assert np.min(masses) >= 0
    np.testing.assert_allclose(np.sum(masses, axis=(1, 2)), 1.0, atol=1e-13)
    F = [fp.free_energy(m / fp.grid.volumes) for m in masses]
    assert np.all(np.diff(F) <= 1e-12 * (1 + np.abs(F[0]) + np.ptp(fp.energy())))
    p = fp.steady_state()
    np.testing.assert_allclose(step.advance(p * fp.grid.volumes), p * fp.grid.volumes, rtol=1e-12, atol=1e-300)


@pytest.mark.parametrize("scheme", SCHEMES, ids=["euler", "second"])
@pytest.mark.parametrize("ends", ["reflecting", "periodic"])
@pytest.mark.parametrize("cells,steps", [((400,), 10_000), ((40, 30), 10_000), ((12, 10, 14), 4000)])
def test_mass_over_ten_thousand_steps(scheme, ends, cells, steps):
    """To rounding, in bare steps that nobody normalises: short lines once lost 2·10⁻¹¹."""
    law = Potential(" + ".join(f"cos(pi*{x}/2)" for x in "xyz"[:len(cells)]), list("xyz"[:len(cells)]))
    fp = FokkerPlanck(law, 0.5, 1.0, Grid(*[Axis.uniform(-2, 2, n, ends) for n in cells]))
    m = fp.grid.masses(fp.grid.delta(0.3))
    for h in (0.01, 1.0) if len(cells) < 3 else (0.01,):
        assert abs(np.sum(fp.propagator(fp.generator(), scheme, h).advance(m, steps)) - 1) < 2e-14


@pytest.mark.parametrize("scheme", [ImplicitEuler(), SecondOrder(), Chebyshev(12)],
                         ids=["euler", "second", "chebyshev"])
def test_mass_in_runs(scheme):
    """At rest and driven, error-controlled and in equal steps."""
    fp = FokkerPlanck(Harmonic(), 0.5, 1.0, line(-6, 6, 300))
    for protocol in (None, Linear(c=(0.0, 1.0))):
        for how in ({"steps": 500}, {"tolerance": 1e-2}):
            run = fp.evolve(fp.grid.delta(0.3), (0.0, 0.4, 1.0), protocol, scheme, **how)
            np.testing.assert_allclose(np.sum(run.densities * fp.grid.volumes, axis=1), 1.0, rtol=0, atol=1e-14)


# ---- Chebyshev steps -------------------------------------------------------------------------------

@pytest.mark.parametrize("ends", ["reflecting", "periodic", "absorbing", ("reflecting", "absorbing")])
@pytest.mark.parametrize("t", [1e-3, 0.3, 50.0])
def test_one_chebyshev_step_is_the_matrix_exponential(ends, t):
    """From a delta, any time in one step; the error falls by 2.4 and more a degree."""
    fp = FokkerPlanck(Periodic(1.3, 2.0), 0.7, 2.0, Grid(Axis.uniform(-1, 1, 40, ends)))
    start = fp.grid.delta(0.2)
    exact = expm(t * fp.generator().matrix().toarray()) @ start
    errors = [l1(fp.grid, fp.evolve(start, (0.0, t), scheme=Chebyshev(n), steps=1).final, exact)
              for n in (8, 16, 24, 32)]
    assert errors[1] < 2e-6 and errors[2] < 3e-9 and errors[3] < 3e-12
    assert errors[1] < errors[0] * 2.4**-8 * 10
    run = fp.evolve(start, (0.0, t), scheme=Chebyshev(), tolerance=1e-7)
    # 1e-11: rounding of expm itself
    assert l1(fp.grid, run.final, exact) <= run.error + 1e-11 < 1e-7 and run.steps == 2


def test_chebyshev_books_are_those_of_small_steps():
    """The driven trap: work to second order in steps; at rest the heat of one step is that of many."""
    fp = FokkerPlanck(Harmonic(), 1.0, 1.0, line(-7, 9, 400))
    works = [fp.evolve(fp.steady_state(), (0.0, 2.0), Linear(c=(0.0, 2.0)), scheme, steps=200).ledger["work"].sum()
             for scheme in (SecondOrder(), Chebyshev())]
    assert works[0] == pytest.approx(works[1], rel=1e-4) and works[1] == pytest.approx(1.1353352832, rel=1e-3)
    start = fp.grid.density(gaussian(1.0, 0.3))
    heats = [fp.evolve(start, (0.0, 1.0), scheme=scheme, steps=n).ledger["heat"].sum()
             for scheme, n in ((Chebyshev(), 1), (SecondOrder(), 2000))]
    assert heats[0] == pytest.approx(heats[1], rel=1e-6)


@pytest.mark.parametrize("call,words", [
    (lambda: FokkerPlanck(Harmonic(dimension=2), grid=Grid(*[Axis.uniform(-1, 1, 20, "reflecting")] * 2)).evolve(
        np.full((20, 20), 0.25), (0.0, 1e-6), scheme=Chebyshev()), "one axis"),
    (lambda: FokkerPlanck(Overdamped(Periodic(0.5, 2.0), 1.0, 1.0, Tilt(0.7)), grid=line(0, 2, 50, "periodic")).evolve(
        np.full(50, 0.5), scheme=Chebyshev()), "detailed balance"),
    (lambda: Chebyshev(1), "degree"), (lambda: Chebyshev(61), "degree"), (lambda: Chebyshev(True), "degree"),
])
def test_chebyshev_says_where_it_does_not_apply(call, words):
    with pytest.raises(UserError, match=words):
        call()


def test_second_order_is_positive_up_to_its_stated_limit():
    fp = FokkerPlanck(DoubleWell(), 0.25, 1.0, line())
    h = SecondOrder().positive_up_to / fp.generator().fastest()
    assert fp.evolve(fp.grid.delta(0.4), (0.0, h), scheme=SecondOrder(), steps=1).final.min() >= 0
    # and the limit is no idle one: far beyond it a delta does go negative
    assert fp.evolve(fp.grid.delta(0.4), (0.0, 100 * h), scheme=SecondOrder(), steps=1).final.min() < 0


# ---- the matrix exponential of a generator written down here ---------------------------------------

@pytest.mark.parametrize("ends", ["reflecting", "periodic", "absorbing", ("reflecting", "absorbing")])
def test_evolution_is_the_matrix_exponential(ends):
    """K filled face by face from U alone and exponentiated by scipy."""
    n, T, law = 40, 0.7, Periodic(1.3, 2.0)
    axis = Axis.uniform(-1, 1, n, ends)
    fp = FokkerPlanck(law, T, 2.0, Grid(axis))
    U, dx, D = law.energy(axis.centers), axis.widths[0], 2.0 * T
    K = np.zeros((n, n))

    def face(i, j, distance, climb):
        out, back = (D / distance / dx * z / np.expm1(z) for z in (climb / T, -climb / T))
        for here, there, rate in ((i, j, out), (j, i, back)):
            if here is not None:
                K[here, here] -= rate
            if here is not None and there is not None:
                K[there, here] += rate

    for i in range(n - 1):
        face(i, i + 1, dx, U[i + 1] - U[i] + 1e-12)            # keep away from 0/0
    if ends == "periodic":
        face(n - 1, 0, dx, U[0] - U[-1] + 1e-12)
    if axis.ends[0] == "absorbing":
        face(None, 0, dx / 2, U[0] - law.energy([-1.0])[0])
    if axis.ends[1] == "absorbing":
        face(n - 1, None, dx / 2, law.energy([1.0])[0] - U[-1])
    start = fp.grid.delta(0.2)
    got = fp.evolve(start, (0.0, 0.3), scheme=SecondOrder(), tolerance=1e-7).final
    np.testing.assert_allclose(got, expm(0.3 * K) @ start, atol=2e-7, rtol=0)


@pytest.mark.parametrize("scheme,tolerance", [(ImplicitEuler(), 1e-3), (SecondOrder(), 1e-5)])
def test_error_estimate_bounds_the_true_error(scheme, tolerance):
    fp = FokkerPlanck(DoubleWell(), 0.25, 1.0, line(cells=120))
    start = fp.grid.delta(-0.9)
    exact = (expm(0.5 * fp.generator().matrix().toarray()) @ (start * fp.grid.volumes)) / fp.grid.volumes
    run = fp.evolve(start, (0.0, 0.2, 0.5), scheme=scheme, tolerance=tolerance)
    assert l1(fp.grid, run.final, exact) <= run.error <= tolerance


# ---- closed forms ---------------------------------------------------------------------------------

def test_moving_trap_keeps_the_gaussian_and_its_books():
    """OU under c = t: mean, variance, ⟨W⟩ = 1.135335, ⟨Q⟩ = ΔU − W, Δs by the Gaussian."""
    grid = line(-7, 9, 1600)
    fp = FokkerPlanck(Harmonic(), 1.0, 1.0, grid)
    run = fp.evolve(fp.steady_state(), np.linspace(0, 2, 5), Linear(c=(0.0, 2.0)), SecondOrder(), 1e-6)
    centre = 1 + np.exp(-2.0)
    assert l1(grid, run.final, gaussian(centre, 1.0)(grid.points())) < 2e-5
    books = run.ledger
    assert books["work"].sum() == pytest.approx(1.1353352832, rel=2e-5)
    energy = 0.5 + 0.5 * (2 - centre) ** 2
    assert books["heat"].sum() == pytest.approx(energy - 0.5 - 1.1353352832, rel=5e-5)
    assert books["energy"][-1] == pytest.approx(energy, rel=2e-5)
    assert abs(books["entropy_sys"].sum()) < 1e-5
    closure = np.diff(np.append(0.5, books["energy"])) - books["work"] - books["shadow_work"] - books["heat"]
    np.testing.assert_allclose(closure[1:], 0, atol=1e-13)


def test_breathing_trap_work():
    """k: 1 → 4 linearly in t = 1: ⟨W⟩ = 0.9360417073; suddenly: 1.5, and the heat 0."""
    fp = FokkerPlanck(Harmonic(), 1.0, 1.0, line(-6, 6, 1200))
    run = fp.evolve(fp.steady_state(), (0.0, 1.0), Linear(k=(1.0, 4.0)), SecondOrder(), 1e-6)
    assert run.ledger["work"].sum() == pytest.approx(0.9360417073, rel=3e-5)
    jump = fp.evolve(fp.steady_state(), (0.0, 1e-9), Jump(at=0.0, k=(1.0, 4.0)), steps=1)
    assert jump.ledger["work"].sum() == pytest.approx(1.5, rel=1e-4)
    late = fp.evolve(fp.steady_state(), (0.0, 1.0), Jump(at=1.0, k=(1.0, 4.0)), steps=4)
    assert late.ledger["work"].sum() == pytest.approx(1.5, rel=1e-4)
    assert abs(late.ledger["heat"].sum()) < 1e-10


def test_free_energy_and_entropy_under_a_changing_bath():
    """T: 1 → 2 in a trap at rest: no work; for a Gaussian v' = 2(T − v), Δs = ½ ln(v₁/v₀), Q = Δv/2."""
    fp = FokkerPlanck(Harmonic(), 1.0, 1.0, line(-9, 9, 900))
    run = fp.evolve(fp.steady_state(), np.linspace(0, 1, 3), Linear(temperature=(1.0, 2.0)), SecondOrder(), 1e-6)
    v = 1 + 1 - 0.5 + 0.5 * np.exp(-2.0)                   # T = 1 + t: v = 1 + t − ½ + ½e^{−2t}
    assert np.all(run.ledger["work"] == 0)
    assert run.ledger["heat"].sum() == pytest.approx(0.5 * (v - 1), rel=1e-4)
    assert run.ledger["entropy_sys"].sum() == pytest.approx(0.5 * np.log(v), rel=1e-4)
    assert run.ledger["free_energy"][-1] == pytest.approx(0.5 * v - np.log(2 * np.pi * np.e * v), rel=1e-4)


def test_circling_drift():
    """−kx + ωJx in 2-D: e^{−r²/2} stays, entropy production 2ω²/k = 8, rates nk ± imω; work = −heat = 8t."""
    grid = Grid(*[Axis.uniform(-6, 6, 120)] * 2)
    fp = FokkerPlanck(Overdamped(Harmonic(dimension=2), 1.0, 1.0, Rotation(2.0)), grid=grid)
    p = fp.steady_state()
    exact = grid.density(lambda x: np.exp(-0.5 * np.sum(x * x, axis=1)) / (2 * np.pi))
    assert l1(grid, p, exact) < 2e-3
    assert fp.entropy_production(p) == pytest.approx(8.0, rel=5e-3)
    run = fp.evolve(p, (0.0, 0.25), scheme=SecondOrder(), tolerance=1e-4)
    assert run.ledger["work"].sum() == pytest.approx(2.0, rel=5e-3)
    assert run.ledger["entropy_env"].sum() == pytest.approx(2.0, rel=5e-3)
    rates = fp.spectrum(4).rates
    assert sorted(rates.imag) == pytest.approx([-2, 0, 0, 2], abs=0.01)
    assert sorted(rates.real) == pytest.approx([0, 1, 1, 2], abs=0.03)


def test_tilted_ring_current():
    """Free ring under a constant force: p flat, J = μf/L, entropy production f²μ/T, the books f·J·L·t."""
    fp = FokkerPlanck(Overdamped(Periodic(0.0, 2.0), 0.5, 3.0, Tilt(0.7)), grid=line(0, 2, 50, "periodic"))
    p = fp.steady_state()
    np.testing.assert_allclose(p, 0.5, rtol=1e-11)
    np.testing.assert_allclose(fp.current(p)[0], 3 * 0.7 / 2, rtol=1e-10)
    assert fp.entropy_production(p) == pytest.approx(0.7**2 * 3 / 0.5, rel=1e-3)
    run = fp.evolve(p, (0.0, 2.0), steps=10)
    assert run.ledger["work"].sum() == pytest.approx(0.7**2 * 3 * 2, rel=1e-9)
    assert run.ledger["heat"].sum() == pytest.approx(-(0.7**2) * 3 * 2, rel=1e-9)


def test_splitting_of_a_free_line_and_of_regions():
    fp = FokkerPlanck(Harmonic(stiffness=0.0), 1.0, 1.0, line(0, 1, 20, "absorbing"))
    x = fp.grid.axes[0].centers
    np.testing.assert_allclose(fp.splitting(Wall(0, upper=True)), x, atol=1e-12)
    np.testing.assert_allclose(fp.splitting(Wall(0, upper=False)), 1 - x, atol=1e-12)
    np.testing.assert_allclose(fp.first_passage(), 0.5 * x * (1 - x), atol=7e-4)
    plane = FokkerPlanck(MullerBrown(scale=0.1), 2.0, 1.0,
                         Grid(Axis.uniform(-1.6, 1.2, 70, "reflecting"), Axis.uniform(-0.4, 2.1, 63, "reflecting")))
    left = lambda z: np.hypot(z[:, 0] + 0.558, z[:, 1] - 1.442) < 0.15      # noqa: E731
    right = lambda z: np.hypot(z[:, 0] - 0.623, z[:, 1] - 0.028) < 0.15     # noqa: E731
    q = plane.splitting(left, right)
    np.testing.assert_allclose(q + plane.splitting(right, left), 1.0, atol=1e-9)
    assert np.all((q > -1e-12) & (q < 1 + 1e-12))
    # q is harmonic: by the flux through any closed surface, −K applied to π·q vanishes outside both regions
    outside = ~(left(plane.grid.points()) | right(plane.grid.points())).reshape(plane.grid.shape)
    m = plane.steady_state() * plane.grid.volumes * q
    assert np.max(np.abs(plane.generator().apply(m)[outside])) < 1e-9 * np.max(np.abs(plane.generator().apply(m)))


def test_spectrum_of_a_plane_is_the_sum_of_its_axes():
    grid = Grid(Axis.uniform(-6, 6, 60), Axis.uniform(-6, 6, 50))
    planar = FokkerPlanck(Harmonic(dimension=2), 1.0, 1.0, grid).spectrum(6)
    lines = [FokkerPlanck(Harmonic(), 1.0, 1.0, Grid(a)).spectrum(4).rates for a in grid.axes]
    np.testing.assert_allclose(planar.rates, np.sort(np.add.outer(*lines).ravel())[:6], atol=1e-9)
    np.testing.assert_allclose(planar.modes[0],
                               FokkerPlanck(Harmonic(dimension=2), grid=grid).steady_state(), atol=1e-10)
    K = FokkerPlanck(Harmonic(dimension=2), 1.0, 1.0, grid).generator()
    m = planar.modes[3] * grid.volumes
    np.testing.assert_allclose(K.apply(m), -planar.rates[3] * m, atol=1e-9)


def test_energy_of_a_mixture_on_a_plane():
    """An energy that is a loop, not an expression: at T = θ its steady state is the mixture."""
    law = GaussianMixture([0.3, 0.7], [[-1.5, 0.0], [1.0, 0.5]], [0.25, 0.49])
    grid = Grid(Axis.uniform(-5, 5, 80), Axis.uniform(-5, 6, 70))
    p = FokkerPlanck(MixtureEnergy(law), 1.0, 1.0, grid).steady_state()
    lumps = [w * np.exp(-0.5 * np.sum((grid.points() - c) ** 2, axis=1) / v) / (2 * np.pi * v)
             for w, c, v in ((0.3, [-1.5, 0.0], 0.25), (0.7, [1.0, 0.5], 0.49))]
    assert l1(grid, p, sum(lumps).reshape(grid.shape)) < 1e-6


def turning(omega, cells, half=6.0):
    return FokkerPlanck(Overdamped(Harmonic(dimension=2), 1.0, 1.0, Rotation(omega)),
                        grid=Grid(*[Axis.uniform(-half, half, cells)] * 2))


@pytest.mark.parametrize("make", [
    lambda: turning(12.0, 16, 4.0),
    lambda: turning(60.0, 24, 3.0),
    lambda: FokkerPlanck(Overdamped(Periodic(0.3, 2.0), 0.2, 1.0, Tilt(5.0)), grid=line(0, 2, 60, "periodic")),
    lambda: FokkerPlanck(Overdamped(Harmonic(dimension=2), 1.0, 1.0, Rotation(9.0)), grid=Grid(
        Axis.uniform(-4, 4, 15, "reflecting"), Axis.uniform(-3, 3, 14, "absorbing"))),
], ids=["turning", "whirling", "ring", "leaking"])
@pytest.mark.parametrize("k", [3, 6])
def test_circulating_spectrum_is_the_dense_one(make, k):
    """By real part, every pair whole, each mode an eigenvector."""
    fp = make()
    found, K = fp.spectrum(k), fp.generator().matrix().toarray()
    dense = np.linalg.eigvals(-K)
    dense = dense[np.lexsort((-dense.imag, np.round(dense.real, 8)))]
    assert len(found.rates) in (k, k + 1)
    np.testing.assert_allclose(found.rates, dense[:len(found.rates)], atol=1e-7)
    assert abs(found.rates.sum().imag) < 1e-7
    for rate, mode in zip(found.rates, found.modes):
        m = (mode * fp.grid.volumes).ravel()
        np.testing.assert_allclose(K @ m, -rate * m, atol=1e-8)
        assert np.abs(m).sum() == pytest.approx(1.0)


def test_spectrum_of_the_turning_trap():
    """Rates k(n + m) ± iω(n − m): at ω = 5 the pair 1 ± 5i is slower than 2, though 2 is nearer to 0."""
    coarse, fine = (np.array([rates[0], rates[1], rates[2], rates[3]]) for rates in
                    (turning(5.0, n).spectrum(4).rates for n in (60, 120)))
    np.testing.assert_allclose(fine, [0, 1 + 5j, 1 - 5j, 2], atol=0.08)
    np.testing.assert_allclose((4 * fine - coarse) / 3, [0, 1 + 5j, 1 - 5j, 2], atol=0.02)
    np.testing.assert_allclose((coarse - [0, 1 + 5j, 1 - 5j, 2])[1:] / (fine - [0, 1 + 5j, 1 - 5j, 2])[1:],
                               4.0, atol=0.7)


def test_distances_and_marginals_of_densities():
    grid = line(-9, 11, 4000)
    p, q = grid.density(gaussian(0.0, 1.0)), grid.density(gaussian(1.5, 2.25))
    assert w2(grid.axes[0], p, q) == pytest.approx(np.hypot(1.5, 0.5), rel=1e-5)
    assert kl(grid, p, q) == pytest.approx(np.log(1.5) + (1 + 1.5**2) / 4.5 - 0.5, rel=1e-5)
    assert entropy(grid, q) == pytest.approx(0.5 * np.log(2 * np.pi * np.e * 2.25), rel=1e-6)
    assert kl(grid, p, grid.delta(0.0)) == np.inf
    # deltas two cells apart with nothing between: the quantiles jump
    assert w2(grid.axes[0], grid.delta(0.0), grid.delta(1.0)) == pytest.approx(1.0, rel=1e-12)
    plane = Grid(Axis.uniform(-6, 6, 80), Axis.uniform(-6, 6, 90))
    joint = plane.density(lambda x: np.exp(-0.5 * (x[:, 0] ** 2 + (x[:, 1] - 0.5 * x[:, 0]) ** 2 / 0.75))
                          / (2 * np.pi * np.sqrt(0.75)))
    unit = np.exp(-0.5 * plane.axes[1].centers ** 2) / np.sqrt(2 * np.pi)
    np.testing.assert_allclose(marginal(plane, joint, 1), unit, atol=1e-6)
    slice_ = conditional(plane, joint, 0, 1.0)
    at = plane.axes[0].centers[46]
    assert np.sum(slice_ * plane.axes[1].widths * plane.axes[1].centers) == pytest.approx(0.5 * at, abs=1e-6)
    assert mean(plane, joint, lambda x: x[:, 0] * x[:, 1]) == pytest.approx(0.5, rel=1e-6)


# ---- wrong input --------------------------------------------------------------------------------

@pytest.mark.parametrize("call,words", [
    (lambda fp: fp.evolve(np.ones(3)), "shape"),
    (lambda fp: fp.evolve(-fp.steady_state()), "negative"),
    (lambda fp: fp.evolve(2 * fp.steady_state()), "mass 2"),
    (lambda fp: fp.evolve(fp.grid.delta(2.0), (1.0, 1.0)), "times must rise"),
    (lambda fp: fp.evolve(fp.grid.delta(2.0), (0.0, 1.0), tolerance=-1), "tolerance"),
    (lambda fp: fp.evolve(fp.grid.delta(2.0), (0.0, 1.0), steps=0), "steps per interval"),
    (lambda fp: fp.evolve(fp.steady_state(), (0.0, 1.0), Linear(q=(0, 1))), "drives q"),
    (lambda fp: fp.evolve(fp.steady_state(), (0.0, 1.0), Linear(temperature=(1, -1)), steps=4),
     "temperature must stay"),
    (lambda fp: fp.evolve(fp.steady_state(), (0.0, 1.0), Constant(temperature=40.0)), "open end"),
    (lambda fp: fp.grid.delta(17.0), "outside the grid"),
    (lambda fp: fp.grid.density(gaussian(2.9, 1.0)), "mass 0."),
    (lambda fp: fp.grid.density(lambda x: -x[:, 0]), "negative"),
    (lambda fp: fp.first_passage(), "nothing to reach"),
    (lambda fp: fp.first_passage(lambda x: x[:, 0] > 77), "no cell"),
    (lambda fp: fp.splitting(Wall(0)), "not an absorbing end"),
    (lambda fp: fp.spectrum(0), "number of modes"),
    (lambda fp: fp.energy(w=1.0), "unknown parameter"),
    (lambda fp: FokkerPlanck(DoubleWell(), grid=Grid(*fp.grid.axes * 2)), "axes"),
    (lambda fp: FokkerPlanck(DoubleWell()), "grid=Grid"),
    (lambda fp: FokkerPlanck(Underdamped(DoubleWell()), grid=fp.grid), "Overdamped"),
    (lambda fp: FokkerPlanck(DoubleWell(), -1.0, grid=fp.grid), "temperature"),
    (lambda fp: FokkerPlanck(Potential("log(x)", ["x"]), grid=fp.grid), "not finite"),
    (lambda fp: FokkerPlanck(DoubleWell(), grid=line(-1, 2, 30, "periodic")), "jumps"),
    (lambda fp: line(3, -3, 10), "low < high"),
    (lambda fp: Axis([0, 1, 2, 2, 3]), "rise"),
    (lambda fp: line(ends="opne"), "open"),
    (lambda fp: line(ends=("periodic", "open")), "both"),
])
def test_wrong_input_is_one_line(call, words):
    fp = FokkerPlanck(DoubleWell(), 0.25, 1.0, line())
    with np.errstate(all="ignore"), pytest.raises(UserError, match=words) as caught:
        call(fp)
    assert "\n" not in str(caught.value)


def test_coarse_cells_are_warned_of():
    fp = FokkerPlanck(Harmonic(stiffness=1.0), 0.01, 1.0, line(-3, 3, 30))
    with pytest.warns(UserWarning, match="Péclet"):
        fp.evolve(fp.grid.delta(2.0), (0.0, 0.1), steps=1)


def test_absorbing_ends_book_nothing_and_say_why():
    fp = FokkerPlanck(DoubleWell(), 0.25, 1.0, line(-2, 1, 90, ("open", "absorbing")))
    run = fp.evolve(fp.grid.delta(0.5), (0.0, 1.0), steps=50)
    assert np.all(np.isnan(run.ledger["heat"])) and "absorbing" in run.ledger.reasons["heat"]
    assert np.sum(run.final * fp.grid.volumes) < 0.9
    with pytest.raises(UserError, match="absorbing"):
        fp.steady_state()
