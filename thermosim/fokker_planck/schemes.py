"""Time stepping as data: which polynomial of the resolvent S = (I − γhK)⁻¹ along which axis.

Along one axis a step is m ← c₁·S m + c₂·S² m; several axes are taken one after the other.
"""

from dataclasses import dataclass

import numpy as np

from ..backend.cpu.tridiagonal import Chains

ROOT2 = np.sqrt(2.0)


@dataclass(frozen=True)
class ImplicitEuler:
    """m ← S_z S_y S_x m: first order; p ≥ 0, mass and falling free energy at any step.

    Each factor is the transition matrix of a Markov chain (waiting an exponential time of mean h) that
    keeps e^{−U/T}, so relative entropy to it cannot grow.
    """

    order: int = 1
    gamma: float = 1.0
    c1: float = 1.0
    c2: float = 0.0
    positive_up_to: float = np.inf     # largest h·(exit rate of a cell along one axis) with p ≥ 0 for sure

    def sweeps(self, dimension):
        """(axis, share of h) of the sweeps of one step, in order."""
        return [(k, 1.0) for k in range(dimension)]


@dataclass(frozen=True)
class SecondOrder:
    """m ← (1 + √2)·S²m − √2·S m, γ = 1 − 1/√2: second order, L-stable; axes by Strang splitting.

    The two-stage diagonally implicit method of Alexander, SIAM J. Numer. Anal. 14, 1006 (1977), Theorem 5,
    written in its resolvent; half the error constant of Crank–Nicolson, and no start-up steps, since the
    fastest modes are damped to zero. Mass is kept at any step; p ≥ 0 is sure only while h·(exit rate of a
    cell along one axis) ≤ 1 + √2, the radius of absolute monotonicity (Bolley, Crouzeix, RAIRO 12, 237
    (1978)). Beyond it a density resolved by the grid stays positive in practice, a delta does not.
    """

    order: int = 2
    gamma: float = 1 - 1 / ROOT2
    c1: float = 1 - (1 + ROOT2)        # rounded so that c₁ + c₂ is 1 to the bit: mass hangs on it
    c2: float = 1 + ROOT2
    positive_up_to: float = 1 + ROOT2

    def sweeps(self, dimension):
        """(axis, share of h) of the sweeps of one step, in order: there and back again."""
        there = [(k, 0.5) for k in range(dimension - 1)]
        return there + [(dimension - 1, 1.0)] + there[::-1]


class Propagator:
    """One step of a scheme over h with a generator at rest, factored and ready.

    Parameters
    ----------
    generator : Generator
    scheme : ImplicitEuler or SecondOrder
    h : float
    """

    def __init__(self, generator, scheme, h):
        grid = generator.grid
        self.scheme, self._sweeps, chains = scheme, [], {}
        for k, share in scheme.sweeps(grid.dimension):
            if (k, share) not in chains:
                lines = (int(np.prod(grid.shape[:k])), grid.shape[k], int(np.prod(grid.shape[k + 1:])))
                chains[k, share] = Chains(generator.up[k].reshape(lines), generator.down[k].reshape(lines),
                                          scheme.gamma * share * h, grid.axes[k].periodic)
            self._sweeps.append(chains[k, share])

    def advance(self, m, steps=1):
        """Cell masses `steps` steps later, a new array."""
        m = np.array(m, dtype=np.float64, order="C")
        if len(self._sweeps) == 1:
            self._sweeps[0].apply(m, self.scheme.c1, self.scheme.c2, steps)
            return m
        for _ in range(steps):
            for chains in self._sweeps:
                chains.apply(m, self.scheme.c1, self.scheme.c2)
        return m
