"""Orders of the density in phase space: 2 in the step, 2 in the
cells of v where a bath acts, 5 in cells where none does."""
import numpy as np
import pytest

from thermosim.fokker_planck import Axis, Grid, KleinKramers, l1, mean
from thermosim.integrators import BAOAB, OBABO, Splitting
from thermosim.potentials import DoubleWell, Harmonic
from thermosim.protocols import Linear


def gaussian(grid, x=0.0, xx=1.0, vv=1.0):
    return grid.density(lambda z: np.exp(-0.5*((z[:, 0] - x)**2/xx + z[:, 1]**2/vv))/(2*np.pi*np.sqrt(xx*vv)))


@pytest.mark.parametrize("scheme, order", [(BAOAB(), 2), (OBABO(), 2), (Splitting("R V O"), 1)])
@pytest.mark.parametrize("driven", [False, True])
def test_order_in_the_step(scheme, order, driven):
    """L1 against eight times more steps of the shortest, a double well at
    rest or rising while its bath warms; cells far finer than steps."""
    fluid = KleinKramers(DoubleWell(), 0.5, 0.7, grid=Grid(Axis.uniform(-3.2, 3.2, 120), Axis.uniform(-7.2, 7.2, 120)))
    protocol = Linear(h=(1.0, 1.5), temperature=(0.5, 0.8)) if driven else None
    start = gaussian(fluid.grid, -0.6, 0.05, 0.4)
    runs = [fluid.evolve(start, (0.0, 0.8), protocol, scheme, steps=n).final for n in (8, 16, 32, 256)]
    errors = [l1(fluid.grid, p, runs[-1]) for p in runs[:-1]]
    np.testing.assert_allclose(np.log2(np.array(errors[:-1])/errors[1:]), order, atol=0.15)


def test_order_in_the_cells_of_v():
    """⟨x²⟩ and ⟨v²⟩ on their way to equilibrium, and what the bath gave."""
    def seen(cells):
        fluid = KleinKramers(Harmonic(1.5), 1.0, 1.5, grid=Grid(Axis.uniform(-7, 7, 80), Axis.uniform(-8, 8, cells)))
        run = fluid.evolve(gaussian(fluid.grid, 0.0, 0.9, 0.5), (0.0, 1.0), steps=20)
        return np.array([mean(fluid.grid, run.final, lambda z: z[:, 0]**2),
                         mean(fluid.grid, run.final, lambda z: z[:, 1]**2), run.ledger["heat"][0]])

    coarse, middle, fine = (seen(n) for n in (40, 80, 160))
    np.testing.assert_allclose(np.log2((coarse - middle)/(middle - fine)), 2, atol=0.1)


def test_order_in_the_cells_without_a_bath():
    """A turn and a quarter in a trap; the splitting is exact in its own trap, so that what is seen is the cells."""
    def final(n):
        fluid = KleinKramers(Harmonic(), friction=0.0, grid=Grid(Axis.uniform(-8, 8, n), Axis.uniform(-8, 8, n)))
        return fluid.grid, fluid.evolve(gaussian(fluid.grid, 1.0, 0.8, 0.5), (0.0, 2.5*np.pi), steps=60).final

    h = 2.5*np.pi/60
    kick, fly = np.array([[1, 0], [-h/2, 1]]), np.array([[1, h], [0, 1]])
    flow = np.linalg.matrix_power(kick @ fly @ kick, 60)
    S, m = np.linalg.inv(flow @ np.diag([0.8, 0.5]) @ flow.T), flow @ [1, 0]
    errors = []
    for n in (48, 96, 192):
        grid, p = final(n)
        errors.append(l1(grid, p,
                         grid.density(lambda z: np.exp(-0.5*np.einsum("ni,ij,nj->n", z - m, S, z - m))*np.sqrt(np.linalg.det(S))/(2*np.pi))))
    assert np.all(np.log2(np.array(errors[:-1])/errors[1:]) > 4.5), errors
