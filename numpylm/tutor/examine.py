"""Checks one function of a student's file under our own name against our own: its verdict, and what is likely wrong.

A function is called by its parameters' names, on problems of several sizes. A backward that asks for a `cache` (or
`step`, or `trace`) gets what the student's own forward returned, if the file has one; else our own record.
"""

import difflib

import numpy as np

from numpylm.tutor.assignments import ASSIGNMENTS
from numpylm.tutor.diagnosis.diagnose import diagnose_problem
from numpylm.tutor.judge import Trial, ask, judge, shaped
from numpylm.tutor.problems import Sizes, Waves, problem_of
from numpylm.tutor.process.stop import Stop, is_own_error
from numpylm.tutor.results import FAINT

FIRST, SECOND = Sizes(T=4, N=3, D=5, H=6, V=7), Sizes(T=5, N=2, D=7, H=4, V=9)
SATURATED = 4.0  # how much larger weights and states are: the gates are near 0 or 1, as in a trained network
PROBLEMS = (FIRST, SECOND, SECOND._replace(extreme=True), FIRST._replace(scale=SATURATED))
BY_PLACE = ("POSITIONAL_ONLY", "VAR_POSITIONAL")
CACHES = ("cache", "step", "trace")
OF_SIZES = "with {} it is right; this is with {}: is one of the first sizes written into the code?".format(
    *(", ".join(f"{name} = {size}" for name, size in zip("TNDHV", sizes, strict=False)) for sizes in (FIRST, SECOND))
)
LARGE = (
    "this input has entries of ±1000; without them the result is right: is a clipped, or the result kept from 0 and 1?"
)
TINY = 2e-5  # a relative error that a small ε makes
NEARLY = "right to about {:.0e}: is a small ε added, as in e / (Σ e + 1e-8), or is a buffer float32?"
OVERFLOW = (
    "this input holds ±1000: e^1000 is too large for a float64 number, and e^-1000 is rounded to 0, whose logarithm is "
    "-∞. For a softmax take e^(a - max a), and for its logarithm a - max a - log Σ e^(a - max a)"
)
OTHER_F = (
    "it was given nonlinearity='relu' here; with 'tanh' it is right. With 'relu' equation (1) is "
    "h_t = max(x_t W_xh + h_{t-1} W_hh + b_h, 0)"
)
HIDDEN = (
    f"it is right with small weights and states, and wrong with {SATURATED:g} times larger ones: does it clip "
    "something, as np.clip(a, -10, 10) does?"
)
OURS = "it got our own record as its `{}`, because your file has no {} that returns a cache as the last of a tuple"
NO_CACHE = (
    "it needs the `cache` of your own {}, which returns none: return it as the last of a tuple, such as "
    "`return y, cache`"
)


def check_function(file, name):
    """The finding on one function: its status, sentences, table and diagnosis, and what it printed.

    Where no exercise asks for it, an activation that overflows for ±1000 alone is right, and so is one to whose
    denominator a tiny ε is added.
    """
    assignment, remarks, adds_epsilon = ASSIGNMENTS[name], None, False
    for number, sizes in enumerate(PROBLEMS):
        try:
            said = check_problem(file, assignment, number, sizes)
        except Stop as stop:
            finding = explained(file, assignment, stop.finding, sizes)
            is_large = OVERFLOW in finding["sentences"] and not finding["table"]
            error = max((row["relative_error"] for row in finding.get("table") or ()), default=1)
            is_tiny = error < TINY and not {*finding["sentences"]} - {FAINT, OF_SIZES, LARGE, HIDDEN}
            is_tiny = is_tiny and (number == 0 or adds_epsilon)  # unlike a limit, a term shows at once
            adds_epsilon |= is_tiny
            said = [f"right, but it overflows: {OVERFLOW}"] if is_large else [NEARLY.format(error)] * is_tiny
            if not (said and assignment.is_plain) or name in file.contents["exercise"]:
                return finding
        remarks = said if remarks is None or sizes.extreme else remarks
    return {"status": "ok", "sentences": remarks}


def explained(file, assignment, finding, sizes):
    """The finding on a function that is wrong in a problem of these sizes, and right in those before it."""
    said, function = finding["sentences"], file.function(assignment.name)
    needs, reads = needed(parameter_names(function, assignment.parameters)), function["reads"]
    if finding["status"] == "crash":
        said += [OURS.format(needs, assignment.forward)] if needs and not file.function(assignment.forward) else []
        may_be_dict = "parameters" in {*parameter_names(function)} - {*assignment.parameters}  # and not our record
        finding["status"] = "not checked" if may_be_dict and not is_own_error(str(said)) else "crash"
    trial, values, rows = finding.pop("evidence", (None, {}, []))
    was_given_ours = trial and len(trial.steps) == 1
    used = [*reads, assignment.forward] if needs and not was_given_ours else reads
    used = [] if finding["status"] == "not checked" else used
    wrong = [other for other in used if file.status(other) in ("wrong", "crash", "timeout")]
    is_last = sizes.scale == SATURATED
    if is_last:
        said.insert(0, HIDDEN)
    elif sizes.extreme and trial:
        said += of_extremes(assignment, trial.inputs, values)
    elif sizes is SECOND and finding["status"] in ("wrong", "crash") and not wrong:
        said.append(OF_SIZES)
    said += [f"it uses your {other}, which is not right yet: mend {other} first" for other in wrong]
    if trial and not is_last:  # the diagnosis knows no limits
        trusted = [other for other in reads if file.status(other) == "ok"]
        has_cause = len(trial.steps) > 1 and assignment.forward in wrong
        hints = [] if has_cause else diagnose_problem(assignment, trial.problem, values, rows, trusted)
        finding |= {"diagnosis": [hint.words for hint in hints], "lines": [hint.code for hint in hints]}
    return finding


def of_extremes(assignment, inputs, values):
    """A list with a sentence on the inputs for which alone a function is wrong: those of ±1000, or with ReLU."""
    if inputs.get("nonlinearity") == "relu" and "relu" not in assignment.name:
        return [OTHER_F]
    if assignment.is_backward or not inputs.keys() & {"a", "logits"}:
        return []
    if not all(np.isfinite(q).all() for q in values.values()):
        return [OVERFLOW]
    return [LARGE] if assignment.is_plain else []


def needed(names):
    """The name by which a function asks for a cache; None for one that does not."""
    return next((name for name in names if name in CACHES), None)


def check_problem(file, assignment, number, sizes):
    """Calls the function on one random problem: remarks. Raises Stop unless what it returns is right."""
    asked = parameter_names(file.function(assignment.name), assignment.parameters)
    orders = [order for order in assignment.returns if order[0] != "da_t" or "cache" not in asked]
    assignment = assignment._replace(returns=tuple(orders))
    needs = needed(asked)
    forward = ASSIGNMENTS[assignment.forward] if needs and file.function(assignment.forward) else None
    has_run = forward and file.status(forward.name) in ("ok", "wrong")
    trial = trial_of(file, assignment, number, sizes, asked, needs, forward) if has_run else None
    is_waiting = forward and trial is None
    try:
        remarks = judge(file, trial or trial_of(file, assignment, number, sizes, asked, needs, None))
    except Stop as stop:
        if not is_waiting or stop.finding["status"] in ("not written", "timeout"):
            raise
    if is_waiting:
        words = f"the check needs your {forward.name} first: that returns its `{needs}`"
        raise Stop("not checked", words)
    return remarks


def trial_of(file, assignment, number, sizes, asked, needs, forward):
    """A trial whose cache comes from the student's forward, or is our own record; None where the forward fails.

    Raises Stop where the function cannot be called, or its forward returns no cache.
    """
    names = {*asked}
    if forward:
        names = {*asked, *parameter_names(file.function(forward.name), forward.parameters)} - {*CACHES}
    problem = problem_of(assignment.name, file.rng(assignment.name, number), sizes, names)
    symbols, steps, path = problem.symbols, [], None
    if forward:
        try:
            steps = [call_step(forward, file.function(forward.name), symbols, "made")]
            (returned,), _ = ask(file, steps, inputs_of(symbols), [["made"]])
        except Stop:
            return None
        path = cache_path(forward, returned)
        if path is None and "cache" in asked:
            raise Stop("wrong", NO_CACHE.format(forward.name))
    record = {"from": path} if path else next((symbols[key] for key in CACHES if key in symbols), None)
    symbols = symbols if record is None else symbols | dict.fromkeys(CACHES, record)
    steps = [*(steps if path else ()), call_step(assignment, file.function(assignment.name), symbols)]
    return Trial(assignment, problem, steps, inputs_of(symbols))


def cache_path(assignment, returned):
    """Where a forward's cache is in what it returned: the last of a tuple, a dict's, a record; None for none."""
    if isinstance(returned, tuple):
        lengths, last = {len(order) for order in assignment.returns}, returned[-1] if returned else None
        is_value = len(returned) in lengths and isinstance(last, np.ndarray)
        is_cache = len(returned) - 1 in lengths and not is_value and last is not None
        return ["made", len(returned) - 1] if is_cache else None
    key = next((key for key in ("cache", "trace") if isinstance(returned, dict) and key in returned), None)
    return None if isinstance(returned, np.ndarray | float | int) else ["made", *([key] if key else [])]


def parameter_names(function, documented=()):
    """The parameters' names, as far as a function can be asked for them; the documented ones of f(*args)."""
    known = function["parameters"] or []
    names = [name for name, kind, _ in known if kind not in ("VAR_POSITIONAL", "VAR_KEYWORD")]
    return names or (list(documented) if any(kind == "VAR_POSITIONAL" for _, kind, _ in known) else [])


def call_step(assignment, function, symbols, to="returned"):
    """The child's step that calls a function with symbols by its parameters' names, or by place where it must be.

    Raises Stop for parameters that are no symbols.
    """
    values = {own: as_sent(name, symbols[name]) for own, name in bound(assignment, function, symbols).items()}
    kinds = {name: kind for name, kind, _ in function["parameters"] or []}
    otherwise = "VAR_POSITIONAL" if "VAR_POSITIONAL" in kinds.values() else ""
    placed = [values.pop(name) for name in list(values) if kinds.get(name, otherwise) in BY_PLACE]
    return {"call": [assignment.name], "args": placed, "kwargs": values, "to": to}


def bound(assignment, function, symbols):
    """Parameter's name -> the symbol that it is given. Raises Stop."""
    names = parameter_names(function, assignment.parameters)
    optional = {name for name, _, has_default in function["parameters"] if has_default}
    required = [name for name in names if name not in optional]
    if len(symbols) == len(required) == 1:  # a function of one argument may call it anything
        return {required[0]: next(iter(symbols))}
    unknown = [name for name in required if name not in symbols]
    if unknown:
        quoted = ", ".join(f"`{name}`" for name in unknown)
        meant = ", ".join(suggestions(assignment.parameters, names, unknown))
        known = ", ".join(shaped(name, symbols[name]) for name in assignment.parameters if name in symbols)
        words = f"no symbol of this problem is called {quoted}{f': did you mean {meant}?' if meant else '.'}"
        words += f" The check calls a function by its parameters' names: {known}"
        raise Stop("not checked", words, unknown=unknown)
    return {name: name for name in names if name in symbols}


def as_sent(name, value):
    """How a step names one symbol: an earlier result, the function that is differentiated, or an input."""
    if isinstance(value, dict) and "from" in value:
        return value
    return {"waves": "x"} if isinstance(value, Waves) else {"slot": name}


def inputs_of(symbols):
    """What the child gets: everything but functions and earlier results."""
    return {name: value for name, value in symbols.items() if "slot" in as_sent(name, value)}


def suggestions(documented, names, unknown):
    """For each unknown name the documented one that was likely meant; nothing where one of them is like none."""
    meant = []
    for name in unknown:
        free = [known for known in documented if known not in (*names, *meant)]
        alike = difflib.get_close_matches(name, free, 1, 0.6)
        alike += [documented[names.index(name)]] if len(names) == len(documented) else []
        if not alike or alike[0] in meant:
            return []
        meant.append(alike[0])
    return meant
