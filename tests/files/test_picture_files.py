"""The user's pictures: IDX, CIFAR-10's binary version and folders, made here byte by byte; bad ones get one line."""

import gzip
import struct
import sys

import numpy as np
import pytest
from PIL import Image

from thermosim.errors import UserError
from thermosim.files.data import load_data

RNG = np.random.default_rng(5)
PICTURES = RNG.integers(256, size=(20, 5, 4)).astype(np.uint8)


def idx(array, code=8, lengths=None):
    """The bytes of an IDX file, by hand."""
    lengths = array.shape if lengths is None else lengths
    return struct.pack(">HBB", 0, code, len(lengths)) + struct.pack(f">{len(lengths)}I", *lengths) + array.tobytes()


def cifar(n, label=3):
    """n records and the pictures in them, (n, 32, 32, 3)."""
    planes = RNG.integers(256, size=(n, 3, 32, 32)).astype(np.uint8)
    return b"".join(bytes([label]) + p.tobytes() for p in planes), np.moveaxis(planes, 1, 3)


@pytest.mark.parametrize("name, pack",
                         [("train-images-idx3-ubyte", bytes), ("train-images-idx3-ubyte.gz", gzip.compress)])
def test_idx(tmp_path, name, pack):
    (tmp_path / name).write_bytes(pack(idx(PICTURES)))
    data = load_data(tmp_path / name)
    assert data.shape == (5, 4) and data.quantum == 1 / 127.5
    assert np.array_equal(np.rint((data.values + 1) * 127.5).reshape(PICTURES.shape), PICTURES)
    assert np.abs(data.values).max() <= 1


def test_idx_of_other_numbers(tmp_path):
    numbers = RNG.normal(size=(20, 3))
    (tmp_path / "x.idx").write_bytes(idx(numbers.astype(">f8"), 14))
    data = load_data(tmp_path / "x.idx")
    assert np.array_equal(data.values, numbers) and data.quantum is None
    (tmp_path / "i.idx").write_bytes(idx(np.arange(-30, 30).reshape(20, 3).astype(">i2"), 11))
    assert np.array_equal(load_data(tmp_path / "i.idx").values.ravel(), np.arange(-30, 30))


def test_cifar(tmp_path):
    first, a = cifar(17)
    second, b = cifar(3)
    (tmp_path / "data_batch_1.bin").write_bytes(first)
    (tmp_path / "data_batch_2.bin").write_bytes(second)
    data = load_data(tmp_path / "data_batch_1.bin")
    assert data.shape == (32, 32, 3) and np.array_equal(np.rint((data.values + 1) * 127.5).reshape(a.shape), a)
    assert np.array_equal(load_data(tmp_path).values[17:], b.reshape(3, -1) / 127.5 - 1)


def test_folder_of_pictures(tmp_path):
    for k, picture in enumerate(PICTURES):
        Image.fromarray(picture).save(tmp_path / f"{k:02}.png")
    (tmp_path / "notes.txt").write_text("not a picture")
    data = load_data(tmp_path)
    assert data.shape == (5, 4) and np.array_equal(np.rint((data.values + 1) * 127.5).reshape(PICTURES.shape), PICTURES)
    cut = load_data(tmp_path, patch=2)
    assert cut.shape == (2, 2) and len(cut) == 20 * 4
    assert np.array_equal(np.rint((cut.values[1] + 1) * 127.5), PICTURES[0, :2, 2:4].ravel())
    colour = RNG.integers(256, size=(5, 4, 3)).astype(np.uint8)
    Image.fromarray(colour).save(tmp_path / "19.png")
    data = load_data(tmp_path)
    assert data.shape == (5, 4, 3) and np.allclose(data.values[19].reshape(5, 4, 3), colour / 127.5 - 1)


GOOD = idx(PICTURES)


@pytest.mark.parametrize("name, content, says", [
    ("a.idx", GOOD[:-1], "holds fewer"), ("a.idx", GOOD + b"x", "holds more"), ("a.idx", GOOD[:3], "no IDX file"),
    ("a.idx", GOOD[:10], "torn"), ("a.idx", b"\x89PNG" * 99, "no IDX file"),
    ("a.idx", b"\0\0\7\2" + GOOD[4:], "no IDX file"),
    ("a.idx", idx(PICTURES, lengths=(2**31, 2**31, 2**31)), "more than half of this machine"),
    ("a.idx", idx(PICTURES, lengths=(20_000, 5, 4)), "holds fewer"),
    ("idx.gz", gzip.compress(GOOD)[:-9], "torn"), ("idx.gz", GOOD, "not gzipped"),
    ("idx.gz", gzip.compress(GOOD)[:-8] + bytes(8), "damaged"),
    ("idx.gz", gzip.compress(idx(PICTURES[:1], lengths=(20_000_000, 1))), "holds fewer"),
    ("labels.idx", idx(np.arange(20, dtype=np.uint8)), "labels perhaps"),
    ("a.idx", idx(PICTURES[:2]), "too few"),
    ("a.bin", cifar(20)[0][:-1], "no whole number of records"), ("a.bin", b"", "no whole number of records"),
    ("a.bin", cifar(20, label=77)[0], "a label of 77"),
    ("a.png", b"", "not one of"),
], ids=lambda v: v if isinstance(v, str) else "")
def test_files_that_will_not_do(tmp_path, name, content, says):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=says) as caught:
        load_data(tmp_path / name)
    assert "\n" not in str(caught.value)


def test_folders_that_will_not_do(tmp_path, monkeypatch):
    def refused(says, **kw):
        with pytest.raises(UserError, match=says) as caught:
            load_data(tmp_path, **kw)
        assert "\n" not in str(caught.value)

    refused("holds no picture")
    for k, picture in enumerate(PICTURES):
        Image.fromarray(picture).save(tmp_path / f"{k:02}.png")
    refused("too few for a patch of 6", patch=6)
    whole = (tmp_path / "07.png").read_bytes()
    (tmp_path / "07.png").write_bytes(whole[:-30])
    refused("07.png is damaged")
    (tmp_path / "07.png").write_bytes(b"GIF89a" + whole)
    refused("07.png is damaged")
    Image.fromarray(PICTURES[0, :4]).save(tmp_path / "07.png")
    refused("make them equal")
    Image.fromarray(PICTURES[0].astype(np.uint16)).save(tmp_path / "07.png")
    refused("8 bits a channel")
    (tmp_path / "07.png").write_bytes(whole)
    with monkeypatch.context() as small:
        small.setattr("thermosim.files.guard.memory_bytes", lambda: 1000)
        refused("more than half of this machine")
    monkeypatch.setitem(sys.modules, "PIL", None)
    refused(r'pip install "thermosim\[images\]"')


def test_missing_files(tmp_path):
    for name in ("absent-idx3-ubyte", "absent.bin", "absent-idx3-ubyte.gz"):
        with pytest.raises(UserError, match="No such file"):
            load_data(tmp_path / name)
