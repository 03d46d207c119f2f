"""Steps over arrays in CUDA: the text of backend.cpu.arrays, spelt for one thread a particle."""

from functools import singledispatch
from string import Template

import numpy as np

from ...symbolic.loops import Bonds, LogSum
from ...symbolic.printers import CALLS, CUDA, INFIX, cuda_lines
from ..array_text import ArrayText
from ..cpu.arrays import ArrayKernel
from ..cpu.particles import PRECISIONS
from . import C_TYPES, expand
from .particles import CudaRun, indent, let

LAW = Template("""#include "arrays.cuh"

namespace thermosim {

struct Law {
    using Noise = $noise;
    static constexpr long long D = $dimension, arrays = $arrays, numbers = $numbers;
    static constexpr long long states = $states, books = $books, observed = $observed;
    static constexpr long long coefficients = $coefficients, parameters = $parameters, length = $length;
    static constexpr bool closes = $closes;
    static constexpr long long energy = $energy, energy_before = $energy_before;
    static constexpr long long work = $work, shadow_work = $shadow_work, heat = $heat;
    REAL* S;
    Noise* G;
    double* scratch;
    long long n;
$fields
$law
    DEVICE void begin(const REAL* P) {
$begin
    }
    DEVICE void draw(unsigned particle, unsigned group, unsigned key0, unsigned key1) {
        for (long long k = 0; k < D; k++)
            for (unsigned b = 0; b < $blocks; b++) {
                Words w = philox(particle, (unsigned)k, ${blocks}u * group + b, ${stream}u, key0, key1);
                Noise a, c, e, f;
                box_muller(w.a, w.b, a, c);
                box_muller(w.c, w.d, e, f);
                Noise* g = G + (4 * b * D + k) * n;
                g[0] = a, g[D * n] = c, g[2 * D * n] = e, g[3 * D * n] = f;
            }
$draw_numbers
    }
    DEVICE void advance(int j, const REAL* C, const REAL* P) {
        const long long turn = j * $per_step;
$advance
    }
};

extern "C" __global__ void advance_row(REAL* state, double* totals, REAL* observed, REAL* defect, long long* lost,
                                       REAL* S, $noise* G, double* scratch, $arguments
                                       const REAL* C, const REAL* P, long long n, long long from, long long to,
                                       unsigned first, unsigned k0, unsigned k1) {
    at_every_place(1, n, [&](long long, long long i) {
        if (lost[i]) return;
        Law p{S + i, G + i, scratch + i, n, $names};
        advance_arrays(p, i, state, totals, observed, defect, lost, C, P, from, to, first, k0, k1);
    });
}

}  // namespace thermosim
""")


class CudaArrayKernel(CudaRun, ArrayKernel):
    """A compiled `ArrayStep` on a GPU; arguments, attributes and `run` are those of the CPU's `ArrayKernel`."""

    def __init__(self, step, precision, stream, title, device):
        super().__init__(step, precision, stream, title)
        self.device, self.step, self.noise = device, step, PRECISIONS[precision][1]
        self.cuda = expand(law_text(step, precision, stream), "law.cuh")
        self.tables = [device.asarray(t, t.dtype) for t in step.loop.tables]
        self.run = self.on_device

    def workspace(self, n):
        """Arrays on the device that a launch over n particles needs beside their state."""
        xp, text, d = self.device.xp, self.text, self.step.dimension
        places = len(text.plan.arrays)*d + len(text.plan.numbers)
        scratch = xp.empty((max(1, scratch_numbers(self.step.loop)), n))
        return [xp.zeros((places, n), self.real), xp.zeros((max(1, text.rows*(d + 1)), n), self.noise), scratch,
                *self.tables]


def law_text(step, precision, stream):
    """CUDA source of a step over arrays."""
    text = CudaText(step)
    number = text.plan.numbers.index
    columns = {name: number(name) if name in text.plan.numbers else 0
               for name in ("energy", "energy_before", "work", "shadow_work", "heat")}
    fields = [f"const {'long long' if t.dtype == np.int64 else 'double'}* table{k};"
              for k, t in enumerate(step.loop.tables)]
    return LAW.substitute(
        columns, noise=C_TYPES[PRECISIONS[precision][1]], dimension=step.dimension, arrays=len(text.plan.arrays),
        numbers=len(text.plan.numbers), states=len(step.state), books=len(step.books), observed=number("energy") + 1,
        coefficients=max(1, len(step.coefficients)), parameters=max(1, len(step.parameters)), length=text.length,
        closes=str({"work", "shadow_work", "heat"} <= set(step.books)).lower(), per_step=text.per_step,
        blocks=text.rows//4, stream=stream, law=law(step.loop, step.uniforms), begin=text.begin(),
        draw_numbers=text.draw_numbers(stream), advance=text.advance(), fields="\n".join("    " + f for f in fields),
        arguments="".join(f[:-1] + ", " for f in fields), names=", ".join(f"table{k}" for k in range(len(fields))))


# ---- the laws ---------------------------------------------------------------------------------

@singledispatch
def scratch_numbers(loop):
    """Doubles a thread needs to evaluate a law."""
    return 0


@scratch_numbers.register
def _(loop: LogSum):
    components, d = loop.means.shape
    return 4*d + components


@singledispatch
def law(loop, uniforms):
    """Member function ``law(x, f, e, *uniforms)``: energy to number e, force to array f, of array x."""
    raise TypeError(f"no kernel for a {type(loop).__name__}")


@law.register
def _(loop: Bonds, uniforms):
    axes = loop.neighbours.shape[1]//2
    listed = "".join(f", {name}" for name in uniforms)
    lines = ["REAL total = 0;", "for (long long k = 0; k < D; k++) {", f"const long long* near = table0 + k*{2*axes};",
             "const REAL phi = X[k*n];", "REAL value, slope;", f"site(phi{listed}, value, slope);",
             "REAL energy = value, force = -slope;"]
    for a in range(axes):
        lines += [f"bond(phi - X[near[{a}]*n]{listed}, value, slope);", "energy += value;", "force -= slope;"]
    for a in range(axes, 2*axes):
        lines += [f"bond(X[near[{a}]*n] - phi{listed}, value, slope);", "force += slope;"]
    lines += ["total += energy;", "F[k*n] = force;", "}", "S[(arrays*D + e)*n] = total;"]
    return _function("site", "phi", *loop.site, uniforms) + _function("bond", "delta", *loop.bond, uniforms) \
        + _law(uniforms, lines)


@law.register
def _(loop: LogSum, uniforms):
    components, d = loop.means.shape
    turned = str(bool(loop.vectors.size)).lower()
    return _law(uniforms, [
        f"S[(arrays*D + e)*n] = mixture_energy(X, F, scratch, n, {d}, {components}, (double)p_sigma, (double)p_theta,",
        f"    table0, table1, table2, table3, table4, {turned});"])


def _law(uniforms, lines):
    listed = "".join(f", REAL {name}" for name in uniforms)
    head = f"    DEVICE void law(long long x, long long f, long long e{listed}) {{\n"
    return head + indent(["const REAL* X = S + x*D*n;", "REAL* F = S + f*D*n;", *lines]) + "\n    }"


def _function(name, variable, program, outputs, uniforms):
    listed = "".join(f", REAL {p}" for p in uniforms)
    lines = [*cuda_lines(program, outputs), f"value = {outputs[0]};", f"slope = {outputs[1]};"]
    return (f"    static DEVICE void {name}(REAL {variable}{listed}, REAL& value, REAL& slope) {{\n{indent(lines)}\n"
            "    }\n")


# ---- a step -----------------------------------------------------------------------------------

class CudaText(ArrayText):
    """In C: a thread's own column of memory, components k."""

    operations = {**INFIX, **CALLS, **CUDA}

    def let(self, name, value):
        return let(name, value)

    def constant(self, name, value):
        return let(name, f"(REAL){value}")

    def put(self, place, value):
        return f"{place} = {value};"

    def over_components(self, body):
        return ["for (long long k = 0; k < D; k++) {", *("    " + line for line in body), "}"]

    def over_particles(self, body):
        return ["{", *("    " + line for line in body), "}"]

    def array_at(self, place):
        return f"S[({place}*D + k)*n]"

    def number_at(self, place):
        return f"S[(arrays*D + {place})*n]"

    def normal_at(self, index):
        return f"(REAL)G[((turn + {index})*D + k)*n]"

    def uniform_at(self, index):
        return f"(REAL)G[({self.rows}*D + turn + {index})*n]"

    def law(self, x, force, energy, uniforms):
        return f"law({', '.join(map(str, (x, force, energy, *uniforms)))});"

    def table_at(self, table, row, column):
        width = max(1, len(self.step.parameters if table == "P" else self.step.coefficients))
        return f"{table}[{row*width + column}]"

    def advance(self):
        return indent(self.coefficients() + self.parameters(1, 2) + self.program("advance", self.step.advance))

    def begin(self):
        return indent(self.parameters(0, 1) + self.program("begin", self.step.begin))

    def draw_numbers(self, stream):
        if not self.step.numbers:
            return ""
        blocks = self.rows//4
        return indent([f"for (unsigned b = 0; b < {blocks}; b++) {{",
                       f"    Words w = philox(particle, (unsigned)D, {blocks}u*group + b, {stream}u, key0, key1);",
                       f"    Noise* g = G + ({self.rows}*D + 4*b)*n;",
                       "    g[0] = uniform<Noise>(w.a), g[n] = uniform<Noise>(w.b);",
                       "    g[2*n] = uniform<Noise>(w.c), g[3*n] = uniform<Noise>(w.d);", "}"])
