"""The second look of the gradient checker: at entries that do not pass, or only because they are small."""

from typing import NamedTuple

import numpy as np

from numpylm.proof.gradient_report import Row
from numpylm.proof.problem import Problem
from numpylm.proof.projection import find_wrong
from numpylm.proof.verdict import judge

SMALL = 1e-6  # of |f|: so small an entry may agree with a difference by accident


class Look(NamedTuple):
    """One array that is judged. largest is the largest derivative of all arrays; tolerance is (rtol, atol)."""

    problem: Problem
    row: Row
    largest: float
    method: str
    tolerance: tuple
    is_usual: bool  # no other tolerance was asked for

    @property
    def is_float32(self):
        """Whether the claim has the digits of float32 only."""
        return self.row.claim.dtype == np.float32

    @property
    def is_strict(self):
        """Whether the checker decides what is right."""
        return self.is_usual and not self.is_float32

    def allowed_error(self):
        """How far every entry may be off at the first look."""
        row, (rtol, atol) = self.row, self.tolerance
        if self.is_usual and self.is_float32:  # it rounds by 6e-8, and a sum of large terms by more
            return 1e-3 * row.size + 1e-4 * row.largest + 1e-6 * self.largest
        return rtol * row.size + atol * max(self.problem.size, row.largest)


def look_again(look):
    """Judges the entries that do not pass, or only because they are small, by the best measurement."""
    problem, row = look.problem, look.row
    passes = row.error <= look.allowed_error()
    if look.is_strict:
        is_small = (row.size < SMALL * problem.size) & ((row.size > 0) | problem.is_complex_safe)
        passes &= (row.error <= problem.visible * row.size) & ~is_small
    for index in map(tuple, np.argwhere(row.checked & ~passes)):
        judge_entry(look, index)


def judge_entry(look, index):
    """Judges one entry, and notes the verdict in the row."""
    row, allowed = look.row, None if look.is_strict else look.allowed_error()[index]
    claimed, direction = float(row.claim[index]), look.problem.entry(row.name, index)
    verdict = judge(look.problem, direction, claimed, look.largest, look.method, allowed=allowed)
    row.checked[index], row.slope[index] = True, verdict.slope
    row.wrong[index], row.kinks[index], row.unsure[index] = verdict.is_wrong, verdict.is_kink, verdict.unsure


def look_at_the_rest(look, rng):
    """Looks for a wrong entry among those that were not drawn, and judges the first that it finds."""
    problem, row = look.problem, look.row
    rest = np.flatnonzero(~row.checked)
    if not rest.size or row.wrong.any() or look.is_float32:
        return None
    found, complaint = find_wrong(problem, row.name, row.claim, rest, rng)
    if found is not None:
        index = tuple(map(int, np.unravel_index(found, row.shape)))
        row.slope[index] = problem.measured(problem.entry(row.name, index)).value
        judge_entry(look, index)
    return complaint


def complaint_about(problem, row):
    """A sentence on what could not be judged, or None."""
    unknown = row.checked & ~np.isfinite(row.slope)
    if unknown.any():
        where = np.argwhere(unknown)[0].tolist()
        return f"the function is not finite beside {row.name}{where}: there is no derivative to compare with"
    if row.kinks.any() and (row.kinks == row.checked).all():
        return f"every entry of {row.name} lies at a kink, where any slope between two passes: nothing was proved"
    is_zero = (row.claim == 0) & (row.unsure < 1e-10 * problem.size)
    unsure = np.where(row.wrong | is_zero, 0, row.unsure)
    if unsure.max(initial=0) <= problem.visible * max(np.abs(row.claim).max(initial=0), row.largest):
        return None
    index = np.unravel_index(unsure.argmax(), unsure.shape)
    return (
        f"the gradient at {row.name}{[int(k) for k in index] or ''} is too small to be judged: {row.claim[index]:.1e} "
        f"is claimed and {row.slope[index]:.1e} is measured, but f's value, {problem.value_here:.1e}, and its parts "
        "are rounded. Choose arguments at which this gradient is larger, move f nearer to zero, or write f so that the "
        "complex step can be taken (no abs, no fixed dtype)"
    )
