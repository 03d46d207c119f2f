"""An outside referee: physical_validation (Merz, Shirts, PLOS ONE 13, e0202764 (2018)) judges underdamped runs.

It compares the kinetic energies with their canonical law, and the potential energies at two temperatures with
each other: ln p₁(U)/p₂(U) must fall as (β₂ − β₁)U whatever the density of states. Deviations are in standard
errors of its bootstrap. With 200,000 replicas of three degrees of freedom 2 % of temperature is 11 of them.
"""
import warnings

import numpy as np
import pytest

from thermosim.dynamics import Underdamped
from thermosim.integrators import BAOAB, OBABO, Splitting
from thermosim.potentials import Potential
from thermosim.runs.particles import simulate

WELL = Potential("(x**2 + y**2 + z**2)/2 + (x**4 + y**4 + z**4)/4 + x*y/2", ["x", "y", "z"])
REPLICAS, ACCEPTED, REJECTED = 200_000, 4, 6


@pytest.fixture(scope="module")
def referee():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("physical_validation", reason='needs the extra: pip install "thermosim[referee]"')


def settle(scheme, temperature, start=None, t=6.0, steps=60):
    x, v = (start.x, start.v) if start is not None else (0.0, "equilibrium")
    return simulate(Underdamped(WELL, temperature=temperature, friction=1.5), particles=REPLICAS, x0=x, v0=v,
                    t=(0, t), steps=steps, scheme=scheme, seed=17, books=False)


def report(referee, run, temperature):
    """What the referee takes for a simulation of one particle: a sample a replica."""
    pv = referee.data
    kinetic = 0.5*(run.v**2).sum(axis=1)
    return pv.SimulationData(
        units=pv.UnitData(kb=1, energy_conversion=1, length_conversion=1, volume_conversion=1,
                          temperature_conversion=1, pressure_conversion=1, time_conversion=1),
        dt=1, system=pv.SystemData(natoms=1, nconstraints=0, ndof_reduction_tra=0, ndof_reduction_rot=0, mass=[1.0]),
        ensemble=pv.EnsembleData("NVT", natoms=1, volume=1, temperature=temperature),
        observables=pv.ObservableData(kinetic_energy=kinetic, potential_energy=run.energy - kinetic,
                                      total_energy=run.energy))


def kinetic(referee, run, temperature):
    """Deviations of mean and width of the kinetic energy."""
    return np.abs(referee.kinetic_energy.distribution(
        report(referee, run, temperature), verbosity=0, bs_repetitions=100, bootstrap_seed=1,
        data_is_uncorrelated=True))


def two_temperatures(referee, cold, hot, T_cold, T_hot):
    """Deviation of the slope of ln p₁/p₂ from β₂ − β₁."""
    return np.abs(referee.ensemble.check(
        report(referee, cold, T_cold), report(referee, hot, T_hot), verbosity=0, bootstrap_seed=1,
        data_is_uncorrelated=True))


@pytest.fixture(scope="module")
def settled():
    return {T: settle(OBABO(), T) for T in (1.0, 1.02, 1.3)}


def test_kinetic_energies_are_canonical(referee, settled):
    assert np.all(kinetic(referee, settled[1.0], 1.0) < ACCEPTED)
    assert np.all(kinetic(referee, settled[1.3], 1.3) < ACCEPTED)


def test_two_percent_of_temperature_is_seen(referee, settled):
    assert kinetic(referee, settled[1.02], 1.0)[0] > REJECTED


def test_potential_energies_at_two_temperatures_belong_together(referee, settled):
    assert np.all(two_temperatures(referee, settled[1.0], settled[1.3], 1.0, 1.3) < ACCEPTED)
    # +2 % at one end shrinks β₁ − β₂ by 8 %
    assert np.max(two_temperatures(referee, settled[1.02], settled[1.3], 1.0, 1.3)) > REJECTED


def test_baoab_is_canonical_in_configurations_and_cold_in_full_step_velocities(referee):
    runs = {T: settle(BAOAB(), T, t=9.0, steps=18) for T in (1.0, 1.3)}        # h = 0.5, very coarse
    assert np.all(two_temperatures(referee, runs[1.0], runs[1.3], 1.0, 1.3) < 3*ACCEPTED)
    assert kinetic(referee, runs[1.0], 1.0)[0] > REJECTED


def test_a_thermostat_that_rescales_is_rejected(referee, settled):
    """Berendsen's: the mean kinetic energy is right, its fluctuations are not."""
    run = settled[1.0]
    for _ in range(40):
        run = settle(Splitting("V R V"), 1.0, start=run, t=0.2, steps=2)
        now = (run.v**2).sum(axis=1, keepdims=True)/3
        run.v = run.v*np.sqrt(1 + 0.2*(1/now - 1))
    run.v = run.v/np.sqrt((run.v**2).mean())
    mean, width = kinetic(referee, run, 1.0)
    assert mean < ACCEPTED and width > REJECTED
