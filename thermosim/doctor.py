"""What this machine has, and what to do about what it lacks."""

import os
import platform
import shutil
import sys
from pathlib import Path

from .errors import UserError
from .files.provenance import cpu_model, git_commit, versions
from .version import __version__

NEEDED = ("numpy", "numba", "llvmlite", "scipy", "h5py", "sympy", "matplotlib", "platformdirs", "tqdm")
EXTRAS = {"scikit-learn": "experiments", "POT": "experiments", "xarray": "xarray", "h5netcdf": "xarray",
          "pytest": "test", "hypothesis": "test", "torch": "benchmarks", "jax": "benchmarks"}
SIMD = ("AVX2", "FMA3", "AVX512F", "NEON", "SVE")


def main():
    """Print one line per finding; returns 1 where something that thermosim needs is missing."""
    missing = [name for name, found in versions(NEEDED).items() if found == "absent"]
    lines = [("thermosim", f"{__version__} {git_commit()[:12]}".strip()),
             ("python", f"{platform.python_version()} ({sys.executable})"),
             ("system", platform.platform())]
    if missing:
        lines.append(("missing", f"{', '.join(missing)}: pip install {' '.join(missing)}"))
    else:
        lines += [("cpu", cpu_model()), ("simd", simd()), ("threads", threads()), ("blas", blas()),
                  ("kernels", kernels()), ("gpu", gpu())]
    lines.append(("disk", f"{shutil.disk_usage('.').free / 1e9:.1f} GB free here ({Path.cwd()})"))
    lines += [(name, found if name not in missing else "absent") for name, found in versions(NEEDED).items()]
    lines += [(name, found if found != "absent" else f'absent: pip install "thermosim[{EXTRAS[name]}]" if wanted')
              for name, found in versions(EXTRAS).items()]
    width = max(len(name) for name, _ in lines)
    for name, finding in lines:
        print(f"{name:{width}}  {finding}")
    return 1 if missing else 0


def simd():
    """Vector instructions of this processor that matter to the kernels."""
    from numpy._core._multiarray_umath import __cpu_features__ as features

    found = [name for name in SIMD if features.get(name)]
    if not {"AVX2", "NEON"} & set(found):
        return f"{', '.join(found) or 'none known'}: kernels will be slow; a machine with AVX2 is 4 times as fast"
    return ", ".join(found)


def threads():
    """Threads of the kernels."""
    from .backend.cpu.threads import get_threads

    return f"{get_threads()} of {os.cpu_count()} logical cores (taskset or thermosim.backend.cpu.threads changes it)"


def blas():
    """The library that multiplies matrices, and its threads where threadpoolctl can tell."""
    import numpy as np

    about = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    name = f"{about.get('name', 'unknown')} {about.get('version', '')}".strip()
    try:
        from threadpoolctl import threadpool_info
    except ImportError:
        return f"{name}; OPENBLAS_NUM_THREADS or MKL_NUM_THREADS sets its threads"
    pools = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
    return f"{name}, " + ", ".join(f"{pool['num_threads']} threads ({pool.get('architecture', '?')})"
                                   for pool in pools)


def kernels():
    """Where compiled kernels are kept, and how much they are."""
    from .backend.cpu.compile import kernel_cache

    folder = kernel_cache()
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    return f"{size / 1e6:.1f} MB in {folder} (may be deleted at any time)"


def gpu():
    """The CUDA device, or the one line that says why there is none."""
    from .backend import open_device

    try:
        open_device("cuda")
    except UserError as reason:
        return f"none: {reason}"
    driver = Path("/proc/driver/nvidia/version")
    about = driver.read_text().splitlines()[0].split("  ")[1:2] if driver.exists() else []
    return ", ".join(["ready (--device cuda)", *about])
