"""Figures, each drawn from a file alone: PNG to look at, PDF to print. The only place that imports matplotlib.

A figure is a module with `applies(tree)`, whether the file holds what it shows, and `draw(tree)`.
"""

from pathlib import Path

from ..errors import UserError
from ..files.atomic import replacing, writable_folder
from ..files.store import read_tree


def draw(path, out=None):
    """Draw every figure that the file at `path` holds the numbers for.

    Parameters
    ----------
    path : str or Path
    out : str or Path, optional
        Folder for the pictures, by default that of the file.

    Returns
    -------
    list of Path
        The PNG files; a PDF of the same name lies beside each.

    Raises
    ------
    UserError
        A file that is not ours, an output folder that cannot be written, or nothing to draw.
    """
    from . import (carnot, cycle, density, efficiency, engines, film, fluctuation, information, isothermal, learned,
                   least_work, optimal, plane, profile,
                   rates, schedule, speed, steps, strokes, style)

    tree = read_tree(path)
    modules = (cycle, steps, efficiency, film, fluctuation, density, rates, learned, engines, isothermal, optimal,
               plane, speed, schedule,
               strokes, carnot, information, least_work, profile)
    figures = [module for module in modules if module.applies(tree)]
    if not figures:
        raise UserError(f"{path} holds nothing that a figure is made of; `thermosim show {path}` says what it holds")
    out = writable_folder(Path(out) if out else Path(path).parent)
    drawn = []
    with style.context():
        for module in figures:
            figure = module.draw(tree)
            for kind in ("pdf", "png"):
                target = out / f"{module.__name__.rpartition('.')[2]}.{kind}"
                with replacing(target) as part:
                    figure.savefig(part, format=kind)
            drawn.append(target)
            style.close(figure)
    return drawn
