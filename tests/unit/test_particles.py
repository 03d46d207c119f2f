"""The engine itself: bits that nothing may change, resumption, complaints, vector code."""
import os
import re
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest

from thermosim.backend.cpu.compile import strict
from thermosim.backend.cpu.normals import fill_normals
from thermosim.backend.cpu.particles import ParticleKernel
from thermosim.backend.cpu.philox import fill_particle_words
from thermosim.dynamics import Overdamped, Underdamped
from thermosim.errors import UserError
from thermosim.integrators import MALA, OBABO, BAOAB, EulerMaruyama, ExactOU, LeimkuhlerMatthews
from thermosim.potentials import DoubleWell, Harmonic, MullerBrown, Potential, Quartic, Rotation
from thermosim.protocols import Linear
from thermosim.runs.particles import COLUMNS, simulate

WELL = Overdamped(DoubleWell())
SETUP = dict(t=(0, 0.5), steps=37, protocol=Linear(h=(1.0, 2.0)), seed=11)


def same(a, b, rows=slice(None)):
    assert np.array_equal(a.x, b.x[rows])
    for name in a.totals:
        assert np.array_equal(a.totals[name], b.totals[name][rows]), name


@pytest.mark.parametrize("precision", ["double", "mixed", "single"])
def test_bits_do_not_depend_on_threads_batches_or_rows(precision):
    whole = simulate(WELL, particles=2500, precision=precision, threads=1, **SETUP)
    other = simulate(WELL, particles=2500, precision=precision, threads=3, **SETUP)
    same(whole, other)
    for name in whole.ledger.mean:
        assert np.array_equal(whole.ledger.mean[name], other.ledger.mean[name], equal_nan=True)
    part = simulate(WELL, particles=700, precision=precision, first_particle=1300, **SETUP)
    same(part, whole, slice(1300, 2000))
    coarse = simulate(WELL, particles=2500, precision=precision, every=10, **SETUP)
    assert np.array_equal(whole.x, coarse.x)


def test_bits_of_a_scheme_with_two_normals_a_step_do_not_depend_on_rows():
    dynamics = Underdamped(Harmonic(dimension=2))
    a = simulate(dynamics, particles=300, t=(0, 3), steps=31, scheme=OBABO(), every=31)
    b = simulate(dynamics, particles=300, t=(0, 3), steps=31, scheme=OBABO(), every=3)
    assert np.array_equal(a.x, b.x) and np.array_equal(a.v, b.v)


def test_totals_are_the_sums_of_the_rows():
    r = simulate(WELL, particles=900, **SETUP)
    for name in COLUMNS:
        assert r.ledger[name].sum() == pytest.approx(r.totals[name].mean(), rel=1e-12)
    assert r.ledger["energy"][-1] == pytest.approx(r.energy.mean(), rel=1e-12)
    assert r.ledger.variance["x"][-1] == pytest.approx(r.x.var(), rel=1e-12)


def test_equilibrium_starts_have_the_right_moments():
    n = 400_000
    r = simulate(WELL, particles=n, t=(0, 1e-9), steps=1, seed=4, books=False)
    x = np.linspace(-4, 4, 100_001)
    p = np.exp(-DoubleWell().energy(x))
    for power in (1, 2, 4):
        m, m2 = (p*x**power).sum()/p.sum(), (p*x**(2*power)).sum()/p.sum()
        assert abs((r.x**power).mean() - m) < 5*np.sqrt((m2 - m*m)/n)
    cross = Potential("x**2 + y**2 + x*y - x", ["x", "y"])
    r = simulate(Overdamped(cross, temperature=0.5), particles=n, t=(0, 1e-9), steps=1, books=False)
    assert np.allclose(np.cov(r.x.T), 0.5*np.linalg.inv([[2, 1], [1, 2]]), atol=5*0.5/np.sqrt(n))
    assert np.allclose(r.x.mean(axis=0), [2/3, -1/3], atol=5*0.6/np.sqrt(n))


def test_an_explosion_stops_the_run_and_says_where():
    with pytest.raises(UserError, match=r"particle \d+ left all bounds by step (\d+) .*dt <= 0\.0") as error:
        simulate(Overdamped(Potential("x**4", ["x"])), particles=3000, x0=1.0, t=(0, 200), steps=1000, seed=3)
    step = int(re.search(r"step (\d+)", str(error.value))[1])
    assert step <= 32        # blown up within the first steps, seen within the next sixteen
    tamed = simulate(Overdamped(Potential("x**4", ["x"])), particles=3000, x0=1.0, t=(0, 200), steps=1000,
                     scheme=EulerMaruyama(tamed=True))
    assert np.all(np.isfinite(tamed.x)) and "tamed" in repr(tamed.scheme)


def test_frames_and_sink_hold_the_same_positions():
    kept = simulate(WELL, particles=600, record=5, every=7, **SETUP)
    parts = []
    other = simulate(WELL, particles=600, record=5, every=7,
                     sink=lambda row, frames: parts.append((row, frames)), **SETUP)
    assert kept.frames.shape == (6, 5, 1) and other.frames is None
    assert np.array_equal(np.concatenate([f for _, f in parts]), kept.frames)
    assert np.array_equal(kept.frames[-1], kept.x[:5])


CHILD = """
    import sys
    from thermosim.dynamics import Overdamped
    from thermosim.potentials import DoubleWell
    from thermosim.protocols import Linear
    from thermosim.runs import particles
    particles.STATISTICS_BYTES = 1          # one row a kernel call, a checkpoint after each
    import numpy as np
    r = particles.simulate(Overdamped(DoubleWell()), particles=3000, t=(0, 2), steps=300, seed=7, every=3,
                           protocol=Linear(h=(1.0, 2.0)), record=3, checkpoint=sys.argv[1])
    np.savez(sys.argv[2], x=r.x, work=r.work, heat=r.heat, mean=r.ledger["heat"], frames=r.frames)
"""


@pytest.mark.parametrize("rows", [1, 40])
def test_the_bits_survive_kill_9_and_resume(tmp_path, rows):
    child = [sys.executable, "-c", textwrap.dedent(CHILD)]
    process = subprocess.Popen([*child, str(tmp_path/"a"), str(tmp_path/"a.npz")], stderr=subprocess.PIPE)
    journals = lambda: [p.read_bytes().count(b"\n") for p in (tmp_path/"a").glob("*/journal.jsonl")]
    while process.poll() is None and max(journals(), default=0) < rows:
        time.sleep(0.005)
    assert process.poll() is None, process.stderr.read().decode()
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    for name in ("a", "b"):
        subprocess.run([*child, str(tmp_path/name), str(tmp_path/f"{name}.npz")], check=True)
    a, b = np.load(tmp_path/"a.npz"), np.load(tmp_path/"b.npz")
    for name in a.files:
        assert np.array_equal(a[name], b[name]), name


PACKED = {"pd": r"\tv?(?:fn?madd\w*|mul|add|sub)pd|\tfml[as]\t.*2d|\tf(?:add|mul|sub)\t.*2d",
          "ps": r"\tv?(?:fn?madd\w*|mul|add|sub)ps|\tfml[as]\t.*4s|\tf(?:add|mul|sub)\t.*4s",
          "words": r"\tv?pmuludq\t|\tumull2?\t"}


def packed(function, kind):
    """How many arithmetic instructions on whole registers a compiled function has."""
    return len(re.findall(PACKED[kind], "".join(function.inspect_asm().values())))


@pytest.mark.parametrize("dynamics, scheme, precision, kind, least", [
    (WELL, EulerMaruyama(), "mixed", "pd", 20), (WELL, EulerMaruyama(), "single", "ps", 20),
    (Overdamped(Potential("a*cos(x) + b*exp(-x**2)", ["x"], {"a": 1, "b": 1})), EulerMaruyama(), "double", "pd", 40),
    (Underdamped(Harmonic(1.0, 0.0, 3)), BAOAB(), "mixed", "pd", 40)],
                         ids=["mixed", "single", "transcendental", "baoab"])
def test_the_hot_block_is_vector_code(dynamics, scheme, precision, kind, least):
    driven = ("h",) if dynamics is WELL else ()
    kernel = ParticleKernel(scheme.build(dynamics, driven, COLUMNS), precision, 1, "test")
    source = kernel.kernel.py_func.__globals__
    S, _, g, *_ = kernel.scratch()
    C, P = np.zeros((8, 8), kernel.real), np.zeros((9, 2), kernel.real)
    source["advance"](S, g, kernel.block, C, P, 0)
    assert packed(source["advance"], kind) > least, "the step no longer vectorises"


def test_the_noise_is_vector_code():
    w, g = np.zeros((4, 64), np.uint32), np.zeros((4, 64), np.float32)
    zero, lanes, *numbers = (np.uint64(k) for k in (0, 64, 1, 2, 3, 4, 5, 6))
    # cached code has no text
    words, normals = (strict(cache=False)(f.py_func) for f in (fill_particle_words, fill_normals))
    words(w, zero, lanes, *numbers)
    normals(g, 0, zero, w, zero, lanes)
    assert packed(words, "words") > 15 and packed(normals, "ps") > 15


@pytest.mark.parametrize("change, words", [
    (dict(scheme=BAOAB()), "integrates Underdamped"), (dict(particles=None), "particles=N"),
    (dict(particles=3, x0=np.zeros((4, 1))), "x0 holds 4"), (dict(x0=[np.nan]), "not finite"),
    (dict(x0=np.zeros((5, 2)), particles=5), "shape"), (dict(x0="origin"), "equilibrium"),
    (dict(steps=0), "positive integer"),
    (dict(t=(1.0, 0.0)), "rise"), (dict(seed=-1), "seed"), (dict(scheme=ExactOU()), "quadratic"),
    (dict(every=0), "every"),
    (dict(protocol=Linear(q=(0, 1))), "drives q"), (dict(device="tpu"), "tpu"), (dict(precision="half"), "precision"),
    (dict(threads=0.5), "threads"), (dict(first_particle=2**32), "2^32")])
def test_complaints_name_the_cause(change, words):
    how = {**dict(particles=10, t=(0.0, 1.0), steps=10), **change}
    with pytest.raises(UserError, match=re.escape(words)) as error:
        simulate(WELL, **how)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("dynamics, how, words", [
    (Overdamped(MullerBrown()), {}, "quadratic energies"), (Overdamped(Quartic(-1)), {}, "confines"),
    (Overdamped(Harmonic(-1)), {}, "confines"),
    (Overdamped(Harmonic(dimension=2), force=Rotation()), dict(scheme=MALA()), "extra force")])
def test_what_cannot_start_says_why(dynamics, how, words):
    with pytest.raises(UserError, match=words):
        simulate(dynamics, particles=10, steps=10, **how)


@pytest.mark.parametrize("make, words", [
    (lambda: Overdamped(DoubleWell(), temperature=-1), "temperature"),
    (lambda: Overdamped(DoubleWell(), force=Rotation()), "same"),
    (lambda: Underdamped(DoubleWell(), mass=0), "mass"),
    (lambda: __import__("thermosim.integrators").integrators.Splitting("VOX"), "VOX")])
def test_dynamics_refuse_nonsense(make, words):
    with pytest.raises(UserError, match=words):
        make()


def test_leimkuhler_matthews_remembers_its_normal_across_rows():
    a = simulate(WELL, particles=600, scheme=LeimkuhlerMatthews(), every=50, t=(0, 1), steps=50)
    b = simulate(WELL, particles=600, scheme=LeimkuhlerMatthews(), every=7, t=(0, 1), steps=50)
    assert np.array_equal(a.x, b.x)


def test_a_saved_run_is_whole(tmp_path):
    """The file holds the rows, the totals and the frames of the run, every column explained."""
    from thermosim.files.store import read_tree
    from thermosim.ledger import COLUMNS

    made = simulate(Overdamped(Harmonic()), particles=300, protocol=Linear(c=(0.0, 1.0)), steps=40, every=10,
                    record=5, seed=2)
    tree = read_tree(made.save(tmp_path / "run.h5"))
    rows = tree["ledger/rows"]
    assert np.array_equal(rows["work_mean"].values, made.ledger["work"])
    assert rows["heat_mean"].attrs["definition"] == COLUMNS["heat"].definition
    assert np.array_equal(tree["ledger/particles/work"].values, made.work)
    assert np.array_equal(tree["particles/trajectory/position/value"].values, made.frames)
    for _, node in tree["ledger"].walk():
        if hasattr(node, "values") and node.attrs:
            assert {"units", "sign", "definition"} <= set(node.attrs)


def test_no_gpu_is_one_line():
    with pytest.raises(UserError, match="--device cpu|device"):
        simulate(Overdamped(Harmonic()), particles=10, steps=2, device="cudda")
