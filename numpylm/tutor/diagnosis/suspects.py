"""Which single wrong line of a backward explains claimed gradients, found from the final gradients alone.

"Only this line is wrong, and all others are right" is a set of linear equations, J Δ = claim - truth, for the change Δ
of what the line assigned. A backward is linear in the gradients that come in, so one entry's unit change in a line is
one column of J, and J is exact. A line is suspect if the equations have a solution. Its value is then read as a formula
(readings.py): of two suspects the one that reads more simply is the likelier. Every result is divided by its size, so
that all count alike.
"""

import re
from functools import cache, lru_cache
from typing import NamedTuple

import numpy as np

from numpylm.tutor.case import named
from numpylm.tutor.diagnosis.mistakes import equation_of, rebuilt, source_of
from numpylm.tutor.diagnosis.readings import reading_of

LARGEST = 600  # a line with more entries than this is not solved for
STORED = ("da", "dhW")  # in the loop: what the step's last line made
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


class Suspect(NamedTuple):
    """A line that alone explains the claim: the value that it must have had, the right one, and the Reading of that;
    num_entries, how many of its entries can matter; place, how late it runs.
    """

    line: Line
    num_entries: int
    value: np.ndarray
    truth: np.ndarray
    reading: NamedTuple
    place: int

    @property
    def order(self):
        """Suspects are sorted by this: near the right line, and of few entries."""
        return self.reading.changes, self.num_entries


@cache
def watched(function):
    """(lines, source) of a function, where each line that assigns a gradient hands it to watch."""
    lines, source = [], source_of(function)
    if not ASSIGNMENT.search(source):  # all in one line
        source = re.sub(r"\n    return (.*)\n$", r"\n    da = \1\n    return da\n", source)

    def with_watch(found):
        text, added = found.group().strip(), ""
        for target in found[2].replace("_, ", "").split(", "):
            added += f"\n{found[1]}{target} = watch({function!r}, {len(lines)}, {target})"
            name, code = target.partition("[")[0], text.partition("  #")[0]
            lines.append(Line(function, len(lines), name, equation_of(text), code))
        return found.group() + added

    return lines, ASSIGNMENT.sub(with_watch, source)


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


@lru_cache(maxsize=128)
def effects(case, line, names, of_each):
    """How the named results, in one vector, change with what a line assigns: a matrix (all their entries, changes).

    of_each: with a change of 1 in each entry, so that this is the Jacobian; else with one random change of all.
    """
    right, shape = right_run(case), np.shape(right_run(case).values[line])
    size = int(np.prod(shape))
    changes = np.eye(size) if of_each else np.random.default_rng(0).standard_normal((1, size))
    results = [run(case, line, change.reshape(shape)).results for change in changes]
    columns = [flat(case, {name: after[name] - right.results[name] for name in names}) for after in results]
    return np.stack(columns, axis=1)


def flat(case, arrays):
    """The named arrays as one vector, each divided by the size of the right one."""
    sizes = {name: max(np.abs(right_run(case).results[name]).max(initial=0), 1e-300) for name in arrays}
    return np.concatenate([q.ravel() / sizes[name] for name, q in arrays.items()])


def may_be_wrong(case, line, trusted):
    """Whether a line may be the student's: of no trusted function; of a step alone, not in the loop around it."""
    inside = not case.is_step or line.function == case.step or line.quantity.startswith(("dW", "db", "dx"))
    return inside and line.function not in trusted and not line.quantity.endswith("_frozen")


def suspects(case, claims, trusted=()):
    """Every line that explains the claims alone, the likeliest first."""
    right, names, found = right_run(case), tuple(claims), []
    difference = flat(case, {name: q - right.results[name] for name, q in claims.items()})
    is_wrong = np.abs(difference) > 1e-9
    for line, values in right.values.items():
        if np.size(values) > LARGEST or not may_be_wrong(case, line, trusted):
            continue
        if not effects(case, line, names, False)[is_wrong].all():
            continue  # without a look at each entry: it does not reach all that is wrong
        J = effects(case, line, names, True)
        change, *_ = np.linalg.lstsq(J, difference, rcond=1e-10)
        if np.abs(difference - J @ change).max() <= 1e-7 * np.abs(difference).max():
            shape = np.shape(values)
            found.append(suspect(case, line, change.reshape(shape), (J != 0).any(axis=0).reshape(shape)))
    return sorted(found, key=lambda one: (one.order, -one.place))


def suspect(case, line, change, active):
    """The Suspect of a line whose values were changed by this much; active are the entries that matter."""
    wrong_run = run(case, line, change)  # what else was computed on the way to the claim
    value = np.stack(wrong_run.values[line])
    truth = value - change  # what the line would have had on that way
    reading = reading_of(case, wrong_run, line, value, truth, active)
    in_time = slice(None, None, -1) if len(value) > 1 else 0  # the loop runs backward
    place = 0 if line.quantity in STORED else list(wrong_run.values).index(line)
    return Suspect(line, int(active.sum()), value[in_time], truth[in_time], reading, place)
