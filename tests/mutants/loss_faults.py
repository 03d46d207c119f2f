"""Faults to plant in losses and in training: file, text, what to write instead, tests that must see it."""

GRADIENTS, OPTIMUM, TRAINING = "tests/gradients/test_loss_gradients.py", "tests/physics/test_same_optimum.py", "tests/unit/test_train.py"
KINDS, LOSSES, BOUND, LEVELS = "score/parametrisation.py", "score/losses.py", "score/bound.py", "score/levels.py"
TRAIN, RATES, MODEL = "score/train.py", "score/rates.py", "score/denoiser.py"
FLEXIBLE, GAUSSIAN = f"{OPTIMUM}::test_most_flexible_model", f"{OPTIMUM}::test_gaussian_data"

# (what is wrong, file in thermosim/, old text, new text, tests)
FAULTS = [
    ("noise prediction with its sign turned", KINDS, "return xp.ones_like(sigma), -sigma", "return xp.ones_like(sigma), sigma", [GRADIENTS]),
    ("score prediction by σ, not σ²", KINDS, "return xp.ones_like(sigma), sigma**2", "return xp.ones_like(sigma), sigma", [GRADIENTS]),
    ("clean prediction not in units of the data", KINDS, "xp.full_like(sigma, sigma_data)", "xp.full_like(sigma, 1.0)", [GRADIENTS]),
    ("velocity without its sign", KINDS, "return c_skip, -c_out", "return c_skip, c_out", [GRADIENTS]),
    ("c_skip by σ", KINDS, "return sigma_data**2 / total", "return sigma**2 / total", [GRADIENTS]),
    ("weight of the score", KINDS, "return sigma**self.power", "return sigma", [GRADIENTS]),
    ("denoiser without c_out", MODEL, "out[rows] = self.mean + c_skip * centred + c_out * F", "out[rows] = self.mean + c_skip * centred + F", [FLEXIBLE]),
    ("denoiser without the mean", MODEL, "out[rows] = self.mean + c_skip * centred", "out[rows] = c_skip * centred", [GAUSSIAN]),
    ("shares of half", MODEL, "shares[rows] = 0.5 + 0.5 * F", "shares[rows] = 0.5 + F", [OPTIMUM]),
    ("target of the clean data's sign", LOSSES, "-= (clean - c_skip * noisy) / c_out", "-= (clean + c_skip * noisy) / c_out", [GRADIENTS, FLEXIBLE]),
    ("gradient by half", LOSSES, "r.dtype.type(2 / r.size)", "r.dtype.type(1 / r.size)", [GRADIENTS]),
    ("gradient without the weight", LOSSES, "r *= weight * r.dtype", "r *= r.dtype", [GRADIENTS]),
    ("weights squared", LOSSES, "loss = xp.mean(weight * r**2)", "loss = xp.mean(weight**2 * r**2)", [GRADIENTS]),
    ("the bound without its half", BOUND, "asarray(0.5 * self.odds * c_0**2 / v)", "asarray(self.odds * c_0**2 / v)", [GRADIENTS]),
    ("the bound with c_0, not its square", BOUND, "asarray(0.5 * self.odds * c_0**2 / v)", "asarray(0.5 * self.odds * c_0 / v)", [GRADIENTS, f"{OPTIMUM}::test_bound_is_the_mean_work_of_heating"]),
    ("the bound's weight without c_out", BOUND, "[n, None] * c_out**2", "[n, None]", [GRADIENTS]),
    ("steps not weighed by their odds", BOUND, "is None else 1 / self.probabilities", "is None else 0 * self.probabilities + len(self.chain)", [f"{OPTIMUM}::test_bound_is_the_mean_work_of_heating"]),
    ("the bound's constant", BOUND, "np.log(v / b) - 1 + posterior / v", "np.log(v / b) - 1 + b / v", [f"{OPTIMUM}::test_bound_is_the_mean_work_of_heating"]),
    ("the end forgets the mean", BOUND, "mean((clean + model.mean) ** 2)", "mean(clean ** 2)", [f"{OPTIMUM}::test_bound_is_the_mean_work_of_heating"]),
    ("the end without the noise", BOUND, "chain.noise[-1] ** 2 / (2 * V)", "0 / (2 * V)", [f"{OPTIMUM}::test_bound_is_the_mean_work_of_heating"]),
    ("learned variances: the precision's sign", BOUND, "precision = xp.exp(-log_variance)", "precision = xp.exp(log_variance)", [GRADIENTS]),
    ("learned variances: slope by half", BOUND, "scale * 0.25 * width", "scale * 0.5 * width", [GRADIENTS]),
    ("learned variances: means feel no variance", BOUND, "r *= scale * spread**2 * precision", "r *= scale * spread**2", [GRADIENTS]),
    ("learned variances: the ends changed over", BOUND, "np.stack([least, b], axis=1)", "np.stack([b, least], axis=1)", [GRADIENTS]),
    ("learned variances: of the step after", BOUND, "low, high = self.ends[n - 1]", "low, high = self.ends[n - 2]", [OPTIMUM]),
    ("learned variances booked without their log", "runs/noising.py", "/ v + device.xp.log(2 * np.pi * v))", "/ v + device.xp.log(2 * np.pi + 0 * v))", [OPTIMUM]),
    ("learned variances of the step before", "runs/noising.py", "told = variance(y, chain.sigma(k), chain.sigma(k - 1))", "told = variance(y, chain.sigma(max(k - 1, 1)), chain.sigma(max(k - 2, 0)))", [OPTIMUM]),
    ("levels out of their range", LEVELS, "xp.clip(self.P_mean + self.P_std * batches.level_normals(step), *ends)", "(self.P_mean + self.P_std * batches.level_normals(step))", [GRADIENTS]),
    ("levels without their odds", LEVELS, "np.cumsum(self.probabilities)", "np.cumsum(0 * self.probabilities + 1 / count)", [GRADIENTS]),
    ("warm-up a step late", RATES, "return peak * min(1.0, (step + 1) / warmup)", "return peak * min(1.0, step / warmup)", [TRAINING]),
    ("stairs a step early", RATES, "step // self.every", "(step + 1) // self.every", [TRAINING]),
    ("no line down", RATES, "(1 - (1 - self.last) * fallen)", "(1 - self.last * fallen)", [TRAINING]),
    ("inverse square without the root", RATES, "math.sqrt(self.warmup / (step + 1))", "self.warmup / (step + 1)", [TRAINING]),
    ("short gradients made long", TRAIN, "limit / xp.maximum(norm, limit)", "limit / norm", [TRAINING]),
    ("norm without its root", TRAIN, "norm = xp.sqrt(xp.sum(gradient * gradient))", "norm = xp.sum(gradient * gradient)", [TRAINING]),
    ("no clipping", TRAIN, "if c.clip is not None:", "if False:", [TRAINING]),
    ("patience a look too long", TRAIN, "step - self.lowest_at >= c.patience", "step - self.lowest_at > c.patience", [TRAINING]),
    ("patience forgets over a restart", TRAIN, 'int(newest.attrs.get("lowest_at", 0))', "int(newest.attrs[\"steps\"])", [TRAINING]),
    ("the moments are not kept", TRAIN, '"m": self.m, "v": self.v,', '"v": self.v,', [TRAINING]),
    ("resumed a step too late", TRAIN, 'return int(newest.attrs["steps"])', 'return int(newest.attrs["steps"]) + 1', [TRAINING]),
    ("the last weights, not the best", TRAIN, "self.mean[:] = self.best", "pass", [TRAINING]),
    ("a key without later settings", TRAIN, "if value is not None or name not in later", "if name not in later", [TRAINING]),
    ("a key that knows no class", TRAIN, '{"is": type(value).__name__, **', "{**", [TRAINING]),
    ("a key with unused later settings", TRAIN, "if value is not None or name not in later", "if True", [TRAINING]),
]
