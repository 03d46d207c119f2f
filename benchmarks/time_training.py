"""A small and a wide score network on one core and on two, training and inference: thermosim beside JAX and PyTorch.

    python benchmarks/time_training.py

Networks 34-128-128-128-2 and 34-1024-1024-1024-2 with SiLU, float32. A training step is forward, mean squared
error, backward and Adam on a batch of 512; inference is the answer to 10,000 points. Each peer lives in a process
of its own, held to one core or two; they take turns, a slice of 50 ms each or one call (300 ms on two cores, for
the threads of a BLAS go on spinning after their turn), for three quarters of a minute, so that other work on the
machine meets all of them. On one core time is the processor's, which leaves out when a process waited for its
turn; on two it is the wall's. The fastest call of all slices counts; beside it stands the median over slices of
their fastest, and that of its ratio to ours of the same turn. What is not installed is left out. Beside the peers:
the products alone by NumPy's BLAS, and the time that their floating-point operations take at the fma peak of these
very cores, which no float32 code can beat. Figures go to benchmarks/results/training.json.
"""

import json
import os
import statistics
import subprocess
import sys
import time

CORES, WIDTHS, BATCH, POINTS = (1, 2), (128, 1024), 512, 10_000
RATE, BETA1, BETA2, EPS = 1e-3, 0.9, 0.999, 1e-8
SLICE, SECONDS = {1: 0.05, 2: 0.3}, 45      # of one turn at least, by cores, and of all turns of a case


def sizes(width):
    return 34, width, width, width, 2


def data(rows, width):
    import numpy as np

    rng = np.random.default_rng(0)
    return [rng.standard_normal((rows, k), dtype=np.float32) for k in (sizes(width)[0], sizes(width)[-1])]


def together(width):
    """Training steps of one call, so that its overhead does not count."""
    return 10 if width < 512 else 1


class Thermosim:
    """Backward by hand and kernels of its own; its Adam also keeps a running mean."""

    def __init__(self, width):
        from thermosim.backend import open_device
        from thermosim.score.mlp import MLP

        self.device, self.width = open_device("cpu"), width
        self.net = MLP(sizes(width), "float32", self.device, seed=1)
        self.net.parameters[-2 * width:] = 0.01

    def training(self):
        import numpy as np

        net, device, (x, y) = self.net, self.device, data(BATCH, self.width)
        m, v, ema = (np.zeros_like(net.parameters) for _ in range(3))
        scale, done = np.float32(2 / y.size), 0

        def steps():
            nonlocal done
            for _ in range(together(self.width)):
                r = net.forward(x)
                r -= y
                r *= scale
                done += 1
                gradient = net.backward(r)
                device.adam(net.parameters, gradient, m, v, ema, RATE, (BETA1, BETA2), done, EPS, 0.0, 0.01)

        return steps

    def inference(self):
        """In chunks, as a denoiser does."""
        import numpy as np

        from thermosim.score.denoiser import Denoiser

        net, (x, y) = self.net, data(POINTS, self.width)
        out, chunk = np.empty_like(y), Denoiser(net, np.zeros(2), 1.0).chunk

        def answer():
            for a in range(0, POINTS, chunk):
                out[a:a + chunk] = net.evaluate(x[a:a + chunk])

        return answer


class Jax:
    """value_and_grad inside a jitted lax.scan over the steps; a jitted function for inference."""

    def __init__(self, width):
        import jax

        self.width = width
        key = jax.random.split(jax.random.PRNGKey(0), len(sizes(width)) - 1)
        pairs = zip(key, sizes(width), sizes(width)[1:])
        self.params = [(jax.random.normal(k, (a, b)) / a**0.5, jax.numpy.zeros(b)) for k, a, b in pairs]

    @staticmethod
    def forward(params, h):
        import jax

        for w, b in params[:-1]:
            h = jax.nn.silu(h @ w + b)
        return h @ params[-1][0] + params[-1][1]

    def training(self):
        import jax
        import jax.numpy as jnp

        x, y = map(jnp.asarray, data(BATCH, self.width))

        def loss(params):
            return jnp.mean((self.forward(params, x) - y) ** 2)

        def step(state, _):
            params, m, v, k = state
            g, k = jax.grad(loss)(params), k + 1
            m = jax.tree.map(lambda m, g: BETA1 * m + (1 - BETA1) * g, m, g)
            v = jax.tree.map(lambda v, g: BETA2 * v + (1 - BETA2) * g * g, v, g)

            def update(p, m, v):
                return p - RATE * m / (1 - BETA1**k) / (jnp.sqrt(v / (1 - BETA2**k)) + EPS)

            return (jax.tree.map(update, params, m, v), m, v, k), None

        many = jax.jit(lambda state: jax.lax.scan(step, state, None, length=together(self.width))[0])
        zeros = jax.tree.map(jnp.zeros_like, self.params)
        state = [(self.params, zeros, zeros, 0.0)]

        def steps():
            state[0] = jax.block_until_ready(many(state[0]))

        return steps

    def inference(self):
        import jax

        answer, x = jax.jit(self.forward), jax.numpy.asarray(data(POINTS, self.width)[0])
        return lambda: answer(self.params, x).block_until_ready()


class Torch:
    """Modules, autograd and torch.optim.Adam, eager."""

    def __init__(self, width):
        import torch

        torch.set_num_threads(len(os.sched_getaffinity(0)))
        pairs, self.width = zip(sizes(width), sizes(width)[1:]), width
        layers = [layer for a, b in pairs for layer in (torch.nn.Linear(a, b), torch.nn.SiLU())]
        self.net = torch.nn.Sequential(*layers[:-1])

    def compiled(self, function):
        return function

    def training(self):
        import torch

        x, y = map(torch.from_numpy, data(BATCH, self.width))
        optimiser = torch.optim.Adam(self.net.parameters(), RATE, (BETA1, BETA2), EPS)
        loss = self.compiled(lambda: torch.nn.functional.mse_loss(self.net(x), y))

        def steps():
            for _ in range(together(self.width)):
                optimiser.zero_grad()
                loss().backward()
                optimiser.step()

        return steps

    def inference(self):
        import torch

        net, x = self.compiled(self.net), torch.from_numpy(data(POINTS, self.width)[0])

        def answer():
            with torch.inference_mode():
                net(x)

        return answer


class TorchCompiled(Torch):
    """The same through torch.compile."""

    def compiled(self, function):
        import torch

        return torch.compile(function)


class Products:
    """The matrix products alone by NumPy's BLAS."""

    def __init__(self, width):
        import numpy as np

        self.widths = sizes(width)
        self.weights = [np.ones(pair, np.float32) for pair in zip(self.widths, self.widths[1:])]

    def training(self):
        import numpy as np

        rows = [np.ones((BATCH, k), np.float32) for k in self.widths]
        out = [np.empty_like(a) for a in rows + self.weights]

        def steps():
            for _ in range(together(self.widths[1])):
                for i, w in enumerate(self.weights):
                    np.matmul(rows[i], w, out=out[i + 1])
                    np.matmul(rows[i].T, rows[i + 1], out=out[len(rows) + i])
                    if i:
                        np.matmul(rows[i + 1], w.T, out=out[i])

        return steps

    def inference(self):
        import numpy as np

        rows = [np.ones((POINTS, k), np.float32) for k in self.widths]

        def answer():
            for a, w, b in zip(rows, self.weights, rows[1:]):
                np.matmul(a, w, out=b)

        return answer


class Peak:
    """As many multiply-adds as the products have, in registers."""

    def __init__(self, width):
        self.width = width

    def run(self, operations):
        import numpy as np

        from thermosim.backend.cpu.bits import fma
        from thermosim.backend.cpu.compile import strict
        from thermosim.backend.cpu.threads import get_threads, over_threads

        @strict(cache=False)
        def chains(start, stop, x, y, rounds):
            for _ in range(start, stop):
                a = np.ones(1024, np.float32)
                for _ in range(rounds):
                    for i in range(a.size):     # 16 in a row an element, so that loads and stores do not count
                        v = a[i]
                        v = fma(fma(fma(fma(v, x, y), x, y), x, y), x, y)
                        v = fma(fma(fma(fma(v, x, y), x, y), x, y), x, y)
                        v = fma(fma(fma(fma(v, x, y), x, y), x, y), x, y)
                        a[i] = fma(fma(fma(fma(v, x, y), x, y), x, y), x, y)

        cores, one = get_threads(), np.float32(1)
        return lambda: over_threads(chains, cores, 1, one, np.float32(1e-9), operations // (2 * 16 * 1024 * cores))

    def training(self):
        return self.run(operations("training", self.width) * together(self.width))

    def inference(self):
        return self.run(operations("inference", self.width))


def operations(job, width):
    """Floating-point operations of the products of a step, or of an inference."""
    layers = [a * b for a, b in zip(sizes(width), sizes(width)[1:])]
    if job == "inference":
        return 2 * POINTS * sum(layers)
    return 2 * BATCH * (3 * sum(layers) - layers[0])      # the data need no gradient


PEERS = {"thermosim": Thermosim, "JAX, jitted": Jax, "PyTorch, eager": Torch, "PyTorch, compiled": TorchCompiled,
         "BLAS products alone": Products, "fma peak of the cores": Peak}
JOBS = "training", "inference"
BLAS = "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"


def environment(cores):
    """Of a peer that shall use so many threads."""
    flags = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1" if cores == 1 else ""
    return os.environ | {name: str(cores) for name in BLAS} | {"XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu"}


def child(name, job, width, cores):
    """Warm up, and for every line on stdin run for a slice and print the seconds of its fastest call."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-int(cores):])
    call = getattr(PEERS[name](int(width)), job)()
    call(), call()
    print("ready", flush=True)
    clock = time.process_time if cores == "1" else time.perf_counter
    for _ in sys.stdin:
        best, end = float("inf"), clock() + SLICE[int(cores)]
        while clock() < end:
            begin = clock()
            call()
            best = min(best, clock() - begin)
        print(best / (together(int(width)) if job == "training" else 1), flush=True)


def open_peer(name, job, width, cores):
    """A peer's process, warmed up; None where it does not start."""
    peer = subprocess.Popen([sys.executable, __file__, name, job, str(width), str(cores)], stdin=subprocess.PIPE,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(cores))
    for line in peer.stdout:
        if line == "ready\n":
            return peer
    print(f"{name}: left out ({(peer.stderr.read().strip() or 'no reason').splitlines()[-1][:100]})")
    return None


def compare(job, width, cores):
    """Rows of one case: every peer's best and median, and how many
    times as long as ours it takes: at best, and turn by turn."""
    peers = {name: peer for name in PEERS if (peer := open_peer(name, job, width, cores))}
    slices = {name: [] for name in peers}
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        for name, peer in peers.items():
            print("go", file=peer.stdin, flush=True)
            slices[name].append(float(peer.stdout.readline()))
    for peer in peers.values():
        peer.communicate()
    rows, work = [], operations(job, width)
    much = f"batch {BATCH}" if job == "training" else f"{POINTS} points"
    print(f"{job}, 34-{width}-{width}-{width}-2, {much}, {cores} core{'s' * (cores > 1)}")
    for name, seconds in slices.items():
        best, median = min(seconds), statistics.median(seconds)
        ratio = best / min(slices["thermosim"])
        typical = statistics.median(a / b for a, b in zip(seconds, slices["thermosim"]))
        print(f"  {name:22} {best * 1e3:8.3f} ms (median {median * 1e3:8.3f}), {work / best / 1e9:6.1f} GFLOP/s, "
              f"{ratio:5.2f} times as long as thermosim (median over turns {typical:5.2f})", flush=True)
        rows.append({"job": job, "width": width, "cores": cores, "peer": name, "best_ms": round(best * 1e3, 4),
                     "median_ms": round(median * 1e3, 4), "gflop_per_s": round(work / best / 1e9, 1),
                     "times_ours": round(ratio, 3), "times_ours_median": round(typical, 3)})
    return rows


def main():
    from _bench import hardware, save

    machine = hardware("numpy", "numba", "jax", "jaxlib", "torch")
    rows = [row for cores in CORES for job in JOBS for width in WIDTHS for row in compare(job, width, cores)]
    print(f"{machine['cpu']}, load {machine['load']}, {machine['versions']}")
    print(save("training", machine, rows))


if __name__ == "__main__":
    child(*sys.argv[1:]) if len(sys.argv) > 1 else main()
