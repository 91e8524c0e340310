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
ZERO = 1e3 * COMPLEX_STEP  # what the complex step itself may be off by, where the derivative is zero
CLOSE = 1e-7  # of an entry's size, beside its measured error, of what was looked at again by differences


@dataclass
class Compared:
    """One claim, and what was measured.

    truth (NaN where nothing was) and its error (NaN where it is the method's own); drawn, bends, kinks, accepted (at a
    kink, between the slopes of both sides) and exact (by the complex step) are booleans.
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
    complaints: list = field(default_factory=list)

    def __post_init__(self):
        shape = self.claim.shape
        self.truth, self.error = np.full(shape, np.nan), np.full(shape, np.nan)
        self.drawn, self.bends, self.kinks, self.accepted, self.exact = (np.zeros(shape, dtype=bool) for _ in range(5))

    @property
    def largest(self):
        """The largest |derivative| that was measured."""
        return float(np.nanmax(np.abs(self.truth), initial=0))

    @property
    def size(self):
        """The size of every entry: of the claim or of the truth, whichever is larger."""
        return np.fmax(np.abs(self.claim), np.abs(self.truth))

    def wrong(self, scale, exact_scale):
        """Booleans: where the claim is further from the truth than is forgiven. NaN is not wrong, but no truth."""
        error = np.nan_to_num(4 * self.error, posinf=np.inf)
        allowed = self.tolerance.atol * max(scale, self.largest) + self.tolerance.rtol * self.size + error
        closely = np.where(self.claim == 0, ZERO, 0) + EXACT.atol * max(exact_scale, self.largest)
        closely = closely + np.where(self.exact, EXACT.rtol, CLOSE) * self.size
        looked_at = self.is_strict & (self.exact | np.isfinite(self.error))
        return (np.abs(self.claim - self.truth) > np.where(looked_at, closely + error, allowed)) & ~self.accepted
