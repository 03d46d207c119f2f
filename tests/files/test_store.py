"""What is written comes back, whole, or is refused: round trips, bit flips, disks that fill up."""

import errno
import os
import subprocess
import sys
import textwrap

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from thermosim.errors import UserError
from thermosim.files.atomic import replacing, writable_folder
from thermosim.files.store import list_tree, read_tree, write_tree
from thermosim.files.tree import Dataset, Group


def same(a, b):
    """Equality of two trees: bits of values, types, axes, attributes."""
    if isinstance(a, Group):
        return (isinstance(b, Group) and repr(a.attrs) == repr(b.attrs)
                and set(a.datasets) == set(b.datasets) and set(a.groups) == set(b.groups)
                and all(same(a.datasets[k], b.datasets[k]) for k in a.datasets)
                and all(same(a.groups[k], b.groups[k]) for k in a.groups))
    return (isinstance(b, Dataset) and a.dims == b.dims and repr(a.attrs) == repr(b.attrs)
            and a.values.shape == b.values.shape and a.values.dtype.kind == b.values.dtype.kind
            and a.values.tobytes() == b.values.tobytes())


@pytest.fixture
def tree():
    rng = np.random.default_rng(3)
    tree = Group({"title": "warm — heiß", "count": 3, "weights": [0.5, 0.25], "names": ["a", "ß"], "empty": ""})
    tree["time"] = Dataset(np.arange(5.0), "time", {"units": "1"})
    tree["step"] = Dataset(np.arange(5), "time")
    tree["a/b/x"] = Dataset(rng.normal(size=(5, 40, 2)), ("time", "particle", "component"))
    tree["a/name"] = Dataset(np.array(["αβγ", "x", ""]), "row", {"definition": "who"})
    tree["a/good"] = Dataset([True, False, True], "row")
    tree["a/none"] = Dataset(np.zeros((0, 2), np.float32), ("nothing", "pair"))
    for i in range(12):  # enough for the dense kind of group storage
        tree[f"ledger/c{i}"] = Dataset(rng.normal(size=7), "sampler_step", {"units": "nat", "sign": "> 0"})
    for name, value in {"text": "one text", "real": 2.5, "whole": -7, "truth": True}.items():
        tree[f"scalar/{name}"] = Dataset(value)
    return tree


def test_tree_paths():
    tree = Group()
    tree["a/b/c"] = Dataset(np.arange(3), "c")
    assert tree["a/b"].datasets["c"] is tree["/a/b/c"]
    assert "a/b" in tree and "a/x" not in tree and "a/b/c/d" not in tree
    assert [path for path, _ in tree.walk()] == ["a", "a/b", "a/b/c"]
    with pytest.raises(ValueError, match="c is an array"):
        tree["a/b/c/d"] = Dataset(1)
    with pytest.raises(ValueError, match="needs 2 axis names"):
        Dataset(np.zeros((2, 2)), ("row",))


def test_round_trip(tmp_path, tree):
    write_tree(tmp_path / "x.h5", tree)
    assert same(read_tree(tmp_path / "x.h5"), tree)
    assert same(read_tree(tmp_path / "x.h5", "a/b"), tree["a/b"])
    assert os.listdir(tmp_path) == ["x.h5"]
    listed = list_tree(tmp_path / "x.h5")
    assert listed["a/b/x"][0] == (5, 40, 2) and listed["a/b"][0] is None
    assert listed["ledger/c3"][1] == {"units": "nat", "sign": "> 0"}
    with pytest.raises(UserError, match="did you mean 'a/b'"):
        read_tree(tmp_path / "x.h5", "a/c")


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=hnp.arrays(
    dtype=st.sampled_from([np.float32, np.float64, np.int8, np.int64, np.uint32, np.bool_]),
    shape=hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=5)))
def test_any_array_comes_back_bit_for_bit(tmp_path, values):
    tree = Group()
    tree["x"] = Dataset(values, [f"axis{i}" for i in range(values.ndim)])
    write_tree(tmp_path / "x.h5", tree)
    assert same(read_tree(tmp_path / "x.h5"), tree)


def test_every_single_bit_counts(tmp_path, tree):
    """A flipped bit is refused or changes nothing; 300 flips see a silent fraction of 2 % (p < 0.003)."""
    write_tree(tmp_path / "x.h5", tree)
    good, damaged = (tmp_path / "x.h5").read_bytes(), tmp_path / "damaged.h5"
    rng, refused = np.random.default_rng(11), 0
    for position in rng.integers(len(good), size=300):
        image = bytearray(good)
        image[position] ^= 1 << rng.integers(8)
        damaged.write_bytes(image)
        try:
            assert same(read_tree(damaged), tree), f"bit flip in byte {position} passed unseen"
        except UserError as error:
            refused += 1
            assert "\n" not in str(error)
    assert refused > 100


def test_single_numbers_and_texts_are_guarded_too(tmp_path, tree):
    """Every byte of values that are too small for a chunk of their own."""
    write_tree(tmp_path / "x.h5", tree)
    good, damaged = (tmp_path / "x.h5").read_bytes(), tmp_path / "damaged.h5"
    for value in (b"one text", np.float64(2.5).tobytes(), "heiß".encode(), b"particle"):
        start = good.index(value)
        for position in range(start, start + len(value)):
            image = bytearray(good)
            image[position] ^= 1
            damaged.write_bytes(image)
            with pytest.raises(UserError, match="damaged"):
                read_tree(damaged)


def test_truncated_file(tmp_path, tree):
    write_tree(tmp_path / "x.h5", tree)
    image = (tmp_path / "x.h5").read_bytes()
    (tmp_path / "x.h5").write_bytes(image[:len(image) // 2])
    with pytest.raises(UserError, match="damaged"):
        read_tree(tmp_path / "x.h5")


def test_layout_on_disk(tmp_path):
    tree = Group()
    tree["small"] = Dataset(np.arange(3.0), "row")
    tree["large"] = Dataset(np.zeros((300, 1000, 3)), ("time", "particle", "component"))
    tree["long"] = Dataset(np.zeros(300_000), "n")
    write_tree(tmp_path / "x.h5", tree)
    with h5py.File(tmp_path / "x.h5") as file:
        for name in ("small", "large", "long"):
            assert file[name].fletcher32 and file[name].shuffle
            assert (file[name].compression, file[name].compression_opts) == ("gzip", 1)
        assert file["small"].chunks == (3,)
        assert file["large"].chunks == (43, 1000, 3)      # 1.03 MB
        assert file["long"].chunks == (1 << 17,)
        assert file["large"].dims[1][0].name == "/particle"


def test_xarray_opens_it(tmp_path, tree):
    xarray = pytest.importorskip("xarray")
    write_tree(tmp_path / "x.h5", tree)
    with xarray.open_datatree(tmp_path / "x.h5", engine="h5netcdf") as opened:
        assert opened["a/b/x"].dims == ("time", "particle", "component")
        assert np.array_equal(opened["a/b/x"].sel(time=2.0), tree["a/b/x"].values[2])
        assert list(opened["a/name"].values) == ["αβγ", "x", ""]
        assert opened["a/good"].dtype == bool and opened["ledger/c0"].attrs["units"] == "nat"
        assert str(opened["scalar/text"].values) == "one text" and opened.attrs["title"] == "warm — heiß"
        assert not [d for node in opened.subtree for d in node.dims if d.startswith("phony")]


def test_axes_must_agree(tmp_path):
    tree = Group()
    tree["time"] = Dataset(np.arange(5.0), "time")
    tree["x"] = Dataset(np.zeros(4), "time")
    with pytest.raises(ValueError, match="4 entries along time"):
        write_tree(tmp_path / "x.h5", tree)
    del tree.datasets["x"]
    tree["inner/time"] = Dataset(np.arange(3.0), "time")
    with pytest.raises(ValueError, match="give one of them another name"):
        write_tree(tmp_path / "x.h5", tree)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("value", [np.array([1j]), np.array([object()]), np.array(["2020"], "M8[D]")])
def test_types_that_cannot_be_stored(tmp_path, value):
    tree = Group()
    tree["x"] = Dataset(value, "row")
    with pytest.raises(ValueError, match="stored"):
        write_tree(tmp_path / "x.h5", tree)
    tree["x"] = Dataset("y" * 70_000)
    with pytest.raises(ValueError, match="list of lines"):
        write_tree(tmp_path / "x.h5", tree)


def test_places_that_cannot_be_written(tmp_path, tree, monkeypatch):
    (tmp_path / "file").write_text("")
    cases = {tmp_path / "no" / "x.h5": "does not exist; create it", tmp_path: "it is a folder",
             tmp_path / "file" / "x.h5": "a file stands where a folder is needed"}
    for path, words in cases.items():
        with pytest.raises(UserError, match=words):
            write_tree(path, tree)
    with pytest.raises(UserError, match="a file stands where a folder"):
        writable_folder(tmp_path / "file" / "out")

    def forbidden(*_):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "replace", forbidden)
    with pytest.raises(UserError, match="not allowed; choose a folder"):
        write_tree(tmp_path / "x.h5", tree)
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_folder_without_permission(tmp_path, tree):
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(UserError, match="not allowed"):
            write_tree(tmp_path / "x.h5", tree)
        with pytest.raises(UserError, match="not allowed"):
            writable_folder(tmp_path / "out")
    finally:
        tmp_path.chmod(0o700)


def test_failed_write_keeps_the_old_file(tmp_path):
    path = tmp_path / "x.txt"
    path.write_text("old")
    with pytest.raises(KeyboardInterrupt), replacing(path) as part:
        part.write_text("new, but")
        raise KeyboardInterrupt
    assert path.read_text() == "old" and os.listdir(tmp_path) == ["x.txt"]
    with replacing(path) as part:
        part.write_text("new")
    assert path.read_text() == "new" and os.listdir(tmp_path) == ["x.txt"]


def test_disk_full(tmp_path):
    """The kernel refuses bytes beyond a limit, in a process of its own: one line, code 2, nothing left."""
    pytest.importorskip("resource")
    script = textwrap.dedent("""
        import resource, sys
        import numpy as np
        from thermosim.command import run
        from thermosim.files.store import write_tree
        from thermosim.files.tree import Dataset, Group
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        tree = Group()
        tree["x"] = Dataset(np.random.default_rng(0).normal(size=100_000), "n")
        sys.exit(run(write_tree, sys.argv[1], tree))
    """)
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path / "x.h5")], capture_output=True, text=True,
                          check=False)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1 and "no room on the disk" in done.stderr
    assert os.listdir(tmp_path) == []
