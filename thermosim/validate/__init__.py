"""The table of every reference number that thermosim reproduces; `thermosim validate` prints it.

A new capability adds its rows in the module of its section: one decorated function a number, or a
list of rows where one function gives a family of them.
"""

import importlib
import json

from ..errors import UserError
from .row import Row

SECTIONS = {
    "noise": "random streams and normals",
    "processes": "entropy production of noising processes",
    "networks": "derivatives of networks, first and second",
    "likelihood": "likelihood as work; schedules of least work",
    "data": "made data, and the least work of a swiss roll",
    "binomial": "binomial diffusion: ceilings of the heartbeat",
    "exact": "exact scores, and what memorising means",
    "efficiency": "efficiencies of a sampler",
    "cycles": "samplers as cycles, Carnot's among them",
    "schedules": "optimal schedules; speed and accuracy",
    "engines": "engines in a trap, strokes of least work",
    "feedback": "an engine that runs on information",
    "langevin": "bookkeeping of a Langevin step",
    "samplers": "measured orders of the samplers",
    "density": "Fokker–Planck: spectra, first passages, free energies",
    "phase_space": "Klein–Kramers: splittings at a long step, escape against friction",
}


def rows(section=None):
    """All rows, or those of one section, in the order of their files."""
    names = SECTIONS if section is None else [section]
    found = []
    for name in names:
        if name not in SECTIONS:
            raise UserError(f"no section {name!r} to validate; there are: {', '.join(SECTIONS)}")
        for value in vars(importlib.import_module(f".{name}", __name__)).values():
            found += [value] if isinstance(value, Row) else []
            found += value if isinstance(value, list) and value and isinstance(value[0], Row) else []
    return found


def main(section=None, as_json=False, fast=False, echo=print):
    """Check the rows and print the table; returns True where every row holds.

    Parameters
    ----------
    section : str, optional
    as_json : bool
        One JSON document instead of the table.
    fast : bool
        Leave out the rows that take longer than about a second.
    """
    chosen = [r for r in rows(section) if r.fast or not fast]
    outcomes, width = [], max(len(r.id) for r in chosen)
    if not as_json:
        echo(f"{'id':{width}}  {'reference':>16}  {'value':>16}  {'error':>12}      road; source")
    for r in chosen:
        outcome = r.check()
        outcomes.append(outcome)
        if not as_json:
            verdict = "ok   " if outcome.passed else "FAIL "
            echo(f"{r.id:{width}}  {r.reference:>16.10g}  {outcome.value:>16.10g}  {outcome.error:>12}  "
                 f"{verdict}{r.road}; {r.source}")
    failed = [o.row.id for o in outcomes if not o.passed]
    if as_json:
        echo(json.dumps([
            {"id": o.row.id, "source": o.row.source, "reference": o.row.reference, "value": o.value,
             "error": o.error, "road": o.row.road, "passed": o.passed} for o in outcomes], indent=1))
    else:
        echo(f"{len(outcomes) - len(failed)} of {len(outcomes)} numbers hold"
             + (f"; outside: {', '.join(failed)}" if failed else ""))
    return not failed
