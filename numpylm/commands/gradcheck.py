"""The gradcheck command: the package proves its own gradients.

Every function, every recurrent cell, every record of a backward step and every whole model (proof/cases.py), every
argument, in float64, with weights, biases and cotangents of order one and sizes that all differ, by three methods that
have nothing in common: central differences, the complex step, and random projection (the dot-product test). Each
number of the table is the worst relative error over an array's entries.
"""

import time

import numpy as np

from numpylm.proof.cases import cases
from numpylm.proof.gradient_check import check_gradients

DESCRIPTION = (
    "Prove every gradient of the package, of every function, cell and model and every "
    "argument, by central differences, the complex step and random projection."
)
METHODS = ("central", "complex", "projection")
LINE = "{:<19}{:<23}{:>7}{:>10}{:>10}{:>11}"


def add_options(parser):
    parser.add_argument("--seed", type=int, default=0, metavar="K", help="of weights and cotangents (0)")


def run(options):
    """Prints the table and the verdict; returns 0 if every gradient is right, else 1."""
    started = time.perf_counter()
    print(LINE.format("function", "gradient of", "entries", *METHODS))
    worst, failed, num_entries = np.zeros(len(METHODS)), [], 0
    for case in cases(np.random.default_rng(options.seed)):
        reports = [prove(case, method) for method in METHODS]
        failed += [f"{case.name} by {method}" for method, report in zip(METHODS, reports, strict=True) if not report.ok]
        for rows in zip(*[report.rows for report in reports], strict=False):
            errors = [scaled_error(row) for row in rows]
            checked = int(rows[0].checked.sum())
            print(LINE.format(case.name, rows[0].name, checked, *[f"{error:.0e}" for error in errors]))
            worst = np.maximum(worst, errors)
            num_entries = num_entries + checked
    print(LINE.format("worst", "", f"{num_entries:,}", *[f"{error:.0e}" for error in worst]))
    verdict = "WRONG: " + ", ".join(failed) if failed else "Every gradient is right"
    print(f"{verdict}; {time.perf_counter() - started:.1f} s.")
    return 1 if failed else 0


def prove(case, method):
    """The report of one case by one method, every entry of every array."""
    return check_gradients(case.f, case.arguments, case.gradients, method, case.cotangents, max_entries=None)


def scaled_error(row):
    """The largest |claimed - numeric| of an array, relative to the size of its largest entry (or of the projection)."""
    return row.relative_error if row.terms is not None else float(row.error.max() / max(1.0, row.largest))
