"""Versions, processor and BLAS; and the peak memory of this process."""

import os
import platform
import re
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
    if find_spec("threadpoolctl"):
        from threadpoolctl import threadpool_info

        found = [one for one in threadpool_info() if one["user_api"] == "blas"]
        for one in sorted(found, key=lambda one: "numpy" not in one["filepath"]):  # SciPy brings a BLAS of its own
            return {"name": one["internal_api"], "version": one.get("version"), "kernel": one.get("architecture")}
    built = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return {"name": built.get("name", "unknown"), "version": built.get("version"), "kernel": None}


def cpuinfo(key):
    """The value of a key for the first processor in Linux's /proc/cpuinfo, or None."""
    path = Path("/proc/cpuinfo")
    text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
    found = re.search(rf"^{key}\s*:(.*)", text, re.MULTILINE)
    return found and found.group(1).strip()


def peak_mib():
    """This process's largest resident memory so far, in MiB; None on Windows.

    Linux's getrusage would also count the memory of the parent at the moment when it started this process. VmHWM does
    not.
    """
    status = Path("/proc/self/status")
    if status.exists():
        return round(int(re.search(r"VmHWM:\s*(\d+)", status.read_text()).group(1)) / 1024, 1)
    if find_spec("resource") is None:
        return None
    import resource

    unit = 1 if sys.platform == "darwin" else 1024  # macOS counts bytes, others KiB
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20, 1)
