"""Checks one function of a student's file against our own: its verdict, why, and what is likely wrong.

A function is called by its parameters' names, twice. A backward that asks for a `cache`
(or `step`, or `trace`) gets what the student's own forward returned, if the file has one; else our own record.
"""

from numpylm.tutor import large_inputs
from numpylm.tutor.assignment_problems import Sizes, Waves
from numpylm.tutor.assignments import ASSIGNMENTS
from numpylm.tutor.binding import bind, call_step, parameter_names
from numpylm.tutor.diagnosis import diagnose
from numpylm.tutor.judge import Case, ask, cache_path, judge
from numpylm.tutor.own_forward import OwnForward
from numpylm.tutor.stop import Stop

SIZES = (Sizes(T=4, N=3, D=5, H=6, V=7), Sizes(T=5, N=2, D=7, H=4, V=9, extreme=True))
CACHES = ("cache", "step", "trace")


def check_function(file, name):
    """The finding on one function: its status, sentences, table and diagnosis, and what it printed."""
    assignment = ASSIGNMENTS[name]
    try:
        remarks = check_sizes(file, assignment)
        large_inputs.check_larger(file, assignment, SIZES[1], check_problem)
    except Stop as stop:
        finding = stop.finding
    else:
        return {"status": "ok", "sentences": remarks}
    finding["sentences"] += called_wrong(file, name)
    is_of_sizes = finding.pop("is_of_sizes", False)
    case, values, rows = finding.pop("evidence", (None, None, None))
    if case:
        trusted = [other for other in file.function(name)["reads"] if file.states.get(other) == "ok"]
        hints = diagnose(assignment, case.problem, values, rows, trusted, case.own_forward)
        is_of_sizes = is_of_sizes and not any(hint.explains for hint in hints)
        finding |= {"diagnosis": [hint.words for hint in hints], "lines": [hint.code for hint in hints]}
    if is_of_sizes:
        finding["sentences"].append("is one of the first sizes written into the code?")
    return finding


def called_wrong(file, name):
    """A sentence for each function of the file that this one calls and that is wrong."""
    wrong = [n for n in file.function(name)["reads"] if file.states.get(n, "ok") in ("wrong", "crash", "timeout")]
    return [f"it calls your {n}, which is not right yet: mend that one first" for n in wrong]


def check_sizes(file, assignment):
    """Checks a function on problems of two sets of sizes: remarks on what is right. Raises Stop with what is wrong,
    which says so where the sizes alone are why."""
    first, second = SIZES
    remarks = check_problem(file, assignment, file.rng(assignment.name, 0), first)
    try:
        check_problem(file, assignment, file.rng(assignment.name, 1), second)
    except Stop as stop:
        if may_be_of_sizes(stop.finding):
            try:
                check_problem(file, assignment, file.rng(assignment.name, 1), second._replace(extreme=False))
            except Stop:
                stop.finding["sentences"].append(sizes_sentence(first, second))
                stop.finding["is_of_sizes"] = True
            else:
                stop.finding["sentences"] += limit_sentences(assignment, stop.finding)
                overflow = [said for said in stop.finding["sentences"] if said.startswith("this input holds")]
                if (
                    overflow
                    and assignment.is_plain
                    and not stop.finding.get("table")
                    and not is_asked(file, assignment)
                ):
                    return [f"right, but it overflows: {overflow[0]}"]
        raise
    return remarks


def is_asked(file, assignment):
    """Whether the file, or --require, asks for a function: then it must be right for large inputs too."""
    return assignment.name in file.contents["exercise"]


def limit_sentences(assignment, finding):
    """A list with what to say of an activation that is wrong, and finite, for entries of ±1000 alone."""
    if not assignment.is_plain or not finding.get("table"):
        return []
    return ["this input holds ±1000; without these it is right: is a clipped, or the result kept away from 0 or 1?"]


def may_be_of_sizes(finding):
    """Whether a finding may come from the function's own use of sizes: not from its forward, nor for want of memory."""
    is_own = not any("not right yet" in sentence for sentence in finding["sentences"])
    return is_own and finding["status"] in ("wrong", "crash") and not finding.get("out_of_memory")


def sizes_sentence(first, second):
    """What to say of a function that is right for the first sizes only."""
    right, wrong = (", ".join(f"{name} = {size}" for name, size in zip("TNDHV", sizes, strict=False))
                    for sizes in (first, second))  # fmt: skip
    return f"with {right} it is right; this is with {wrong}"


def check_problem(file, assignment, rng, sizes):
    """Calls the function twice on one random problem. Raises Stop unless what it returns is right."""
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
        raise waiting(file, assignment, rng, sizes, asked, state)
    return judge(file, case)


def our_case(file, assignment, rng, sizes, asked, note=()):
    """A case in which a cache is our own record."""
    problem = assignment.problem(rng, sizes, set(asked))._replace(sizes=sizes)
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
    problem = assignment.problem(rng, sizes, set(asked + before) - set(CACHES))._replace(sizes=sizes)
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
    own = OwnForward(file.child, known, [first], inputs, problem.symbols, returned) if is_wrong else None
    steps = [first, step_for(file, assignment, symbols)]
    return Case(assignment, problem, steps, inputs, [note], own, file.precisions.get(known.name, 0.0))


def waiting(file, assignment, rng, sizes, asked, state):
    """The Stop for a backward whose forward does not run: is it written? It may be right, but not wrong."""
    try:
        judge(file, our_case(file, assignment, rng, sizes, asked))
    except Stop as stop:
        if stop.finding["status"] in ("not written", "timeout"):
            return stop
    until = "makes a cache of its own in each call" if state == "shared" else "runs"
    named = next(name for name in asked if name in CACHES)
    told = f"it is not checked until your {assignment.forward} {until}: its `{named}` is what that returns"
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
