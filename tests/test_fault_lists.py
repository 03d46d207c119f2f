"""The lists of planted faults fit the code: every text to be
spoilt stands there once, every test that shall see it exists."""

import ast
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "mutants"))
from plant import FAULTS, planted  # noqa: E402


@pytest.mark.parametrize("what, file, old, new, tests", FAULTS, ids=[f"{fault[1]}: {fault[0]}" for fault in FAULTS])
def test_a_fault_can_be_planted_and_has_its_judges(what, file, old, new, tests):
    source = (HERE.parent / "thermosim" / file).read_text()
    spoilt, found = planted(source, old, new)
    assert found == 1 and spoilt != source
    ast.parse(spoilt if file.endswith(".py") else "")      # a text that no longer compiles would be seen by any test
    assert tests
    for test in tests:
        path, *function = test.split("::")
        assert not function or f"def {function[0].partition('[')[0]}(" in (HERE.parent / path).read_text()
