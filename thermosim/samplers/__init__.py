"""Samplers by the names k-diffusion and diffusers gave them; one algorithm a file.

SAMPLERS are the six that a round trip compares unless told otherwise, FAMILY is all of them. Other
settings are other objects: DDIM(0.3), DDPM(variances), Heun(s_churn=10), DPMpp2MSDE(0.5), RK45(rtol=1e-8) ...
"""

from .ancestral import DDIM, DDPM, Ancestral, DDPMBeta, EulerAncestral
from .carnot import Carnot, Rescaling
from .dpm_2 import DPM2
from .dpmpp_2m import DPMpp2M
from .dpmpp_2s import DPMpp2S
from .dpmpp_multistep import DPMpp2MSDE, DPMpp3M, DPMpp3MCorrected, DPMpp3MSDE
from .dpmpp_sde import DPMppSDE
from .euler import Euler
from .heun import Heun
from .langevin import AnnealedLangevin, PredictorCorrector
from .lms import LMS
from .mala import MALACorrected
from .rk45 import RK45

SAMPLERS = (EulerAncestral(), Euler(), Heun(), DPMpp2M(), AnnealedLangevin(), PredictorCorrector())
FAMILY = SAMPLERS + (
    DDPMBeta(), DDIM(0.5), Heun(s_churn=10.0), LMS(), DPM2(), Ancestral(DPM2()), DPMpp2S(), Ancestral(DPMpp2S()),
    DPMppSDE(), DPMpp2MSDE(), DPMpp3MSDE(), DPMpp3M(), DPMpp3MCorrected(), MALACorrected(), Carnot(),
    Carnot(jump=Euler()), RK45())
