"""Chains and whole evolutions on the GPU against the CPU: every bit on lines, roundings on rings."""
import numpy as np
import pytest

from thermosim.backend.cpu.chains import Chains
from thermosim.dynamics import Overdamped
from thermosim.errors import UserError
from thermosim.fokker_planck import Axis, Chebyshev, FokkerPlanck, Grid, ImplicitEuler, SecondOrder
from thermosim.fokker_planck import equation as front
from thermosim.potentials import Harmonic, Periodic, Potential, Rotation, Tilt
from thermosim.protocols import Linear

SHAPES = [(1, 4, 1), (1, 1001, 1), (7, 12, 1), (300, 9, 1), (1, 10, 300), (3, 5, 70), (20, 6, 4)]


def rates(shape, closed=True):
    up, down, u = 10.0 ** np.random.default_rng(6).uniform(-3, 3, size=(3, *shape))
    if closed:
        up[:, -1] = down[:, 0] = 0.0
    return up, down, u


@pytest.mark.parametrize("closed", [True, False], ids=["closed", "leaking"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_lines_bit_for_bit(gpu, shape, closed):
    up, down, u = rates(shape, closed)
    for c1, c2 in ((1.0, 0.0), (1 - 2.4, 2.4)):
        for h in (1e-4, 3.0):
            theirs, ours = u.copy(), gpu.asarray(u)
            Chains(up, down, h).apply(theirs, c1, c2, 3)
            gpu.chains(up, down, h).apply(ours, c1, c2, 3)
            assert np.array_equal(gpu.to_host(ours), theirs)


def test_ties_go_to_the_same_cell(gpu):
    """Mirror-symmetric lines have two fullest cells; the bits of what rounding took must land in the same."""
    up = np.ones((5, 14, 1))
    up[:, -1] = 0.0
    down = up[:, ::-1].copy()
    u = np.ones((5, 14, 1)) + np.exp(-(np.arange(14) - 6.5) ** 2)[None, :, None]
    for turned in (False, True):
        a, b, v = (x.transpose(2, 1, 0).copy() if turned else x for x in (up, down, u))
        theirs, ours = v.copy(), gpu.asarray(v)
        Chains(a, b, 0.1).apply(theirs, -1.4, 2.4, 50)
        gpu.chains(a, b, 0.1).apply(ours, -1.4, 2.4, 50)
        assert np.array_equal(gpu.to_host(ours), theirs)


@pytest.mark.parametrize("shape", [(1, 101, 1), (4, 6, 1), (3, 8, 20)], ids=str)
def test_rings_within_roundings(gpu, shape):
    up, down, u = rates(shape, closed=False)
    theirs, ours = u.copy(), gpu.asarray(u)
    Chains(up, down, 0.3, ring=True).apply(theirs, -1.4, 2.4, 3)
    gpu.chains(up, down, 0.3, ring=True).apply(ours, -1.4, 2.4, 3)
    np.testing.assert_allclose(gpu.to_host(ours), theirs, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(gpu.to_host(ours).sum(axis=1), u.sum(axis=1), rtol=1e-14)


@pytest.mark.parametrize("closed", [True, False], ids=["closed", "leaking"])
def test_series_bit_for_bit(gpu, closed):
    up, down, u = rates((1, 57, 1), closed)
    a = np.array([0.4, -0.3, 0.5, 0.1, 0.3])
    theirs, ours = u.copy(), gpu.asarray(u)
    Chains(up, down, 0.8).series(theirs, a)
    gpu.chains(up, down, 0.8).series(ours, a)
    assert np.array_equal(gpu.to_host(ours), theirs)


CASES = {
    "line": (lambda: FokkerPlanck(Harmonic(), 1.0, 1.0, Grid(Axis.uniform(-6, 8, 140))), None, SecondOrder()),
    "line, one step": (lambda: FokkerPlanck(Harmonic(), 1.0, 1.0, Grid(Axis.uniform(-6, 8, 140))), None, Chebyshev()),
    "driven": (lambda: FokkerPlanck(Harmonic(), 1.0, 1.0, Grid(Axis.uniform(-6, 8, 140))), Linear(c=(0.0, 1.0)),
               SecondOrder()),
    "plane": (lambda: FokkerPlanck(Overdamped(Harmonic(dimension=2), 1.0, 1.0, Rotation(1.0)),
                                   grid=Grid(Axis.uniform(-6, 6, 50), Axis.uniform(-6, 6, 40))), None, SecondOrder()),
    "space": (lambda: FokkerPlanck(Potential("(x**2 - 1)**2 + y**2 + z**2/2", list("xyz"), {}), 1.0, 1.0,
                                   Grid(*[Axis.uniform(-2, 2, n, "reflecting") for n in (12, 10, 11)])), None,
              ImplicitEuler()),
    "ring": (lambda: FokkerPlanck(Overdamped(Periodic(0.5, 2.0), 0.5, 1.0, Tilt(0.7)),
                                  grid=Grid(Axis.uniform(0, 2, 50, "periodic"))), None, SecondOrder()),
}


@pytest.mark.parametrize("case", CASES)
def test_whole_evolutions(gpu, case, monkeypatch):
    """Frames and books of evolve, error-controlled and in equal steps, by device="cuda"."""
    make, protocol, scheme = CASES[case]
    fp = make()
    start = fp.grid.delta(0.3)
    monkeypatch.setattr(front, "open_device", lambda name, cpu=front.open_device: gpu if name == "cuda" else cpu(name))
    for how in ({"steps": 5}, {"tolerance": 3e-2}):
        theirs, ours = (fp.evolve(start, (0.0, 0.1, 0.3), protocol, scheme, device=device, **how)
                        for device in ("cpu", "cuda"))
        assert isinstance(ours.densities, np.ndarray) and theirs.steps == ours.steps > 0
        if case == "ring":
            np.testing.assert_allclose(ours.densities, theirs.densities, rtol=0, atol=1e-13)
        else:
            assert np.array_equal(ours.densities, theirs.densities)
        for name, column in theirs.ledger.mean.items():
            np.testing.assert_allclose(ours.ledger.mean[name], column, rtol=1e-10, atol=1e-12)


def test_without_a_gpu_it_says_what_to_do():
    fp = FokkerPlanck(Harmonic(), 1.0, 1.0, Grid(Axis.uniform(-6, 8, 140)))
    try:
        fp.evolve(fp.steady_state(), (0.0, 0.1), device="cuda")
    except UserError as refusal:
        assert "device cuda" in str(refusal) and "\n" not in str(refusal)
    with pytest.raises(UserError, match="device"):
        fp.evolve(fp.steady_state(), (0.0, 0.1), device="gpu")
