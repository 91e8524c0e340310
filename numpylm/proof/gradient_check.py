"""The gradient checker: is a gradient that was derived by hand the derivative of its function?

    report = check_gradients(f, arguments, gradients)
    print(report)               # a table; report.ok, report.rows, report.worst, report.diagnosis
    report.raise_if_wrong()

f is any function of named arrays that returns a number (or arrays, with cotangents to make them one); gradients are the
claim, under the arguments' names. Dicts, lists and named records may be nested; their arrays get names like
"parameters.W_h" and "state.0.c". Integer arrays, strings and None are constants.

An entry is right when |claimed - numeric| <= atol max(1, |f|, ‖numeric‖∞) + rtol max(|claimed|, |numeric|); for the
complex step, which subtracts nothing, the sizes of the derivatives take the place of 1 and |f|. Wherever that leaves a
doubt (the entry seems wrong, or passes as small beside f only, or f bends much over the step) it is measured again, by
the complex step (Squire and Trapp, 1998) where that is safe, or else by differences at the function's own scale, with
steps of all sizes (Ridders, 1982; Lepski, 1990: see own_scale.py). These say how far they may be off, and then:

    right           the claim agrees to 1e-7 of its size and to what the measurement may be off; below 1e-6 |f| to 3e-4,
                    where a right backward has rounding of its own; below 1e-14 |f| both count as zero
    wrong           it is further off than that, by method="complex" already in the 11th digit
    a kink          (a ReLU at 0) the slopes on both sides differ, and any slope between them is right, which is all
                    that can be asked there; the numeric value shown is the slope of one side, and they are counted
    not proved      rounding hides the gradient: of f, of x or of a term like y - 1 (rounding.py measures it); or it is
                    nothing beside the largest; or f is rough, like a function with float32 inside, or not one function

entries.py has more on this, and on entries that were not drawn.

A gradient is proved at the given arguments, and there alone. Choose them so that no mistake can hide: weights and
biases of order one, no zeros, all sizes different, T of 3 or more, N of 2 or more.
"""

import numpy as np

from numpylm import require
from numpylm.proof.compared import EXACT, FLOAT32, Tolerance
from numpylm.proof.dot_product import project
from numpylm.proof.entries import compare_entries, exact_scale, wrong_entries
from numpylm.proof.evidence import explain
from numpylm.proof.gradient_claims import claimed_arrays, float32_complaints
from numpylm.proof.gradient_problem import Problem
from numpylm.proof.gradient_report import GradientReport, Row
from numpylm.proof.numerical import METHODS
from numpylm.proof.own_scale import ROUGH

CHECKS = (*METHODS, "projection")


TOLERANCES = {
    "forward": Tolerance(1e-5, 1e-6),
    "central": Tolerance(1e-7, 1e-8),
    "fourth": Tolerance(1e-7, 1e-9),
    "complex": EXACT,
    "projection": Tolerance(1e-7, 1e-9),
}


def check_gradients(
    f, arguments, gradients, method="central", cotangents=None, max_entries=1000, rtol=None, atol=None, rng=None
):
    """Compares claimed gradients with numerical derivatives; returns a GradientReport.

    f            called as f(**arguments); returns a number, or arrays in any nesting if cotangents are given
    arguments    name -> array, dict, list or record; copied, and differentiated in float64 whatever their dtype
    gradients    the claim, nested like the arguments, or a function of the arguments that returns it: then two calls
                 must agree and leave the arguments alone
    method       "central", "fourth" or "forward" differences, "complex" (exact, for complex-safe functions), or
                 "projection": one random direction for each array and one for all, for models of real size (see
                 dot_product.py; it sees no entry that is small beside the sum)
    cotangents   arrays nested like f's value: what is differentiated is Σ cotangent · value
    max_entries  of a larger array, so many random entries are checked one by one (None: every one), the others
                 together, along a random direction
    rtol, atol   in place of the method's TOLERANCES; what is asked for is not refined
    rng          a numpy.random.Generator for samples and directions; None: always the same ones
    Raises TypeError or ValueError for arguments that cannot be checked; NotComplexSafe (a TypeError) where the complex
    step would be silently wrong. What is wrong with the gradients is never raised, but reported.
    """
    require.one_of("method", method, CHECKS)
    require.generator(rng)
    check_numbers(max_entries, rtol, atol)
    rng = np.random.default_rng(0) if rng is None else rng
    problem = Problem(f, arguments, cotangents, method)
    claims, complaints = claimed_arrays(gradients, problem)
    tolerances = {name: chosen_tolerance(method, claim, rtol, atol) for name, claim in claims.items()}
    rows, truths, are_default = [], {}, rtol is None and atol is None
    if method == "projection" and problem.is_steady:
        rows, found = project(problem, claims, tolerances, rng, are_default)
        complaints += found
    elif problem.is_steady:  # else there is nothing to compare with
        compared = compare_entries(problem, claims, tolerances, max_entries, rng, are_default)
        rows = [row(each, wrong_entries(problem, each, compared), exact_scale(problem, compared)) for each in compared]
        truths = {each.name: each.truth for each in compared}
        complaints += [complaint for each in compared for complaint in each.complaints]
    complaints += (
        (float32_complaints(claims, problem) if problem.is_steady else [])
        + problem.complaints
        + ([ROUGH] if problem.is_rough else [])
    )
    report = GradientReport(rows, complaints, method, TOLERANCES[method])
    return report._replace(diagnosis=explain(report, claims, truths, problem.arrays))


def check_numbers(max_entries, rtol, atol):
    """Raises ValueError for a number of entries or a tolerance with which anything would pass."""
    if max_entries is not None:
        require.positive_integer("max_entries", max_entries)
    for name, value in (("rtol", rtol), ("atol", atol)):
        if value is not None and not (require.is_finite_number(value) and value >= 0):
            raise ValueError(f"{name} must be a finite number, 0 or above; got {value!r}")


def chosen_tolerance(method, claim, rtol, atol):
    """The method's tolerance, float32's where the claim was computed in it, or what was asked for."""
    tolerance = FLOAT32 if claim.dtype == np.float32 else TOLERANCES[method]
    return Tolerance(tolerance.rtol if rtol is None else rtol, tolerance.atol if atol is None else atol)


@np.errstate(all="ignore")
def row(each, wrong, scale):
    """One line of the report, from a Compared, where it is wrong, and the scale beside which an entry is nothing."""
    claim, truth = each.claim, each.truth
    difference = np.where(each.accepted, 0, np.abs(claim - truth))
    if not np.isfinite(difference).any() and not wrong.any():
        return Row(each.name, claim.shape, None, 0.0, 0.0, 0.0, int(each.drawn.sum()), 0, 0, difference, 0.0, wrong)
    error = np.where(each.is_nothing(wrong, scale), 0, difference / np.maximum(each.size, 1e-300))
    weight = np.where(wrong, 1 + difference, 0) if wrong.any() else difference
    worst = tuple(int(k) for k in np.unravel_index(np.nanargmax(weight), claim.shape))
    return Row(
        each.name, claim.shape, worst, float(claim[worst]), float(truth[worst]), float(error[worst]),
        int(each.drawn.sum()), int(wrong.sum()), int(each.kinks.sum()), difference, each.largest, wrong,
    )  # fmt: skip
