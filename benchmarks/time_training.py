"""Training steps per second of a small score network on one core: thermosim beside JAX and PyTorch.

    python benchmarks/time_training.py

The network 34-128-128-128-2 with SiLU, batch 512, float32; one step is forward, mean squared error, backward
and Adam. Each peer runs in a process of its own, held to one core, three times in turn; the fastest tenth
counts for each, and what is not installed is left out. Figures go to benchmarks/results/training.json.
"""

import json
import os
import subprocess
import sys

SIZES, BATCH, STEPS, ROUNDS = (34, 128, 128, 128, 2), 512, 200, 3
RATE, BETA1, BETA2, EPS = 1e-3, 0.9, 0.999, 1e-8


def data():
    import numpy as np

    rng = np.random.default_rng(0)
    return [rng.standard_normal((BATCH, k), dtype=np.float32) for k in (SIZES[0], SIZES[-1])]


def thermosim_steps():
    """thermosim: backward by hand, its own kernels throughout; its Adam also keeps a running mean."""
    import numpy as np

    from thermosim.backend import open_device
    from thermosim.score.mlp import MLP

    device = open_device("cpu")
    net, (x, y) = MLP(SIZES, "float32", device), data()
    m, v, ema = (np.zeros_like(net.parameters) for _ in range(3))
    scale, done = np.float32(2 / y.size), 0

    def steps():
        nonlocal done
        for _ in range(STEPS):
            r = net.forward(x)
            r -= y
            r *= scale
            done += 1
            gradient = net.backward(r)
            device.adam(net.parameters, gradient, m, v, ema, RATE, (BETA1, BETA2), done, EPS, 0.0, 0.01)

    return steps


def jax_steps():
    """JAX: value_and_grad inside a jitted lax.scan over the steps."""
    import jax
    import jax.numpy as jnp

    x, y = map(jnp.asarray, data())
    key = jax.random.split(jax.random.PRNGKey(0), len(SIZES) - 1)
    params = [(jax.random.normal(k, (a, b)) / a**0.5, jnp.zeros(b)) for k, a, b in zip(key, SIZES, SIZES[1:])]

    def loss(params):
        h = x
        for w, b in params[:-1]:
            h = jax.nn.silu(h @ w + b)
        return jnp.mean((h @ params[-1][0] + params[-1][1] - y) ** 2)

    def step(state, _):
        params, m, v, k = state
        g, k = jax.grad(loss)(params), k + 1
        m = jax.tree.map(lambda m, g: BETA1 * m + (1 - BETA1) * g, m, g)
        v = jax.tree.map(lambda v, g: BETA2 * v + (1 - BETA2) * g * g, v, g)

        def update(p, m, v):
            return p - RATE * m / (1 - BETA1**k) / (jnp.sqrt(v / (1 - BETA2**k)) + EPS)

        return (jax.tree.map(update, params, m, v), m, v, k), None

    many = jax.jit(lambda state: jax.lax.scan(step, state, None, length=STEPS)[0])
    zeros = jax.tree.map(jnp.zeros_like, params)
    state = [(params, zeros, zeros, 0.0)]

    def steps():
        state[0] = jax.block_until_ready(many(state[0]))

    return steps


def torch_steps(compiled=False):
    """PyTorch: modules, autograd and torch.optim.Adam, eager or compiled."""
    import torch

    torch.set_num_threads(1)
    layers = [layer for a, b in zip(SIZES, SIZES[1:]) for layer in (torch.nn.Linear(a, b), torch.nn.SiLU())]
    net, (x, y) = torch.nn.Sequential(*layers[:-1]), map(torch.from_numpy, data())
    optimiser = torch.optim.Adam(net.parameters(), RATE, (BETA1, BETA2), EPS)

    def loss():
        return torch.nn.functional.mse_loss(net(x), y)

    evaluate = torch.compile(loss) if compiled else loss

    def steps():
        for _ in range(STEPS):
            optimiser.zero_grad()
            evaluate().backward()
            optimiser.step()

    return steps


def products_alone():
    """The step's eleven matrix products by NumPy's BLAS alone: no step built on it can be faster."""
    import numpy as np

    rows = [np.ones((BATCH, k), np.float32) for k in SIZES]
    weights = [np.ones(pair, np.float32) for pair in zip(SIZES, SIZES[1:])]
    out = [np.empty_like(a) for a in rows + weights]

    def steps():
        for _ in range(STEPS):
            for i, w in enumerate(weights):
                np.matmul(rows[i], w, out=out[i + 1])
                np.matmul(rows[i].T, rows[i + 1], out=out[len(rows) + i])
                if i:
                    np.matmul(rows[i + 1], w.T, out=out[i])

    return steps


PEERS = {
    "thermosim": thermosim_steps, "JAX, jitted lax.scan": jax_steps, "PyTorch, eager": torch_steps,
    "PyTorch, compiled": lambda: torch_steps(compiled=True), "BLAS products alone": products_alone,
}
ONE_THREAD = {name: "1" for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")} | {
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false", "JAX_PLATFORMS": "cpu"}


def child(name):
    """Print the best steps per second of one peer."""
    from _bench import best_of

    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    print(json.dumps(STEPS / best_of(PEERS[name](), 10)))


def main():
    from _bench import hardware, save

    rates, machine = {}, hardware("numpy", "numba", "jax", "jaxlib", "torch")
    for _ in range(ROUNDS):
        for name in PEERS:
            done = subprocess.run([sys.executable, __file__, name], capture_output=True, text=True,
                                  env=os.environ | ONE_THREAD)
            if done.returncode == 0:
                rates[name] = max(rates.get(name, 0.0), float(done.stdout.splitlines()[-1]))
            else:
                print(f"{name}: left out ({(done.stderr.strip() or 'no reason').splitlines()[-1][:100]})")
    for name, rate in rates.items():
        print(f"{name:22} {rate:8.0f} steps/s   thermosim is {rates['thermosim'] / rate:5.2f} times as fast")
    print(f"{machine['cpu']}, load {machine['load']}, {machine['versions']}")
    rows = [{"peer": name, "steps_per_s": round(rate, 1)} for name, rate in rates.items()]
    print(save("training", machine, rows))


if __name__ == "__main__":
    child(sys.argv[1]) if len(sys.argv) > 1 else main()
