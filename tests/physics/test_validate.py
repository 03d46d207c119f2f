"""Every fast row of the validation table holds, and the table can fail."""

import json

import pytest

from thermosim import validate
from thermosim.errors import UserError
from thermosim.validate.row import Row, row

FAST = [r for r in validate.rows() if r.fast]


@pytest.mark.parametrize("one", FAST, ids=lambda r: r.id)
def test_row(one):
    outcome = one.check()
    assert outcome.passed, f"{one.id}: {outcome.value} instead of {one.reference} ({outcome.error})"


def test_ids_are_unique():
    ids = [r.id for r in validate.rows()]
    assert len(ids) == len(set(ids)) >= 57


def test_a_wrong_number_is_outside():
    """Off in the fifth digit, six asked for; six standard errors off, five allowed; NaN never holds."""
    assert not Row("x", "", 1.0, "", lambda: 1.00001, digits=6).check().passed
    assert Row("x", "", 1.0, "", lambda: 1.0000001, digits=6).check().passed
    assert not Row("x", "", 1.0, "", lambda: (1.6, 0.1), sigmas=5).check().passed
    assert Row("x", "", 1.0, "", lambda: (1.4, 0.1), sigmas=5).check().passed
    assert not Row("x", "", 1.0, "", lambda: float("nan"), digits=1).check().passed
    assert not Row("x", "", 0.0, "", lambda: (0.0, 0.0), sigmas=5).check().passed


def test_the_table_says_so(monkeypatch):
    wrong = Row("wrong", "nobody", 1.0, "guess", lambda: 2.0, digits=3)
    monkeypatch.setattr(validate, "rows", lambda section=None: [wrong])
    lines = []
    assert validate.main(echo=lines.append) is False
    assert "FAIL" in lines[1] and "outside: wrong" in lines[-1]
    lines.clear()
    assert validate.main(as_json=True, echo=lines.append) is False
    assert json.loads(lines[0])[0]["passed"] is False


def test_nonsense_is_refused():
    with pytest.raises(UserError, match="section"):
        validate.rows("alchemy")
    with pytest.raises(ValueError, match="digits or in standard errors"):
        row("x", "", 1.0, "")
