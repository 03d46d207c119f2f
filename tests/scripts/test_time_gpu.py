"""The GPU benchmark where no GPU can be seen."""
import os
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "time_gpu.py"


def test_without_a_gpu_one_line_and_exit_code_2():
    hidden = os.environ | {"CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run([sys.executable, SCRIPT], env=hidden, capture_output=True, text=True, timeout=120)
    assert done.returncode == 2 and done.stdout.count("\n") == 1 and done.stdout.startswith("device cuda")
    assert "--device cpu" in done.stdout and not done.stderr
