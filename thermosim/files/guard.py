"""What a file must be before a byte of its data is read.

A file from elsewhere may point outside itself, ask for code of its own (filters), or declare more
than any memory holds. All of that is in the headers, so it is refused from the headers.
"""

import os

from ..errors import UserError

FORMAT = 1          # of the tree on disk; the root attribute ``thermosim_format`` carries it
MAX_DEPTH = 32
MAX_OBJECTS = 100_000
MAX_CHUNK = 1 << 26
DEFLATE_RATIO = 1032  # deflate cannot shrink further: more data than this per stored byte is not there

# codes of the HDF5 file format
_HARD_LINK = 0
_FILTERS = {1: "deflate", 2: "shuffle", 3: "fletcher32"}
_KINDS = "iufS"


def memory_bytes():
    """Physical memory of this machine, bytes."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return 1 << 33


def refuse_huge(path, needed):
    """Raise UserError where `needed` bytes are more than half of this machine's memory."""
    if needed > memory_bytes() // 2:
        raise UserError(f"{path} needs {needed:.3g} bytes as float64, more than half of this machine's memory: "
                        "take a part of it")


def refuse_foreign(path, file):
    """Raise UserError unless `file`, an open h5py.File, is one that thermosim wrote and safe to read."""
    # listing the names raises where the header is damaged; asking for one would only say "absent"
    if "thermosim_format" not in list(file.attrs):
        raise UserError(f"{path} was not written by thermosim: give a file that one of its runs made")
    mark = int(file.attrs["thermosim_format"])
    if mark > FORMAT:
        raise UserError(f"{path} was written by a newer thermosim (format {mark}): "
                        "pip install --upgrade thermosim")
    _refuse_attributes(path, file)
    # an h5py object hashes to its place in the file, so a loop or an alias shows as a repeated hash
    seen, stack = {hash(file["/"])}, [("", file, 0)]
    while stack:
        prefix, group, depth = stack.pop()
        for name in group:
            where = f"{prefix}/{name}"
            if group.id.links.get_info(name.encode("utf-8", "surrogateescape")).type != _HARD_LINK:
                raise _refuse(path, where, "a link to somewhere else")
            node = group[name]
            if hash(node) in seen:
                raise _refuse(path, where, "a second name of another object")
            seen.add(hash(node))
            if len(seen) > MAX_OBJECTS or depth > MAX_DEPTH:
                raise _refuse(path, where, "an absurd number of groups")
            _refuse_attributes(path, node)
            if hasattr(node, "keys"):
                stack.append((where, node, depth + 1))
            elif hasattr(node, "chunks"):
                _refuse_dataset(path, where, node)
            else:
                raise _refuse(path, where, "an object of unknown type")


def is_bare_axis(dataset):
    """True for the placeholder of an axis that has a name and a length but no coordinate."""
    name = dataset.attrs.get("NAME", b"")
    return bytes(name).startswith(b"This is a netCDF dimension but not a netCDF variable")


def _refuse_dataset(path, where, dataset):
    plist = dataset.id.get_create_plist()
    if plist.get_external_count():
        raise _refuse(path, where, "data kept in another file")
    if dataset.is_virtual:
        raise _refuse(path, where, "data put together from other files")
    for i in range(plist.get_nfilters()):
        code = plist.get_filter(i)[0]
        if code not in _FILTERS:
            raise _refuse(path, where, f"data behind the unknown filter {code}")
    if dataset.dtype.kind not in _KINDS:
        raise _refuse(path, where, f"data of type {dataset.dtype}")
    if is_bare_axis(dataset):
        return  # never read, whatever length it declares
    chunk = dataset.dtype.itemsize
    for length in dataset.chunks or ():
        chunk *= length
    stored = dataset.id.get_storage_size()
    absurd = (dataset.nbytes > DEFLATE_RATIO * stored + 4096 or dataset.nbytes > memory_bytes()
              or chunk > max(MAX_CHUNK, dataset.dtype.itemsize))
    if absurd:
        raise _refuse(path, where, f"{dataset.nbytes:.3g} bytes declared and {stored} stored")


def _refuse_attributes(path, node):
    size = os.path.getsize(path)
    for name in node.attrs:
        info = node.attrs.get_id(name)
        if info.get_storage_size() > size:
            raise _refuse(path, f"{node.name}@{name}", "an attribute larger than the file")


def _refuse(path, where, what):
    return UserError(f"{path} holds {what} at {where}, which thermosim never writes: "
                     "do not trust this file; use the original")
