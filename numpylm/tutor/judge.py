"""One call of a student's function, judged: what it returned against what is right, and how it behaves.

The function runs in the child process (child.py), which gets inputs and returns outputs. The verdict is found here.
Every function below raises Stop with what it finds wrong.
"""

import re
from typing import NamedTuple

import numpy as np

from numpylm.tutor import large_inputs
from numpylm.tutor.binding import shaped
from numpylm.tutor.crash import crash_sentence, missing_name
from numpylm.tutor.results import FLOAT32, ROUGH, Mismatch, compare, is_float32, named_values, without_keepdims
from numpylm.tutor.stop import Stop
from numpylm.tutor.wire import Record

SHARED = (
    "the cache that it returned is changed by the next call: do all calls share one list, dict or array, such as a "
    "global one? A sequence keeps the caches of all its steps, so make a new one in each call"
)


class File(NamedTuple):
    """A student's file: the child that runs it, what it holds, each checked function's status, and the run's seed."""

    child: object
    contents: dict
    states: dict
    seed: int
    precisions: dict  # of the functions that compute in float32

    def rng(self, name, number):
        """A generator of its own for each function and problem."""
        return np.random.default_rng([self.seed, number, *name.encode()])

    def function(self, name):
        """What is known of a function of the file that can be checked; None where there is none."""
        known = self.contents["functions"].get(name)
        return known if known and known["kind"] == "function" and not known["ours"] else None


class Case(NamedTuple):
    """One call to judge: the assignment, its problem, the child's steps and inputs, a note on the cache."""

    assignment: NamedTuple
    problem: NamedTuple
    steps: list
    inputs: dict
    note: list
    own_forward: object = None
    precision: float = 0.0  # of the student's forward, where the cache comes from it: 1e-7 if it computes in float32


def ask(file, steps, inputs, outputs=(["returned"],)):
    """(the outputs, the whole reply). Raises Stop where the last function crashes or is not written."""
    reply = file.child.ask({"steps": steps, "inputs": inputs, "outputs": list(outputs)})
    error = reply.get("error")
    told = {"printed": str(reply.get("printed", ""))}
    if error:
        if error.get("type") == "NotImplementedError":
            raise Stop("not written", "it is not written yet (it raises NotImplementedError)", **told)
        given = [*steps[-1].get("kwargs", {}).items()]
        shapes = [shaped(name, inputs.get(value.get("slot"))) for name, value in given if isinstance(value, dict)]
        told |= {"code": [str(line) for line in error.get("lines", [])], "shapes": shapes}
        told |= {"out_of_memory": True} if error.get("type") == "MemoryError" else {}
        why = missing_name(error, file.contents["failures"])
        raise Stop("crash", crash_sentence(error), *why, **told)
    found = reply.get("outputs")
    if not isinstance(found, list) or len(found) != len(outputs):
        raise Stop("crash", "it broke off the conversation with the check", **told)
    return found, reply


def judge(file, case):
    """Calls the function and compares: remarks on what is right. Raises Stop with what is wrong."""
    assignment, problem = case.assignment, case.problem
    returned, reply = call(file, case)
    printed = {"printed": str(reply.get("printed", ""))}
    said = [changed_sentence(assignment, case, reply["changed"])] if reply.get("changed") else []
    try:
        values = named_values(returned, assignment, problem.answers)
    except Mismatch as mismatch:
        raise Stop("wrong", *said, str(mismatch), **printed) from mismatch
    values, remarks = without_keepdims(values, problem.answers)
    rows, sentences = compare(values, problem.answers, ROUGH if case.precision else assignment.rtol)
    if rows and all(is_float32(values[row.name]) for row in rows) and not assignment.is_backward:
        precision = max(row.relative_error for row in rows)
        if precision < 1e-6:
            file.precisions[assignment.name] = precision
            rows, sentences, remarks = [], [], [*remarks, FLOAT32.format(precision)]
    if said and not rows and not sentences:
        raise Stop("wrong", f"the values are right, but {said[0]}", *case.note, **printed)
    sentences = said + sentences
    if sentences or rows:
        sentences += large_inputs.not_finite(case.inputs, values) + other_f(assignment, case)
        sentences += [sentence for sentence in case.note if "not right yet" in sentence]
        table = [row._asdict() for row in rows]
        raise Stop("wrong", *sentences, table=table, evidence=(case, values, rows), **printed)
    check_own_work(file, case, reply)
    again, _ = call(file, case)
    if not same_values(values, without_keepdims(named_values(again, assignment, problem.answers), problem.answers)[0]):
        raise Stop("wrong", "two identical calls give different results: it remembers something between calls, such as "
                   "a global array that it adds to, or draws random numbers")  # fmt: skip
    check_that_caches_are_separate(file, case, returned)
    return remarks


def call(file, case):
    """(what the function returns, the child's reply). Raises Stop where it crashes or is not written."""
    try:
        (returned,), reply = ask(file, case.steps, case.inputs)
    except Stop as stop:
        stop.finding["sentences"] += case.note if stop.finding["status"] == "crash" else []
        raise
    if returned is None or str(returned) == "a ellipsis":
        words = "it returns None: it is not written yet, or its line with `return` is missing"
        raise Stop("not written", words, printed=str(reply.get("printed", "")))
    return returned, reply


def check_own_work(file, case, reply):
    """Raises Stop where right values come from our own function of the same name, or from a file of ours."""
    name = case.assignment.name.replace("rnn_relu", "rnn")
    if name in reply.get("called", []):
        raise Stop("not yours", f"its values are right, but it calls numpylm's own {name}: write it yourself")
    opened = [path for path in reply.get("opened", []) if "solutions" in str(path)]
    if opened:
        raise Stop("not yours", f"its values are right, but it opens {opened[0]}: write it yourself")


def check_that_caches_are_separate(file, case, returned):
    """Raises Stop where a second call of a forward changes the cache that the first returned."""
    path = cache_path(case.assignment, returned)
    if not case.assignment.signature.endswith("cache") or path is None:
        return
    halves = {n: 0.5 * v if isinstance(v, np.ndarray) and v.dtype.kind == "f" else v for n, v in case.inputs.items()}
    slots = {f"other {name}": value for name, value in halves.items()}
    first, other = case.steps[-1] | {"to": "made"}, case.steps[-1] | {"to": "again"}
    other = other | {"args": [renamed(v) for v in other["args"]]}
    other["kwargs"] = {name: renamed(value) for name, value in other["kwargs"].items()}
    steps, inputs = [*case.steps[:-1], first, other], case.inputs | slots
    try:
        (alone,), _ = ask(file, steps[:-1], inputs, [path])
        (after,), _ = ask(file, steps, inputs, [path])
    except Stop:  # what it makes of the other arguments is not the question
        return
    if not same_tree(alone, after):
        raise Stop("wrong", SHARED, shared=True)


def renamed(value):
    """A slot of the second call's inputs."""
    return {"slot": f"other {value['slot']}"} if isinstance(value, dict) and "slot" in value else value


def same_tree(first, second):
    """Whether two trees of arrays are the same, bit for bit."""
    if isinstance(first, np.ndarray):
        return isinstance(second, np.ndarray) and same_values({0: first}, {0: second})
    if isinstance(first, dict):
        return isinstance(second, dict) and first.keys() == second.keys() and all(
            same_tree(value, second[key]) for key, value in first.items())  # fmt: skip
    if isinstance(first, list | tuple):
        return isinstance(second, list | tuple) and len(first) == len(second) and all(map(same_tree, first, second))
    return type(first) is type(second) and (first == second or first != first)


def changed_sentence(assignment, case, changed):
    """What to say of arguments that are changed in place: a numerical derivative may do so, but must put them back."""
    step = case.steps[-1]
    names = [*bind_places(assignment, step)]
    words = [re.sub(r"^\d+", lambda match: names[int(match.group())], str(name)) for name in changed]
    words = [re.sub(r"\.(\d+)", r"[\1]", name) for name in words]
    if assignment.name in ("central_difference", "complex_step"):
        return (
            f"it leaves its argument {' and '.join(words)} changed: keep the old x[k], and put it back before you "
            "go on to the next entry (to add and subtract ε again leaves a rounding error)"
        )
    return (
        f"it changes its argument {' and '.join(words)} in place: leave what you are given alone (`dx = dy` makes no "
        "copy; `dx -= 1` writes into dy too)"
    )


def bind_places(assignment, step):
    """The names of a step's arguments that go by place."""
    named = step["kwargs"]
    places = [name for name in assignment.parameters if name not in named]
    return places + [f"argument {k + 1}" for k in range(len(places), len(step["args"]))]


def other_f(assignment, case):
    """A sentence where a function was asked for ReLU, after it had been right for tanh."""
    asked = case.steps[-1]["kwargs"].get("nonlinearity") or case.steps[-1]["args"].count({"slot": "nonlinearity"})
    if not asked or case.inputs.get("nonlinearity") != "relu" or "relu" in assignment.name:
        return []
    return [
        "it was given nonlinearity='relu' here; with 'tanh' it is right. With 'relu' equation (1) is "
        "h_t = max(x_t W_xh + h_{t-1} W_hh + b_h, 0)"
    ]


def same_values(first, second):
    """Whether all arrays are the same, bit for bit."""
    return all(
        second.get(name) is not None
        and array.shape == second[name].shape
        and np.array_equal(array, second[name], equal_nan=array.dtype.kind in "fc")
        for name, array in first.items()
    )


def cache_path(assignment, returned):
    """Where a forward's cache is in what it returned; None where there is none."""
    if isinstance(returned, tuple):
        lengths = {len(order) for order in assignment.returns}
        last = returned[-1] if returned else None
        is_only_array = len(returned) in lengths and isinstance(last, np.ndarray)
        is_cache = len(returned) - 1 in lengths and not is_only_array and last is not None
        return ["made", len(returned) - 1] if is_cache else None
    if isinstance(returned, np.ndarray | float | int):
        return None
    if isinstance(returned, dict):
        key = next((key for key in ("cache", "trace") if key in returned), None)
        return ["made", key] if key and (key == "cache" or isinstance(returned, Record)) else ["made"]
    return ["made"]
