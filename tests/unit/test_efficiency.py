"""Ranges of the efficiencies and what they say at their ends."""

import numpy as np

from thermosim.thermo.efficiency import (
    coefficient_of_variation, eta_cycle, eta_geo, eta_grid, eta_II, eta_path, eta_step)


def test_reversible_is_one_and_nothing_is_nan():
    assert eta_path(2.0, 0.0) == eta_grid(2.0, 0.0) == eta_II(2.0, 0.0) == 1
    assert eta_geo(3.0, 4.5, 2.0) == 1  # W2² = ∫D dt·Σ: the constant-speed geodesic
    assert all(np.isnan(f(0.0, 0.0)) for f in (eta_path, eta_grid, eta_II))


def test_waste_lowers_them():
    assert eta_path(1.0, 3.0) == 0.25
    assert eta_II(1.0, 0.5, T=2.0) == 0.5
    assert eta_cycle(1.0, 2.0, 0.0) == -1  # runs as no engine; not clipped
    assert eta_cycle(1.0, 0.0, 0.0) == 1


def test_eta_step_exists_only_where_order_is_gained():
    eta = eta_step([-1.0, 0.5], [2.0, 2.0])
    assert eta[0] == 0.5 and np.isnan(eta[1])


def test_isothermal_has_no_variation():
    assert coefficient_of_variation([-2.0, -2.0]) == 0
    assert coefficient_of_variation([1.0, 3.0]) == 0.5
