"""The derivative of one number by one step, at the scale of the function itself, and how far it can be trusted.

The best step of a difference depends on what nobody knows beforehand: over which length L the function bends (1 for
sin x, 1e-4 for 1/x at x = 1e-4, 1e-8 |x| for sin x at x = 1e8), and how its value is rounded. Both are measured here:

    steps      h, a ratio of 4 between one and the next, from a few units in the last place of x up to |x| / 4, forth
               a little further than back: of even steps, errors that are alike on both sides would go unseen. Each is
               rounded so that x ± h is exact. They end at the edge of the function's domain, where it is not finite.
    noise      the slopes from both sides differ by s / h, where s grows as h² if f is smooth and as h at a kink. What
               does not grow so is rounding (Hamming, 1973; Moré and Wild, 2011): the largest such s is the noise of f.
    slopes     of the parabola through three points, a central difference, twice extrapolated to h = 0 (Richardson,
               1911; Ridders, 1982), each within noise / h. The same from each side alone.
    which one  from the smallest step upwards as long as every slope agrees with all the finer ones within their noise
               (Lepski, 1990), so that steps longer than L are never believed, however well they agree among each other.
               Of those, the one with the least error: its noise, and what the last step changed (Ridders).

Where the slopes from both sides are further apart than their errors, x lies at a kink. Where the noise is more than the
rounding of f and of x explain, f is rough, or has a bump that no step resolves: then no slope is sure.
"""

from typing import NamedTuple

import numpy as np

EPS = np.finfo(float).eps
RATIO = 4
COARSEST = 0.25  # of the size of x
FORTH, BACK = 1.17, 0.89  # uneven, and no power of two: rounding to float32 would leave that as it is

ROUGH = (
    "the function is rough: its value jumps, as if a part of it were computed in float32 or had noise in it, or it "
    "turns faster than floating-point numbers follow each other: no slope there can be told from another"
)


class Measured(NamedTuple):
    """A derivative: slope ± error, and its one-sided values ± side_error; hidden is how steep a bump may be that looks
    like the function's noise. All are NaN where the function is not finite on both sides of x.
    """

    slope: float
    error: float
    left: float
    right: float
    side_error: float
    hidden: float
    is_rough: bool

    @property
    def is_kink(self):
        """Whether the slopes on both sides differ by more than their errors."""
        return abs(self.right - self.left) > 4 * self.side_error + 1e-6 * max(abs(self.left), abs(self.right))

    @property
    def is_flat(self):
        """Whether the value did not change at all, be it only because its change is less than its rounding."""
        return self.left == self.right == 0

    @property
    def uncertainty(self):
        """The error of the slope, or of those of both sides of a kink; infinite where the function is rough."""
        return np.inf if self.is_rough else self.hidden + (self.side_error if self.is_kink else self.error)

    def includes(self, slope, rtol=1e-6):
        """Whether a slope lies within the errors: of the slope, or between those of both sides of a kink."""
        slack = 4 * (self.side_error if self.is_kink else self.error) + rtol * max(abs(slope), abs(self.slope))
        low, high = sorted((self.left, self.right)) if self.is_kink else (self.slope, self.slope)
        return bool(low - slack <= slope <= high + slack)

    def contradicts(self, slope):
        """Whether a slope is certainly another one."""
        off = abs(slope - self.slope) - 1e-9 * max(abs(slope), abs(self.slope))
        return bool(not self.is_kink and off > 4 * self.uncertainty)

    def nearest(self, slope):
        """Of the slopes that were measured the one nearest to a given one: at a kink, that of one side."""
        return min(self.left, self.right, key=lambda side: abs(side - slope)) if self.is_kink else self.slope


UNKNOWN = Measured(*[np.nan] * 6, False)


def measured(value, x=0.0):
    """The Measured derivative at 0 of value, a function of one step; x is the size of the number that is moved.

    Four steps do where they agree among each other; otherwise some twenty-five are taken.
    """
    x = x if np.isfinite(x) else 0.0
    size = 2.0 ** np.floor(np.log2(max(1.0, abs(x))))
    guess = from_steps(value, x, size * RATIO ** np.arange(-7.0, -3.0))
    if guess.uncertainty < 1e-9 * abs(guess.slope) and not guess.is_kink:
        return guess
    finest = max(min(EPS, 2.0**-20 * abs(x)) or EPS, 8 * np.spacing(abs(x)))
    count = int(np.log2(COARSEST * size / finest) / np.log2(RATIO)) + 1
    return from_steps(value, x, finest * RATIO ** np.arange(float(count)))


@np.errstate(all="ignore")
def from_steps(value, x, steps):
    """The Measured derivative from these steps, the finest first."""
    here, points = value_or_nan(value, 0.0), []
    for step in steps:
        forth, back = (x + FORTH * step) - x, x - (x - BACK * step)
        points.append((forth, back, value_or_nan(value, forth), value_or_nan(value, -back)))
        if not np.isfinite(points[-1]).all():
            points.pop()
            break
    return UNKNOWN if len(points) < 4 else from_points(here, x, *np.array(points).T)


def from_points(here, x, forth, back, plus, minus):
    """The Measured derivative from f here and at x + forth and x - back."""
    left, right = (here - minus) / back, (plus - here) / forth
    central = (back * right + forth * left) / (forth + back)  # the slope of the parabola through the three points
    bends = np.abs(right - left) * (forth + back) / 2
    noise = noise_of(bends, rounding(here, x, np.abs(central[:3]).max()))
    size = np.maximum(np.abs(plus), np.abs(minus))
    width = 2 * (noise + EPS * size) / (forth + back)
    slope, error = settled(central, width, (RATIO**2, RATIO**3))
    left, left_error = settled(left, 2 * width, (RATIO, RATIO**2))
    right, right_error = settled(right, 2 * width, (RATIO, RATIO**2))
    is_strange = noise > 10 * rounding(here, x, abs(slope))
    hidden = hidden_slope(bends, noise, back) if is_strange else 0.0
    is_rough = bool(is_strange and noise > 1e-9 * max(abs(here), size.max()))
    return Measured(slope, error, left, right, left_error + right_error, hidden, is_rough)


def rounding(here, x, slope):
    """How far the value may be off because it is rounded, or because x is."""
    return 2 * EPS * abs(here) + np.spacing(abs(x)) * slope


def hidden_slope(bends, noise, steps):
    """How steep f may be where its noise begins only at some step: what shows there may as well be a small bump."""
    return float(noise / steps[np.argmax(bends > noise / RATIO)]) if noise > 10 * bends[:3].max() else 0.0


def value_or_nan(value, step):
    """The function's value, a real number; NaN where the function refuses."""
    try:
        return float(value(step))
    except (ArithmeticError, ValueError):
        return np.nan


def noise_of(bends, least):
    """How far f's values are off: the largest second difference before they grow, three times running."""
    envelope = np.maximum.accumulate(bends)
    grows = envelope[1:] > 0.6 * RATIO * envelope[:-1]  # by RATIO at a kink, by RATIO² where f is smooth
    noise = least
    for k, bend in enumerate(envelope):
        if bend > 10 * least and grows[k : k + 3].all():
            break
        noise = max(noise, bend)
    return float(noise)


def settled(slopes, width, powers):
    """(slope, error) of slopes by ever coarser steps, each within its width, whose errors grow by these powers."""
    for power in powers:
        slopes = (power * slopes[:-1] - slopes[1:]) / (power - 1)
        width = (power * width[:-1] + width[1:]) / (power - 1)
    low, high, before = slopes[0] - width[0], slopes[0] + width[0], slopes[0]
    best = float(slopes[0]), float(width[0] + abs(slopes[1] - slopes[0]))
    for slope, within in zip(slopes[1:], width[1:], strict=True):
        low, high = max(low, slope - within), min(high, slope + within)
        if low > high:
            break
        error = within + abs(slope - before)
        if error < best[1]:
            best = float(slope), float(error)
        before = slope
    return best
