"""Plant faults in Langevin dynamics, densities, cycles, samplers, networks and losses one at a time and see whether the tests notice.

    python tests/mutants/run.py [--only TEXT] [--keep FOLDER]

Runs on a copy of the tree; first the chosen tests without a fault, then one fault after the other. A fault whose
text is no longer found exactly once is an error: mend its list. Verdicts are kept in FOLDER (a
temporary one otherwise), so that an interrupted run goes on. Ends with 1 if a fault was not seen.
"""

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from plant import FAULTS, planted

ROOT, LIMIT = Path(__file__).parents[2], 600


def pytest(folder, tests):
    """"passed", "failed" or "hung", and pytest's last line."""
    environment = os.environ | {"PYTHONPATH": str(folder), "OPENBLAS_NUM_THREADS": "1"}
    try:
        done = subprocess.run([sys.executable, "-m", "pytest", "-x", "-p", "no:cacheprovider", *tests], cwd=folder, env=environment,
                              capture_output=True, text=True, timeout=LIMIT)
    except subprocess.TimeoutExpired:
        return "hung", f"over {LIMIT} s"
    line = (done.stdout.strip().splitlines() or ["no output"])[-1]
    if done.returncode not in (0, 1):
        sys.exit(f"pytest {' '.join(tests)} did not run: {line}")
    return ("passed", "failed")[done.returncode], line


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="faults whose description or file contains this text")
    parser.add_argument("--keep", type=Path, help="folder for verdicts, to go on from")
    options = parser.parse_args()
    chosen = [fault for fault in FAULTS if options.only in fault[0] or options.only in fault[1]]
    for what, file, old, new, _ in chosen:
        _, found = planted((ROOT/"thermosim"/file).read_text(), old, new)
        if found != 1:
            sys.exit(f"fault {what!r}: its text stands {found} times in {file}; mend its list in tests/mutants")
    with tempfile.TemporaryDirectory() as scratch:
        keep = options.keep or Path(scratch)/"verdicts"
        keep.mkdir(parents=True, exist_ok=True)
        tree = Path(scratch)/"tree"
        for part in ("thermosim", "tests"):
            shutil.copytree(ROOT/part, tree/part, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT/"setup.cfg", tree)
        sources = hashlib.sha256(b"".join(p.read_bytes() for p in sorted(tree.rglob("*.py")))).hexdigest()[:12]
        tests = sorted({test for fault in chosen for test in fault[4]})
        verdict, line = pytest(tree, tests)
        if verdict != "passed":
            sys.exit(f"without any fault the tests end with: {line}")
        begin, seen = time.perf_counter(), 0
        for k, (what, file, old, new, tests) in enumerate(chosen, 1):
            note = keep/f"{sources}-{hashlib.sha256((what + old + new).encode()).hexdigest()[:12]}.json"
            if not note.exists():
                target = tree/"thermosim"/file
                whole = target.read_text()
                target.write_text(planted(whole, old, new)[0])
                try:
                    verdict, line = pytest(tree, tests)
                finally:
                    target.write_text(whole)
                note.write_text(json.dumps([verdict, line]))
            verdict, line = json.loads(note.read_text())
            seen += verdict != "passed"
            print(f"{k:3}/{len(chosen)}  {'NOT SEEN' if verdict == 'passed' else 'seen':8}  {what} ({file})", flush=True)
        print(f"{seen} of {len(chosen)} faults seen, {time.perf_counter() - begin:.0f} s")
        return seen < len(chosen)


if __name__ == "__main__":
    sys.exit(main())
