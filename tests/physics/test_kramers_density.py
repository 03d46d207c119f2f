"""The density of positions and velocities: against moments, matrices in Hermite functions, particles and shifts."""
import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.sparse import csc_matrix, diags, identity, kron
from scipy.sparse.linalg import eigs

from thermosim.dynamics import Underdamped
from thermosim.errors import UserError
from thermosim.fokker_planck import Axis, Grid, KleinKramers, entropy, kl, l1, mean
from thermosim.integrators import BAOAB, OBABO, Splitting
from thermosim.potentials import DoubleWell, Harmonic, Periodic, Tilt
from thermosim.protocols import Constant, Jump, Linear
from thermosim.runs.particles import simulate

STANDARD = Grid(Axis.uniform(-8, 8, 64), Axis.uniform(-8, 8, 64))
WIDE = Grid(Axis.uniform(-10, 10, 96), Axis.uniform(-10, 10, 96))


def gaussian(grid, x=0.0, v=0.0, xx=1.0, vv=1.0, xv=0.0):
    """The density of these means and covariances."""
    inverse, norm = np.linalg.inv([[xx, xv], [xv, vv]]), 2*np.pi*np.sqrt(xx*vv - xv*xv)
    return grid.density(lambda z: np.exp(-0.5*np.einsum("ni,ij,nj->n", z - (x, v), inverse, z - (x, v)))/norm)


def moments(grid, p):
    """⟨x⟩, ⟨v⟩, ⟨x²⟩, ⟨xv⟩, ⟨v²⟩."""
    return np.array([mean(grid, p, lambda z, f=f: f(*z.T)) for f in (
        lambda x, v: x, lambda x, v: v, lambda x, v: x*x, lambda x, v: x*v, lambda x, v: v*v)])


def extrapolated(value, cells, steps):
    """A second-order value(cells of v, steps) at none of either: Richardson, both doubled at once."""
    coarse, fine = value(cells, steps), value(2*cells, 2*steps)
    return (4*fine - coarse)/3


# ---- a trap that moves and breathes, its bath warming: closed moments ---------------------------

GAMMA, MASS = 0.8, 0.7
DRIVEN = Linear(k=(1.0, 2.5), c=(0.0, 1.5), temperature=(1.0, 1.6))


def closed(t_end):
    """⟨x⟩, ⟨v⟩, ⟨x²⟩, ⟨xv⟩, ⟨v²⟩ and (W, Q) from equilibrium, by the linear equations of the moments."""
    def rate(t, z):
        x, v, xx, xv, vv = z[:5]
        s = t/t_end
        k, c, T = 1 + 1.5*s, 1.5*s, 1 + 0.6*s
        pull = k/MASS
        work = 0.5*(1.5/t_end)*(xx - 2*c*x + c*c) + k*(1.5/t_end)*(c - x)
        return [v, -GAMMA*v - pull*(x - c), 2*xv, vv - GAMMA*xv - pull*(xx - c*x),
                2*GAMMA*(T/MASS - vv) - 2*pull*(xv - c*v),
                work, GAMMA*(T - MASS*vv)]
    return solve_ivp(rate, (0, t_end), [0, 0, 1, 0, 1/MASS, 0, 0], rtol=1e-11, atol=1e-12).y[:, -1]


def test_a_moving_breathing_trap_in_a_warming_bath():
    def run(cells, steps):
        grid = Grid(Axis.uniform(-8.5, 10, 100), Axis.uniform(-12, 12, cells))
        fluid = KleinKramers(Harmonic(), 1.0, GAMMA, MASS, grid)
        found = fluid.evolve(fluid.steady_state(), (0.0, 2.0), DRIVEN, steps=steps)
        books = found.ledger
        assert books["energy"][0] - mean(grid, fluid.steady_state(), fluid.energy()) == pytest.approx(
            books["work"][0] + books["shadow_work"][0] + books["heat"][0], abs=1e-12)
        return np.append(moments(grid, found.final), [books["work"][0] + books["shadow_work"][0], books["heat"][0]])

    exact = closed(2.0)
    np.testing.assert_allclose(extrapolated(run, 48, 32), exact, atol=1e-4)
    np.testing.assert_allclose(run(48, 64)[:2], exact[:2], atol=2e-3)        # means: of the step alone


@pytest.mark.parametrize("friction", [0.0, 0.3, 4.0])
def test_a_trap_at_rest_passes_through_gaussians(friction):
    """All of p: the covariance of the linear flow, by the exponential of its matrix."""
    from scipy.linalg import expm

    fluid = KleinKramers(Harmonic(1.5), 0.8, friction,
                         grid=Grid(Axis.uniform(-7.5, 7.5, 100), Axis.uniform(-9, 9, 100)))
    start = gaussian(fluid.grid, 0.5, -0.4, 0.7, 1.1, 0.2)
    A, t = np.array([[0, 1], [-1.5, -friction]]), 1.3
    flow, rest = expm(A*t), np.diag([0.8/1.5, 0.8])
    S = flow@(np.array([[0.7, 0.2], [0.2, 1.1]]) - rest)@flow.T + rest
    want = gaussian(fluid.grid, *(flow@[0.5, -0.4]), S[0, 0], S[1, 1], S[0, 1])
    assert l1(fluid.grid, fluid.evolve(start, (0.0, t), tolerance=1e-4).final, want) < (6e-3 if friction else 1e-4)


# ---- the steps of the particles, number by number -----------------------------------------------

def test_steady_moments_of_the_splittings_at_a_long_step():
    """k = m = T = γ = 1, h = 0.5 (Leimkuhler, Matthews): BAOAB 1 and 0.9375, OBABO 16/15 and 1."""
    fluid = KleinKramers(Harmonic(), grid=STANDARD)
    for scheme, xx, vv in ((BAOAB(), 1.0, 0.9375), (OBABO(), 16/15, 1.0)):
        p = fluid.evolve(fluid.steady_state(), (0.0, 30.0), scheme=scheme, steps=60).final
        np.testing.assert_allclose(moments(STANDARD, p), [0, 0, xx, 0, vv], atol=2e-5)


def test_shadow_work_of_the_splittings():
    """From a canonical start, h = 0.5: by linear maps of the covariance, to the accuracy of the cells."""
    fluid = KleinKramers(Harmonic(), grid=STANDARD)
    for scheme, steps, work in ((BAOAB(), 1, 0.0015496668), (BAOAB(), 10, 0.0020819821), (OBABO(), 1, 0.00048828125)):
        books = fluid.evolve(fluid.steady_state(), (0.0, 0.5*steps), scheme=scheme, steps=steps).ledger
        assert books["shadow_work"][0] == pytest.approx(work, abs=5e-6) and books["work"][0] == 0
        assert books["entropy_env"][0] == -books["heat"][0] and np.isnan(books["heat_line"][0])


def test_particles_book_what_the_density_books():
    """A double well tilted from side to side, 40,000 particles and
    the density, both in 40 BAOAB steps; would see 2 % of the heat."""
    law, protocol, n = DoubleWell(height=1.0, tilt=1.0), Linear(f=(1.0, -1.0)), 40_000
    dynamics = Underdamped(law, 0.5, 1.5, 0.8)
    fluid = KleinKramers(dynamics, grid=Grid(Axis.uniform(-2.8, 2.8, 120), Axis.uniform(-6, 6, 120)))
    density = fluid.evolve(fluid.steady_state(f=1.0), np.linspace(0, 2, 5), protocol, steps=20).ledger
    run = simulate(dynamics, particles=n, t=(0.0, 2.0), steps=80, protocol=protocol, every=20,
                   precision="double", seed=11)
    for column in ("work", "shadow_work", "heat", "entropy_env", "energy"):
        z = (run.ledger[column] - density[column])/run.ledger.standard_error(column)
        assert np.all(np.abs(z) < 6), (column, z)


# ---- Kramers' problem ---------------------------------------------------------------------------

def slowest(T, friction, nx=56, nv=80, width=0.5):
    """Slowest rate of U = (x² − 1)², m = 1: p = e^{−U/2T}ψ_0(v) Σ c_n(x)ψ_n(v), Hermite functions in x too.

    ∂c_n/∂t = −nγc_n − √n D c_{n−1} + √(n+1) Dᵀ c_{n+1}, D = √T(∂ₓ + U'/2T): Risken, eqs. 10.15-10.21.
    """
    a = np.diag(np.sqrt(np.arange(1.0, nx + 8)), 1)
    X, d = width*(a + a.T)/np.sqrt(2), (a - a.T)/(np.sqrt(2)*width)
    D = csc_matrix((np.sqrt(T)*(d + 2*(X @ X @ X - X)/T))[:nx, :nx])
    n = np.sqrt(np.arange(1.0, nv))
    L = kron(diags(-friction*np.arange(nv)), identity(nx)) - kron(diags(n, -1), D) + kron(diags(n, 1), D.T)
    return np.sort(eigs(-L.tocsc(), k=4, sigma=-1e-3)[0].real)[1]


def test_escape_turns_over_with_friction():
    """Decay of ⟨x⟩ over the barrier: slow where friction is weak (energy must be gained) and where it is strong."""
    T, rates = 0.3, {}
    for friction, sharp in ((0.2, 2e-3), (1.0, 3e-4), (5.0, 2e-4)):
        def rate(cells, steps):
            fluid = KleinKramers(DoubleWell(), T, friction,
                                 grid=Grid(Axis.uniform(-2.2, 2.2, 100), Axis.uniform(-4.2, 4.2, cells)))
            p = fluid.steady_state()*(1 + 0.9*np.tanh(3*fluid.grid.axes[0].centers))[:, None]
            left = [mean(fluid.grid, q, lambda z: z[:, 0])
                    for q in fluid.evolve(p, (0.0, 20.0, 30.0), steps=steps).densities[1:]]
            return 0.1*np.log(left[0]/left[1])
        rates[friction] = extrapolated(rate, 48, 250)
        assert rates[friction] == pytest.approx(slowest(T, friction), rel=sharp), friction
    assert rates[0.2] < 0.6*rates[1.0] and rates[5.0] < 0.6*rates[1.0]


# ---- without a bath -----------------------------------------------------------------------------

def test_free_flight_is_a_shear():
    """Neither force nor friction: p(x, v, t) = p(x − vt, v); on a ring the correlation of x and v winds up."""
    fluid = KleinKramers(Harmonic(0.0), friction=0.0, grid=Grid(Axis.uniform(-12, 12, 120), Axis.uniform(-6, 6, 60)))
    start, t = gaussian(fluid.grid, 0.3, 0.5, 0.8, 0.6), 2.0
    run = fluid.evolve(start, (0.0, t), steps=5)
    assert l1(fluid.grid, run.final, gaussian(fluid.grid, 0.3 + 0.5*t, 0.5, 0.8 + t*t*0.6, 0.6, 0.6*t)) < 2e-4
    assert np.all(np.abs([run.ledger[c][0] for c in ("work", "shadow_work", "heat", "entropy_env")]) < 1e-14)
    ring = KleinKramers(Harmonic(0.0), friction=0.0,
                        grid=Grid(Axis.uniform(0, 1, 32, "periodic"), Axis.uniform(-6, 6, 50)))
    v = ring.grid.axes[1].centers
    wave = (lambda t: (1 + np.cos(2*np.pi*np.subtract.outer(ring.grid.axes[0].centers, v*t)))*np.exp(-v*v/2)/np.sqrt(2*np.pi))
    p = wave(0.0)/np.sum(wave(0.0)*ring.grid.volumes)
    assert l1(ring.grid, ring.evolve(p, (0.0, 0.25), steps=4).final, wave(0.25)) < 2e-3


def test_liouville_keeps_entropy_and_runs_backward():
    """A double well without friction: no heat, no entropy; v → −v and it comes back."""
    fluid = KleinKramers(DoubleWell(), friction=0.0, grid=Grid(Axis.uniform(-2.5, 2.5, 160), Axis.uniform(-5, 5, 160)))
    start = gaussian(fluid.grid, -0.8, 0.0, 0.04, 0.16)
    there = fluid.evolve(start, (0.0, 1.0), steps=40)
    back = fluid.evolve(there.final[:, ::-1], (0.0, 1.0), steps=40).final[:, ::-1]
    assert there.ledger["heat"][0] == 0 and abs(there.ledger["shadow_work"][0]) < 2e-4
    assert abs(there.ledger["entropy_sys"][0]) < 2e-4 and fluid.entropy_production(there.final) == 0
    assert l1(fluid.grid, there.final, start) > 1 and l1(fluid.grid, back, start) < 5e-3


def test_particles_without_friction_know_no_bath():
    """A trap that stiffens at once: BAOAB at γ = 0 is velocity Verlet,
    for particles and density alike, in the same long steps."""
    dynamics, protocol = Underdamped(Harmonic(), 1.0, 0.0), Jump(0.0, k=(1.0, 3.0))
    run = simulate(dynamics, particles=20_000, t=(0.0, 1.5), steps=6, protocol=protocol, every=2,
                   precision="double", seed=2)
    fluid = KleinKramers(dynamics, grid=Grid(Axis.uniform(-8, 8, 64), Axis.uniform(-13, 13, 104)))
    books = fluid.evolve(fluid.steady_state(), np.linspace(0, 1.5, 4), protocol, steps=2).ledger
    assert not np.any(run.heat) and not np.any(books["heat"]) and abs(books["shadow_work"][0]) > 0.02
    for column in ("work", "shadow_work", "energy"):
        at = books[column] != 0
        z = (run.ledger[column] - books[column])[at]/run.ledger.standard_error(column)[at]
        assert np.all(np.abs(z) < 6), (column, z)


# ---- equilibrium and entropy --------------------------------------------------------------------

def test_the_bath_keeps_the_maxwellian_to_rounding():
    """e^{hK} on e^{−mv²/2T}, cell by cell however small; on a
    cold one too; mean velocities decay as e^{−γh} exactly."""
    for T, h in ((1.0, 0.3), (0.02, 5.0), (1.0, 100.0)):
        fluid = KleinKramers(Harmonic(), T, 0.7, grid=STANDARD)
        v, step = STANDARD.axes[1].centers, fluid.bath().step(h)
        M = np.exp(-v*v/2/T)
        kept = M > 1e-290
        assert step.min() >= 0 and np.max(np.abs((step @ M)[kept]/M[kept] - 1)) < 1e-12
        np.testing.assert_allclose(step.sum(axis=0), 1, atol=1e-15)
        if T == 1.0:
            shifted = np.exp(-0.5*(v - 1)**2)
            assert v @ step @ shifted == pytest.approx(np.exp(-0.7*h)*(v @ shifted), abs=1e-12)


def test_equilibrium_stays_to_the_square_of_the_step():
    fluid = KleinKramers(DoubleWell(), 0.4, 0.5, grid=Grid(Axis.uniform(-2.3, 2.3, 100), Axis.uniform(-4.6, 4.6, 100)))
    p = fluid.steady_state()
    coarse, fine = (l1(fluid.grid, fluid.evolve(p, (0.0, 4.0), steps=n).final, p) for n in (80, 160))
    assert fine < 1e-3 and np.log2(coarse/fine) == pytest.approx(2, abs=0.15)


def test_everything_relaxes_to_maxwell_and_boltzmann():
    fluid = KleinKramers(DoubleWell(), 0.5, 1.0, grid=Grid(Axis.uniform(-2.6, 2.6, 90), Axis.uniform(-5.2, 5.2, 90)))
    run = fluid.evolve(gaussian(fluid.grid, -0.9, 0.0, 0.05, 0.3), np.linspace(0, 60, 13), steps=125)
    away = [kl(fluid.grid, p, fluid.steady_state()) for p in run.densities]
    assert np.all(np.diff(away) < 0) and away[-1] < 3e-5
    assert l1(fluid.grid, run.final, fluid.steady_state()) < 8e-3            # what a step of 0.04 leaves


def test_free_energy_falls_by_what_is_produced():
    """−ΔF/T = ∫Σ̇ dt, row by row: entropy production known from the density alone, F from energy and entropy."""
    T = 0.6
    fluid = KleinKramers(Harmonic(1.3), T, 0.9, 0.8, Grid(Axis.uniform(-7, 7, 120), Axis.uniform(-8, 8, 160)))
    run = fluid.evolve(gaussian(fluid.grid, 1.0, 0.0, 0.3, 0.9), np.linspace(0, 2, 81), steps=4)
    F = np.array([fluid.free_energy(p) for p in run.densities])
    rate = np.array([fluid.entropy_production(p) for p in run.densities])
    fallen, between = -np.diff(F)/T, 0.025*(rate[1:] + rate[:-1])/2
    assert np.all(np.diff(F) < 0) and np.all(rate > 0)
    np.testing.assert_allclose(fallen, between, rtol=3e-3, atol=1e-5)
    # but for shadow work
    np.testing.assert_allclose(fallen, run.ledger["entropy_sys"] + run.ledger["entropy_env"], atol=1e-4)
    assert run.ledger["free_energy"][-1] == pytest.approx(F[-1]) and rate[0] == pytest.approx(
        0.9*(0.8*0.9/T - 2 + T/(0.8*0.9)), rel=0.02)               # (γ/DT)·… of a Gaussian: γ(ϑ − 2 + 1/ϑ), ϑ = m⟨v²⟩/T


def test_a_jump_of_the_bath_and_of_the_trap():
    """k 1 → 3 at once is work ½·2·⟨x²⟩; then heat brings both energies to the new bath."""
    fluid = KleinKramers(Harmonic(), 1.0, 1.0, grid=WIDE)
    books = fluid.evolve(fluid.steady_state(), (0.0, 1e-3, 25.0), Jump(0.0, k=(1.0, 3.0)) & Constant(temperature=2.0),
                         tolerance=1e-2).ledger
    assert books["work"].sum() == pytest.approx(1.0, abs=1e-9) and books["work"][1] == 0
    assert (books["energy"][-1] == pytest.approx(2.0, abs=5e-3)
            and books["entropy_env"].sum() == pytest.approx(-books["heat"].sum()/2))


def test_a_force_around_a_ring_drives_a_current():
    """No energy, f = 0.8: ⟨v⟩ = f/γm and power f²/γm, all of it heat given to the bath."""
    dynamics = Underdamped(Harmonic(0.0), 1.0, 0.5, 2.0, Tilt(0.8))
    fluid = KleinKramers(dynamics, grid=Grid(Axis.uniform(0, 1, 8, "periodic"), Axis.uniform(-5, 7, 64)))
    v = fluid.grid.axes[1].centers
    p = np.tile(np.exp(-(v - 0.8)**2)/np.sqrt(np.pi), (8, 1))
    run = fluid.evolve(p, (0.0, 10.0), scheme=OBABO(), steps=40)
    assert mean(fluid.grid, run.final, lambda z: z[:, 1]) == pytest.approx(0.8, rel=2e-3)
    assert (run.ledger["work"][0] == pytest.approx(6.4, rel=2e-3)
            and run.ledger["heat"][0] == pytest.approx(-6.4, rel=2e-3))
    assert run.ledger["energy"][0] == pytest.approx(0.5 + 0.64, rel=5e-3)


def test_a_periodic_energy_is_left_in_equilibrium():
    fluid = KleinKramers(Periodic(0.5, 6.0), 0.7, 0.5,
                         grid=Grid(Axis.uniform(0, 6, 60, "periodic"), Axis.uniform(-6, 6, 60)))
    p = fluid.steady_state()
    assert l1(fluid.grid, fluid.evolve(p, (0.0, 5.0), steps=100).final, p) < 2e-3


# ---- what cannot go wrong -----------------------------------------------------------------------

@pytest.mark.filterwarnings("ignore:cells of")
@pytest.mark.parametrize("scheme", [BAOAB(), OBABO(), Splitting("R V O")])
def test_mass_and_sign_hold_for_any_start(scheme):
    """From one cell, in steps short and long: p ≥ 0 to the bit, mass to 10⁻¹⁴ after 2,000 of them."""
    fluid = KleinKramers(DoubleWell(), 0.3, 0.4, grid=Grid(Axis.uniform(-4, 4, 60), Axis.uniform(-12, 12, 70)))
    for t, steps in ((10.0, 2000), (1.0, 4)):
        p = fluid.evolve(fluid.grid.delta([-1.0, 0.5]), (0.0, t), scheme=scheme, steps=steps).final
        assert p.min() >= 0 and np.sum(p*fluid.grid.volumes) == pytest.approx(1, abs=1e-14)


def test_tolerance_bounds_the_error_in_time():
    fluid = KleinKramers(Harmonic(), grid=WIDE)
    start = gaussian(WIDE, 1.0, 0.0, 1.5, 1.5)
    exact = fluid.evolve(start, (0.0, 2.0), steps=800).final
    for tolerance in (1e-2, 1e-3, 1e-4):
        run = fluid.evolve(start, (0.0, 2.0), tolerance=tolerance)
        assert 0 < l1(WIDE, run.final, exact) < 1.2*run.error < 1.2*tolerance


P = gaussian(STANDARD)


@pytest.mark.parametrize("call,words", [
    (lambda: KleinKramers("x**2", grid=STANDARD), "energy law"),
    (lambda: KleinKramers(Harmonic(dimension=2), grid=STANDARD), "one coordinate"),
    (lambda: KleinKramers(Harmonic()), "give the cells"),
    (lambda: KleinKramers(Harmonic(), grid=Grid(STANDARD.axes[0])), "two axes"),
    (lambda: KleinKramers(Harmonic(), friction=-1.0, grid=STANDARD), "friction"),
    (lambda: KleinKramers(Harmonic(), mass=0.0, grid=STANDARD), "mass"),
    (lambda: KleinKramers(Harmonic(), grid=Grid(Axis(np.linspace(-2, 2, 20)**3), STANDARD.axes[1])), "equal cells"),
    (lambda: KleinKramers(Harmonic(), grid=Grid(Axis.uniform(-8, 8, 64, "reflecting"), STANDARD.axes[1])),
     "steep energy"),
    (lambda: KleinKramers(Harmonic(), grid=Grid(STANDARD.axes[0], Axis.uniform(-8, 8, 64, "periodic"))), "open"),
    (lambda: KleinKramers(Harmonic(), grid=Grid(STANDARD.axes[0], Axis.uniform(1, 8, 64))), "both sides of 0"),
    (lambda: KleinKramers(DoubleWell(tilt=1.0), grid=Grid(Axis.uniform(-2, 2, 64, "periodic"), STANDARD.axes[1])),
     "periodic end"),
    (lambda: KleinKramers(Harmonic(0.2), grid=STANDARD).steady_state(), "enlarge"),
    (lambda: KleinKramers(Underdamped(Harmonic(), force=Tilt(0.5)), grid=STANDARD).steady_state(), "without energy"),
    (lambda: KleinKramers(Harmonic(), grid=STANDARD).evolve(P, (0, 30), steps=12), "more steps"),
    (lambda: KleinKramers(Harmonic(), grid=STANDARD).evolve(P, scheme="BAOAB"), "splitting"),
    (lambda: KleinKramers(Harmonic(), grid=STANDARD).evolve(-P), "negative"),
    (lambda: KleinKramers(Harmonic(), grid=STANDARD).evolve(P[:5]), "shape"),
    (lambda: KleinKramers(Harmonic(), grid=STANDARD).evolve(P, protocol=Linear(q=(0, 1))), "drives q"),
    (lambda: KleinKramers(Harmonic(), grid=STANDARD).evolve(P, protocol=Linear(temperature=(1, -1)), steps=3),
     "positive"),
])
def test_refused_in_one_line(call, words):
    with pytest.raises(UserError, match=words) as caught:
        call()
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 250


def test_coarse_cells_are_said_to_be_coarse():
    grid = Grid(Axis.uniform(-3, 3, 20), Axis.uniform(-3, 3, 20))
    fluid = KleinKramers(Harmonic(), 0.15, grid=grid)
    with pytest.warns(UserWarning, match="try 31 cells"):
        fluid.evolve(fluid.steady_state(), (0.0, 0.1))


def test_entropy_of_a_gaussian():
    assert entropy(STANDARD, P) == pytest.approx(1 + np.log(2*np.pi), abs=1e-9)
