"""Time stepping as data: which polynomial of the resolvent S = (I − γhK)⁻¹ along which axis.

Along one axis a step is m ← c₁·S m + c₂·S² m, or a Chebyshev series in S; several axes are taken one after
the other. A new scheme is a `Scheme` with the fields of these and its `sweeps`.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

from ..backend import open_device
from ..errors import UserError
from .checks import whole

ROOT2 = np.sqrt(2.0)


SCHEMES = "a scheme is ImplicitEuler(), SecondOrder() or Chebyshev()"


class Scheme:
    """What a step asks of a scheme; order, gamma, c1, c2 and the `sweeps` are its own.

    Attributes
    ----------
    order : int
        Of a step whose parameters move.
    order_at_rest : int
        What step doubling may count on while nothing moves.
    first_steps : int
        Into how many steps a run with controlled error is divided at first.
    positive_up_to : float
        Largest h·(exit rate of a cell along one axis) with p ≥ 0 for sure.
    """

    first_steps = 16

    @property
    def order_at_rest(self):
        """As with parameters that move."""
        return self.order

    def check(self, generator):
        """Every generator will do."""

    def apply(self, chains, m, steps):
        """m through `steps` steps along one axis, in place."""
        chains.apply(m, self.c1, self.c2, steps)


@dataclass(frozen=True)
class ImplicitEuler(Scheme):
    """m ← S_z S_y S_x m: first order; p ≥ 0, mass and falling free energy at any step.

    Each factor is the transition matrix of a Markov chain (waiting an exponential time of mean h) that
    keeps e^{−U/T}, so relative entropy to it cannot grow.
    """

    order: int = 1
    gamma: float = 1.0
    c1: float = 1.0
    c2: float = 0.0
    positive_up_to: float = np.inf

    def sweeps(self, dimension):
        """(axis, share of h) of the sweeps of one step, in order."""
        return [(k, 1.0) for k in range(dimension)]


@dataclass(frozen=True)
class SecondOrder(Scheme):
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


@dataclass(frozen=True)
class Chebyshev(Scheme):
    """m ← Σ_k a_k·T_k(2S − 1) m, γ = √2/degree: e^{hK} in one step of any length, on one axis.

    Where detailed balance holds the rates x of −K are real, S maps all of them, 0 to ∞, onto (0, 1], and
    e^{−hx} = exp(−(1/s − 1)/γ) is a smooth function of s there. Its interpolant at the Chebyshev points keeps mass
    (s = 1) and lets the fastest modes vanish (s = 0); its error, the same at every h and for any grid, is 4·10⁻⁶
    at degree 12, 1.1·10⁻⁷ at 16, 1.4·10⁻¹⁰ at 24, in the norm that weighs with e^{U/T}. p ≥ 0 holds up to that error
    alone. Under a protocol the parameters still rest at mid-step: second order then.

    Sources: Andersson, J. Approx. Theory 32, 85 (1981): the pole and the rate of the best real one;
    Güttel, Shao, 2511.21858: interpolation with a shared real pole.
    """

    degree: int = 24
    order: int = 2
    positive_up_to: float = 0.0

    order_at_rest = 1                  # the error does not follow the step: count on nothing
    first_steps = 1

    def __post_init__(self):
        whole(self.degree, "degree", least=2, most=60)

    @property
    def gamma(self):
        """Share of the step in the resolvent."""
        return ROOT2 / self.degree

    @property
    def coefficients(self):
        """a_k, (degree + 1,)."""
        return interpolant(self.degree, self.gamma)

    def check(self, generator):
        """Refuse what has no real spectrum or more than one axis."""
        if generator.grid.dimension != 1:
            raise UserError("Chebyshev steps are for one axis: use SecondOrder in two and three dimensions")
        if generator.grid.axes[0].periodic and not generator.reversible():
            raise UserError("Chebyshev steps need detailed balance, and a force drives this ring: use SecondOrder")

    def apply(self, chains, m, steps):
        """m through `steps` steps along one axis, in place."""
        for _ in range(steps):
            chains.series(m, self.coefficients)

    def sweeps(self, dimension):
        """(axis, share of h) of the sweeps of one step: one."""
        return [(0, 1.0)]


@cache
def interpolant(degree, gamma):
    """Coefficients in T_k(2s − 1) of the polynomial that meets exp(−(1/s − 1)/γ) at the Chebyshev points of [0, 1]."""
    j = np.arange(degree + 1)
    angles = np.pi * j / degree
    ends = np.where((j == 0) | (j == degree), 0.5, 1.0)
    s = 0.5 * (1 + np.cos(angles))
    s[-1] = 0.0
    with np.errstate(divide="ignore"):
        values = np.exp(-(1 / s - 1) / gamma)
    a = 2 / degree * ends * (np.cos(np.outer(j, angles)) @ (ends * values))
    a[0] += 1 - a.sum()                        # 1 to the bit: mass hangs on it
    a.flags.writeable = False
    return a


class Propagator:
    """One step of a scheme over h with a generator at rest, factored and ready.

    Parameters
    ----------
    generator : Generator
    scheme : ImplicitEuler, SecondOrder or Chebyshev
    h : float
    device : Cpu or Gpu, optional
        Where the masses lie.

    Raises
    ------
    UserError
        Where the scheme is not made for the generator.
    """

    def __init__(self, generator, scheme, h, device=None):
        scheme.check(generator)
        device = device or open_device()
        grid = generator.grid
        self.scheme, self._sweeps, chains = scheme, [], {}
        for k, share in scheme.sweeps(grid.dimension):
            if (k, share) not in chains:
                lines = (int(np.prod(grid.shape[:k])), grid.shape[k], int(np.prod(grid.shape[k + 1:])))
                chains[k, share] = device.chains(generator.up[k].reshape(lines), generator.down[k].reshape(lines),
                                                 scheme.gamma * share * h, grid.axes[k].periodic)
            self._sweeps.append(chains[k, share])

    def advance(self, m, steps=1):
        """Cell masses, float64 of the device, `steps` steps later: a new array."""
        m = m.copy()
        if len(self._sweeps) == 1:
            self.scheme.apply(self._sweeps[0], m, steps)
            return m
        for _ in range(steps):
            for chains in self._sweeps:
                self.scheme.apply(chains, m, 1)
        return m
