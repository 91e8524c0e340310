"""The child process that runs a student's functions: a line of JSON on standard output as each begins and ends.

    python -m numpylm.student.worker FILE MEGABYTES [NAME=STATE ...]    leaves out what was checked before, if it was

Whatever the student's code does (loop for ever, exit, recurse, print, fill the memory) stays in this process;
command.py watches it.
"""

import contextlib
import importlib.machinery
import importlib.util
import inspect
import io
import json
import os
import sys
import traceback
import warnings
from pathlib import Path

import numpy as np

from numpylm.student.assignment_problems import Sizes
from numpylm.student.assignments import ASSIGNMENTS
from numpylm.student.call import check_problem
from numpylm.student.crash import MODULE, crash_sentence, memory_note, short
from numpylm.student.diagnosis import diagnose
from numpylm.student.memory import limit_memory
from numpylm.student.stop import Stop

SIZES = (Sizes(T=4, N=3, D=5, H=6, V=7), Sizes(T=5, N=2, D=7, H=4, V=9, extreme=True))
LONGEST_PRINT = 600  # characters of what the student's code prints that are shown


class Printed(io.StringIO):
    """What the student's code prints, up to a limit."""

    def write(self, text):
        return super().write(text[: max(0, LONGEST_PRINT - self.tell())]) and len(text)


def main(arguments):
    """Checks a file in so much memory, and tells the parent what it finds."""
    path, megabytes, *known = arguments
    tell = parent_line()
    limit_memory(float(megabytes))
    check_functions(path, dict(pair.split("=") for pair in known), tell)


def check_functions(path, states, tell):
    """Checks every known function of a file but those whose states are known, and tells what it finds, one by one."""
    tell({"begin": ""})
    printed = Printed()
    try:
        with quiet(printed):
            module = load(path)
    except Stop as stop:
        return tell({"end": "", "printed": printed.getvalue()} | stop.finding)
    functions = student_functions(module)
    tell({"end": "", "status": "ok", "functions": list(functions), "exercise": exercise_names(module),
          "others": other_names(module)})  # fmt: skip
    left_out, states = list(states), dict(states)
    for name in functions:
        if name not in left_out:
            tell({"begin": name})
            finding = check_function(name, functions, states, tell)
            states[name] = "shared" if finding.pop("shared", False) else finding["status"]
            tell({"end": name} | finding)
            if finding.get("out_of_memory"):  # what it took may still be held: the next child has all of it again
                return None
    return tell({"finished": True})


def parent_line():
    """A function that writes one JSON line to the parent; the student's own output goes elsewhere from now on."""
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)

    def tell(message):
        channel.write(json.dumps(message) + "\n")
        channel.flush()

    return tell


@contextlib.contextmanager
def quiet(printed):
    """Output goes to printed; warnings, such as of an overflow, are no failures by themselves."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            yield


def load(path):
    """The student's file as a module. Raises Stop where it cannot be read or run."""
    sys.dont_write_bytecode = True
    sys.path.insert(0, str(Path(path).resolve().parent))
    spec = importlib.util.spec_from_loader(MODULE, importlib.machinery.SourceFileLoader(MODULE, str(path)))
    module = importlib.util.module_from_spec(spec)
    sys.modules[MODULE] = module  # dataclasses look their module up
    try:
        spec.loader.exec_module(module)
    except (SyntaxError, UnicodeDecodeError) as error:
        text = "".join(traceback.format_exception_only(error)).rstrip().replace(str(path), Path(path).name)
        raise Stop("syntax", "Python cannot read the file:", code=text.splitlines()) from error
    except NotImplementedError as error:
        raise Stop("crash", "the file raises NotImplementedError while it is read", code=short(error, path)) from error
    except BaseException as error:
        raise Stop(
            "crash", crash_sentence(error, "while the file is read"), **memory_note(error), code=short(error, path)
        ) from error
    return module


def student_functions(module):
    """Name -> function of the known ones that the file holds, not those it imports from numpylm or from C."""
    return {
        name: vars(module)[name]
        for name in ASSIGNMENTS
        if callable(vars(module).get(name)) and is_students(vars(module)[name])
    }


def is_students(function):
    """Whether a function was written in Python, and not in this package."""
    home = str(getattr(function, "__module__", ""))
    is_python = not (inspect.isbuiltin(function) or inspect.isclass(function) or isinstance(function, np.ufunc))
    return is_python and home.partition(".")[0] != "numpylm"


def exercise_names(module):
    """What an exercise file asks for: its EXERCISE, a list of names."""
    names = vars(module).get("EXERCISE", [])
    return [str(name) for name in names] if isinstance(names, list | tuple) else []


def other_names(module):
    """The file's other functions, among which a misspelt one may be."""
    found = [name for name, value in vars(module).items() if inspect.isfunction(value) and name not in ASSIGNMENTS]
    return [name for name in found if vars(module)[name].__module__ == MODULE]


def check_function(name, functions, states, tell):
    """The finding on one function: its status, sentences, table, diagnosis, and what it printed.

    A verdict is told before its diagnosis, which takes time of its own and is not the student's.
    """
    printed, assignment = Printed(), ASSIGNMENTS[name]
    finding = {"status": "ok", "sentences": []}
    try:
        with quiet(printed):
            for seed, sizes in enumerate(SIZES):
                check_problem(assignment, functions, states, np.random.default_rng([7, seed]), sizes)
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
    finding["printed"] = printed.getvalue() if finding["status"] != "ok" else ""
    if "evidence" in finding:
        evidence, own_forward = finding.pop("evidence"), finding.pop("own_forward")
        tell({"end": name} | finding)
        with quiet(Printed()):
            hints = diagnose(assignment, *evidence, right_callees(functions[name], states), own_forward)
        finding["diagnosis"] = [hint.words for hint in hints]
        finding["lines"] = [hint.code for hint in hints]
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


if __name__ == "__main__":
    main(sys.argv[1:])
