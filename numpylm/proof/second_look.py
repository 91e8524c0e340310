"""The second look of the gradient checker: at entries that do not pass, or only because they are small, and at those
that were not drawn. The latter are judged together, along one random direction."""

import numpy as np

from numpylm.proof.verdict import judge

SMALL = 1e-6  # of |f|: so small an entry may agree with a difference by accident
PRECISION = "the gradient of {} has the precision of float32 only: a buffer of a fixed dtype is hidden in it"


def look_again(problem, row, largest, method, tolerance, is_usual, rng):
    """Judge the doubtful entries of a row; return a list with a complaint, or an empty one.

    largest is the largest derivative of all arrays. tolerance is (rtol, atol); is_usual says whether nobody asked for
    another one: then a claim is right where the checker's own rule says so.
    """
    is_float32 = row.claim.dtype == np.float32
    allowed = allowed_error(problem, row, largest, tolerance, is_usual and is_float32)
    passes = row.error <= allowed
    if is_usual and not is_float32:
        is_small = (row.size < SMALL * problem.size) & ((row.size > 0) | problem.is_complex_safe)
        passes &= (row.error <= problem.visible * row.size) & ~is_small
        allowed = None
    for index in map(tuple, np.argwhere(row.checked & ~passes)):
        judge_entry(problem, row, index, largest, method, None if allowed is None else allowed[index])
    rest, complaint = np.flatnonzero(~row.checked), None
    if rest.size and not row.wrong.any() and not is_float32:
        found, complaint = find_wrong(problem, row.name, row.claim, rest, rng)
        if found is not None:
            index = tuple(map(int, np.unravel_index(found, row.shape)))
            row.slope[index] = problem.measured(problem.entry(row.name, index)).value
            if allowed is not None:
                allowed = allowed_error(problem, row, largest, tolerance, False)[index]
            judge_entry(problem, row, index, largest, method, allowed)
    complaint = complaint_about(problem, row) or complaint
    return [complaint] if complaint else []


def allowed_error(problem, row, largest, tolerance, is_float32):
    """How far every entry may be off at the first look. float32 rounds by 6e-8, and a sum of large terms by more."""
    rtol, atol = tolerance
    if is_float32:
        return 1e-3 * row.size + 1e-4 * row.largest + 1e-6 * largest
    return rtol * row.size + atol * max(problem.size, row.largest)


def judge_entry(problem, row, index, largest, method, allowed):
    """Judge one entry, and note the verdict in the row."""
    verdict = judge(problem, problem.entry(row.name, index), float(row.claim[index]), largest, method, allowed=allowed)
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


def judge_along(problem, claims, direction, tolerance=None):
    """The dot-product test: (the Verdict along a direction, Σ claim · v, the sum of its terms' sizes)."""
    with np.errstate(over="ignore"):
        products = [claims[name] * v for name, v in direction.items()]
        claimed, terms = sum(float(q.sum()) for q in products), sum(float(abs(q).sum()) for q in products)
        allowed = tolerance and tolerance[1] * max(problem.size, terms) + tolerance[0] * max(abs(claimed), terms)
    largest = max(terms, *[np.abs(claim).max(initial=0) for claim in claims.values()])
    return judge(problem, direction, claimed, largest, "projection", terms, allowed), claimed, terms


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
