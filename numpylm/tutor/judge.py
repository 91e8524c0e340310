"""One call of a student's function, judged: what it returned against what is right, and how it behaves.

The function runs in the child process (child.py), which gets inputs and returns outputs. The verdict is found here.
Every function below raises Stop with what it finds wrong.
"""

import re
from typing import NamedTuple

import numpy as np

from numpylm.tutor.process.stop import Stop, crash_sentence, missing_name
from numpylm.tutor.results import FLOAT32, ROUGH, compare, is_float32, named_values, without_keepdims

REMEMBERS = (
    "two identical calls give different results: it remembers something between calls, such as a global array that it "
    "adds to, or draws random numbers"
)
LINEAR = (
    "if {0} is {1:g} times as large, the result must be {1:g} times as large too, and it is not: your backward is not "
    "linear in {0}. Does it clip something, or drop small gradients? Clip in the training loop"
)
CHANGED = (
    "it changes its argument {} in place: do not write into arguments (`dx = dy` makes no copy; `dx -= 1` writes "
    "into dy too)"
)
NOT_PUT_BACK = (
    "it leaves its argument {} changed: keep the old x[k], and put it back before you go on to the next entry (to add "
    "and subtract ε again leaves a rounding error)"
)


class File(NamedTuple):
    """A student's file: the child that runs it, what it holds, the finding on each checked function, the run's seed."""

    child: object
    contents: dict
    findings: dict
    seed: int
    precisions: dict  # of the functions that compute in float32

    def rng(self, name, number):
        """A generator of its own for each function and problem."""
        return np.random.default_rng([self.seed, number, *name.encode()])

    def status(self, name):
        """The status of a function that was checked; "" of another."""
        return self.findings.get(name, {}).get("status", "")

    def function(self, name):
        """What is known of a function of the file that can be checked; None where there is none."""
        known = self.contents["functions"].get(name)
        return known if known and known["kind"] == "function" and not known["ours"] else None


class Trial(NamedTuple):
    """One call to judge: the assignment, its problem, the child's steps and inputs."""

    assignment: NamedTuple
    problem: NamedTuple
    steps: list
    inputs: dict


def ask(file, steps, inputs, outputs=(["returned"],), without_clip=False):
    """(the outputs, the whole reply). Raises Stop where the last function crashes or is not written."""
    request = {"steps": steps, "inputs": inputs, "outputs": list(outputs), "without_clip": without_clip}
    reply = file.child.ask(request)
    error = reply.get("error")
    told = {"printed": str(reply.get("printed", ""))}
    if error:
        if error.get("type") == "NotImplementedError":
            raise Stop("not written", "it is not written yet (it raises NotImplementedError)", **told)
        given = steps[-1].get("kwargs", {}).items()
        shapes = [shaped(name, inputs.get(value.get("slot"))) for name, value in given if isinstance(value, dict)]
        told |= {"code": [str(line) for line in error.get("lines", [])], "shapes": shapes}
        told |= {"out_of_memory": True} if error.get("type") == "MemoryError" else {}
        raise Stop("crash", crash_sentence(error), *missing_name(error, file.contents["failures"]), **told)
    found = reply.get("outputs")
    if not isinstance(found, list) or len(found) != len(outputs):
        raise Stop("crash", "it broke off the conversation with the check", **told)
    return found, reply


def judge(file, trial):
    """Calls the function and compares: remarks on what is right. Raises Stop with what is wrong."""
    assignment, step = trial.assignment, trial.steps[-1]
    values, remarks, reply = call(file, trial)
    printed, changed = {"printed": str(reply.get("printed", ""))}, changed_names(step, reply.get("changed", []))
    words = NOT_PUT_BACK if "f" in trial.problem.symbols else CHANGED
    said = [words.format(" and ".join(changed))] if changed else []
    is_rough = len(trial.steps) > 1 and assignment.forward in file.precisions
    rows, sentences = compare(values, trial.problem.answers, ROUGH if is_rough else assignment.rtol)
    precision = max((row.relative_error for row in rows), default=0)
    if 0 < precision < 1e-6 and not assignment.is_backward and all(is_float32(values[row.name]) for row in rows):
        file.precisions[assignment.name] = precision
        rows, sentences, remarks = [], [], [*remarks, FLOAT32.format(precision)]
    if sentences or rows:
        table, evidence = [row._asdict() for row in rows], (trial, values, rows)
        raise Stop("wrong", *said, *sentences, table=table, evidence=evidence, **printed)
    if said:
        raise Stop("wrong", f"the values are right, but {said[0]}", **printed)
    name = assignment.name.replace("rnn_relu", "rnn")
    used = [f"calls numpylm's own {name}"] if name in reply.get("called", []) else []
    used += [f"opens {path}" for path in reply.get("opened", []) if "solutions" in str(path)]
    if used:
        raise Stop("not yours", f"its values are right, but it {used[0]}: write it yourself")
    check_again(file, trial, values)
    return remarks


def call(file, trial):
    """(name -> array of what the function returns, remarks on its shapes, the child's reply). Raises Stop."""
    (returned,), reply = ask(file, trial.steps, trial.inputs)
    try:
        named = named_values(returned, trial.assignment, trial.problem.answers)
    except Stop as stop:
        stop.finding["printed"] = str(reply.get("printed", ""))
        raise
    return *without_keepdims(named, trial.problem.answers), reply


def check_again(file, trial, values):
    """Raises Stop where a function gives other values when it is called again, or is not linear in what comes in."""

    def again(inputs):
        return call(file, trial._replace(inputs=inputs))[0]

    same, step = again(trial.inputs), trial.steps[-1]
    if not all(np.array_equal(q, same.get(name), equal_nan=q.dtype.kind in "fc") for name, q in values.items()):
        raise Stop("wrong", REMEMBERS)
    given = [value.get("slot", "") for value in (*step["args"], *step["kwargs"].values())]
    incoming = [name for name in given if name.startswith("d") and trial.assignment.is_backward]
    check_linear(again, trial.inputs, incoming, values)


def check_linear(again, inputs, incoming, before):
    """Raises Stop where larger or smaller gradients that come in do not make all that goes out so.

    again(inputs) gives name -> gradient, as it gave before.
    """
    for factor in (1e3, 1e-3) if incoming else ():
        after = again(inputs | {name: times(factor, inputs[name]) for name in incoming})
        for name, q in before.items():
            is_alike = np.shape(after.get(name)) == q.shape
            if q.size and not (is_alike and np.abs(after[name] / factor - q).max() <= 1e-2 * np.abs(q).max()):
                raise Stop("wrong", LINEAR.format(" and ".join(incoming), factor))


def times(factor, tree):
    """All arrays of a dict or record, times a factor."""
    if isinstance(tree, dict):
        return {key: times(factor, part) for key, part in tree.items()}
    return type(tree)(*[times(factor, part) for part in tree]) if isinstance(tree, tuple) else factor * tree


def changed_names(step, changed):
    """What the arguments are called that a step of the child changed in place."""
    placed = [value.get("slot", "argument") if isinstance(value, dict) else "argument" for value in step["args"]]
    names = [re.sub(r"^\d+", lambda k: placed[int(k.group())], str(name)) for name in changed]
    return [re.sub(r"\.(\d+)", r"[\1]", name) for name in names]


def shaped(name, value):
    """A symbol with its shape, or its word."""
    if isinstance(value, str):
        return f"{name}={value!r}"
    return f"{name} {value.shape}" if isinstance(value, np.ndarray) else name
