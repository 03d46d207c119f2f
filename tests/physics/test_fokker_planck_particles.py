"""The two engines beside each other: every ledger column of the particles within 5 standard errors of the density."""
import numpy as np
import pytest

from thermosim.dynamics import Overdamped
from thermosim.fokker_planck import Axis, FokkerPlanck, Grid, SecondOrder
from thermosim.potentials import DoubleWell
from thermosim.protocols import Linear
from thermosim.runs.particles import simulate

COLUMNS = ("work", "heat", "heat_line", "entropy_env", "energy")


def test_driven_double_well_column_by_column():
    """A well tilted from f = 1 to −1 at T = 0.5, 60,000 particles, h = 1/1000.

    Would see 2 per cent of a row's heat or work wrong; the bias of the Euler step at this h, which a
    halved step would show as half of it, is below one standard error.
    """
    law, protocol, T = DoubleWell(height=1.0, tilt=1.0), Linear(f=(1.0, -1.0)), 0.5
    run = simulate(Overdamped(law, T), particles=60_000, t=(0.0, 1.0), steps=1000, protocol=protocol, every=250,
                   precision="double", seed=11)
    fp = FokkerPlanck(law, T, 1.0, Grid(Axis.uniform(-3, 3, 600)))
    density = fp.evolve(fp.steady_state(f=1.0), np.linspace(0, 1, 5), protocol, SecondOrder(), 1e-5).ledger
    for column in COLUMNS:
        z = (run.ledger[column] - density[column]) / run.ledger.standard_error(column)
        assert np.all(np.abs(z) < 5), (column, z)
    assert np.max(np.abs(run.ledger["shadow_work"] - density["shadow_work"])) < 0.01 * np.max(np.abs(density["work"]))


def test_histogram_is_the_density():
    """χ² of 60,000 particles over the cells, after a jump of the bath from T = 0.25 to 0.5."""
    from scipy.stats import chi2

    from thermosim.protocols import Constant

    law, n = DoubleWell(), 60_000
    fp = FokkerPlanck(law, 0.25, 1.0, Grid(Axis.uniform(-3, 3, 600)))
    start = fp.grid.axes[0].edges[1:][np.searchsorted(np.cumsum(fp.steady_state()) * 0.01,
                                                      (np.arange(n) + 0.5) / n)] - 0.005
    p = fp.evolve(fp.steady_state(), (0.0, 0.2), Constant(temperature=0.5), SecondOrder(), 1e-5).final
    run = simulate(Overdamped(law, 0.5), x0=start[:, None], t=(0.0, 0.2), steps=800, books=False,
                   precision="double", seed=3)
    coarse = (p * 0.01).reshape(-1, 10).sum(axis=1)
    counts = np.histogram(run.x[:, 0], bins=fp.grid.axes[0].edges[::10])[0]
    seen = coarse * n > 20
    statistic = np.sum((counts - n * coarse)[seen] ** 2 / (n * coarse)[seen])
    assert chi2.sf(statistic, seen.sum() - 1) > 1e-9
    assert statistic == pytest.approx(seen.sum(), abs=6 * np.sqrt(2 * seen.sum()))
