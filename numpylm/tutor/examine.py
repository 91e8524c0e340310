"""Checks one function of a student's file against our own: its verdict, why, and what is likely wrong.

A function is called by its parameters' names, on problems of two sets of sizes and on larger inputs. A backward that
asks for a `cache` (or `step`, or `trace`) gets what the student's own forward returned, if the file has one; else our
own record. A backward is linear in the gradients that come in: where something is clipped inside it, it is not.
"""

from numpylm.tutor.assignments import ASSIGNMENTS
from numpylm.tutor.binding import bind, call_step, parameter_names
from numpylm.tutor.diagnose import diagnose_problem
from numpylm.tutor.judge import Case, ask, cache_path, judge
from numpylm.tutor.problems import Sizes, Waves
from numpylm.tutor.stop import Stop

SIZES = (Sizes(T=4, N=3, D=5, H=6, V=7), Sizes(T=5, N=2, D=7, H=4, V=9, extreme=True))
CALM = SIZES[1]._replace(extreme=False)
SATURATED = 4.0  # how much larger weights and states are: the gates are near 0 or 1, as in a trained network
CACHES = ("cache", "step", "trace")
OF_SIZES = "with {} it is right; this is with {}: is one of the first sizes written into the code?"
LARGE = "this input holds ±1000; without these it is right: is a clipped, or the result kept away from 0 or 1?"
LINEAR = (
    "with {0} {1:g} times as large, what it returns is not {1:g} times as large: your backward is not linear in {0}. "
    "Is something clipped inside it, or are small gradients dropped? Clip in the training loop"
)
HIDDEN = (
    f"with weights and states {SATURATED:g} times as large it is wrong, and with smaller ones right: is something "
    "in it clipped, or kept away from 0 or 1, such as np.clip(a, -10, 10)?"
)


def check_function(file, name):
    """The finding on one function: its status, sentences, table and diagnosis, and what it printed."""
    assignment = ASSIGNMENTS[name]
    try:
        remarks = check_sizes(file, assignment)
        check_larger(file, assignment)
    except Stop as stop:
        finding = stop.finding
    else:
        return {"status": "ok", "sentences": remarks}
    finding["sentences"] += called_wrong(file, name)
    case, values, rows = finding.pop("evidence", (None, None, None))
    if case:
        trusted = [other for other in file.function(name)["reads"] if file.states.get(other) == "ok"]
        hints = [] if case.forward_is_wrong else diagnose_problem(assignment, case.problem, values, rows, trusted)
        finding |= {"diagnosis": [hint.words for hint in hints], "lines": [hint.code for hint in hints]}
    return finding


def called_wrong(file, name):
    """A sentence for each function of the file that this one calls and that is wrong."""
    wrong = [n for n in file.function(name)["reads"] if file.states.get(n, "ok") in ("wrong", "crash", "timeout")]
    return [f"it calls your {n}, which is not right yet: mend that one first" for n in wrong]


def check_sizes(file, assignment):
    """Checks a function on problems of two sets of sizes: remarks on what is right. Raises Stop with what is wrong."""
    remarks = check_problem(file, assignment, 0, SIZES[0])
    try:
        check_problem(file, assignment, 1, SIZES[1])
    except Stop as stop:
        said = stop.finding["sentences"]
        if stop.finding["status"] not in ("wrong", "crash") or any("not right yet" in sentence for sentence in said):
            raise
        try:
            check_problem(file, assignment, 1, CALM)
        except Stop:
            right, wrong = (", ".join(f"{name} = {size}" for name, size in zip("TNDHV", sizes, strict=False))
                            for sizes in SIZES)  # fmt: skip
            said.append(OF_SIZES.format(right, wrong))
        else:
            is_asked = assignment.name in file.contents["exercise"]
            overflow = [sentence for sentence in said if sentence.startswith("this input holds")]
            if overflow and assignment.is_plain and not stop.finding.get("table") and not is_asked:
                return [f"right, but it overflows: {overflow[0]}"]
            said += [LARGE] if assignment.is_plain and stop.finding.get("table") else []
        raise
    return remarks


def check_larger(file, assignment):
    """Checks a function that is right for ordinary inputs on larger ones. Raises Stop with what is wrong."""
    asked = parameter_names(file.function(assignment.name), assignment.parameters)
    incoming = " and ".join(name for name in asked if name.startswith("d"))
    tries = [(2, CALM._replace(factor=factor), LINEAR.format(incoming, factor)) for factor in (1e3, 1e-3)]
    tries = tries if assignment.is_backward and incoming else []
    for number, sizes, words in [*tries, (3, CALM._replace(scale=SATURATED), HIDDEN)]:
        try:
            check_problem(file, assignment, number, sizes)
        except Stop as stop:
            stop.finding.pop("evidence", None)  # the diagnosis knows no limits
            stop.finding["sentences"].insert(0, words)
            raise


def check_problem(file, assignment, number, sizes):
    """Calls the function twice on one random problem. Raises Stop unless what it returns is right."""
    rng = file.rng(assignment.name, number)
    asked = parameter_names(file.function(assignment.name), assignment.parameters)
    needs = [name for name in asked if name in CACHES]
    forward = file.function(assignment.forward) if needs else None
    assignment = assignment.for_parameters(asked)
    if not forward:
        return judge(file, our_case(file, assignment, rng, sizes, asked))
    state = file.states.get(assignment.forward)
    try:
        case = own_case(file, assignment, rng, sizes, asked) if state in ("ok", "wrong") else None
    except Stop as stop:
        if stop.finding["status"] == "wrong":
            raise
        case = None
    if case is None:
        raise waiting(file, assignment, rng, sizes, asked)
    return judge(file, case)


def our_case(file, assignment, rng, sizes, asked, note=()):
    """A case in which a cache is our own record."""
    problem = assignment.problem(rng, sizes, set(asked))
    record = next((problem.symbols[key] for key in CACHES if key in problem.symbols), None)
    symbols = problem.symbols if record is None else problem.symbols | dict.fromkeys(CACHES, record)
    needs = [name for name in asked if name in CACHES]
    note = [
        f"its `{needs[0]}` was our own record: your file has no {assignment.forward} that returns a cache "
        "(as the last of a tuple) when it is called"
    ] if needs and assignment.forward and not note else list(note)  # fmt: skip
    return Case(assignment, problem, [step_for(file, assignment, symbols)], inputs_of(symbols), note)


def own_case(file, assignment, rng, sizes, asked):
    """A case whose cache comes from the student's forward. Raises Stop where that fails or returns none."""
    known = ASSIGNMENTS[assignment.forward]
    before = parameter_names(file.function(known.name), known.parameters)
    problem = assignment.problem(rng, sizes, set(asked + before) - set(CACHES))
    first = step_for(file, known, problem.symbols, "made")
    inputs = inputs_of(problem.symbols)
    (returned,), _ = ask(file, [first], inputs, [["made"]])
    path = cache_path(known, returned)
    if path is None and "cache" not in asked:
        return our_case(file, assignment, rng, sizes, asked)
    if path is None:
        is_none = isinstance(returned, tuple) and len(returned) > 1 and returned[-1] is None
        what = "it returned None as its cache" if is_none else "that returns none"
        raise Stop("wrong", f"its `cache` is what your own {known.name} returns, and {what}: let it return one as the "
                   "last of a tuple, such as `return y, cache`")  # fmt: skip
    symbols = problem.symbols | {key: {"from": path} for key in CACHES}
    is_wrong = file.states[known.name] == "wrong"
    needs = next(name for name in asked if name in CACHES)
    after = f"came from your own {known.name}, which is not right yet: mend that one first"
    note = f"its `{needs}` {after if is_wrong else f'was what your own {known.name} returned'}"
    steps = [first, step_for(file, assignment, symbols)]
    return Case(assignment, problem, steps, inputs, [note], is_wrong, file.precisions.get(known.name, 0.0))


def waiting(file, assignment, rng, sizes, asked):
    """The Stop for a backward whose forward does not run: is it written? It may be right, but not wrong."""
    try:
        judge(file, our_case(file, assignment, rng, sizes, asked))
    except Stop as stop:
        if stop.finding["status"] in ("not written", "timeout"):
            return stop
    named = next(name for name in asked if name in CACHES)
    told = f"it is not checked until your {assignment.forward} runs: its `{named}` is what that returns"
    return Stop("not checked", told)


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
