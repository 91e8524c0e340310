"""Checks one function of a student's file under our own name against our own: its verdict, and what is likely wrong.

A function is called by its parameters' names, on problems of several sizes. A backward that asks for a `cache` (or
`step`, or `trace`) gets what the student's own forward returned, if the file has one; else our own record.
"""

import numpy as np

from numpylm.tutor.assignments import ASSIGNMENTS
from numpylm.tutor.binding import call_step, inputs_of, parameter_names
from numpylm.tutor.diagnose import diagnose_problem
from numpylm.tutor.fits import is_own_error
from numpylm.tutor.judge import Trial, ask, judge
from numpylm.tutor.problems import Sizes
from numpylm.tutor.stop import Stop

FIRST, SECOND = Sizes(T=4, N=3, D=5, H=6, V=7), Sizes(T=5, N=2, D=7, H=4, V=9)
SATURATED = 4.0  # how much larger weights and states are: the gates are near 0 or 1, as in a trained network
PROBLEMS = (FIRST, SECOND, SECOND._replace(extreme=True), SECOND._replace(scale=SATURATED))
CACHES = ("cache", "step", "trace")
OF_SIZES = "with {} it is right; this is with {}: is one of the first sizes written into the code?".format(
    *(", ".join(f"{name} = {size}" for name, size in zip("TNDHV", sizes, strict=False)) for sizes in (FIRST, SECOND))
)
LARGE = "this input holds ±1000; without these it is right: is a clipped, or the result kept away from 0 or 1?"
HIDDEN = (
    f"with weights and states {SATURATED:g} times as large it is wrong, and with smaller ones right: is something "
    "in it clipped, or kept away from 0 or 1, such as np.clip(a, -10, 10)?"
)
OURS = (
    "its `{}` was our own record: your file has no {} that returns a cache (as the last of a tuple) when it is called"
)
NO_CACHE = (
    "its `cache` is what your own {} returns, and {}: let it return one as the last of a tuple, such as "
    "`return y, cache`"
)


def check_function(file, name):
    """The finding on one function: its status, sentences, table and diagnosis, and what it printed."""
    assignment, remarks = ASSIGNMENTS[name], None
    for number, sizes in enumerate(PROBLEMS):
        try:
            said = check_problem(file, assignment, number, sizes)
        except Stop as stop:
            said = overflow(file, assignment, stop.finding) if sizes.extreme else None
            if said is None:
                return explained(file, assignment, stop.finding, sizes)
        remarks = said if remarks is None or sizes.extreme else remarks
    return {"status": "ok", "sentences": remarks}


def overflow(file, assignment, finding):
    """The remark on an activation that is wrong for ±1000 alone, where no exercise asks for it; None for another."""
    said = [sentence for sentence in finding["sentences"] if sentence.startswith("this input holds")]
    is_asked = assignment.name in file.contents["exercise"]
    is_excused = said and assignment.is_plain and not finding.get("table") and not is_asked
    return [f"right, but it overflows: {said[0]}"] if is_excused else None


def explained(file, assignment, finding, sizes):
    """The finding on a function that is wrong in a problem of these sizes, and right in those before it."""
    said, function = finding["sentences"], file.function(assignment.name)
    if finding["status"] == "crash" and "parameters" in parameter_names(function) and not is_own_error(str(said)):
        is_documented = "parameters" in assignment.parameters
        finding["status"] = "crash" if is_documented else "not checked"  # it may expect a dict, and not our record
    trial, values, rows = finding.pop("evidence", (None, None, None))
    is_last = sizes.scale == SATURATED
    if is_last:
        said.insert(0, HIDDEN)
    elif sizes is not FIRST and finding["status"] in ("wrong", "crash") and "not right yet" not in str(said):
        is_large = sizes.extreme and assignment.is_plain and finding.get("table")
        said += [OF_SIZES] if not sizes.extreme else [LARGE] if is_large else []
    wrong = [other for other in function["reads"] if file.status(other) in ("wrong", "crash", "timeout")]
    said += [f"it calls your {other}, which is not right yet: mend that one first" for other in wrong]
    if trial and not is_last:  # the diagnosis knows no limits
        trusted = [other for other in function["reads"] if file.status(other) == "ok"]
        hints = [] if trial.forward_is_wrong else diagnose_problem(assignment, trial.problem, values, rows, trusted)
        finding |= {"diagnosis": [hint.words for hint in hints], "lines": [hint.code for hint in hints]}
    return finding


def check_problem(file, assignment, number, sizes):
    """Calls the function on one random problem: remarks. Raises Stop unless what it returns is right."""
    asked = parameter_names(file.function(assignment.name), assignment.parameters)
    assignment = assignment.for_parameters(asked)
    needs = next((name for name in asked if name in CACHES), None)
    has_forward = needs and file.function(assignment.forward)
    if has_forward and file.status(assignment.forward) in ("ok", "wrong"):
        trial = own_trial(file, assignment, number, sizes, asked, needs)
        if trial:
            return judge(file, trial)
    try:
        remarks = judge(file, our_trial(file, assignment, number, sizes, asked, needs))
    except Stop as stop:
        if not has_forward or stop.finding["status"] in ("not written", "timeout"):
            raise
    if not has_forward:
        return remarks
    words = f"it is not checked until your {assignment.forward} runs: its `{needs}` is what that returns"
    raise Stop("not checked", words)


def our_trial(file, assignment, number, sizes, asked, needs):
    """A trial in which a cache is our own record."""
    problem = assignment.problem(file.rng(assignment.name, number), sizes, set(asked))
    record = next((problem.symbols[key] for key in CACHES if key in problem.symbols), None)
    symbols = problem.symbols if record is None else problem.symbols | dict.fromkeys(CACHES, record)
    note = (OURS.format(needs, assignment.forward),) if needs and assignment.forward else ()
    return Trial(assignment, problem, symbols, note=note)


def own_trial(file, assignment, number, sizes, asked, needs):
    """A trial whose cache comes from the student's forward; None where that fails. Raises Stop if it returns none."""
    known = ASSIGNMENTS[assignment.forward]
    forward = file.function(known.name)
    names = {*asked, *parameter_names(forward, known.parameters)} - {*CACHES}
    problem = assignment.problem(file.rng(assignment.name, number), sizes, names)
    try:
        first = call_step(known, forward, problem.symbols, "made")
        (returned,), _ = ask(file, [first], inputs_of(problem.symbols), [["made"]])
    except Stop:
        return None
    path = cache_path(known, returned)
    if path is None and "cache" not in asked:
        return our_trial(file, assignment, number, sizes, asked, needs)
    if path is None:
        is_none = isinstance(returned, tuple) and len(returned) > 1 and returned[-1] is None
        what = "it returned None as its cache" if is_none else "that returns none"
        raise Stop("wrong", NO_CACHE.format(known.name, what))
    is_wrong = file.status(known.name) == "wrong"
    note = f"its `{needs}` came from your own {known.name}, which is not right yet: mend that one first"
    note = note if is_wrong else f"its `{needs}` was what your own {known.name} returned"
    symbols = problem.symbols | {key: {"from": path} for key in CACHES}
    return Trial(assignment, problem, symbols, (first,), (note,), is_wrong, file.precisions.get(known.name, 0.0))


def cache_path(assignment, returned):
    """Where a forward's cache is in what it returned: the last of a tuple, a dict's, a record; None for none."""
    if isinstance(returned, tuple):
        lengths, last = {len(order) for order in assignment.returns}, returned[-1] if returned else None
        is_value = len(returned) in lengths and isinstance(last, np.ndarray)
        is_cache = len(returned) - 1 in lengths and not is_value and last is not None
        return ["made", len(returned) - 1] if is_cache else None
    key = next((key for key in ("cache", "trace") if isinstance(returned, dict) and key in returned), None)
    return None if isinstance(returned, np.ndarray | float | int) else ["made", *([key] if key else [])]
