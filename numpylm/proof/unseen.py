"""Of a large array only some entries are drawn: is a wrong one among the others?"""

import numpy as np

from numpylm.proof.compared import DIGITS, EXACT
from numpylm.proof.complex_safety import unit_direction
from numpylm.proof.rounding import rounding_along


def find_unseen(problem, each, scale, rng):
    """Looks for a wrong entry among those that were not drawn, and draws the first that is found.

    The derivative along a random direction over all of them must be Σ claim · direction; where it is not, one half of
    the entries is to blame, and so on: two evaluations for each halving. An entry that is found right at the end has
    been blamed for rounding; where rounding alone may be to blame for all, it is said.
    """
    unseen = np.flatnonzero(~each.drawn)
    if not unseen.size or each.claim.dtype == np.float32:
        return
    (direction,) = unit_direction(rng, [each.claim])
    if not is_wrong_along(problem, each, scale, direction, unseen):
        return
    noise, jumps = rounding_along(problem, {each.name: direction})
    if not each.claim.any() and not is_wrong_along(problem, each, scale, direction, unseen, noise):
        return  # a zero that cancellation leaves
    noise += jumps
    if not is_wrong_along(problem, each, scale, direction, unseen, noise):
        if noise > DIGITS * np.abs(each.claim * direction).sum():
            each.complaints.append(too_small(each, noise))
        return
    while len(unseen) > 1:
        half = unseen[: len(unseen) // 2]
        unseen = half if is_wrong_along(problem, each, scale, direction, half, noise) else unseen[len(unseen) // 2 :]
    index = tuple(int(k) for k in np.unravel_index(unseen[0], each.claim.shape))
    each.drawn[index], each.truth[index] = True, problem.closely(each.name, index)
    each.exact[index] = problem.is_complex_safe


def too_small(each, noise):
    """The sentence on entries that rounding hides."""
    return (
        f"the entries of the gradient of {each.name} that were not drawn are too small to be judged: along a random "
        f"direction they are seen to ±{noise:.0e} only; choose arguments at which the gradient is larger"
    )


def is_wrong_along(problem, each, scale, direction, entries, noise=0.0):
    """Whether the claim disagrees with the derivative along a direction, of which the given entries alone count, by
    more than noise."""
    v = np.zeros_like(direction)
    v.flat[entries] = direction.flat[entries]
    claimed, total = float((each.claim * v).sum()), float(np.abs(each.claim * v).sum())
    if problem.is_complex_safe:
        exact = problem.exactly_along({each.name: v})
        return not abs(claimed - exact) <= EXACT.rtol * total + EXACT.atol * scale + noise
    found = problem.measured_along({each.name: v})
    return abs(claimed - found.nearest(claimed)) > 4 * found.error + 1e-8 * max(problem.size, total) + noise
