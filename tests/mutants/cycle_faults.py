"""Faults to plant in thermal cycles and their bounds, in the same form as faults.py: ``run.py --only thermo/cycles``."""

TABLE = "tests/physics/test_validate.py::test_row[engines.{}]".format
BOUNDS, ROADS, ENGINES, FEEDBACK = (f"tests/physics/test_{name}.py::test_{{}}".format for name in ("cycle_bounds", "engine_roads", "engines", "feedback"))
SWEEP, SCATTER, SLOWING = BOUNDS("no_random_cycle_beats_a_bound"), BOUNDS("scatter_against_particles"), BOUNDS("slowing_against_slower_strokes")
WALK, GRID = ROADS("particles_book_what_the_moments_book"), ROADS("the_density_books_what_the_moments_book")
STORES, SPREAD = ROADS("a_regenerator_of_few_stores_saves_its_share"), ROADS("errors_of_derived_figures")
ADIABAT = ROADS("an_adiabat_of_half_turns_is_reversible")
LEAST, EQUALITY = FEEDBACK("the_closed_turn_of_least_work_is_the_bound"), FEEDBACK("the_equality_of_sagawa_and_ueda_holds_at_any_number_of_steps")
BOOKS, MOMENTS, SLOW, ROAD, OPTIMAL, SCATTERED, LIMITS, INFORMED = (
    f"thermo/cycles/{name}.py" for name in ("books", "moments", "quasi_static", "roads", "optimal", "fluctuations", "bounds", "feedback"))

# (what is wrong, file in thermosim/, old text, new text, tests)
FAULTS = [
    ("sign of Σ of a turn", BOOKS, "return -self.heat_hot/self.hot - self.heat_cold/self.cold", "return self.heat_hot/self.hot + self.heat_cold/self.cold", [SWEEP]),
    ("Σ with the baths exchanged", BOOKS, "-self.heat_hot/self.hot - self.heat_cold/self.cold", "-self.heat_hot/self.cold - self.heat_cold/self.hot", [SWEEP]),
    ("power of the wrong sign", BOOKS, "return -self.work/self.duration", "return self.work/self.duration", [TABLE("best.power.moments")]),
    ("efficiency by the cold heat", BOOKS, "-self.work/self.heat_hot if", "self.work/self.heat_cold if", [TABLE("carnot.efficiency")]),
    ("COP inverted", BOOKS, "return self.heat_cold/self.work if", "return self.work/self.heat_cold if", [TABLE("stirling.refrigerator.cop.moments")]),
    ("COP of a heat pump by the cold heat", BOOKS, "return -self.heat_hot/self.work if", "return self.heat_cold/self.work if",
     [TABLE("otto.refrigerator.cop_heating.moments")]),
    ("an adiabat of half a half turn", MOMENTS, "(np.pi*half_turns/np.log(ratio))", "(np.pi*half_turns/np.log(ratio)/2)", [ADIABAT]),
    ("friction where there is no bath", MOMENTS, "UnderdampedMoments(0.0, self.mass).generator(k, 0.0)", "self.generator(k, 0.0)", [ADIABAT]),
    ("adiabats of the particles with a bath", ROAD, 'Splitting("V R V")', "BAOAB()", [ROADS("particles_on_adiabats_with_inertia")]),
    ("work of the jumps missing", MOMENTS, "medium.energy(states[i + 1], following.k(0.0))", "medium.energy(states[i + 1], s.k(s.duration))",
     [TABLE("carnot.work.moments")]),
    ("heat booked to the other bath", MOMENTS, "if s.temperature == T) for T in", "if s.temperature != T) for T in", [TABLE("carnot.heat_hot.moments")]),
    ("bath heat at T = 1", MOMENTS, "[mu*k*T, -mu*k*k, 0, 0]", "[mu*k, -mu*k*k, 0, 0]", [TABLE("carnot.heat_hot.moments")]),
    ("half of the heat", MOMENTS, "[mu*k*T, -mu*k*k, 0, 0]", "[mu*k*T/2, -mu*k*k/2, 0, 0]", [TABLE("best.work.moments")]),
    ("kinetic heat halved", MOMENTS, "[g*T, 0, 0, -g*m, 0, 0]", "[g*T/2, 0, 0, -g*m/2, 0, 0]", [TABLE("stirling.inertia.heat_hot.moments")]),
    ("Θ without its temperature", MOMENTS, "[0, mu*T*k*k, 0, 0]", "[0, mu*k*k, 0, 0]", [SWEEP]),
    ("Θ of half the kinetic energy", MOMENTS, "[0, 0, 0, g*m*T, 0, 0]", "[0, 0, 0, g*m*T/2, 0, 0]", [SWEEP]),
    ("sign of the heat in Σ of a stroke", MOMENTS, "return np.diff(entropy) - self.heat/", "return np.diff(entropy) + self.heat/", [SWEEP]),
    ("entropy of two dimensions", MOMENTS, "return 0.5*np.log(z[1])", "return np.log(z[1])", [SWEEP]),
    ("correlation forgotten in the entropy", MOMENTS, "np.log(z[1]*z[3] - z[2]**2)", "np.log(z[1]*z[3])", [SWEEP]),
    ("a stroke that does not turn around", MOMENTS, "return replace(self, k=lambda t: self.k(self.duration - t))", "return replace(self, k=lambda t: self.k(t))",
     [ROADS("an_engine_turned_around_slowly_gives_back_what_it_took")]),
    ("stores sent the wrong way", MOMENTS, "found = stores - np.linalg.solve", "found = stores + np.linalg.solve", [ROADS("the_density_of_a_regenerated_cycle")]),
    ("stores never asked for what they lose", MOMENTS, "if cold < T < hot and", "if False and", [ROADS("complaints")]),
    ("regenerator without effect", SLOW, "if q == 0 or (regenerator and a.k == b.k):", "if q == 0:", [TABLE("stirling.regenerator")]),
    ("regenerator for isotherms too", SLOW, "if q == 0 or (regenerator and a.k == b.k):", "if q == 0 or regenerator:", [TABLE("stirling.regenerator")]),
    ("isochoric heat from the bath it leaves", SLOW, "heat[b.T] += q", "heat[a.T if a.T in heat else b.T] += q", [TABLE("stirling.efficiency")]),
    ("sign of isothermal work", SLOW, "work = a.T/2*log(b.k/a.k)", "work = a.T/2*log(a.k/b.k)", [TABLE("carnot.work")]),
    ("full phase space without its velocities", SLOW, "capacity = 1.0 if full else 0.5", "capacity = 0.5", [TABLE("stirling.efficiency.full")]),
    ("jumps missing between the particles' strokes", ROAD, "table = np.array([k, *(", "table = np.array([s.k(0.0), *(", [WALK]),
    ("the particles' heat booked to the hot bath", ROAD, "totals[s.temperature] += run.heat", "totals[hot] += run.heat", [WALK]),
    ("one noise for all strokes", ROAD, "seed=_seed(seed, turn, place)", "seed=seed", [WALK, SCATTER]),
    ("error of the sum for that of the mean", ROAD, "np.cov(each)/particles", "np.cov(each)", [SPREAD]),
    ("work and heat taken as independent", ROAD, "np.cov(each)/particles", "np.diag(np.diag(np.cov(each)))/particles", [SCATTER]),
    ("jumps missing between the density's strokes", ROAD, "+ 0.5*jump*np.sum", "+ 0.0*jump*np.sum", [GRID]),
    ("sign of the lag of an optimal stroke", OPTIMAL, "return temperature/root**2 - speed/", "return temperature/root**2 + speed/", [TABLE("best.work.moments")]),
    ("optimal stroke linear in the variance", OPTIMAL, "(sqrt(w1) - sqrt(w0))/duration", "(w1 - w0)/(2*sqrt(w0))/duration", [TABLE("trap.stiffened.moments")]),
    ("an endoreversible efficiency of Carnot", OPTIMAL, "return 1 - sqrt(cold/hot)", "return 1 - cold/hot", [TABLE("curzon_ahlborn")]),
    ("low dissipation between the wrong ends", OPTIMAL, "return carnot/2, carnot/(2 - carnot)", "return carnot/2, carnot/2",
     [BOUNDS("the_optimal_cycle_meets_speed_limit_power_and_frontier")]),
    ("noise of x² halved", SCATTERED, "drift + drift.T + 8*mu", "drift + drift.T + 4*mu", [SCATTER]),
    ("start of a Gaussian with the scatter of w", SCATTERED, "S[:2, :2] = 2*w0**2", "S[:2, :2] = w0**2", [SCATTER]),
    ("slowing without the stroke's own rate", SCATTERED, "dslow = dw - 2*mu*k*slow", "dslow = -2*mu*k*slow", [SLOWING]),
    ("uncertainty relation twice as strict", SCATTERED, "return float(2*self.slowing @", "return float(4*self.slowing @",
     [BOUNDS("the_steady_state_relation_does_not_hold_for_a_driven_turn")]),
    ("uncertainty relation of a steady state", SCATTERED, "return float(2*self.slowing @ np.linalg.pinv(self.covariance, rcond=1e-7, hermitian=True) @ self.slowing)",
     "return float(2*self.mean @ np.linalg.pinv(self.covariance, rcond=1e-7, hermitian=True) @ self.mean)", [SWEEP]),
    ("speed limit without its temperature", LIMITS, "step**2/(turn.medium.mobility*s.temperature*s.duration)", "step**2/(turn.medium.mobility*s.duration)",
     [BOUNDS("the_optimal_cycle_meets_speed_limit_power_and_frontier")]),
    ("the bound on η by the hot bath", LIMITS, "(1 - books.cold*least_entropy/books.work)", "(1 - books.hot*least_entropy/books.work)", [SWEEP]),
    ("the most power of half the action", LIMITS, "np.log(w_b/w_a))**2/(16*", "np.log(w_b/w_a))**2/(32*", [TABLE("best.most_power")]),
    ("sign of the information", INFORMED, "told = 0.5*np.log(spread/e) + 0.5*(", "told = -0.5*np.log(spread/e) - 0.5*(", [EQUALITY]),
    ("information without its fluctuation", INFORMED, "told = 0.5*np.log(spread/e) + 0.5*(y*y/spread - noise*noise/e)", "told = 0.5*np.log(spread/e) + 0*y", [EQUALITY]),
    ("no jump back at the end of a feedback turn", INFORMED, "work += 0.5*engine.stiffness*x*x - energy", "work += 0*x", [EQUALITY]),
    ("a posterior as wide as the error", INFORMED, "carried((w/(w + e), w*e/(w + e)), w + e)", "carried((w/(w + e), e), w + e)", [LEAST]),
    ("answers without the error's scatter", INFORMED, "w*e/(w + e)), w + e)", "w*e/(w + e)), w)", [LEAST]),
    ("information that is left counted as used", INFORMED, "return self.information - self.left + self", "return self.information + self", [FEEDBACK("the_balance_of_a_turn")]),
    ("Bayes' rule with twice the precision", INFORMED, "-(x - y)**2/(2*engine.error)", "-(x - y)**2/engine.error", [FEEDBACK("densities_book_what_the_moments_book")]),
    ("the feedback bath at T = 1", INFORMED, "sqrt(T*-np.expm1(-2*mu*k*h)/k)", "sqrt(-np.expm1(-2*mu*k*h)/k)", [FEEDBACK("particles_book_what_the_moments_book")]),
]
