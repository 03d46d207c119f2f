"""The named cycles at finite speed, as strokes; run the tuple reversed, each stroke backward, for a refrigerator.

Overdamped adiabats are instantaneous: the stiffness jumps between strokes at frozen positions. A particle with
inertia has adiabats that last, strokes without bath.
"""

from .moments import Isolated, OverdampedMoments, Stroke, regenerate


def carnot(hot, cold, k_start, k_end, hot_duration, cold_duration, along=Stroke.linear):
    """Two isotherms; jumps along k ∝ T between them (isentropic where the law fits).

    Parameters
    ----------
    hot, cold : float
        Temperatures of the baths.
    k_start, k_end : float
        Stiffness at the ends of the hot isotherm.
    hot_duration, cold_duration : float
    along : callable (k0, k1, temperature, duration) → Stroke
        How an isotherm is driven: straight, or `optimal.geodesic`.

    Returns
    -------
    tuple of Stroke
    """
    ratio = cold/hot
    return along(k_start, k_end, hot, hot_duration), along(k_end*ratio, k_start*ratio, cold, cold_duration)


def stirling(hot, cold, k_max, k_min, isotherm, isochore, along=Stroke.linear):
    """Expansion in the hot bath, cooling at k_min, compression in the cold bath, heating at k_max.

    Parameters
    ----------
    hot, cold, k_max, k_min : float
    isotherm, isochore : float
        Duration of each.
    along : callable
        As for `carnot`.
    """
    return (along(k_max, k_min, hot, isotherm), Stroke.linear(k_min, k_min, cold, isochore),
            along(k_min, k_max, cold, isotherm), Stroke.linear(k_max, k_max, hot, isochore))


def regenerated_stirling(hot, cold, k_max, k_min, isotherm, isochore, stores, along=Stroke.linear,
                         medium=OverdampedMoments()):
    """A Stirling cycle whose isochores pass through `stores` stores of heat on the way down and up again.

    Slow, the hot bath gives ½ΔT/(stores + 1) to the isochore in place of ½ΔT; without end, it gives nothing. Turned
    around, the stores balance elsewhere: ``regenerate(reversed_cycle(strokes))``.
    """
    steps = [hot + (cold - hot)*j/(stores + 1) for j in range(1, stores + 1)]
    rest = isochore/(stores + 1)
    down = [Stroke.linear(k_min, k_min, T, rest) for T in (*steps, cold)]
    up = [Stroke.linear(k_max, k_max, T, rest) for T in (*steps[::-1], hot)]
    return regenerate((along(k_max, k_min, hot, isotherm), *down, along(k_min, k_max, cold, isotherm), *up), medium)


def otto(hot, cold, k_max, k_min, isochore):
    """Heating at k_max, a jump to k_min, cooling there, and back."""
    return Stroke.linear(k_max, k_max, hot, isochore), Stroke.linear(k_min, k_min, cold, isochore)


def inert_carnot(hot, cold, k_start, k_end, hot_duration, cold_duration, mass=1.0, along=Stroke.linear):
    """Two isotherms joined by reversible strokes without bath,
    k ∝ T² along these: the cycle of a particle with inertia."""
    ratio = (cold/hot)**2
    return (along(k_start, k_end, hot, hot_duration), Isolated.reversible(k_end, k_end*ratio, mass),
            along(k_end*ratio, k_start*ratio, cold, cold_duration), Isolated.reversible(k_start*ratio, k_start, mass))


def inert_otto(hot, cold, k_max, k_min, isochore, mass=1.0):
    """Heating at k_max, a reversible stroke without bath to k_min, cooling there, and back: η = 1 − √(k_min/k_max)."""
    return (Stroke.linear(k_max, k_max, hot, isochore), Isolated.reversible(k_max, k_min, mass),
            Stroke.linear(k_min, k_min, cold, isochore), Isolated.reversible(k_min, k_max, mass))


def reversed_cycle(strokes):
    """The same strokes in the opposite order, each backward: a refrigerator or a heat pump of an engine."""
    return tuple(s.backward() for s in reversed(tuple(strokes)))
