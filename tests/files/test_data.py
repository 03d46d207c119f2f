"""Data: the built-in sets have their stated densities; a user's file is taken or refused in one line."""

import io
import zipfile

import numpy as np
import pytest

from thermosim.errors import UserError
from thermosim.files.data import load_data, swiss_roll

GOOD = np.random.default_rng(1).normal(size=(20, 3, 2))


def test_digits():
    data = load_data("digits")
    assert data.values.shape == (1797, 64) and data.shape == (8, 8) and data.quantum == 0.125
    assert data.values.min() == -1 and data.values.max() == 1
    assert np.array_equal(data.values * 8, np.round(data.values * 8))


def test_digits_without_scikit_learn(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "sklearn.datasets", None)
    with pytest.raises(UserError, match=r'pip install "thermosim\[experiments\]"'):
        load_data("digits")


def test_swiss_roll_is_standardised_by_its_population():
    """Moments of t cos t, t sin t by Gauss–Legendre quadrature: the noise-free roll has mean 0, variance 1."""
    nodes, weights = np.polynomial.legendre.leggauss(200)
    t = 1.5 * np.pi * (2 + nodes)
    exact = np.stack([t * np.cos(t), t * np.sin(t)], axis=1)
    mean = weights @ exact / 2
    std = np.sqrt(weights @ exact**2 / 2 - mean**2)
    rng = np.random.Generator(np.random.PCG64(4))
    t = 1.5 * np.pi * (1 + 2 * rng.random(500))
    roll = (np.stack([t * np.cos(t), t * np.sin(t)], axis=1) - mean) / std
    assert np.allclose(swiss_roll(seed=4, n=500, noise=0).values, roll, rtol=0, atol=1e-12)
    assert load_data("swissroll").values.shape == (6000, 2)


def test_seed_alone_decides():
    assert np.array_equal(load_data("swissroll", seed=3).values, load_data("swissroll", seed=3).values)
    assert not np.array_equal(load_data("swissroll", seed=3).values, load_data("swissroll", seed=4).values)


@pytest.mark.parametrize("save", [
    lambda path: np.save(path, GOOD), lambda path: np.savez(path, anything=GOOD),
    lambda path: np.savez_compressed(path, other=np.zeros(3), x=GOOD),
    lambda path: np.savez(path, data=GOOD, labels=np.arange(20)), lambda path: np.save(path, GOOD[:, 0, 0]),
    lambda path: np.save(path, np.asfortranarray(GOOD.astype(np.float32))),
    lambda path: np.save(path, (GOOD > 0))])
def test_own_file(tmp_path, save):
    path = tmp_path / "own"
    save(path)
    data = load_data(next(tmp_path.iterdir()))
    assert data.values.dtype == np.float64 and data.values.shape == (20, np.prod(data.shape))
    assert data.name == "own" and data.quantum is None
    if data.shape == (3, 2) and data.values.min() < 0:
        assert np.allclose(data.values.reshape(GOOD.shape), GOOD, atol=1e-6)


def header(shape, dtype="<f8"):
    out = io.BytesIO()
    np.lib.format.write_array_header_1_0(out, {"descr": dtype, "fortran_order": False, "shape": shape})
    return out.getvalue()


def with_nan():
    bad = GOOD.reshape(20, 6).copy()
    bad[7, 4] = np.nan
    return bad


@pytest.mark.parametrize("array, words", [
    (with_nan(), "nan at row 7, column 4"),
    (np.full((20, 2), np.inf), "inf at row 0, column 0"),
    (np.array(["a"] * 20), "not numbers"),
    (np.array([{}] * 20, dtype=object), "not numbers"),
    (np.zeros((20, 2), complex), "not numbers"),
    (np.zeros((3, 2)), "3 points are too few; at least 16"),
    (np.float64(1), "holds no points"),
    (np.zeros((20, 0)), "holds no points"),
])
def test_array_that_will_not_do(tmp_path, array, words):
    np.save(tmp_path / "x.npy", array, allow_pickle=True)
    with pytest.raises(UserError, match=words) as caught:
        load_data(tmp_path / "x.npy")
    assert "\n" not in str(caught.value)


def test_file_that_will_not_do(tmp_path):
    contents = {
        "absurd.npy": (header((1 << 40, 1 << 40)) + b"12345678", "declares"),
        "torn.npy": (header((1000, 2))[:20], "damaged or no numpy file"),
        "text.npy": (b"1, 2, 3\n" * 40, "damaged or no numpy file"),
        "text.npz": (b"PK not really", "damaged or no numpy file"),
        "table.csv": (b"1,2,3\n", "not one of FILE.npy"),
    }
    for name, (content, words) in contents.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(UserError, match=words) as caught:
            load_data(tmp_path / name)
        assert "\n" not in str(caught.value)
    np.savez(tmp_path / "many.npz", a=GOOD, b=GOOD)
    with pytest.raises(UserError, match="holds a, b: call the one to learn from x"):
        load_data(tmp_path / "many.npz")
    with zipfile.ZipFile(tmp_path / "bomb.npz", "w") as archive:
        archive.writestr("x.npy", header((1 << 30, 64)) + b"12345678")
    with pytest.raises(UserError, match="declares 5.5e"):
        load_data(tmp_path / "bomb.npz")
    with pytest.raises(UserError, match="No such file"):
        load_data(tmp_path / "absent.npy")


def test_too_large_for_memory(tmp_path, monkeypatch):
    np.save(tmp_path / "x.npy", GOOD)
    monkeypatch.setattr("thermosim.files.guard.memory_bytes", lambda: 1000)
    with pytest.raises(UserError, match="more than half of this machine's memory"):
        load_data(tmp_path / "x.npy")


def test_unknown_name():
    with pytest.raises(UserError, match="did you mean 'swissroll'"):
        load_data("swisroll")
