"""A claimed gradient, entry by entry, against numerical derivatives: what is wrong, what could not be judged.

An entry passes by the tolerance of the method. What then remains in doubt is looked at again:

    it seems wrong            finer methods: curvature is no false alarm, a kink is no mistake, noise is neither
    it passes as very small   differences cannot see it beside f's value: the complex step can, where it is safe
    it was not drawn          of a large array only some entries are: the derivative along one random direction shows
                              whether a wrong one is among the rest, and halving that direction finds it
"""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from numpylm.proof.gradient_problem import not_complex_safe, unit_direction


class Tolerance(NamedTuple):
    """What is forgiven: rtol of the entry's size, and atol of the function's and the largest derivative's."""

    rtol: float
    atol: float


EXACT = Tolerance(1e-11, 1e-13)  # of the complex step


@dataclass
class Compared:
    """One claim, and what was measured: truth (NaN where nothing was), and where it was drawn, is a kink, is exact."""

    name: str
    claim: np.ndarray
    tolerance: Tolerance
    truth: np.ndarray = None
    drawn: np.ndarray = None
    kinks: np.ndarray = None
    exact: np.ndarray = None
    complaints: list = field(default_factory=list)

    def __post_init__(self):
        self.truth = np.full(self.claim.shape, np.nan)
        self.drawn, self.kinks, self.exact = (np.zeros(self.claim.shape, dtype=bool) for _ in range(3))

    @property
    def largest(self):
        """The largest |derivative| that was measured."""
        return float(np.nanmax(np.abs(self.truth), initial=0))

    def wrong(self, scale, exact_scale):
        """Booleans: where the claim is further from the truth than is forgiven. NaN is not wrong, but no truth."""
        size = np.maximum(np.abs(self.claim), np.abs(self.truth))
        allowed = self.tolerance.atol * max(scale, self.largest) + self.tolerance.rtol * size
        exactly = np.minimum(allowed, EXACT.atol * max(exact_scale, self.largest) + EXACT.rtol * size)
        return np.abs(self.claim - self.truth) > np.where(self.exact, exactly, allowed)


@np.errstate(over="ignore", invalid="ignore")
def compare_entries(problem, claims, tolerances, max_entries, rng, are_default):
    """A Compared for each claim. are_default: the tolerances are the checker's own, and may be made finer."""
    compared = [Compared(name, claim, tolerances[name]) for name, claim in claims.items()]
    for each in compared:
        for index in chosen_entries(each.claim.shape, max_entries, rng):
            each.drawn[index], each.truth[index] = True, problem.derivative(each.name, index)
        each.exact |= (problem.method == "complex") & are_default
    for each in compared:
        refine(problem, each, exact_scale(problem, compared))
        if are_default and problem.method != "complex" and each.claim.dtype != np.float32:
            look_closer(problem, each, exact_scale(problem, compared))
        if not wrong_entries(problem, each, compared).any():
            find_unseen(problem, each, exact_scale(problem, compared), rng, are_default)
        each.complaints += complaints_about(problem, each, are_default)
    return compared


def exact_scale(problem, compared):
    """What rounding of the complex step is measured by: the largest derivative, and a little of f's own size."""
    return max([0.03 * abs(problem.value_here), *[each.largest for each in compared]])


def wrong_entries(problem, each, compared):
    """Booleans: the wrong entries of one claim."""
    with np.errstate(over="ignore", invalid="ignore"):
        return each.wrong(problem.size, exact_scale(problem, compared))


def chosen_entries(shape, max_entries, rng):
    """Every index of an array, or max_entries random ones of a larger one."""
    size = int(np.prod(shape))
    if max_entries is None or size <= max_entries:
        return list(np.ndindex(shape))
    drawn = rng.choice(size, max_entries, replace=False)
    return [tuple(int(k) for k in np.unravel_index(flat, shape)) for flat in np.sort(drawn)]


def refine(problem, each, scale):
    """Measures the entries that seem wrong, or gave no number, again; improves truth where that shows more."""
    seems_wrong = each.wrong(problem.size, scale) | (each.drawn & ~np.isfinite(each.truth))
    for index in map(tuple, np.argwhere(seems_wrong)):
        truth, is_kink = second_opinion(problem, each.name, index, each.claim[index], each.truth[index])
        each.truth[index], each.kinks[index] = truth, is_kink


def second_opinion(problem, name, index, claimed, truth):
    """(the derivative of one entry as finer methods see it, whether it lies at a kink)."""
    slopes = problem.slopes(name, index)
    size = max(problem.size, abs(slopes.fine))
    if problem.method == "complex":
        return complex_opinion(slopes, claimed, truth, size)
    if abs(slopes.left - slopes.right) > 1e-5 * size:  # a kink at x itself, or noise
        if slopes.is_rough(size):
            problem.is_rough = True
            return slopes.coarse, False
        return slope_at_kink(slopes, claimed, size), True
    if abs(slopes.coarse - slopes.fine) <= 1e-8 * size:  # smooth over the widest step
        return slopes.fine, False
    # A kink near x, or a sharp curve: what the slopes nearest to x say holds, as exactly as rounding lets them.
    agrees = abs(claimed - slopes.near) <= 1e-8 * size or abs(claimed - slopes.right) <= 2e-7 * size
    return (claimed if agrees else slopes.near), False


def complex_opinion(slopes, claimed, truth, size):
    """The complex step's derivative, unless differences contradict it: NotComplexSafe."""
    if abs(slopes.left - slopes.right) > 1e-5 * size:
        return slope_at_kink(slopes, claimed, size), True
    is_smooth = abs(slopes.coarse - slopes.fine) <= 1e-8 * size
    differs, supports_claim = abs(slopes.fine - truth), abs(slopes.fine - claimed) < 0.01 * abs(slopes.fine - truth)
    if is_smooth and (differs > 1e-6 * size or (supports_claim and differs > 1e-9 * size)):
        raise not_complex_safe(truth, slopes.fine)
    return truth, False


def slope_at_kink(slopes, claimed, size):
    """The claim, where it lies between the slopes on both sides; else the right one."""
    low, high = sorted((slopes.left, slopes.right))
    return claimed if low - 1e-6 * size <= claimed <= high + 1e-6 * size else slopes.right


def look_closer(problem, each, scale):
    """Entries that pass only because they are small beside f's value, measured again by the complex step."""
    size = np.maximum(np.abs(each.claim), np.abs(each.truth))
    doubtful = np.abs(each.claim - each.truth) > 1e-4 * size
    doubtful &= ~each.wrong(problem.size, scale) & ~each.kinks
    for index in map(tuple, np.argwhere(doubtful)):
        if not problem.is_complex_safe:
            return
        each.truth[index], each.exact[index] = problem.exact(each.name, index), True


def find_unseen(problem, each, scale, rng, are_default):
    """Looks for a wrong entry among those that were not drawn, and draws the first that is found.

    The derivative along a random direction over all of them must be Σ claim · direction; where it is not, one half of
    the entries is to blame, and so on: two evaluations for each halving. An entry that is found right at the end has
    been blamed for rounding.
    """
    unseen = np.flatnonzero(~each.drawn)
    if not unseen.size or each.claim.dtype == np.float32:
        return
    (direction,) = unit_direction(rng, [each.claim])
    if not is_wrong_along(problem, each, scale, direction, unseen):
        return
    while len(unseen) > 1:
        half = unseen[: len(unseen) // 2]
        unseen = half if is_wrong_along(problem, each, scale, direction, half) else unseen[len(unseen) // 2 :]
    index = tuple(int(k) for k in np.unravel_index(unseen[0], each.claim.shape))
    each.drawn[index], each.truth[index] = True, problem.closely(each.name, index)
    each.exact[index] = problem.is_complex_safe and are_default


def is_wrong_along(problem, each, scale, direction, entries):
    """Whether the claim disagrees with the derivative along a direction, of which the given entries alone count."""
    v = np.zeros_like(direction)
    v.flat[entries] = direction.flat[entries]
    claimed, total = float((each.claim * v).sum()), float(np.abs(each.claim * v).sum())
    if problem.is_complex_safe:
        return not abs(claimed - problem.along(each.name, v)) <= EXACT.rtol * total + EXACT.atol * scale
    errors = [claimed - problem.along(each.name, v, epsilon) for epsilon in (None, 1e-5)]
    allowed = 1e-8 * max(problem.size, total)
    return min(map(abs, errors)) > allowed and abs(errors[0] - errors[1]) < 0.1 * abs(errors[0])  # kinks: no two agree


def complaints_about(problem, each, are_default):
    """Sentences on what could not be judged."""
    nothing = each.drawn & ~np.isfinite(each.truth)
    if nothing.any():
        index = tuple(int(k) for k in np.argwhere(nothing)[0])
        return [f"the function is not finite beside {each.name}{list(index)}: there is no derivative to compare with"]
    if each.kinks.any() and (each.kinks == each.drawn).all():
        return [f"every entry of {each.name} lies at a kink, where any slope between two passes: nothing was proved"]
    error = np.nanmax(np.abs(each.claim - each.truth), initial=0)
    is_wrong = each.wrong(problem.size, each.largest).any()
    largest = max(np.abs(each.claim).max(initial=0), each.largest)
    if are_default and each.claim.dtype != np.float32 and not is_wrong and error > 1e-2 * largest:
        return [
            f"the gradient of {each.name}, {largest:.1e} at most, is too small to be judged beside f's value, "
            f"{problem.value_here:.1e}: scale f, or write it so that the complex step can be taken (no abs, no fixed "
            "dtype)"
        ]
    return []
