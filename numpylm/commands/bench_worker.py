"""The process that measures: its BLAS is set up by its environment, before NumPy is imported (blas_environment.py).

Reads one request, a JSON object, from standard input, and writes one JSON object a line for each result.
"""

import json
import sys

import numpy as np

from numpylm.commands.bench_clock import race
from numpylm.commands.bench_floor import floor_step
from numpylm.commands.bench_implementations import installed_implementations
from numpylm.commands.bench_shapes import Shape, random_batch
from numpylm.model import MODELS

TIMED_RATE = 1e-6  # so small that thousands of timed steps leave the weights where they are


def training_steps(cell, shape, rounds, seconds):
    """Name -> [seconds in each round] of the floor and of each implementation's training step."""
    rng = np.random.default_rng(0)
    model = MODELS[cell](shape.V, shape.D, shape.H)
    batch = random_batch(shape, rng)
    functions = {"floor": floor_step(cell, shape, rng)}
    for name, implementation in installed_implementations().items():
        functions[name] = implementation(model, batch, TIMED_RATE).run
    return race(functions, rounds, seconds)


def main():
    """Answers the request."""
    request = json.load(sys.stdin)
    for cell, *shape in request["pairs"]:
        times = training_steps(cell, Shape(*shape), request["rounds"], request["seconds"])
        print(json.dumps({"cell": cell, "shape": shape[0], "times": times}), flush=True)


if __name__ == "__main__":
    main()
