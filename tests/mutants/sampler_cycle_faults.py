"""Faults to plant in the trap's books, in Carnot's sampler and in samplers as cycles: as in faults.py."""

BOOKS, TRAP_BOOKS = "tests/physics/test_sampler_books.py", "tests/physics/test_trap_books.py"
THEOREM, KERNELS = f"{TRAP_BOOKS}::test_integral_fluctuation_theorem", f"{TRAP_BOOKS}::test_entropy_env_is_the_ratio_of_the_kernels_of_y"
LINE, FIRST_LAW = f"{TRAP_BOOKS}::test_heat_line_is_the_midpoint_of_drift_over_mobility", f"{TRAP_BOOKS}::test_every_leg_explains_itself_and_closes_the_first_law"
UNDRIVEN, NU = f"{TRAP_BOOKS}::test_noising_is_undriven", f"{TRAP_BOOKS}::test_transport_is_that_of_the_flow_of_y"
HALF, ADIABAT = f"{TRAP_BOOKS}::test_fine_chains_keep_a_share_of_the_work", f"{TRAP_BOOKS}::test_an_adiabat_has_no_heat_in_any_frame"
UNIT = "tests/unit/test_carnot_sampler.py"
JUMP, FLOW = f"{UNIT}::test_a_jump_freezes_its_coordinate_and_asks_nothing", f"{UNIT}::test_a_jump_is_the_flow_of_gaussian_data_of_its_scale"
HELD, STILL = f"{UNIT}::test_an_isotherm_holds_the_second_moment_of_a_mixture", f"{UNIT}::test_isotherms_of_gaussian_data_are_stationary"
CLOSED, PRICES = f"{UNIT}::test_variance_and_dissipation_are_the_closed_ones", f"{UNIT}::test_names_strokes_and_prices"
CYCLES = "tests/unit/test_sampler_cycle_books.py"
GAUSSIAN, HEATING = f"{CYCLES}::test_gaussian_cycle_is_the_closed_one", f"{CYCLES}::test_heating_is_that_of_the_trap"
PLANE = f"{CYCLES}::test_gaussian_cycle_of_the_plane"
SPACINGS, WAY = f"{CYCLES}::test_entropy_by_spacings", f"{CYCLES}::test_own_entropies_along_the_way"
CHAIN, BRUTE = f"{CYCLES}::test_the_chain_dissipates_its_kl", f"{CYCLES}::test_dissipation_of_a_chain_with_another_mean_by_brute_force"
REASONS, CORNERS = f"{CYCLES}::test_what_is_undefined_is_nan_with_a_reason", f"{CYCLES}::test_carnot_turns_its_corners"
LAWS = "tests/unit/test_chain_law.py"
OWN = "tests/physics/test_reverse_variances.py"
RATIO, PLACE = f"{OWN}::test_entropy_env_is_the_ratio_of_the_kernels", f"{OWN}::test_noise_is_that_of_the_place_it_began"
LEARNED = "tests/physics/test_same_optimum.py::test_bound_with_learned_variances_is_the_mean_work_too"
EXACT, PATHS = f"{OWN}::test_gaussian_marginals_are_exact_at_any_number_of_steps", f"{OWN}::test_every_path_costs_what_its_legs_say"

BOOK, FRAMES, CARNOT, LANGEVIN = "samplers/books.py", "samplers/frames.py", "samplers/carnot.py", "samplers/langevin.py"
BASE, ANCESTRAL, REVERSE, REMEMBERED, NOISING = (
    "samplers/base.py", "samplers/ancestral.py", "score/reverse.py", "score/remembered.py", "runs/noising.py")
OWN_LAW = "thermo/own_law.py"
SAMPLING, CYCLE, LAW = "runs/sampling.py", "thermo/sampler_cycle.py", "thermo/chain_law.py"

# (what is wrong, file in thermosim/, old text, new text, tests)
FAULTS = [
    # the books of the trap
    ("sign of heat", BOOK, '"heat": -entropy_env}', '"heat": entropy_env}', [KERNELS]),
    ("sign of the entropy given", BOOK, "entropy_env = _in_frame", "entropy_env = -_in_frame", [THEOREM]),
    ("kernel of x in the place of y's", BOOK, "_in_frame(leg, turn).entropy_env(x, middle, end, denoise)", "leg.entropy_env(x, mean, x_new, denoise)", [THEOREM]),
    ("kernel of y as wide as that of x", BOOK, "variance=turn**2 * leg.variance", "variance=leg.variance", [KERNELS]),
    ("a jump books heat", BOOK, '        books = {name: nothing for name in ("heat_line", "entropy_env", "heat")}',
     '        books = {name: gained for name in ("heat_line", "entropy_env", "heat")}', [ADIABAT]),
    ("force without the trap", BOOK, " + stiffness * (x + end)) / leg.xi", ") / leg.xi", [LINE]),
    ("trap of the wrong sign", BOOK, " + stiffness * (x + end)", " - stiffness * (x + end)", [LINE]),
    ("force of ξ = 1 for all", BOOK, "force = ((1 + leg.xi) * score", "force = (2 * score", [LINE]),
    ("mobility without ξ", BOOK, "stiffness * (x + end)) / leg.xi", "stiffness * (x + end))", [LINE]),
    ("energy without its half", BOOK, "0.5 * stiffness * (squared(end)", "1.0 * stiffness * (squared(end)", [FIRST_LAW]),
    ("energy at the level of the start", BOOK, "squared(end) - squared(x))", "squared(x_new) - squared(x))", [FIRST_LAW]),
    ("work without the heat", BOOK, 'return {"work": gained - books["heat_line"]} | shadow', 'return {"work": gained} | shadow', [FIRST_LAW]),
    ("shadow work of the other sign", BOOK, 'books["heat_line"] - books["heat"]}', 'books["heat"] - books["heat_line"]}', [FIRST_LAW]),
    ("noising with a heat of the other sign", BOOK, 'books["heat_line"] = gained\n', 'books["heat_line"] = -gained\n', [UNDRIVEN]),
    ("transport without the trap's drift", BOOK, "squared((turn - 1) * x + turn * share", "squared(turn * share", [NU]),
    ("whole drift for the local velocity", BOOK, "share = 1 / (1 + leg.xi)", "share = 1.0 + 0 / (1 + leg.xi)", [NU]),
    ("frame of half the noise", FRAMES, "1 / math.sqrt(1 + sigma**2)", "1 / math.sqrt(1 + 0.5 * sigma**2)", [KERNELS]),
    ("clock of the frame twice as fast", FRAMES, "0.5 * abs(math.log1p", "1.0 * abs(math.log1p", [NU]),
    ("volume of an adiabat of the other sign", SAMPLING, "d * np.log(leg.stretch * frame", "-d * np.log(leg.stretch * frame", [THEOREM]),
    ("volume of an adiabat in the laboratory", SAMPLING, "frame.alpha(leg.sigma_next) / frame.alpha(leg.sigma))", "1.0)", [THEOREM]),
    # Carnot
    ("jump the wrong way", CARNOT, "stretch = math.sqrt((1 + (sigma_next / self.scale) ** 2) / (1 + (sigma / self.scale) ** 2))",
     "stretch = math.sqrt((1 + (sigma / self.scale) ** 2) / (1 + (sigma_next / self.scale) ** 2))", [FLOW]),
    ("jump of the square", CARNOT, "stretch = math.sqrt((1", "stretch = ((1", [JUMP]),
    ("jump that does not say its stretch", CARNOT, "0.0, stretch=stretch)", "0.0)", [JUMP]),
    ("isotherms at the temperature of the level before", CARNOT, "yield isotherm(sigma_next, self.relaxation, self.mse(sigma_next))",
     "yield isotherm(sigma, self.relaxation, self.mse(sigma))", [STILL]),
    ("denoiser's error at the level before", CARNOT, "self.mse(sigma_next))", "self.mse(sigma))", [STILL]),
    ("no isotherm repeated", CARNOT, "range(self.repeats if", "range(1 if", [CLOSED]),
    ("price without the jump", CARNOT, "self.evaluations = jump.evaluations + repeats", "self.evaluations = repeats", ["tests/unit/test_sampler_family.py"]),
    ("unit data of half the error", CARNOT, "return sigma**2 / (1 + sigma**2)", "return 0.5 * sigma**2 / (1 + sigma**2)", [PRICES]),
    ("isotherm 2 % too hot", LANGEVIN, "sigma**2 * c * (2 - c) + c**2 * spread", "1.02 * sigma**2 * c * (2 - c) + c**2 * spread", [HELD, CLOSED]),
    ("isotherm of Euler–Maruyama", LANGEVIN, "sigma**2 * c * (2 - c) + c**2 * spread", "sigma**2 * 2 * c + c**2 * spread", [HELD]),
    ("isotherm that forgets what D does not know", LANGEVIN, " + c**2 * spread)", ")", [HELD]),
    ("spread in first order", LANGEVIN, "c**2 * spread)", "c * spread)", [HELD]),
    # samplers as cycles
    ("heating without the noise's energy", CYCLE, "(self.law.second_moment() + self.law.d * sigma**2)", "self.law.second_moment()", [HEATING]),
    ("entropy of x for that of y", CYCLE, "self.law.entropy(sigma) + self.law.d * np.log(TRAP.alpha(sigma))", "self.law.entropy(sigma)", [HEATING]),
    ("geodesic as long as W2", OWN_LAW, "np.mean((hot - cold) ** 2)", "np.mean(np.abs(hot - cold))", [HEATING]),
    ("spacings without ψ", OWN_LAW, " - digamma(high - low)) + digamma(n + 1)", " - np.log(high - low)) + np.log(n + 1)", [SPACINGS]),
    ("in the plane: neighbours without ψ", OWN_LAW, "+ digamma(n) - digamma(k)", "+ np.log(n) - np.log(k)", [f"{CYCLES}::test_entropy_by_neighbours"]),
    ("in the plane: a ball of another volume", OWN_LAW, "gammaln(0.5 * d + 1)", "gammaln(0.5 * d)", [f"{CYCLES}::test_entropy_by_neighbours"]),
    ("in the plane: the point its own neighbour", OWN_LAW, "query(y, k + 1)[0][:, k]", "query(y, k + 1)[0][:, k - 1]", [f"{CYCLES}::test_entropy_by_neighbours"]),
    ("in the plane: W2 for its square", OWN_LAW, "                   ** 2 for k in", "                   ** 1 for k in", [f"{CYCLES}::test_heating_of_the_plane"]),
    ("in the plane: noise of one component", CYCLE, "self.law.d * sigma**2", "sigma**2", [f"{CYCLES}::test_heating_of_the_plane"]),
    ("in the plane: volume of one component", CYCLE, "self.law.d * np.log(TRAP", "np.log(TRAP", [f"{CYCLES}::test_heating_of_the_plane"]),
    ("in the plane: start of one component", CYCLE, "start = 0.5 * d * np.log", "start = 0.5 * np.log", [PLANE]),
    ("in the plane: energy of one component", CYCLE, "y[0] ** 2).sum(axis=1)", "y[0] ** 2)[:, 0]", [PLANE]),
    ("in the plane: prior of one component", CYCLE, "d * np.log(2 * np.pi * hot)", "np.log(2 * np.pi * hot)", [PLANE]),
    ("in the plane: what D does not know, doubled", CYCLE, "heating.mmse(sigma) / d -", "heating.mmse(sigma) -", [PLANE]),
    ("far from data that are themselves", CYCLE, '"w2_end": heating.own.w2(y[-1], data)', '"w2_end": heating.own.w2(y[-1], y[-2])', [f"{CYCLES}::test_a_perfect_sampler_is_as_far_from_data_as_they_are"]),
    ("start of another entropy", CYCLE, "(alpha[0] * sigmas[0]) ** 2)", "sigmas[0] ** 2)", [GAUSSIAN]),
    ("Σ without the system", CYCLE, "Sigma = -order - heat", "Sigma = -heat", [GAUSSIAN]),
    ("Σ from heat of the other sign", CYCLE, "Sigma = -order - heat", "Sigma = -order + heat", [GAUSSIAN]),
    ("free energy without entropy", CYCLE, "/ 2 + order", "/ 2", [GAUSSIAN]),
    ("bit cost upside down", CYCLE, "np.log(2) / per_order", "np.log(2) * per_order", [GAUSSIAN]),
    ("cycle with the entropy of the cooling", CYCLE, "eta_cycle(heating.K, heating.Sigma, Sigma)", "eta_cycle(heating.K, Sigma, Sigma)", [GAUSSIAN]),
    ("P without the prior", CYCLE, "return total + prior -", "return total -", [CHAIN]),
    ("P without what D does not know", CYCLE, " + pull**2 * unknown + gap", " + gap", [CHAIN]),
    ("P without the gap of the means", CYCLE, "pull**2 * unknown + gap", "pull**2 * unknown", [BRUTE]),
    ("NaN without its reason", CYCLE, "        why |= dict.fromkeys(MADE_OF_HEAT, NO_HEAT)", "        pass", [f"{CYCLES}::test_reasons_are_those_of_the_sampler"]),
    ("corner at the old temperature", CYCLE, "sigma.append(after) S.append(self.entropy[k] +",
     "sigma.append(self.sigmas[k]); S.append(self.entropy[k] +", [CORNERS]),
    ("error of one part for that of the mean", CYCLE, "v.std(axis=0, ddof=1) / np.sqrt(parts)", "v.std(axis=0, ddof=1)", [GAUSSIAN, WAY]),
    ("law without its noise", LAW, "if leg.variance > 0:", "if leg.variance > 1e9:", [LAWS]),
    ("law of a kernel 1 % too wide", LAW, "weight = _spread(x, weight, width, points)",
     "weight = _spread(x, weight, 1.01 * width, points)", [LAWS]),
    ("law at the edges of its cells", LAW, "0.5 * (cuts[1:] + cuts[:-1])", "cuts[1:]", [LAWS]),
    ("law cut at equal shares only", LAW, "np.concatenate((shares, np.linspace(pool[order[0]], pool[order[-1]], points)))", "shares", [LAWS]),
    ("distance at the edges of its points", LAW, "np.cumsum(weight) - 0.5 * weight, 1.0", "np.cumsum(weight), 1.0", [LAWS]),
    # reverse variances of one's own
    ("own variances: entropy without their logarithm", ANCESTRAL, " + np.log(there / here)", "", [RATIO]),
    ("own variances: one for there and back", ANCESTRAL, "back**2 / there", "back**2 / here", [RATIO]),
    ("own variances: those where the mean is", BASE, "self.variance_at(x) ** 0.5 * draws", "self.variance_at(mean) ** 0.5 * draws", [PLACE]),
    ("own variances: noise on the step to no noise", ANCESTRAL, "if sigma_next > 0:\n            yield Uneven", "if sigma_next > -1:\n            yield Uneven",
     [f"{OWN}::test_no_noise_on_the_step_to_no_noise"]),
    ("least variances: D knows all", REVERSE, " + c**2 * self.unknown(x, sigma)", "", [EXACT]),
    ("least variances: in first order", REVERSE, " + c**2 * self", " + c * self", [EXACT]),
    ("own variances: learned ones in the chain's units", REVERSE, " / self.chain.alpha[n - 1] ** 2", "", [LEARNED]),
    ("own variances: in units of the level before", REVERSE, "self.chain.alpha[n - 1] ** 2", "self.chain.alpha[n] ** 2", [LEARNED]),
    ("own variances: of the nearest step, whatever it is", REVERSE, "if n == 0 or not np.allclose", "if n < 0 and not np.allclose",
     [f"{OWN}::test_what_does_not_fit_is_told_in_one_line"]),
    ("own variances: nothing remembered", REMEMBERED, "[(x, sigma, said)] + self.kept[:1]", "[]", [f"{OWN}::test_one_pass_of_the_network_a_step"]),
    ("own variances: heated in units of the data", NOISING, "v = chain.alpha[k - 1] ** 2 * device", "v = 1.0 * device", [PATHS]),
    ("own variances: P from the mean variance", CYCLE, "leg.variance_at(x)\n", "np.mean(leg.variance_at(x))\n", [f"{OWN}::test_the_bound_of_the_sampler_is_that_of_heating"]),
    ("own variances: law of one width", LAW, "np.broadcast_to(leg.variance_at(x[:, None]), (len(x), 1))", "np.broadcast_to(np.mean(leg.variance_at(x[:, None])), (len(x), 1))",
     [f"{OWN}::test_they_sample_better_than_either_end"]),
]
