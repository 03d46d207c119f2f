"""Thermal cycles of a particle in a trap U = kx²/2, and an engine that runs on information.

    quasi_static.py  strokes without end: every corner an equilibrium, in closed form
    moments.py       strokes of any speed and their limit cycle in closed moments, over- and underdamped; regenerators
    strokes.py       Carnot, Stirling, Otto as strokes;  optimal.py  strokes of least work, the engine at maximum power
    roads.py         the same cycle by particles and by the density, with inertia that of positions and velocities
    books.py         W, Q_h, Q_c of a turn, and what follows: Σ, power, efficiency, coefficients of performance
    fluctuations.py  how a turn scatters;  bounds.py  what no cycle beats
    feedback.py      measured particles: work from information

A cycle of one's own is a sequence of `moments.Stroke`: a stiffness as a function of time, a bath, a duration.
"""
