"""Diffusion models measured as thermodynamic systems."""
from .version import __version__
