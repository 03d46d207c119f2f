"""Files that thermosim did not write, or that were doctored, are refused from their headers."""

import re

import h5py
import numpy as np
import pytest

from thermosim.errors import UserError
from thermosim.files.store import list_tree, read_tree, write_tree
from thermosim.files.tree import Dataset, Group


@pytest.fixture
def path(tmp_path):
    tree = Group()
    tree["a/x"] = Dataset(np.arange(10.0), "row")
    write_tree(tmp_path / "x.h5", tree)
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["secret"] = np.arange(3.0)
    (tmp_path / "raw.bin").write_bytes(b"secret" * 100)
    return tmp_path / "x.h5"


def soft_link(file):
    file["a/link"] = h5py.SoftLink("/a/x")


def external_link(file):
    file["a/link"] = h5py.ExternalLink("other.h5", "/secret")


def loop(file):
    file["a/again"] = file["a"]


def alias(file):
    file["b"] = file["a/x"]


def external_storage(file):
    raw = file.filename.replace("x.h5", "raw.bin")
    file.create_dataset("raw", shape=(10,), dtype="f8", external=[(raw, 0, 80)])


def virtual(file):
    layout = h5py.VirtualLayout(shape=(3,), dtype="f8")
    layout[:] = h5py.VirtualSource("other.h5", "secret", shape=(3,))
    file.create_virtual_dataset("virtual", layout)


def unknown_filter(file):
    file.create_dataset("lzf", data=np.arange(100.0), compression="lzf")


def absurd_size(file):
    file.create_dataset("huge", shape=(1 << 40,), dtype="f8", chunks=(1 << 16,), compression="gzip")


def absurd_chunk(file):
    file.create_dataset("huge", shape=(1 << 28,), maxshape=(None,), dtype="f8", chunks=(1 << 28,))


def references(file):
    file.create_dataset("pointers", data=[file["a"].ref], dtype=h5py.ref_dtype)


def compound(file):
    file["pairs"] = np.zeros(3, dtype=[("a", "f8"), ("b", "i4")])


def free_text(file):
    file.create_dataset("text", data=["a", "b"], dtype=h5py.string_dtype())


def named_type(file):
    file["type"] = np.dtype("f8")


def deep(file):
    file.create_group("/".join("d" * 40))


@pytest.mark.parametrize("plant, words", [
    (soft_link, "a link to somewhere else at /a/link"),
    (external_link, "a link to somewhere else at /a/link"),
    (loop, "a second name of another object"),
    (alias, "a second name of another object"),
    (external_storage, "data kept in another file at /raw"),
    (virtual, "data put together from other files"),
    (unknown_filter, "data behind the unknown filter 32000"),
    (absurd_size, "8.8e+12 bytes declared and 0 stored at /huge"),
    (absurd_chunk, "2.15e+09 bytes declared and 0 stored"),
    (references, "data of type object"),
    (compound, "data of type"),
    (free_text, "data of type object"),
    (named_type, "an object of unknown type"),
    (deep, "an absurd number of groups"),
])
def test_doctored_file(path, plant, words):
    with h5py.File(path, "r+") as file:
        plant(file)
    for read in (read_tree, list_tree, lambda p: read_tree(p, "a")):
        with pytest.raises(UserError, match=re.escape(words)) as caught:
            read(path)
        assert "\n" not in str(caught.value) and "use the original" in str(caught.value)


def test_a_large_chunk_of_little_data(path):
    """64 MB of zeros shrink 1000-fold: sizes agree, the chunk alone betrays it."""
    with h5py.File(path, "r+") as file:
        file.create_dataset("zeros", data=np.zeros(9 << 20), chunks=(9 << 20,), compression="gzip")
    with pytest.raises(UserError, match="declared"):
        read_tree(path)


def test_not_ours(path, tmp_path):
    with pytest.raises(UserError, match="not written by thermosim"):
        read_tree(tmp_path / "other.h5")
    with pytest.raises(UserError, match="not an HDF5 file"):
        read_tree(tmp_path / "raw.bin")
    with pytest.raises(UserError, match="No such file"):
        read_tree(tmp_path / "nothing.h5")
    with pytest.raises(UserError, match="cannot read"):
        read_tree(tmp_path)
    with h5py.File(path, "r+") as file:
        file.attrs["thermosim_format"] = 99
    with pytest.raises(UserError, match="newer thermosim"):
        read_tree(path)


def test_a_note_by_the_owner_is_welcome(path):
    with h5py.File(path, "r+") as file:
        file["a/x"].attrs["note"] = "the good run"
    assert read_tree(path)["a/x"].attrs["note"] == "the good run"
