"""Bars on a terminal, sparse lines in a log, and the loop's items either way."""

import io

import pytest

from thermosim.files.progress import Progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize("stream", [Terminal, io.StringIO])
def test_items_pass_through(monkeypatch, stream):
    monkeypatch.setattr("sys.stderr", stream())
    assert list(Progress(iter("abc"), "job")) == ["a", "b", "c"]
    assert list(Progress([], "job")) == []


def test_bar_on_a_terminal(monkeypatch):
    monkeypatch.setattr("sys.stderr", Terminal())
    steps = Progress(range(3), "train")
    for step in steps:
        steps.note(f"loss {step}")
    import sys
    shown = sys.stderr.getvalue()
    assert "train" in shown and "3/3" in shown or "0/3" in shown


def test_lines_in_a_log(monkeypatch, capsys):
    clock = iter(range(0, 1000, 10))
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    steps = Progress(range(10), "train", every=30)
    for step in steps:
        steps.note(f"loss {step}")
    assert capsys.readouterr().err.splitlines() == [
        "train: 2/10 steps, 30 s, loss 1", "train: 5/10 steps, 60 s, loss 4", "train: 8/10 steps, 90 s, loss 7"]


def test_a_short_loop_is_silent(capsys):
    list(Progress(range(100), "job"))
    assert capsys.readouterr() == ("", "")
