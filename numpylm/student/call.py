"""Calling a student's function as its parameters ask for it, and judging what it returns or raises.

A function is called by its parameters' names, with copies of the problem's arrays, twice. A backward that asks for a
`cache` (or `step`, or `trace`) is given what the student's own forward returned, if the file has one that returns a
cache; else the package's own record.
"""

import copy
import inspect
import re

import numpy as np

from numpylm.proof.nested import arrays_of
from numpylm.student.assignments import ASSIGNMENTS
from numpylm.student.crash import crash_sentence, memory_note, short
from numpylm.student.own_forward import OwnForward
from numpylm.student.results import Mismatch, compare, named_values

CACHES = ("cache", "step", "trace")


class Stop(Exception):
    """Ends the check of one function with a status and sentences; table and diagnosis may follow."""

    def __init__(self, status, *sentences, **more):
        super().__init__(*sentences)
        self.finding = {"status": status, "sentences": list(sentences)} | more


def check_problem(assignment, functions, states, rng, sizes):
    """Calls the function twice on one random problem. Raises Stop unless what it returns is right."""
    function, asked = functions[assignment.name], parameter_names(functions[assignment.name])
    forward = functions.get(assignment.forward) if set(asked) & set(CACHES) else None
    before = parameter_names(forward) if forward and forward is not function else []
    has_own_cache = bool(before) and states.get(assignment.forward) in ("ok", "wrong")
    problem = assignment.problem(rng, sizes, set(asked + before) - (set(CACHES) if has_own_cache else set()))
    symbols = problem.symbols
    own = own_cache(ASSIGNMENTS.get(assignment.forward), forward, symbols) if has_own_cache else None
    if has_own_cache and own is None and "cache" in asked:  # a `step` or `trace` may be our record
        raise Stop(
            "wrong",
            f"its `cache` is what your own {assignment.forward} returns, and that returns none: let it return one as "
            "the last of a tuple, such as `return y, cache`",
        )
    if own is None:
        problem = assignment.problem(rng, sizes, set(asked))
        record = next((problem.symbols[key] for key in CACHES if key in problem.symbols), None)
        given = problem.symbols if record is None else problem.symbols | dict.fromkeys(CACHES, record)
    else:
        given = symbols | dict.fromkeys(CACHES, own)
    note, wrong_forward = cache_note(assignment, asked, own, states), None
    if own is not None and states.get(assignment.forward) == "wrong":
        known = ASSIGNMENTS[assignment.forward]
        wrong_forward = OwnForward(
            known.name, known.returns, lambda q: call_by_name(forward, bind(known, forward, copy.deepcopy(q))),
            tuple(before), problem.symbols,
        )  # fmt: skip
    judge(assignment.for_parameters(asked), problem._replace(sizes=sizes), function, given, note, wrong_forward)


def parameter_names(function):
    """The parameters' names, as far as a function can be asked for them."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return []
    return [p.name for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]


def own_cache(assignment, forward, symbols):
    """What the student's own forward hands to the backward: the last of its tuple, or its record; None without one."""
    try:
        returned = call_by_name(forward, bind(assignment, forward, copy.deepcopy(symbols)))
    except BaseException:
        return None
    if isinstance(returned, tuple) and not hasattr(returned, "_fields"):
        lengths = {len(order) for order in assignment.returns}
        last = returned[-1] if returned else None
        return last if len(returned) - 1 in lengths and not is_only_array(last, returned, lengths) else None
    if isinstance(returned, np.ndarray | np.generic | float):
        return None
    return getattr(returned, "trace", returned)


def is_only_array(last, returned, lengths):
    """Whether a tuple's last thing is a value of a documented order, and no cache."""
    return len(returned) in lengths and isinstance(last, np.ndarray)


def cache_note(assignment, asked, own, states):
    """A sentence on where the cache came from, for what may go wrong with it."""
    named = [name for name in asked if name in CACHES]
    if not named or assignment.forward is None:
        return []
    if own is None:
        return [
            f"its `{named[0]}` was our own record: your file has no {assignment.forward} that returns a cache "
            "(as the last of a tuple) when it is called"
        ]
    if states.get(assignment.forward) == "ok":
        return [f"its `{named[0]}` was what your own {assignment.forward} returned"]
    return [f"its `{named[0]}` came from your own {assignment.forward}, which is not right yet: mend that one first"]


def bind(assignment, function, symbols):
    """The arguments by name. Raises Stop for a parameter that is no symbol of the problem."""
    arguments = {}
    required = [p for p in inspect.signature(function).parameters.values() if p.default is p.empty]
    required = [p.name for p in required if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    for name in parameter_names(function):
        if name in symbols:
            arguments[name] = symbols[name]
        elif name in required and len(symbols) == len(required) == 1:
            arguments[name] = next(iter(symbols.values()))  # a function of one argument may call it anything
        elif name in required:
            raise Stop(
                "wrong",
                f"it has a parameter `{name}`, which is no symbol of this problem. The check calls a function by its "
                f"parameters' names; they may be {', '.join(map(shaped, symbols, symbols.values()))}",
            )
    return arguments


def shaped(name, value):
    """A symbol with its shape, or its word."""
    if isinstance(value, str):
        return f"{name}={value!r}"
    return f"{name} {value.shape}".replace(",)", ")") if isinstance(value, np.ndarray) else name


def judge(assignment, problem, function, given, note, wrong_forward=None):
    """Calls the function and compares. Raises Stop with what is wrong."""
    returned, changed = call(assignment, function, given, note)
    if changed:
        raise Stop("wrong", f"it changes its argument {' and '.join(changed)} in place: leave what you are given alone "
                   "(`dx = dy` makes no copy; `dx -= 1` writes into dy too)", *note)  # fmt: skip
    try:
        values = named_values(returned, assignment, problem.answers)
    except Mismatch as mismatch:
        raise Stop("wrong", str(mismatch)) from mismatch
    rows, sentences = compare(values, problem.answers, assignment.rtol)
    if rows or sentences:
        sentences += large_inputs(given, rows) + other_f(assignment, function, given)
        sentences += [sentence for sentence in note if "not right yet" in sentence]
        raise Stop("wrong", *sentences, table=[row._asdict() for row in rows], evidence=(problem, values, rows),
                   own_forward=wrong_forward)  # fmt: skip
    again, _ = call(assignment, function, given, note)
    if not same_values(values, named_values(again, assignment, problem.answers)):
        raise Stop("wrong", "two identical calls give different results: it remembers something between calls, such as "
                   "a global array that it adds to, or draws random numbers")  # fmt: skip


def large_inputs(given, rows):
    """A sentence where nothing but large inputs can be the reason."""
    largest = max((np.abs(array).max() for array in everything(given).values() if array.size), default=0)
    return ["this input holds ±1000: e^1000 is too large for a float64 number"] if largest == 1000 and not rows else []


def other_f(assignment, function, given):
    """A sentence where a function was asked for ReLU, after it had been right for tanh."""
    if bind(assignment, function, given).get("nonlinearity") != "relu" or "relu" in assignment.name:
        return []
    return ["it was given nonlinearity='relu' here; with 'tanh' it is right"]


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


def call_by_name(function, arguments):
    """function(**arguments), where parameters before a `/` go by their place."""
    by_place = [p.name for p in inspect.signature(function).parameters.values() if p.kind == p.POSITIONAL_ONLY]
    named = {name: value for name, value in arguments.items() if name not in by_place}
    return function(*[arguments[name] for name in by_place if name in arguments], **named)


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
