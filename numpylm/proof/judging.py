"""The second look of the gradient checker: is a claimed slope right? One rule, for one entry and along a direction.

The slope is measured by the complex step if f allows that and differences agree, or else by differences of many steps
(slopes.py), which say how far they may be off. Then the claim is

    right         if it agrees to 7 digits (by method="complex" to 11), or lies between the two slopes of a kink
    wrong         if it is further off than the error of the measurement plus the rounding of a right backward pass
    not proved    in between: rounding hides the slope

A right backward pass rounds too. It may be off by a few units in the last place of the largest derivative, times the
size of the arguments, by the last digits of f, and by what f's value jumps when its arguments move smoothly: its noise.
"""

from typing import NamedTuple

import numpy as np

from numpylm.proof.slopes import EPS

EXACT = 1e-11  # relative agreement with the complex step, by method="complex" and "projection"
CLOSE = 1e-7  # relative agreement with any other measurement
UNNOTICED = 1e-10  # a larger error must be named, even beside a much larger derivative
LARGE = 1e-7  # of the largest derivative: so large an error is no rounding
SMALL = 1e-6  # of |f|: so small an entry may agree with a difference by accident
PRECISION = "the gradient of {} has the precision of float32 only: a buffer of a fixed dtype is hidden in it"


class Verdict(NamedTuple):
    """slope is what was measured; unsure says how large an error the measurement would not show."""

    slope: float
    is_wrong: bool = False
    is_kink: bool = False
    unsure: float = 0.0


@np.errstate(all="ignore")
def judge(problem, direction, claimed, largest, method, terms=0.0):
    """The Verdict on a claimed slope along a direction.

    largest is the largest derivative that was measured anywhere; terms is Σ |claim · direction|.
    """
    slope, error, found = measure(problem, direction, claimed, largest, method)
    if not np.isfinite(slope):
        return Verdict(np.nan)
    if found and found.is_kink:
        return Verdict(found.nearest(claimed), not found.includes(claimed), True)
    off, size = abs(claimed - slope), max(abs(claimed), abs(slope), terms)
    rtol = EXACT if error == 0 and method in ("complex", "projection") else CLOSE
    allowed = (rtol + 10 * problem.precision) * size
    if off <= max(allowed, 16 * EPS * min(1, largest)):
        return Verdict(slope, unsure=error)
    noise = noise_along(problem, found)
    rounding = EPS * (8 * problem.reach * max(largest, terms) + 16 * abs(problem.value_here)) + noise
    if off > allowed + error + rounding:
        return Verdict(slope, True)
    if off <= problem.visible * size or claimed == 0:
        return Verdict(slope, unsure=error)
    return Verdict(slope, unsure=np.inf if off > max(error, noise, UNNOTICED) else max(error, off))


def measure(problem, direction, claimed, largest, method):
    """(the slope, 0 or how far it may be off, the Slope by many steps or None if the complex step was enough)."""
    exact = problem.exact(direction)
    off = abs(claimed - exact)
    if method == "projection" and off <= EXACT * abs(exact):
        return exact, 0.0, None
    apart = abs(problem.difference(direction) - exact)  # at a kink this is large
    is_right = off <= EXACT * abs(exact) and apart <= 1e-2 * max(abs(exact), 1e-6 * problem.size)  # two calls, not 65
    if is_right or (off > LARGE * max(1, largest) and apart < 0.1 * off):  # no kink could explain so much
        return exact, 0.0, None
    found = problem.measured(direction)
    is_no_better = found.is_flat or found.error == np.inf
    if np.isfinite(exact) and not found.is_kink and (found.includes(exact, 1e-9) or is_no_better):
        return exact, 0.0, found
    return found.value, 4 * found.error, found


def noise_along(problem, found):
    """How far a right gradient may be off because f's value jumps. What does not move f at all may hide in the rounding
    of a sum: then the noise along random directions counts."""
    if not found:
        return 0.0
    return 16 * max([found.noise, *[slope.noise for _, slope in problem.samples if found.is_flat]])


def look_again(problem, row, largest, method, usual, allowed, rng):
    """Judge the entries of a row that do not pass, those that pass because they are small, and those not drawn.

    largest is the largest derivative of all arrays; usual is the method's (rtol, atol); allowed is what the caller
    allows beside the rule. Return a list with a complaint, or an empty one.
    """
    is_small = (row.size < SMALL * problem.size) & ((row.size > 0) | problem.is_complex_safe)
    passes = row.error <= tolerated(usual, row.size, max(problem.size, row.largest))
    passes &= (row.error <= problem.visible * row.size) & ~is_small
    passes |= row.error <= forgiven(problem, row, largest, allowed)
    for index in map(tuple, np.argwhere(row.checked & ~passes)):
        judge_entry(problem, row, index, largest, method)
    rest, complaint = np.flatnonzero(~row.checked), None
    if rest.size and not row.wrong.any() and row.claim.dtype != np.float32:
        found, complaint = find_wrong(problem, row.name, row.claim, rest, rng)
        if found is not None:
            judge_entry(problem, row, tuple(map(int, np.unravel_index(found, row.shape))), largest, method)
    row.wrong &= row.error > forgiven(problem, row, largest, allowed)
    complaint = complaint_about(problem, row) or complaint
    return [complaint] if complaint else []


def tolerated(tolerance, size, unit):
    """rtol · size + atol · unit."""
    rtol, atol = tolerance
    return rtol * size + atol * unit


def forgiven(problem, row, largest, allowed):
    """How far each entry may be off, whatever the rule says; -1: not at all. float32 rounds by 6e-8, a sum by more."""
    if allowed:
        return tolerated(allowed, row.size, max(problem.size, row.largest))
    return 1e-3 * row.size + 1e-4 * row.largest + 1e-6 * largest if row.claim.dtype == np.float32 else -1.0


def judge_entry(problem, row, index, largest, method):
    """Judge one entry, and note the verdict in the row."""
    verdict = judge(problem, problem.entry(row.name, index), float(row.claim[index]), largest, method)
    row.checked[index], row.slope[index] = True, verdict.slope
    row.wrong[index], row.kinks[index], row.unsure[index] = verdict.is_wrong, verdict.is_kink, verdict.unsure


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


def judge_along(problem, claims, direction):
    """The dot-product test: (the Verdict along a direction, Σ claim · v, the sum of its terms' sizes)."""
    with np.errstate(over="ignore"):
        products = [claims[name] * v for name, v in direction.items()]
        claimed, terms = sum(float(q.sum()) for q in products), sum(float(abs(q).sum()) for q in products)
    largest = max(terms, *[np.abs(claim).max(initial=0) for claim in claims.values()])
    return judge(problem, direction, claimed, largest, "projection", terms), claimed, terms


def complaint_along(problem, names, verdict, claimed, terms):
    """A sentence on what cannot be judged along a direction, or None."""
    along = f"along a direction of {names}"
    if not np.isfinite(verdict.slope):
        return f"the function is not finite {along}: there is no derivative to compare with"
    if verdict.is_kink:
        return (
            f"there is a kink (a ReLU at 0, a tie of a maximum, |x| at 0) {along}, where the slopes on both sides "
            "differ: use method='central', which looks at every entry by itself"
        )
    if verdict.unsure > problem.visible * max(abs(claimed), terms) and not verdict.is_wrong:
        return (
            f"{along}, the gradient is too small to be judged: {claimed:.1e} is claimed, and f rounds as much: use "
            "method='central', or arguments at which the gradient is larger"
        )
    return None


def find_wrong(problem, name, claim, candidates, rng):
    """(the flat index of a wrong entry among many candidates or None, a complaint or None).

    Test all candidates along one random direction. If that is wrong, test one half of them, and so on.
    """
    direction = rng.standard_normal(claim.shape)
    direction /= np.sqrt((direction**2).sum())

    def judged(entries):
        v = np.zeros_like(direction)
        v.flat[entries] = direction.flat[entries]
        return judge_along(problem, {name: claim}, {name: v})

    verdict, *sums = judged(candidates)
    if verdict.is_kink or not np.isfinite(verdict.slope):
        return None, None
    if not verdict.is_wrong:
        return None, complaint_along(problem, f"the entries of {name} that were not drawn", verdict, *sums)
    while len(candidates) > 1:
        half = candidates[: len(candidates) // 2]
        candidates = half if judged(half)[0].is_wrong else candidates[len(half) :]
    return candidates[0], None


def float32_complaints(problem, claims):
    """Complaints about claims that went through float32 although their argument is float64."""
    return [
        PRECISION.format(name)
        for name, claim in claims.items()
        if problem.dtypes[name] == np.float64 and (claim.dtype == np.float32 or is_rounded(problem, name, claim))
    ]


def is_rounded(problem, name, claim):
    """Whether a float64 claim holds float32 numbers only, and its largest entry that is no round number, such as 0.75,
    is off as much as float32 rounds."""
    with np.errstate(over="ignore"):
        digits = np.frexp(claim)[0] * 2**16
        if claim.dtype.kind != "f" or (claim != claim.astype(np.float32)).any() or (digits == np.rint(digits)).all():
            return False
    index = np.unravel_index(np.argmax(np.abs(claim) * (digits != np.rint(digits))), claim.shape)
    slope = problem.measured(problem.entry(name, index)).value
    return max(3e-9 * abs(claim[index]), 1e-15) < abs(claim[index] - slope) < 1e-5 * abs(claim[index])
