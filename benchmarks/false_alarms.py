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
from numpylm.proof.cases.cells import CELLS, sequence_case
from numpylm.proof.gradient_check import CHECKS


def check_one(seed, method):
    """The report on one random problem whose gradients are right."""
    rng = np.random.default_rng(seed)
    cell, sizes = list(CELLS.values())[rng.integers(len(CELLS))], rng.integers(1, 8, 4)
    case = sequence_case("", cell, rng, sizes=sizes)
    return check_gradients(case.f, case.arguments, case.gradients, method, case.cotangents, max_entries=6, rng=rng)


def positive(text):
    """A positive integer, as argparse reads it."""
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"must be a positive integer; got {text!r}")
    return int(text)


def main(arguments=None):
    """Runs all methods; returns the exit status."""
    parser = argparse.ArgumentParser(description="Counts correct gradients that the gradient checker calls wrong.")
    about = "problems for each method (default: 2000)"
    parser.add_argument("count", metavar="COUNT", nargs="?", type=positive, default=2000, help=about)
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
