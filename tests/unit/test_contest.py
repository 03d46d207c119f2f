"""The contest of grids: its references, its judges, and how it counts."""

import numpy as np
import pytest

from thermosim.samplers import DPMpp2M, Euler, Heun
from thermosim.score.exact import GaussianMixture
from thermosim.thermo.grids import contest
from thermosim.thermo.grids.contest import GRIDS


def test_ends_are_those_of_the_closed_flow():
    """Gaussian data of two widths: each component shrinks by its own √((s² + σ²)/(s² + σ_max²))."""
    wide = np.array([1.0, 0.09])
    start, end = contest.ends(GaussianMixture([1.0], [[0.0, 0.0]], [wide]), 50, 3)
    assert np.allclose(end, start * np.sqrt((wide + contest.COLD**2) / (wide + contest.HOT**2)), rtol=1e-6)
    assert not np.array_equal(start, contest.ends(GaussianMixture([1.0], [[0.0, 0.0]], [wide]), 50, 4)[0])


def test_ends_in_one_dimension_are_quantiles():
    law = contest.known()["two modes, 1-D"]
    start, end = contest.ends(law, 400, 0)
    assert np.var(start) == pytest.approx(law.second_moment() - (law.weights @ law.means).item() ** 2 + 2500.0,
                                          rel=0.02)
    x = contest.carried(Heun(), law, np.geomspace(contest.HOT, contest.COLD, 401), start)
    assert contest.errors_of(x, end)[0] < 1e-3


def test_judges():
    miss = np.array([[3.0, 4.0], [0.0, 0.0]])
    assert contest.errors_of(miss, np.zeros((2, 2))) == pytest.approx([2.5, np.sqrt(12.5)])
    # W2 knows no names of particles
    assert contest.errors_of(np.array([[1.0], [0.0]]), np.array([[0.0], [1.0]])) == [0.0]


def test_affordable_particles():
    small, large = contest.known()["two modes, 1-D"], contest.known()["mixture, 16-D"]
    assert (contest.affordable(small, 4096) == 4096 and contest.affordable(large, 4096) == 800
            and contest.affordable(large, 512) == 256)


def test_fresh_laws_are_those_of_their_seed():
    one, same, other = (contest.fresh(seed)["fresh, 16-D"].means for seed in (1, 1, 2))
    assert np.array_equal(one, same) and not np.array_equal(one, other)


def made_up():
    """Errors (2 seeds, 3 samplers, 2 steps, GRIDS): Karras 2, cosine 1, others 5; recommended 0.9 and 1.1."""
    errors = np.full((2, 3, 2, len(GRIDS)), 5.0)
    errors[..., 0], errors[..., 1] = 2.0, 1.0
    errors[0, ..., -1], errors[1, ..., -1] = 0.9, 1.1
    return errors


def test_rows_are_ratios_with_their_spread():
    rows = contest.transport_rows("x, 1-D", False, "W2", made_up(), np.full((2, 3, 2), "polished"),
                                  np.array([np.full((3, 2), 700.0), np.full((3, 2), 900.0)]),
                                  (Euler(), Heun(), DPMpp2M()), (5, 10))
    assert len(rows) == 6 and rows[1]["steps"] == 10 and rows[2]["sampler"] == "heun"
    for row in rows:
        assert row["by_hand"] == "cosine" and row["evaluations"] == 900 and row["chosen"] == "polished"
        assert (row["over_karras"], row["over_karras_error"]) == (pytest.approx(0.5), pytest.approx(0.05))
        assert (row["over_hand"], row["over_hand_error"]) == (pytest.approx(1.0), pytest.approx(0.1))


def test_verdicts_take_the_largest_or_the_mean():
    rows = contest.transport_rows("x, 1-D", True, "W2", made_up(), np.full((2, 3, 2), "polished"),
                                  np.full((2, 3, 2), 700.0),
                                  (Euler(), Heun(), DPMpp2M()), (5, 10))
    # heun 10, dpmpp_2m 10, euler 5
    rows[3]["over_karras"], rows[5]["over_karras"], rows[0]["over_hand"] = 0.8, 2.0, 1.2
    found = {(v["claim"].split(",")[0], v["judge"]): v for v in contest.verdicts(rows)}
    assert all(v["set"] == "fresh" for v in found.values()) and not any("16" in claim for claim, _ in found)
    euler, heun, mean = (found[claim, "W2 and mean"] for claim in (
        "euler over the best by hand", "heun from 10 steps over Karras in 1 and 2 dimensions", "dpmpp_2m over Karras"))
    assert euler["found"] == 1.2 and not euler["holds"]
    assert heun["found"] == 0.8 and not heun["holds"]
    assert mean["found"] == pytest.approx(1.0) and not mean["holds"]


def test_comparison_is_a_geometric_mean():
    rows = contest.comparison([made_up(), made_up()], (Euler(), Heun(), DPMpp2M()))
    cosine, mine = rows[1], rows[len(GRIDS) - 1]
    assert (cosine["grid"] == "cosine" and cosine["ratio"] == pytest.approx(0.5)
            and cosine["ratio_error"] == pytest.approx(0))
    assert mine["grid"] == "recommended" and mine["ratio"] == pytest.approx(np.sqrt(0.45 * 0.55))


def test_a_contest_end_to_end():
    law = GaussianMixture([1.0], [[0.0]], [0.25])
    errors, chosen, evaluations = contest.contest(law, (Euler(),), (4,), 0, 64, 200)
    assert errors.shape == (1, 1, 1, len(GRIDS)) and evaluations[0, 0, 0] <= 2400
    assert errors[0, 0, 0, -1] <= errors[0, 0, 0, :5].min() * 1.05
