"""What no cycle beats: each bound as the least entropy a turn must produce, and what that leaves of the efficiency.

Any bound here is a number Σ_min with Σ ≥ Σ_min; the second law is Σ_min = 0. The uncertainty relation is
`fluctuations.Scatter.least_entropy`.
"""

from math import nan, sqrt

import numpy as np

from ...errors import UserError
from .moments import OverdampedMoments


def most_efficiency(books, least_entropy=0.0):
    """η ≤ η_C/(1 + T_c Σ_min/(−W)) of an engine that delivers −W; NaN where it delivers none.

    Parameters
    ----------
    books : Books
    least_entropy : float
        Σ_min of the turn.
    """
    return (1 - books.cold/books.hot)/(1 - books.cold*least_entropy/books.work) if books.work < 0 else nan


def most_cop(books, least_entropy=0.0):
    """Q_c/W ≤ (T_c/(T_h − T_c))(1 − T_h Σ_min/W) of a refrigerator that takes W; NaN where it takes none."""
    return books.cold/(books.hot - books.cold)*(1 - books.hot*least_entropy/books.work) if books.work > 0 else nan


def speed_limit(turn):
    """Σ ≥ W2²/(μT t) of each overdamped stroke, W2 = |√w_b − √w_a| of the Gaussian laws at its ends, (S,).

    Source: Aurell, Mejía-Monasterio, Muratore-Ginanneschi, 1012.2037 (Benamou and Brenier's formula for the distance).

    Raises
    ------
    UserError
        For an underdamped turn: inertia carries a law without friction.
    """
    if not isinstance(turn.medium, OverdampedMoments):
        raise UserError("the speed limit of W2 holds for overdamped strokes")
    return np.array([step**2/(turn.medium.mobility*s.temperature*s.duration)
                     for step, s in zip(np.diff(np.sqrt(turn.width)), turn.strokes)])


def heat_limit(turn):
    """Σ ≥ Q²/∫Θ dt of each stroke, (S,); over- and underdamped, however the stiffness moves.

    Source: Shiraishi, Saito, Tasaki, 1605.00356.
    """
    # no bath, no heat
    return np.divide(turn.heat**2, turn.exchange, out=np.zeros(len(turn.strokes)), where=turn.exchange > 0)


def power_efficiency(turn):
    """Σ ≥ (|Q_h| + |Q_c|)²/∫Θ dt of a whole turn: power ≤ Θ̄η(η_C − η)/(T_c(2 − η)²) for an engine.

    For every cyclic Markov process between two baths (Shiraishi, Saito, Tasaki, 1605.00356), here over- and
    underdamped Langevin dynamics. The trade-off with the scatter of the power (Pietzonka, Seifert, 1705.05817) is not
    used: it holds for engines in a steady state, not for driven ones.
    """
    books = turn.books
    return (abs(books.heat_hot) + abs(books.heat_cold))**2/turn.exchange.sum()


def most_power(hot, cold, w_a, w_b, mobility=1.0):
    """P ≤ μ((T_h − T_c) ln(w_b/w_a)/2)²/(16(√w_b − √w_a)²) of an overdamped engine that meets the hot bath between
    ⟨x²⟩ = w_a and w_b and the cold one on the way back: the power of Schmiedl and Seifert's strokes (0710.4097),
    which no others beat (`speed_limit`).
    """
    return mobility*((hot - cold)*0.5*np.log(w_b/w_a))**2/(16*(sqrt(w_b) - sqrt(w_a))**2)


def frontier(hot, cold, efficiency, points=20_001):
    """The largest P/P_max of low-dissipation engines with one action A in both baths, at an efficiency below Carnot's.

    Q_h = T_hΔS − A/t_h and Q_c = −T_cΔS − A/t_c (1008.2464), P_max as in `most_power`. No overdamped engine between the
    same end laws crosses it; at P = P_max it is η_C/(2 − η_C/2). Source: Holubec, Ryabov, 1603.02551, where the
    duration's split is optimised too.

    Parameters
    ----------
    hot, cold, efficiency : float
    points : int
        Of the search over the dissipated share.
    """
    carnot = 1 - cold/hot
    if not 0 < efficiency < carnot:
        raise UserError(f"an efficiency of the frontier lies between 0 and {carnot:g}, not at {efficiency}")
    lost = np.linspace(0, 1, points)[1:-1]                  # (A/t_h + A/t_c)/(T_h − T_c)ΔS
    in_hot = 1/carnot - (1 - lost)/efficiency               # the part A/t_h of it that gives this efficiency
    power = 16*(1 - lost)*in_hot*(lost - in_hot)/lost       # P ∝ W t_h t_c/(t_h + t_c)
    return float(power.max())
