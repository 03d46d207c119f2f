"""Cycles run infinitely slowly: every stroke in closed form, forward as an engine, backward as a refrigerator.

The working medium is one particle in U = kx²/2. In full phase space the kinetic energy T/2 counts too;
overdamped books leave it out. Source: Blickle, Bechinger, Nature Phys. 8, 143 (2012); Schmiedl, Seifert, 0710.4097.
"""

from dataclasses import dataclass
from math import log, sqrt

from ...errors import UserError
from .books import Books


@dataclass(frozen=True)
class Corner:
    """One equilibrium state: stiffness k and temperature T, both positive."""

    k: float
    T: float

    def __post_init__(self):
        if not (0 < self.k < float("inf") and 0 < self.T < float("inf")):
            raise UserError(f"a corner of a cycle needs positive stiffness and temperature, not k = {self.k}, T = "
                            f"{self.T}")


def stroke(a, b, full=False):
    """(W, Q) of the quasi-static stroke between corners a and b.

    Isothermal where T stays, isochoric where k stays, isentropic where T/k (full: T²/k) stays.

    Raises
    ------
    UserError
        For any other pair of corners: the path between them would matter.
    """
    capacity = 1.0 if full else 0.5
    change = capacity*(b.T - a.T)
    if a.T == b.T:
        work = a.T/2*log(b.k/a.k)
        return work, -work
    if a.k == b.k:
        return 0.0, change
    power = 2 if full else 1
    if abs(log(b.T/a.T)*power - log(b.k/a.k)) < 1e-9:
        return change, 0.0
    raise UserError(f"{a} to {b} is neither isothermal, isochoric nor isentropic: put a corner between")


def run(corners, full=False, regenerator=False):
    """The books of a closed quasi-static cycle through `corners`, in the order given.

    Parameters
    ----------
    corners : sequence of Corner
        The last is joined to the first; reversed, the engine is a refrigerator.
    full : bool
        Count the kinetic energy too.
    regenerator : bool
        Isochoric heat is handed from one isochore to the other, reversibly, and no bath gives it.

    Returns
    -------
    Books
        Without a regenerator an isochore takes its heat from the bath it moves towards.
    """
    corners = list(corners)
    hot, cold = max(c.T for c in corners), min(c.T for c in corners)
    work = {hot: 0.0, cold: 0.0}
    heat, total = dict(work), 0.0
    for a, b in zip(corners, corners[1:] + corners[:1]):
        w, q = stroke(a, b, full)
        total += w
        if q == 0 or (regenerator and a.k == b.k):
            continue
        if b.T not in heat:
            raise UserError(f"heat at T = {b.T}, but the baths are at {hot} and {cold}: a quasi-static cycle has two "
                            "baths")
        heat[b.T] += q
    return Books(total, heat[hot], heat[cold], hot, cold)


def carnot(hot, cold, k_start, k_end, full=False):
    """Corners of a Carnot cycle whose hot isotherm goes from k_start to k_end."""
    ratio = (cold/hot)**(2 if full else 1)
    return Corner(k_start, hot), Corner(k_end, hot), Corner(k_end*ratio, cold), Corner(k_start*ratio, cold)


def stirling(hot, cold, k_max, k_min):
    """Corners of a Stirling cycle: two isotherms joined by two isochores."""
    return Corner(k_max, hot), Corner(k_min, hot), Corner(k_min, cold), Corner(k_max, cold)


def otto(hot, cold, k_max, k_min, full=False):
    """Corners of an Otto cycle: two isentropes joined by two isochores."""
    ratio = k_min/k_max if not full else sqrt(k_min/k_max)
    return Corner(k_max, hot), Corner(k_min, hot*ratio), Corner(k_min, cold), Corner(k_max, cold/ratio)
