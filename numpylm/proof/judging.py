"""The second look of the gradient checker: is a claimed slope right? One rule, for one entry and along a direction.

The slope is measured by the complex step if f allows that and differences agree, or else by differences of many steps
(slopes.py), which say how far they may be off. A claim is right if it agrees as far as the method sees, 7 digits or
more, or lies between the two slopes of a kink. It is wrong if it is further off than the error of the measurement plus
the rounding of a right backward pass: a few units in the last place of the largest derivative, times the size of the
arguments, and the last digits of f. In between, rounding hides the slope, and nothing is proved.
"""

from typing import NamedTuple

import numpy as np

from numpylm.proof.numerical import COMPLEX_STEP
from numpylm.proof.slopes import EPS, Slope

# Relative agreement of a right claim: with one step of the method; with an exact slope; with any other measured slope
RTOL = {"forward": 1e-5, "central": 1e-7, "fourth": 1e-7, "complex": 1e-11, "projection": 1e-11}
EXACT = 1e-11
CLOSE = 1e-7
UNNOTICED = 1e-10  # a larger error must be named, even beside a much larger derivative
FLOAT32 = 1e-3, 1e-4, 1e-6  # a float32 claim may be off by so much of itself, of its array's largest, of the largest


class Check(NamedTuple):
    """What is checked: a Problem, name -> claimed array, the method, and the errors that the caller allows."""

    problem: object
    claims: dict
    method: str
    rtol: float = 0.0
    atol: float = 0.0

    @property
    def largest(self):
        """The size of the largest claim."""
        return max(np.abs(q).max(initial=0) for q in self.claims.values())

    def along(self, direction):
        """(Σ claim · v, the sum of its terms' sizes)."""
        with np.errstate(over="ignore"):
            products = [self.claims[name] * v for name, v in direction.items()]
            return sum(float(q.sum()) for q in products), sum(float(abs(q).sum()) for q in products)

    def allowance(self, direction, size):
        """How far a claim of this size may be off because it is rounded: little in float64, much in float32."""
        claims = [self.claims[name] for name in direction]
        if all(q.dtype != np.float32 for q in claims):
            return 16 * EPS * min(1, self.largest)
        largest_here = max(np.abs(q).max(initial=0) for q in claims)
        return float(np.dot(FLOAT32, (size, largest_here, self.largest)))


class Verdict(NamedTuple):
    """slope is what was measured; unsure says how large an error the measurement would not show."""

    slope: float
    is_wrong: bool = False
    is_kink: bool = False
    unsure: float = 0.0


@np.errstate(all="ignore")
def look_again(check, direction, claimed, terms):
    """The Verdict on Σ claim · v, of terms of this size, along a direction v."""
    problem = check.problem
    found = measure(problem, direction, claimed)
    slope = found.nearest(claimed)
    if not np.isfinite(slope):
        return Verdict(np.nan)
    off = abs(claimed - slope)
    size = max(abs(claimed), abs(slope), terms)
    by_caller = check.rtol * max(abs(claimed), abs(slope)) + check.atol
    rtol = max(RTOL[check.method], CLOSE if found.error else 0) + 10 * problem.precision
    allowed = max(rtol * size, check.allowance(direction, size), by_caller)
    if off <= allowed:
        return Verdict(slope, is_kink=found.is_kink, unsure=0.0 if found.is_kink else found.error)
    rounding = 8 * EPS * problem.reach * max(check.largest, terms) + 16 * EPS * abs(problem.value_here)
    is_wrong = off > allowed + found.error + 16 * found.noise + rounding
    return Verdict(
        slope, is_wrong, found.is_kink, np.inf if off > max(found.error, UNNOTICED) else max(found.error, off)
    )


def measure(problem, direction, claimed):
    """The Slope along a direction: exact, if the complex step can be taken and no kink is near."""
    exact = problem.exact(direction)
    off = abs(claimed - exact)
    apart = abs(problem.difference(direction) - exact)  # large at a kink
    is_right = off <= EXACT * abs(exact) and apart <= 1e-2 * max(abs(exact), 1e-6 * problem.size)
    if is_right or apart < 0.1 * off:  # two calls of f settle it; many steps take 65
        return Slope(exact, exact)
    found = problem.measured(direction)
    is_exact = np.isfinite(exact) and not found.is_kink
    if found.low == found.high == 0:  # f moves by less than its rounding, which may be that of float32
        rough = np.finfo(np.float32).eps * abs(problem.value_here)
        return Slope(exact, exact, 0, max(EPS, problem.noise)) if is_exact else found._replace(noise=rough)
    if is_exact and abs(exact - found.low) <= found.error + 1e-9 * abs(exact):
        return Slope(exact, exact, 0, max(COMPLEX_STEP, found.noise))
    return found


def complaint_about(problem, row):
    """A sentence on what could not be judged in a Row, or None."""

    def place(index):
        return f"along a direction of {row.name}" if row.terms is not None else f"at {row.name}{list(map(int, index))}"

    unknown = row.checked & ~np.isfinite(row.slope)
    if unknown.any():
        where = place(np.argwhere(unknown)[0])
        return f"the function is not finite a little to one side, {where}: there is no derivative to compare with"
    if row.kinks.any() and (row.kinks == row.checked).all():
        return (
            f"every slope of {row.name} lies at a kink (a ReLU at 0, a tie of a maximum, |x| at 0). There any slope "
            "between those of both sides passes: nothing was proved. Choose other arguments, or method='central' in "
            "place of 'projection': it looks at every entry by itself"
        )
    is_zero = (row.claim == 0) & (row.unsure < UNNOTICED * problem.size)
    unsure = np.where(row.wrong | is_zero, 0, row.unsure)
    visible = 1e-2 if problem.precision else 3e-4  # of differences; with float32 inside f they see two digits
    if unsure.max(initial=0) <= visible * max(np.abs(row.claim).max(initial=0), row.largest, row.terms or 0):
        return None
    index = np.unravel_index(unsure.argmax(), unsure.shape)
    return (
        f"the gradient {place(index)} is too small to be judged: {row.claim[index]:.1e} is claimed and "
        f"{row.slope[index]:.1e} is measured, but f's value, {problem.value_here:.1e}, and its parts are rounded. "
        "Choose arguments at which this gradient is larger, move f nearer to zero, or write f so that the complex step "
        "can be taken (no abs, no fixed dtype)"
    )


def float32_complaints(check):
    """Sentences on claims that went through float32 although their argument is float64."""
    return [
        f"the gradient of {name} has the precision of float32 only: a buffer of a fixed dtype is hidden in it"
        for name, claim in check.claims.items()
        if check.problem.given[name].dtype == np.float64 and (claim.dtype == np.float32 or is_rounded(check, name))
    ]


@np.errstate(over="ignore")
def is_rounded(check, name):
    """Whether a float64 claim holds float32 numbers only, and its largest entry is off as much as float32 rounds."""
    problem, claim = check.problem, check.claims[name]
    if not claim.any() or (claim != claim.astype(np.float32)).any():
        return False
    index = np.unravel_index(np.argmax(np.abs(claim)), claim.shape)
    found = problem.measured(problem.entry(name, index))
    off = abs(claim[index] - found.nearest(claim[index]))
    return max(3e-9 * abs(claim[index]), found.error) < off < 1e-5 * abs(claim[index])
