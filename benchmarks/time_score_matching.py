"""Score matching without a target and exact divergences on one core: thermosim beside JAX and PyTorch.

    python benchmarks/time_score_matching.py

The network 34-128-128-128-2 with SiLU, float32. A step is value and gradient of ⟨½|s|² + v·∂s/∂x·v⟩ at 512 points
with one random direction each (Song et al. 2019, 1905.07088); a divergence is ∇·s at 10⁴ points by two directions.
Each peer runs in a process of its own, held to one core, three times in turn; the shortest processor time counts.
What is not installed is left out. Figures go to benchmarks/results/score_matching.json.
"""

import json
import os
import subprocess
import sys
import time

SIZES, BATCH, POINTS, D, ROUNDS = (34, 128, 128, 128, 2), 512, 10_000, 2, 3


def data(n):
    import numpy as np

    rng = np.random.default_rng(0)
    return rng.standard_normal((n, SIZES[0]), dtype=np.float32), np.sign(rng.standard_normal((n, D), dtype=np.float32))


def thermosim_cases():
    """thermosim: a bundle of points and tangents through layers whose backward pass is written by hand."""
    import numpy as np

    from thermosim.backend import open_device
    from thermosim.score.mlp import MLP

    net = MLP(SIZES, "float32", open_device("cpu"))
    net.layers[-1].W[:] = np.random.default_rng(1).standard_normal((SIZES[-2], D)) / SIZES[-2] ** 0.5
    x, v = data(BATCH)
    along = np.zeros((1, *x.shape), np.float32)
    along[0, :, :D] = v
    points, _ = data(POINTS)
    axes = np.zeros((D, 512, SIZES[0]), np.float32)
    axes[range(D), :, range(D)] = 1

    def step():
        s, slopes = net.push(x, along)
        value = 0.5 * np.sum(s**2) + np.sum(v * slopes[0])
        return value, net.pull(s / BATCH, v[None] / BATCH)

    def divergence():
        parts = []
        for a in range(0, POINTS, 512):
            part = points[a:a + 512]
            _, J = net.push(part, axes[:, :len(part)])
            parts.append(np.einsum("jnj->n", J))
        return np.concatenate(parts)

    return step, divergence


def jax_cases():
    """JAX: jvp for the slopes, value_and_grad over it, jitted."""
    import jax
    import jax.numpy as jnp

    (x, v), (points, _) = data(BATCH), data(POINTS)
    keys = jax.random.split(jax.random.PRNGKey(0), len(SIZES) - 1)
    params = [(jax.random.normal(k, (a, b)) / a**0.5, jnp.zeros(b)) for k, a, b in zip(keys, SIZES, SIZES[1:])]

    def score(params, h):
        for w, b in params[:-1]:
            h = jax.nn.silu(h @ w + b)
        return h @ params[-1][0] + params[-1][1]

    def slopes(params, x, t):
        return jax.jvp(lambda y: score(params, y), (x,), (t,))

    def loss(params, x, v):
        s, along = slopes(params, x, jnp.pad(v, ((0, 0), (0, SIZES[0] - D))))
        return jnp.mean(jnp.sum(0.5 * s**2 + v * along, axis=1))

    def divergence(params, x):
        axes = jnp.eye(SIZES[0])[:D]
        return sum(slopes(params, x, jnp.broadcast_to(axis, x.shape))[1][:, i] for i, axis in enumerate(axes))

    gradient, trace = jax.jit(jax.value_and_grad(loss)), jax.jit(divergence)
    return lambda: jax.block_until_ready(gradient(params, x, v)), lambda: jax.block_until_ready(trace(params, points))


def torch_cases():
    """PyTorch, eager: forward-mode through torch.func for the divergence, double backward for the step."""
    import torch

    torch.set_num_threads(1)
    layers = [layer for a, b in zip(SIZES, SIZES[1:]) for layer in (torch.nn.Linear(a, b), torch.nn.SiLU())]
    net = torch.nn.Sequential(*layers[:-1])
    (x, v), points = map(torch.from_numpy, data(BATCH)), torch.from_numpy(data(POINTS)[0])

    def step():
        y = x.clone().requires_grad_()
        net.zero_grad()
        s = net(y)
        back, = torch.autograd.grad((s * v).sum(), y, create_graph=True)
        loss = (0.5 * s**2).sum(1).mean() + (back[:, :D] * v).sum(1).mean()
        loss.backward()

    def divergence():
        trace = 0.0
        with torch.no_grad():
            for i in range(D):
                t = torch.zeros_like(points)
                t[:, i] = 1
                trace = trace + torch.func.jvp(net, (points,), (t,))[1][:, i]
        return trace

    return step, divergence


PEERS = {"thermosim": thermosim_cases, "JAX, jitted": jax_cases, "PyTorch, eager": torch_cases}
CASES = f"sliced step, {BATCH} points", f"divergence, {POINTS} points"
ONE_THREAD = {name: "1" for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")} | {
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false", "JAX_PLATFORMS": "cpu"}


def child(name):
    """Print the shortest milliseconds of one peer's cases."""
    from _bench import best_of

    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    print(json.dumps([1e3 * best_of(case, 30, clock=time.process_time) for case in PEERS[name]()]))


def main():
    from _bench import hardware, save

    best, machine = {}, hardware("numpy", "numba", "jax", "jaxlib", "torch")
    for _ in range(ROUNDS):
        for name in PEERS:
            done = subprocess.run([sys.executable, __file__, name], capture_output=True, text=True,
                                  env=os.environ | ONE_THREAD)
            if done.returncode == 0:
                found = json.loads(done.stdout.splitlines()[-1])
                best[name] = list(map(min, best.get(name, found), found))
            else:
                print(f"{name}: left out ({(done.stderr.strip() or 'no reason').splitlines()[-1][:100]})")
    rows = [{"case": case, "peer": name, "ms": round(times[k], 3)} for k, case in enumerate(CASES)
            for name, times in best.items()]
    for row in rows:
        ratio = row["ms"] / best["thermosim"][CASES.index(row["case"])]
        print(f"{row['case']:26} {row['peer']:16} {row['ms']:8.2f} ms   thermosim is {ratio:5.2f} times as fast")
    print(f"{machine['cpu']}, load {machine['load']}, {machine['versions']}")
    print(save("score_matching", machine, rows))


if __name__ == "__main__":
    child(sys.argv[1]) if len(sys.argv) > 1 else main()
