"""Frames: the coordinate and the energy in which a leg is weighed.

A sampler moves x = x_0 + σn, and so does y = α(σ)·x seen from a frame that shrinks with the noise. What is heat,
what is work and what is frozen is said in one frame; kernels, and so entropies, are those of y.
"""

import math


class Lab:
    """y = x: noising is free diffusion, D = ½dσ²/dt, without an energy."""

    energy = False

    def alpha(self, sigma):
        """y/x at noise level `sigma`."""
        return 1.0

    def diffusion(self, sigma, sigma_next):
        """∫D dt between two levels, in units of y²."""
        return 0.5 * abs(sigma**2 - sigma_next**2)


class Trap:
    """y = x/√(1 + σ²): noising is an overdamped particle in U = y²/2 at T = 1, the variance-preserving process.

    Its equilibrium N(0, 1) is the prior, so free energy is KL(p‖N(0, 1)) and a sampler is an engine driven backwards.
    Source: Song et al. 2021 (2011.13456), eq. 11; α from Karras et al. 2022 (2206.00364), Table 1.
    """

    energy = True

    def alpha(self, sigma):
        """y/x at noise level `sigma`."""
        return 1 / math.sqrt(1 + sigma**2)

    def diffusion(self, sigma, sigma_next):
        """∫½β dt between two levels: 1 + σ² = e^{∫β}."""
        return 0.5 * abs(math.log1p(sigma**2) - math.log1p(sigma_next**2))


LAB, TRAP = Lab(), Trap()
