"""The fused particle step in CUDA: the law's text, printed from the same `Step` as the Numba kernel's.

A particle's state, books and row statistics are bit for bit those of `backend.cpu.particles`; only a
launch differs, of one row of steps at a time with a thread a particle.
"""
from string import Template

import numpy as np

from ...symbolic.printers import cuda_lines
from ..cpu.particles import PRECISIONS, ParticleKernel
from . import C_TYPES, expand, source

LANES = 32       # running sums of a block's moments

LAW = Template("""#include "particles.cuh"

namespace thermosim {

struct Law {
    using Noise = $noise;
    static constexpr int slots = $slots, states = $states, books = $books, observed = $observed;
    static constexpr int dimension = $dimension, energy = $energy, length = $length;
    static constexpr int coefficients = $coefficients, parameters = $parameters;
    static constexpr bool closes = $closes;
    static constexpr int work = $work, shadow_work = $shadow_work, heat = $heat;
    REAL s[slots];
    Noise g[$numbers];

    DEVICE void begin(const REAL* P) {
$begin
    }
    DEVICE void draw(unsigned particle, unsigned group, unsigned key0, unsigned key1) {
$draw
    }
    DEVICE void step(int j, const REAL* C, const REAL* P) {
$step
    }
};

extern "C" __global__ void advance_row(REAL* state, double* totals, REAL* observed, REAL* defect,
                                       long long* lost, const REAL* C, const REAL* P, long long n,
                                       long long from, long long to, unsigned first, unsigned k0,
                                       unsigned k1) {
    advance_particles<Law>(state, totals, observed, defect, lost, C, P, n, from, to, first, k0, k1);
}

}  // namespace thermosim
""")


class CudaRun:
    """`run` of a step on a GPU, a row at a time; arguments are those of the CPU's kernels.

    Needs `device`, `source` (CUDA text with a kernel ``advance_row``) and a CPU kernel's layout.
    """

    threads = 1  # one launch covers all particles: shares of them would only queue behind each other

    def workspace(self, n):
        """Arrays that ``advance_row`` takes beside the state of n particles."""
        return []

    def on_device(self, low, high, state, totals, C, P, edges, statistics, defects, frames, alarm, first, k0, k1):
        """Blocks low … high − 1 of host arrays, through all rows."""
        device, xp, block = self.device, self.device.xp, self.block
        start, stop = low*block, min(high*block, len(state))
        n, blocks, rows, seen = stop - start, high - low, len(edges) - 1, len(self.observed)
        C, P, moving = (device.asarray(a, self.real) for a in (C, P, state[start:stop]))
        books, lost = xp.zeros((n, len(self.books))), xp.zeros(n, np.int64)
        observed, defect = xp.empty((seen, n), self.real), xp.zeros(blocks*block, self.real)
        sums, squares = xp.empty((seen*blocks, LANES)), xp.empty((seen*blocks, LANES))
        moments, closures = xp.empty((rows, seen*blocks, 2)), xp.empty((rows, blocks))
        recorded = max(0, min(n, frames.shape[1] - start))
        film = xp.empty((rows, recorded, frames.shape[2]))
        key = [np.uint32(int(first) + start), np.uint32(k0), np.uint32(k1)]
        place, more = [np.int64(seen), np.int64(n), np.int64(block)], self.workspace(n)
        for row in range(rows):
            device.launch(self.cuda, "advance_row", self.real, (1, n), moving, books, observed, defect[:n],
                          lost, *more, C, P, np.int64(n), np.int64(edges[row]), np.int64(edges[row + 1]), *key)
            device.launch(source("rows"), "row_sums", self.real, sums.shape, observed, sums, squares, *place)
            device.launch(source("rows"), "row_moments", self.real, (1, seen*blocks), observed, sums, squares,
                          moments[row], *place)
            closures[row] = defect.reshape(blocks, block).max(axis=1)
            film[row] = moving[:recorded, :frames.shape[2]]
        when = device.to_host(lost)
        for b in np.unique(np.flatnonzero(when)//block):
            part = when[b*block:(b + 1)*block]
            step = part[part > 0].min()
            alarm[low + b] = step, start + b*block + np.flatnonzero(part == step)[0]
        state[start:stop] = device.to_host(moving)
        totals[start:stop] += device.to_host(books)
        statistics[:, :, low:high] = device.to_host(moments).reshape(rows, seen, blocks, 2)
        defects[:, low:high] = device.to_host(closures)
        frames[:, start:start + recorded] = device.to_host(film)


class CudaParticleKernel(CudaRun, ParticleKernel):
    """A compiled step on a GPU; arguments, attributes and `run` are those of the CPU's `ParticleKernel`.

    Parameters
    ----------
    step, precision, stream, title
        As there.
    device : Gpu
    """

    def __init__(self, step, precision, stream, title, device):
        super().__init__(step, precision, stream, title)       # one layout of slots and blocks for both
        self.device = device
        self.source = self.cuda = expand(law_text(step, precision, stream), "law.cuh")
        self.run = self.on_device


def law_text(step, precision, stream):
    """CUDA source of a step: slots in the order of the CPU's kernel, operations in that of its programs."""
    new = {**step.state, **step.books, **step.levels}
    slots = [*new, "energy", *step.carried]
    at = {name: k for k, name in enumerate(slots)}
    length, numbers = step.grouping()
    place = {name: at.get(name, 0) for name in ("energy", "work", "shadow_work", "heat")}
    return LAW.substitute(
        place, noise=C_TYPES[PRECISIONS[precision][1]],
        slots=len(slots), states=len(step.state), books=len(step.books), observed=at["energy"] + 1,
        dimension=sum(name.startswith("x") for name in step.state), length=length,
        coefficients=max(1, len(step.coefficients)), parameters=max(1, len(step.parameters)),
        closes=str({"work", "shadow_work", "heat"} <= set(step.books)).lower(), numbers=max(1, numbers),
        begin=_begin(step, at), draw=_draw(step, stream), step=_step(step, at))


def _begin(step, at):
    lines = [let(name, f"s[{at[name]}]") for name in step.state]
    lines += _parameters(step, now=0, ahead=1)
    lines += cuda_lines(step.begin, step.begun.values())
    return indent(lines + [f"s[{at[slot]}] = {value};" for slot, value in step.begun.items()])


def _step(step, at):
    slots = {**step.state, **step.books, **step.levels, **step.carried}
    lines = [let(name, f"s[{at[name]}]") for name in slots if name not in step.levels]
    per_step, components, length = _noise(step)
    for name, component, index in [*step.noise, *step.numbers]:
        row = components.index(component)*length*per_step + index
        lines.append(let(name, f"(REAL)g[{row} + j*{per_step}]"))
    lines += [let(name, f"C[{k}]") for k, (name, _) in enumerate(step.coefficients)]
    lines += _parameters(step, now=1, ahead=2)
    lines += cuda_lines(step.advance, slots.values())
    return indent(lines + [f"s[{at[slot]}] = {value};" for slot, value in slots.items() if slot != value])


def _draw(step, stream):
    per_step, components, length = _noise(step)
    blocks, lines, uniforms = length*per_step//4, [], {c for _, c, _ in step.numbers}
    for row, (c, b) in enumerate((c, b) for c in components for b in range(blocks)):
        w, g = f"w{row}", 4*row
        lines.append(f"Words {w} = philox(particle, {c}u, {blocks}u*group + {b}u, {stream}u, key0, key1);")
        if c in uniforms:
            lines += [f"g[{g + k}] = uniform<Noise>({w}.{letter});" for k, letter in enumerate("abcd")]
        else:
            lines += [f"box_muller({w}.a, {w}.b, g[{g}], g[{g + 1}]);",
                      f"box_muller({w}.c, {w}.d, g[{g + 2}], g[{g + 3}]);"]
    return indent(lines)


def _noise(step):
    """Random numbers per component and step, the components, and the steps of a group."""
    noise = [*step.noise, *step.numbers]
    per_step = max([index + 1 for _, _, index in noise], default=1)
    return per_step, sorted({c for _, c, _ in noise}), step.grouping()[0]


def _parameters(step, now, ahead):
    columns = max(1, len(step.parameters))
    lines = [let(f"now_{p}", f"P[{now*columns + k}]") for k, p in enumerate(step.parameters)]
    return lines + [let(f"next_{p}", f"P[{ahead*columns + step.parameters.index(p)}]") for p in step.driven]


def let(name, value):
    """A declaration of type REAL."""
    return f"const REAL {name} = {value};"


def indent(lines):
    """Lines as one text, inside a member function."""
    return "\n".join("        " + line for line in lines)
