"""Processes that measure. BLAS reads its number of threads and its kernel from the environment once, when NumPy is
imported; and a process's peak memory never falls again. So every measurement runs in a process of its own.
"""

import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from unittest.mock import patch

import numpy as np

from numpylm.base.memory import keep_freed_memory
from numpylm.bench import clock, in_numpylm, measurements, system
from numpylm.bench.shapes import SHAPES, random_batch

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "NPROC")
STEPS = 5  # of training, before the peak memory is read
PROBE_SIZE = 1024


def answers(calls, threads=1, kernel=None):
    """Start a process with these threads and this OpenBLAS kernel (None: as it is now); yield what each of the calls,
    functions without arguments, returns there, or raise what it raises. Raises ChildProcessError if the process ends
    too early."""
    pool = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), keep_freed_memory)
    with patch.dict(os.environ, environment(threads, kernel)), pool:
        try:
            for call in calls:
                yield pool.submit(call).result()
        except BrokenProcessPool:
            raise ChildProcessError("the process that measures has ended") from None
        except BaseException:
            for process in multiprocessing.active_children():
                process.kill()
            raise


def environment(threads, kernel):
    """This process's environment, with the number of threads for every BLAS, PyTorch and JAX, and the kernel."""
    changed = os.environ | dict.fromkeys(THREADS, str(threads))
    if threads == 1:
        changed["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} --xla_cpu_multi_thread_eigen=false".strip()
    return changed if kernel is None else changed | {"OPENBLAS_CORETYPE": kernel}


def memory(name, cell, shape):
    """The peak memory in MiB after a few training steps of an implementation; None if the system does not tell."""
    batch = random_batch(shape, np.random.default_rng(0))
    step = measurements.implementation(name).train(measurements.new_model(cell, shape), batch, measurements.TIMED_RATE)
    for _ in range(STEPS):
        step()
    return {"mib": system.peak_mib()}


def probe():
    """How fast this BLAS is: GFLOP/s of a product of two square matrices of PROBE_SIZE, and seconds of an LSTM's
    training step at shape A, each the best of several rounds."""
    rng, shape = np.random.default_rng(0), SHAPES["A"]
    A, B = rng.standard_normal((2, PROBE_SIZE, PROBE_SIZE), dtype=np.float32)
    model, batch = measurements.new_model("lstm", shape), random_batch(shape, rng)
    step = in_numpylm.step(model, batch, measurements.TIMED_RATE)
    times = clock.race({"product": lambda: A @ B, "step": step}, rounds=3, seconds=0.1)
    return {"gflops": 2 * PROBE_SIZE**3 / min(times["product"]) / 1e9, "step": min(times["step"])}
