"""Samplers beside k-diffusion's in float64: same denoiser, same grid, same normals; the largest difference of each.

    python benchmarks/compare_k_diffusion.py

k-diffusion asks for its own versions of PyTorch and NumPy: give it an environment of its own. Figures go to
benchmarks/results/k_diffusion.json. Its Brownian trees are replaced by our normals, for dpmpp_sde with the
correlation that our two normals of a step have.
"""

import sys

import numpy as np
from _bench import hardware, save

from thermosim import schedules
from thermosim.backend.cpu.device import Cpu
from thermosim.runs.sampling import START, Draws, sample
from thermosim.samplers import (DDIM, DPM2, LMS, Ancestral, DPMpp2M, DPMpp2MSDE, DPMpp2S, DPMpp3M, DPMpp3MSDE,
                                DPMppSDE, Euler,
                                EulerAncestral, Heun)

try:
    import torch
    from k_diffusion import sampling
except ImportError as missing:
    sys.exit(f"this comparison needs k-diffusion and PyTorch in an environment of their own: {missing}")

N, D, SEED = 50, 3, 4
CASES = (
    (Euler(), "sample_euler", {}), (Heun(), "sample_heun", {}), (Heun(s_churn=8.0), "sample_heun", {"s_churn": 8.0}),
    (DPM2(), "sample_dpm_2", {}), (LMS(), "sample_lms", {}), (LMS(2), "sample_lms", {"order": 2}),
    (DPMpp2S(), "sample_dpmpp_2s_ancestral", {"eta": 0.0}), (DPMpp2M(), "sample_dpmpp_2m", {}),
    (DPMpp3M(), "sample_dpmpp_3m_sde", {"eta": 0.0}), (EulerAncestral(), "sample_euler_ancestral", {}),
    (DDIM(0.5), "sample_euler_ancestral", {"eta": 0.5}), (Ancestral(DPM2()), "sample_dpm_2_ancestral", {}),
    (Ancestral(DPMpp2S()), "sample_dpmpp_2s_ancestral", {}), (DPMppSDE(), "sample_dpmpp_sde", {}),
    (DPMppSDE(0.7), "sample_dpmpp_sde", {"eta": 0.7}), (DPMpp2MSDE(), "sample_dpmpp_2m_sde", {}),
    (DPMpp2MSDE(0.4), "sample_dpmpp_2m_sde", {"eta": 0.4}), (DPMpp3MSDE(), "sample_dpmpp_3m_sde", {}),
    (DPMpp3MSDE(0.4), "sample_dpmpp_3m_sde", {"eta": 0.4}))


def denoise(x, sigma):
    return np.tanh(1.3 * x) / (1 + 0.2 * sigma) + 0.1 * np.sin(x) / (1 + sigma**2)


class Model(torch.nn.Module):
    """`denoise` in PyTorch; sigma is a row of equal levels there."""

    def forward(self, x, sigma):
        sigma = sigma[:, None]
        return torch.tanh(1.3 * x) / (1 + 0.2 * sigma) + 0.1 * torch.sin(x) / (1 + sigma**2)


def normals(sampler, grid):
    """Our normals in the order in which k-diffusion asks for them."""
    draws = Draws(Cpu(), SEED, N, D, 0)
    for s, t in zip(grid[:-1], grid[1:]):
        first = draws.normals()
        yield torch.from_numpy(first)
        if sampler.draws == 2 and t > 0:
            rho = np.sqrt(((s * t) ** -1 - s**-2) / (t**-2 - s**-2))
            yield torch.from_numpy(rho * first + np.sqrt(1 - rho**2) * draws.normals())


def difference(sampler, name, settings, grid):
    """Largest difference between where ours and theirs end."""
    ours = sample(sampler, denoise, grid, N, D, SEED, Cpu(), books=False).x
    start = torch.from_numpy(grid[0] * Cpu().normals(SEED, START, 0, N, D))
    noise = normals(sampler, grid)
    if sampler.name == "heun_churn":  # it draws by itself
        torch.randn_like = lambda x: next(noise)
    elif sampler.draws:
        settings = settings | {"noise_sampler": lambda sigma, sigma_next: next(noise)}
    theirs = getattr(sampling, name)(Model(), start, torch.from_numpy(grid), disable=True, **settings).numpy()
    return float(np.abs(ours - theirs).max())


def main():
    torch.set_default_dtype(torch.float64)
    rows, randn_like = [], torch.randn_like
    for sampler, name, settings in CASES:
        worst = 0.0
        for steps in (12, 40):
            grid = schedules.karras(10.0, 0.02, steps)
            for levels in (grid, np.append(grid, 0.0)):
                worst = max(worst, difference(sampler, name, settings, levels))
                torch.randn_like = randn_like
        rows.append({"sampler": sampler.name, "k_diffusion": name, "settings": settings, "largest_difference": worst})
        print(f"{sampler.name:20} {name:28} {settings!s:18} {worst:.1e}")
    print(save("k_diffusion", hardware("numpy", "torch", "k-diffusion"), rows))


if __name__ == "__main__":
    main()
