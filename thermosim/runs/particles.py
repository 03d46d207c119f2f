"""Run particles: a dynamics, a scheme and a protocol through the fused kernel, row by row."""

import hashlib
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from ..backend import open_device
from ..backend.cpu.threads import get_threads, over_threads, set_threads
from ..dynamics import Overdamped
from ..errors import UserError
from ..files.progress import Progress
from ..integrators import BAOAB, EulerMaruyama
from ..integrators.arrays import ArrayStep
from ..ledger import Ledger
from ..protocols import Grid
from .resume import Checkpoint
from .start import initial_state

PRECISIONS = ("double", "mixed", "single")
STEPS = 1                           # stream of the dynamics' noise
COLUMNS = ("work", "shadow_work", "heat", "heat_line", "entropy_env")
LEVELS = ("kinetic_temperature",)
ROWS = 100                          # ledger rows of a run, unless asked otherwise
STATISTICS_BYTES = 32 << 20         # what the row statistics of one kernel call may take
CALL_STEPS = 2_000_000_000          # particle-steps of one kernel call: about a second a thread


@dataclass
class ParticleRun:
    """What particles did.

    Attributes
    ----------
    x : (n, d) array
        Final positions.
    v : (n, d) array or None
        Final velocities of underdamped runs.
    totals : dict of (n,) arrays
        Ledger columns summed over the run, per particle.
    ledger : Ledger
        One row per `every` steps: mean and variance of what each column gained in the row, of energy
        and coordinates at its end. Coordinate ``closure`` is the largest |ΔE − work − shadow_work − heat|
        of any particle in the row, relative, with both energies recomputed from scratch.
    frames : (rows, recorded, d) array or None
        Positions of the first particles at row ends.
    grid : Grid
        Times, parameters and temperatures of every step.
    absent : dict of str
        Column → reason for its NaN.
    """

    x: np.ndarray
    v: np.ndarray
    totals: dict
    ledger: Ledger
    frames: np.ndarray
    dynamics: object
    scheme: object
    grid: Grid
    seed: int
    precision: str
    absent: dict = field(default_factory=dict)

    def __getattr__(self, name):
        """run.work, run.heat, …: totals per particle (n,); NaN for a column the scheme cannot book."""
        if name not in COLUMNS:
            raise AttributeError(f"a particle run has no {name!r}")
        if name in self.totals:
            return self.totals[name]
        return np.full(len(self.x), np.nan)

    @cached_property
    def energy(self):
        """Energy of the final state, recomputed on the host, (n,)."""
        state = self.x if self.v is None else np.concatenate([self.x, self.v], axis=1)
        known = {k: v for k, v in self.grid.at(-1).items() if k in self.dynamics.potential.parameters}
        return self.dynamics.energy(state.astype(np.float64), **known)

    def save(self, path):
        """Write the run as H5MD that opens in xarray; returns the path."""
        from .store import save_run

        return save_run(self, path)


def simulate(dynamics, *, particles=None, x0="equilibrium", v0="equilibrium", t=(0.0, 1.0), steps=None,
             protocol=None, scheme=None, seed=0, every=None, books=True, record=0, precision="mixed",
             reverse=False, threads=None, device="cpu", first_particle=0, checkpoint=None, sink=None):
    """Run an ensemble of independent particles and keep its books.

    Parameters
    ----------
    dynamics : Overdamped or Underdamped
    particles : int, optional
        n; the length of x0 where that is an array of shape (n, d).
    x0, v0 : "equilibrium", number, (d,) or (n, d) array
        The start; "equilibrium" draws from the canonical law of the initial parameters.
    t : (t0, t1), or a rising array of times with steps=None
    steps : int
        Equal steps over (t0, t1).
    protocol : Protocol, optional
        How parameters, or the bath under the name ``temperature``, move.
    scheme : Scheme, optional
        EulerMaruyama for overdamped, BAOAB for underdamped dynamics by default.
    seed : int
        Noise depends on (seed, particle, step) alone.
    every : int, optional
        Steps per ledger row and per frame; about 100 rows by default.
    books : bool or tuple of str
        Which columns to keep; False runs the bare dynamics.
    record : int
        How many particles to record at row ends.
    precision : str
        "double" (float64 normals), "mixed" (float32 normals, float64 dynamics) or "single".
    reverse : bool
        Run the reverse process of fluctuation theorems: it starts from the canonical law of the final
        parameters, the protocol runs backwards, and each step moves the particle first, then the control.
    threads : int, optional
        All processors by default; never changes a bit of the result.
    device : str
        "cpu", or "cuda" for the same law, noise and books on a GPU.
    first_particle : int
        Number of the first particle in the noise streams: a large ensemble may run in parts.
    checkpoint : path, optional
        Folder in which finished rows are kept: the same call goes on where it was killed, bit for bit.
    sink : callable, optional
        ``sink(first_row, frames)`` receives frames as they are made, (rows, recorded, d); the run then
        keeps none of them.

    Returns
    -------
    ParticleRun

    Raises
    ------
    UserError
        For bad input, and when a trajectory leaves all bounds, with step, particle and a step size.

    Examples
    --------
    >>> trap = Potential("k*(x - c)**2/2", ["x"], {"k": 1.0, "c": 0.0})              # doctest: +SKIP
    >>> run = simulate(Overdamped(trap), particles=10**6, protocol=Linear(c=(0.0, 2.0)), t=(0.0, 2.0), steps=4)
    """
    scheme = scheme or (EulerMaruyama() if isinstance(dynamics, Overdamped) else BAOAB())
    if not isinstance(dynamics, scheme.kind):
        raise UserError(f"{scheme!r} integrates {scheme.kind.__name__} dynamics, not {type(dynamics).__name__}")
    n = _count(particles, x0)
    grid = Grid(dynamics, protocol, _times(t, steps))
    grid = grid.reversed() if reverse else grid
    scheme.check(dynamics, grid)
    if precision not in PRECISIONS:
        raise UserError(f"precision = {precision!r} must be one of {', '.join(PRECISIONS)}")
    _in_range(n, grid.steps, seed, first_particle)
    columns = COLUMNS + LEVELS if books is True else tuple(books or ())
    step = scheme.build(dynamics, grid.driven, columns)
    engine = _engine(step, device)(step, precision, STEPS, f"{scheme!r}, {dynamics.potential!r}")
    state = initial_state(dynamics, engine.state, grid, x0, v0, n, seed, first_particle).astype(engine.real, copy=False)
    worst = _steepest(dynamics, state[:1024, :dynamics.dimension], grid)

    edges = _edges(grid.steps, every)
    tables = [np.column_stack([f(grid) for _, f in step.coefficients] or [np.zeros(grid.steps)]),
              _parameters(step, grid)]
    tables = [np.ascontiguousarray(a, dtype=engine.real) for a in tables]
    rows = _Rows(engine, n, edges, min(int(record), n), dynamics.dimension, sink)
    totals = np.zeros((n, len(engine.books)))
    folder = checkpoint and f"{checkpoint}/{_fingerprint(engine, tables, state, edges, seed, first_particle, record)}"
    kept = Checkpoint(folder, rows, state, totals)
    done = kept.restore()
    with kept, _using(engine.threads or threads):
        for lo, hi in Progress(list(rows.segments(done)), "simulate", "segment"):
            alarm = rows.run(state, totals, tables, lo, hi, seed, first_particle)
            if alarm is not None:
                raise UserError(_explosion(dynamics, grid, *alarm, first_particle, worst))
            kept.save(hi)
    kept.clear()
    d = dynamics.dimension
    return ParticleRun(
        state[:, :d], state[:, engine.state.index("v0"):][:, :d] if "v0" in engine.state else None,
        {name: totals[:, k] for k, name in enumerate(engine.books)}, rows.ledger(dynamics, grid, scheme.absent),
        rows.frames if record and sink is None else None, dynamics, scheme, grid, seed, precision, dict(scheme.absent))


class _Rows:
    """Ledger rows and frames as they come in, and the kernel calls that make them."""

    def __init__(self, engine, n, edges, recorded, d, sink):
        self.engine, self.n, self.edges, self.sink, self.recorded, self.d = engine, n, edges, sink, recorded, d
        self.count = len(edges) - 1
        self.blocks = -(-n // engine.block)
        self.mean, self.variance = np.empty((2, self.count, len(engine.observed)))
        self.closure = np.full(self.count, np.nan)
        self.frames = np.empty((self.count if sink is None else 0, recorded, d))

    def segments(self, done):
        """(first row, last row) of every kernel call."""
        per_row = 16 * self.blocks * len(self.engine.observed) + 8 * self.recorded * self.d + 8
        steps_per_row = max(1, (self.edges[-1] - self.edges[0]) // self.count) * self.n
        length = int(max(1, min(STATISTICS_BYTES // per_row, CALL_STEPS // steps_per_row)))
        return [(lo, min(lo + length, self.count)) for lo in range(done, self.count, length)]

    def run(self, state, totals, tables, lo, hi, seed, first):
        """Advance all particles through rows lo … hi; None, or (step, particle) of the first explosion."""
        statistics = np.zeros((hi - lo, len(self.engine.observed), self.blocks, 2))
        defects, alarm = np.zeros((hi - lo, self.blocks)), np.full((self.blocks, 2), -1)
        frames = np.empty((hi - lo, self.recorded, self.d))
        words = (np.uint64(first), np.uint64(seed & 0xFFFFFFFF), np.uint64(seed >> 32))
        over_threads(self.engine.run, self.blocks, 1, state, totals, *tables, self.edges[lo:hi + 1],
                     statistics, defects,
                     frames, alarm, *words)
        hit = np.flatnonzero(alarm[:, 0] >= 0)
        if len(hit):
            return min((int(alarm[b, 0]), int(alarm[b, 1])) for b in hit)
        sizes = np.full(self.blocks, float(self.engine.block))
        sizes[-1] = self.n - self.engine.block * (self.blocks - 1)
        mean = (statistics[..., 0] * sizes).sum(axis=2) / self.n
        spread = statistics[..., 1] + sizes * (statistics[..., 0] - mean[..., None])**2
        self.mean[lo:hi], self.variance[lo:hi] = mean, spread.sum(axis=2) / self.n
        self.closure[lo:hi] = defects.max(axis=1)
        if self.sink is not None:
            self.sink(lo, frames)
        else:
            self.frames[lo:hi] = frames
        return None

    def ledger(self, dynamics, grid, absent):
        ends = self.edges[1:]
        coordinates = {"time": grid.times[ends], "step": ends, "temperature": grid.temperature[ends - 1],
                       **{name: grid.parameters[name][ends] for name in grid.driven}}
        if not np.all(np.isnan(self.closure)):
            coordinates["closure"] = self.closure
        names = {f"x{i}": c for i, c in enumerate(dynamics.potential.coordinates)}
        names |= {f"v{i}": f"v_{c}" for i, c in enumerate(dynamics.potential.coordinates)}
        columns = [(names.get(o, o), k) for k, o in enumerate(self.engine.observed) if not o.startswith("normal")]
        nothing = {c: np.full(self.count, np.nan) for c in absent if c in COLUMNS + LEVELS}
        return Ledger("step", coordinates, nothing | {name: self.mean[:, k] for name, k in columns},
                      nothing | {name: self.variance[:, k] for name, k in columns}, self.n, dict(absent))


@contextmanager
def _using(threads):
    """Let kernels use so many threads for a while."""
    before = get_threads()
    set_threads(threads or before)
    try:
        yield
    finally:
        set_threads(before)


def _engine(step, device):
    """The kernel class of a step on a device, called as (step, precision, stream, title)."""
    on_arrays = isinstance(step, ArrayStep)
    if device == "cpu":
        from ..backend.cpu.arrays import ArrayKernel
        from ..backend.cpu.particles import ParticleKernel

        return ArrayKernel if on_arrays else ParticleKernel
    opened = open_device(device)  # a UserError says which part of CUDA is missing
    from ..backend.cuda.arrays import CudaArrayKernel
    from ..backend.cuda.particles import CudaParticleKernel

    kernel = CudaArrayKernel if on_arrays else CudaParticleKernel
    return lambda *about: kernel(*about, device=opened)


def _count(particles, x0):
    given = np.shape(x0)[0] if not isinstance(x0, str) and np.ndim(x0) == 2 else None
    if given is not None and particles not in (None, given):
        raise UserError(f"particles = {particles}, but x0 holds {given}")
    n = given if particles is None else particles
    if n is None or isinstance(n, bool) or int(n) != n or n < 1:
        raise UserError("give particles=N, or x0 as an array of shape (n, d)")
    return int(n)


def _times(t, steps):
    t = np.asarray(t, dtype=np.float64)
    if steps is None:
        if t.ndim != 1 or len(t) < 3:
            raise UserError("give steps=N with t=(t0, t1), or t as a rising array of times")
        return t
    if isinstance(steps, bool) or int(steps) != steps or steps < 1 or t.shape != (2,):
        raise UserError(f"steps = {steps!r} must be a positive integer, with t=(t0, t1)")
    return np.linspace(t[0], t[1], int(steps) + 1)


def _in_range(n, steps, seed, first):
    if isinstance(seed, bool) or int(seed) != seed or not 0 <= seed < 2**64:
        raise UserError(f"seed = {seed!r} must be an integer within 0..2^64 - 1")
    if not 0 <= first <= 2**32 - n:
        raise UserError("particle numbers must stay below 2^32: start another seed for more")
    if steps >= 2**31:
        raise UserError("at most 2^31 steps fit one noise stream: continue with another seed")


def _edges(steps, every):
    every = max(1, -(-steps // ROWS)) if every is None else int(every)
    if every < 1:
        raise UserError(f"every = {every} must be a positive number of steps")
    return np.append(np.arange(0, steps, every), steps).astype(np.int64)


def _parameters(step, grid):
    """Parameter rows 0 … N, the last repeated: beyond the end nothing moves."""
    table = np.column_stack([grid.parameters[p] for p in step.parameters] or [np.zeros(grid.steps + 1)])
    return np.concatenate([table, table[-1:]])


def _fingerprint(engine, tables, state, edges, seed, first, record):
    digest = hashlib.sha256(engine.source.encode())
    for a in (*tables, state, edges, np.array([seed, first, record], dtype=np.uint64)):
        digest.update(np.ascontiguousarray(a).data)
    return digest.hexdigest()[:16]


def _steepest(dynamics, x, grid):
    """The largest curvature near the start, a scale for the advice after an explosion."""
    if not hasattr(dynamics.potential, "laplacian"):
        return None
    known = {k: v for k, v in grid.at(-1).items() if k in dynamics.potential.parameters}
    with np.errstate(all="ignore"):
        curvature = np.nanmax(np.abs(dynamics.potential.laplacian(1.5 * x.astype(np.float64), **known)))
    return curvature if np.isfinite(curvature) and curvature > 0 else None


def _explosion(dynamics, grid, step, particle, first, curvature):
    h = float(grid.h.max())
    advice = h / 4 if curvature is None else min(h / 4, 0.25 / dynamics.relaxation_rate(curvature))
    tame = ", or take EulerMaruyama(tamed=True)" if isinstance(dynamics, Overdamped) else ""
    return (f"particle {first + particle} left all bounds by step {step} (dt = {h:.3g}): "
            f"try dt <= {advice:.1g}{tame}")
