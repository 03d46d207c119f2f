"""Energy laws: forces against differences, known extrema, honest complaints."""
import pickle

import numpy as np
import pytest
import sympy as sp

from thermosim import potentials as tp
from thermosim.errors import UserError

ALL = [tp.Harmonic(2, 0.3), tp.Harmonic(dimension=3), tp.DoubleWell(1.5), tp.DoubleWell(1, 0.2), tp.Quartic(1, -2),
       tp.Periodic(1, 2, 0.1), tp.MullerBrown(0.01), tp.Rosenbrock(1, 10)]


def points(potential, n=9):
    return 0.6*np.random.default_rng(1).normal(size=(n, potential.dimension))


@pytest.mark.parametrize("potential", ALL, ids=lambda p: type(p).__name__)
def test_force_laplacian_and_hessian_are_derivatives_of_the_energy(potential):
    x, e = points(potential), 1e-4
    shifts = e*np.eye(potential.dimension)
    force = np.stack([(potential.energy(x - s) - potential.energy(x + s))/(2*e) for s in shifts], axis=1)
    second = sum((potential.energy(x - s) - 2*potential.energy(x) + potential.energy(x + s))/e**2 for s in shifts)
    scale = 1 + np.abs(potential.force(x)).max()
    assert np.allclose(potential.force(x), force, atol=1e-5*scale)
    assert np.allclose(potential.laplacian(x), second, atol=1e-4*scale)
    assert np.allclose(np.trace(potential.hessian(x), axis1=1, axis2=2), potential.laplacian(x))


@pytest.mark.parametrize("potential", ALL, ids=lambda p: type(p).__name__)
def test_parameter_derivatives(potential):
    x, e = points(potential), 1e-5
    for name, value in potential.parameters.items():
        slope = (potential.energy(x, **{name: value + e}) - potential.energy(x, **{name: value - e}))/(2*e)
        assert np.allclose(potential.parameter_derivative(name, x), slope, rtol=1e-5, atol=1e-6)


def test_muller_brown_extrema():
    at = [[-0.558224, 1.441726], [0.623499, 0.028038], [-0.050011, 0.466694], [-0.822002, 0.624313],
          [0.212487, 0.292988]]
    energy = [-146.69951721, -108.16672412, -80.76781813, -40.66484351, -72.24894011]
    assert np.allclose(tp.MullerBrown().energy(at), energy, atol=1e-8)
    assert np.abs(tp.MullerBrown().force(at)).max() < 0.01


def test_any_expression_and_any_symbols():
    x, k, c = sp.symbols("x k c")
    trap = tp.Potential(k*(x - c)**2/2, coordinates=[x], parameters={"k": 1.0, "c": 0.0})
    assert trap.force([[2.0]], c=0.5) == pytest.approx(-1.5)
    assert trap.is_quadratic and not tp.DoubleWell().is_quadratic
    assert pickle.loads(pickle.dumps(trap)).energy([[2.0]]) == 2.0


def test_forces_without_energy():
    r = np.array([[0.3, -1.2]])
    assert np.allclose(tp.Rotation(2.0).force(r), [[-2.4, -0.6]])
    assert np.allclose(tp.Tilt(0.7, 2).force(r), [[0.7, 0.0]])


@pytest.mark.parametrize("make, words", [
    (lambda: tp.Potential(sp.Symbol("x")*sp.Symbol("q"), ["x"]), "q"),
    (lambda: tp.Potential("x*q", ["x"]).energy([[1.0]]), "q"),
    (lambda: tp.Potential("x", ["x"], {"x": 1}), "different names"),
    (lambda: tp.Potential("x", ["x", "t"]), "'t'"),
    (lambda: tp.DoubleWell().energy([[1.0, 2.0]]), "shape"),
    (lambda: tp.DoubleWell().energy([[1.0]], b=2), "unknown parameter b")])
def test_complaints_name_the_cause(make, words):
    with pytest.raises(UserError, match=words):
        make()
