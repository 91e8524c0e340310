"""A claimed gradient, entry by entry, against numerical derivatives: what is wrong, what could not be judged.

An entry passes by the tolerance of the method. What then remains in doubt is looked at again, by the complex step where
it is safe, else by differences at the function's own scale (own_scale.py), which say how far they can be trusted:

    it seems wrong            curvature is no false alarm, a kink is no mistake, noise is neither
    it passes as very small   the tolerance is that of f's value, beside which it may be nothing
    the function bends        over the method's step, so that its difference is not the derivative
    it was not drawn          of a large array only some entries are: the derivative along one random direction shows
                              whether a wrong one is among the rest, and halving that direction finds it
"""

import numpy as np

from numpylm.proof.compared import DIGITS, FLOAT32, SMALL, ZERO, Compared
from numpylm.proof.complex_safety import not_complex_safe
from numpylm.proof.rounding import forgive_rounding, lost_entries
from numpylm.proof.unseen import find_unseen


@np.errstate(all="ignore")
def compare_entries(problem, claims, tolerances, max_entries, rng, are_default):
    """A Compared for each claim. are_default: the tolerances are the checker's own, and may be made finer."""
    compared = [
        Compared(name, claim, tolerances[name], are_default and claim.dtype != np.float32)
        for name, claim in claims.items()
    ]
    for each in compared:
        for index in chosen_entries(each.claim.shape, max_entries, rng):
            each.drawn[index] = True
            each.truth[index], each.bends[index] = problem.first_look(each.name, index)
        each.exact |= (problem.method == "complex") & are_default
        each.bends |= each.drawn & (problem.method == "complex") & problem.has_kink  # it takes one of two slopes
    for each in compared:
        for index in map(tuple, np.argwhere(is_doubtful(problem, each, exact_scale(problem, compared)))):
            look_again(problem, each, index)
        forgive_rounding(problem, each, wrong_entries(problem, each, compared))
        if not wrong_entries(problem, each, compared).any():
            find_unseen(problem, each, exact_scale(problem, compared), rng)
            forgive_rounding(problem, each, wrong_entries(problem, each, compared))
        each.complaints += complaints_about(each, problem, compared)
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


def is_doubtful(problem, each, scale):
    """Booleans: the entries to be looked at again."""
    doubtful = each.wrong(problem.size, scale) | each.bends | (each.drawn & ~np.isfinite(each.truth))
    if each.is_strict and problem.method != "complex":
        visible = 0 if problem.is_complex_safe else 1e-8 * each.largest
        doubtful |= (each.off > DIGITS * each.size) & (each.off > visible)
        few_digits = each.size if problem.is_complex_safe else np.where(each.size > 0, each.largest, np.inf)
        doubtful |= each.drawn & (few_digits < SMALL * problem.size)  # the difference may agree by accident
    return doubtful


def look_again(problem, each, index):
    """Measures one entry closely, and notes the truth, its error, and whether there is a kink."""
    claimed, first = each.claim[index], each.truth[index]
    exact = problem.exact(each.name, index) if problem.is_complex_safe else np.nan
    if not each.bends[index] and is_settled(problem, each, index, exact):
        each.truth[index], each.exact[index] = exact, True
        return
    found = problem.measured(each.name, index)
    if problem.method == "complex" and found.contradicts(first) and not found.is_flat:
        raise not_complex_safe(first, found.slope)
    each.exact[index] = not found.is_kink and (found.includes(exact, 1e-9) or (found.is_flat and np.isfinite(exact)))
    each.truth[index] = exact if each.exact[index] else found.nearest(claimed)
    each.error[index] = 0 if each.exact[index] else found.uncertainty
    problem.is_rough |= found.is_rough and not each.exact[index]
    each.kinks[index], each.accepted[index] = found.is_kink, found.is_kink and found.includes(claimed)


def is_settled(problem, each, index, exact):
    """Whether the complex step needs no further look: the claim agrees with it, or a difference speaks for it too."""
    off = abs(each.claim[index] - exact)
    if problem.method == "complex":
        return abs(problem.difference(each.name, index) - exact) < 0.1 * off
    return off <= DIGITS * abs(exact) or abs(each.truth[index] - exact) < 0.1 * off


def complaints_about(each, problem, compared):
    """Sentences on what could not be judged."""
    nothing = each.drawn & ~np.isfinite(each.truth)
    if nothing.any():
        index = tuple(int(k) for k in np.argwhere(nothing)[0])
        return [f"the function is not finite beside {each.name}{list(index)}: there is no derivative to compare with"]
    if each.kinks.any() and (each.kinks == each.drawn).all():
        return [f"every entry of {each.name} lies at a kink, where any slope between two passes: nothing was proved"]
    unsure = unsure_by(each, problem, exact_scale(problem, compared))
    unsure = np.where(each.kinks | wrong_entries(problem, each, compared), 0, unsure)
    largest = max(np.abs(each.claim).max(initial=0), each.largest)
    if each.is_strict and unsure.max(initial=0) > DIGITS * largest:
        index = tuple(int(k) for k in np.unravel_index(unsure.argmax(), unsure.shape))
        return [cannot_judge(each, problem, index, largest, unsure[index])]
    lost = lost_entries(problem, each, each.zero(exact_scale(problem, compared)))
    for index in lost:
        each.hidden[index] = True
    if lost:
        return [not_judged(each, lost, exact_scale(problem, compared))]
    return (
        [few_digits(each)]
        if is_hidden_by_float32(each, compared) and not wrong_entries(problem, each, compared).any()
        else []
    )


def is_hidden_by_float32(each, compared):
    """Whether a claim in float32 passed only because it is small beside f, all of it, and is off by much."""
    off, largest = float(np.nanmax(each.off, initial=0)), float(np.nanmax(each.size, initial=0))
    overall = max(other.largest for other in compared)
    return each.tolerance == FLOAT32 and off > 1e-2 * largest and off > 1e-6 * overall and not each.kinks.any()


def few_digits(each):
    """The sentence on a claim in float32 that is small beside f."""
    return (
        f"the gradient of {each.name}, {np.nanmax(each.size):.1e} at most, is too small beside f to be judged in "
        f"float32: it is off by up to {np.nanmax(each.off):.0e}; compute it in float64"
    )


def not_judged(each, lost, scale):
    """The sentence on entries that are too small beside others."""
    index = ", ".join(map(str, lost[0]))
    others = f" and {len(lost) - 1} more" if len(lost) > 1 else ""
    return (
        f"{each.name}[{index}]{others} not judged: {each.claim[lost[0]]:.1e} is claimed and {each.truth[lost[0]]:.1e} "
        f"is seen, which is nothing beside the largest derivative or f, {scale:.1e}: scale the arguments, or check "
        "these entries by themselves"
    )


def unsure_by(each, problem, scale):
    """How far each entry's truth may be off, 0 where claim and truth are both zero as far as can be seen."""
    error = 4 * np.nan_to_num(each.error, posinf=0)  # a rough function has a sentence of its own
    zero, least = each.zero(scale), np.where(each.claim == 0, ZERO, 0)
    is_forgiven = (each.size > 3 * zero) & (each.off > DIGITS * each.size) & (each.off > np.maximum(error, least))
    forgiven = np.where(is_forgiven & ~np.isinf(each.error), np.maximum(zero, each.off), 0)
    error = np.where((each.claim == 0) & (error < 1e-10 * problem.size) & ~each.hidden, 0, error)
    return np.maximum(forgiven, error)


def cannot_judge(each, problem, index, largest, error):
    """The sentence on a gradient that rounding hides."""
    value, entry = f"{problem.value_here:.1e}", f"{list(index) or ''}, {problem.arrays[each.name][index]:.1e}"
    seen = f"the gradient of {each.name}, {largest:.1e} at most, is too small to be judged"
    seen, entry = f"{seen}: it is seen to ±{error:.0e} only", each.name + entry
    if each.exact[index]:
        return (
            f"{seen}, because what f, {value}, is computed from is rounded, at {entry}, and so is any backward pass "
            "(y - 1 is, to 1e-16): choose arguments at which the gradient is larger"
        )
    return (
        f"{seen}, because f's value, {value}, and {entry}, are rounded: scale f or move it nearer to zero, "
        "or write it so that the complex step can be taken (no abs, no fixed dtype)"
    )
