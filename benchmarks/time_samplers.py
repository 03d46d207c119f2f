"""Samples per second along the exact score of a mixture: thermosim in float64 beside JAX and PyTorch in float32.

    python benchmarks/time_samplers.py

Eight modes on a circle in the plane, 50,000 samples, 100 Euler steps over a Karras grid. Each peer runs in a
process of its own on one core and on two, three times in turn; the best counts for each, and what is not
installed is left out. Figures go to benchmarks/results/samplers.json.
"""

import json
import os
import subprocess
import sys

MODES, RADIUS, WIDTH, SAMPLES, STEPS, ROUNDS = 8, 2.0, 0.2, 50_000, 100, 3


def means():
    import numpy as np

    angle = 2 * np.pi * np.arange(MODES) / MODES
    return RADIUS * np.stack([np.cos(angle), np.sin(angle)], axis=1)


def grid():
    from thermosim.schedules import karras

    return karras(20.0, 0.02, STEPS)


def start():
    import numpy as np

    return grid()[0] * np.random.default_rng(0).standard_normal((SAMPLES, 2))


def thermosim_euler(cores):
    """thermosim, float64: `sample` with its euler over `GaussianMixture`, without books."""
    import numpy as np

    from thermosim.backend.cpu.device import Cpu
    from thermosim.backend.cpu.threads import set_threads
    from thermosim.runs.sampling import sample
    from thermosim.samplers import Euler
    from thermosim.score.exact import GaussianMixture

    set_threads(cores)
    law = GaussianMixture(np.full(MODES, 1 / MODES), means(), np.full(MODES, WIDTH**2))
    x, sigmas = start(), grid()
    return lambda: sample(Euler(), law, sigmas, SAMPLES, 2, 1, Cpu(), batch=SAMPLES, books=False, start=x).x


def jax_euler(cores):
    """JAX, float32: the whole run jitted, a lax.scan over the grid."""
    import jax
    import jax.numpy as jnp

    mu, sigmas, x = (jnp.asarray(a, jnp.float32) for a in (means(), grid(), start()))

    def step(x, pair):
        sigma, sigma_next = pair
        v = WIDTH**2 + sigma**2
        r = jax.nn.softmax(-((x[:, None, :] - mu) ** 2).sum(-1) / (2 * v), axis=-1)
        D = (WIDTH**2 * x + sigma**2 * (r @ mu)) / v
        return x + (sigma_next - sigma) * (x - D) / sigma, None

    run = jax.jit(lambda x: jax.lax.scan(step, x, (sigmas[:-1], sigmas[1:]))[0])
    return lambda: jax.block_until_ready(run(x))


def torch_euler(cores):
    """PyTorch, float32, eager: the loop of k-diffusion's sample_euler over the same formula."""
    import torch

    torch.set_num_threads(cores)
    mu, sigmas, x_0 = (torch.from_numpy(a).float() for a in (means(), grid(), start()))

    def denoise(x, sigma):
        v = (WIDTH**2 + sigma**2)[:, None]
        r = torch.softmax(-((x[:, None, :] - mu) ** 2).sum(-1) / (2 * v), dim=-1)
        return (WIDTH**2 * x + sigma[:, None] ** 2 * (r @ mu)) / v

    @torch.no_grad()
    def run():
        x, ones = x_0, x_0.new_ones(len(x_0))
        for sigma, sigma_next in zip(sigmas[:-1], sigmas[1:]):
            d = (x - denoise(x, sigma * ones)) / sigma
            x = x + d * (sigma_next - sigma)
        return x

    return run


PEERS = {"thermosim, float64": thermosim_euler, "JAX, jitted lax.scan, float32": jax_euler,
         "PyTorch, k-diffusion's loop, float32": torch_euler}


def child(name, cores):
    """Print the best seconds of one peer, and where the first sample ends."""
    import numpy as np
    from _bench import best_of

    os.sched_setaffinity(0, set(sorted(os.sched_getaffinity(0))[:cores]))
    run = PEERS[name](cores)
    print(json.dumps([best_of(run, 10), np.asarray(run())[0].tolist()]))


def main():
    from _bench import hardware, save

    machine, best, ends = hardware("numpy", "numba", "jax", "jaxlib", "torch"), {}, {}
    cases = [(name, cores) for cores in (1, 2) if cores <= machine["cores"] for name in PEERS]
    for _ in range(ROUNDS):
        for name, cores in cases:
            threads = {v: str(cores) for v in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")}
            single = {"XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false"} if cores == 1 else {}
            done = subprocess.run([sys.executable, __file__, name, str(cores)], capture_output=True, text=True,
                                  env=os.environ | threads | single | {"JAX_PLATFORMS": "cpu"})
            if done.returncode == 0:
                seconds, ends[name] = json.loads(done.stdout.splitlines()[-1])
                best[name, cores] = min(best.get((name, cores), seconds), seconds)
            else:
                print(f"{name}: left out ({(done.stderr.strip() or 'no reason').splitlines()[-1][:100]})")
    rows, ours = [], next(iter(PEERS))
    for (name, cores), seconds in best.items():
        ratio = seconds / best[ours, cores]
        rows.append({"peer": name, "cores": cores, "sample_steps_per_s": round(SAMPLES * STEPS / seconds),
                     "thermosim_is_times_faster": round(ratio, 2)})
        print(f"{name:38} {cores} core{'s' * (cores > 1):1} {SAMPLES * STEPS / seconds / 1e6:8.1f} million "
              "sample-steps/s   "
              f"thermosim is {ratio:6.2f} times as fast")
    print(f"first sample ends at {ends}")
    print(f"{machine['cpu']}, load {machine['load']}, {machine['versions']}")
    print(save("samplers", machine, rows))


if __name__ == "__main__":
    child(sys.argv[1], int(sys.argv[2])) if len(sys.argv) > 1 else main()
