"""Faults to plant in the Langevin engine and its books: file, text, what to write instead, tests that must see it."""

BOOKS, UNIT = "tests/physics/test_langevin_books.py", "tests/unit/test_"
DRAG, CHANGING = f"{BOOKS}::test_dragged_trap", f"{BOOKS}::test_changing_bath_temperature"
EXACT, ANY_ORDER = f"{BOOKS}::test_jarzynski_is_exact_at_any_step", f"{BOOKS}::test_jarzynski_is_exact_for_any_order_of_substeps"
STATIONARY, SHADOW = f"{BOOKS}::test_stationary_moments_of_splittings", f"{BOOKS}::test_shadow_work_of_splittings"
CROOKS, FIRST_LAW = f"{BOOKS}::test_crooks_with_the_substeps_reversed_at_four_steps", f"{BOOKS}::test_first_law_per_particle_from_energies_computed_elsewhere"
LINE, STIRRED = f"{BOOKS}::test_heat_agrees_with_the_independent_line_integral", f"{BOOKS}::test_rotational_drift_produces_entropy_steadily"
ORDERS, REFEREE = "tests/convergence/test_orders.py", "tests/physics/test_referee.py"
PARTICLES, FLUCTUATION = f"{UNIT}particles.py", f"{UNIT}fluctuation.py"
MEASURED, SEEN, PROTOCOLS = f"{UNIT}measured.py", f"{UNIT}observables.py", f"{UNIT}protocols.py"
MISSED, CUTS = "tests/physics/test_langevin_faults.py", f"{PARTICLES}::test_bits_do_not_depend_on_threads_batches_or_rows"

OVER, UNDER, STEP = "integrators/overdamped.py", "integrators/underdamped.py", "integrators/step.py"
CPU, ROWS, RUN = "backend/cpu/particles.py", "backend/cpu/rows.py", "runs/particles.py"
THEOREMS, LAB, EYES = "thermo/fluctuation.py", "thermo/measured.py", "thermo/observables.py"

# (what is wrong, file in thermosim/, old text, new text, tests)
FAULTS = [
    ("noise 2 % too strong", OVER, "np.sqrt(2*b.dynamics.mobility*grid.temperature*grid.h)",
     "1.02*np.sqrt(2*b.dynamics.mobility*grid.temperature*grid.h)", [DRAG]),
    ("bath 2 % too hot", OVER, "np.sqrt(2*b.dynamics.mobility*grid.temperature*grid.h)",
     "np.sqrt(2*b.dynamics.mobility*1.02*grid.temperature*grid.h)", [MISSED]),
    ("mobility forgotten in the noise", OVER, "np.sqrt(2*b.dynamics.mobility*grid.temperature*grid.h)",
     "np.sqrt(2*grid.temperature*grid.h)", [EXACT, MISSED]),
    ("mobility forgotten in the drift", OVER, "lambda grid: b.dynamics.mobility*grid.h)", "lambda grid: grid.h)", [MISSED]),
    ("a half missing in σ_env", OVER, 'b.formula("e + c*(q - p)", e=e, c=half, p=p, q=q)',
     'b.formula("e + c*(q - p)", e=e, c=drift, p=p, q=q)', [EXACT]),
    ("sign of the second term of σ_env", OVER, '"e + c*(q - p)"', '"e - c*(q - p)"', [EXACT]),
    ("sign of heat", OVER, 'heat = b.program.op("mul", b.program.constant(-0.5)', 'heat = b.program.op("mul", b.program.constant(0.5)', [EXACT]),
    ("entropy without 1/T", OVER, 'b.book_product("entropy_env", b.negative(heat), beta)', 'b.book("entropy_env", b.negative(heat))',
     [CHANGING, MISSED]),
    ("heat_line twice", OVER, 'b.book_product("heat_line", b.program.constant(-0.5)', 'b.book_product("heat_line", b.program.constant(-1.0)', [LINE]),
    ("work of a force without energy twice", OVER, "stray = b.half(_twice_line(b, b.extra, extra, dx))",
     "stray = _twice_line(b, b.extra, extra, dx)", [STIRRED, MISSED]),
    ("shadow work without the heat", OVER, "shadow = b.minus(b.minus(energy, b.energy), heat)", "shadow = b.minus(energy, b.energy)", [FIRST_LAW]),
    ("exact OU with the noise of half the step", OVER, "_relaxed(k(grid), 2*mobility*grid.h)", "_relaxed(k(grid), mobility*grid.h)", [DRAG]),
    ("Heun without its predictor's partner", OVER, '"x + a*(F + G) + r"', '"x + a*(G + G) + r"', [ORDERS]),
    ("Leimkuhler–Matthews forgets its normal", OVER, '"x + a*F + s*(p + g)"', '"x + a*F + s*(g + g)"', [ORDERS]),
    ("Metropolis accepts everything", OVER, 'b.formula("-i*(r + l)"', 'b.formula("1 + 0*i*(r + l)"', [MISSED]),
    ("Metropolis with the wrong sign", OVER, 'b.formula("-i*(r + l)"', 'b.formula("i*(r + l)"', [MISSED]),
    ("Metropolis without the proposal's density", OVER, 'b.formula("-i*(r + l)"', 'b.formula("-i*r + 0*l"', [MISSED]),
    ("friction of half a step", UNDER, 'np.exp(-gamma*grid.h*share["O"])', 'np.exp(-gamma*grid.h*share["O"]/2)', [STATIONARY]),
    ("bath noise of half a step", UNDER, "np.expm1(-2*gamma", "np.expm1(-gamma", [STATIONARY]),
    ("mass forgotten in the bath's noise", UNDER, "-grid.temperature/m*np.expm1", "-grid.temperature*np.expm1", [ANY_ORDER, MISSED]),
    ("every kick a whole step", UNDER, 'grid.h*share["V"]/m', "grid.h/m", [STATIONARY]),
    ("sign of the bath's heat", UNDER, 'b.book("heat", heat)', 'b.book("heat", b.negative(heat))', [FIRST_LAW]),
    ("sign of the drift's shadow work", UNDER, "b.minus(law[0], before)", "b.minus(before, law[0])", [SHADOW]),
    ("kinetic temperature at the end of the step", UNDER, "if place == last_bath:", "if place == len(self.letters) - 1:", [MISSED]),
    ("kinetic energy twice", UNDER, "half_mass = b.program.constant(m/2)", "half_mass = b.program.constant(m)", [SHADOW]),
    ("one normal for two baths", UNDER, "draws += 1", "draws += 0", [STATIONARY, MISSED]),
    ("drift before kick", UNDER, 'return Splitting("V R O R V")', 'return Splitting("R V O V R")', [STATIONARY]),
    ("sign of work", STEP, "self.minus(self.energy, self.energy_before)", "self.minus(self.energy_before, self.energy)", [DRAG]),
    ("the force sees the old control", STEP, 'f"force{i}": f for i, f in enumerate(ahead)', 'f"force{i}": f for i, f in enumerate(force)', [CUTS]),
    ("work at the old control", STEP, "moved, ahead, beyond = self.evaluate(x, self.next)", "moved, ahead, beyond = self.evaluate(x, self.now)", [CUTS]),
    ("a row begins with the energy after the move", STEP, 'self.step.begun["energy"] = energy', 'self.step.begun["energy"] = moved', [FIRST_LAW]),
    ("particle first, control afterwards", CPU, 'P[n + 1, {self._column(p)}]" for p in self.now', 'P[n, {self._column(p)}]" for p in self.now', [DRAG]),
    ("stale control", CPU, 'P[n + 2, {self._column(p)}]" for p in self.next', 'P[n + 1, {self._column(p)}]" for p in self.next', [CUTS]),
    ("two draws of a step share a block", CPU, "whole({blocks})*group + whole({b})", "whole({blocks})*group + whole(0*{b})", [MISSED]),
    ("one noise for all components", CPU, "lanes, first, whole({c})", "lanes, first, whole(0*{c})", [MISSED]),
    ("four steps share one normal", CPU, "g = (n % $length)*$stride*B", "g = 0*n", [DRAG]),
    ("one row of normals for all components", CPU, "self.components.index(c)\n", "0*self.components.index(c)\n", [MISSED]),
    ("the last block has the first one's noise", CPU, "first + whole(p0)", "first + whole(0*p0)", [CUTS]),
    ("books go on into the next row", ROWS, "        S[books + i] = 0", "        S[books + i] = S[books + i]", [FIRST_LAW]),
    ("the energy before a row is the run's first", ROWS, "S[before + i] = S[energy + i]", "S[before + i] = S[before + i]", [FIRST_LAW]),
    ("the closure takes work for heat", ROWS, "energy - before) - (work + shadow_work + heat)", "energy - before) - (work + shadow_work + work)",
     [FIRST_LAW]),
    ("variance about the first particle", ROWS, "max(squares - total*(total/m), 0.0)", "max(squares, 0.0)", [MISSED]),
    ("variance by the wrong number", RUN, "spread.sum(axis=2) / self.n", "spread.sum(axis=2) / (self.n - 8*self.blocks)", [MISSED]),
    ("variance within blocks only", RUN, "statistics[..., 1] + sizes * (statistics[..., 0] - mean[..., None])**2", "statistics[..., 1]", [MISSED]),
    ("resumed a row too late", "runs/resume.py", 'return int(newest.attrs["rows"])', 'return int(newest.attrs["rows"]) + 1', [f"{PARTICLES}::test_the_bits_survive_kill_9_and_resume"]),
    ("start with T in place of √T", "runs/start.py", "np.sqrt(temperature) * np.linalg.inv(root)", "temperature * np.linalg.inv(root)", [f"{PARTICLES}::test_equilibrium_starts_have_the_right_moments"]),
    ("start without the mass", "runs/start.py", "np.sqrt(grid.initial_temperature / dynamics.mass)", "np.sqrt(grid.initial_temperature)", [f"{PARTICLES}::test_equilibrium_starts_have_the_right_moments", MISSED]),
    ("a jump at the end is dropped", "protocols.py", "if any(last[k] != table[k][-1] for k in table):", "if False:", [PROTOCOLS]),
    ("bath temperature a step late", "protocols.py", "np.full(len(times), float(dynamics.temperature)))[1:]", "np.full(len(times), float(dynamics.temperature)))[:-1]", [PROTOCOLS]),
    ("reverse process with the control first", "protocols.py", "np.concatenate((v[-1:], v[::-1]))", "np.concatenate((v[::-1], v[:1]))", [CROOKS]),
    ("Jarzynski's sign", THEOREMS, "estimate = lambda sample: -temperature*", "estimate = lambda sample: temperature*", [FLUCTUATION]),
    ("Bennett without temperature", THEOREMS, 'found["Delta_f"]*temperature', 'found["Delta_f"]', [MISSED]),
    ("sign of Hatano and Sasa's Y", THEOREMS, "log_steady(x, old) - log_steady(x, new)", "log_steady(x, new) - log_steady(x, old)", [FLUCTUATION]),
    ("bootstrap of half the sample", THEOREMS, "rng.integers(len(s), size=len(s))", "rng.integers(len(s), size=len(s)//2)", [FLUCTUATION]),
    ("error of an exponential average by n, not √n", THEOREMS, "np.sqrt(max(n/effective - 1, 0)/(n - 1))", "np.sqrt(max(n/effective - 1, 0))/(n - 1)", [FLUCTUATION]),
    ("the uncertainty bound without its half", THEOREMS, "*s.mean()/2", "*s.mean()", [FLUCTUATION]),
    ("sign of the end's density in Σ", THEOREMS, "np.asarray(log_p_start) - np.asarray(log_p_end)", "np.asarray(log_p_start) + np.asarray(log_p_end)",
     [f"{BOOKS}::test_integral_theorem_for_the_total_entropy"]),
    ("kelvin taken for joule", LAB, "BOLTZMANN*kelvin if", "kelvin if", [MEASURED]),
    ("measured work after the particle's move", LAB, "for n, p in enumerate(x[:-1])])", "for n, p in enumerate(x[1:])])", [MEASURED]),
    ("sign of the measured line integral", LAB, "line = [-0.5*", "line = [0.5*", [MEASURED]),
    ("correlations by N, not N − k", EYES, "return sums/np.arange(n, 0, -1)", "return sums/n", [SEEN]),
    ("displacement with half the cross term", EYES, "- 2*inner", "- inner", [SEEN]),
    ("correlation time without its both sides", EYES, "2*np.cumsum(c/c[0]) - 1", "np.cumsum(c/c[0])", [SEEN]),
    ("diffusion without the 2", EYES, "scale, n = 1/(2*time)", "scale, n = 1/time", [SEEN]),
    ("error of a response without √n", EYES, "difference.std(ddof=1)/np.sqrt(len(difference))", "difference.std(ddof=1)", [SEEN, MISSED]),
]
