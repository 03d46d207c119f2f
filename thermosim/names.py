"""What a user meant to type."""

import difflib

from .errors import UserError


def unknown(kind, name, known):
    """The UserError for a name that is none of those known: the nearest one, or all of them.

    Parameters
    ----------
    kind : str
        What the name should have named: "sampler", "command", ...
    name : str
    known : iterable of str
    """
    known = [str(k) for k in known]
    near = difflib.get_close_matches(str(name), known, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known) or 'none'}"
    return UserError(f"unknown {kind} {name!r}: {hint}")
