"""Faults to plant in densities of phase space and the road of the engines on them: ``run.py --only phase`` and the like."""

SHEARS, STEP, VERBS, ROAD = "backend/cpu/shears.py", "fokker_planck/phase_space.py", "fokker_planck/kramers.py", "thermo/cycles/roads.py"
ROWS, DENSITY, ROADS, ORDER = (f"tests/{name}.py::test_{{}}".format for name in (
    "unit/test_shears", "physics/test_kramers_density", "physics/test_engine_roads", "convergence/test_kramers_convergence"))
EDGES, MOMENTS, SIGN, SEAM = (ROWS(name) for name in (
    "edges_get_the_mass_that_was_below_where_they_came_from", "a_resolved_law_keeps_four_moments", "mass_stays_and_none_is_negative", "a_ring_has_no_seam"))
TRAP, KRAMERS, STEADY, SHADOW, MAXWELL, RING = (DENSITY(name) for name in (
    "a_moving_breathing_trap_in_a_warming_bath", "escape_turns_over_with_friction", "steady_moments_of_the_splittings_at_a_long_step",
    "shadow_work_of_the_splittings", "the_bath_keeps_the_maxwellian_to_rounding", "a_force_around_a_ring_drives_a_current"))
FALLS, PARTICLES, HOLDS = (DENSITY(name) for name in (
    "free_energy_falls_by_what_is_produced", "particles_book_what_the_density_books", "mass_and_sign_hold_for_any_start"))
ENGINE, ENGINE_ORDER = ROADS("the_density_with_inertia"), ROADS("the_density_with_inertia_errs_by_the_square_of_its_cells_and_steps")

# (what is wrong, file in thermosim/, old text, new text, tests)
FAULTS = [
    ("phase space: a flux without its far cells", SHEARS, "below1 = below2 - a * p", "below1 = -a * p", [EDGES, MOMENTS]),
    ("phase space: a sign in the interpolation", SHEARS, "above1 = above2 + a * p", "above1 = above2 - a * p", [EDGES, MOMENTS]),
    ("phase space: fluxes free to take more than there is", SHEARS, "min(max(crossing, 0.0), row[i + 2])", "max(crossing, 0.0)", [SIGN]),
    ("phase space: fluxes free to run backward", SHEARS, "min(max(crossing, 0.0), row[i + 2])", "min(crossing, row[i + 2])", [SIGN]),
    ("phase space: a seam in the ring", SHEARS, "out[0] = out[n]", "out[0] = 0.0", [SEAM]),
    ("phase space: what passes an end is gone", SHEARS, "moved[r, 0] += row", "moved[r, 0] += 0.0 * row", [SIGN]),
    ("phase space: flights of half the step", STEP, "span / x.widths[0]", "0.5 * span / x.widths[0]", [TRAP, KRAMERS]),
    ("phase space: kicks without the mass", STEP, "span / (mass * v.widths[0])", "span / v.widths[0]", [TRAP]),
    ("phase space: friction of half the step", STEP, "bath.step(span)", "bath.step(0.5 * span)", [TRAP, STEADY]),
    ("phase space: a bath of unit mass", STEP, "0.5 * mass * v.centers**2 / temperature", "0.5 * v.centers**2 / temperature", [TRAP]),
    ("phase space: a bath at T = 1", STEP, "0.5 * mass * v.centers**2 / temperature", "0.5 * mass * v.centers**2", [MAXWELL, TRAP]),
    ("phase space: hops that forget detailed balance", STEP, "self.up[i] * below[i]", "self.up[i]", [MAXWELL]),
    ("phase space: exponential cut short", STEP, "TERMS = 20", "TERMS = 4", [MAXWELL]),
    ("phase space: parameters of the start for the whole step", STEP, "(t, t + 0.5 * h, t + h)", "(t, t, t + h)", [TRAP, ORDER("order_in_the_step")]),
    ("phase space: work of the first half left out", STEP, "at @ (U - equation.landscape(**start)[0]), 0.0, 0.0", "0.0, 0.0, 0.0", [TRAP]),
    ("phase space: heat booked as shadow work", STEP, "heat += kinetic - before", "shadow += kinetic - before", [SHADOW, PARTICLES]),
    ("phase space: flights not booked", STEP, "shadow += potential - before", "shadow += 0.0", [SHADOW, TRAP]),
    ("phase space: power of a force without energy halved", STEP, "done = 0.5 * span * extra", "done = 0.25 * span * extra", [RING]),
    ("phase space: entropy given to the bath of the wrong sign", STEP, "-heat / temperature", "heat / temperature", [SHADOW, FALLS]),
    ("phase space: rounding of the mass let go", STEP, "+= total - m.sum() ", "+= 1e-3 * (total - m.sum()) ", [HOLDS]),
    ("phase space: entropy production of the flows up alone", STEP, "self.down[1:] * m[:, 1:]", "self.down[1:] * m[:, :-1]", [FALLS]),
    ("phase space: free energy without the velocities", VERBS, "np.add.outer(self.landscape(**parameters)[0], 0.5 *", "np.add.outer(self.landscape(**parameters)[0], 0.0 *", [FALLS]),
    ("phase space: shadow work left out of an engine's work", ROAD, '+ run.ledger["shadow_work"].sum() ', "", [ENGINE]),
    ("phase space: friction on the adiabats", ROAD, "KleinKramers(TRAP, 1.0, 0.0, medium.mass, grid)", "KleinKramers(TRAP, 1.0, medium.friction, medium.mass, grid)", [ENGINE]),
    ("phase space: steps that are not refined with the cells", ROAD, '{"steps": level*int(', '{"steps": int(', [ENGINE_ORDER]),
]
