"""A file in words: its table, what its columns mean, where it came from."""

import math

from .errors import UserError
from .files.store import list_tree, read_tree


def show(path, table=None):
    """Print the table `table` of a file; by default its summary and provenance.

    Parameters
    ----------
    path : str or Path
    table : str, optional
        A group of columns: "ledger/...". Its columns are explained beneath.

    Raises
    ------
    UserError
        If the file cannot be read (`store.read_tree`) or holds no such table.
    """
    if table:
        print(format_table(read_tree(path, table)))
        return
    contents = list_tree(path)
    if "summary" in contents:
        print(format_table(read_tree(path, "summary"), explain=False))
    else:
        print(format_contents(contents))
    if "parameters" in contents:
        print("\n" + format_provenance(read_tree(path, "parameters")))


def format_table(group, explain=True):
    """The columns of a group that share its rows, aligned; beneath, what they mean and why some are NaN.

    A column and its ``<name>_error`` print as one, value ± error. Without `explain` only the columns
    that the group's attribute ``shown`` names are printed, where it has one.
    """
    columns = {name: d for name, d in group.datasets.items() if len(d.dims) == 1}
    dims = [d.dims[0] for d in columns.values()]
    if not columns:
        raise UserError("there is no table in this group: give the path of one that holds columns")
    rows = max(set(dims), key=dims.count)
    # a coordinate that only counts says nothing
    shown = {name: d for name, d in columns.items() if d.dims == (rows,) and (name != rows or d.attrs)}
    if not explain and "shown" in group.attrs:
        shown = {name: shown[name] for name in group.attrs["shown"]}
    errors = {name: columns[f"{name}_error"].values for name in shown if f"{name}_error" in columns}
    shown = {name: d for name, d in shown.items() if not (name.endswith("_error") and name[:-6] in shown)}
    cells = [[name, *map(_with_error, d.values, errors.get(name, [None] * len(d.values)))]
             for name, d in shown.items()]
    widths = [max(map(len, column)) for column in cells]
    text = [column[0].dtype.kind in "U" for column in ((d.values,) for d in shown.values())]
    lines = ["  ".join(cell.ljust(w) if left else cell.rjust(w)
                       for cell, w, left in zip(row, widths, text)).rstrip() for row in zip(*cells)]
    width = max(map(len, shown), default=0)
    notes = [f"{name:{width}}  {_meaning(d.attrs)}" for name, d in shown.items() if explain and d.attrs]
    notes += [f"{name:{width}}  nan: {d.attrs['nan_reason']}" for name, d in shown.items()
              if "nan_reason" in d.attrs]
    return "\n".join(lines + ([""] + notes if notes else []))


def format_contents(contents):
    """Every group and array of a file (`store.list_tree`), a line each."""
    width = max((len(path) for path in contents), default=0)
    lines = [f"{path:{width}}  {'' if shape is None else str(list(shape)):14} {_meaning(attrs)}".rstrip()
             for path, (shape, attrs) in contents.items()
             if path.split("/")[0] not in ("parameters", "h5md")]
    return "\n".join(lines) or "(empty)"


def format_provenance(parameters):
    """The group ``/parameters``, a line each, the versions on one."""
    lines = dict(parameters.attrs)
    if "versions" in parameters.groups:
        lines["versions"] = ", ".join(f"{name} {v}" for name, v in parameters.groups["versions"].attrs.items())
    width = max((len(name) for name in lines), default=0)
    return "\n".join(f"{name:{width}}  {value}" for name, value in lines.items() if value != "")


def _with_error(value, error):
    """A value as text; to the second digit of its error where it has one."""
    if error is None or not error > 0:
        return _cell(value)
    digits = max(0, 1 - int(math.floor(math.log10(error))))
    if digits > 6 or abs(value) >= 1e6:
        return f"{value:.4g} ± {error:.1g}"
    return f"{value:.{digits}f} ± {error:.{digits}f}"


def _cell(value):
    return f"{value:.4g}" if hasattr(value, "dtype") and value.dtype.kind == "f" else str(value)


def _meaning(attrs):
    unit = f"[{attrs['units']}]" if attrs.get("units", "1") != "1" else ""
    sign = f"({attrs['sign']})" if attrs.get("sign", "-") != "-" else ""
    return "  ".join(filter(None, [attrs.get("definition", ""), unit, sign]))
