"""Why a numerical derivative may be wrong: a large step meets the curve, a small one meets the rounding.

Both panels show f(x) = e^x sin(3x) at X; the slopes are those of numpylm/proof/numerical.py, on the right in float32.
"""

import numpy as np

from numpylm.figures.drawing import charts
from numpylm.plots import BLUE, GREEN, GREY, ORANGE
from numpylm.proof.numerical import along

X, LARGE = 0.3, 0.3
SMALL = 2.0**-24  # 6e-8: two of float32's steps at X, so that X + SMALL is exact
SLOPE = float(np.exp(X) * (np.sin(3 * X) + 3 * np.cos(3 * X)))


def draw():
    """The picture, as a Figure."""
    figure, (left, right) = charts(10, 4.4, 2)
    draw_curve(left)
    draw_stairs(right)
    return figure


def f(x):
    """e^x sin(3x), in x's dtype."""
    return np.exp(x) * np.sin(3 * x)


def draw_curve(axes):
    """The curve, its tangent, and two chords over a large step."""
    x = np.linspace(-0.15, 0.75, 200)
    axes.plot(x, f(x), color="black", label="f")
    axes.plot(x, f(X) + SLOPE * (x - X), ":", color=GREY, label=f"tangent: slope {SLOPE:.2f}")
    for method, start, color, style in (("forward", X, ORANGE, "o-"), ("central", X - LARGE, BLUE, "s--")):
        ends = np.array([start, X + LARGE])
        slope = along(lambda step: f(X + step), LARGE, method)
        axes.plot(ends, f(ends), style, color=color, label=f"{method}: slope {slope:.2f}")
    axes.set(title=f"a large step, ε = {LARGE}", xlabel="x", ylabel="f(x)")
    axes.legend(loc="upper left", fontsize=10)


def draw_stairs(axes):
    """What float32 makes of the curve beside X, and two chords over a small step."""
    x = np.float32(X)
    steps = np.linspace(-2e-7, 2e-7, 400)
    axes.plot(steps * 1e7, heights(x + steps), ".", color=GREEN, markersize=4, label="f in float32")
    axes.plot(steps * 1e7, SLOPE * steps * 1e7, ":", color=GREY, label=f"tangent: slope {SLOPE:.2f}")
    for method, start, color, style in (("forward", 0, ORANGE, "o-"), ("central", -SMALL, BLUE, "s--")):
        ends = np.array([start, SMALL])
        slope = along(lambda step: float(f(x + np.float32(step))), SMALL, method)
        axes.plot(ends * 1e7, heights(x + ends), style, color=color, label=f"{method}: slope {slope:.2f}")
    axes.set(title="a small step, ε = 6 · 10⁻⁸", xlabel="(x - 0.3) · 10⁷", ylabel="(f(x) - f(0.3)) · 10⁷")
    axes.legend(loc="upper left", fontsize=10)


def heights(x):
    """10⁷ (f(x) - f(X)) with f(x) computed in float32."""
    return (f(x.astype(np.float32)).astype(float) - f(float(np.float32(X)))) * 1e7
