"""The named cycles at finite speed, as strokes; run the tuple reversed, each stroke backward, for a refrigerator.

Overdamped adiabats are instantaneous: the stiffness jumps between strokes at frozen positions. With inertia a
stroke without bath does not exist in the moments, and the jumps stand for it too.
"""

from .moments import Stroke


def carnot(hot, cold, k_start, k_end, hot_duration, cold_duration):
    """Two isotherms, the stiffness on straight lines; jumps along k ∝ T between them (isentropic where the law fits)."""
    ratio = cold/hot
    return (Stroke.linear(k_start, k_end, hot, hot_duration), Stroke.linear(k_end*ratio, k_start*ratio, cold, cold_duration))


def stirling(hot, cold, k_max, k_min, isotherm, isochore):
    """Expansion in the hot bath, cooling at k_min, compression in the cold bath, heating at k_max."""
    return (Stroke.linear(k_max, k_min, hot, isotherm), Stroke.linear(k_min, k_min, cold, isochore),
            Stroke.linear(k_min, k_max, cold, isotherm), Stroke.linear(k_max, k_max, hot, isochore))


def otto(hot, cold, k_max, k_min, isochore):
    """Heating at k_max, a jump to k_min, cooling there, and back."""
    return Stroke.linear(k_max, k_max, hot, isochore), Stroke.linear(k_min, k_min, cold, isochore)


def reversed_cycle(strokes):
    """The same strokes in the opposite order, each backward: a refrigerator or a heat pump of an engine."""
    return tuple(s.backward() for s in reversed(tuple(strokes)))
