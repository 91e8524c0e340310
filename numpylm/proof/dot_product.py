"""The dot-product test, method="projection": ⟨gradient, v⟩ must be the derivative along v, for a random direction v.

One direction for each array, and one for all arrays together: a few evaluations, whatever the size of a model. Where a
direction crosses a kink (a ReLU at 0, a tie of a maximum), the slopes on both sides of it differ and say little of
⟨gradient, v⟩: then the entries that lie at a kink are found by halving, each is judged by its own two slopes, and the
direction by all others.
"""

from typing import NamedTuple

import numpy as np

from numpylm.proof.compared import DIGITS, EXACT, ZERO
from numpylm.proof.gradient_report import Row
from numpylm.proof.rounding import length, rounding_along

HALVINGS = 60  # measurements that are spent on finding the entries at kinks


class Judged(NamedTuple):
    """What is said of a claim along a direction: two numbers, their relative difference, whether it is wrong, and a
    sentence (or None) on why it cannot be judged."""

    claimed: float
    numeric: float
    relative_error: float
    is_wrong: bool
    complaint: str | None = None
    num_kinks: int = 0


def project(problem, claims, tolerances, rng, are_default):
    """(rows, complaints) of the dot-product test: each array along a direction of its own, then all arrays together."""
    names = list(claims)
    groups = [[name] for name in names] + ([names] if len(names) > 1 else [])
    rows, complaints = [], []
    for group in groups:
        found = project_along(problem, claims, group, tolerances, rng, are_default)
        rows.append(row(group, claims, found))
        complaints += [found.complaint] if found.complaint else []
    return rows, complaints


def row(names, claims, found):
    """One line of the report."""
    label, shape = (names[0], claims[names[0]].shape) if len(names) == 1 else ("all together", ())
    count = sum(claims[name].size for name in names)
    return Row(
        label, shape, None, found.claimed, found.numeric, found.relative_error, count,
        int(found.is_wrong), found.num_kinks, None, abs(found.numeric), None, found.complaint is not None,
    )  # fmt: skip


@np.errstate(all="ignore")
def project_along(problem, claims, names, tolerances, rng, are_default):
    """What is said of the named claims, along one random direction."""
    direction = {name: rng.standard_normal(claims[name].shape) for name in names}
    rtol, atol = (max(limits) for limits in zip(*[tolerances[name] for name in names], strict=True))
    is_exact = problem.method == "complex" and not problem.has_kink
    found = None if is_exact else problem.measured_along(direction)
    if found is not None and found.is_kink:
        return judge_at_kinks(problem, claims, direction, rtol, atol, are_default)
    return judge(problem, claims, direction, found, rtol, atol, are_default)


def judge(problem, claims, direction, found, rtol, atol, are_default):
    """What is said along a direction that crosses no kink; found is None for the complex step."""
    claimed, size = sums(claims, direction)
    numeric = float(problem.exactly_along(direction)) if found is None else found.slope
    if not np.isfinite(numeric):
        return Judged(claimed, numeric, np.nan, False, f"the function is not finite along {of(direction)}: there is no "
                      "derivative to compare with")  # fmt: skip
    problem.is_rough |= found is not None and found.is_rough
    off, largest = abs(claimed - numeric), max(abs(claimed), abs(numeric))
    # The sum's own rounding, and the curvature along a long direction, grow with the sizes of what is summed.
    scale = 1e-6 * abs(problem.value_here) if found is None else problem.size
    allowed = atol * max(scale, size) + rtol * largest + (0 if found is None else 4 * found.uncertainty)
    allowed += ZERO * length(direction) if size == 0 else 0
    noise, jumps = rounding_along(problem, direction) if off > allowed and are_default else (0.0, 0.0)
    is_hidden = off > allowed + noise
    if off > allowed + noise + jumps:
        return Judged(claimed, numeric, off / largest, True)
    nothing = EXACT.atol * max(abs(problem.value_here), size)
    if not is_hidden and (off <= nothing or (size <= nothing and off <= 1e-10 * problem.size)):
        return Judged(claimed, numeric, 0.0 if size <= nothing else off / max(largest, size), False)
    relative = off / max(largest, size, 1e-300)
    is_unsure = are_default and relative > max(DIGITS, rtol) and not problem.is_rough
    return Judged(claimed, numeric, relative, False, too_small(direction, claimed, off) if is_unsure else None)


def sums(claims, direction):
    """⟨claim, v⟩, and the sum of the magnitudes of its terms."""
    products = [claims[name] * v for name, v in direction.items()]
    return sum(float(product.sum()) for product in products), sum(float(np.abs(product).sum()) for product in products)


def of(direction):
    """What moves along a direction."""
    return f"a direction of {', '.join(direction)}"


def too_small(direction, claimed, off):
    """The sentence on a gradient that rounding hides."""
    return (
        f"along {of(direction)}, the gradient is too small to be judged: {claimed:.1e} is claimed, and what differs, "
        f"{off:.0e}, may be rounding of f: use method='central', or arguments at which the gradient is larger"
    )


def judge_at_kinks(problem, claims, direction, rtol, atol, are_default):
    """What is said along a direction that crosses a kink."""
    smooth, kinks = split_at_kinks(problem, direction)
    claimed, _ = sums(claims, direction)
    if smooth is None:
        return Judged(claimed, np.nan, np.nan, False, crossed(direction))
    for part, found in kinks:
        at, _ = sums(claims, part)
        if not found.includes(at, max(1e-6, rtol)):
            nearest = found.nearest(at)
            return Judged(at, nearest, abs(at - nearest) / max(abs(at), abs(nearest)), True, None, len(kinks))
    found = problem.measured_along(smooth)
    if found.is_kink or not any(v.any() for v in smooth.values()):
        return Judged(claimed, np.nan, np.nan, False, crossed(direction))
    return judge(problem, claims, smooth, found, rtol, atol, are_default)._replace(num_kinks=len(kinks))


def crossed(direction):
    """The sentence on a direction that cannot be freed of its kinks."""
    return (
        f"there is a kink (a ReLU at 0, a tie of a maximum, |x| at 0) on {of(direction)}, where the slopes on both "
        "sides differ: use method='central', which looks at every entry by itself"
    )


def split_at_kinks(problem, direction):
    """(the direction without the entries that lie at a kink, a list of (those entries, what was measured)); None where
    the entries are too many to be found."""
    smooth, kinks, waiting = {name: np.zeros_like(v) for name, v in direction.items()}, [], [direction]
    for _ in range(HALVINGS):
        if not waiting:
            return smooth, kinks
        part = waiting.pop()
        found = problem.measured_along(part)
        if not found.is_kink:
            smooth = {name: v + part[name] for name, v in smooth.items()}
        elif sum(np.count_nonzero(v) for v in part.values()) == 1:
            kinks.append((part, found))
        else:
            waiting += halves(part)
    return None, kinks


def halves(direction):
    """Two directions that make up one, each with a half of its entries."""
    moving = [(name, k) for name, v in direction.items() for k in np.flatnonzero(v)]
    parts = []
    for chosen in (moving[: len(moving) // 2], moving[len(moving) // 2 :]):
        part = {name: np.zeros_like(v) for name, v in direction.items()}
        for name, k in chosen:
            part[name].flat[k] = direction[name].flat[k]
        parts.append(part)
    return parts
