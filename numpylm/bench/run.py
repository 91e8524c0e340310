"""One run of the benchmark: asks a worker for one number after the other, and prints each as soon as it is known."""

from typing import NamedTuple

from numpylm.bench import report
from numpylm.bench.processes import Worker
from numpylm.bench.shapes import pairs

SAMPLED_TOKENS = 200


class Effort(NamedTuple):
    """How to measure each number: at least so many rounds, and so many seconds, by which clock (clock.py)."""

    rounds: int
    seconds: float
    clock: str = "wall"


def measure_speed(worker, found, cells, shapes, effort):
    """Training steps of all cells and shapes, then sampling and evaluation: rows in found, and tables."""
    names = ["numpylm", *found["about"]["others"]]
    print(report.training_heading(names, effort.clock), flush=True)
    found["training"] = []
    for cell, shape in pairs(cells, shapes):
        found["training"].append(ask(worker, "training", cell, shape, effort=effort._asdict()))
        print(report.training_line(found["training"][-1], names), flush=True)
    print(report.training_footer(found["training"], names, effort.clock), end="\n\n")
    measure_use(worker, found, cells, named(shapes, "B"), effort, names)


def measure_use(worker, found, cells, shape, effort, names):
    """Sampling one sequence, and evaluation, at one shape."""
    effort = effort._asdict()
    found["sampling"] = [
        ask(worker, "sampling", cell, shape, num_tokens=SAMPLED_TOKENS, effort=effort) for cell in cells
    ]
    title = f"Sampling one sequence at {shape.name}: microseconds per token"
    print(
        report.per_token_table(title, found["sampling"], names, lambda seconds: 1e6 * seconds), end="\n\n", flush=True
    )
    found["evaluation"] = [ask(worker, "evaluation", cell, shape, effort=effort) for cell in cells]
    title = f"Evaluation at {shape.name}: thousand tokens per second (× is of the times)"
    print(report.per_token_table(title, found["evaluation"], names, lambda seconds: 1e-3 / seconds), end="\n\n")


def measure_memory(found, options, shapes):
    """The peak memory of a process for each implementation, which imports no other: the first cell at C."""
    shape, cell = named(shapes, "C"), options.cells[0]
    found["memory"] = []
    for name in ("numpylm", *found["about"]["others"]):
        with Worker(options.threads, options.kernel) as worker:
            found["memory"].append({"name": name} | ask(worker, "memory", cell, shape, name=name))
    print(report.memory_table(found["memory"]), end="\n\n", flush=True)


def ask(worker, task, cell, shape, **arguments):
    """The worker's answer, with the cell and the shape it is about."""
    return {"cell": cell, "shape": list(shape), **worker.ask(task, cell=cell, shape=shape, **arguments)}


def named(shapes, name):
    """The shape of that name, or the first one where it is not among them."""
    return next((shape for shape in shapes if shape.name == name), shapes[0])
