"""Calling a student's function as its parameters ask for it, and judging what it returns or raises.

A function is called by its parameters' names, with copies of the problem's arrays, twice. A backward that asks for a
`cache` (or `step`, or `trace`) is given what the student's own forward returned, if the file has one that returns a
cache; else the package's own record.
"""

import copy
import re

import numpy as np

from numpylm.proof.nested import arrays_of
from numpylm.tutor.assignments import ASSIGNMENTS
from numpylm.tutor.binding import bind, call_by_name, parameter_names, shaped
from numpylm.tutor.caches import (
    CACHES,
    DoesNotRun,
    cache_note,
    cache_of,
    called,
    check_that_caches_are_separate,
    has_none_for_cache,
)
from numpylm.tutor.crash import crash_sentence, memory_note, short
from numpylm.tutor.large_inputs import large_inputs_sentence
from numpylm.tutor.own_forward import OwnForward
from numpylm.tutor.results import Mismatch, compare, named_values
from numpylm.tutor.stop import Stop


def check_problem(assignment, functions, states, rng, sizes):
    """Calls the function twice on one random problem. Raises Stop unless what it returns is right."""
    function = functions[assignment.name]
    asked = parameter_names(function, assignment.parameters)
    forward = functions.get(assignment.forward) if set(asked) & set(CACHES) else None
    forward = None if forward is function else forward
    if forward and states.get(assignment.forward) not in ("ok", "wrong"):  # it may hang, or end the process
        return check_without_forward(assignment, function, asked, rng, sizes, states.get(assignment.forward))
    try:
        own = own_problem(assignment, forward, asked, rng, sizes) if forward else None
    except DoesNotRun:
        return check_without_forward(assignment, function, asked, rng, sizes)
    if own:
        problem, cache = own
        given = problem.symbols | dict.fromkeys(CACHES, cache)
        wrong_forward = own_forward(assignment, forward, problem) if states.get(assignment.forward) == "wrong" else None
    else:
        problem, given = our_problem(assignment, asked, rng, sizes)
        cache = wrong_forward = None
    note = cache_note(assignment, asked, cache, states)
    judge(assignment.for_parameters(asked), problem, function, given, note, wrong_forward)
    check_that_caches_are_separate(assignment, function, given)


def own_problem(assignment, forward, asked, rng, sizes):
    """(problem, cache) where the student's own forward returns a cache; None where it returns none, and a `step` or a
    `trace` is asked for, which may be our record. Raises DoesNotRun, and Stop where nothing else can be given."""
    known = ASSIGNMENTS[assignment.forward]
    before = parameter_names(forward, known.parameters)
    problem = assignment.problem(rng, sizes, set(asked + before) - set(CACHES))
    returned = called(known, forward, problem.symbols)
    cache = cache_of(known, returned)
    if cache is not None:
        return problem._replace(sizes=sizes), cache
    if "cache" not in asked:
        return None
    what = "it returned None as its cache" if has_none_for_cache(returned) else "that returns none"
    raise Stop(
        "wrong",
        f"its `cache` is what your own {assignment.forward} returns, and {what}: let it return one as the last of a "
        "tuple, such as `return y, cache`",
    )


def our_problem(assignment, asked, rng, sizes):
    """(problem, what the function is given), with our own record for a cache."""
    problem = assignment.problem(rng, sizes, set(asked))._replace(sizes=sizes)
    record = next((problem.symbols[key] for key in CACHES if key in problem.symbols), None)
    return problem, problem.symbols if record is None else problem.symbols | dict.fromkeys(CACHES, record)


def check_without_forward(assignment, function, asked, rng, sizes, state=None):
    """Of a backward whose forward does not run: is it written? It may be right for our record, but not wrong."""
    problem, given = our_problem(assignment, asked, rng, sizes)
    try:
        judge(assignment.for_parameters(asked), problem, function, given, [])
    except Stop as stop:
        if stop.finding["status"] == "not written":
            raise
        named = next(name for name in asked if name in CACHES)
        until = "makes a cache of its own in each call" if state == "shared" else "runs"
        told = f"it is not checked until your {assignment.forward} {until}: its `{named}` is what that returns"
        raise Stop("not checked", told) from stop


def own_forward(assignment, forward, problem):
    """The student's own forward, which is wrong, for its derivative to be compared."""
    known = ASSIGNMENTS[assignment.forward]

    def called(symbols):
        return call_by_name(forward, bind(known, forward, copy.deepcopy(symbols)))

    names = tuple(parameter_names(forward, known.parameters))
    return OwnForward(known.name, known.returns, called, names, problem.symbols)


def judge(assignment, problem, function, given, note, wrong_forward=None):
    """Calls the function and compares. Raises Stop with what is wrong."""
    returned, changed = call(assignment, function, given, note)
    said = [changed_sentence(assignment, changed)] if changed else []
    try:
        values = named_values(returned, assignment, problem.answers)
    except Mismatch as mismatch:
        raise Stop("wrong", *said, str(mismatch)) from mismatch
    rows, sentences = compare(values, problem.answers, assignment.rtol)
    if changed and not rows and not sentences:
        raise Stop("wrong", f"the values are right, but {said[0]}", *note)
    sentences = said + sentences
    if sentences or rows:
        sentences += large_inputs(given, values) + other_f(assignment, function, given)
        sentences += [sentence for sentence in note if "not right yet" in sentence]
        raise Stop("wrong", *sentences, table=[row._asdict() for row in rows], evidence=(problem, values, rows),
                   own_forward=wrong_forward)  # fmt: skip
    again, _ = call(assignment, function, given, note)
    if not same_values(values, named_values(again, assignment, problem.answers)):
        raise Stop("wrong", "two identical calls give different results: it remembers something between calls, such as "
                   "a global array that it adds to, or draws random numbers")  # fmt: skip


def changed_sentence(assignment, changed):
    """What to say of arguments that are changed in place: a numerical derivative may do so, but must put them back."""
    if assignment.name in ("central_difference", "complex_step"):
        return (
            f"it leaves its argument {' and '.join(changed)} changed: keep the old x[k], and put it back before you "
            "go on to the next entry (to add and subtract ε again leaves a rounding error)"
        )
    return (
        f"it changes its argument {' and '.join(changed)} in place: leave what you are given alone (`dx = dy` makes no "
        "copy; `dx -= 1` writes into dy too)"
    )


def large_inputs(given, values):
    """A list with the sentence on numbers that are not finite, where they come from large inputs."""
    sentence = large_inputs_sentence(everything(given).values(), values)
    return [sentence] if sentence else []


def other_f(assignment, function, given):
    """A sentence where a function was asked for ReLU, after it had been right for tanh."""
    if bind(assignment, function, given).get("nonlinearity") != "relu" or "relu" in assignment.name:
        return []
    return [
        "it was given nonlinearity='relu' here; with 'tanh' it is right. With 'relu' equation (1) is "
        "h_t = max(x_t W_xh + h_{t-1} W_hh + b_h, 0)"
    ]


def call(assignment, function, given, note):
    """(what the function returns, which arguments it changed). Raises Stop where it crashes or is not written."""
    arguments = copy.deepcopy(bind(assignment, function, given))
    before = {name: array.copy() for name, array in everything(arguments).items()}
    try:
        returned = call_by_name(function, arguments)
    except NotImplementedError as error:
        raise Stop("not written", "it is not written yet (it raises NotImplementedError)") from error
    except BaseException as error:
        told = memory_note(error) | {"code": short(error), "shapes": shapes_of(arguments)}
        raise Stop("crash", crash_sentence(error), *note, **told) from error
    if returned is None or returned is Ellipsis:
        raise Stop("not written", "it returns None: it is not written yet, or its line with `return` is missing")
    after = everything(arguments)
    changed = [
        re.sub(r"\.(\d+)", r"[\1]", name)
        for name, array in before.items()
        if not same_values({0: array}, {0: after.get(name)})
    ]
    return returned, changed


def everything(tree):
    """All arrays of nested arguments, by their names."""
    return arrays_of(tree, "fciub")


def same_values(first, second):
    """Whether all arrays are the same, bit for bit."""
    return all(
        second.get(name) is not None
        and array.shape == second[name].shape
        and np.array_equal(array, second[name], equal_nan=True)
        for name, array in first.items()
    )


def shapes_of(arguments):
    """What it was given, for the report of a crash."""
    return [shaped(name, value) for name, value in arguments.items()]
