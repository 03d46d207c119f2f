"""Faults to plant in networks of timesteps and in a denoiser's profile: file, text, what to write instead, tests that must see it."""

BRIDGE, PROFILED = ["tests/unit/test_timesteps.py"], ["tests/unit/test_profile.py"]
STEPS, PROFILE = "score/timesteps.py", "thermo/grids/profile.py"

# (what is wrong, file in thermosim/, old text, new text, tests)
FAULTS = [
    ("a hundredth of a timestep late", STEPS, "np.arange(len(self)))\n\n    def sigma", "np.arange(len(self)) + 1e-2)\n\n    def sigma", BRIDGE),
    ("rounding down for rounding", STEPS, "round(t) if", "int(t) if", BRIDGE),
    ("the input not quite of unit variance", STEPS, "(1 + float(sigma) ** 2) ** 0.5", "(1.0001 + float(sigma) ** 2) ** 0.5", BRIDGE),
    ("linear in σ for ln σ", STEPS, "np.interp(np.log(sigma), np.log(self.sigmas)", "np.interp(sigma, self.sigmas", BRIDGE),
    ("no room left for colder timesteps", STEPS, "return np.maximum(falling, n - 1 - k)", "return falling", BRIDGE),
    ("noise for noise over signal", STEPS, "np.sqrt((1 - a) / a)", "np.sqrt(1 - a)", BRIDGE),
    ("the least level's timestep asked at", STEPS, "[: len(sigmas) - 1]  #", "  #", BRIDGE),
    ("a grid down to 0 judged by the noisy end", PROFILE, "end if sigmas[-1] > 0 else clean", "end", PROFILED),
    ("distance of an image for that of a component", PROFILE, ")[-1] / np.sqrt(self.pilot.d)", ")[-1]", PROFILED),
    ("the usual grid without its better ending", PROFILE, "tried[own]", "usual", PROFILED),
    ("the pilot's choice not taken", PROFILE, "chosen, own = min(found, key=found.get)", "chosen, own = told.name", PROFILED),
    ("jackknife of the work without its factor", PROFILE, "(len(parts) - 1) * parts.var()", "parts.var()", PROFILED),
    ("a hand-made grid for that of least work", PROFILE, "self.curve.even(self.hot, self.cold, steps)", "schedules.log_snr(self.hot, self.cold, steps)", PROFILED),
    ("judges that saw the pilot's noise", PROFILE, "seed + 10_000 + k", "seed + k", PROFILED),
    ("memory of one level for that of all", PROFILE, "(max(effort.fine, effort.fine_judged) + 1)", "1", PROFILED),
]
