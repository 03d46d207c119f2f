"""Thermal cycles of a particle in a trap U = kx²/2: strokes, closed moments, optimal strokes, feedback."""
