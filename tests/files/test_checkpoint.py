"""Work that was finished survives SIGKILL, Ctrl-C, torn lines and flipped bits."""

import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from thermosim.errors import UserError
from thermosim.files.checkpoint import Journal, config_key
from thermosim.files.store import read_tree
from thermosim.files.tree import Dataset, Group

UNITS = 40
JOB = f"""
import signal, sys, time
import numpy as np
from thermosim.command import run
from thermosim.files.checkpoint import Journal
from thermosim.files.progress import Progress
from thermosim.files.store import write_tree
from thermosim.files.tree import Dataset, Group

def job(folder, pause):
    whole = Group()
    with Journal(folder + "/work") as journal:
        for i in Progress(range({UNITS}), "job"):
            unit = journal.get(f"unit-{{i}}")
            if unit is None:
                print("computing", i, flush=True)
                time.sleep(pause)
                unit = Group({{"i": i}})
                unit["x"] = Dataset(np.random.default_rng(i).normal(size=2000), "n")
                journal.put(f"unit-{{i}}", unit)
            whole[f"unit{{i}}"] = unit
    write_tree(folder + "/run.h5", whole)

signal.signal(signal.SIGINT, signal.default_int_handler)    # a shell's background jobs are born deaf to it
sys.exit(run(job, sys.argv[1], float(sys.argv[2])))
"""


def unit(seed):
    tree = Group({"seed": seed})
    tree["x"] = Dataset(np.random.default_rng(seed).normal(size=50), "n")
    return tree


def start(folder, pause):
    return subprocess.Popen([sys.executable, "-c", JOB, str(folder), str(pause)], text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def content(path):
    return {name: node.values.tobytes() if isinstance(node, Dataset) else repr(node.attrs)
            for name, node in read_tree(path).walk()}


def test_kill_nine_and_resume(tmp_path):
    """Killed at random moments, mostly inside a write, then resumed: the same file, no unit done twice."""
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    whole.mkdir(), killed.mkdir()
    assert start(whole, 0).communicate() and (whole / "run.h5").exists()
    rng, computed = np.random.default_rng(2), []
    for _ in range(5):
        job = start(killed, 0)
        begun = "".join(job.stdout.readline() for _ in range(rng.integers(2, 8)))
        time.sleep(rng.uniform(0, 0.01))
        job.kill()
        computed += (begun + job.communicate()[0]).splitlines()
        assert job.returncode == -signal.SIGKILL
    last = start(killed, 0)
    output, errors = last.communicate()
    assert last.returncode == 0, errors
    computed += output.splitlines()
    assert len(output.splitlines()) < UNITS, "the resumed run found nothing to keep"
    # a kill may cost the unit in flight, and only that
    assert UNITS <= len(computed) <= UNITS + 5
    assert content(killed / "run.h5") == content(whole / "run.h5")


def test_interrupt_is_one_line_and_keeps_the_work(tmp_path):
    job = start(tmp_path, 0.05)
    for _ in range(3):
        job.stdout.readline()
    job.send_signal(signal.SIGINT)
    _, errors = job.communicate()
    assert job.returncode == 130
    assert "Traceback" not in errors and len(errors.split("\n")) <= 3
    assert "interrupted - finished work is kept in" in errors and "goes on from there" in errors
    assert Journal(tmp_path / "work").get("unit-0").attrs == {"i": 0}


def test_get_put_clear(tmp_path):
    journal = Journal(tmp_path / "a" / "b")
    assert journal.get("x") is None
    assert journal.put("x", unit(1)).attrs == {"seed": 1}
    journal.put("x", unit(2))
    for opened in (journal, Journal(tmp_path / "a" / "b")):
        assert opened.get("x").attrs == {"seed": 2}
        assert np.array_equal(opened.get("x")["x"].values, unit(2)["x"].values)
    for key in ("../x", "", "a/b", ".hidden"):
        with pytest.raises(ValueError, match="a key is"):
            journal.put(key, unit(1))
    journal.clear()
    assert journal.get("x") is None and not (tmp_path / "a" / "b").exists()


def test_damaged_segment_is_done_again(tmp_path):
    journal = Journal(tmp_path)
    journal.put("x", unit(1))
    image = bytearray((tmp_path / "x.h5").read_bytes())
    image[len(image) // 2] ^= 4
    (tmp_path / "x.h5").write_bytes(image)
    assert journal.get("x") is None and Journal(tmp_path).get("x") is None
    journal.put("x", unit(1))
    (tmp_path / "x.h5").unlink()
    assert journal.get("x") is None


def test_torn_journal(tmp_path):
    """Cut after every byte of the last line: the first unit stays, and what is put next is found."""
    journal = Journal(tmp_path)
    journal.put("a", unit(1))
    journal.put("b", unit(2))
    book = tmp_path / "journal.jsonl"
    image = book.read_bytes()
    for cut in range(image.index(b"\n") + 1, len(image) - 1, 7):
        book.write_bytes(image[:cut])
        opened = Journal(tmp_path)
        assert opened.get("a") is not None and opened.get("b") is None
        opened.put("c", unit(3))
        assert Journal(tmp_path).get("c").attrs == {"seed": 3}
    book.write_bytes(b"\xff\x00[1]\nnull\n{}\n" + image)
    assert Journal(tmp_path).get("b") is not None


def test_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot write"):
        Journal(tmp_path / "file")


def test_config_key():
    key = config_key({"b": 1, "a": [1.5, "x"]})
    assert key == config_key({"a": np.array([1.5, 2])[:1].tolist() + ["x"], "b": np.int64(1)})
    assert key == "27edd5497e48a293"  # head of the SHA-256 of {"a":[1.5,"x"],"b":1}
    assert len({key, config_key({"b": 2, "a": [1.5, "x"]}), config_key({"a": [1.5, "x"]})}) == 3
    with pytest.raises(TypeError, match="cannot hold"):
        config_key({"a": object()})
