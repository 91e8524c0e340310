"""numpylm doctor: what runs the mathematics here, how fast each OpenBLAS kernel is, and which line sets the fastest.

Every kernel is measured in a process of its own, started with OPENBLAS_CORETYPE, and whether it was taken is asked of
the library itself. The processes take their turns round by round; what counts is the best round, for a busy machine
makes no kernel faster. Nothing is changed.
"""

import math
import platform
from contextlib import ExitStack
from typing import NamedTuple

from numpylm.bench import doctor_report
from numpylm.bench.kernels import candidates, processor_instructions
from numpylm.bench.processes import Worker
from numpylm.bench.shapes import SHAPES
from numpylm.bench.system import about

DESCRIPTION = (
    "Versions, processor and BLAS; how fast each OpenBLAS kernel is that this processor\n"
    "can run; and the line to set for the fastest. Nothing is changed."
)
ROUNDS = 3
PROBE = {"cell": "lstm", "shape": SHAPES["A"], "size": 1024, "seconds": 0.1}


class Measured(NamedTuple):
    """A kernel's name (None: not known), GFLOP/s of a large product, and seconds of a training step."""

    kernel: str | None
    gflops: float
    step: float


def add_options(parser):
    """None."""


def run(options):
    """Prints versions, kernels and advice."""
    facts = about()
    print(doctor_report.facts_table(facts, options.threads), flush=True)
    with ExitStack() as stack:
        workers = start_workers(stack, kernels_to_try(facts["blas"]), options.threads)
        measured = measure(workers)
    print(doctor_report.kernels_table(measured, facts["blas"]["kernel"]))
    print(doctor_report.advice(measured, facts))


def kernels_to_try(blas):
    """The kernels worth a process: none beside the present one where BLAS is no OpenBLAS, or cannot be asked."""
    if blas["name"] != "openblas" or blas["kernel"] is None:
        return []
    return candidates(platform.machine(), processor_instructions())


def start_workers(stack, names, threads):
    """Kernel -> Worker: the present one first, then each other that OpenBLAS took when it was asked for one of the
    names, under its own name: what it does not have, it replaces. All start at once."""
    present = stack.enter_context(Worker(threads))
    started = [stack.enter_context(Worker(threads, name)) for name in names]
    workers = {present.ask("about")["blas"]["kernel"]: present}
    for worker in started:
        taken = kernel_of(worker)
        if taken is not None:
            workers.setdefault(taken, worker)
    return workers


def kernel_of(worker):
    """The kernel that a worker's OpenBLAS runs, or None where the process did not survive it."""
    try:
        return worker.ask("about")["blas"]["kernel"]
    except ChildProcessError:
        return None


def measure(workers):
    """A Measured for each worker whose process survives, the fastest step first."""
    found = {kernel: Measured(kernel, 0.0, math.inf) for kernel in workers}
    for kernel in list(workers) * ROUNDS:
        if kernel not in found:
            continue
        try:
            answer = workers[kernel].ask("probe", **PROBE)
        except ChildProcessError:
            del found[kernel]
            continue
        best = found[kernel]
        found[kernel] = Measured(kernel, max(best.gflops, answer["gflops"]), min(best.step, answer["step"]))
    return sorted(found.values(), key=lambda measured: measured.step)
