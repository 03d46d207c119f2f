"""Orders measured in cell width and step, against a spectral method that knows no cells."""
import numpy as np
import pytest
from scipy.integrate import cumulative_trapezoid, trapezoid
from scipy.interpolate import CubicSpline

from thermosim.dynamics import Overdamped
from thermosim.fokker_planck import Axis, FokkerPlanck, Grid, ImplicitEuler, SecondOrder, l1, mean
from thermosim.potentials import DoubleWell, Harmonic, Rotation
from thermosim.protocols import Linear

T = 0.25


def oscillator_basis(size=140, width=0.5):
    """Position and −d²/dx² in the eigenstates of an oscillator of that width."""
    a = np.diag(np.sqrt(np.arange(1.0, size)), 1)
    return width * (a + a.T) / np.sqrt(2), -((a - a.T) @ (a - a.T)) / (2 * width**2)


def spectral_well(size=140):
    """Double well U = (x² − 1)²: H = T p² + U'²/4T − U''/2 is e^{U/2T} K e^{−U/2T} up to its sign."""
    X, P2 = oscillator_basis(size)
    X2 = X @ X
    U1, U2 = 4 * X @ (X2 - np.eye(size)), 12 * X2 - 4 * np.eye(size)
    return np.linalg.eigh(T * P2 + U1 @ U1 / (4 * T) - U2 / 2), X


def spectral_moments(law, t, size=140, width=0.5):
    """⟨x⟩, ⟨x²⟩ at time t from the density p_0 = law(x), by projection on the oscillator functions."""
    x = np.linspace(-3.5, 3.5, 7001)
    psi = [np.exp(-0.5 * (x / width) ** 2) / np.sqrt(np.sqrt(np.pi) * width)]
    psi.append(np.sqrt(2.0) * x / width * psi[0])
    for n in range(2, size):
        psi.append(np.sqrt(2 / n) * x / width * psi[-1] - np.sqrt((n - 1) / n) * psi[-2])
    psi, dx, root = np.array(psi), x[1] - x[0], np.exp(-0.5 * (x * x - 1) ** 2 / T)
    (rates, vectors), _ = spectral_well(size)
    start = psi @ (law(x) / root) * dx
    later = vectors @ (np.exp(-rates * t) * (vectors.T @ start))
    p = root * (later @ psi)
    return np.sum(p * x) * dx, np.sum(p * x * x) * dx


def lopsided(x):
    """A smooth start far from equilibrium, narrow enough for the spectral method to represent."""
    fine = np.linspace(-3.5, 3.5, 7001)
    weight, norm = (np.exp(-((z * z - 1) ** 2 + 0.4 * z) / 0.2) for z in (x, fine))
    return weight / trapezoid(norm, fine)


def well(cells, ends="open", high=3.0):
    return FokkerPlanck(DoubleWell(), T, 1.0, Grid(Axis.uniform(-3, high, cells, ends)))


def orders(values, exact):
    errors = np.abs(np.array(values) - exact)
    return np.log2(errors[:-1] / errors[1:])


def test_spectrum_is_second_order_in_the_cells():
    """All four rates; and Richardson's combination agrees with the spectral method to 3e-8."""
    (rates, _), _ = spectral_well()
    assert abs(rates[0]) < 1e-9
    found = np.array([well(n).spectrum(5).rates[1:] for n in (150, 300, 600, 1200)])
    for k in range(4):
        np.testing.assert_allclose(orders(found[1:, k], rates[k + 1]), 2.0, atol=0.02)
    np.testing.assert_allclose((4 * found[-1] - found[-2]) / 3, rates[1:5], rtol=3e-8)


def test_density_is_second_order_in_the_cells():
    exact = spectral_moments(lopsided, 1.0)
    moments = []
    for n in (100, 200, 400):
        fp = well(n)
        start = fp.grid.density(lambda x: lopsided(x[:, 0]))
        p = fp.evolve(start, (0.0, 1.0), scheme=SecondOrder(), tolerance=1e-8).final
        moments.append([mean(fp.grid, p, lambda x: x[:, 0]), mean(fp.grid, p, lambda x: x[:, 0] ** 2)])
    for k in range(2):
        np.testing.assert_allclose(orders(np.array(moments)[:, k], exact[k]), 2.0, atol=0.15)


def test_first_passage_is_second_order_in_the_cells():
    """−1 → 0 with reflection at −∞, against the double integral (Gardiner, §5.2.7)."""
    y = np.linspace(-3.5, 0, 350_001)
    weight = np.exp(-((y * y - 1) ** 2) / T)
    inner = cumulative_trapezoid(weight, y, initial=0)
    exact = trapezoid((inner / weight / T)[250_000:], y[250_000:])
    assert y[250_000] == pytest.approx(-1) and exact == pytest.approx(33.945744, rel=1e-8)
    found = []
    for n in (150, 300, 600):
        fp = well(n, ("open", "absorbing"), 0.0)
        found.append(float(CubicSpline(fp.grid.axes[0].centers, fp.first_passage())(-1.0)))
    np.testing.assert_allclose(orders(found, exact), 2.0, atol=0.05)


@pytest.mark.parametrize("stretch", [0.5, -0.5])
def test_stretched_cells_keep_second_order(stretch):
    rates = []
    for n in (150, 300, 600):
        u = np.linspace(-1, 1, n + 1)
        fp = FokkerPlanck(DoubleWell(), T, 1.0, Grid(Axis(3 * (u + stretch * np.sin(np.pi * u) / np.pi))))
        rates.append(fp.spectrum(2).rates[1])
    np.testing.assert_allclose(orders(rates, 0.0297795933), 2.0, atol=0.05)


@pytest.mark.parametrize("scheme", [ImplicitEuler(), SecondOrder()])
@pytest.mark.parametrize("case", ["rest", "driven", "plane"])
def test_order_in_time(scheme, case):
    """L1 against 8 times more steps: 1 for implicit Euler, 2 for the other, driven and split too."""
    if case == "plane":
        fp = FokkerPlanck(Overdamped(Harmonic(dimension=2), 1.0, 1.0, Rotation(1.0)),
                          grid=Grid(*[Axis.uniform(-7, 7, 56)] * 2))
        start = fp.grid.density(lambda x: np.exp(-0.5 * ((x[:, 0] - 1) ** 2 + x[:, 1] ** 2 / 0.5)) / np.pi / np.sqrt(2))
        protocol = None
    else:
        fp = FokkerPlanck(Harmonic(), 1.0, 1.0, Grid(Axis.uniform(-6, 8, 140)))
        start, protocol = fp.steady_state(), Linear(c=(0.0, 1.0), k=(1.0, 3.0)) if case == "driven" else None
        if case == "rest":
            start = fp.grid.density(lambda x: np.exp(-0.5 * (x[:, 0] - 1) ** 2 / 0.3) / np.sqrt(0.6 * np.pi))
    runs = [fp.evolve(start, (0.0, 1.0), protocol, scheme, steps=n).final for n in (16, 32, 64, 1024)]
    errors = [l1(fp.grid, p, runs[-1]) for p in runs[:-1]]
    np.testing.assert_allclose(np.log2(np.array(errors[:-1]) / errors[1:]), scheme.order, atol=0.15)
