"""Cooling: run a sampler from noise to data over a grid and book every leg."""

from dataclasses import dataclass, field

import numpy as np

from ..errors import UserError
from ..ledger import Ledger, RunningMoments
from ..samplers.base import ADIABAT
from ..samplers.books import CHANNELS, book, reasons
from ..samplers.frames import LAB
from ..score.remembered import Remembered

# streams of one seed: the counter word that keeps draws for different purposes apart
START, STEPS, TESTS = 0, 1, 6


class Draws:
    """Random numbers of particles first … first + m − 1, (m, d), in the order a sampler asks for them."""

    def __init__(self, device, seed, m, d, first):
        self.device, self.seed, self.m, self.d, self.first = device, seed, m, d, first
        self.draw = self.test = 0

    def normals(self):
        """Standard normals, (m, d)."""
        self.draw += 1
        return self.device.normals(self.seed, STEPS, self.draw - 1, self.m, self.d, first=self.first)

    def log_uniforms(self):
        """Logarithms of uniforms in (0, 1), (m,)."""
        self.test += 1
        words = self.device.words(self.seed, TESTS, self.test - 1, self.m, 1, first=self.first)[:, 0]
        return self.device.xp.log((words + 0.5) / 2.0**32)


class Oracle:
    """A denoiser that counts for how many particles the sampler asks; `look` is what the books ask, not counted."""

    def __init__(self, denoise):
        self.look, self.particles = Remembered(denoise), 0

    def ask(self, x, sigma):
        """What the sampler pays for."""
        self.particles += len(x)
        return self.look(x, sigma)


@dataclass
class SamplerRun:
    """What a sampler did.

    Attributes
    ----------
    x : (n, d) array
        Where it ended.
    ledger : Ledger or None
        One row a leg, on the scale "leg"; coordinate "sampler_step" says which step it belongs to.
    totals : dict of (n,) arrays
        Sum over legs per particle of the channels that exist on every leg.
    evaluations : float
        Network evaluations of the sampler per particle, the books' own left out.
    frames : (steps + 1, kept, d) array or None
    """

    x: np.ndarray
    ledger: Ledger
    totals: dict = field(default_factory=dict)
    evaluations: float = 0.0
    frames: np.ndarray = None


def sample(sampler, denoise, sigmas, n, d, seed, device, batch=1000, books=True, frames=0, start=None, frame=LAB):
    """Cool `n` particles along `sigmas`.

    Parameters
    ----------
    sampler : Sampler
    denoise : callable (x, sigma) → E[x_0|x], x of shape (m, d) on the device
    sigmas : (N + 1,) falling noise levels; the run starts at σ_0 and ends at σ_N
    n, d : int
    seed : int
        Noise depends on (seed, particle, step) alone: any `batch` gives the same bits where `denoise`
        does its work particle by particle.
    device : Cpu or Gpu
    books : bool
        Book the legs; costs one more evaluation a leg (two for second-order legs).
    frames : int
        Keep the paths of this many first particles.
    start : (n, d) array, optional
        Where to start, instead of N(0, σ_0²).
    frame : Lab or Trap
        In which the legs are weighed; the trap has an energy, and so work.

    Returns
    -------
    SamplerRun

    Raises
    ------
    UserError
        Levels that do not fall, or a particle that left the finite numbers.
    """
    sigmas = np.asarray(sigmas, float)
    if sigmas.ndim != 1 or len(sigmas) < 2 or not np.all(np.diff(sigmas) < 0) or sigmas[-1] < 0:
        raise UserError("sigmas must fall from step to step and stay >= 0: pass them from noise to data")
    if n < 1 or batch < 1:
        raise UserError(f"at least one particle and one a batch, not n={n}, batch={batch}")
    x_end = np.empty((n, d))
    paths = np.empty((len(sigmas), min(frames, n), d)) if frames else None
    rows, columns, totals, asked = [], [], {}, 0
    for first in range(0, n, batch):
        m = min(batch, n - first)
        x = device.asarray(start[first : first + m]) if start is not None else (
            sigmas[0] * device.normals(seed, START, 0, m, d, first=first))
        oracle, draws, memory, row = Oracle(denoise), Draws(device, seed, m, d, first), {"steps": len(sigmas) - 1}, 0
        shown = max(0, min(frames - first, m))
        for step, (sigma, sigma_next) in enumerate(zip(sigmas[:-1], sigmas[1:])):
            if shown:
                paths[step, first : first + shown] = device.to_host(x[:shown])
            for leg in sampler.legs(float(sigma), float(sigma_next), memory):
                mean, x_new = leg.move(x, oracle.ask, draws)
                if books:
                    if first == 0:
                        rows.append((step, leg, oracle.particles / m))
                        columns.append({name: RunningMoments() for name in CHANNELS})
                    for name, values in book(leg, x, mean, x_new, oracle.look, frame).items():
                        values = device.to_host(values)
                        columns[row][name].add(values)
                        totals.setdefault(name, np.zeros(n))[first : first + m] += values
                    row += 1
                x = x_new
        asked += oracle.particles
        x_end[first : first + m] = device.to_host(x)
        if shown:
            paths[-1, first : first + shown] = x_end[first : first + shown]
    if not np.all(np.isfinite(x_end)):
        bad = int(np.argmin(np.isfinite(x_end).all(axis=1)))
        raise UserError(f"{sampler} blew up: particle {bad} is not finite; use more steps or a gentler grid")
    run = SamplerRun(x_end, None, {}, asked / n, paths)
    if books:
        run.ledger = _ledger(rows, columns, n, d, frame)
        whole = [c for c in totals if all(k[c].count for k in columns)]
        run.totals = {name: totals[name] for name in whole}
    return run


def _ledger(rows, columns, n, d, frame):
    legs = [leg for _, leg, _ in rows]
    why = {}
    for leg, moments in zip(legs, columns):
        missing = reasons(leg, frame)
        for name in CHANNELS:
            if not moments[name].count:
                why.setdefault(name, []).append(f"{leg.stroke}: {missing[name]}")
    coordinates = {
        "sampler_step": np.array([step for step, _, _ in rows]),
        "sigma": np.array([leg.sigma for leg in legs]),
        "sigma_next": np.array([leg.sigma_next for leg in legs]),
        "stroke": np.array([leg.stroke for leg in legs]),
        "nfe": np.array([nfe for _, _, nfe in rows]),
        "log_volume": np.array([
            d * np.log(leg.stretch * frame.alpha(leg.sigma_next) / frame.alpha(leg.sigma)) if leg.stroke == ADIABAT else 0.0
            for leg in legs]),
    }
    return Ledger(
        "leg", coordinates,
        {name: np.array([k[name].mean for k in columns]) for name in CHANNELS},
        {name: np.array([k[name].variance for k in columns]) for name in CHANNELS},
        n, {name: "; ".join(dict.fromkeys(lines)) for name, lines in why.items()},
    )
