"""The gradient checker: is a gradient that was derived by hand the derivative of its function?

    report = check_gradients(f, arguments, gradients)
    print(report)               # a table; report.ok, report.rows, report.worst, report.diagnosis
    report.raise_if_wrong()

The idea is in this file. Move one entry of an argument a little, see how far f moves, divide (numerical.py has the
formulas). Compare with the claim. For a large array compare a random sample of entries; the others together, along a
random direction v, where Σ claim · v must be the derivative along v. method="projection" does only the latter, which
is known as the dot-product test: a few evaluations of f, whatever the size of the model.

An entry passes if |claimed - numeric| <= atol max(1, |f|, ‖numeric‖∞) + rtol max(|claimed|, |numeric|). An entry that
does not pass, or passes only because it is small, gets a second look (judging.py): f may bend within the step, have a
kink (ReLU at 0), or hide the gradient by rounding. So a report says

    right          the claims are right at these arguments
    WRONG          at least one entry is wrong: row.wrong tells which
    NOT PROVED     no entry is wrong, but something could not be judged: the report's complaints say what

A gradient is proved at the given arguments, and there alone. Choose them so that no mistake can hide: weights and
biases of order one, no zeros, all sizes different, T of 3 or more, N of 2 or more.
"""

import numpy as np

from numpylm import require
from numpylm.proof.evidence import explain
from numpylm.proof.faults import claimed_arrays
from numpylm.proof.gradient_report import GradientReport, Row, new_row
from numpylm.proof.judging import complaint_along, float32_complaints, judge_along, look_again, tolerated
from numpylm.proof.numerical import METHODS
from numpylm.proof.problem import Problem

CHECKS = (*METHODS, "projection")
# (rtol, atol) of the first look
TOLERANCES = {"forward": (1e-5, 1e-6), "central": (1e-7, 1e-8), "fourth": (1e-7, 1e-9), "complex": (1e-11, 1e-13)}


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
    rtol, atol   an error up to rtol max(|claimed|, |numeric|) + atol max(1, |f|, ‖numeric‖∞) is right as well
    rng          a numpy.random.Generator for samples and directions; None: always the same ones
    Raises TypeError or ValueError for arguments or gradients that cannot be read; NotComplexSafe (a TypeError) if
    method is "complex" and the complex step would be silently wrong. Wrong gradients are never raised, but reported.
    """
    check_options(method, max_entries, rtol, atol, rng)
    rng = np.random.default_rng(0) if rng is None else rng
    allowed = None if rtol is None and atol is None else (rtol or 0.0, atol or 0.0)
    problem = Problem(f, arguments, cotangents, gradients)
    claims, complaints = claimed_arrays(gradients, problem)
    if not problem.is_steady:
        return GradientReport([], complaints + problem.complaints, method)
    if method == "projection":
        rows, found = project(problem, claims, allowed, rng)
    else:
        rows, found = compare(problem, claims, method, allowed, max_entries, rng)
    complaints += found + problem.complaints + float32_complaints(problem, claims)
    report = GradientReport(rows, complaints, method, precision=problem.precision)
    slopes = {row.name: row.slope for row in rows if not row.is_projection}
    return report._replace(diagnosis=explain(report, claims, slopes, problem.arrays))


@np.errstate(all="ignore")
def compare(problem, claims, method, allowed, max_entries, rng):
    """(rows, complaints): the first look at every chosen entry, and the second at some."""
    if method == "complex":
        problem.check_complex_step()
    rows, complaints = [new_row(name, claim) for name, claim in claims.items()], []
    for row in rows:
        for index in chosen_entries(row.shape, max_entries, rng):
            row.checked[index] = True
            row.slope[index] = problem.difference(problem.entry(row.name, index), method)
    for row in rows:
        largest = max(each.largest for each in rows)
        complaints += look_again(problem, row, largest, method, TOLERANCES[method], allowed, rng)
    return rows, complaints


def chosen_entries(shape, max_entries, rng):
    """Every index of an array, or max_entries random ones of a larger one."""
    size = int(np.prod(shape))
    if max_entries is None or size <= max_entries:
        return list(np.ndindex(shape))
    drawn = np.sort(rng.choice(size, max_entries, replace=False))
    return [tuple(map(int, np.unravel_index(flat, shape))) for flat in drawn]


def project(problem, claims, allowed, rng):
    """(rows, complaints) of the dot-product test: each array along a direction of its own, then all together."""
    rows, complaints = [], []
    for names in [[name] for name in claims] + ([list(claims)] if len(claims) > 1 else []):
        direction = {name: rng.standard_normal(claims[name].shape) for name in names}
        verdict, claimed, terms = judge_along(problem, claims, direction)
        off = abs(claimed - verdict.slope)
        if allowed and off <= tolerated(allowed, max(abs(claimed), terms), max(problem.size, terms)):
            verdict = verdict._replace(is_wrong=False, unsure=0.0)
        complaint = complaint_along(problem, ", ".join(names), verdict, claimed, terms)
        label, shape = (names[0], claims[names[0]].shape) if len(names) == 1 else ("all together", ())
        values = [claimed, verdict.slope, True, verdict.is_wrong, verdict.is_kink, verdict.unsure]
        unjudged = complaint is not None and not verdict.is_wrong
        rows.append(Row(label, shape, *map(np.array, values), True, unjudged, terms))
        complaints += [complaint] if complaint else []
    return rows, complaints


def check_options(method, max_entries, rtol, atol, rng):
    """Raises ValueError for an unknown method, and for numbers with which anything would pass."""
    require.one_of("method", method, CHECKS)
    require.generator(rng)
    if max_entries is not None:
        require.positive_integer("max_entries", max_entries)
    for name, value in (("rtol", rtol), ("atol", atol)):
        if value is not None and not (require.is_finite_number(value) and value >= 0):
            raise ValueError(f"{name} must be a finite number, 0 or above; got {value!r}")
