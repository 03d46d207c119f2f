"""All faults, and how one is planted: its text is found wherever lines are broken, but must be there just once."""
import re

import cycle_faults
import exact_faults
import faults
import kramers_faults
import loss_faults
import network_faults
import profile_faults
import sampler_cycle_faults

FAULTS = [*faults.FAULTS, *cycle_faults.FAULTS, *loss_faults.FAULTS, *network_faults.FAULTS, *exact_faults.FAULTS,
          *sampler_cycle_faults.FAULTS, *kramers_faults.FAULTS, *profile_faults.FAULTS]


def planted(source, old, new):
    """The source with `new` in place of `old`, and how often that stood there."""
    return re.subn(r"\s+".join(map(re.escape, old.split())), lambda _: new.strip(), source)
