"""Can a function be differentiated by the complex step? Two random directions show it."""

import numpy as np

from numpylm.proof.numerical import COMPLEX_STEP, NotComplexSafe
from numpylm.proof.own_scale import ROUGH
from numpylm.proof.rounding import jump


def check_complex_step(problem):
    """Raises NotComplexSafe unless the complex step agrees with differences in two random directions; returns whether
    the arguments lie at a kink, where it takes the slope of one side without a word."""
    rng, has_kink = np.random.default_rng(1), False
    for _ in range(2):
        direction = dict(zip(problem.arrays, unit_direction(rng, problem.arrays.values()), strict=True))
        exact, found = problem.exactly_along(direction), problem.measured_along(direction)
        has_kink |= bool(found.is_kink)
        if found.includes(exact) or abs(exact - found.slope) <= 4 * jump(problem, list(problem.arrays)):
            continue
        raise NotComplexSafe(ROUGH) if found.is_rough else not_confirmed(problem, exact, found.slope)
    return has_kink


def unit_direction(rng, arrays):
    """Random arrays of the given ones' shapes, of length 1 together."""
    direction = [rng.standard_normal(array.shape) for array in arrays]
    length = np.sqrt(sum((v * v).sum() for v in direction))
    return [v / length for v in direction]


def not_confirmed(problem, exact, numeric):
    """The error for a complex step that differences do not confirm, and the most likely reason."""
    if not np.isfinite(numeric):
        return NotComplexSafe(
            f"the complex step gives {exact:.8g}, but differences give nothing to compare it with: the function is not "
            "finite a little beside these arguments (it overflows, or its domain ends there)"
        )
    sizes = np.abs(np.concatenate([array.ravel() for array in problem.arrays.values()]))
    if sizes.any() and sizes[sizes > 0].min() < 1e8 * COMPLEX_STEP:
        return NotComplexSafe(
            f"the complex step gives {exact:.8g} where differences give {numeric:.8g}: an argument of size "
            f"{sizes[sizes > 0].min():.0e} is as small as the step itself, {COMPLEX_STEP:.0e}; scale the arguments"
        )
    if exact == 0 and abs(numeric) < np.finfo(float).tiny / COMPLEX_STEP:
        return NotComplexSafe(
            f"the complex step gives 0 where differences give {numeric:.8g}: times the step, {COMPLEX_STEP:.0e}, that "
            "is less than a floating-point number can be; scale f"
        )
    return not_complex_safe(exact, numeric)


def not_complex_safe(exact, numeric):
    """The error for a function that stays complex but loses a part of its derivative on the way."""
    return NotComplexSafe(
        f"the complex step gives {exact:.8g} where differences give {numeric:.8g}: the function takes np.abs, np.var, "
        "np.std, np.linalg.norm, .real, a maximum of magnitudes, or copies into a real buffer; use method='central' "
        "for it"
    )
