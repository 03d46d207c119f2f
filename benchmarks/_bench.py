"""What every benchmark shares: a clock, the machine it ran on, and a file for the figures."""
import json
import os
import platform
import time
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import thermosim

RESULTS = Path(__file__).parent / "results"


def best_of(function, repeats=20, clock=time.perf_counter):
    """Seconds of the fastest of `repeats` calls, after one call to warm caches and compilers.

    The minimum is the figure least disturbed by other work on the machine. For one thread
    ``clock=time.thread_time`` also leaves out the time that the thread did not run.
    """
    function()
    best = float("inf")
    for _ in range(repeats):
        begin = clock()
        function()
        best = min(best, clock() - begin)
    return best


def hardware(*packages):
    """The CPU, the cores this process may use, its load, and versions of Python, thermosim and `packages`."""
    def installed(name):
        try:
            return version(name)
        except PackageNotFoundError:
            return None

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "cpu": _cpu_model(), "cores": cores, "machine": platform.machine(), "system": platform.system(),
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "time": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "versions": {"python": platform.python_version(), "thermosim": thermosim.__version__,
                     **{name: installed(name) for name in packages}},
    }


def _cpu_model():
    """The processor's name, and its family and model numbers where the name alone says little."""
    try:
        lines = Path("/proc/cpuinfo").read_text().split("\n\n")[0].splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    facts = dict(map(str.strip, line.split(":", 1)) for line in lines if ":" in line)
    name = facts.get("model name", platform.machine())
    return f"{name} (family {facts['cpu family']} model {facts['model']})" if "cpu family" in facts else name


def save(name, machine, rows):
    """Write ``results/<name>.json`` and return its path."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps({"hardware": machine, "rows": rows}, indent=1) + "\n")
    return path
