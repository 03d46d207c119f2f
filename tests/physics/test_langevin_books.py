"""The bookkeeping laws by the kernels: identities to rounding, means within errors, against closed forms.

Seeds are fixed; a mean may lie 5 of its standard errors off. With 2·10⁵ particles the dragged trap would
show 1 % in ⟨W⟩, the splittings 5 % in ⟨W_sh⟩ (BAOAB, 10 steps).
"""
import numpy as np
import pytest

from thermosim.dynamics import Overdamped, Underdamped
from thermosim.integrators import (BAOAB, MALA, OBABO, EulerMaruyama, ExactOU, LeimkuhlerMatthews, Splitting,
                                   StochasticHeun)
from thermosim.potentials import DoubleWell, Harmonic, Potential, Rotation, Tilt
from thermosim.protocols import Jump, Linear, Piecewise
from thermosim.runs.particles import simulate
from thermosim.thermo.fluctuation import detailed, exponential_average, total_entropy, uncertainty_ratio

N = 200_000
TRAP = Harmonic(1.0, 0.0)
DRAG = Linear(c=(0.0, 2.0))
TILTED = Potential("k*(x - c)**2/2 + a*cos(3*x)", ["x"], {"k": 1.0, "c": 0.0, "a": 0.5})


def run(dynamics, n=N, **how):
    return simulate(dynamics, particles=n, **{"seed": 5, "precision": "double", **how})


def close(values, expected, sigmas=5.0, sharp=np.inf):
    """Within `sigmas` standard errors; `sharp` bounds the error, for a wrong book can also be a wide one."""
    error = values.std()/np.sqrt(len(values))
    assert error < sharp*abs(expected), (error, expected)
    assert abs(values.mean() - expected) < sigmas*error, (values.mean(), expected, error)


def variance_close(values, expected, sigmas=5.0):
    close((values - values.mean())**2, expected, sigmas)


@pytest.mark.parametrize("scheme, steps, mean, variance", [
    (EulerMaruyama(), 4, 1.031250, 2.457031), (EulerMaruyama(), 40, 1.122087, 2.282242),
    (ExactOU(), 4, 1.194620, 2.389241)])
def test_dragged_trap(scheme, steps, mean, variance):
    r = run(Overdamped(TRAP), t=(0, 2), steps=steps, protocol=DRAG, scheme=scheme)
    close(r.work, mean)
    variance_close(r.work, variance)
    close(np.exp(-(r.work + r.shadow_work)), 1.0)


def test_the_jarzynski_average_of_the_bare_work_is_off_by_the_shadow_work():
    """A Gaussian work has ⟨e^{−W}⟩ = exp(−⟨W⟩ + ½Var W): 1.218068 at 4 steps, nine errors from 1."""
    r = run(Overdamped(TRAP), t=(0, 2), steps=4, protocol=DRAG)
    assert np.exp(-1.031250 + 2.457031/2) == pytest.approx(1.218068, abs=2e-6)
    close(np.exp(-r.work), 1.218068)


@pytest.mark.parametrize("protocol, steps, mean, variance", [
    (Linear(k=(1.0, 4.0)), 2000, 0.9360417073, 0.8422372512), (Jump(at=0.0, k=(1.0, 4.0)), 3, 1.5, 4.5),
    (Jump(at=1.0, k=(1.0, 4.0)), 3, 1.5, 4.5)])
def test_breathing_trap(protocol, steps, mean, variance):
    r = run(Overdamped(TRAP), t=(0, 1), steps=steps, protocol=protocol, scheme=ExactOU())
    close(r.work, mean)
    variance_close(r.work, variance)
    close(np.exp(-r.work), 0.5)          # ΔF = ½ ln 4


def test_optimal_breathing_with_jumps_at_both_ends():
    ts = np.linspace(0, 1, 401)
    # √⟨x²⟩ is linear in time between the stiffness right after the first and right before the last jump
    a, b = 1.3923748, 3.3542487
    slope = 1 - a                                     # d√w/dt of k = 1/w − ẇ/2w at w = 1
    width = (1 + slope*ts)**2
    k = 1/width - slope*(1 + slope*ts)/width
    assert k[-1] == pytest.approx(b, abs=2e-6)
    r = run(Overdamped(TRAP), t=(0, 1), steps=1600, protocol=Piecewise([0, *ts, 1], k=[1, *k, 4]), scheme=ExactOU())
    close(r.work, 0.8905718)


@pytest.mark.parametrize("steps", [4, 10, 40])
@pytest.mark.parametrize("scheme", [EulerMaruyama(), EulerMaruyama(tamed=True), ExactOU(), MALA()], ids=repr)
def test_jarzynski_is_exact_at_any_step(scheme, steps):
    """⟨e^{−(W+W_sh)}⟩ = e^{−ΔF}: a rough landscape, dragged; for ExactOU the trap itself."""
    potential = TRAP if isinstance(scheme, ExactOU) else TILTED
    p = Linear(c=(0.0, 1.0)) if isinstance(scheme, ExactOU) else Linear(c=(0.0, 1.0), a=(0.5, 1.0))
    r = run(Overdamped(potential), t=(0, 1), steps=steps, protocol=p, scheme=scheme)
    x = np.linspace(-12, 12, 200_001)
    z = [np.exp(-potential.energy(x, **{k: v[i] for k, v in r.grid.parameters.items()})).sum() for i in (0, -1)]
    close(np.exp(-(r.work + r.shadow_work)), z[1]/z[0], sharp=0.02)


@pytest.mark.parametrize("letters", ["B A O A B", "O V R V O", "R V O V R", "O R V"])
@pytest.mark.parametrize("steps", [4, 10])
def test_jarzynski_is_exact_for_any_order_of_substeps(letters, steps):
    dynamics = Underdamped(TILTED, mass=0.7, friction=1.3)
    r = run(dynamics, t=(0, 2), steps=steps, protocol=Linear(c=(0.0, 1.0), a=(0.5, 1.0)), scheme=Splitting(letters))
    x = np.linspace(-12, 12, 200_001)
    z = [np.exp(-TILTED.energy(x, **{k: v[i] for k, v in r.grid.parameters.items()})).sum() for i in (0, -1)]
    close(np.exp(-(r.work + r.shadow_work)), z[1]/z[0])


@pytest.mark.parametrize("scheme, steps, shadow", [
    (BAOAB(), 1, 0.0015496668), (BAOAB(), 10, 0.0020819821), (OBABO(), 1, 0.00048828125)])
def test_shadow_work_of_splittings(scheme, steps, shadow):
    r = run(Underdamped(TRAP), n=1_000_000, t=(0, 0.5*steps), steps=steps, scheme=scheme)
    close(r.shadow_work, shadow)
    assert np.abs(r.work).max() == 0


@pytest.mark.parametrize("scheme, x2, v2", [(BAOAB(), 1.0, 0.9375), (OBABO(), 1.0666667, 1.0)])
def test_stationary_moments_of_splittings(scheme, x2, v2):
    r = run(Underdamped(TRAP), t=(0, 15), steps=30, scheme=scheme, every=30)
    close(r.x[:, 0]**2, x2)
    close(r.v[:, 0]**2, v2)
    kinetic = r.ledger["kinetic_temperature"][-1]        # mid-step: right for both
    assert abs(kinetic - 1) < 5*r.ledger.standard_error("kinetic_temperature")[-1]


CASES = [(Overdamped(DoubleWell()), EulerMaruyama(), "double"), (Overdamped(DoubleWell()), EulerMaruyama(), "mixed"),
         (Overdamped(DoubleWell()), EulerMaruyama(tamed=True), "double"), (Overdamped(DoubleWell()), MALA(), "double"),
         (Overdamped(TRAP), ExactOU(), "double"), (Underdamped(DoubleWell(), mass=2.0), Splitting("O R V"), "mixed"),
         (Overdamped(Harmonic(1.0, dimension=2), force=Rotation(2.0)), EulerMaruyama(), "double"),
         (Underdamped(Harmonic(1.0, dimension=3), force=Tilt(0.5, 3)), BAOAB(), "mixed")]


@pytest.mark.parametrize("dynamics, scheme, precision", CASES, ids=lambda c: repr(c)[:40])
def test_first_law_per_particle_from_energies_computed_elsewhere(dynamics, scheme, precision):
    """NumPy energies at both ends against the booked sums: ≤ 1e-12 of their size."""
    name = "h" if isinstance(dynamics.potential, DoubleWell) else "k"
    d, rng = dynamics.dimension, np.random.default_rng(3)
    x0, v0 = rng.normal(size=(3000, d)), rng.normal(size=(3000, d))
    r = simulate(dynamics, x0=x0, v0=v0, t=(0, 0.8), steps=40, scheme=scheme, protocol=Linear(**{name: (1.0, 2.0)}),
                 seed=2, precision=precision)
    start = x0 if r.v is None else np.concatenate([x0, v0], axis=1)
    change = r.energy - dynamics.energy(start, **{name: 1.0})
    booked = r.work + r.shadow_work + r.heat
    size = np.abs(r.work) + np.abs(r.shadow_work) + np.abs(r.heat) + np.abs(r.energy) + 1
    assert np.max(np.abs(change - booked)/size) < 1e-12
    assert np.max(r.ledger["closure"]) < 1e-13
    assert np.allclose(r.heat, -r.entropy_env, rtol=1e-12, atol=1e-12)         # T = 1


@pytest.mark.parametrize("steps", [50, 400])
def test_heat_agrees_with_the_independent_line_integral(steps):
    """⟨heat⟩ − ⟨heat_line⟩ = −μh⟨F'² − F²⟩/4 summed: it vanishes in proportion to the step."""
    r = run(Overdamped(DoubleWell()), n=50_000, t=(0, 1), steps=steps, protocol=Linear(h=(1.0, 2.0)))
    gap = np.abs((r.heat - r.heat_line).mean())
    assert gap < 6/steps and r.heat.mean() < -0.1


def test_books_without_a_density_are_absent_with_a_reason():
    for scheme in (StochasticHeun(), LeimkuhlerMatthews()):
        r = run(Overdamped(TRAP), n=100, t=(0, 1), steps=10, protocol=DRAG, scheme=scheme)
        assert np.all(np.isnan(r.heat)) and np.all(np.isnan(r.ledger["entropy_env"]))
        assert "density" in r.ledger.reasons["heat"]
        assert np.all(np.isfinite(r.work)) and np.all(np.isfinite(r.heat_line))


def test_rotational_drift_produces_entropy_steadily():
    """2ω²/k = 8 per unit time, from the steady state, which the rotation leaves as it is; h → 0 by h = 0.01.

    The chain's own rate at step h differs by O(h); the bound below would notice 4 %.
    """
    dynamics = Overdamped(Harmonic(1.0, dimension=2), force=Rotation(2.0))
    r = run(dynamics, n=20_000, t=(0, 2), steps=400)
    rate = r.entropy_env.mean()/2
    assert rate == pytest.approx(8.0, rel=0.04)
    assert r.work.mean()/2 == pytest.approx(8.0, rel=0.04)


@pytest.mark.parametrize("driven", [False, True])
def test_changing_bath_temperature(driven):
    """dS_env = −dQ/T(t): with T ramped, entropy_env is −Σ Q_n/T_n row by row."""
    p = Linear(temperature=(1.0, 3.0)) & (Linear(k=(1.0, 2.0)) if driven else Linear(c=(0.0, 0.0)))
    r = run(Overdamped(TRAP), n=2000, t=(0, 1), steps=20, protocol=p, every=1)
    assert np.allclose(r.ledger["entropy_env"], -r.ledger["heat"]/r.grid.temperature, rtol=1e-10, atol=1e-12)
    assert np.allclose(r.grid.temperature, 1 + 2*r.grid.times[1:])


@pytest.mark.parametrize("dynamics, scheme",
                         [(Overdamped(TRAP), EulerMaruyama()), (Underdamped(TRAP), BAOAB())], ids=repr)
def test_crooks_with_the_substeps_reversed_at_four_steps(dynamics, scheme):
    """Moved and squeezed at once. Overdamped, with the control first in both directions, the slope is 1.06 ± 0.003."""
    how = dict(t=(0, 0.8), steps=4, protocol=Linear(k=(1.0, 6.0), c=(0.0, 2.0)), scheme=scheme)
    forth, back = run(dynamics, **how), run(dynamics, **{**how, "seed": 6, "reverse": True})
    line = detailed(forth.work + forth.shadow_work, back.work + back.shadow_work)
    assert abs(line.slope.value - 1) < 5*line.slope.error < 0.03
    assert abs(line.crossing.value - 0.5*np.log(6)) < 5*line.crossing.error < 0.1
    assert back.grid.h[-1] == 0 and back.grid.steps == 5


@pytest.mark.parametrize("end", ["own law", "another law"])
def test_integral_theorem_for_the_total_entropy(end):
    """⟨e^{−Σ}⟩ = 1 for any normalised p̃: the chain's own Gaussian, or one that has nothing to do with it."""
    x0 = np.random.default_rng(4).normal(0.5, 0.7, size=(N, 1))
    r = simulate(Overdamped(TRAP), x0=x0, t=(0, 1), steps=5, protocol=Linear(k=(1.0, 3.0)), seed=5, precision="double")
    normal = lambda x, m, s: -0.5*((x - m)/s)**2 - np.log(s*np.sqrt(2*np.pi))
    m, s = (r.x.mean(), r.x.std()) if end == "own law" else (0.2, 0.9)
    sigma = total_entropy(normal(x0[:, 0], 0.5, 0.7), normal(r.x[:, 0], m, s), r.entropy_env)
    found = exponential_average(sigma)
    assert abs(found.value - 1) < 5*found.error < 0.1


def test_uncertainty_relation_of_the_stirred_trap():
    """J = ∮ of the swept angle; (Var J/⟨J⟩²)⟨Σ⟩/2 ≥ 1 and near it for small times."""
    dynamics = Overdamped(Harmonic(1.0, dimension=2), force=Rotation(2.0))
    r = run(dynamics, n=50_000, t=(0, 1), steps=200)
    found = uncertainty_ratio(r.work, r.entropy_env, resamples=50)
    assert found.value > 1 - 5*found.error
