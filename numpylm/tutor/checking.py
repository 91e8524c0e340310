"""Checks all functions of a student's file, one after another: the Result that `numpylm check` reports."""

import contextlib
import difflib
import math
import secrets
import warnings
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from numpylm.tutor.assignments import ASSIGNMENTS
from numpylm.tutor.examine import check_function
from numpylm.tutor.foreign.conventions import CONVENTIONS, USUAL
from numpylm.tutor.foreign.pairs import ALONE, dotted, find_units, forward_of
from numpylm.tutor.foreign.scopes import called, file_scope, required
from numpylm.tutor.foreign.units import free_unit
from numpylm.tutor.foreign.verdicts import judge_unit
from numpylm.tutor.judge import File
from numpylm.tutor.process.child import Child
from numpylm.tutor.process.stop import Stop, is_own_error

COLUMNS = "it does not run along the last axis: right for columns, or for one vector at a time"
FAILED = "the check itself failed, with {}: {}. The fault is not yours: please report it"


class Result(NamedTuple):
    """What was found: error, if the file could not be read, else a finding for each function that it holds or lacks."""

    file: str
    error: dict | None
    findings: dict
    others: tuple = ()  # names of functions that are not known
    hides: tuple = ()  # files that hide a module of Python's
    notes: tuple = ()  # on how the file was read, and what it holds under known names and is not checked
    seed: int = 0
    unchecked: dict = MappingProxyType({})  # name -> why, of what looks like a backward and is not checked
    asked: bool = False  # whether functions were required: then nothing else counts
    adapter: tuple = ()  # lines of a test, to be pasted, for what is not checked

    @property
    def ok(self):
        """Whether the file passes."""
        is_whole = not self.error and (self.asked or not self.unchecked)
        return is_whole and bool(self.findings) and all(f["status"] == "ok" for f in self.findings.values())


def check_file(path, required=(), seconds=10, megabytes=2000, seed=None, start=Child, convention=None, named=None):
    """Checks a file's functions, each of which may take so long and so much memory: a Result.

    convention forces one of conventions.py; named, (forward, backward, shapes), is the one pair to check. seed chooses
    the random problems; without one they are new in each run. start makes the child: start(path, seconds, megabytes).
    Raises OSError where there is no file, or a folder, ValueError for unknown names or numbers.
    """
    check_arguments(path, required, seconds, megabytes, convention)
    seed = secrets.randbits(32) if seed is None else seed
    with contextlib.closing(start(path, seconds, megabytes)) as child, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # numbers that are not finite are the student's, and are told as such
        with np.errstate(all="ignore"):
            try:
                contents = read(child)
            except Stop as stop:
                return Result(str(path), stop.finding, {}, seed=seed)
            contents["exercise"] = [*contents["exercise"], *required]
            file = File(child, contents, {}, seed, {})
            for name in () if named else ASSIGNMENTS:
                if file.function(name):
                    file.findings[name] = guarded(file, check_function, name)
            unchecked = check_units(file, convention, named)
    others = [name for name, known in contents["functions"].items() if known["own"] and name not in ASSIGNMENTS]
    found, asked = file.findings, contents["exercise"]
    names = sorted({*found, *asked}, key=[*ASSIGNMENTS, *found, *asked].index)
    findings = {name: found.get(name) or missing(name, unchecked, others) for name in names}
    return Result(str(path), None, findings, tuple(others), tuple(contents["hides"]), notes(contents), seed, unchecked,
                  bool(asked), adapter(Path(path).stem, contents, unchecked))  # fmt: skip


def check_arguments(path, required, seconds, megabytes, convention=None):
    """Raises ValueError and OSError as check_file."""
    for option, value in (("--seconds", seconds), ("--memory", megabytes)):
        if not (value > 0 and math.isfinite(value)):
            raise ValueError(f"{option} must be a finite number above 0; got {value}")
    pairs = [pair for table in CONVENTIONS.values() for pair in table.pairs.items()]
    known = [*ASSIGNMENTS, "lossFun", *[name for forward, (backward, _, _) in pairs for name in (forward, backward)]]
    if convention not in (None, *CONVENTIONS):
        raise ValueError(f"--convention must be one of {', '.join(CONVENTIONS)}; got {convention}")
    for name in [name for name in required if name not in known and "." not in name]:
        close = difflib.get_close_matches(name, known, 1)
        meant = f"; did you mean {close[0]}?" if close else ""
        raise ValueError(f"{name} is no function that can be checked{meant} --list shows those that are")
    if Path(path).is_dir():
        names = ", ".join(sorted(file.name for file in Path(path).glob("*.py"))[:20]) or "there is no Python file in it"
        raise IsADirectoryError(21, f"this is a folder; check a file of it: {names}", str(path))
    if not Path(path).exists():
        raise FileNotFoundError(2, "there is no such file", str(path))
    if not Path(path).is_file():
        raise ValueError(f"{path} is a pipe or a device, where a Python file belongs: copy its text into a file first")


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


def guarded(file, check, what):
    """What check(file, what) returns, or the finding where it stops. A child that has ended is started again."""
    try:
        if file.child.process is None:
            read(file.child)
        file.child.left = file.child.seconds
        finding = check(file, what)
        if finding.get("out_of_memory"):  # it may still be held: the next function has all of it again
            file.child.end()
        return finding
    except Stop as stop:
        return stop.finding
    except Exception as error:  # in the check, not in the student's code
        return {"status": "crash", "sentences": [FAILED.format(type(error).__name__, error)]}


def check_units(file, convention, named):
    """Checks the forwards and backwards of other conventions; name -> why, of those that are not checked.

    What was found under our own names stands, but for what is open, and for a convention that was asked for.
    """
    found, contents, own, unchecked = file.findings, file.contents, dict(file.findings), {}
    settled = {name for name, finding in own.items() if convention is None and not is_open(finding)}
    if named:
        scope = file_scope(contents)._replace(functions=contents["functions"])
        units = [free_unit(scope, *named[:2], [named[2]])]
    else:
        units, unchecked = find_units(contents, settled, file.child, convention)
        unchecked = {name: why for name, why in unchecked.items() if file.status(name) != "crash"}
        unchecked = {name: why for name, why in unchecked.items() if why != ALONE or not file.status(name)}
    for unit in units:
        findings = guarded(file, judge_unit, unit)
        findings = {unit.name: {"convention": unit.convention} | findings} if "status" in findings else findings
        if unit.unmade and findings[unit.name]["status"] not in ("ok", "wrong"):
            unchecked[unit.name] = unit.unmade
            continue
        for name, finding in findings.items():
            if name not in own or (name not in settled and replaces(unit, finding, own[name])):
                found[name] = finding
    drop_covered(contents, units, found)
    said = str(found.get("softmax", {}).get("diagnosis"))
    may_be_columns = unchecked or any(unit.convention != "cs231n" for unit in units)
    if may_be_columns and ("first axis" in said or "all entries" in said):
        found["softmax"] = {"status": "ok", "sentences": [COLUMNS]}
    return unchecked


def replaces(unit, finding, before):
    """Whether a finding in another convention takes the place of an open one under our own name."""
    is_known = finding["status"] in ("ok", "wrong") or (finding["status"] == "crash" and "loss" in unit.forms)
    is_known |= not is_open(finding) and "unknown" in before  # an error of its own
    return is_known or (unit.is_usual and before["status"] == "not checked")


def is_open(finding):
    """Whether what was found in one convention may be another's: it fails, not by an error of its own."""
    is_crash = finding["status"] == "crash" and not is_own_error(str(finding["sentences"]))
    return is_crash or finding["status"] == "not checked"


def drop_covered(contents, units, found):
    """Leave out what could not be checked by itself, where a function that calls it was judged."""
    for unit in units:
        kind, _, name = unit.name.rpartition(".")
        functions = contents["classes"][kind] if kind else contents["functions"]
        if found.get(unit.name, {}).get("status") in ("ok", "wrong") or unit.shapes:
            inside = {dotted(kind, n) for n in called(functions, name)} | {unit.forward_name}
            for n in inside & set(found) - {unit.name, *contents["exercise"]}:
                if is_open(found[n]):
                    del found[n]


def missing(name, unchecked, others):
    """The finding on a function that is not there, or that was found and not checked."""
    if name in unchecked:
        return {"status": "not checked", "sentences": [unchecked[name]]}
    close = difflib.get_close_matches(name, others, 1)
    hint = f"; there is a {close[0]}: is it misspelt?" if close else ""
    return {"status": "missing", "sentences": [f"there is no function of this name in the file{hint}"]}


def adapter(module, contents, unchecked):
    """The lines of a test for the first function that was found and not checked, in the file's own names."""
    name, functions = next(iter(unchecked), ""), contents["functions"]
    kind, _, method = name.rpartition(".")
    lines = ["from numpylm.testing import assert_gradients", f"from {module} import {kind or name}"]
    if kind:
        return (*lines, "", "def forward(x, W):  # every array that the result depends on",
                f"    layer = {kind}(W)", "    return layer.forward(x), layer", "", "def backward(dout, cache):",
                f"    dx = cache.{method}(dout)", "    return dx, cache.dW  # in the order of forward's parameters", "",
                "def test_gradients():", "    assert_gradients(forward, backward, x=(2, 3), W=(3, 5))")  # fmt: skip
    if not name.isidentifier():
        return ()
    forward = forward_of(functions, name) or "forward"
    names = required(functions[forward]) if forward in functions else ["x"]
    shapes = ", ".join(f"{parameter}=(2, 3)" for parameter in names)
    return (lines[0], f"{lines[1]}, {forward}", "", f"def test_{name}():",
            f"    assert_gradients({forward}, {name}, {shapes})  # the right shapes")  # fmt: skip


def notes(contents):
    """Sentences on how the file was read, and on what has a known name in it and is not checked."""
    said, functions = list(contents["notes"]), contents["functions"]
    for failed in contents["failures"]:
        used = failed.get("stand_ins", [])
        words = f"; {', '.join(sorted(used))} stand{'s' * (len(used) == 1)} for the usual one" if used else ""
        if failed["is_told"]:
            said.append(f"line {failed['line']} could not be run: {failed['error']}{words}")
    every = [f for some in (functions, *contents["classes"].values()) for f in some.values()]
    said += [
        f"nothing in the file makes {name}: the check takes the usual one"
        for name in USUAL
        if any(name in f["missing"] for f in every)
    ]
    known = [name for name in ASSIGNMENTS if name in functions]
    library = [name for name in known if functions[name]["kind"] == "library"]
    ours = [name for name in known if functions[name]["ours"] and not contents["exercise"]]
    for names, owner in ((library, "a library's"), (ours, "numpylm's")):
        said += [f"{', '.join(names)} {'are' if names[1:] else 'is'} {owner} own: not checked"] if names else []
    solutions = [path for path in contents["opened"] if "solutions" in path]
    return (*said, *[f"the file reads {path}: functions from there are not its own work" for path in solutions[:1]])
