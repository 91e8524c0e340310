"""How far a right gradient may be off because the computation is rounded, and not because it is wrong.

Two things show it, and both are measured at the given arguments:

    quantum    by how much f's value jumps. log(1 + e^-30) does so by 2e-16, since 1 + … is rounded, and a backward pass
               that has y - 1 in it is rounded by as much; a sum of x - mean(x) by the last digits of its terms.
    wobble     how much the derivative by the complex step changes when every argument changes in its last place: of
               x - mean(x), of which all digits but the last may cancel, nearly nothing is sure.

A claim that is off by less than these is not wrong; where they are not small beside the gradient, nothing is proved.
"""

import numpy as np

from numpylm.proof.numerical import derivative, directional_derivative
from numpylm.proof.own_scale import noise_of, rounding

EPS = np.finfo(float).eps
RATIO = 4
NUDGES = 4
FEW = 4  # steps that change the last digits of the arguments only
MANY, FEW_DIGITS = 100, 1e-2  # entries that are looked at because they are tiny, and what is forgiven there
BIG = 1e-4  # of the largest derivative: what is off by more is no matter of rounding, and need not be looked at


def forgive_rounding(problem, each, wrong):
    """Adds to the errors of a Compared, at the entries that seem wrong, what rounding alone may have done. Where f's
    value jumps past the gradient, not even a zero is proved: these are hidden.
    """
    little = wrong & (each.off < BIG * max(1.0, each.largest))
    if not each.is_strict or not little.any():
        return
    error, jumps = np.zeros(each.claim.shape), jump(problem, [each.name])
    if problem.is_complex_safe:
        error[little] = cancellation(problem, [each.name])
        for index in map(tuple, np.argwhere(little)):
            error[index] += wobble(problem, each.name, index)
    each.hidden = little & (each.off > 4 * error)
    error += np.where(little, jumps, 0)
    each.error = np.where(little, np.nan_to_num(each.error, nan=0.0, posinf=np.inf) + error, each.error)


@np.errstate(all="ignore")
def lost_entries(problem, each, zero):
    """Indices of entries that passed only because they are nothing beside the largest, and are off, as the complex step
    sees, by more than rounding explains. A claim of zero is not among them: there it is what one would have rounded to.
    """
    if not each.is_strict or not problem.is_complex_safe:
        return []
    passed = each.drawn & (each.claim != 0) & (each.size <= 3 * zero) & ~each.kinks & ~each.accepted
    return [index for index in map(tuple, np.argwhere(passed)[:MANY]) if is_off(problem, each, index)]


def is_off(problem, each, index):
    """Whether one claimed derivative differs from the complex step's in its first digits, and not by rounding."""
    exact = problem.exact(each.name, index)
    off = abs(each.claim[index] - exact)
    if not off > max(FEW_DIGITS * max(abs(each.claim[index]), abs(exact)), 16 * EPS):
        return False
    return bool(off > 16 * wobble(problem, each.name, index))


def quantum(problem, names):
    """How far f's value is off by rounding, beyond the rounding of the value itself and of the named arrays."""
    return max(jump(problem, names), cancellation(problem, names) if problem.is_complex_safe else 0.0)


@np.errstate(all="ignore")
def jump(problem, names):
    """The first change of f's value where it stands still at first, or its noise where that is far more than its
    rounding; 0 where neither is seen, and the machine epsilon, for a 1 that was rounded, where it never changes.
    """
    _, forth = moved_further_and_further(problem, names)
    _, back = moved_further_and_further(problem, names, -1)
    moves = np.flatnonzero(forth)
    if not moves.size:
        return EPS if forth.size else 0.0
    count, first = min(len(forth), len(back)), float(abs(forth[moves[0]])) if moves[0] >= FEW else 0.0
    size = size_of(problem, names)
    least = rounding(problem.value_here, size, abs(forth[:FEW]).max() / first_step(size))
    noise = noise_of(np.abs(forth[:count] + back[:count]), least) if count else 0.0
    return max(first, noise if noise > 10 * least else 0.0)


def cancellation(problem, names):
    """How far f's value jumps about where it does so by far more than its slope and its own rounding explain, as a sum
    of x - mean(x) does: in units of the gradient. Only for what is complex-safe: own_scale.py sees it otherwise.
    """
    direction, changes = moved_further_and_further(problem, names)
    size = size_of(problem, names)
    slope = abs(problem.exactly_along(direction)) * first_step(size) * RATIO**FEW
    noise = float(np.abs(changes[:FEW]).max(initial=0))
    return noise / min(1.0, size) if noise > 10 * (slope + 2 * EPS * abs(problem.value_here)) else 0.0


def size_of(problem, names):
    """The size of the largest entry of the named arrays; 1 where all are zero."""
    return float(max(np.abs(problem.arrays[name]).max(initial=0) for name in names)) or 1.0


def first_step(size):
    """The step that changes the last digits."""
    return 8 * EPS * size


@np.errstate(all="ignore")
def moved_further_and_further(problem, names, sign=1):
    """(a random direction of the named arrays, the changes of f along it or back), until f's domain ends."""
    rng, changes, step = np.random.default_rng(3), [], sign * first_step(size_of(problem, names))
    direction = {name: rng.standard_normal(problem.arrays[name].shape) for name in names}
    for _ in range(24):
        moved = {name: array.copy() for name, array in problem.arrays.items()}
        for name in names:
            moved[name] += step * direction[name]
        try:
            changes.append(float(problem.value(moved)) - problem.value_here)
        except (ArithmeticError, ValueError):  # beyond the edge of its domain
            break
        if not np.isfinite(changes[-1]):
            changes.pop()
            break
        step *= RATIO
    return direction, np.array(changes)


def wobble(problem, name, index):
    """How much one entry's derivative by the complex step changes as every argument is nudged."""
    return wobble_of(problem, lambda arrays, f: derivative(f, arrays[name], index, "complex"))


def wobble_along(problem, direction):
    """How much the derivative along a direction, name -> array, does."""
    along = list(direction.values())
    return wobble_of(
        problem, lambda arrays, f: directional_derivative(f, [arrays[name] for name in direction], along, "complex")
    )


def rounding_along(problem, direction):
    """(what is left by cancellation, by how much f jumps), along a direction, name -> array."""
    names = list(direction)
    jumps = 4 * jump(problem, names) * length(direction)
    if not problem.is_complex_safe:
        return 0.0, jumps
    return 4 * (cancellation(problem, names) * length(direction) + wobble_along(problem, direction)), jumps


def length(direction):
    """The length of a direction, at least 1."""
    return max(1.0, float(np.sqrt(sum((v * v).sum() for v in direction.values()))))


@np.errstate(all="ignore")
def wobble_of(problem, slope):
    """The largest change, of a few, of slope(arrays, f) as every argument is nudged in its last place."""
    rng, slopes = np.random.default_rng(4), []
    for k in range(NUDGES + 1):
        arrays = {
            name: (array + (k > 0) * rng.integers(-2, 3, array.shape) * np.spacing(np.abs(array))).astype(complex)
            for name, array in problem.arrays.items()
        }
        slopes.append(slope(arrays, lambda: problem.value(arrays)))  # noqa: B023
    changes = np.abs(np.array(slopes[1:]) - slopes[0])
    return float(np.max(changes, initial=0, where=np.isfinite(changes)))
