"""CPU engine: compiled loops over blocks of particles, and the random numbers that drive them."""
from .normals import normal_draws, normals
from .philox import philox4x32, words

__all__ = ["normal_draws", "normals", "philox4x32", "words"]
