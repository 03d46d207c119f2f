"""Faults to plant in exact scores and made planes: file, text, what to write instead, tests that must see it."""

UNIT = "tests/unit/test_"
SET, LAWS, MADE, QUALITY = f"{UNIT}empirical.py", f"{UNIT}exact.py", f"{UNIT}datasets.py", f"{UNIT}quality.py"
EMPIRICAL, EXACT, JUDGE = "score/empirical.py", "score/exact.py", "thermo/quality.py"

# (what is wrong, file in thermosim/, old text, new text, tests)
FAULTS = [
    ("sums not shrunk under a new maximum", EMPIRICAL, "sums = xp.exp(before - top) * sums +", "sums = sums +", [SET]),
    ("density of points without the place's own square", EMPIRICAL, " - 0.5 * precision * (x**2).sum(axis=1)", "", [SET]),
    ("points' squares twice in the exponent", EMPIRICAL, "r -= 0.5 * table[:, d]", "r -= table[:, d]", [SET]),
    ("second moment for a variance", EMPIRICAL, "square - (D**2).sum(axis=1)", "square", [SET]),
    ("exponents without their maximum", EMPIRICAL, "            r -= top\n", "", [SET]),
    ("last point never drawn", EMPIRICAL, "* len(points)) >> 32", "* (len(points) - 1)) >> 32", [SET]),
    ("Wiener's filter not turned back", EXACT, "self._turn(gain * self._principal(x), self.eigvecs.T)", "self._turn(gain * self._principal(x), self.eigvecs)", [LAWS]),
    ("variance for a deviation in Gaussian draws", EXACT, "device.asarray(self.eigvals) ** 0.5 * z", "device.asarray(self.eigvals) * z", [LAWS]),
    ("divergence per σ", EXACT, "self.posterior_variance(x, sigma) / sigma**2", "self.posterior_variance(x, sigma) / sigma", [LAWS]),
    ("square norm for the trace", EXACT, "mixture_covariance)[2]", "mixture_covariance)[3]", [LAWS]),
    ("least error per σ", EXACT, "self.eigvals * sigma**2 / (self", "self.eigvals * sigma / (self", [LAWS]),
    ("parts of a curve unequal", "datasets/noisy_curve.py", ".query(x)[1] // 500", ".query(x)[1] // 510", [MADE]),
    ("lower moon too low", "datasets/moons.py", "[1.0, 0.5] - x", "[1.0, 0.0] - x", [MADE]),
    ("a mode never drawn", "datasets/ring.py", "rng.integers(self.parts, size=n)", "rng.integers(self.parts - 1, size=n)", [MADE]),
    ("norm of a mode", "datasets/ring.py", "np.log(2 * np.pi * self.noise**2)", "np.log(np.pi * self.noise**2)", [MADE]),
    ("stripes for a checkerboard", "datasets/checkerboard.py", "(i + j) % 2 == 0", "i % 2 == 0", [MADE]),
    ("dark squares too large", "datasets/checkerboard.py", "- 0.5 * self.side, 0", "- 0.6 * self.side, 0", [MADE]),
    ("jackknife without its factor", JUDGE, "(n - 1) * without.var()", "without.var()", [f"{QUALITY}::test_error_of_a_ratio_of_means"]),
]
