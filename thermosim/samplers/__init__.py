"""Samplers by the names k-diffusion and diffusers gave them; one algorithm a file."""

from .ancestral import EulerAncestral
from .dpmpp_2m import DPMpp2M
from .euler import Euler
from .heun import Heun
from .langevin import AnnealedLangevin, PredictorCorrector

SAMPLERS = (EulerAncestral(), Euler(), Heun(), DPMpp2M(), AnnealedLangevin(), PredictorCorrector())
