"""Processes that measure. BLAS reads its number of threads and its kernel from the environment once, when NumPy is
imported; and a process's peak memory never falls again. So every measurement runs in a process of its own.

The process (main, below) reads requests from standard input, {"task": name, …} in JSON, one a line. It answers each
with a line of JSON.
"""

import json
import os
import subprocess
import sys
from contextlib import suppress

import numpy as np

from numpylm.bench import clock, in_numpylm, measurements, system
from numpylm.bench.shapes import SHAPES, Shape, random_batch
from numpylm.memory import keep_freed_memory

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "NPROC")
STEPS = 5  # of training, before the peak memory is read
PROBE_SIZE = 1024


def answers(requests, threads=1, kernel=None):
    """Start a process with these threads and this OpenBLAS kernel (None: as it is now); yield its answer to each of the
    requests, which are dicts. Raises ChildProcessError if the process ends too early."""
    command = [sys.executable, "-m", "numpylm.bench.processes"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "encoding": "utf-8"}
    with subprocess.Popen(command, env=environment(threads, kernel), **pipes) as process:
        try:
            for request in requests:
                with suppress(OSError):  # of a process that has ended
                    process.stdin.write(json.dumps(request) + "\n")
                    process.stdin.flush()
                answer = process.stdout.readline()
                if not answer:
                    message = f"the process that measures {request['task']} ended, with status {process.wait()}"
                    raise ChildProcessError(message)
                answer = json.loads(answer)
                if "error" in answer:
                    raise ValueError(answer["error"])
                yield answer
        except BaseException:
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
    shape = Shape(*shape)
    batch = random_batch(shape, np.random.default_rng(0))
    step = measurements.implementation(name).train(measurements.new_model(cell, shape), batch, measurements.TIMED_RATE)
    for _ in range(STEPS):
        step.run()
    return {"mib": system.peak_mib()}


def probe(size=PROBE_SIZE, seconds=0.1):
    """How fast this BLAS is: GFLOP/s of a product of two (size, size) matrices, and seconds of an LSTM's training step
    at shape A, each the best of several rounds."""
    rng, shape = np.random.default_rng(0), SHAPES["A"]
    A, B = rng.standard_normal((2, size, size), dtype=np.float32)
    model, batch = measurements.new_model("lstm", shape), random_batch(shape, rng)
    step = in_numpylm.step(model, batch, measurements.TIMED_RATE)
    times = clock.race({"product": lambda: A @ B, "step": step}, 3, seconds)
    return {"gflops": 2 * size**3 / min(times["product"]) / 1e9, "step": min(times["step"])}


TASKS = {"about": system.about, "measure": measurements.measure, "memory": memory, "probe": probe}


def main():
    """Answer until there are no more requests. Anything else that is printed goes to standard error."""
    keep_freed_memory()
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as output:
        os.dup2(2, 1)
        for line in sys.stdin:
            request = json.loads(line)
            try:
                answer = TASKS[request.pop("task")](**request)
            except ValueError as error:  # such as a model that memory cannot hold
                answer = {"error": str(error)}
            print(json.dumps(answer), file=output, flush=True)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)  # the command that started this process says so
