"""`python -m numpylm check FILE`: are a student's own functions right? Each is found by name and checked alone.

The file is run in a child process (worker.py), which tells what it begins and what it finds, line by line. A
function that takes too long, or ends the process, is noted as such, and a new child goes on with the rest.
assignments.py lists the functions that are known, report.py shows the result.

The exit status is 0 if at least one function was found, every one that was found is right, and none is missing that was
required by --require or by the file's own list EXERCISE; 1 if not; 2 if there is no such file.
"""

import difflib
import json
import os
import queue
import subprocess
import sys
import threading
from pathlib import Path
from typing import NamedTuple

from numpylm.student.report import report, signatures

START_SECONDS = 60  # for Python and NumPy to start on a busy machine


class Result(NamedTuple):
    """What was found: error, if the file could not be run, else a finding for each function that it holds or lacks."""

    file: str
    error: dict | None
    findings: dict
    others: list  # names of functions that are not known

    @property
    def ok(self):
        """Whether the file passes."""
        return not self.error and bool(self.findings) and all(f["status"] == "ok" for f in self.findings.values())


def add_arguments(parser):
    """The options of `numpylm check`."""
    parser.add_argument("file", nargs="?", metavar="FILE", help="a Python file with functions of known names")
    parser.add_argument(
        "--require", nargs="+", default=[], metavar="NAME",
        help="functions that must be there (those in the file's list EXERCISE)",
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


def main(options):
    """numpylm check: prints the report, returns the exit status. Raises OSError and ValueError as check_file."""
    if options.list:
        print(signatures())
        return 0
    if options.file is None:
        raise ValueError("give the file to check, such as my_lstm.py; --list shows what it may hold")
    if not options.seconds > 0:
        raise ValueError(f"--seconds must be above 0; got {options.seconds}")
    if not 0 < options.memory < float("inf"):
        raise ValueError(f"--memory must be a number of megabytes above 0; got {options.memory}")
    result = check_file(options.file, options.require, options.seconds, options.memory)
    print(json.dumps(as_json(result), indent=2) if options.json else report(result, options.show_lines))
    return 0 if result.ok else 1


def check_file(path, required=(), seconds=10, megabytes=2000):
    """Checks a file's functions, each of which may take so long and so much memory: a Result.

    Raises OSError where there is no file, ValueError for unknown names.
    """
    from numpylm.student.assignments import ASSIGNMENTS

    unknown = [name for name in required if name not in ASSIGNMENTS]
    if unknown:
        raise ValueError(f"{unknown[0]} is no function that can be checked; --list shows those that are")
    if not Path(path).is_file():
        raise FileNotFoundError(2, "there is no such file", str(path))
    found = {}
    while not run_child(path, found, seconds, megabytes):
        pass  # a child that hung or died: the next one goes on behind the function that did it
    return as_result(path, found, required)


def as_result(path, found, required=()):
    """The Result of what was said of a file's functions, by their names, and of the file itself, under ""."""
    from numpylm.student.assignments import ASSIGNMENTS

    contents = found[""]
    if contents["status"] != "ok":
        return Result(str(path), contents, {}, [])
    names = [*contents["functions"], *required, *contents["exercise"]]
    findings = {name: found.get(name) or missing(name, contents["others"]) for name in ASSIGNMENTS if name in names}
    findings |= {name: missing(name, contents["others"]) for name in names if name not in findings}
    return Result(str(path), None, findings, contents["others"])


def missing(name, others):
    """The finding on a function that is not there."""
    close = difflib.get_close_matches(name, others, 1)
    hint = f"; there is a {close[0]}: is it misspelt?" if close else ""
    return {"status": "missing", "sentences": [f"there is no function of this name in the file{hint}"]}


def run_child(path, found, seconds, megabytes):
    """Runs one child; puts what it says into found, under each function's name, and what it says of the file under "".

    Returns whether all is said; if not, the function that it had begun when it hung or died is in found as such.
    """
    process = start_child(path, megabytes, {name: finding["status"] for name, finding in found.items() if name})
    lines, current, limit = lines_of(process), "", START_SECONDS
    try:
        while True:
            message = next_message(lines, limit)
            if message is None:
                if current == "" or current not in found:  # else only its diagnosis is missing
                    found[current] = silenced(current, process, seconds)
                return current == ""
            if "begin" in message:
                current, limit = message["begin"], seconds
            elif "end" in message:
                current, limit = message.pop("end"), START_SECONDS
                found[current] = message
            if message.get("finished") or found.get("", message).get("status", "ok") != "ok":
                return True
    finally:
        process.kill()
        process.wait()


def start_child(path, megabytes, states):
    """A child process that checks all functions of the file but those whose states are known, in so much memory."""
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "PYTHONIOENCODING": "utf-8"}
    package = str(Path(__file__).resolve().parents[2])
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [package, os.environ.get("PYTHONPATH")]))
    return subprocess.Popen(
        [sys.executable, "-m", "numpylm.student.worker", str(path), str(megabytes), *map("=".join, states.items())],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment,
        text=True, encoding="utf-8",
    )  # fmt: skip


def lines_of(process):
    """A queue that a thread fills with the child's lines, and with None at their end."""
    lines = queue.Queue()

    def read():
        with process.stdout, process.stderr:
            for line in process.stdout:
                lines.put(line)
        lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    return lines


def next_message(lines, limit):
    """The child's next message; None where it says nothing in time, or has ended."""
    try:
        line = lines.get(timeout=limit)
    except queue.Empty:
        return None
    return None if line is None else json.loads(line)


def silenced(name, process, seconds):
    """The finding on what the child had begun when it fell silent: it still runs, or it has ended."""
    what = "it" if name else "the file"
    try:
        code = process.wait(timeout=1)
    except subprocess.TimeoutExpired:
        return {
            "status": "timeout",
            "sentences": [
                f"{what} was stopped after {seconds:g} seconds: is there a loop that never ends? "
                "(--seconds gives more time)"
            ],
        }
    killed = "; the system stopped it, perhaps because it took too much memory" if code < 0 else ""
    return {"status": "crash", "sentences": [f"{what} ended the whole Python process (exit status {code}){killed}"]}


def as_json(result):
    """The result as a dict for a grader: ok, how many are right, and each function's finding."""
    right = sum(finding["status"] == "ok" for finding in result.findings.values())
    counts = {"right": right, "functions": len(result.findings)}
    return {"file": result.file, "ok": result.ok} | counts | {"error": result.error, "findings": result.findings}


if __name__ == "__main__":
    import argparse

    command_line = argparse.ArgumentParser(prog="python -m numpylm check", description="Check a student's functions.")
    add_arguments(command_line)
    sys.exit(main(command_line.parse_args()))
