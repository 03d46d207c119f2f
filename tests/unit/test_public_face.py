"""Every public name is there, documented, and found again under its own module."""

import thermosim


def test_every_name_loads_and_explains_itself():
    for name in thermosim.__all__:
        value = getattr(thermosim, name)
        if callable(value):
            assert value.__doc__ and value.__module__.startswith("thermosim."), name
    assert set(thermosim.__all__) <= set(dir(thermosim))


def test_the_shape_of_use():
    """The example of the README of a driven trap: totals per particle, rows, first law."""
    import numpy as np
    import sympy as sp

    import thermosim as ts

    x, k, c = sp.symbols("x k c")
    trap = ts.Potential(k * (x - c) ** 2 / 2, coordinates=[x], parameters={"k": 1.0, "c": 0.0})
    run = ts.simulate(ts.Overdamped(trap, temperature=1.0, mobility=1.0), particles=20_000, x0="equilibrium",
                      protocol=ts.Linear(c=(0.0, 2.0)), t=(0.0, 2.0), steps=4, scheme=ts.EulerMaruyama(), seed=1)
    for totals in (run.work, run.shadow_work, run.heat, run.entropy_env):
        assert totals.shape == (20_000,)
    # ⟨W⟩ of four Euler–Maruyama steps, 1.03125, variance 2.457031
    assert abs(run.work.mean() - 1.03125) < 6 * np.sqrt(2.457031 / 20_000)
    assert len(run.ledger) == 4


def test_an_unknown_name_is_an_attribute_error():
    assert not hasattr(thermosim, "phlogiston")
