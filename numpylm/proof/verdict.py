"""Is a claimed slope right? One rule for one entry of a gradient and for a sum over many, along a direction.

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


class Verdict(NamedTuple):
    """slope is what was measured; unsure says how large an error the measurement would not show."""

    slope: float
    is_wrong: bool = False
    is_kink: bool = False
    unsure: float = 0.0


@np.errstate(all="ignore")
def judge(problem, direction, claimed, largest, method, terms=0.0, allowed=None):
    """The Verdict on a claimed slope along a direction.

    largest  the largest derivative that was measured anywhere
    terms    Σ |claim · direction|: the sizes of what the claim is a sum of
    allowed  how far a claim may be off, in place of the rule: where a tolerance is given
    """
    slope, error, found = measure(problem, direction, claimed, largest, method)
    if not np.isfinite(slope):
        return Verdict(np.nan)
    if found and found.is_kink:
        return Verdict(found.nearest(claimed), not found.includes(claimed), True)
    off, size = abs(claimed - slope), max(abs(claimed), abs(slope), terms)
    if allowed is not None:
        return Verdict(slope, off > allowed + error)
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
