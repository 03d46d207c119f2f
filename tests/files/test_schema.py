"""The schema as others read it: H5MD by its specification and by its own readers, xarray by name."""

import json
import subprocess
import warnings

import h5py
import numpy as np
import pytest

from thermosim.files import provenance as sources
from thermosim.files.provenance import provenance
from thermosim.files.schema import NO_REASON, add_trajectory, h5md_3d, ledger_group, new_run
from thermosim.files.store import read_tree, write_tree
from thermosim.files.tree import Group

STEP, TIME = [0, 10, 20, 30], [0.0, 0.1, 0.2, 0.3]
ABOUT = {"units": "nat", "sign": "> 0 given to the bath", "definition": "ln k(x'|x) − ln k(x|x')"}


@pytest.fixture
def position():
    return np.random.default_rng(5).normal(size=(4, 6, 2))


@pytest.fixture
def run(position):
    tree = new_run(provenance({"steps": 30, "beta": np.float64(0.5)}, seed=7, dtype="float32",
                              argv=["job", "--quick"]), author="A. Author")
    add_trajectory(tree, STEP, TIME, position,
                   {"energy": (position.sum((1, 2)), {"units": "k_B T"}), "work": (position[:, :, 0], {})})
    tree["ledger/ddim"] = ledger_group(
        {"time": (np.arange(9.0), {**ABOUT, "units": "1"}), "entropy_env": (np.ones(9), ABOUT)}, "sampler_step")
    return tree


def test_h5md_by_its_specification(run, position, tmp_path):
    """H5MD 1.1, sections 'H5MD metadata', 'Time-dependent data' and 'Particles group', point by point."""
    write_tree(tmp_path / "run.h5", run)
    with h5py.File(tmp_path / "run.h5") as file:
        assert file["h5md"].attrs["version"].tolist() == [1, 1]
        assert file["h5md/author"].attrs["name"] == b"A. Author"
        assert file["h5md/creator"].attrs["name"] == b"thermosim" and file["h5md/creator"].attrs["version"]
        box = file["particles/trajectory/box"]
        assert box.attrs["dimension"] == 2 and box.attrs["boundary"].tolist() == [b"none", b"none"]
        for path, value in {"particles/trajectory/position": position,
                            "observables/energy": position.sum((1, 2))}.items():
            element = file[path]
            assert element["step"].dtype.kind == "i" and element["step"][()].tolist() == STEP
            assert element["time"][()].tolist() == TIME
            assert np.array_equal(element["value"], value)
            assert "unit" not in element["value"].attrs
        for attribute in (file["h5md/author"].attrs, file["h5md/creator"].attrs):
            kind = attribute.get_id("name").get_type()
            assert not kind.is_variable_str()


def test_pyh5md_reads_it(run, position, tmp_path):
    pyh5md = pytest.importorskip("pyh5md")
    write_tree(tmp_path / "run.h5", run)
    with pyh5md.File(tmp_path / "run.h5", "r") as file:
        element = pyh5md.element(file.particles_group("trajectory"), "position")
        assert np.array_equal(element.value[:], position)
        assert element.step[:].tolist() == STEP and element.time[:].tolist() == TIME
        assert np.array_equal(pyh5md.element(file["observables"], "work").value[:], position[:, :, 0])


def test_mdanalysis_reads_three_dimensions(run, position, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mda = pytest.importorskip("MDAnalysis")
    write_tree(tmp_path / "run3.h5", h5md_3d(run))
    universe = mda.Universe.empty(6, trajectory=False)
    universe.load_new(str(tmp_path / "run3.h5"), format="H5MD", convert_units=False)
    for frame in universe.trajectory:
        expected = np.pad(position[frame.frame], ((0, 0), (0, 1)))
        assert np.allclose(frame.positions, expected, rtol=0, atol=1e-6)
        assert frame.data["step"] == STEP[frame.frame] and frame.time == TIME[frame.frame]


def test_xarray_reads_it(run, position, tmp_path):
    xarray = pytest.importorskip("xarray")
    write_tree(tmp_path / "run.h5", run)
    with xarray.open_datatree(tmp_path / "run.h5", engine="h5netcdf") as opened:
        value = opened["particles/trajectory/position/value"]
        assert value.dims == ("time", "particle", "component")
        assert np.array_equal(value.sel(time=0.1), position[1])
        column = opened["ledger/ddim/entropy_env"]
        assert column.dims == ("sampler_step",)
        assert {name: column.attrs[name] for name in ABOUT} == ABOUT
        assert json.loads(opened["parameters"].attrs["config"]) == {"steps": 30, "beta": 0.5}
        assert not [d for node in opened.subtree for d in node.dims if d.startswith("phony")]


def test_four_dimensions_do_not_fit():
    tree = Group({})
    add_trajectory(tree, STEP, TIME, np.zeros((4, 6, 4)))
    with pytest.raises(ValueError, match="4 dimensions does not fit"):
        h5md_3d(tree)


@pytest.mark.parametrize("step, time", [([0, 10, 10, 30], TIME), (STEP, [0.3, 0.2, 0.1, 0.0]), (STEP[:3], TIME)])
def test_frames_must_increase(position, step, time):
    with pytest.raises(ValueError, match="must increase|3 steps"):
        add_trajectory(Group(), step, time, position)


def test_columns_say_what_they_mean():
    with pytest.raises(ValueError, match="work does not tell its definition, sign"):
        ledger_group({"work": (np.zeros(3), {"units": "nat"})}, "row")
    with pytest.raises(ValueError, match="differ in length"):
        ledger_group({"work": (np.zeros(3), ABOUT), "heat": (np.zeros(4), ABOUT)}, "row")
    table = ledger_group({"name": (["a", "b"], ABOUT), "eta": ([0.5, np.nan], {**ABOUT, "nan_reason": "an ODE"}),
                          "other": ([np.nan, 1], ABOUT), "hist": (np.zeros((2, 3)), ABOUT)}, "row")
    assert table["row"].values.tolist() == [0, 1] and table["hist"].dims == ("row", "hist_1")
    assert table["eta"].attrs["nan_reason"] == "an ODE"
    assert table["other"].attrs["nan_reason"] == NO_REASON
    assert "nan_reason" not in table["name"].attrs and "nan_reason" not in ABOUT


def test_provenance_is_complete(run, tmp_path):
    write_tree(tmp_path / "run.h5", run)
    parameters = read_tree(tmp_path / "run.h5", "parameters")
    assert set(parameters.attrs) == {"config", "seed", "device", "dtype", "argv", "created_at", "cpu", "os", "commit"}
    assert (parameters.attrs["seed"], parameters.attrs["argv"]) == (7, "job --quick")
    assert parameters.attrs["created_at"].endswith("+00:00")
    assert {"python", "thermosim", "numpy", "numba", "scipy", "h5py"} <= set(parameters["versions"].attrs)
    assert parameters["versions"].attrs["numpy"] == np.__version__


def test_commit_only_of_our_own_checkout(tmp_path, monkeypatch):
    """A package installed inside somebody else's repository does not claim their commit."""
    package = tmp_path / "site" / "thermosim" / "files"
    package.mkdir(parents=True)
    monkeypatch.setattr(sources, "__file__", str(package / "provenance.py"))
    assert sources.git_commit() == ""

    def git(folder, *args):
        subprocess.run(["git", "-C", folder, "-c", "user.name=a", "-c", "user.email=a@b", *args],
                       check=True, capture_output=True)

    git(tmp_path, "init")
    git(tmp_path, "commit", "--allow-empty", "-m", "theirs")
    assert sources.git_commit() == ""
    git(tmp_path / "site", "init")
    (tmp_path / "site" / "a").write_text("1")
    git(tmp_path / "site", "add", "a")
    git(tmp_path / "site", "commit", "-m", "ours")
    assert len(sources.git_commit()) == 40
    (tmp_path / "site" / "a").write_text("2")
    assert sources.git_commit().endswith("+changes")
