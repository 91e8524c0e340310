"""Our backward, line by line: what each line assigns, and what changes when one line's values do.

A backward is linear in the gradients that come in. So one entry's unit change in a line is one column of an exact
Jacobian, of all that is returned with respect to what that line assigns.
"""

import re
from functools import cache, lru_cache
from typing import NamedTuple

import numpy as np

from numpylm.tutor.case import named
from numpylm.tutor.mistakes import equation_of, rebuilt, source_of

ASSIGNMENT = re.compile(r"^( +)((?:_, )*d\w*(?:\[\w+\])?(?:, d\w*)*) [-+]?= (?!np\.empty)(.*?)(?:  #.*)?$", re.M)


class Line(NamedTuple):
    """One quantity that a line of our source assigns; number is its place in the function."""

    function: str
    number: int
    quantity: str
    equation: str
    source: str


class Run(NamedTuple):
    """results: name -> array, of all that can be claimed. values: Line -> what it assigned, call by call."""

    results: dict
    values: dict


@cache
def watched(function, number=None):
    """(lines, source) of a function, where each line that assigns a gradient hands it to watch; or one line alone."""
    lines, source = [], source_of(function)
    if not ASSIGNMENT.search(source):  # all in one line
        source = re.sub(r"\n    return (.*)\n$", r"\n    da = \1\n    return da\n", source)

    def with_watch(found):
        indent, targets, _ = found.groups()
        added = ""
        for target in targets.replace("_, ", "").split(", "):
            text = found.group().strip()
            lines.append(
                Line(function, len(lines), target.partition("[")[0], equation_of(text), text.partition("  #")[0])
            )
            if number in (None, len(lines) - 1):
                added += f"\n{indent}{target} = watch({function!r}, {len(lines) - 1}, {target})"
        return found.group() + added

    return lines, ASSIGNMENT.sub(with_watch, source)


def lines_of(case):
    """All lines of a case's function and, of a cell's, of its step."""
    return [line for name in (case.function, case.step) if name for line in watched(name)[0]]


def run(case, line=None, change=None):
    """The Run of a case; with a line, change (calls, ·) is added to what this line assigns."""
    values = {}

    def watch(function, number, value):
        here = watched(function)[0][number]
        if isinstance(value, np.ndarray):
            calls = values.setdefault(here, [])
            if here is line:
                value = value + change[len(calls)]
            calls.append(value.copy())
        return value

    sources = {name: watched(name)[1] for name in (case.function, case.step) if name}
    result = rebuilt(case.function, sources, {"watch": watch})(**case.arguments)
    return Run(named(case, result), values)


@lru_cache(maxsize=8)
def right_run(case):
    """The Run of our own function."""
    return run(case)


@lru_cache(maxsize=64)
def reach(case, line, names):
    """Name -> what changes in each named result when a line's values are moved at random: 0 where nothing does."""
    rng = np.random.default_rng(0)
    return moved(case, line, rng.standard_normal(np.shape(right_run(case).values[line])), names)


@lru_cache(maxsize=64)
def jacobian(case, line, names):
    """How each entry of what a line assigns moves the named results: the matrix (all their entries, entries)."""
    shape, columns = np.shape(right_run(case).values[line]), []
    for entry in range(int(np.prod(shape))):
        unit = np.zeros(shape)
        unit.flat[entry] = 1
        columns.append(np.concatenate([q.ravel() for q in moved(case, line, unit, names).values()]))
    return np.stack(columns, axis=1)


def moved(case, line, change, names):
    """Name -> how each named result changes when a line's values do."""
    changes, before = iter(change), right_run(case).results
    _, source = watched(line.function, line.number)
    function = rebuilt(case.function, {line.function: source}, {"watch": lambda f, n, value: value + next(changes)})
    arguments = dict(case.arguments)
    if "keep_steps" in arguments:
        arguments["keep_steps"] = any(name in before and name not in case.outputs for name in names)
    after = named(case, function(**arguments))
    return {name: after[name] - before[name] for name in names}
