"""The console command: what it prints, its exit codes, and that it starts without heavy imports."""

import subprocess
import sys

import numpy as np
import pytest

from thermosim import cli
from thermosim.errors import UserError
from thermosim.files.provenance import provenance
from thermosim.files.schema import ledger_group, new_run
from thermosim.files.store import write_tree
from thermosim.names import unknown


def about(definition, units="1", sign="-", **more):
    return {"units": units, "sign": sign, "definition": definition, **more}


@pytest.fixture
def path(tmp_path):
    tree = new_run(provenance({"steps": [5, 10]}, seed=7, argv=["job"]), author="A. Author")
    tree["ledger/ddim"] = ledger_group({
        "sigma": (np.array([20.0, 0.5]), about("noise level", "data units")),
        "heat": (np.array([-0.25, np.nan]), about("−T·entropy_env", "nat", "> 0 absorbed", nan_reason="an ODE")),
    }, "sampler_step")
    tree["summary"] = ledger_group({
        "sampler": (np.array(["ddim", "euler"]), about("sampler")),
        "nfe": (np.array([5, 10]), about("evaluations")),
        "eta": (np.array([0.123456, np.nan]), about("efficiency", nan_reason="no bath")),
    }, "run")
    write_tree(tmp_path / "run.h5", tree)
    return str(tmp_path / "run.h5")


def test_show(path, capsys):
    assert cli.main(["show", path]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:5] == ["sampler  nfe     eta", "ddim       5  0.1235", "euler     10     nan", "",
                         "eta      nan: no bath"]
    assert 'config      {"steps": [5, 10]}' in lines and "seed        7" in lines


def test_show_ledger(path, capsys):
    assert cli.main(["show", path, "--ledger", "ledger/ddim"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "sigma   heat", "   20  -0.25", "  0.5    nan", "",
        "sigma  noise level  [data units]", "heat   −T·entropy_env  [nat]  (> 0 absorbed)", "heat   nan: an ODE"]


def test_show_without_summary_lists_what_there_is(tmp_path, capsys):
    tree = new_run(provenance({}, seed=0))
    tree["ledger/x"] = ledger_group({"work": (np.zeros(3), about("energy change"))}, "step")
    write_tree(tmp_path / "x.h5", tree)
    assert cli.main(["show", str(tmp_path / "x.h5")]) == 0
    out = capsys.readouterr().out
    assert "ledger/x/work" in out and "[3]" in out and "energy change" in out


@pytest.mark.parametrize("argv, words", [
    (["shwo"], "unknown command 'shwo': did you mean 'show'?"),
    (["xyzzy"], "known: show, report, validate, doctor"),
    (["show"], "the following arguments are required: file; see thermosim show --help"),
    (["show", "nothing.h5"], "cannot read nothing.h5"),
    (["show", "{path}", "--ledger", "ledger/dddim"], "did you mean 'ledger/ddim'?"),
    (["show", "{path}", "--ledger", "ledger"], "there is no table in this group"),
    ([], "required: COMMAND"),
])
def test_mistakes_are_one_line(path, capsys, argv, words):
    assert cli.main([a.format(path=path) for a in argv]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and words in err


def test_unknown_without_a_near_name():
    assert isinstance(unknown("sampler", "q", ["ddim", "heun"]), UserError)
    assert str(unknown("sampler", "hoin", ["ddim", "heun"])) == "unknown sampler 'hoin': did you mean 'heun'?"


def test_report_and_validate_are_handed_on(monkeypatch, path):
    calls = []
    report = type(sys)("thermosim.report")
    report.draw = lambda *args: calls.append(args)
    validate = type(sys)("thermosim.validate")
    validate.main = lambda *args: calls.append(args) or len(calls) < 3
    monkeypatch.setitem(sys.modules, "thermosim.report", report)
    monkeypatch.setitem(sys.modules, "thermosim.validate", validate)
    assert cli.main(["report", path, "--out", "figures"]) == 0
    assert cli.main(["validate", "--section", "noise", "--json"]) == 0
    assert cli.main(["validate", "--fast"]) == 1
    assert calls == [(path, "figures"), ("noise", True, False), (None, False, True)]


def test_interrupt(monkeypatch, capsys):
    def stop(args):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "_doctor", stop)
    assert cli.main(["doctor"]) == 130
    assert capsys.readouterr().err == "\ninterrupted\n"


def test_help_is_light():
    script = ("import sys; from thermosim.cli import main\n"
              "try: main(['--help'])\n"
              "except SystemExit: pass\n"
              "print(sorted({'numpy', 'numba', 'h5py', 'scipy', 'matplotlib', 'sympy'} & set(sys.modules)))")
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("[]\n") and "doctor" in done.stdout


def test_a_reader_that_leaves_early(path):
    job = subprocess.Popen([sys.executable, "-m", "thermosim", "show", path], text=True,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    job.stdout.close()
    assert job.stderr.read() == "" and job.wait() == 0


def test_doctor(capsys):
    assert cli.main(["doctor"]) == 0
    lines = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert {"cpu", "simd", "threads", "blas", "kernels", "gpu", "disk", "python"} <= set(lines)
    assert lines["numpy"] == np.__version__
    assert "ready" in lines["gpu"] or "--device cpu" in lines["gpu"]
