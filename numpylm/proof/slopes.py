"""One derivative from many steps: how large it is, how far that may be off, and whether there is a kink.

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
    """A derivative: value ± error, and the slopes on both sides ± side_error.

    noise is how far f's values are off, if more than its rounding and that of x; else 0. All are NaN where f is not
    finite on both sides of x. error is infinite where f is little but noise.
    """

    value: float
    error: float
    left: float
    right: float
    side_error: float
    noise: float

    @property
    def is_kink(self):
        """Whether the slopes on both sides differ by more than their errors."""
        return abs(self.right - self.left) > 4 * self.side_error + 1e-6 * max(abs(self.left), abs(self.right))

    @property
    def is_flat(self):
        """Whether the value did not change at any step."""
        return self.left == self.right == 0

    def includes(self, slope, rtol=1e-6):
        """Whether a slope is the measured one within its error, or lies between those of both sides of a kink."""
        slack = 4 * (self.side_error if self.is_kink else self.error) + rtol * max(abs(slope), abs(self.value))
        low, high = sorted((self.left, self.right)) if self.is_kink else (self.value, self.value)
        return bool(np.isfinite(slack) and low - slack <= slope <= high + slack)

    def nearest(self, slope):
        """The measured slope; at a kink, the side's slope that is nearer to the given one."""
        return min(self.left, self.right, key=lambda side: abs(side - slope)) if self.is_kink else self.value


@np.errstate(all="ignore")
def measured(value, x=0.0, noise=0.0):
    """The Slope at 0 of value, a function of one step. x is the size of what moves; noise is that of f if it is known.

    Try four steps first. Take about twenty-five only where those four disagree.
    """
    x = x if np.isfinite(x) else 0.0
    size = 2.0 ** np.floor(np.log2(max(1.0, abs(x))))
    guess = from_steps(value, x, size * RATIO ** np.arange(-7.0, -3.0), noise)
    if guess.error < 1e-9 * abs(guess.value) and not guess.is_kink:
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
    return from_points(here, x, *np.array(points).T, noise) if len(points) >= 4 else Slope(*[np.nan] * 6)


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
    noise = noise if noise > 10 * (2 * EPS * abs(here) + np.spacing(abs(x)) * abs(slope)) else 0.0
    if left == right == 0:
        noise = max(noise, EPS)  # in a sum 1 + x rounding may hide x
    is_hopeless = noise > 1e-3 * max(abs(here), np.abs(plus).max(), np.abs(minus).max())
    return Slope(slope, np.inf if is_hopeless else error, left, right, left_error + right_error, noise)


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
    low, high, before = slopes[0] - width[0], slopes[0] + width[0], slopes[0]
    best = float(slopes[0]), float(width[0] + abs(slopes[1] - slopes[0]))
    for slope, within in zip(slopes[1:], width[1:], strict=True):
        low, high = max(low, slope - within), min(high, slope + within)
        if low > high:
            break
        best = min(best, (float(slope), float(within + abs(slope - before))), key=lambda pair: pair[1])
        before = slope
    return best
