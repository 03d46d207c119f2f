"""The floor plan holds: imports go downwards, heavy libraries have one door each, and the front door is light."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[1] / "thermosim"
FLOORS = (
    {"version", "errors", "names", "command", "symbolic", "backend", "datasets", "files"},
    {"ledger", "potentials", "protocols", "schedules", "binomial"},
    {"score"},
    {"dynamics"},
    {"integrators", "samplers", "fokker_planck"},
    {"runs"},
    {"thermo"},
    {"validate", "report", "show", "doctor", "cli", "__main__", "__init__"},
)
FLOOR_OF = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
DOORS = {"numba": ("backend/cpu/compile.py",), "llvmlite": ("backend/cpu/compile.py",), "cupy": ("backend/gpu.py",),
         "h5py": ("files/store.py",), "matplotlib": ("report/",)}
MODULES = sorted(HOUSE.rglob("*.py"))


def imports(path):
    """(dotted module, is it ours) for every import statement of a file, wherever it stands."""
    package = ("thermosim", *path.relative_to(HOUSE).parent.parts)
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((alias.name, alias.name.split(".")[0] == "thermosim") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                base = package[: len(package) - node.level + 1]
                modules = [node.module] if node.module else [alias.name for alias in node.names]
                yield from ((".".join((*base, m)), True) for m in modules)
            else:
                yield node.module, node.module.split(".")[0] == "thermosim"


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(HOUSE)))
def test_imports_go_down(path):
    room = path.relative_to(HOUSE).parts[0].removesuffix(".py")
    assert room in FLOOR_OF, f"{room} has no floor: place it in FLOORS"
    for module, ours in imports(path):
        if ours and module != "thermosim":
            other = module.split(".")[1]
            assert other == room or FLOOR_OF[other] <= FLOOR_OF[room], f"{room} reaches up to {other}"


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(HOUSE)))
def test_heavy_libraries_have_one_door(path):
    where = path.relative_to(HOUSE).as_posix()
    for module, _ in imports(path):
        doors = DOORS.get(module.split(".")[0], ("",))
        assert where.startswith(doors), f"{where} imports {module}; its door is {doors[0]}"


def test_nothing_from_a_file_is_evaluated():
    """No pickle, no YAML, no eval anywhere; the only exec compiles our own generated kernels."""
    for path in MODULES:
        tree = ast.parse(path.read_text())
        called = {n.func.id for n in ast.walk(tree) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}
        assert "eval" not in called, path
        for module, _ in imports(path):
            assert module.split(".")[0] not in {"pickle", "yaml", "dill", "joblib", "cloudpickle"}, path


def test_the_front_door_is_light():
    code = "import sys, thermosim; print(sorted(m for m in sys.modules if '.' not in m))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    for heavy in ("numba", "sympy", "h5py", "matplotlib", "cupy", "scipy"):
        assert f"'{heavy}'" not in loaded
