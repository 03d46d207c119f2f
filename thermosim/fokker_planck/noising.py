"""Diffusion models on a grid: noise a density, read its score off the cells, and run the way back with it.

The noising process dx = a(t)x dt + √(2D) dw has the potential −(a/D)·x²/2 in units of the bath (1·x²/2
for VP, none for VE and EDM). The reverse family of noise level ξ > 0 has drift −ax + (1 + ξ)D∇ln p_t and
diffusivity ξD, the potential (a/D)·x²/2ξ − (1 + ξ)/ξ·ln p_t: both are Fokker–Planck equations of a
potential, so both use the same positive fluxes, and what returns differs from p_0 by discretisation alone.

Sources: Anderson, Stoch. Proc. Appl. 12, 313 (1982); Song et al. 2021 (2011.13456), eq. 6 and 13.
"""

from dataclasses import dataclass

import numpy as np

from ..errors import UserError
from .checks import field, made_of, numeric, positive, whole
from .densities import entropy
from .fluxes import Generator
from .grid import Grid
from .schemes import SCHEMES, Propagator, Scheme, SecondOrder

LOWEST = np.finfo(float).tiny       # a cell that has underflowed still has a logarithm


@dataclass
class Passage:
    """A density carried through a process, forwards or back.

    Attributes
    ----------
    times : (N + 1,) array
        In the order of the passage: falling on the way back.
    densities : (N + 1, *shape) array
    entropy_production : (N,) array
        Σ of each step, nats.
    heat : (N,) array
        −entropy_env of each step: ⟨Δ potential⟩ in units of the bath.
    diffusion : (N,) array
        ∫D dt of each step.
    """

    times: np.ndarray
    densities: np.ndarray
    entropy_production: np.ndarray
    heat: np.ndarray
    diffusion: np.ndarray

    @property
    def final(self):
        """The density where the passage ends."""
        return self.densities[-1]


class Noising:
    """A noising process on a grid of one or two dimensions.

    Parameters
    ----------
    process : schedules.VP, VE, EDM or SubVP
    grid : Grid
        Must hold the data and the noise: open ends are checked at every step.
    scheme : SecondOrder or ImplicitEuler, optional

    Examples
    --------
    >>> noising = Noising(VP(10.0, 10.0), Grid(Axis.uniform(-12, 12, 800)))                     # doctest: +SKIP
    >>> there = noising.forward(p0, np.linspace(0, 1, 201))                                     # doctest: +SKIP
    >>> back = noising.reverse(there)                                                           # doctest: +SKIP
    """

    def __init__(self, process, grid, scheme=SecondOrder()):
        if not isinstance(grid, Grid) or grid.dimension > 2:
            raise UserError("noising on a grid is for one or two dimensions: give Grid(Axis, ...) with one or two axes")
        if not all(hasattr(process, name) for name in ("drift_rate", "diffusivity", "noise")):
            raise UserError(f"process must be a VP, VE, EDM or SubVP object, not {process!r:.60}")
        made_of(scheme, Scheme, SCHEMES)
        self.process, self.grid, self.scheme = process, grid, scheme
        self.half_square = 0.5 * np.sum(grid.points() ** 2, axis=1).reshape(grid.shape)

    # ---- pictures of a density ------------------------------------------------------------------

    def score(self, p):
        """∂_k ln p at the cell centres, (d, *shape), second order in the cell width."""
        p, axes = field(self.grid, p), [a.centers for a in self.grid.axes]
        gradient = np.gradient(np.log(np.maximum(p, LOWEST)), *axes, edge_order=2)
        return np.stack([gradient] if self.grid.dimension == 1 else gradient)

    def velocity(self, p, t):
        """The probability flow ν = ax − D∇ln p at the cell centres, (d, *shape)."""
        x = np.moveaxis(self.grid.points().reshape(*self.grid.shape, -1), -1, 0)
        return self.process.drift_rate(t) * x - self.process.diffusivity(t) * self.score(p)

    def fisher_information(self, p):
        """∫p|∇ln p|²: Σ over faces of Δp·Δln p/Δx², the mean p of a face being the logarithmic one."""
        p, total = field(self.grid, p), 0.0
        log_p = np.log(np.maximum(p, LOWEST))
        for k, axis in enumerate(self.grid.axes):
            faces = self.grid.product([1 / a.distances[1:-1] if j == k else a.widths
                                       for j, a in enumerate(self.grid.axes)])
            total += np.sum(np.diff(log_p, axis=k) * np.diff(p, axis=k) * faces)
        return float(total)

    def mmse(self, p, t):
        """E‖x_0 − E[x_0|x_t]‖² in units of the data, by Tweedie: (s/α)²·(d − s²·I(p_t))."""
        s, alpha = self.process.noise(t), self.process.alpha(t)
        return float((s / alpha) ** 2 * (self.grid.dimension - s * s * self.fisher_information(p)))

    def kl_to_normal(self, p):
        """KL(p‖N(0, 1)), nats: the excess free energy of VP over T."""
        p = field(self.grid, p)
        energy = np.sum(p * self.grid.volumes * self.half_square)
        return float(energy + 0.5 * self.grid.dimension * np.log(2 * np.pi) - entropy(self.grid, p))

    # ---- there and back -------------------------------------------------------------------------

    def forward(self, p, times, substeps=1):
        """Noise a density.

        Parameters
        ----------
        p : array of the grid's shape, normalised
        times : rising times of the process, at least two
            One frame each; delta-like data need a first time at which the process has spread them.
        substeps : int
            Equal steps between frames.

        Returns
        -------
        Passage
        """
        times = self._times(times, substeps)

        def potential(a, b, n):
            # −(a/D)·x²/2 needs no density
            ratio = -self.process.drift_rate(0.5 * (a + b)) / self.process.diffusivity(0.5 * (a + b))
            return ratio * self.half_square

        return self._carry(self.grid.masses(p), times, substeps, potential, 1.0)

    def reverse(self, there, xi=1.0, start=None, substeps=1):
        """Return along a passage with the score of its densities.

        Parameters
        ----------
        there : Passage
            What `forward` gave; its frames are the score, taken at mid-interval as the mean of two.
        xi : float
            Noise level, > 0; 1 is the reverse SDE. The probability flow, ξ = 0, has no bath and no books.
        start : array, optional
            The density to start from, the last one of `there` unless given.
        substeps : int
            Equal steps between frames, all with the one score of their interval.

        Returns
        -------
        Passage
            Its heat is −⟨F∘dx⟩ with F drift over mobility at T = 1, VP's own bath.
        """
        positive(xi, "xi (the probability flow, 0, has no bath to keep books with)")
        middle = 0.5 * (there.densities[1:] + there.densities[:-1])[::-1]

        def potential(a, b, n):
            t = 0.5 * (a + b)
            ratio = self.process.drift_rate(t) / self.process.diffusivity(t)
            return ratio * self.half_square / xi - (1 + xi) / xi * np.log(np.maximum(middle[n], LOWEST))

        m = self.grid.masses(there.final if start is None else start)
        return self._carry(m, there.times[::-1], substeps, potential, xi)

    def _carry(self, m, times, substeps, potential, xi):
        frames, sigma, heat, spread = [m], [], [], []
        for n, (a, b) in enumerate(zip(times[:-1], times[1:])):
            made = np.zeros(3)
            for u, v in zip(np.linspace(a, b, substeps + 1)[:-1], np.linspace(a, b, substeps + 1)[1:]):
                # Simpson: exact for VP, EDM and all clocks cubic in time
                D = abs(v - u) / 6 * sum(w * self.process.diffusivity(t)
                                         for w, t in ((1, u), (4, 0.5 * (u + v)), (1, v)))
                if not np.isfinite(D) or D <= 0:
                    raise UserError(f"the process does not diffuse between t = {u:g} and {v:g}: choose other times")
                phi = potential(u, v, n)
                generator = Generator(self.grid, self._climbs(phi), 1.0)
                later = Propagator(generator, self.scheme, xi * D).advance(m)
                later = np.maximum(later, LOWEST)      # far out in the tails rounding may pass zero
                made += (generator.entropy_production(0.5 * (m + later)) * xi * D, np.sum((later - m) * phi), D)
                m = later
            self.grid.check_open_ends(m)
            frames.append(m)
            for column, value in zip((sigma, heat, spread), made):
                column.append(value)
        return Passage(np.array(times), np.stack(frames) / self.grid.volumes, *map(np.array, (sigma, heat, spread)))

    def _climbs(self, phi):
        climbs = []
        for k in range(self.grid.dimension):
            end = np.zeros_like(np.take(phi, [0], axis=k))
            climbs.append(np.concatenate([end, np.diff(phi, axis=k), end], axis=k))
        return climbs

    def _times(self, times, substeps):
        times = numeric(times, "times")
        if times.ndim != 1 or len(times) < 2 or not np.all(np.isfinite(times)) or np.any(np.diff(times) <= 0):
            raise UserError("give at least two times of the process, rising")
        whole(substeps, "substeps")
        if any(end not in ("open", "reflecting") for a in self.grid.axes for end in a.ends):
            raise UserError("a noising process lives on a grid with open ends: its noise neither wraps nor leaves")
        return times
