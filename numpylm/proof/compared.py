"""A claimed gradient beside what was measured of it, and which of its entries are then wrong."""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from numpylm.proof.numerical import COMPLEX_STEP


class Tolerance(NamedTuple):
    """What is forgiven: rtol of the entry's size, and atol of the function's and the largest derivative's."""

    rtol: float
    atol: float


EXACT = Tolerance(1e-11, 1e-13)  # of the complex step
FLOAT32 = Tolerance(1e-3, 1e-4)  # for a claim that was computed in float32
ZERO = 1e3 * COMPLEX_STEP  # what the complex step itself may be off by, where the derivative is zero
CLOSE = 1e-7  # of an entry's size, beside its measured error, where it was looked at again
SMALL, DIGITS = 1e-6, 3e-4  # entries below 1e-6 |f|: a right backward has rounding of its own there, 1 - tanh² for one
TINY, ROUGHLY = 1e-8, 0.4  # entries below 1e-8 of the largest derivative, or of 3 % of |f|: of what rounding left there


@dataclass
class Compared:
    """One claim, and what was measured.

    truth (NaN where nothing was) and its error (NaN where it is the method's own); drawn, bends, kinks, accepted (at a
    kink, between the slopes of both sides), exact (by the complex step) and hidden (by a jump of f) are booleans.
    """

    name: str
    claim: np.ndarray
    tolerance: Tolerance
    is_strict: bool
    truth: np.ndarray = None
    error: np.ndarray = None
    drawn: np.ndarray = None
    bends: np.ndarray = None
    kinks: np.ndarray = None
    accepted: np.ndarray = None
    exact: np.ndarray = None
    hidden: np.ndarray = None
    complaints: list = field(default_factory=list)

    def __post_init__(self):
        shape = self.claim.shape
        self.truth, self.error = np.full(shape, np.nan), np.full(shape, np.nan)
        for of_entries in ("drawn", "bends", "kinks", "accepted", "exact", "hidden"):
            setattr(self, of_entries, np.zeros(shape, dtype=bool))

    @property
    def largest(self):
        """The largest |derivative| that was measured."""
        return float(np.nanmax(np.abs(self.truth), initial=0))

    @property
    def size(self):
        """The size of every entry: of the claim or of the truth, whichever is larger."""
        return np.fmax(np.abs(self.claim), np.abs(self.truth))

    @property
    def off(self):
        """How far the claim is from the truth."""
        return np.abs(self.claim - self.truth)

    def zero(self, exact_scale):
        """What is no gradient, but rounding of the complex step, or of a sum of which nothing remains."""
        return EXACT.atol * max(exact_scale, self.largest)

    def is_nothing(self, wrong, exact_scale):
        """Booleans: where claim and truth are both zero as far as can be seen, and their difference says nothing."""
        both = (self.size <= 3 * self.zero(exact_scale)) | (self.claim == 0)
        return both & ~wrong & ~self.hidden & self.is_strict

    def wrong(self, scale, exact_scale):
        """Booleans: where the claim is further from the truth than is forgiven. NaN is not wrong, but no truth."""
        error = np.nan_to_num(4 * self.error, posinf=np.inf)
        allowed = self.tolerance.atol * max(scale, self.largest) + self.tolerance.rtol * self.size
        rtol = np.where(self.size < SMALL * scale, DIGITS, CLOSE)
        rtol = np.where(self.size < TINY * max(exact_scale, self.largest), ROUGHLY, rtol)
        rtol = EXACT.rtol if self.tolerance == EXACT else rtol
        closely = np.where(self.claim == 0, ZERO, 0) + self.zero(exact_scale) + rtol * self.size
        looked_at = self.is_strict & (self.exact | np.isfinite(self.error))
        return (self.off > np.where(looked_at, closely, allowed) + error) & ~self.accepted
