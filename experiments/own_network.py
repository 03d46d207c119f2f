"""Stands for your own network in `profile_denoiser.py`: a convolutional noise predictor of digits in plain PyTorch.

It knows nothing of thermosim: images (n, 1, 8, 8) and timesteps 0 … 999 in, ε out (Ho et al. 2020, 2006.11239).
"""

import torch
from torch import nn

T = 1000


def alpha_bar():
    """ᾱ_t, (T,) in double precision, of a chain whose √β rises
    linearly: Stable Diffusion's, as released (2112.10752)."""
    return torch.cumprod(1 - torch.linspace(0.00085**0.5, 0.012**0.5, T, dtype=torch.float64) ** 2, 0)


class Block(nn.Module):
    """Two convolutions beside a straight line; between them what time says scales and shifts every channel."""

    def __init__(self, channels, known):
        super().__init__()
        self.first, self.second = (nn.Conv2d(channels, channels, 3, padding=1) for _ in range(2))
        self.norm, self.time = nn.GroupNorm(8, channels), nn.Linear(known, 2 * channels)

    def forward(self, x, known):
        scale, shift = self.time(known)[..., None, None].chunk(2, dim=1)
        inner = self.norm(self.first(nn.functional.silu(x))) * (1 + scale) + shift
        return x + self.second(nn.functional.silu(inner))


class NoisePredictor(nn.Module):
    """ε(x_t, t) on 8×8 images: a coarse level of 4×4 between two fine ones.

    Called with x_t (n, 1, 8, 8) and t, a number or (n,), fractional too.
    """

    def __init__(self, channels=16, known=64):
        super().__init__()
        self.register_buffer("rates", torch.exp(torch.linspace(0, -9.2, known // 2)))
        self.known = nn.Sequential(nn.Linear(known, known), nn.SiLU(), nn.Linear(known, known), nn.SiLU())
        self.enter, self.leave = nn.Conv2d(1, channels, 3, padding=1), nn.Conv2d(channels, 1, 3, padding=1)
        self.down = nn.Conv2d(channels, 2 * channels, 4, stride=2, padding=1)
        self.up = nn.ConvTranspose2d(2 * channels, channels, 4, stride=2, padding=1)
        self.fine = nn.ModuleList(Block(channels, known) for _ in range(2))
        self.coarse = nn.ModuleList(Block(2 * channels, known) for _ in range(2))

    def forward(self, x, t):
        phase = t.expand(len(x))[:, None] * self.rates
        known = self.known(torch.cat([phase.sin(), phase.cos()], dim=1))
        fine = self.fine[0](self.enter(x), known)
        coarse = self.down(fine)
        for block in self.coarse:
            coarse = block(coarse, known)
        return self.leave(nn.functional.silu(self.fine[1](fine + self.up(coarse), known)))


def train(images, seed, steps, batch=128, rate=2e-3, wrap=iter):
    """A NoisePredictor of `images` (n, 1, 8, 8), by the plain
    loss of Ho et al. 2020, eq. 14, averaged over its way (EMA).

    `wrap` sees the iterable of its steps: a progress bar.
    """
    torch.manual_seed(seed)
    network, a = NoisePredictor(), alpha_bar().float()
    average = torch.optim.swa_utils.AveragedModel(network,
                                                  multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.995))
    adam = torch.optim.Adam(network.parameters(), rate)
    slower = torch.optim.lr_scheduler.CosineAnnealingLR(adam, steps)
    for _ in wrap(range(steps)):
        x, t = images[torch.randint(len(images), (batch,))], torch.randint(T, (batch,))
        noise, share = torch.randn_like(x), a[t][:, None, None, None]
        loss = ((network(share.sqrt() * x + (1 - share).sqrt() * noise, t) - noise) ** 2).mean()
        adam.zero_grad()
        loss.backward()
        adam.step()
        slower.step()
        average.update_parameters(network)
    return average.module.eval()
