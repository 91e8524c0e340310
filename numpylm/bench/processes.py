"""Processes that measure. BLAS reads its number of threads and its kernel from the environment, once, when NumPy is
imported: what is to be measured is therefore a process of its own, started with that environment.

A worker (worker.py) reads requests from its standard input and answers each on its standard output, one JSON object a
line, so that several of them, with different kernels, can be asked in turn.
"""

import json
import os
import subprocess
import sys

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "NPROC")


class Worker:
    """A process that answers requests. A context, at whose end the process has ended."""

    def __init__(self, threads=1, kernel=None):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "numpylm.bench.worker"], env=environment(threads, kernel),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8",
        )  # fmt: skip

    def ask(self, task, **arguments):
        """The worker's answer. Raises ChildProcessError where the process has ended, by a crash or an exception."""
        try:
            self.process.stdin.write(json.dumps({"task": task, **arguments}) + "\n")
            self.process.stdin.flush()
            answer = self.process.stdout.readline()
        except OSError:
            answer = ""
        if not answer:
            raise ChildProcessError(f"the process that measures ended, with status {self.process.wait()}, in {task}")
        return json.loads(answer)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        if any(exception):
            self.process.kill()
        self.process.communicate()


def environment(threads=1, kernel=None):
    """This process's environment with so many threads for every BLAS, for PyTorch and for JAX (NPROC), and with an
    OpenBLAS kernel (None: as it is now)."""
    changed = os.environ | dict.fromkeys(THREADS, str(threads))
    if threads == 1:
        changed["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} --xla_cpu_multi_thread_eigen=false".strip()
    return changed if kernel is None else changed | {"OPENBLAS_CORETYPE": kernel}
