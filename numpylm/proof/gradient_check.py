"""The gradient checker: is a gradient that was derived by hand the derivative of its function?

    report = check_gradients(f, arguments, gradients)
    print(report)               # a table; report.ok, report.rows, report.worst, report.diagnosis
    report.raise_if_wrong()

The idea is in this file. Move one entry of an argument a little, see how far f moves, divide (numerical.py has the
formulas). Compare with the claim. For a large array compare a random sample of entries; the others together, along a
random direction v, where Σ claim · v must be the derivative along v. method="projection" does only the latter, which
is known as the dot-product test: a few evaluations of f, whatever the size of the model.

An entry passes if |claimed - numeric| <= atol max(1, |f|, ‖numeric‖∞) + rtol max(|claimed|, |numeric|). Where an entry
does not pass, or passes only because it is small, verdict.py takes a second look: f may bend within the step, have a
kink (ReLU at 0), or hide the gradient by rounding. So a report says

    right          the claims are right at these arguments
    WRONG          at least one entry is wrong: row.wrong tells which
    NOT PROVED     no entry is wrong, but something could not be judged: the report's complaints say what

A gradient is proved at the given arguments, and there alone. Choose them so that no mistake can hide: weights and
biases of order one, no zeros, all sizes different, T of 3 or more, N of 2 or more.
"""

import numpy as np

from numpylm import require
from numpylm.proof.claims import claimed_arrays, float32_complaints
from numpylm.proof.compared import Tolerance, complaint_about, look_again, look_at_the_rest, new, row_of
from numpylm.proof.evidence import explain
from numpylm.proof.gradient_report import GradientReport
from numpylm.proof.numerical import METHODS
from numpylm.proof.problem import Problem
from numpylm.proof.projection import project

CHECKS = (*METHODS, "projection")
TOLERANCES = {
    "forward": Tolerance(1e-5, 1e-6),
    "central": Tolerance(1e-7, 1e-8),
    "fourth": Tolerance(1e-7, 1e-9),
    "complex": Tolerance(1e-11, 1e-13),
    "projection": Tolerance(1e-7, 1e-9),
}


def check_gradients(
    f, arguments, gradients, method="central", cotangents=None, max_entries=1000, rtol=None, atol=None, rng=None
):
    """Compare claimed gradients with numerical derivatives; return a GradientReport.

    f            called as f(**arguments); returns a number, or arrays in any nesting if cotangents are given
    arguments    name -> array, dict, list or record; copied, and differentiated in float64 whatever their dtype.
                 Integer arrays, strings and None are constants. Nested arrays get names like "parameters.W_h"
    gradients    the claim, nested like the arguments, or a function of the arguments that returns it: then two calls
                 must agree and leave the arguments alone
    method       "central", "fourth" or "forward" differences, "complex" (exact, for complex-safe functions), or
                 "projection" (along random directions, for models of real size)
    cotangents   arrays nested like f's value: what is differentiated is Σ cotangent · value
    max_entries  of a larger array, so many random entries are checked one by one (None: every one), the others
                 together, along a random direction
    rtol, atol   in place of the method's TOLERANCES: then a passing entry gets no second look
    rng          a numpy.random.Generator for samples and directions; None: always the same ones
    Raises TypeError or ValueError for arguments that cannot be checked; NotComplexSafe (a TypeError) if method is
    "complex" and the complex step would be silently wrong. Wrong gradients are never raised, but reported.
    """
    check_options(method, max_entries, rtol, atol, rng)
    rng = np.random.default_rng(0) if rng is None else rng
    problem = Problem(f, arguments, cotangents, gradients)
    claims, complaints = claimed_arrays(gradients, problem)
    tolerance = asked_for(method, rtol, atol)
    rows, numeric = [], {}
    if problem.is_steady and method == "projection":
        rows, found = project(problem, claims, tolerance, rng)
        complaints += found
    elif problem.is_steady:
        rows, found, numeric = compare(problem, claims, method, tolerance, max_entries, rng)
        complaints += found
    complaints += problem.complaints + (float32_complaints(claims, problem) if problem.is_steady else [])
    precision = problem.precision if problem.is_steady else 0.0
    report = GradientReport(rows, complaints, method, TOLERANCES[method], precision=precision)
    return report._replace(diagnosis=explain(report, claims, numeric, problem.arrays))


@np.errstate(all="ignore")
def compare(problem, claims, method, tolerance, max_entries, rng):
    """(rows, complaints, name -> numeric gradient): the first look at every chosen entry, and the second at some."""
    if method == "complex":
        problem.check_complex_step()
    compared = [new(name, claim, tolerance) for name, claim in claims.items()]
    for each in compared:
        for index in chosen_entries(each.claim.shape, max_entries, rng):
            each.drawn[index] = True
            each.numeric[index] = problem.derivative(each.name, index, method)
    scale = max((each.largest for each in compared), default=0.0)
    for each in compared:
        look_again(problem, each, TOLERANCES[method], scale, method)
        scale = max(scale, each.largest)
        look_at_the_rest(problem, each, scale, method, rng)
    complaints = [complaint for each in compared if (complaint := complaint_about(problem, each))]
    rows = [row_of(problem, each, scale) for each in compared]
    return rows, complaints, {each.name: each.numeric for each in compared}


def asked_for(method, rtol, atol):
    """The Tolerance that was asked for, or None."""
    if rtol is None and atol is None:
        return None
    usual = TOLERANCES[method]
    return Tolerance(usual.rtol if rtol is None else rtol, usual.atol if atol is None else atol)


def chosen_entries(shape, max_entries, rng):
    """Every index of an array, or max_entries random ones of a larger one."""
    size = int(np.prod(shape))
    if max_entries is None or size <= max_entries:
        return list(np.ndindex(shape))
    drawn = np.sort(rng.choice(size, max_entries, replace=False))
    return [tuple(map(int, np.unravel_index(flat, shape))) for flat in drawn]


def check_options(method, max_entries, rtol, atol, rng):
    """Raises ValueError for an unknown method, and for numbers with which anything would pass."""
    require.one_of("method", method, CHECKS)
    require.generator(rng)
    if max_entries is not None:
        require.positive_integer("max_entries", max_entries)
    for name, value in (("rtol", rtol), ("atol", atol)):
        if value is not None and not (require.is_finite_number(value) and value >= 0):
            raise ValueError(f"{name} must be a finite number, 0 or above; got {value!r}")
