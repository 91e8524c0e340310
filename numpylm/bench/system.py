"""Versions, processor and BLAS; and the peak memory of this process."""

import os
import platform
import sys
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import numpy as np

import numpylm as nlm


def about():
    """Versions, processor and BLAS, as a dict that JSON can hold; None where something is not known."""
    return {
        "numpylm": nlm.__version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "system": f"{platform.system()} {platform.release()}, {platform.machine()}",
        "processor": cpuinfo("model name") or platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "coretype": os.environ.get("OPENBLAS_CORETYPE") or None,
        "blas": blas(),
        "others": {name: version(name) for name in ("torch", "jax") if find_spec(name)},
    }


def blas():
    """name, version and kernel of NumPy's BLAS, from threadpoolctl; where it is missing, or sees no BLAS, NumPy says
    what it was built with, and the kernel is None."""
    found = [one for one in threadpools() if one["user_api"] == "blas"]
    numpys = [one for one in found if "numpy" in one["filepath"]]  # SciPy brings a BLAS of its own
    for one in numpys + found:
        return {"name": one["internal_api"], "version": one.get("version"), "kernel": one.get("architecture")}
    built = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return {"name": built.get("name", "unknown"), "version": built.get("version"), "kernel": None}


def threadpools():
    """What `threadpoolctl -i` prints, as a list of dicts; empty where it is not installed."""
    if find_spec("threadpoolctl") is None:
        return []
    from threadpoolctl import threadpool_info

    return threadpool_info()


def cpuinfo(key):
    """The value of a key for the first processor in Linux's /proc/cpuinfo, or None."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.partition(":")[0].strip() == key), None)


def peak_mib():
    """This process's largest resident memory so far, in MiB; None on Windows.

    Linux's getrusage would also count the memory of the parent at the moment when it started this process. VmHWM does
    not.
    """
    status = Path("/proc/self/status")
    if status.exists():
        lines = status.read_text().splitlines()
        return next(round(int(line.split()[1]) / 1024, 1) for line in lines if line.startswith("VmHWM:"))
    if find_spec("resource") is None:
        return None
    import resource

    unit = 1 if sys.platform == "darwin" else 1024  # macOS counts bytes, others KiB
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20, 1)
