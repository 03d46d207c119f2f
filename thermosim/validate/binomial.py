"""Binomial diffusion: the best bounds on the heartbeat, and Jarzynski's identity over every path."""

import numpy as np

from ..binomial import BinomialChain
from ..datasets.heartbeat import Heartbeat
from ..score.binary import BinaryStates
from ..thermo.binomial import all_sequences, heartbeat_ceiling, path_average, reverse_law
from .row import Row, row

SITES = "product of exact site marginals q(x_{t−1,i}|x_t)"

ceilings = [
    Row(f"heartbeat.ceiling{'.edge' if edge else ''}.T{T}", SITES + (", p(x_0|x_1) = q(x_1|x_0)" if edge else ""), bits,
        "enumeration of 126 orbits of 2^20 sequences; bits", lambda T=T, edge=edge: heartbeat_ceiling(
            Heartbeat(), BinomialChain(T), edge) / np.log(2), digits=6)
    for edge, column in ((False, (-2.580619, -2.371490, -2.331759, -2.324382)),
                         (True, (-5.952878, -3.279783, -2.559914, -2.391423)))
    for T, bits in zip((20, 100, 500, 2000), column)
]


@row("binomial.jarzynski", "⟨e^{−W}⟩_q = p_θ(x_0)", 0.0,
     "all 512 paths of 3 sites in 3 steps, worst of 8 sequences", digits=12)
def jarzynski():
    """Largest relative gap between ⟨e^{−W}⟩ over all paths and p_θ of the reverse chain."""
    chain = BinomialChain(3)
    law = BinaryStates(np.array([[0, 1, 1], [1, 0, 0]]), chain, [0.7, 0.3])
    p = reverse_law(chain, law, 3)
    return max(abs(path_average(chain, law, x0)[0] / mass - 1) for x0, mass in zip(all_sequences(3), p))
