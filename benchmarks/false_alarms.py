"""Does the gradient checker ever cry wolf? Thousands of correct gradients, of random cells, sizes and seeds.

    python benchmarks/false_alarms.py [COUNT]      COUNT problems for each of five methods (2000: 10,000 checks)

Every problem is a whole sequence of a random cell with weights of order one, T, N, D and H from 1 to 7, and a sample of
six entries of each array. Prints how many were called wrong; the exit status is 1 if any was.
"""

import argparse
import sys
import time

import numpy as np

from numpylm import check_gradients
from numpylm.gru import gru_cell
from numpylm.lstm import lstm_cell
from numpylm.proof.gradient_check import CHECKS
from numpylm.rnn import rnn_cell

CELLS = (rnn_cell("tanh"), rnn_cell("relu"), lstm_cell(), gru_cell())


def check_one(seed, method):
    """The report on one random problem whose gradients are right."""
    rng = np.random.default_rng(seed)
    cell = CELLS[rng.integers(len(CELLS))]
    T, N, D, H = rng.integers(1, 8, 4)

    def state():
        return cell.State(*[rng.standard_normal((N, H)) for _ in cell.State._fields])

    def forward(parameters, x, state_0):
        out = cell.forward(parameters, x, state_0)
        return {"h": out.h, "state": out.state}

    parameters = cell.Parameters(*[rng.standard_normal(shape) for shape in cell.shapes(D, H).values()])
    x, state_0, dh, dstate_T = rng.standard_normal((T, N, D)), state(), rng.standard_normal((T, N, H)), state()
    found = cell.backward(parameters, dh, dstate_T, cell.forward(parameters, x, state_0).trace)
    arguments = {"parameters": parameters, "x": x, "state_0": state_0}
    claim = {"parameters": found.dparameters, "x": found.dx, "state_0": found.dstate_0}
    return check_gradients(forward, arguments, claim, method, {"h": dh, "state": dstate_T}, max_entries=6, rng=rng)


def positive(text):
    """A positive integer, as argparse reads it."""
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"must be a positive integer; got {text!r}")
    return int(text)


def main(arguments=None):
    """Runs all methods; returns the exit status."""
    parser = argparse.ArgumentParser(description="Counts correct gradients that the gradient checker calls wrong.")
    parser.add_argument(
        "count",
        metavar="COUNT",
        nargs="?",
        type=positive,
        default=2000,
        help="problems for each method (default: 2000)",
    )
    count = parser.parse_args(arguments).count
    alarms = 0
    for method in CHECKS:
        started = time.perf_counter()
        wrong = [seed for seed in range(count) if not check_one(seed, method).ok]
        alarms += len(wrong)
        seconds = time.perf_counter() - started
        print(
            f"{method:<12}{count:>7} checks{len(wrong):>5} false alarms{seconds:>8.1f} s  {wrong[:5] or ''}", flush=True
        )
    return 1 if alarms else 0


if __name__ == "__main__":
    sys.exit(main())
