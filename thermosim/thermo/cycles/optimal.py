"""Strokes of least work at finite speed, their jumps, and the engine made of them; all overdamped.

Sources: Schmiedl, Seifert, Phys. Rev. Lett. 98, 108301 (2007), cond-mat/0701554 (single strokes); Schmiedl, Seifert,
EPL 81, 20003 (2008), 0710.4097 (engine at maximum power); Curzon, Ahlborn, Am. J. Phys. 43, 22 (1975); Esposito, Kawai,
Lindenberg, Van den Broeck, Phys. Rev. Lett. 105, 150603 (2010), 1008.2464 (low dissipation).
"""

from dataclasses import dataclass
from math import log, sqrt

from ...errors import UserError
from .moments import Stroke


def positive(**values):
    """Refuse any value that is not positive and finite, by name (UserError)."""
    for name, value in values.items():
        if not 0 < value < float("inf"):
            raise UserError(f"{name} = {value} must be positive and finite")


def optimal_stroke(w0, w1, temperature, duration, mobility=1.0):
    """The isothermal stroke of least work between variances w0 and w1: √w linear in time.

    k = T/w − ẇ/(2μw) (0710.4097); its ends differ from the equilibrium stiffness: the jumps.
    """
    positive(w0=w0, w1=w1, temperature=temperature, duration=duration, mobility=mobility)
    speed = (sqrt(w1) - sqrt(w0))/duration

    def k(t):
        root = sqrt(w0) + speed*t
        return temperature/root**2 - speed/(mobility*root)

    return Stroke(k, temperature, duration)


def geodesic(k0, k1, temperature, duration, mobility=1.0):
    """The stroke of least work between the equilibria of two stiffnesses: it wastes (√w_1 − √w_0)²/(μt), w = T/k."""
    positive(k0=k0, k1=k1)
    return optimal_stroke(temperature/k0, temperature/k1, temperature, duration, mobility)


def moving_trap_work(distance, duration, stiffness=1.0, mobility=1.0):
    """W* = kλ²/(2 + μkt) of a trap dragged over `distance` (cond-mat/0701554)."""
    positive(duration=duration, stiffness=stiffness, mobility=mobility)
    return stiffness*distance**2/(2 + mobility*stiffness*duration)


def stiffening(k0, k1, duration, temperature=1.0, mobility=1.0):
    """(W*, stroke): the stiffness from k0 to k1 in `duration`, from equilibrium, at least work.

    √w = √w_0(1 + ct), and least work makes c the root of a quadratic (cond-mat/0701554); the stroke jumps at
    both ends. Work includes both jumps.
    """
    positive(k0=k0, k1=k1, duration=duration, temperature=temperature, mobility=mobility)
    a, b, t = mobility*k1, mobility*k0, duration
    # W/T = ½(k1/k0)(1 + ct)² − ½ − ln(1 + ct) + c²t/(μk0): dW/dc = 0 is quadratic in c
    c = (-(a*t + 1) + sqrt((a*t + 1)**2 - (a*t*t + 2*t)*(a - b)))/(a*t*t + 2*t)
    g = 1 + c*t
    work = temperature*(0.5*(k1/k0)*g*g - 0.5 - log(g) + c*c*t/b)
    w0 = temperature/k0
    return work, optimal_stroke(w0, w0*g*g, temperature, duration, mobility)


@dataclass(frozen=True)
class SchmiedlSeifert:
    """The engine of two optimal isotherms, variance w_a → w_b at `hot` and back at `cold`, instantaneous adiabats.

    Source: Schmiedl, Seifert, 0710.4097.
    """

    w_a: float
    w_b: float
    hot: float
    cold: float
    mobility: float = 1.0

    def __post_init__(self):
        positive(w_a=self.w_a, w_b=self.w_b, cold=self.cold, mobility=self.mobility)
        if not (self.w_b > self.w_a and self.hot > self.cold):
            raise UserError("an engine needs w_b > w_a and hot > cold")

    @property
    def action(self):
        """A = (√w_b − √w_a)²/μ: an isotherm of duration t wastes A/t."""
        return (sqrt(self.w_b) - sqrt(self.w_a))**2/self.mobility

    @property
    def best_duration(self):
        """τ* = 4A/((T_h − T_c)ΔS) of each isotherm, at maximum power."""
        return 4*self.action/((self.hot - self.cold)*0.5*log(self.w_b/self.w_a))

    def strokes(self, hot_duration, cold_duration):
        """The cycle as an engine."""
        return (optimal_stroke(self.w_a, self.w_b, self.hot, hot_duration, self.mobility),
                optimal_stroke(self.w_b, self.w_a, self.cold, cold_duration, self.mobility))

    def refrigerator(self, hot_duration, cold_duration):
        """The same widths in the opposite order: spread out in the cold, squeezed in the hot bath."""
        return (optimal_stroke(self.w_a, self.w_b, self.cold, cold_duration, self.mobility),
                optimal_stroke(self.w_b, self.w_a, self.hot, hot_duration, self.mobility))


def curzon_ahlborn(hot, cold):
    """1 − √(T_c/T_h): the endoreversible efficiency at maximum power, a landmark rather than a bound here."""
    return 1 - sqrt(cold/hot)


def low_dissipation(hot, cold):
    """(η_C/2, η_C/(2 − η_C)): what low-dissipation engines reach at maximum power (Esposito et al. 1008.2464)."""
    carnot = 1 - cold/hot
    return carnot/2, carnot/(2 - carnot)
