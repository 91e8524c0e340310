"""Checks all functions of a student's file, one after another: the Result that `numpylm check` reports."""

import contextlib
import difflib
import math
import secrets
import warnings
from pathlib import Path

import numpy as np

from numpylm.tutor.assignments import ASSIGNMENTS
from numpylm.tutor.child import Child
from numpylm.tutor.conventions import CONVENTIONS
from numpylm.tutor.examine import check_function
from numpylm.tutor.foreign import judge_unit
from numpylm.tutor.judge import File
from numpylm.tutor.pairs import called, dotted, find_units
from numpylm.tutor.result import Result, as_result
from numpylm.tutor.stop import Stop
from numpylm.tutor.units import free_unit

FAILED = "the check itself failed, with {}: {}. The fault is not yours: please report it"


def check_file(path, required=(), seconds=10, megabytes=2000, seed=None, start=Child, convention=None, named=None):
    """Checks a file's functions, each of which may take so long and so much memory: a Result.

    convention forces one of conventions.py; named, (forward, backward, shapes), is the one pair to check. seed chooses
    the random problems; without one they are new in each run. start makes the child: start(path, seconds, megabytes).
    Raises OSError where there is no file, or a folder, ValueError for unknown names or numbers.
    """
    check_arguments(path, required, seconds, megabytes, convention)
    seed = secrets.randbits(32) if seed is None else seed
    with (
        contextlib.closing(start(path, seconds, megabytes)) as child,
        warnings.catch_warnings(),
        np.errstate(all="ignore"),
    ):
        warnings.simplefilter("ignore")  # numbers that are not finite are the student's, and are told as such
        return check_contents(path, required, child, seed, convention, named)


def check_arguments(path, required, seconds, megabytes, convention=None):
    """Raises ValueError and OSError as check_file."""
    for option, value in (("--seconds", seconds), ("--memory", megabytes)):
        if not (value > 0 and math.isfinite(value)):
            raise ValueError(f"{option} must be a finite number above 0; got {value}")
    pairs = [pair for table in CONVENTIONS.values() for pair in table.pairs.items()]
    known = [*ASSIGNMENTS, "lossFun", *[name for forward, (backward, _, _) in pairs for name in (forward, backward)]]
    unknown = [name for name in required if name not in known and "." not in name]
    if convention not in (None, *CONVENTIONS):
        raise ValueError(f"--convention must be one of {', '.join(CONVENTIONS)}; got {convention}")
    if unknown:
        close = difflib.get_close_matches(unknown[0], known, 1)
        meant = f"; did you mean {close[0]}?" if close else ""
        raise ValueError(f"{unknown[0]} is no function that can be checked{meant} --list shows those that are")
    if Path(path).is_dir():
        names = ", ".join(sorted(file.name for file in Path(path).glob("*.py"))[:20]) or "there is no Python file in it"
        raise IsADirectoryError(21, f"this is a folder; check a file of it: {names}", str(path))
    if Path(path).exists() and not Path(path).is_file():
        raise ValueError(f"{path} is a pipe or a device, where a Python file belongs: copy its text into a file first")
    if not Path(path).is_file():
        raise FileNotFoundError(2, "there is no such file", str(path))


def check_contents(path, required, child, seed, convention=None, named=None):
    """Reads the file in the child, and checks each known function that it holds."""
    try:
        contents = read(child)
    except Stop as stop:
        return Result(str(path), stop.finding, {}, (), tuple(stop.finding.pop("hides", ())), seed=seed)
    contents["exercise"] = [*contents["exercise"], *required]
    contents["file"] = str(path)
    file = File(child, contents, {}, seed, {})
    for name in () if named else ASSIGNMENTS:
        if file.function(name):
            finding = check_one(file, name)
            file.states[name] = finding["status"]
            contents.setdefault("findings", {})[name] = finding
    check_units(file, convention, named)
    return as_result(path, contents, seed)


def check_units(file, convention, named):
    """Checks the forwards and backwards of other conventions."""
    found = file.contents.setdefault("findings", {})
    judged = {n for n, finding in found.items() if finding["status"] != "not checked"} if convention is None else set()
    if named:
        units = [free_unit(file.contents["functions"], *named[:2], [named[2]])]
    else:
        units, file.contents["unchecked"] = find_units(file.contents, judged, file.child, convention)
    for unit in units:
        findings = guarded(file, lambda unit=unit: judge_unit(file, unit))
        if "status" in findings:  # it stopped: this is the finding on the backward
            findings = {unit.name: {"convention": unit.convention} | findings}
        told = {n for n, finding in found.items() if "convention" not in finding and not unit.is_usual}
        found |= {n: finding for n, finding in findings.items()
                  if n not in judged and (n not in told or finding["status"] in ("ok", "wrong"))}  # fmt: skip
    drop_covered(file.contents, units, found)
    said = str(found.get("softmax", {}).get("diagnosis"))
    in_columns = any(unit.convention == "coursera" or "loss" in unit.forms for unit in units)
    in_columns = in_columns or bool(file.contents.get("unchecked"))
    if in_columns and ("first axis" in said or "all entries" in said):
        words = "it does not run along the last axis: right for columns, or for one vector at a time"
        found["softmax"] = {"status": "ok", "sentences": [words]}


def drop_covered(contents, units, found):
    """Leave out what could not be checked by itself, where a function that calls it was judged."""
    for unit in units:
        kind, _, name = unit.name.rpartition(".")
        functions = contents["classes"][kind] if kind else contents["functions"]
        if found.get(unit.name, {}).get("status") in ("ok", "wrong") or unit.places:
            inside = {dotted(kind, n) for n in called(functions, name)} | {unit.forward_name}
            for n in inside & set(found):
                if found[n]["status"] in ("not checked", "crash") and n not in contents["exercise"] and n != unit.name:
                    del found[n]


def read(child):
    """What the file holds, from a child that has just been started. Raises Stop where it cannot be read."""
    try:
        reply = child.start()
    except Stop as stop:
        sentences = [f"the file {sentence.removeprefix('it ')}" for sentence in stop.finding["sentences"]]
        raise Stop(stop.finding["status"], *sentences) from stop
    if "unreadable" in reply:
        first, *rest = reply["unreadable"]
        raise Stop("syntax", first, code=rest)
    if "contents" not in reply:
        error = reply.get("error", {})
        raise Stop("crash", f"the file cannot be read ({error.get('type')}: {error.get('text')})")
    return reply["contents"]


def check_one(file, name):
    """The finding on one function."""
    finding = guarded(file, lambda: check_function(file, name))
    if finding.get("out_of_memory"):  # what it took may still be held: the next function has all of it again
        file.child.end()
    return finding


def guarded(file, check):
    """What check() returns, or the finding where it stops. The child is started again if the last function ended it."""
    try:
        if file.child.process is None:
            read(file.child)
        file.child.left = file.child.seconds
        return check()
    except Stop as stop:
        return stop.finding
    except Exception as error:  # in the check, not in the student's code
        return {"status": "crash", "sentences": [FAILED.format(type(error).__name__, error)]}
