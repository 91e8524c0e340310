"""What a check has found of a file: the Result that is reported, and what is said of the rest of the file."""

import difflib
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from numpylm.tutor.assignments import ASSIGNMENTS


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
        is_whole = self.asked or not self.unchecked
        return not self.error and bool(self.findings) and is_whole and all(
            f["status"] == "ok" for f in self.findings.values())  # fmt: skip


def as_result(path, contents, seed):
    """The Result of what was found of a file's functions, and of what it lacks."""
    found = contents.get("findings", {})
    names = [*found, *contents["exercise"]]
    findings = {n: found.get(n) or missing(n, contents) for n in [*ASSIGNMENTS, *names] if n in names}
    return Result(str(path), None, findings, other_names(contents), tuple(contents["hides"]), notes(contents), seed,
                  contents.get("unchecked", {}), bool(contents["exercise"]), adapter(contents))  # fmt: skip


def adapter(contents):
    """The lines of a test for the first function that was found and not checked, in the file's own names."""
    name = next(iter(contents.get("unchecked", {})), None)
    if name is None or not name.replace(".", "_").isidentifier():
        return ()
    kind, _, method = name.rpartition(".")
    module = Path(contents["file"]).stem
    lines = ["from numpylm.testing import assert_gradients", f"from {module} import {kind or name}"]
    if kind:
        return (*lines, "", "def forward(x, W):  # every array that the result depends on",
                f"    layer = {kind}(W)", "    return layer.forward(x), layer", "", "def backward(dout, cache):",
                f"    dx = cache.{method}(dout)", "    return dx, cache.dW  # in the order of forward's parameters", "",
                "def test_gradients():", "    assert_gradients(forward, backward, x=(2, 3), W=(3, 5))")  # fmt: skip
    others = [other for other in other_names(contents) if other != name] or ["forward"]
    forward = (difflib.get_close_matches(name.replace("back", "for"), others, 1, 0.3) or others)[0]
    given = contents["functions"].get(forward, {}).get("parameters") or [["x", "", False]]
    shapes = ", ".join(f"{parameter}=(2, 3)" for parameter, _, has_default in given if not has_default)
    lines[1] = f"from {module} import {name}, {forward}"
    return (*lines, "", f"def test_{name}():", f"    assert_gradients({forward}, {name}, {shapes})  # the right shapes")


def other_names(contents):
    """The file's own functions that are not known, among which a misspelt one may be."""
    return [name for name, known in contents["functions"].items() if known["own"] and name not in ASSIGNMENTS]


def notes(contents):
    """Sentences on how the file was read, and on what has a known name in it and is not checked."""
    functions = contents["functions"]
    said = list(contents["notes"])
    for failed in contents["failures"]:
        used = failed.get("stand_ins", [])
        words = f"; {', '.join(sorted(used))} stand{'s' * (len(used) == 1)} for the usual one" if used else ""
        if "Error" in failed["error"] and ("Import" in failed["error"] or "ModuleNotFound" in failed["error"]):
            said.append(f"line {failed['line']} could not be run: {failed['error']}{words}")
    library = [name for name in ASSIGNMENTS if name in functions and functions[name]["kind"] == "library"]
    if library:
        said.append(f"{', '.join(library)} {'are' if len(library) > 1 else 'is'} a library's own: not checked")
    ours = [name for name in ASSIGNMENTS if name in functions and functions[name]["ours"]]
    if ours and not contents["exercise"]:
        said.append(f"{', '.join(ours)} {'are' if len(ours) > 1 else 'is'} numpylm's own: not checked")
    solutions = [path for path in contents["opened"] if "solutions" in path]
    if solutions:
        said.append(f"the file reads {solutions[0]}: what comes from there is not its own work")
    return tuple(said)


def missing(name, contents):
    """The finding on a function that is not there, or that was found and not checked."""
    if name in contents.get("unchecked", {}):
        return {"status": "not checked", "sentences": [contents["unchecked"][name]]}
    close = difflib.get_close_matches(name, other_names(contents), 1)
    hint = f"; there is a {close[0]}: is it misspelt?" if close else ""
    return {"status": "missing", "sentences": [f"there is no function of this name in the file{hint}"]}
