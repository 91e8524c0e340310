"""The gradient checker: is a gradient that was derived by hand the derivative of its function?

    report = check_gradients(f, arguments, gradients)
    print(report)               # a table; report.ok, report.rows, report.worst, report.diagnosis
    report.raise_if_wrong()

The idea is in this file. Move the arguments a little along a direction v, see how far f moves, divide (numerical.py has
the formulas). That must be Σ claim · v. A v that is 1 at one entry and 0 elsewhere checks this entry. A random v checks
all at once: this is the dot-product test, a few evaluations of f whatever the size of the model. method="projection"
does only the latter; the other methods check the entries one by one, and in a large array a random sample of them, then
the rest along one random v.

A claim passes at once if |claimed - numeric| <= RTOL[method] max(|claimed|, |numeric|), and if it is not tiny beside f.
Otherwise it gets a second look (judging.py): f may bend within the step, have a kink (ReLU at 0), or hide the gradient
by rounding. So a report says

    right          the claims are right at these arguments
    WRONG          at least one entry is wrong: row.wrong tells which
    NOT PROVED     no entry is wrong, but something could not be judged: the report's complaints say what

A gradient is proved at the given arguments, and there alone. Choose them so that no mistake can hide: weights and
biases of order one, no zeros, all sizes different, T of 3 or more, N of 2 or more.
"""

import numpy as np

from numpylm.base import require
from numpylm.proof.evidence import explain
from numpylm.proof.gradient_report import GradientReport, Row
from numpylm.proof.judging import RTOL, Check, Verdict, complaint_about, float32_complaints, look_again
from numpylm.proof.named_arrays import claimed_arrays
from numpylm.proof.numerical import METHODS
from numpylm.proof.problem import Problem

CHECKS = (*METHODS, "projection")
SMALL = 1e-6  # of |f|: so small a claim may agree with a difference by accident


def check_gradients(
    f, arguments, gradients, method="central", cotangents=None, max_entries=1000, rtol=0.0, atol=0.0, rng=None
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
    rtol, atol   an error up to rtol max(|claimed|, |numeric|) + atol is right as well
    rng          a numpy.random.Generator for samples and directions; None: always the same ones
    Raises TypeError or ValueError for arguments or gradients that cannot be read; NotComplexSafe (a TypeError) if
    method is "complex" and the complex step would be silently wrong. Wrong gradients are never raised, but reported.
    """
    require.one_of("method", method, CHECKS)
    rng = np.random.default_rng(0) if require.generator(rng) is None else rng
    if max_entries is not None:
        require.positive_integer("max_entries", max_entries)
    for name, value in (("rtol", rtol), ("atol", atol)):
        require.expect(name, value, require.is_finite_number(value) and value >= 0, "a finite number, 0 or above")
    problem = Problem(f, arguments, cotangents)
    claims, complaints = claimed_arrays(gradients, problem)
    if not problem.is_steady:
        return GradientReport([], complaints + problem.complaints, method)
    if method == "complex":
        problem.check_complex_step()
    check = Check(problem, claims, method, rtol, atol)
    rows = project(check, rng) if method == "projection" else [compare(check, q, max_entries, rng) for q in claims]
    complaints += [row.complaint for row in rows if row.complaint] + problem.complaints + float32_complaints(check)
    return GradientReport(rows, complaints, method, explain(rows, claims, problem.arrays), problem.precision)


def compare(check, name, max_entries, rng):
    """The Row of one array: chosen entries one by one, then the others together."""
    row = Row(name, check.claims[name])
    drawn = np.arange(row.claim.size)
    if max_entries is not None and drawn.size > max_entries:
        drawn = np.sort(rng.choice(drawn.size, max_entries, replace=False))
    for index in (np.unravel_index(k, row.shape) for k in drawn):
        row.note(index, examine(check, check.problem.entry(name, index)))
    rest = np.flatnonzero(~row.checked)
    if rest.size and not row.wrong.any():
        others, wrong = find_wrong(check, name, rest, rng)
        if wrong is not None:
            row.note(wrong, examine(check, check.problem.entry(name, wrong)))
        row.complaint = others.complaint if others.unsure else None  # a kink among them is no complaint
    row.complaint = complaint_about(check.problem, row) or row.complaint
    return row


@np.errstate(all="ignore")
def examine(check, direction):
    """The Verdict on the claims along a direction, name -> array: by one step of the method, or by a second look."""
    problem = check.problem
    claimed, terms = check.along(direction)
    projects = check.method == "projection"
    numeric = problem.exact(direction) if projects else problem.difference(direction, check.method)
    size = max(abs(claimed), abs(numeric), terms)
    is_small = size < SMALL * problem.size and (size > 0 or problem.is_complex_safe)
    if abs(claimed - numeric) <= RTOL[check.method] * size and not is_small:
        return Verdict(numeric)
    return look_again(check, direction, claimed, terms)


def project(check, rng):
    """The Rows of the dot-product test: each array along a direction of its own, then all together."""
    directions = [(name, {name: rng.standard_normal(claim.shape)}) for name, claim in check.claims.items()]
    if len(directions) > 1:
        directions.append(("all arrays", {name: rng.standard_normal(q.shape) for name, q in check.claims.items()}))
    return [row_along(check, name, direction) for name, direction in directions]


def row_along(check, name, direction):
    """The Row of a projection; its shape is that of the one array that the direction moves."""
    claimed, terms = check.along(direction)
    shape = np.shape(*direction.values()) if len(direction) == 1 else ()
    row = Row(name, np.array(claimed), shape, terms)
    row.note((), examine(check, direction))
    row.complaint = complaint_about(check.problem, row)
    return row


def find_wrong(check, name, rest, rng):
    """(the Row of the rest of an array along a random direction, the index of a wrong entry or None).

    If they are wrong together, test one half of them, and so on.
    """
    check = check._replace(method="projection", rtol=0.0, atol=0.0)
    v = rng.standard_normal(check.claims[name].shape)
    v /= np.sqrt((v**2).sum())

    def judged(entries):
        part = np.zeros_like(v)
        part.flat[entries] = v.flat[entries]
        return row_along(check, f"the entries of {name} that were not drawn", {name: part})

    together = judged(rest)
    if not together.num_wrong:
        return together, None
    while len(rest) > 1:
        half = rest[: len(rest) // 2]
        rest = half if judged(half).num_wrong else rest[len(half) :]
    return together, np.unravel_index(rest[0], v.shape)
