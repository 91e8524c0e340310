"""`python -m numpylm check FILE`: are a student's own functions right? Each is found by name and checked alone.

The file is run in a child process (child.py, worker.py). A function that takes too long, or ends the process, is
noted as such, and a new child goes on with the rest. assignments.py lists the functions that are known, report.py
shows the result.

The exit status is 0 if at least one function was found, every one that was found is right, and none is missing that was
required by --require or by the file's own list EXERCISE; 1 if not; 2 if there is no such file.
"""

import difflib
import json
import sys
from pathlib import Path
from typing import NamedTuple

from numpylm.tutor.child import run_child
from numpylm.tutor.report import report, signatures

DESCRIPTION = (
    "Check functions of known names in a Python file, such as lstm_step_backward,\n"
    "and say what is likely wrong. The exit status is 0 if all are right."
)


class Result(NamedTuple):
    """What was found: error, if the file could not be run, else a finding for each function that it holds or lacks."""

    file: str
    error: dict | None
    findings: dict
    others: list  # names of functions that are not known
    hides: tuple = ()  # files that hide a module of Python's
    notes: tuple = ()  # on what the file holds under known names and is not checked: methods, a library's functions

    @property
    def ok(self):
        """Whether the file passes."""
        return not self.error and bool(self.findings) and all(f["status"] == "ok" for f in self.findings.values())


def add_options(parser):
    """The options of `numpylm check`."""
    parser.add_argument("file", nargs="?", metavar="FILE", help="a Python file with functions of known names")
    parser.add_argument(
        "--require", action="append", default=[], metavar="NAME[,NAME]",
        help="functions that must be there (those in the file's list EXERCISE); may be given several times",
    )  # fmt: skip
    parser.add_argument("--seconds", type=float, default=10, metavar="S", help="a function may take so long (10)")
    parser.add_argument("--memory", type=float, default=2000, metavar="MB", help="and take so much memory (2000)")
    parser.add_argument(
        "--show-lines",
        action="store_true",
        help="show our own lines that a mistake is about: they give the answer away",
    )
    parser.add_argument("--json", action="store_true", help="print the result as JSON, for a grader")
    parser.add_argument("--list", action="store_true", help="the functions that are known, and what they return")


def run(options):
    """numpylm check: prints the report, returns the exit status. Raises OSError and ValueError as check_file."""
    if options.list:
        print(json.dumps(list_as_json(), indent=2) if options.json else signatures())
        return 0
    try:
        check_options(options)
        required = [name.strip() for names in options.require for name in names.split(",") if name.strip()]
        result = check_file(options.file, required, options.seconds, options.memory)
    except (OSError, ValueError) as error:
        if not options.json:
            raise
        told = f"{error.filename}: {error.strerror}" if isinstance(error, OSError) else str(error)
        failed = Result(options.file, {"status": "error", "sentences": [told]}, {}, [])
        print(json.dumps(as_json(failed), indent=2))
        return 2
    print(json.dumps(as_json(result), indent=2) if options.json else report(result, options.show_lines))
    return 0 if result.ok else 1


def check_options(options):
    """Raises ValueError for options that make no sense."""
    if options.file is None:
        raise ValueError("give the file to check, such as my_lstm.py; --list shows what it may hold")
    if not options.seconds > 0:
        raise ValueError(f"--seconds must be above 0; got {options.seconds}")
    if not 0 < options.memory < float("inf"):
        raise ValueError(f"--memory must be a number of megabytes above 0; got {options.memory}")


def check_file(path, required=(), seconds=10, megabytes=2000):
    """Checks a file's functions, each of which may take so long and so much memory: a Result.

    Raises OSError where there is no file, or a folder, ValueError for unknown names.
    """
    from numpylm.tutor.assignments import ASSIGNMENTS

    unknown = [name for name in required if name not in ASSIGNMENTS]
    if unknown:
        raise ValueError(f"{unknown[0]} is no function that can be checked; --list shows those that are")
    if Path(path).is_dir():
        raise IsADirectoryError(21, f"this is a folder; check a file of it: {python_files(path)}", str(path))
    if not Path(path).is_file():
        raise FileNotFoundError(2, "there is no such file", str(path))
    found = {}
    while not run_child(path, found, seconds, megabytes):
        pass  # a child that hung or died: the next one goes on behind the function that did it
    return as_result(path, found, required)


def python_files(folder):
    """The names of a folder's Python files, as far as they fit into a line or two."""
    names = sorted(file.name for file in Path(folder).glob("*.py"))
    return ", ".join(names[:20]) + (", …" if len(names) > 20 else "") if names else "there is no Python file in it"


def as_result(path, found, required=()):
    """The Result of what was said of a file's functions, by their names, and of the file itself, under ""."""
    from numpylm.tutor.assignments import ASSIGNMENTS

    contents = found[""]
    if contents["status"] != "ok":
        return Result(str(path), contents, {}, [], tuple(contents.pop("hides", ())))
    names = [*contents["functions"], *required, *contents["exercise"]]
    findings = {name: found.get(name) or missing(name, contents) for name in [*ASSIGNMENTS, *names] if name in names}
    return Result(str(path), None, findings, contents["others"], tuple(contents["hides"]), notes(contents))


def notes(contents):
    """Sentences on what has a known name in the file and is no function of its own."""
    said = [method_sentence(name, kind) for name, kind in contents["methods"].items()]
    library = contents["library"]
    several = f"{', '.join(library)} {'are' if len(library) > 1 else 'is'} a library's own: not checked"
    return (*said, *[several] * bool(library))


def method_sentence(name, kind):
    """What to say of a method that has a known function's name."""
    return f"{name} is a method of class {kind}: the check finds functions of the file itself, outside any class"


def missing(name, contents):
    """The finding on a function that is not there."""
    if name in contents["methods"]:
        return {"status": "missing", "sentences": [method_sentence(name, contents["methods"][name])]}
    close = difflib.get_close_matches(name, contents["others"], 1)
    hint = f"; there is a {close[0]}: is it misspelt?" if close else ""
    return {"status": "missing", "sentences": [f"there is no function of this name in the file{hint}"]}


def as_json(result):
    """The result as a dict for a grader: ok, how many are right, and each function's finding."""
    right = sum(finding["status"] == "ok" for finding in result.findings.values())
    counts = {"right": right, "functions": len(result.findings)}
    told = {"error": result.error, "hides": list(result.hides), "notes": list(result.notes)}
    told |= {"findings": result.findings}
    return {"file": result.file, "ok": result.ok} | counts | told


def list_as_json():
    """Name -> signature, equation and orders of returned values of every function that can be checked."""
    from numpylm.tutor.assignments import ASSIGNMENTS

    return {
        name: {"signature": a.signature, "equation": a.equation, "returns": a.returns}
        for name, a in ASSIGNMENTS.items()
    }


if __name__ == "__main__":
    import argparse

    command_line = argparse.ArgumentParser(prog="python -m numpylm check", description=DESCRIPTION)
    add_options(command_line)
    sys.exit(run(command_line.parse_args()))
