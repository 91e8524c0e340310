"""The gradient checker: is a gradient that was derived by hand the derivative of its function?

    report = check_gradients(f, arguments, gradients)
    print(report)               # a table; report.ok, report.rows, report.worst, report.diagnosis
    report.raise_if_wrong()

f is any function of named arrays that returns a number (or arrays, with cotangents to make them one); gradients are the
claim, under the arguments' names. Dicts, lists and named records may be nested; their arrays get names like
"parameters.W_h" and "state.0.c". Integer arrays, strings and None are constants.

An entry is right when |claimed - numeric| <= atol max(1, |f|, ‖numeric‖∞) + rtol max(|claimed|, |numeric|). One that is
not is measured again with finer methods, so that curvature is no false alarm. Where they too disagree among themselves
the function has a kink (a ReLU at 0): the entry is right if the claim lies between the slopes on both sides, which is
all that can be asked there, and the report says how many there are.
"""

from typing import NamedTuple

import numpy as np

from numpylm import check
from numpylm.proof.evidence import explain
from numpylm.proof.gradient_claims import claimed_arrays
from numpylm.proof.gradient_problem import Problem, not_complex_safe
from numpylm.proof.gradient_report import GradientReport, Row
from numpylm.proof.numerical import METHODS, directional_derivative

CHECKS = (*METHODS, "projection")


class Tolerance(NamedTuple):
    """What is forgiven: rtol of the entry's size, and atol of the function's and the largest derivative's."""

    rtol: float
    atol: float


TOLERANCES = {
    "forward": Tolerance(1e-5, 1e-6),
    "central": Tolerance(1e-7, 1e-8),
    "fourth": Tolerance(1e-7, 1e-9),
    "complex": Tolerance(1e-11, 1e-13),
    "projection": Tolerance(1e-7, 1e-9),
}
FLOAT32 = Tolerance(1e-3, 1e-4)  # for a claim that was computed in float32


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
    max_entries  of a larger array, so many random entries are checked (None: every one)
    rtol, atol   in place of the method's TOLERANCES
    rng          a numpy.random.Generator for samples and directions; None: always the same ones
    Raises TypeError or ValueError for arguments that cannot be checked; NotComplexSafe (a TypeError) where the complex
    step would be silently wrong. What is wrong with the gradients is never raised, but reported.
    """
    check.one_of("method", method, CHECKS)
    check.generator(rng)
    rng = np.random.default_rng(0) if rng is None else rng
    problem = Problem(f, arguments, cotangents, method)
    claims, complaints = claimed_arrays(gradients, problem)
    tolerance = chosen_tolerance(method, claims.values(), rtol, atol)
    if method == "projection":
        rows, truths = project(problem, claims, tolerance, rng), {}
    else:
        rows, truths = compare_entries(problem, claims, tolerance, max_entries, rng)
    report = GradientReport(rows, complaints + problem.complaints, method, tolerance)
    return report._replace(diagnosis=explain(report, claims, truths, problem.arrays))


def chosen_tolerance(method, claims, rtol, atol):
    """The method's tolerance, float32's where a claim was computed in it, or what was asked for."""
    tolerance = TOLERANCES[method]
    if any(claim.dtype == np.float32 for claim in claims):
        tolerance = FLOAT32
    return Tolerance(tolerance.rtol if rtol is None else rtol, tolerance.atol if atol is None else atol)


def compare_entries(problem, claims, tolerance, max_entries, rng):
    """Rows of the table, one for each array, and the numeric gradients (NaN where an entry was not drawn)."""
    rows, truths = [], {}
    for name, claim in claims.items():
        chosen = chosen_entries(claim.shape, max_entries, rng)
        truth = np.full(claim.shape, np.nan)
        for index in chosen:
            truth[index] = problem.derivative(name, index)
        kinks = refine(problem, name, claim, truth, chosen, tolerance)
        truths[name] = truth
        rows.append(row(name, claim, truth, len(chosen), kinks, wrong_entries(claim, truth, tolerance, problem.size)))
    return rows, truths


def chosen_entries(shape, max_entries, rng):
    """Every index of an array, or max_entries random ones of a larger one."""
    size = int(np.prod(shape))
    if max_entries is None or size <= max_entries:
        return list(np.ndindex(shape))
    drawn = rng.choice(size, max_entries, replace=False)
    return [tuple(int(k) for k in np.unravel_index(flat, shape)) for flat in np.sort(drawn)]


def wrong_entries(claim, truth, tolerance, size):
    """Booleans of the claim's shape: where it is further from the truth than the tolerance forgives."""
    scale = max(size, np.nanmax(np.abs(truth), initial=0))
    allowed = tolerance.atol * scale + tolerance.rtol * np.maximum(np.abs(claim), np.abs(truth))
    return np.abs(claim - truth) > allowed  # comparisons with NaN are False: not drawn, not wrong


def refine(problem, name, claim, truth, chosen, tolerance):
    """Measures the entries that seem wrong again, and improves truth where that shows more; returns how many kinks."""
    kinks = 0
    seems_wrong = wrong_entries(claim, truth, tolerance, problem.size)
    for index in chosen:
        if seems_wrong[index]:
            truth[index], is_kink = second_opinion(problem, name, index, claim[index], truth[index])
            kinks += is_kink
    return kinks


def second_opinion(problem, name, index, claimed, truth):
    """(the derivative of one entry as finer methods see it, whether it lies at a kink)."""
    slopes = problem.slopes(name, index)
    size = max(problem.size, abs(slopes.fine))
    if abs(slopes.left - slopes.right) > 1e-5 * size:  # a kink at x itself
        low, high = sorted((slopes.left, slopes.right))
        lies_between = low - 1e-6 * size <= claimed <= high + 1e-6 * size
        return (claimed if lies_between else slopes.right), True
    if abs(slopes.coarse - slopes.fine) <= 1e-8 * size:  # smooth over the widest step
        if problem.method != "complex":
            return slopes.fine, False
        if abs(slopes.fine - truth) > 1e-6 * size:
            raise not_complex_safe(truth, slopes.fine)
        return truth, False
    # A kink near x, or a sharp curve: what the slopes nearest to x say holds, as exactly as rounding lets them.
    if problem.method == "complex":
        return truth, False
    agrees = abs(claimed - slopes.near) <= 1e-8 * size or abs(claimed - slopes.right) <= 2e-7 * size
    return (claimed if agrees else slopes.near), False


def row(name, claim, truth, num_checked, kinks, wrong):
    """One line of the report."""
    error = np.abs(claim - truth) / np.maximum(np.maximum(np.abs(claim), np.abs(truth)), 1e-300)
    weight = np.where(wrong, 1 + np.abs(claim - truth), 0) if wrong.any() else np.abs(claim - truth)
    worst = np.unravel_index(np.nanargmax(weight), claim.shape) if claim.size else ()
    worst = tuple(int(k) for k in worst)
    return Row(
        name, claim.shape, worst, float(claim[worst]), float(truth[worst]), float(error[worst]), num_checked,
        int(wrong.sum()), kinks, np.abs(claim - truth), float(np.nanmax(np.abs(truth), initial=0)),
    )  # fmt: skip


def project(problem, claims, tolerance, rng):
    """Rows of the dot-product test: for each array a random direction of its own, and one for all arrays together."""
    names = list(claims)
    rows = [project_along(problem, claims, [name], tolerance, rng) for name in names]
    return [*rows, project_along(problem, claims, names, tolerance, rng)] if len(names) > 1 else rows


def project_along(problem, claims, names, tolerance, rng):
    """One row: ⟨gradient, v⟩ against the derivative along v, for one random v over the named arrays."""
    direction = [rng.standard_normal(claims[name].shape) for name in names]
    moved = [problem.moving[name] for name in names]
    numeric = directional_derivative(problem.value, moved, direction, problem.method)
    claimed = sum(float((claims[name] * v).sum()) for name, v in zip(names, direction, strict=True))
    # The sum's own rounding, and the curvature along a long direction, grow with the sizes of what is summed.
    size = sum(float(np.abs(claims[name] * v).sum()) for name, v in zip(names, direction, strict=True))
    wrong = abs(claimed - numeric) > tolerance.atol * max(problem.size, size) + tolerance.rtol * max(
        abs(claimed), abs(numeric)
    )
    label = names[0] if len(names) == 1 else "all together"
    shape = claims[names[0]].shape if len(names) == 1 else ()
    error = abs(claimed - numeric) / max(abs(claimed), abs(numeric), 1e-300)
    count = sum(claims[name].size for name in names)
    return Row(label, shape, None, claimed, float(numeric), error, count, int(wrong), 0, None, abs(float(numeric)))
