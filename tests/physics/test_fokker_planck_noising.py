"""Noise and return on a grid: the numbers of diffusion models without sampling error."""
import numpy as np
import pytest

from thermosim.errors import UserError
from thermosim.fokker_planck import Axis, Grid, ImplicitEuler, Noising, entropy, l1, w2
from thermosim.schedules import EDM, VE, VP, SubVP, vp_chain
from thermosim.thermo.efficiency import eta_cycle, eta_geo, eta_II
from thermosim.thermo.work import mean_work
from thermosim.validate import density as density_rows


def normal(s, centre=0.0):
    return lambda x: np.exp(-0.5 * ((x[:, 0] - centre) / s) ** 2) / (s * np.sqrt(2 * np.pi))


def skewed(x):
    """Nothing Gaussian about it: two lumps of different width, no closed form used anywhere."""
    return 0.3 * normal(0.25, -1.5)(x) + 0.7 * normal(0.6, 0.8)(x)


def round_trip(process, law, half, cells, steps, xi=1.0, t0=0.0):
    grid = Grid(Axis.uniform(-half, half, cells))
    noising = Noising(process, grid)
    there = noising.forward(grid.density(law), t0 + (1 - t0) * np.linspace(0, 1, steps + 1) ** 2)
    return noising, there, noising.reverse(there, xi)


def second_law(noising, there, back):
    """(ΔF, W_on): free energy from the entropies, work from the line integral of the force."""
    gained = noising.kl_to_normal(back.final) - noising.kl_to_normal(there.final)
    moved = np.sum((back.final - there.final) * noising.grid.volumes * noising.half_square)
    return gained, moved - back.heat.sum()


@pytest.mark.parametrize("xi", [1.0, 0.5, 2.0])
def test_second_law_efficiency_is_xi_over_one_plus_xi(xi):
    """η_II = ξ/(1 + ξ) for any data, approached with second order; half by W_on, half by Σ."""
    misses = []
    for n in (300, 600):
        noising, there, back = round_trip(VP(8.0, 8.0), skewed, 8.0, n, n // 2, xi)
        gained, work = second_law(noising, there, back)
        misses.append(abs(gained / work - xi / (1 + xi)))
        assert eta_II(gained, back.entropy_production.sum()) == pytest.approx(xi / (1 + xi), rel=1e-2)
    assert misses[1] < 5e-4 and misses[0] / misses[1] == pytest.approx(4.0, abs=0.8)


def test_return_is_second_order():
    errors = []
    for n in (200, 400, 800):
        noising, there, back = round_trip(VP(8.0, 8.0), skewed, 8.0, n, n // 2)
        errors.append(l1(noising.grid, back.final, there.densities[0]))
    np.testing.assert_allclose(np.log2(np.array(errors[:-1]) / errors[1:]), 2.0, atol=0.25)
    assert errors[-1] < 2e-3


def test_gaussian_numbers_of_vp():
    """s = 2, B = 10: Σ 0.8068528, η_geo 0.2478429, Σ_rev = Σ for ξ = 1, H-theorem; cycle 0."""
    noising, there, back = round_trip(VP(10.0, 10.0), normal(2.0), 14.0, 800, 400)
    Sigma = there.entropy_production.sum()
    assert Sigma == pytest.approx(0.8068528148, rel=2e-4)
    K = noising.kl_to_normal(there.densities[0])
    assert K - noising.kl_to_normal(there.final) == pytest.approx(Sigma, rel=1e-4)
    distance = w2(noising.grid.axes[0], there.densities[0], there.final)
    assert eta_geo(distance, there.diffusion.sum(), Sigma) == pytest.approx(0.2478429, rel=3e-4)
    assert back.entropy_production.sum() == pytest.approx(Sigma, rel=1e-3)
    assert eta_cycle(K, Sigma, back.entropy_production.sum()) == pytest.approx(0.0, abs=2e-4)


def test_dissipated_work_of_the_chain_from_the_grid_alone():
    """P of DDPM with variance β, s = 2, B = 10, N = 10: 0.1891465679, by mmse from Fisher information."""
    grid, chain = Grid(Axis.uniform(-14, 14, 1120)), vp_chain(10.0, 10, "beta")
    noising = Noising(VP(10.0, 10.0), grid)
    start = grid.density(normal(2.0))
    there = noising.forward(start, np.linspace(0, 1, 11), substeps=40)
    mse = {round(np.log(chain.sigma(n)), 9): noising.mmse(there.densities[n], there.times[n]) for n in range(1, 11)}
    work, end = mean_work(chain, lambda sigma: mse[round(np.log(sigma), 9)], 4.0)
    assert work.sum() + end - entropy(grid, start) == pytest.approx(0.1891465679, rel=2e-3)


@pytest.mark.parametrize("process,t0,t1", [(VE(0.1, 3.0), 0.0, 1.0), (EDM(), 0.1, 3.0)])
def test_free_diffusion_produces_its_entropy_change(process, t0, t1):
    """Two near-deltas, σ 0.1 → 3: Σ = Δh = 2.7607218, whatever the clock."""
    grid = Grid(Axis.uniform(-20, 20, 2000))
    start = grid.density(lambda x: 0.5 * normal(0.1, -1.0)(x) + 0.5 * normal(0.1, 1.0)(x))
    times = np.linspace(t0, t1, 301) if t0 == 0 else np.geomspace(t0, t1, 301)
    there = Noising(process, grid).forward(start, times)
    assert there.entropy_production.sum() == pytest.approx(2.7607218380, rel=2e-3)
    assert entropy(grid, there.final) - entropy(grid, start) == pytest.approx(2.7607218380, rel=1e-4)
    assert np.all(there.heat == 0)
    assert there.diffusion.sum() == pytest.approx(0.5 * (3.0**2 - 0.1**2), rel=1e-9)


def test_sub_vp_marginals():
    """The grid carries N(0, s²) to α²s² + (1 − e^{−B})², with a bath that changes under way."""
    process = SubVP(6.0, 6.0)
    noising, there, back = round_trip(process, normal(0.5), 7.0, 500, 250, t0=0.0)
    variance = np.exp(-6.0) * 0.25 + process.noise(1.0) ** 2
    assert l1(noising.grid, there.final, normal(np.sqrt(variance))(noising.grid.points())) < 2e-4
    assert l1(noising.grid, back.final, there.densities[0]) < 5e-3


def test_two_dimensions_return():
    """A correlated pair of lumps in the plane: back within discretisation, η_II = 1/2."""
    grid = Grid(Axis.uniform(-6, 6, 120), Axis.uniform(-6, 6, 120))

    def law(x):
        u, v = x[:, 0] + x[:, 1], x[:, 0] - x[:, 1]
        lumps = [np.exp(-0.5 * ((u - c) ** 2 / 0.8 + v**2 / 0.4)) for c in (-2.0, 2.0)]
        return sum(lumps) / (2 * np.pi * np.sqrt(0.8 * 0.4))

    noising = Noising(VP(6.0, 6.0), grid)
    there = noising.forward(grid.density(law), np.linspace(0, 1, 61))
    back = noising.reverse(there)
    assert l1(grid, back.final, there.densities[0]) < 2e-2
    gained, work = second_law(noising, there, back)
    assert gained / work == pytest.approx(0.5, abs=2e-3)
    x = grid.points()[:, 0].reshape(grid.shape)
    inner = np.abs(noising.score(there.final)[0] + x)[30:90, 30:90]
    assert inner.max() < 0.02                  # at the end the score is that of N(0, 1)
    assert np.abs(noising.velocity(there.final, 1.0)[0])[30:90, 30:90].max() < 0.1


def test_implicit_steps_also_return():
    grid = Grid(Axis.uniform(-9, 9, 300))
    noising = Noising(VP(8.0, 8.0), grid, ImplicitEuler())
    there = noising.forward(grid.density(skewed), np.linspace(0, 1, 1001))
    assert l1(grid, noising.reverse(there).final, there.densities[0]) < 3e-2


@pytest.mark.parametrize("call,words", [
    (lambda g: Noising(VP(), Grid(*g.axes * 3)), "one or two"),
    (lambda g: Noising(VP(), g).forward(g.density(normal(1.0)), [0.0]), "at least two times"),
    (lambda g: Noising(VP(), g).forward(g.density(normal(1.0)), [0.0, 1.0], substeps=0), "substeps"),
    (lambda g: Noising(VE(0.1, 9.0), g).forward(g.density(normal(1.0)), np.linspace(0, 1, 50)), "open end"),
    (lambda g: Noising(VP(), g).forward(np.ones(g.shape), [0.0, 1.0]), "mass"),
    (lambda g: Noising(VP(), Grid(Axis.uniform(-9, 9, 50, "periodic"))).forward(np.ones(50) / 18, [0.0, 1.0]),
     "open ends"),
    (lambda g: Noising(EDM(), g).reverse(Noising(EDM(), g).forward(g.density(normal(1.0)), [0.1, 0.2]), xi=0), "xi"),
])
def test_wrong_input_is_one_line(call, words):
    with pytest.raises(UserError, match=words) as caught:
        call(Grid(Axis.uniform(-9, 9, 300)))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("value,exact,least", [
    (density_rows.roll_second_law, 0.5, 1.85), (density_rows.roll_sigma, 0.3667279198, 1.5),
    (density_rows.roll_work, 0.3256516338, 1.95),
    (density_rows.plane_eta_geo, density_rows.plane_closed_form(), 1.95)],
    ids=["eta_II", "sigma", "P", "eta_geo"])
def test_plane_numbers_approach_with_second_order(value, exact, least):
    """The swiss roll's η_II, Σ and P and a plane's η_geo at
    120² and 240² cells; Σ passes through 0 error on the way."""
    coarse, fine = (value(n) - exact for n in (120, 240))
    assert least < np.log2(coarse / fine) < 2.2 and abs(fine) < 3e-3 * exact
