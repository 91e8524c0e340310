"""The gradient checker: is a gradient that was derived by hand the derivative of its function?

    report = check_gradients(f, arguments, gradients)
    print(report)               # a table; report.ok, report.rows, report.worst, report.diagnosis
    report.raise_if_wrong()

The idea is in this file. Move one entry of an argument a little, see how far f moves, divide (numerical.py has the
formulas). Compare with the claim. For a large array compare a random sample of entries; the others together, along a
random direction v, where Σ claim · v must be the derivative along v. method="projection" does only the latter, which
is known as the dot-product test: a few evaluations of f, whatever the size of the model.

An entry passes if |claimed - numeric| <= atol max(1, |f|, ‖numeric‖∞) + rtol max(|claimed|, |numeric|). An entry that
does not pass, or passes only because it is small, gets a second look (verdict.py): f may bend within the step, have a
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
from numpylm.proof.evidence import explain
from numpylm.proof.gradient_report import GradientReport, new_row
from numpylm.proof.numerical import METHODS
from numpylm.proof.problem import Problem
from numpylm.proof.projection import find_wrong, project
from numpylm.proof.verdict import judge

CHECKS = (*METHODS, "projection")
TOLERANCES = {  # (rtol, atol)
    "forward": (1e-5, 1e-6),
    "central": (1e-7, 1e-8),
    "fourth": (1e-7, 1e-9),
    "complex": (1e-11, 1e-13),
    "projection": (1e-7, 1e-9),
}
SMALL = 1e-6  # of |f|: so small an entry may agree with a difference by accident


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
    tolerance = None if rtol is None and atol is None else tolerance_of(method, rtol, atol)
    problem = Problem(f, arguments, cotangents, gradients)
    claims, complaints = claimed_arrays(gradients, problem)
    if not problem.is_steady:
        return GradientReport([], complaints + problem.complaints, method)
    if method == "projection":
        rows, found = project(problem, claims, tolerance, rng)
    else:
        rows, found = compare(problem, claims, method, tolerance, max_entries, rng)
    complaints += found + problem.complaints + float32_complaints(claims, problem)
    report = GradientReport(rows, complaints, method, precision=problem.precision)
    slopes = {row.name: row.slope for row in rows if not row.is_projection}
    return report._replace(diagnosis=explain(report, claims, slopes, problem.arrays))


@np.errstate(all="ignore")
def compare(problem, claims, method, tolerance, max_entries, rng):
    """(rows, complaints): the first look at every chosen entry, and the second at some."""
    if method == "complex":
        problem.check_complex_step()
    rows = [new_row(name, claim) for name, claim in claims.items()]
    for row in rows:
        for index in chosen_entries(row.shape, max_entries, rng):
            row.checked[index] = True
            row.slope[index] = problem.difference(problem.entry(row.name, index), method)
    largest, complaints = max((row.largest for row in rows), default=0.0), []
    for row in rows:
        is_strict = tolerance is None and row.claim.dtype != np.float32
        for index in doubtful_entries(problem, row, largest, method, tolerance, is_strict):
            look_again(problem, row, index, largest, method, tolerance, is_strict)
        complaint = look_at_the_rest(problem, row, largest, method, tolerance, is_strict, rng)
        complaint = complaint_about(problem, row) or complaint
        complaints += [complaint] if complaint else []
        largest = max(largest, row.largest)
    return rows, complaints


def chosen_entries(shape, max_entries, rng):
    """Every index of an array, or max_entries random ones of a larger one."""
    size = int(np.prod(shape))
    if max_entries is None or size <= max_entries:
        return list(np.ndindex(shape))
    drawn = np.sort(rng.choice(size, max_entries, replace=False))
    return [tuple(map(int, np.unravel_index(flat, shape))) for flat in drawn]


def allowed_error(problem, row, largest, method, tolerance):
    """How far every entry may be off at the first look."""
    if tolerance is None and row.claim.dtype == np.float32:  # it rounds by 6e-8, and a sum of large terms by more
        return 1e-3 * row.size + 1e-4 * row.largest + 1e-6 * largest
    rtol, atol = tolerance or TOLERANCES[method]
    return rtol * row.size + atol * max(problem.size, row.largest)


def doubtful_entries(problem, row, largest, method, tolerance, is_strict):
    """The indices of entries that do not pass, or only because they are small."""
    off, size = row.error, row.size
    passes = off <= allowed_error(problem, row, largest, method, tolerance)
    if is_strict:
        is_small = (size < SMALL * problem.size) & ((size > 0) | problem.is_complex_safe)
        passes &= (off <= problem.visible * size) & ~is_small
    return map(tuple, np.argwhere(row.checked & ~passes))


def look_again(problem, row, index, largest, method, tolerance, is_strict):
    """Judges one entry by the best measurement, and notes what that says."""
    allowed = None if is_strict else allowed_error(problem, row, largest, method, tolerance)[index]
    claimed, direction = float(row.claim[index]), problem.entry(row.name, index)
    verdict = judge(problem, direction, claimed, largest, method, allowed=allowed)
    row.checked[index], row.slope[index] = True, verdict.slope
    row.wrong[index], row.kinks[index], row.unsure[index] = verdict.is_wrong, verdict.is_kink, verdict.unsure


def look_at_the_rest(problem, row, largest, method, tolerance, is_strict, rng):
    """Looks for a wrong entry among those that were not drawn, and judges the first that it finds."""
    rest = np.flatnonzero(~row.checked)
    if not rest.size or row.wrong.any() or row.claim.dtype == np.float32:
        return None
    found, complaint = find_wrong(problem, row.name, row.claim, rest, rng)
    if found is not None:
        index = tuple(map(int, np.unravel_index(found, row.shape)))
        row.slope[index] = problem.measured(problem.entry(row.name, index)).value
        look_again(problem, row, index, largest, method, tolerance, is_strict)
    return complaint


def complaint_about(problem, row):
    """A sentence on what could not be judged, or None."""
    unknown = row.checked & ~np.isfinite(row.slope)
    if unknown.any():
        where = np.argwhere(unknown)[0].tolist()
        return f"the function is not finite beside {row.name}{where}: there is no derivative to compare with"
    if row.kinks.any() and (row.kinks == row.checked).all():
        return f"every entry of {row.name} lies at a kink, where any slope between two passes: nothing was proved"
    is_zero = (row.claim == 0) & (row.unsure < 1e-10 * problem.size)
    unsure = np.where(row.wrong | is_zero, 0, row.unsure)
    if unsure.max(initial=0) <= problem.visible * max(np.abs(row.claim).max(initial=0), row.largest):
        return None
    index = np.unravel_index(unsure.argmax(), unsure.shape)
    return (
        f"the gradient at {row.name}{[int(k) for k in index] or ''} is too small to be judged: {row.claim[index]:.1e} "
        f"is claimed and {row.slope[index]:.1e} is measured, but f's value, {problem.value_here:.1e}, and its parts "
        "are rounded. Choose arguments at which this gradient is larger, move f nearer to zero, or write f so that the "
        "complex step can be taken (no abs, no fixed dtype)"
    )


def tolerance_of(method, rtol, atol):
    """(rtol, atol), the method's own for the one that was not asked for."""
    usual = TOLERANCES[method]
    return usual[0] if rtol is None else rtol, usual[1] if atol is None else atol


def check_options(method, max_entries, rtol, atol, rng):
    """Raises ValueError for an unknown method, and for numbers with which anything would pass."""
    require.one_of("method", method, CHECKS)
    require.generator(rng)
    if max_entries is not None:
        require.positive_integer("max_entries", max_entries)
    for name, value in (("rtol", rtol), ("atol", atol)):
        if value is not None and not (require.is_finite_number(value) and value >= 0):
            raise ValueError(f"{name} must be a finite number, 0 or above; got {value!r}")
