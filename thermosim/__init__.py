"""Diffusion models measured as thermodynamic systems.

The public face; every name is loaded when it is first used, so that importing thermosim costs nothing.

    energies and drives   Potential, Harmonic, DoubleWell, ... ; Linear, Smooth, Piecewise, Jump, Expression
    dynamics and schemes  Overdamped, Underdamped; EulerMaruyama, ExactOU, MALA, Splitting, BAOAB, ...
    runs                  simulate (particles), heat (data to noise), sample (noise to data),
                          FokkerPlanck and KleinKramers (densities)
    scores                Gaussian, GaussianMixture, Empirical (exact), Denoiser, Perceptron, RadialBasis,
                          TrainConfig, train (learned)
    schedules             VP, VE, EDM, karras, log_snr, cosine, linear; MseCurve (the geodesic of least work),
                          schedule (measured for a sampler)
"""

from .version import __version__

_ROOMS = {
    "potentials": ("Potential", "ForceField", "Harmonic", "DoubleWell", "Quartic", "Periodic", "MullerBrown",
                   "Rosenbrock", "Rotation", "Tilt", "Lattice", "PhiFour", "MixtureEnergy"),
    "protocols": ("Constant", "Linear", "Smooth", "Piecewise", "Sampled", "Jump", "Expression", "Together"),
    "schedules": ("VP", "VE", "EDM", "SubVP", "karras", "log_snr", "cosine", "linear"),
    "dynamics": ("Overdamped", "Underdamped"),
    "integrators": ("EulerMaruyama", "ExactOU", "StochasticHeun", "LeimkuhlerMatthews", "MALA", "Splitting",
                    "BAOAB", "OBABO"),
    "fokker_planck": ("FokkerPlanck", "KleinKramers"),
    "score.exact": ("Gaussian", "GaussianMixture"),
    "score.empirical": ("Empirical",),
    "score.denoiser": ("Denoiser",),
    "score.architecture": ("Perceptron", "RadialBasis"),
    "score.train": ("TrainConfig", "train"),
    "runs.particles": ("simulate",),
    "runs.noising": ("heat",),
    "runs.sampling": ("sample",),
    "samplers": ("SAMPLERS",),
    "thermo.grids.geodesic": ("MseCurve",),
    "thermo.grids.recommend": ("schedule",),
    "backend": ("open_device",),
}
_ROOM_OF = {name: room for room, names in _ROOMS.items() for name in names}
__all__ = ["__version__", *_ROOM_OF]


def __getattr__(name):
    if name not in _ROOM_OF:
        raise AttributeError(f"module 'thermosim' has no attribute {name!r}")
    import importlib

    value = getattr(importlib.import_module(f".{_ROOM_OF[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__():
    return sorted([*globals(), *_ROOM_OF])
