"""The fused particle step in CUDA against Numba's, through whole runs: every bit of state, books and rows."""
import numpy as np
import pytest

from test_cuda_sources import nvrtc_log
from thermosim.backend import cuda
from thermosim.backend.cpu.particles import PRECISIONS
from thermosim.backend.cuda import arrays, particles
from thermosim.backend.cuda.arrays import CudaArrayKernel
from thermosim.backend.cuda.particles import CudaParticleKernel
from thermosim.dynamics import Overdamped, Underdamped
from thermosim.errors import UserError
from thermosim.integrators import MALA, EulerMaruyama, LeimkuhlerMatthews, Splitting
from thermosim.integrators.arrays import ArrayStep
from thermosim.integrators.step import Step
from thermosim.potentials import ForceField, Lattice, MixtureEnergy, PhiFour, Potential
from thermosim.protocols import Linear
from thermosim.runs import particles as engine
from thermosim.score.exact import GaussianMixture

WELL = Potential("h*(x**2 - 1)**2 + a*exp(-x**2) - c*x", ["x"], {"h": 2.0, "a": 0.3, "c": 0.0})
PLANE = Potential("(x**2 + y**4)/2 + cos(x) + k*x*y", ["x", "y"], {"k": 0.2})
TURN = ForceField(["-w*y", "w*x"], ["x", "y"], {"w": 0.7})
TURNED = GaussianMixture([0.3, 0.7], [[0, 1.0], [2, -1]], [[[1, 0.3], [0.3, 0.5]], [[0.4, 0], [0, 0.9]]])
RING = GaussianMixture(np.full(5, 0.2), [[np.cos(a), np.sin(a)] for a in 0.4 * np.pi * np.arange(5)], np.full(5, 0.05))

CASES = {
    "euler in the plane, turned": ("mixed", Overdamped(PLANE, mobility=0.5, force=TURN),
                                   EulerMaruyama(tamed=True)),
    "mala": ("single", Overdamped(WELL), MALA()),
    "three baths a step": ("double", Underdamped(WELL, mass=0.5, friction=2.0), Splitting("O V R O R V O")),
    "lattice": ("double", Overdamped(PhiFour((3, 4))), EulerMaruyama()),
    "chain with inertia": ("mixed", Underdamped(Lattice("0", "delta**2/2 + a*delta**3/3", (5,), {"a": 0.2}), mass=0.5),
                           Splitting("O V R O V R")),
    "turned mixture": ("mixed", Overdamped(MixtureEnergy(TURNED, sigma=0.4)), MALA()),
    "ring": ("single", Overdamped(MixtureEnergy(RING, sigma=0.4)), LeimkuhlerMatthews()),
}
DRIVEN = {"sigma": {"sigma": (0.4, 0.2)}, "a": {"a": (0.1, 0.3)}, "u": {"u": (1.0, 2.0)}, "c": {"c": (0.0, 0.8)},
          "k": {"k": (0.2, -0.5)}}
LAWS = {Step: particles.law_text, ArrayStep: arrays.law_text}
KERNELS = {Step: CudaParticleKernel, ArrayStep: CudaArrayKernel}


def driven(dynamics):
    return DRIVEN[next(name for name in DRIVEN if name in dynamics.potential.parameters)]


def two_shares(kernel, count, unit, *arguments):
    """What two threads would do, one after the other: results belong to the particle, not to the call."""
    for start, stop in ((0, 1), (1, count)):
        kernel(start, stop, *arguments)


def run(case, device, monkeypatch, **more):
    """1200 particles (whole blocks and a part of one), 41 steps in rows of 7 that cut groups of four."""
    precision, dynamics, scheme = CASES[case]
    if device is not None:
        monkeypatch.setattr(engine, "_engine", lambda step, name: lambda *a: KERNELS[type(step)](*a, device=device))
        monkeypatch.setattr(engine, "over_threads", two_shares)
    protocol = Linear(**driven(dynamics))
    options = dict(particles=1200, x0=0.3, t=(0.0, 0.5), steps=41, every=7, protocol=protocol, scheme=scheme,
                   seed=2**33 + 5, precision=precision, record=700, threads=1, first_particle=2**31 + 3)
    try:
        return engine.simulate(dynamics, **options | more)
    finally:
        monkeypatch.undo()


def same(a, b):
    return np.array_equal(a, b, equal_nan=True)


@pytest.mark.parametrize("case", CASES)
def test_same_bits_as_on_the_cpu(gpu, case, monkeypatch):
    ours, theirs = (run(case, device, monkeypatch) for device in (gpu, None))
    assert theirs.x.std() > 0.1 and theirs.x.dtype == ours.x.dtype
    assert same(ours.x, theirs.x) and same(ours.frames, theirs.frames)
    assert ours.v is None or same(ours.v, theirs.v)
    assert ours.totals.keys() == theirs.totals.keys() and "work" in ours.totals
    for name in ours.totals:
        assert same(ours.totals[name], theirs.totals[name]), name
    for name, mean in theirs.ledger.mean.items():
        assert same(ours.ledger.mean[name], mean), name
        assert same(ours.ledger.variance[name], theirs.ledger.variance[name]), name
    for name, values in theirs.ledger.coordinates.items():
        assert same(ours.ledger.coordinates[name], values), name


def test_an_explosion_is_told_alike(gpu, monkeypatch):
    told = []
    for device in (gpu, None):
        with pytest.raises(UserError, match="left all bounds") as caught:
            run("three baths a step", device, monkeypatch, x0=1.3, t=(0.0, 20.0), every=41)
        told.append(str(caught.value))
    assert told[0] == told[1]


@pytest.mark.parametrize("architecture", ["sm_80", "sm_90"])
@pytest.mark.parametrize("fast", [False, True], ids=["portable", "fast"])
def test_laws_compile_into_registers(architecture, fast):
    for precision, dynamics, scheme in CASES.values():
        step = scheme.build(dynamics, driven(dynamics), engine.COLUMNS)
        text = cuda.expand(LAWS[type(step)](step, precision, 0), "law.cuh")
        options = cuda.options(PRECISIONS[precision][0], fast)
        log = nvrtc_log(text, f"-arch={architecture}", "--ptxas-options=-v", *options)
        assert "0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads" in log, log
