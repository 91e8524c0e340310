"""Judges a forward and a backward of another convention, whatever their layout.

The forward runs in every layout that its names allow, until it gives what ours gives. Then our own gradients, moved
into that layout, are the truth, and the diagnosis knows every line. Where no layout fits, the student's own forward is
differentiated numerically: the backward must be its derivative.
"""

import contextlib
import re

import numpy as np

from numpylm.tutor.foreign.claims import ONLY_ZERO, gradient_name, not_compared
from numpylm.tutor.foreign.fewer import of_one_step, other_gradients
from numpylm.tutor.foreign.fits import best_fit
from numpylm.tutor.foreign.truths import claimed, means_over_batch, truth, understood
from numpylm.tutor.foreign.words import explained, renamed, rounded
from numpylm.tutor.judge import changed_names, check_linear
from numpylm.tutor.process.stop import Stop, is_own_error
from numpylm.tutor.results import EXACT, FLOAT32, compare, without_keepdims

KEPT = "right where the state that the object keeps is zero before the first step; from another state it is wrong"
EQUAL = "the check could run it only where D, H and V are equal: with other sizes, shapes did not fit"
ONE = "the check could run it only with one input and one output: with more, it failed"
NO_STATE = "the state that the object keeps has no effect on what the forward returns"
NO_OUTPUT = "it makes {}, but the check does not know which of its parameters is the gradient of the output"


def judge_unit(file, unit):
    """Name -> finding, of the backward, and of the forward where that can be judged."""
    findings = findings_of(file, unit)
    first, others = findings[unit.name], iter(()) if unit.again is None else unit.again()
    while (is_open(first) or unit.kept) and file.child.process and (other := next_of(others)):
        file.child.left = file.child.seconds
        again = findings_of(file, other._replace(name=unit.name))
        second = again[unit.name]
        if first["status"] == "wrong" and second["status"] == "ok" and ONLY_ZERO not in str(second["sentences"]):
            second["sentences"].append(KEPT)  # it is right from a zero state
            return again
        if not is_open(first):
            break
        if other.is_equal and second["status"] != "wrong":
            break
        if other.is_equal or other.sizes["V"] == 1:
            second["sentences"][:0] = [EQUAL if other.is_equal else ONE, *first["sentences"]]
        if not is_open(second):
            return again
        findings = max(findings, again, key=lambda found: [f["status"] for f in found.values()].count("ok"))
    return findings


def next_of(units):
    """The next of some Units; None after the last, or where there is no time left to make it."""
    with contextlib.suppress(Stop):
        return next(units, None)


def is_open(finding):
    """Whether a finding is no verdict."""
    return finding["status"] not in ("ok", "wrong", "crash")


def findings_of(file, unit):
    """The findings of one Unit."""
    try:
        fit, finding = judged(file, unit)
    except Stop as stop:
        return {unit.name: {"convention": unit.convention} | stop.finding}
    is_ours = fit.precision is not None or (not unit.free and fit.form != "loss" and fit.cell != "gru")
    has_own = unit.forward_name != unit.name and is_ours
    found = {unit.forward_name: forward_finding(unit, fit)} if has_own or unit.backward is None else {}
    found |= {unit.name: finding} if unit.backward is not None else {}
    return {name: {"convention": unit.convention} | f for name, f in found.items()}


def judged(file, unit):
    """(Fit, finding on the backward). Raises Stop.

    What fails, or has wrong shapes, with a batch is tried with one sequence, unless its names are those of a course.
    """
    first = failed = None
    for batches in ((2, 0, -1), (1,), (0,), (-1,)):
        if not file.child.process:  # it has hung, or ended
            break
        left = set()
        try:
            fit = best_fit(file, unit, batches, left)
        except Stop as stop:
            failed = failed or stop
            continue
        if unit.backward is None:
            return fit, None
        fit, finding = in_other_shapes(file, unit, batches, left, (fit, finding_or_stop(file, unit, fit)))
        is_better = first and is_open(first[1]) and finding["status"] == "wrong" and fit.precision is not None
        first = (fit, finding) if first is None or is_better else first
        if finding["status"] == "ok" and batches == (1,) and fit.form != "loss":
            finding["sentences"].append("right for one sequence at a time: with a batch of several it is not")
        if unit.free or fit.form == "loss" or is_settled(unit, finding):
            return fit, finding
    if first is None:
        raise failed
    return first


def is_settled(unit, finding):
    """Whether another number of sequences would not change a finding, as it may where shapes are wrong."""
    is_fitting = unit.is_usual or "is of shape" not in str(finding["sentences"])
    return finding["status"] == "ok" or (finding["status"] == "wrong" and is_fitting)


def in_other_shapes(file, unit, batches, left, first):
    """(Fit, finding) in other shapes, where with the first ones the backward fails, or gradients are zero."""
    is_poor = is_open(first[1]) or ONLY_ZERO in str(first[1]["sentences"])
    for _ in range(3 * (is_poor and not unit.is_usual)):
        try:
            fit = best_fit(file, unit, batches, left)
        except Stop:
            break
        finding = finding_or_stop(file, unit, fit)
        is_sure = fit.precision is not None or (fit.form == "loss" and len({*fit.way[3]}) == 1)  # targets as the inputs
        is_known = finding["status"] == "ok" or (finding["status"] == "wrong" and (is_sure or unit.free))
        is_alike = unit.free or fit.layout.single == first[0].layout.single
        if is_known and is_alike and ONLY_ZERO not in str(finding["sentences"]):
            return fit, finding
    return first


def finding_or_stop(file, unit, fit):
    """The finding on a backward; one that cannot be judged, or fails, is such a finding too."""
    try:
        return backward_finding(file, unit, fit)
    except Stop as stop:
        finding = stop.finding
    for other in other_gradients(unit, fit) if finding["status"] == "crash" else ():
        with contextlib.suppress(Stop):
            return backward_finding(file, unit, other)
    if "could not be run" in (said := str(finding["sentences"])):  # it needs what an import did not give
        return finding | {"status": "not checked"}
    is_told = unit.is_usual or unit.is_of_book or is_own_error(said) or is_given_all(unit, fit)
    if finding["status"] == "crash" and not is_told:
        words = f"it fails with every input that the check tries: {finding['sentences'][0]}"
        return finding | {"status": "not checked", "sentences": [words, *finding["sentences"][1:]]}
    return finding


def is_given_all(unit, fit):
    """Whether the forward of a loss gives our values, and its backward gets what that got or returned, no guess."""
    given = [value for step in unit.backward for value in (*step.get("args", ()), *step.get("kwargs", {}).values())]
    slots = {slot for slot in re.findall("'slot': '([^']+)'", str(given)) if not unit.is_given(slot, unit.forward)}
    are_known = not slots and all(isinstance(value, dict | tuple) for value in given)
    return fit.form == "loss" and fit.precision is not None and are_known


def forward_finding(unit, fit):
    """The finding on a forward."""
    if fit.precision is None:
        words = "in every layout that the check knows, its values differ from those of the equations"
        rest = "; its backward is compared with this very forward" if unit.backward is not None else ""
        return {"status": "not checked", "sentences": [words + rest]}
    return {"status": "ok", "sentences": [FLOAT32.format(fit.precision)] if fit.precision > EXACT else []}


def backward_finding(file, unit, fit):
    """The finding on a backward. Raises Stop where it cannot be judged."""
    fit, given, remarks, reply = understood(file, unit, fit)
    truths, rtol, said = truth(file, unit, fit, given)
    outputs = [slot for slot in given if unit.roles[slot] in ("W_y", "b_y") and fit.form != "loss"]
    if any(given[slot].any() and not np.any(truths[slot]) for slot in outputs):
        raise Stop("not checked", NO_OUTPUT.format(", ".join(gradient_name(unit, slot) for slot in outputs)))
    states = {slot: fit.inputs[slot] for slot in unit.kept}
    if states and fit.precision is None and not any(map(np.any, truth(file, unit, fit, states)[0].values())):
        raise Stop("not checked", NO_STATE)
    truths, meant = means_over_batch(unit, fit, given, truths)
    told = [*remarks, *said, *meant, *written_into(reply, unit)]
    finding = verdict(unit, fit, given, truths, rtol, told, lambda: one_step(file, unit, fit))
    if finding["status"] == "wrong":
        recurrent = [slot for slot in given if str(unit.roles[slot]).startswith("W_h") and fit.precision is None]
        zero = [gradient_name(unit, slot) for slot in recurrent if not (given[slot].any() or np.any(truths[slot]))]
        finding["sentences"] += [f"{', '.join(zero)}{ONLY_ZERO}"] if zero else []  # perhaps a single step
        return finding | {"printed": str(reply.get("printed", ""))}
    if unit.incoming and fit.form != "loss":
        check_linear(lambda q: claimed(file, unit, fit._replace(inputs=q))[0], fit.inputs, unit.incoming, given)
    finding["sentences"] += not_compared(unit, fit, given, truths, reply["outputs"][0])
    if fit.precision is None and not unit.free:
        words = f"the values of {unit.forward_name} differ from ours; this is the derivative of its own values"
        finding["sentences"].append(words)
    return finding


def one_step(file, unit, fit):
    """(Fit, claims) of a single step, to which nothing is carried, for a forward that gives our values; (None, {})
    where that cannot be made."""
    alone = of_one_step(unit, fit)
    try:
        return (alone, claimed(file, unit, alone)[0]) if alone else (None, {})
    except Stop:
        return None, {}


def compared(unit, claims, truths):
    """(claimed gradients and right ones by their names, remarks on axes of length 1)."""
    named, right = ({gradient_name(unit, slot): arrays[slot] for slot in claims} for arrays in (claims, truths))
    named, shapes = without_keepdims(named, right)
    return named, right, shapes


def verdict(unit, fit, claims, truths, rtol, remarks, one_step):
    """The finding on claimed gradients, given the right ones and how precise these are."""
    named, right, shapes = compared(unit, claims, truths)
    rows, sentences = compare(named, right, rtol)
    if rows and not any(map(np.any, right.values())):
        raise Stop("not checked", "nothing that the check varies has an effect on what the forward returns")
    if not rows and not sentences:
        remarks = remarks or (rounded(named, right) if fit.precision is not None else [])
        return {"status": "ok", "sentences": remarks + shapes}
    hints = explained(unit, fit, claims, rows, named, right, one_step)
    diagnosis = [renamed(unit, hint.words) for hint in hints] + remarks + shapes
    told = {"table": [row._asdict() for row in rows], "diagnosis": diagnosis, "lines": [hint.code for hint in hints]}
    parts = {str(role).partition(":")[0] for role in unit.roles.values()}
    is_known = fit.precision is not None or unit.free or "W" in parts or {"W_x", "W_h"} <= parts  # the shapes of inputs
    is_wrong = is_known or "is of shape" not in str(sentences)
    return {"status": "wrong" if is_wrong else "not checked", "sentences": sentences} | told


def written_into(reply, unit):
    """A remark on an incoming gradient that the backward changed: it was a copy, and nothing was spoilt here."""
    taken = [name for name in changed_names(unit.program[-1], reply.get("changed", [])) if name in unit.incoming]
    if not taken:
        return []
    return [
        f"your backward wrote into the gradient it was given ({taken[0]}): the next use of that array reads a "
        "wrong value. Write `a = a + b` in place of `a += b`"
    ]
