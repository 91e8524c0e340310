"""What runs the mathematics: versions, the processor, and NumPy's BLAS with its kernel and threads."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

import numpy as np

import numpylm as nlm


def about():
    """All of it, as a dict that JSON can hold; None for what is not known."""
    return {
        "numpylm": nlm.__version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "system": f"{platform.system()} {platform.release()}, {platform.machine()}",
        "processor": processor_name(),
        "cores": os.cpu_count(),
        "coretype": os.environ.get("OPENBLAS_CORETYPE") or None,
        "blas": blas(),
        "others": {name: version_of(name) for name in ("torch", "jax") if find_spec(name)},
    }


def blas():
    """name, version, kernel, threads: of the library that is loaded if threadpoolctl is installed to look at it, else
    what NumPy was built with, without kernel and threads."""
    loaded = loaded_blas()
    if loaded is not None:
        return {
            "name": loaded["internal_api"],
            "version": loaded.get("version"),
            "kernel": loaded.get("architecture"),
            "threads": loaded["num_threads"],
        }
    built = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return {"name": built.get("name", "unknown"), "version": built.get("version"), "kernel": None, "threads": None}


def loaded_blas():
    """threadpoolctl's record of NumPy's BLAS, or None where it finds none or is not installed."""
    try:
        from threadpoolctl import threadpool_info
    except ImportError:
        return None
    found = [info for info in threadpool_info() if info["user_api"] == "blas"]
    numpys = [info for info in found if "numpy" in info["filepath"]]  # SciPy, for one, brings a BLAS of its own
    return next(iter(numpys + found), None)


def version_of(name):
    """An installed package's version."""
    try:
        return version(name)
    except PackageNotFoundError:
        return "unknown"


def processor_name():
    """As the processor calls itself, where Linux knows it; else what platform does."""
    name = cpuinfo("model name") or platform.processor() or platform.machine()
    return name or None


def cpuinfo(key):
    """The value of a key for the first processor in Linux's /proc/cpuinfo; None where there is no such file or key."""
    path = Path("/proc/cpuinfo")
    if not path.exists():
        return None
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        name, _, value = line.partition(":")
        if name.strip() == key:
            return value.strip()
    return None
