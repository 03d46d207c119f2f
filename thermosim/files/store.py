"""Trees on disk: the one place that imports h5py.

A written file is plain HDF5 that xarray, netCDF and h5py read. What is protected, and how:

- every array of one axis or more is chunked (chunks near 1 MB), shuffled, deflated at level 1, and
  each chunk carries a Fletcher-32 checksum;
- single numbers and texts, attributes, names and shapes live in object headers and indices of the
  1.10 format, each with a checksum of its own;
- text has a fixed length, so that it lies in those places and not in the global heap;
- **not protected**: the lists of references in the global heap that tie an array to its coordinates
  for xarray. thermosim reads the names of the axes from the attribute ``dimensions`` instead.

A file is put together in memory and written in one piece: HDF5 itself crashes the process when the
disk fills up under an open file. So a tree and its compressed image must fit in memory.
"""

import contextlib
import hashlib
import io

import numpy as np

from ..errors import UserError
from ..names import unknown
from .atomic import replacing
from .guard import FORMAT, is_bare_axis, refuse_foreign
from .tree import Dataset, Group

CHUNK_BYTES = 1 << 20
MAX_TEXT = 60_000  # of a single text: an object header holds 64 KiB
_BARE_AXIS = "This is a netCDF dimension but not a netCDF variable.{:10d}"
# attributes that belong to the way a tree is stored, not to the tree
_STORAGE = {"thermosim_format", "dimensions", "_Encoding", "CLASS", "NAME", "REFERENCE_LIST",
            "DIMENSION_LIST", "DIMENSION_LABELS"}


def write_tree(path, tree):
    """Write a tree to `path`, whole or not at all.

    Parameters
    ----------
    path : str or Path
    tree : Group

    Returns
    -------
    str
        SHA-256 of the file, hexadecimal.

    Raises
    ------
    UserError
        On a full disk, a missing folder, or one that may not be written to.
    ValueError
        If an axis and its coordinate differ in length, or a value has a type that cannot be stored.
    """
    import h5py

    image = io.BytesIO()
    with h5py.File(image, "w", libver=("v110", "v110"), track_order=True) as file:
        _write_group(h5py, file, tree, {})
        _write_attribute(h5py, file, "thermosim_format", FORMAT)
    with replacing(path) as part:
        part.write_bytes(image.getbuffer())
    return hashlib.sha256(image.getbuffer()).hexdigest()


def read_tree(path, under=None):
    """Read a file that thermosim wrote, or the group `under` of it.

    Returns
    -------
    Group

    Raises
    ------
    UserError
        If there is no such file or group, the file is not thermosim's or not safe to read
        (`guard.refuse_foreign`), or it is damaged.
    """
    with _opened(path) as file:
        if not under:
            return _read_group(file)
        if under not in file or not hasattr(file[under], "keys"):
            raise unknown(f"group in {path}", under, _group_names(file))
        return _read_group(file[under])


def list_tree(path):
    """What a file holds, its data unread: {path: (shape, attrs)}, the shape of a group being None."""
    listed = {}

    def visit(prefix, group):
        for name, node in group.items():
            if hasattr(node, "keys"):
                listed[prefix + name] = (None, _read_attributes(node))
                visit(f"{prefix}{name}/", node)
            elif not is_bare_axis(node):
                listed[prefix + name] = (node.shape, _read_attributes(node))

    with _opened(path) as file:
        visit("", file)
    return listed


@contextlib.contextmanager
def _opened(path):
    import h5py

    try:
        with open(path, "rb") as raw:
            signature = raw.read(8)
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}; check the name") from error
    if signature != b"\x89HDF\r\n\x1a\n":
        raise UserError(f"{path} is not an HDF5 file: give a file that a thermosim run made")
    try:
        with h5py.File(path, "r") as file:
            refuse_foreign(path, file)
            yield file
    except (OSError, RuntimeError, KeyError, ValueError, TypeError, MemoryError) as error:
        raise UserError(f"{path} is damaged ({_first_line(error)}): restore it from a copy "
                        "or run again what made it") from error


def _first_line(error):
    return " ".join(str(error).split())[:120] or type(error).__name__


# --- writing -------------------------------------------------------------------------------------

def _write_group(h5py, group, tree, axes):
    """Write `tree` into the open `group`; `axes` are the coordinates that its parents offer."""
    axes = dict(axes)
    # coordinates first: what is attached to them must find them
    ordered = sorted(tree.datasets.items(), key=lambda item: item[1].dims != (item[0],))
    for name, dataset in ordered:
        stored = _write_dataset(h5py, group, name, dataset)
        if dataset.dims == (name,):
            stored.make_scale(name)
            if name in axes and axes[name].size != stored.size:
                raise ValueError(f"{stored.name} has {stored.size} entries and {axes[name].name} has "
                                 f"{axes[name].size}: give one of them another name")
            axes[name] = stored
            continue
        for i, (dim, length) in enumerate(zip(dataset.dims, stored.shape)):
            if dim not in axes:
                axes[dim] = group.create_dataset(dim, shape=(length,), dtype=">f4")
                axes[dim].make_scale(_BARE_AXIS.format(length))
            if axes[dim].size != length:
                raise ValueError(f"{stored.name} has {length} entries along {dim}, "
                                 f"and {axes[dim].name} has {axes[dim].size}")
            stored.dims[i].attach_scale(axes[dim])
    for name, child in tree.groups.items():
        _write_group(h5py, group.create_group(name, track_order=True), child, axes)
    for name, value in tree.attrs.items():
        _write_attribute(h5py, group, name, value)


def _write_dataset(h5py, group, name, dataset):
    values, attrs = dataset.values, dict(dataset.attrs)
    if values.dtype.kind in "UO":
        values = _encoded(h5py, values)
        attrs["_Encoding"] = "utf-8"
    elif values.dtype.kind == "b":
        values = values.astype(np.int8)
        attrs["dtype"] = "bool"  # how xarray marks truth values
    if values.dtype.kind not in "iufS":
        raise ValueError(f"{name}: values of type {values.dtype} cannot be stored")
    if values.ndim == 0:
        stored = _write_scalar(h5py, group, name, values)
    else:
        # an empty array has no chunks, and nothing to protect
        layout = {"chunks": _chunks(values), "compression": "gzip", "compression_opts": 1,
                  "shuffle": True, "fletcher32": True} if values.size else {}
        stored = group.create_dataset(name, data=values, dtype=values.dtype, track_order=True, **layout)
        attrs["dimensions"] = list(dataset.dims)
    for key, value in attrs.items():
        _write_attribute(h5py, stored, key, value)
    return stored


def _write_scalar(h5py, group, name, values):
    if values.nbytes > MAX_TEXT:
        raise ValueError(f"{name}: a single text of {values.nbytes} bytes; store it as a list of lines")
    layout = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    layout.set_layout(h5py.h5d.COMPACT)  # inside the object header, under its checksum
    layout.set_attr_creation_order(h5py.h5p.CRT_ORDER_TRACKED | h5py.h5p.CRT_ORDER_INDEXED)
    layout.set_obj_track_times(False)
    stored = h5py.Dataset(h5py.h5d.create(
        group.id, name.encode(), h5py.h5t.py_create(values.dtype, logical=True),
        h5py.h5s.create(h5py.h5s.SCALAR), layout))
    stored[()] = values
    return stored


def _write_attribute(h5py, node, name, value):
    value = np.asarray(value)
    if value.dtype.kind in "UO":
        value = _encoded(h5py, value)
    elif value.dtype.kind == "b":
        value = value.astype(np.int8)
    if value.dtype.kind not in "iufS" or value.ndim > 1:
        raise ValueError(f"{node.name}: attribute {name} of type {value.dtype} cannot be stored")
    node.attrs.create(name, value, dtype=value.dtype)


def _encoded(h5py, values):
    if not all(isinstance(text, str) for text in values.flat):
        raise ValueError("an array of objects can only be stored when all of them are text")
    encoded = np.char.encode(values.astype(str), "utf-8")
    return encoded.astype(h5py.string_dtype("utf-8", max(encoded.dtype.itemsize, 1)))


def _chunks(values):
    """Whole trailing axes as long as they fit into CHUNK_BYTES, then as much of the next as does."""
    chunks, budget = [1] * values.ndim, max(CHUNK_BYTES // values.dtype.itemsize, 1)
    for axis in reversed(range(values.ndim)):
        chunks[axis] = min(values.shape[axis], max(budget, 1))
        budget //= chunks[axis]
        if chunks[axis] < values.shape[axis]:
            break
    return tuple(chunks)


# --- reading -------------------------------------------------------------------------------------

def _read_group(group):
    tree = Group(_read_attributes(group))
    for name, node in group.items():
        if hasattr(node, "keys"):
            tree.groups[name] = _read_group(node)
        elif not is_bare_axis(node):
            tree.datasets[name] = _read_dataset(node)
    return tree


def _read_dataset(node):
    values, attrs = node[()], _read_attributes(node)
    if np.asarray(values).dtype.kind == "S":
        values = np.char.decode(values, "utf-8")
    if attrs.pop("dtype", None) == "bool":
        values = np.asarray(values, dtype=bool)
    dims = _text(node.attrs["dimensions"]) if np.ndim(values) else ()
    return Dataset(values, tuple(str(dim) for dim in dims), attrs)


def _read_attributes(node):
    # the filter comes first: lists of references are neither needed nor protected
    return {name: _text(node.attrs[name]) for name in node.attrs if name not in _STORAGE}


def _text(value):
    if isinstance(value, bytes):
        return value.decode("utf-8")
    if isinstance(value, np.ndarray) and value.dtype.kind in "SO":
        return [text.decode("utf-8") if isinstance(text, bytes) else text for text in value]
    return value.tolist() if isinstance(value, (np.ndarray, np.generic)) else value


def _group_names(file):
    names = []
    file.visititems(lambda name, node: names.append(name) if hasattr(node, "keys") else None)
    return names
