"""Checks one function of a student's file under our own name against our own: its verdict, and what is likely wrong.

A function is called by its parameters' names, on problems of several sizes. A backward that asks for a `cache` (or
`step`, or `trace`) gets what the student's own forward returned, if the file has one; else our own record.
"""

import numpy as np

from numpylm.tutor.assignments import ASSIGNMENTS
from numpylm.tutor.binding import bind, call_step, parameter_names
from numpylm.tutor.diagnose import diagnose_problem
from numpylm.tutor.fits import is_own_error
from numpylm.tutor.judge import Trial, ask, judge
from numpylm.tutor.problems import Sizes, Waves
from numpylm.tutor.stop import Stop

FIRST, SECOND = Sizes(T=4, N=3, D=5, H=6, V=7), Sizes(T=5, N=2, D=7, H=4, V=9)
SATURATED = 4.0  # how much larger weights and states are: the gates are near 0 or 1, as in a trained network
CACHES = ("cache", "step", "trace")
OF_SIZES = "with {} it is right; this is with {}: is one of the first sizes written into the code?".format(
    *(", ".join(f"{name} = {size}" for name, size in zip("TNDHV", sizes, strict=False)) for sizes in (FIRST, SECOND))
)
LARGE = "this input holds ±1000; without these it is right: is a clipped, or the result kept away from 0 or 1?"
HIDDEN = (
    f"with weights and states {SATURATED:g} times as large it is wrong, and with smaller ones right: is something "
    "in it clipped, or kept away from 0 or 1, such as np.clip(a, -10, 10)?"
)


def check_function(file, name):
    """The finding on one function: its status, sentences, table and diagnosis, and what it printed."""
    assignment, remarks = ASSIGNMENTS[name], None
    tries = (FIRST, SECOND, SECOND._replace(extreme=True), SECOND._replace(scale=SATURATED))
    for sizes in tries:
        try:
            said = check_problem(file, assignment, tries.index(sizes), sizes)
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
    said = finding["sentences"]
    asked = set(parameter_names(file.function(assignment.name))) - {*assignment.parameters}
    if finding["status"] == "crash" and "parameters" in asked and not is_own_error(str(said)):
        finding["status"] = "not checked"  # it may expect a dict of parameters, and not our record
    trial, values, rows = finding.pop("evidence", (None, None, None))
    is_last = sizes.scale == SATURATED
    if is_last:
        said.insert(0, HIDDEN)
    elif sizes is not FIRST and finding["status"] in ("wrong", "crash") and "not right yet" not in str(said):
        is_large = sizes.extreme and assignment.is_plain and finding.get("table")
        said += [OF_SIZES] if not sizes.extreme else [LARGE] if is_large else []
    reads = file.function(assignment.name)["reads"]
    wrong = [other for other in reads if file.status(other) in ("wrong", "crash", "timeout")]
    said += [f"it calls your {other}, which is not right yet: mend that one first" for other in wrong]
    if trial and not is_last:  # the diagnosis knows no limits
        trusted = [other for other in reads if file.status(other) == "ok"]
        hints = [] if trial.forward_is_wrong else diagnose_problem(assignment, trial.problem, values, rows, trusted)
        finding |= {"diagnosis": [hint.words for hint in hints], "lines": [hint.code for hint in hints]}
    return finding


def check_problem(file, assignment, number, sizes):
    """Calls the function on one random problem: remarks. Raises Stop unless what it returns is right."""
    rng = file.rng(assignment.name, number)
    asked = parameter_names(file.function(assignment.name), assignment.parameters)
    needs = [name for name in asked if name in CACHES]
    assignment = assignment.for_parameters(asked)
    if not needs or not file.function(assignment.forward):
        return judge(file, our_trial(file, assignment, rng, sizes, asked))
    trial = None
    if file.status(assignment.forward) in ("ok", "wrong"):
        try:
            trial = own_trial(file, assignment, rng, sizes, asked)
        except Stop as stop:
            if stop.finding["status"] == "wrong":
                raise
    if trial:
        return judge(file, trial)
    try:
        judge(file, our_trial(file, assignment, rng, sizes, asked))
    except Stop as stop:
        if stop.finding["status"] in ("not written", "timeout"):
            raise
    told = f"it is not checked until your {assignment.forward} runs: its `{needs[0]}` is what that returns"
    raise Stop("not checked", told)


def our_trial(file, assignment, rng, sizes, asked):
    """A trial in which a cache is our own record."""
    problem = assignment.problem(rng, sizes, set(asked))
    record = next((problem.symbols[key] for key in CACHES if key in problem.symbols), None)
    symbols = problem.symbols if record is None else problem.symbols | dict.fromkeys(CACHES, record)
    needs = [name for name in asked if name in CACHES]
    note = [
        f"its `{needs[0]}` was our own record: your file has no {assignment.forward} that returns a cache "
        "(as the last of a tuple) when it is called"
    ] if needs and assignment.forward else []  # fmt: skip
    return Trial(assignment, problem, [step_for(file, assignment, symbols)], inputs_of(symbols), note)


def own_trial(file, assignment, rng, sizes, asked):
    """A trial whose cache comes from the student's forward. Raises Stop where that fails or returns none."""
    known = ASSIGNMENTS[assignment.forward]
    before = parameter_names(file.function(known.name), known.parameters)
    problem = assignment.problem(rng, sizes, set(asked + before) - set(CACHES))
    first, inputs = step_for(file, known, problem.symbols, "made"), inputs_of(problem.symbols)
    (returned,), _ = ask(file, [first], inputs, [["made"]])
    path = cache_path(known, returned)
    if path is None and "cache" not in asked:
        return our_trial(file, assignment, rng, sizes, asked)
    if path is None:
        is_none = isinstance(returned, tuple) and len(returned) > 1 and returned[-1] is None
        what = "it returned None as its cache" if is_none else "that returns none"
        raise Stop("wrong", f"its `cache` is what your own {known.name} returns, and {what}: let it return one as the "
                   "last of a tuple, such as `return y, cache`")  # fmt: skip
    is_wrong = file.status(known.name) == "wrong"
    needs = next(name for name in asked if name in CACHES)
    after = f"came from your own {known.name}, which is not right yet: mend that one first"
    note = f"its `{needs}` {after if is_wrong else f'was what your own {known.name} returned'}"
    steps = [first, step_for(file, assignment, problem.symbols | {key: {"from": path} for key in CACHES})]
    return Trial(assignment, problem, steps, inputs, [note], is_wrong, file.precisions.get(known.name, 0.0))


def cache_path(assignment, returned):
    """Where a forward's cache is in what it returned: the last of a tuple, a dict's, a record; None for none."""
    if isinstance(returned, tuple):
        lengths, last = {len(order) for order in assignment.returns}, returned[-1] if returned else None
        is_value = len(returned) in lengths and isinstance(last, np.ndarray)
        is_cache = len(returned) - 1 in lengths and not is_value and last is not None
        return ["made", len(returned) - 1] if is_cache else None
    key = next((key for key in ("cache", "trace") if isinstance(returned, dict) and key in returned), None)
    return None if isinstance(returned, np.ndarray | float | int) else ["made", *([key] if key else [])]


def step_for(file, assignment, symbols, to="returned"):
    """The child's step that calls the student's function with these symbols. Raises Stop where it cannot be called."""
    function = file.function(assignment.name)
    values = {own: spec(name, symbols[name]) for own, name in bind(assignment, function, symbols).items()}
    return call_step(assignment.name, function, values, to)


def spec(name, value):
    """How a step names one symbol: an earlier result, a function of waves, or an input."""
    if isinstance(value, dict) and "from" in value:
        return value
    return {"waves": "x"} if isinstance(value, Waves) else {"slot": name}


def inputs_of(symbols):
    """What the child gets: everything but functions and earlier results."""
    return {name: value for name, value in symbols.items() if spec(name, value) == {"slot": name}}
