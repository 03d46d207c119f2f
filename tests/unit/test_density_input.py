"""Whatever is given to densities, what does not fit is refused in one line that says what would."""
import numpy as np
import pytest

from thermosim.errors import UserError
from thermosim.fokker_planck import (Axis, FokkerPlanck, Grid, Noising, SecondOrder, Wall, conditional, entropy,
                                     kl, l1, marginal,
                                     mean, w2)
from thermosim.potentials import DoubleWell
from thermosim.schedules import VP

LINE = Grid(Axis.uniform(-3, 3, 60))
PLANE = Grid(Axis.uniform(-5, 5, 30), Axis.uniform(-5, 5, 20))
WIDE = Grid(Axis.uniform(-9, 9, 100))
WELL = FokkerPlanck(DoubleWell(), 0.25, 1.0, LINE)
LEAK = FokkerPlanck(DoubleWell(), 0.25, 1.0, Grid(Axis.uniform(-2, 1, 60, ("open", "absorbing"))))
P, FLAT = WELL.steady_state(), np.full(PLANE.shape, 0.01)
NORMAL = WIDE.density(lambda x: np.exp(-x[:, 0]**2 / 2) / np.sqrt(2 * np.pi))


@pytest.mark.parametrize("call,words", [
    # of another shape
    (lambda: WELL.current(np.ones(3)), "shape"), (lambda: WELL.free_energy(np.ones(3)), "shape"),
    (lambda: kl(LINE, P, np.ones(5)), "shape"), (lambda: l1(LINE, P, P[:5]), "shape"),
    (lambda: entropy(LINE, np.ones((2, 60))), "shape"), (lambda: mean(LINE, P, np.ones(7)), "shape"),
    (lambda: marginal(PLANE, FLAT.T, 0), "shape"), (lambda: conditional(PLANE, FLAT.T, 0, 0.0), "shape"),
    (lambda: w2(LINE.axes[0], P, P[:9]), "shape"), (lambda: Noising(VP(), WIDE).score(np.ones(5)), "shape"),
    (lambda: LEAK.first_passage(np.ones(5, bool)), "shape"), (lambda: LINE.histogram(np.zeros((5, 2))), "shape"),
    (lambda: Noising(VP(), LINE).reverse(Noising(VP(), WIDE).forward(NORMAL, [0, 0.5])), "shape"),
    # no density
    (lambda: WELL.evolve(P * np.nan), "not finite"), (lambda: WELL.evolve("peak"), "numbers"),
    (lambda: WELL.entropy_production(-P), "negative"), (lambda: LEAK.evolve(2 * LEAK.grid.delta(0.0)), "mass 2"),
    (lambda: w2(LINE.axes[0], P, -P), "below 0"), (lambda: w2(LINE.axes[0], P, 0 * P), "all of them 0"),
    (lambda: LINE.density(3), "function of points"), (lambda: LINE.density(lambda x: np.ones(3)), "60 points"),
    (lambda: LINE.delta([0.0, 1.0]), "coordinate"), (lambda: LINE.histogram([]), "positions"),
    # the wrong verb for these ends
    (lambda: LEAK.steady_state(), "absorbing"), (lambda: WELL.first_passage(), "nothing to reach"),
    (lambda: WELL.splitting(Wall(0), Wall(0, False)), "not an absorbing end"),
    (lambda: LEAK.splitting(Wall(4)), "not an absorbing"),
    (lambda: LEAK.splitting(None), "target"), (lambda: LEAK.first_passage(np.ones(60, bool)), "nothing is left"),
    (lambda: LEAK.splitting(lambda x: x[:, 0] > 0, lambda x: x[:, 0] > -1), "overlap"),
    # no such number, no such object
    (lambda: WELL.evolve(P, (0, 1), tolerance=np.inf), "positive number"),
    (lambda: WELL.evolve(P, (0, 1), tolerance="x"), "tolerance"),
    (lambda: WELL.evolve(P, (0, 1), steps=2.5), "whole number"),
    (lambda: WELL.evolve(P, (0, 1), steps=True), "whole number"),
    (lambda: WELL.evolve(P, ("a", "b")), "times must be numbers"), (lambda: WELL.evolve(P, 3.0), "times must rise"),
    (lambda: WELL.evolve(P, (0, 1), scheme="euler"), "ImplicitEuler"),
    (lambda: WELL.evolve(P, (0, 1), scheme=SecondOrder), "SecondOrder"),
    (lambda: WELL.evolve(P, (0, 1), protocol=3), "protocol"), (lambda: WELL.evolve(P, (0, 1), device="tpu"), "device"),
    (lambda: WELL.spectrum("all"), "number of modes"), (lambda: WELL.spectrum(100), "number of modes"),
    (lambda: marginal(PLANE, FLAT, 7), "axis"), (lambda: conditional(PLANE, FLAT, 0, 50.0), "outside"),
    (lambda: w2(LINE, P, P), "Axis"), (lambda: Axis.uniform(0, 1, "ten"), "cells"),
    (lambda: Axis.uniform(0, 1, 2), "cells"),
    (lambda: Axis.uniform(0, np.nan, 10), "low < high"), (lambda: Axis("edges"), "numbers"),
    (lambda: Grid("x"), "Axis"), (lambda: Grid(), "Axis"),
    (lambda: FokkerPlanck(DoubleWell(), "hot", 1.0, LINE), "temperature"),
    (lambda: FokkerPlanck(DoubleWell(), 1.0, -1.0, LINE), "mobility"),
    (lambda: FokkerPlanck("x**2", 1.0, 1.0, LINE), "energy law"), (lambda: Noising(3, LINE), "VP"),
    (lambda: Noising(VP(), WIDE, "fast"), "ImplicitEuler"),
    (lambda: Noising(VP(), WIDE).forward(NORMAL, [1.0, 0.0]), "rising"),
    (lambda: Noising(VP(), WIDE).forward(NORMAL, [0.0, 1.0], substeps="x"), "substeps"),
    (lambda: Noising(VP(), WIDE).reverse(Noising(VP(), WIDE).forward(NORMAL, [0, 0.5]), xi="x"), "xi"),
])
def test_refused_in_one_line(call, words):
    with pytest.raises(UserError, match=words) as caught:
        call()
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 250


def test_less_mass_is_welcome_where_it_may_have_left():
    run = LEAK.evolve(0.5 * LEAK.grid.delta(0.0), (0.0, 0.1), steps=2)
    assert 0.3 < np.sum(run.final * LEAK.grid.volumes) < 0.5
