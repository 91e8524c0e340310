"""The environment that a process needs so that its BLAS runs on so many threads, with a kernel of choice.

BLAS reads these variables once, when NumPy is imported: what is to be measured is therefore a process of its own.
"""

import os
import subprocess
import sys

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


def blas_environment(threads=1, kernel=None):
    """This process's environment with threads for every BLAS, and OpenBLAS's kernel (None: as it is now)."""
    environment = os.environ | dict.fromkeys(THREADS, str(threads))
    if kernel is not None:
        environment["OPENBLAS_CORETYPE"] = kernel
    return environment


def start_module(module, environment):
    """A Popen of python -m module in that environment, with text pipes for its input and output."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "encoding": "utf-8"}
    return subprocess.Popen([sys.executable, "-m", module], env=environment, **pipes)
