"""Is a claimed slope the measured one? The second look, wherever the first comparison leaves a doubt.

A slope along a direction is judged, be it one entry of a gradient or a sum over many. It is measured by the complex
step, if f allows that and differences agree with it, or else by differences of many steps (closer_look.py), which say
how far they may be off. Then the claim is

    right         if it agrees to 7 digits (by method="complex" to 11), or lies between the two slopes of a kink
    wrong         if it is further off than the errors of the measurement and of a right backward pass explain
    not proved    in between: rounding hides the slope

A right backward pass has rounding errors too. Three numbers estimate them: how far f jumps (Problem.jumps), how the
derivative changes with the last digits of the arguments (Problem.wobble), and the sizes of the other gradients.
"""

from typing import NamedTuple

import numpy as np

from numpylm.proof.numerical import COMPLEX_STEP, NotComplexSafe

EPS = np.finfo(float).eps
EXACT = 1e-11  # relative agreement with the complex step, by method="complex"
CLOSE = 1e-7  # relative agreement with any other measurement
LARGE = 1e-7  # of the largest derivative: no rounding of a right backward pass is as large
FLOOR = 1e-13  # of the largest derivative or 3 % of |f|: what the complex step and a backward pass may lose in sums


class Verdict(NamedTuple):
    """numeric is what was measured; unseen says how large an error the measurement would not show."""

    numeric: float
    is_wrong: bool = False
    is_kink: bool = False
    unseen: float = 0.0


@np.errstate(all="ignore")
def judge(problem, direction, claimed, scale, method, terms=0.0, first=np.nan, allowed=None):
    """The Verdict on a claimed slope along a direction.

    scale    the largest derivative that was measured anywhere
    terms    Σ |claim · direction|: the sizes of what the claim is a sum of
    first    a first measurement: if it speaks for the complex step, no other is needed
    allowed  how far a claim may be off, in place of what is decided here: where a tolerance is given
    """
    numeric, error, found = measure(problem, direction, claimed, method, first)
    if not np.isfinite(numeric):
        return Verdict(np.nan)
    if found is not None and found.is_kink:
        return Verdict(found.nearest(claimed), not found.includes(claimed), True)
    off, size = abs(claimed - numeric), max(abs(claimed), abs(numeric), terms)
    if allowed is not None:
        return Verdict(numeric, off > allowed + error)
    is_exact = error == 0 and method in ("complex", "projection")
    allowed = (EXACT if is_exact else CLOSE) * size + 10 * problem.precision * size
    if off <= allowed or (claimed == 0 and off <= 1e3 * COMPLEX_STEP):
        return Verdict(numeric, unseen=error)
    floor = FLOOR * max(0.03 * abs(problem.value_here), scale, terms)
    if off > allowed + error + floor + LARGE * max(1, scale):
        return Verdict(numeric, True)
    wobble, jumps = rounding_along(problem, direction)
    if off > allowed + error + floor + wobble + jumps:
        return Verdict(numeric, True)
    if off <= max(problem.visible * size, wobble, 16 * EPS * min(1, scale)) or claimed == 0:
        return Verdict(numeric, unseen=error)
    return Verdict(numeric, unseen=max(error, off) if error or off <= wobble + jumps else np.inf)


def measure(problem, direction, claimed, method, first):
    """(the slope, 0 or how far it may be off, what differences of many steps say or None)."""
    exact = problem.exact(direction) if problem.is_complex_safe else np.nan
    off = abs(claimed - exact)
    if method == "complex":
        first = problem.difference(direction)
    is_near = abs(first - exact) <= 1e-2 * max(abs(exact), 1e-6 * problem.size)
    if abs(first - exact) < 0.1 * off or (is_near and off <= CLOSE * abs(exact)) or (np.isnan(first) and off <= EXACT * abs(exact)):
        return exact, 0.0, None
    found = problem.measured(direction)
    if np.isfinite(exact) and not found.is_kink and (found.includes(exact, 1e-9) or found.is_flat):
        return exact, 0.0, found
    if method == "complex" and not found.is_kink and abs(found.slope - exact) > 4 * found.error:
        raise NotComplexSafe(
            f"the complex step gives {exact:.8g} where differences give {found.slope:.8g}: a part of f's derivative is "
            "lost on the way (np.abs, .real, a real buffer); use method='central' for it"
        )
    return found.slope, np.inf if found.is_lost else 4 * found.error, found


@np.errstate(all="ignore")
def rounding_along(problem, direction):
    """(by cancellation, by jumps of f): how far a right gradient may be off along a direction by rounding alone."""
    length = max(1.0, float(np.sqrt(sum((v * v).sum() for v in direction.values()))))
    wobble = 16 * problem.wobble(direction) if problem.is_complex_safe else 0.0
    return wobble, 4 * length * problem.jumps(direction)
