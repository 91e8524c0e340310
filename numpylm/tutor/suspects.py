"""Which single wrong line explains claimed gradients, found from the final gradients alone.

"Only this line is wrong, and all others are right" is a set of linear equations, J Δ = claim - truth, for the change Δ
of what the line assigned; the Jacobian J is exact (lines.py). A line is suspect if the equations have a solution. Its
value is then read as a formula (formulas.py). Every result is divided by its size, so that all count alike.
"""

from typing import NamedTuple

import numpy as np

from numpylm.tutor.formulas import formula_of
from numpylm.tutor.lines import Line, jacobian, lines_of, reach, right_run, run

LARGEST = 600  # a line with more entries than this is not solved for
STORED = ("da", "dhW")  # in the loop: what the step's last line made
PACKED = ("da_t", "dhW_t", "da", "dhW")  # several gates side by side


class Suspect(NamedTuple):
    """A line that alone explains the claim: the value that it must have had, and how that reads as a formula, if it
    does; changes, as a Formula's; num_entries, how many of its entries can matter; place, how early it runs.
    """

    line: Line
    num_entries: int
    value: np.ndarray
    truth: np.ndarray
    formula: str
    length: int
    changes: int
    place: int

    @property
    def order(self):
        """Suspects are sorted by this: readable, near the right line, of few entries, short, late in the run."""
        return not self.formula, self.changes, self.num_entries, self.length, self.place


def suspected(case, trusted):
    """The lines that may be wrong: none of a trusted function; of a step alone, none of the loop around it."""
    lines = [line for line in lines_of(case) if line in right_run(case).values and line.function not in trusted]
    if case.is_step:
        lines = [line for line in lines if line.function == case.step or line.quantity.startswith(("dW", "db", "dx"))]
    return [line for line in lines if not line.quantity.endswith("_frozen")]


def suspects(case, claims, trusted=()):
    """Every line that explains the claims alone, the likeliest first."""
    difference = flat({name: q - right_run(case).results[name] for name, q in claims.items()}, case, claims)
    sizes = np.concatenate([np.full(q.size, scale(case, name)) for name, q in claims.items()])
    found = []
    for line in suspected(case, trusted):
        shape = np.shape(right_run(case).values[line])
        if np.prod(shape) > LARGEST or not reaches(case, line, claims, difference):
            continue
        J = jacobian(case, line, tuple(claims)) / sizes[:, None]
        change, *_ = np.linalg.lstsq(J, difference, rcond=1e-10)
        if np.abs(difference - J @ change).max() <= 1e-7 * np.abs(difference).max():
            found.append(suspect(case, line, change.reshape(shape), (J != 0).any(axis=0).reshape(shape)))
    found.sort(key=lambda one: one.order)
    if found and found[0].line.quantity not in PACKED:  # all gates together explain what one of them does
        found = [one for one in found if one.line.quantity not in PACKED]
    return found


def suspect(case, line, change, active):
    """The Suspect of a line whose values were changed by this much."""
    world = run(case, line, change)  # what else was computed on the way to the claim
    value = np.stack(world.values[line])
    truth = value - change  # what the line would have had on that way
    formula = formula_of(case, world, line, value, truth, active)
    in_time = slice(None, None, -1) if len(value) > 1 else 0  # the loop runs backward
    return Suspect(
        line, int(active.sum()), value[in_time], truth[in_time], formula.text, formula.length, formula.changes,
        -list(world.values).index(line) if line.quantity not in STORED else 0,
    )  # fmt: skip


def flat(arrays, case, names):
    """The named arrays as one vector, each divided by its size."""
    return np.concatenate([arrays[name].ravel() / scale(case, name) for name in names])


def scale(case, name):
    """The size that rounding of one result is measured by."""
    return max(np.abs(right_run(case).results[name]).max(initial=0), 1e-300)


def reaches(case, line, names, difference):
    """Whether a line can change all entries that are wrong."""
    return bool((flat(reach(case, line, tuple(names)), case, names).astype(bool) | (np.abs(difference) <= 1e-9)).all())
