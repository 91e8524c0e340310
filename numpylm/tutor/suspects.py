"""Which single wrong line explains claimed gradients, found from the final gradients alone.

A backward pass is linear in the gradients that come in, so that "only this line is wrong, and all others are right" is
a set of linear equations, J Δ = claim - truth, for the change Δ of what the line returned; J (results, entries of the
line) is exact. A line is suspect where the equations have a solution. The value that it must have returned is then
read back as a formula (formulas.py). Every result is divided by its size, so that all count alike.
"""

from typing import NamedTuple

import numpy as np

from numpylm.tutor.formulas import formula_of
from numpylm.tutor.wiretap import Line

LARGEST = 600  # a line with more entries than this is not solved for


class Suspect(NamedTuple):
    """A line that alone explains the claim: what it must have returned, how that reads as a formula, if it does, and in
    how many symbols it differs from the right line."""

    line: Line
    num_entries: int
    value: np.ndarray
    truth: np.ndarray
    formula: str
    complexity: int
    changes: int


def all_suspects(run, claims):
    """Every line that explains the claim alone."""
    difference = flat({name: claims[name] - run.truth[name] for name in claims}, claims, run)
    suspects = []
    for line, values in run.suspected.items():
        size = sum(value.size for value in values)
        if size > LARGEST or not reaches(run, line, claims, difference):
            continue
        blocks = run.jacobian(line)
        jacobian = np.concatenate([blocks[name] / run.scale(name) for name in claims])
        change, *_ = np.linalg.lstsq(jacobian, difference, rcond=1e-10)
        left = difference - jacobian @ change
        if np.abs(left).max() <= 1e-7 * np.abs(difference).max():
            suspects.append(suspect(run, line, values, change, (jacobian != 0).any(axis=0)))
    return suspects


def flat(arrays, claims, run):
    """The claimed names' arrays as one vector, each divided by its size; zero where there is none."""
    return np.concatenate([arrays[name].ravel() / run.scale(name) for name in claims])


def reaches(run, line, claims, difference):
    """Whether all entries that are wrong can be changed by a line."""
    return bool((flat(run.reach(line), claims, run).astype(bool) | (np.abs(difference) <= 1e-9)).all())


def suspect(run, line, values, change, active):
    """A Suspect: the value that the line must have returned, put into a formula."""
    directions = change.reshape(np.shape(values))
    world = run.again(line, directions)  # what else was computed on the way to the claim
    truth, value = np.stack(world.right), np.stack(world.values[line])
    formula = formula_of(world, line, value, truth, active.reshape(truth.shape))
    return Suspect(
        line,
        int(active.sum()),
        in_time(value),
        in_time(truth),
        formula.text,
        formula.complexity,
        formula.changes,
    )


def in_time(calls):
    """A line's calls in the order of time, where the loop over time, which runs backward, made several of them."""
    return calls[0] if len(calls) == 1 else calls[::-1]
