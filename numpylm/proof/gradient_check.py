"""The gradient checker: is a gradient that was derived by hand the derivative of its function?

    report = check_gradients(f, arguments, gradients)
    print(report)               # a table; report.ok, report.rows, report.worst, report.diagnosis
    report.raise_if_wrong()

f is any function of named arrays that returns a number (or arrays, with cotangents to make them one); gradients are the
claim, under the arguments' names. Dicts, lists and named records may be nested; their arrays get names like
"parameters.W_h" and "state.0.c". Integer arrays, strings and None are constants.

An entry is right when |claimed - numeric| <= atol max(1, |f|, ‖numeric‖∞) + rtol max(|claimed|, |numeric|); for the
complex step, which subtracts nothing, the sizes of the derivatives take the place of 1 and |f|. An entry that is not
right is measured again with finer methods, so that curvature is no false alarm. Where they too disagree among
themselves the function has a kink (a ReLU at 0): the entry is right if the claim lies between the slopes on both sides,
which is all that can be asked there, and the report says how many there are. entries.py has more on what is done where
there is doubt: entries too small for differences to see, and entries that were not drawn.

A gradient is proved at the given arguments, and there alone. Choose them so that no mistake can hide: weights and
biases of order one, no zeros, all sizes different, T of 3 or more, N of 2 or more.
"""

import numpy as np

from numpylm import check
from numpylm.proof.entries import EXACT, Tolerance, compare_entries, wrong_entries
from numpylm.proof.evidence import explain
from numpylm.proof.gradient_claims import claimed_arrays, float32_complaints
from numpylm.proof.gradient_problem import Problem
from numpylm.proof.gradient_report import GradientReport, Row
from numpylm.proof.numerical import METHODS, directional_derivative

CHECKS = (*METHODS, "projection")


TOLERANCES = {
    "forward": Tolerance(1e-5, 1e-6),
    "central": Tolerance(1e-7, 1e-8),
    "fourth": Tolerance(1e-7, 1e-9),
    "complex": EXACT,
    "projection": Tolerance(1e-7, 1e-9),
}
FLOAT32 = Tolerance(1e-3, 1e-4)  # for a claim that was computed in float32
ROUGH = (
    "the function is rough at a scale of 1e-8, as if a part of it were computed in float32 or had noise in it: no "
    "slope there can be told from another"
)


def check_gradients(
    f, arguments, gradients, method="central", cotangents=None, max_entries=1000, rtol=None, atol=None, rng=None
):
    """Compares claimed gradients with numerical derivatives; returns a GradientReport.

    f            called as f(**arguments); returns a number, or arrays in any nesting if cotangents are given
    arguments    name -> array, dict, list or record; copied, and differentiated in float64 whatever their dtype
    gradients    the claim, nested like the arguments, or a function of the arguments that returns it: then two calls
                 must agree and leave the arguments alone
    method       "central", "fourth" or "forward" differences, "complex" (exact, for complex-safe functions), or
                 "projection": one random direction for each array and one for all, for models of real size
    cotangents   arrays nested like f's value: what is differentiated is Σ cotangent · value
    max_entries  of a larger array, so many random entries are checked one by one (None: every one), the others
                 together, along a random direction
    rtol, atol   in place of the method's TOLERANCES; what is asked for is not refined
    rng          a numpy.random.Generator for samples and directions; None: always the same ones
    Raises TypeError or ValueError for arguments that cannot be checked; NotComplexSafe (a TypeError) where the complex
    step would be silently wrong. What is wrong with the gradients is never raised, but reported.
    """
    check.one_of("method", method, CHECKS)
    check.generator(rng)
    check_numbers(max_entries, rtol, atol)
    rng = np.random.default_rng(0) if rng is None else rng
    problem = Problem(f, arguments, cotangents, method)
    claims, complaints = claimed_arrays(gradients, problem)
    tolerances = {name: chosen_tolerance(method, claim, rtol, atol) for name, claim in claims.items()}
    if method == "projection":
        rows, truths = project(problem, claims, tolerances, rng), {}
    else:
        compared = compare_entries(problem, claims, tolerances, max_entries, rng, rtol is None and atol is None)
        rows = [row(each, wrong_entries(problem, each, compared)) for each in compared]
        truths = {each.name: each.truth for each in compared}
        complaints += [complaint for each in compared for complaint in each.complaints]
    complaints += float32_complaints(claims, problem) + problem.complaints + ([ROUGH] if problem.is_rough else [])
    report = GradientReport(rows, complaints, method, TOLERANCES[method])
    return report._replace(diagnosis=explain(report, claims, truths, problem.arrays))


def check_numbers(max_entries, rtol, atol):
    """Raises ValueError for a number of entries or a tolerance with which anything would pass."""
    if max_entries is not None:
        check.positive_integer("max_entries", max_entries)
    for name, value in (("rtol", rtol), ("atol", atol)):
        if value is not None and not (check.is_finite_number(value) and value >= 0):
            raise ValueError(f"{name} must be a finite number, 0 or above; got {value!r}")


def chosen_tolerance(method, claim, rtol, atol):
    """The method's tolerance, float32's where the claim was computed in it, or what was asked for."""
    tolerance = FLOAT32 if claim.dtype == np.float32 else TOLERANCES[method]
    return Tolerance(tolerance.rtol if rtol is None else rtol, tolerance.atol if atol is None else atol)


@np.errstate(over="ignore", invalid="ignore")
def row(each, wrong):
    """One line of the report, from a Compared and where it is wrong."""
    claim, truth = each.claim, each.truth
    difference = np.abs(claim - truth)
    if not np.isfinite(difference).any() and not wrong.any():
        return Row(each.name, claim.shape, None, 0.0, 0.0, 0.0, int(each.drawn.sum()), 0, 0, difference, 0.0)
    error = difference / np.maximum(np.maximum(np.abs(claim), np.abs(truth)), 1e-300)
    weight = np.where(wrong, 1 + difference, 0) if wrong.any() else difference
    worst = tuple(int(k) for k in np.unravel_index(np.nanargmax(weight), claim.shape))
    return Row(
        each.name, claim.shape, worst, float(claim[worst]), float(truth[worst]), float(error[worst]),
        int(each.drawn.sum()), int(wrong.sum()), int(each.kinks.sum()), difference, each.largest,
    )  # fmt: skip


def project(problem, claims, tolerances, rng):
    """Rows of the dot-product test: for each array a random direction of its own, and one for all arrays together."""
    names = list(claims)
    rows = [project_along(problem, claims, [name], tolerances, rng) for name in names]
    return [*rows, project_along(problem, claims, names, tolerances, rng)] if len(names) > 1 else rows


@np.errstate(over="ignore", invalid="ignore")
def project_along(problem, claims, names, tolerances, rng):
    """One row: ⟨gradient, v⟩ against the derivative along v, for one random v over the named arrays."""
    direction = [rng.standard_normal(claims[name].shape) for name in names]
    moved = [problem.moving[name] for name in names]
    numeric = directional_derivative(problem.value, moved, direction, problem.method)
    claimed = sum(float((claims[name] * v).sum()) for name, v in zip(names, direction, strict=True))
    # The sum's own rounding, and the curvature along a long direction, grow with the sizes of what is summed.
    size = sum(float(np.abs(claims[name] * v).sum()) for name, v in zip(names, direction, strict=True))
    subtracts_nothing = problem.method == "complex"
    scale = 1e-6 * abs(problem.value_here) if subtracts_nothing else problem.size
    rtol, atol = (max(limits) for limits in zip(*[tolerances[name] for name in names], strict=True))
    wrong = not abs(claimed - numeric) <= atol * max(scale, size) + rtol * max(abs(claimed), abs(numeric))
    label = names[0] if len(names) == 1 else "all together"
    shape = claims[names[0]].shape if len(names) == 1 else ()
    error = abs(claimed - numeric) / max(abs(claimed), abs(numeric), 1e-300)
    count = sum(claims[name].size for name in names)
    return Row(label, shape, None, claimed, float(numeric), error, count, int(wrong), 0, None, abs(float(numeric)))
