"""One derivative from many steps: where it lies, how far that may be off, and whether there is a kink.

The best step depends on two things that nobody knows beforehand: over which length the function bends, and how its
value is rounded. Both are measured:

    steps    A ratio of 4 between one step and the next, from a few units in the last place of x up to |x| / 4. The
             steps forward are a little longer than those back, so that equal errors on both sides show.
    noise    The slopes on both sides of x differ by s / step. s grows as step² if f is smooth, and as step at a kink.
             The largest s at short steps that does not grow so is noise of f (Hamming, 1973; Moré and Wild, 2011).
    slope    Extrapolate central differences to a step of 0 (Richardson, 1911; Ridders, 1982). Take the most accurate
             of those that agree with all finer ones within their noise (Lepski, 1990), because a step that is longer
             than a bend of f gives a wrong slope. Do the same on each side: at a kink the two slopes differ.
"""

from typing import NamedTuple

import numpy as np

EPS = np.finfo(float).eps
RATIO = 4
SHORT = 17  # steps after the first that changes f, up to about 1e-5: these show its noise
FORTH, BACK = 1.17, 0.89  # uneven, and no powers of two: rounding to float32 would not change those


class Slope(NamedTuple):
    """A derivative: from low to high, which differ at a kink only, ± error.

    noise is how far f's values are off, if more than its rounding and that of x; else 0. All are NaN where f is not
    finite on both sides of x. error is infinite where f is little but noise.
    """

    low: float
    high: float
    error: float = 0.0
    noise: float = 0.0

    @property
    def is_kink(self):
        """Whether the slopes on both sides differ by more than their errors."""
        return self.low < self.high

    def nearest(self, claim):
        """The slope from low to high that is nearest to a claim."""
        return float(np.clip(claim, self.low, self.high))


@np.errstate(all="ignore")
def measured(value, x=0.0, noise=0.0):
    """The Slope at 0 of value, a function of one step. x is the size of what moves; noise is that of f if it is known.

    Try four steps first. Take about twenty-five only where those four disagree.
    """
    x = x if np.isfinite(x) else 0.0
    size = 2.0 ** np.floor(np.log2(max(1.0, abs(x))))
    guess = from_steps(value, x, size * RATIO ** np.arange(-7.0, -3.0), noise)
    if guess.error < 4e-9 * abs(guess.low) and not guess.is_kink:
        return guess
    finest = max(min(EPS, 2.0**-20 * abs(x)) or EPS, 8 * np.spacing(abs(x)))
    count = int(np.log2(size / 4 / finest) / np.log2(RATIO)) + 1
    return from_steps(value, x, finest * RATIO ** np.arange(float(count)), noise)


def from_steps(value, x, steps, noise):
    """The Slope from these steps, the finest first, up to the edge of f's domain."""
    here, points = float(value(0.0)), []
    for step in steps:
        forth, back = (x + FORTH * step) - x, x - (x - BACK * step)  # so that x ± step is exact
        points.append((forth, back, float(value(forth)), float(value(-back))))
        if not np.isfinite(points[-1]).all():
            points.pop()
            break
    return from_points(here, x, *np.array(points).T, noise) if len(points) >= 4 else Slope(*[np.nan] * 4)


def from_points(here, x, forth, back, plus, minus, known_noise):
    """The Slope from f here and at x + forth and x - back."""
    left, right = (here - minus) / back, (plus - here) / forth
    central = (back * right + forth * left) / (forth + back)  # the slope of the parabola through the three points
    rounding = 2 * EPS * abs(here) + np.spacing(abs(x)) * np.abs(central[:3]).max()
    first = int(np.argmax((plus != here) | (minus != here)))  # before, f stood still
    bends = np.abs(right - left) * (forth + back) / 2
    noise = max(known_noise, noise_of(bends[: first + SHORT], rounding))
    width = 2 * (noise + EPS * np.maximum(np.abs(plus), np.abs(minus))) / (forth + back)
    slope, error = best_of(central, width, (RATIO**2, RATIO**3))
    left, left_error = best_of(left, 2 * width, (RATIO, RATIO**2))
    right, right_error = best_of(right, 2 * width, (RATIO, RATIO**2))
    low, high, side_error = min(left, right), max(left, right), left_error + right_error
    if high - low <= 4 * side_error + 1e-6 * max(abs(left), abs(right)):
        low, high, side_error = slope, slope, error
    if noise > 1e-3 * max(abs(here), np.abs(plus).max(), np.abs(minus).max()):
        side_error = np.inf
    is_noisy = noise > 10 * (2 * EPS * abs(here) + np.spacing(abs(x)) * abs(slope))
    return Slope(low, high, 4 * side_error, noise if is_noisy else 0.0)


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


def best_of(slopes, width, powers):
    """(slope, error) of slopes by ever coarser steps, each within its width, whose errors grow by these powers."""
    for power in powers:
        slopes = (power * slopes[:-1] - slopes[1:]) / (power - 1)
        width = (power * width[:-1] + width[1:]) / (power - 1)
    low, high = slopes - width, slopes + width
    agrees = np.maximum.accumulate(low) <= np.minimum.accumulate(high)  # with all finer ones
    error = width + np.abs(np.diff(slopes, prepend=slopes[1]))
    best = np.argmin(np.where(agrees, error, np.inf))
    return float(slopes[best]), float(error[best])
