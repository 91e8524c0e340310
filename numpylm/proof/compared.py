"""A claimed gradient beside its numerical derivative, entry by entry: where to look again, and what to say of it."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from numpylm.proof.gradient_report import Row
from numpylm.proof.projection import find_wrong
from numpylm.proof.verdict import FLOOR, judge

SMALL = 1e-6  # of |f|: so small an entry may agree with a difference by accident


class Tolerance(NamedTuple):
    """What is forgiven: rtol of an entry's size, and atol of f's size and of the largest derivative."""

    rtol: float
    atol: float


@dataclass
class Compared:
    """One claim and its numerical derivatives. drawn, wrong and kinks are booleans; unseen says how large an error
    would not show; tolerance is what was asked for, or None."""

    name: str
    claim: np.ndarray
    numeric: np.ndarray
    drawn: np.ndarray
    wrong: np.ndarray
    kinks: np.ndarray
    unseen: np.ndarray
    tolerance: Tolerance | None
    complaint: str | None = None

    @property
    def largest(self):
        """The largest |derivative| that was measured."""
        return float(np.nanmax(np.abs(self.numeric), initial=0))

    @property
    def size(self):
        """The size of every entry: of the claim or of the derivative, whichever is larger."""
        return np.fmax(np.abs(self.claim), np.abs(self.numeric))

    @property
    def off(self):
        """How far the claim is from the derivative."""
        return np.abs(self.claim - self.numeric)


def new(name, claim, tolerance):
    """A Compared with nothing measured yet."""
    drawn, wrong, kinks = (np.zeros(claim.shape, dtype=bool) for _ in range(3))
    return Compared(name, claim, np.full(claim.shape, np.nan), drawn, wrong, kinks, np.zeros(claim.shape), tolerance)


@np.errstate(all="ignore")
def look_again(problem, each, usual, scale, method):
    """Judges one claim: by the usual tolerance, and closely where that leaves a doubt."""
    allowed = allowed_error(problem, each, usual, scale)
    doubtful = each.drawn & ~(each.off <= allowed)
    if is_strict(each):
        small = each.size < SMALL * problem.size
        doubtful |= each.drawn & (each.off > problem.visible * each.size)
        doubtful |= each.drawn & small & ((each.size > 0) | problem.is_complex_safe)
    for index in map(tuple, np.argwhere(doubtful)):
        look_at(problem, each, index, scale, method, None if is_strict(each) else allowed[index])


def is_strict(each):
    """Whether the checker may decide what is right: no tolerance was asked for, and the claim has all digits."""
    return each.tolerance is None and each.claim.dtype != np.float32


def allowed_error(problem, each, usual, scale):
    """How far every entry may be off at the first look."""
    if each.tolerance is None and not is_strict(each):  # float32 rounds by 6e-8, and a sum of large terms by more
        return 1e-3 * each.size + 1e-4 * each.largest + 1e-6 * scale
    rtol, atol = each.tolerance or usual
    return rtol * each.size + atol * max(problem.size, each.largest)


def look_at(problem, each, index, scale, method, allowed=None):
    """Takes the second look at one entry, and notes what it says."""
    claimed, first = float(each.claim[index]), each.numeric[index]
    verdict = judge(problem, problem.entry(each.name, index), claimed, scale, method, 0.0, first, allowed)
    each.drawn[index], each.numeric[index] = True, verdict.numeric
    each.wrong[index], each.kinks[index], each.unseen[index] = verdict.is_wrong, verdict.is_kink, verdict.unseen


def look_at_the_rest(problem, each, scale, method, rng):
    """Looks for a wrong entry among those that were not drawn, and draws the first that it finds."""
    rest = np.flatnonzero(~each.drawn)
    if not rest.size or each.wrong.any() or each.claim.dtype == np.float32:
        return
    found, each.complaint = find_wrong(problem, each.name, each.claim, rest, rng)
    if found is not None:
        index = tuple(map(int, np.unravel_index(found, each.claim.shape)))
        each.numeric[index] = problem.closely(each.name, index)
        allowed = None if is_strict(each) else allowed_error(problem, each, each.tolerance, scale)[index]
        look_at(problem, each, index, scale, method, allowed)


def complaint_about(problem, each):
    """A sentence on what could not be judged, or None."""
    unknown = each.drawn & ~np.isfinite(each.numeric)
    if unknown.any():
        index = np.argwhere(unknown)[0].tolist()
        return f"the function is not finite beside {each.name}{index}: there is no derivative to compare with"
    if each.kinks.any() and (each.kinks == each.drawn).all():
        return f"every entry of {each.name} lies at a kink, where any slope between two passes: nothing was proved"
    is_zero = (each.claim == 0) & (each.unseen < 1e-10 * problem.size)
    unseen = np.where(each.wrong | is_zero, 0, each.unseen)
    if unseen.max(initial=0) > problem.visible * max(np.abs(each.claim).max(initial=0), each.largest):
        return too_small(problem, each, np.unravel_index(unseen.argmax(), unseen.shape))
    return each.complaint


def too_small(problem, each, index):
    """The sentence on an entry that rounding hides."""
    entry, off = f"{each.name}{[int(k) for k in index] or ''}", max(each.off[index], min(each.unseen[index], 1e300))
    return (
        f"the gradient at {entry} is too small to be judged: {each.claim[index]:.1e} is claimed and "
        f"{each.numeric[index]:.1e} is measured, but f's value, {problem.value_here:.1e}, the argument, "
        f"{problem.arrays[each.name][index]:.1e}, or what they are added to is rounded, and an error of {off:.0e} "
        "would not show. Choose arguments at which this gradient is larger, move f nearer to zero, or write it so that "
        "the complex step can be taken (no abs, no fixed dtype)"
    )


@np.errstate(all="ignore")
def row_of(problem, each, scale):
    """One line of the report."""
    lies_between = each.kinks & ~each.wrong
    difference = np.where(lies_between, 0, each.off)
    count = (int(each.drawn.sum()), int(each.wrong.sum()), int(each.kinks.sum()))
    if not np.isfinite(difference).any() and not each.wrong.any():
        return Row(each.name, each.claim.shape, None, 0.0, 0.0, 0.0, *count, difference, 0.0, each.wrong)
    nothing = 3 * FLOOR * max(0.03 * abs(problem.value_here), scale)
    is_nothing = ~each.wrong & ((each.size <= nothing) | (each.claim == 0)) & (each.unseen == 0)
    error = np.where(is_nothing, 0, difference / np.maximum(each.size, 1e-300))
    weight = np.where(each.wrong, 1 + difference, 0) if each.wrong.any() else difference
    worst = tuple(map(int, np.unravel_index(np.nanargmax(weight), each.claim.shape)))
    return Row(
        each.name, each.claim.shape, worst, float(each.claim[worst]), float(each.numeric[worst]), float(error[worst]),
        *count, difference, each.largest, each.wrong,
    )  # fmt: skip
