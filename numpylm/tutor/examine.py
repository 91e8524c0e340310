"""One function of a student's file: its verdict, why, and what is likely wrong."""

import numpy as np

from numpylm.tutor.assignment_problems import Sizes
from numpylm.tutor.assignments import ASSIGNMENTS
from numpylm.tutor.call import check_problem
from numpylm.tutor.crash import crash_sentence, memory_note
from numpylm.tutor.diagnosis import diagnose
from numpylm.tutor.printed import Printed, quiet
from numpylm.tutor.stop import Stop
from numpylm.tutor.stretched import check_stretched

SIZES = (Sizes(T=4, N=3, D=5, H=6, V=7), Sizes(T=5, N=2, D=7, H=4, V=9, extreme=True))


def check_function(name, functions, states, tell):
    """The finding on one function: its status, sentences, table, diagnosis, and what it printed.

    A verdict is told before its diagnosis, which takes time of its own and is not the student's.
    """
    printed, assignment = Printed(), ASSIGNMENTS[name]
    finding = {"status": "ok", "sentences": []}
    try:
        with quiet(printed):
            check_sizes(assignment, functions, states)
            check_stretched(assignment, functions, states, SIZES[1])
    except Stop as stop:
        finding = stop.finding
        finding["sentences"] += called_wrong(functions[name], states)
    except MemoryError as error:  # what the student's code holds on to has left no room for the check
        finding = {"status": "crash", "sentences": [crash_sentence(error)]} | memory_note(error)
    except Exception as error:  # in the check, not in the student's code
        told = (
            f"the check itself failed, with {type(error).__name__}: {error}. The fault is not yours: please report it"
        )
        finding = {"status": "crash", "sentences": [told]}
    is_of_sizes = finding.pop("is_of_sizes", False)
    finding["printed"] = printed.getvalue() if finding["status"] != "ok" else ""
    if "evidence" in finding:
        evidence, own_forward = finding.pop("evidence"), finding.pop("own_forward")
        tell({"end": name} | finding)
        with quiet(Printed()):
            hints = diagnose(assignment, *evidence, right_callees(functions[name], states), own_forward)
        is_of_sizes = is_of_sizes and not any(hint.explains for hint in hints)
        finding["diagnosis"] = [hint.words for hint in hints]
        finding["lines"] = [hint.code for hint in hints]
    if is_of_sizes:
        finding["sentences"].append("is one of the first sizes written into the code?")
    return finding


def called_wrong(function, states):
    """A sentence for each function of the file that this one calls and that is not right."""
    wrong = [name for name in called_names(function) if states.get(name, "ok") != "ok"]
    return [f"it calls your {name}, which is not right yet: mend that one first" for name in wrong]


def right_callees(function, states):
    """The functions of the file that this one calls and that are right: they are not to blame."""
    return [name for name in called_names(function) if states.get(name) == "ok"]


def called_names(function):
    """The global names that a function reads."""
    return getattr(getattr(function, "__code__", None), "co_names", ())


def check_sizes(assignment, functions, states):
    """Checks a function on problems of two sets of sizes. Raises Stop, which says so where the sizes alone are why."""
    first, second = SIZES
    check_problem(assignment, functions, states, np.random.default_rng([7, 0]), first)
    try:
        check_problem(assignment, functions, states, np.random.default_rng([7, 1]), second)
    except Stop as stop:
        if may_be_of_sizes(stop.finding):
            try:
                calm = second._replace(extreme=False)
                check_problem(assignment, functions, states, np.random.default_rng([7, 1]), calm)
            except Stop:
                stop.finding["sentences"].append(sizes_sentence(first, second))
                stop.finding["is_of_sizes"] = True
            else:
                stop.finding["sentences"] += limit_sentences(assignment, stop.finding)
        raise


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
