"""A prediction over six tokens, and the gradient of its loss with respect to the logits: y - onehot(target).

The logits are made up; y and dlogits are what numpylm/loss.py computes from them.
"""

import numpy as np

from numpylm.figures.drawing import charts
from numpylm.loss import cross_entropy_backward, cross_entropy_forward
from numpylm.plots import BLUE, ORANGE

TOKENS = ("the", "cat", "dog", "sat", "on", ".")
LOGITS = (-1.0, 1.5, 2.0, 0.0, -0.5, -1.0)
TARGET = TOKENS.index("cat")


def draw():
    """The picture, as a Figure."""
    _, trace = cross_entropy_forward(np.array([[LOGITS]]), np.array([[TARGET]]))
    figure, (left, right) = charts(10, 4.4, 2)
    draw_bars(left, trace.y[0, 0], "{:.2f}")
    draw_bars(right, cross_entropy_backward(trace)[0, 0], "{:+.2f}")
    left.set(title='the prediction after "the"', ylabel="probability y", ylim=(0, 0.62))
    right.set(title="the gradient of the loss", ylabel="y - onehot(target)", ylim=(-0.85, 0.7))
    right.axhline(0, color="black", lw=1)
    right.text(TARGET + 0.5, -0.42, 'the token that came: "cat"', va="center")
    return figure


def draw_bars(axes, heights, form):
    """One bar for each token with its number beside it; the target's is hatched."""
    for v, height in enumerate(heights):
        target = v == TARGET
        axes.bar(v, height, color=ORANGE if target else BLUE, hatch="//" if target else None, edgecolor="white")
        above = height >= 0
        axes.annotate(
            form.format(height), (v, height), (0, 3 if above else -3), textcoords="offset points",
            ha="center", va="bottom" if above else "top", fontsize=11,
        )  # fmt: skip
    axes.set_xticks(range(len(TOKENS)), TOKENS)
    axes.set_xlabel("token v of the vocabulary")
    axes.grid(False, axis="x")
    axes.set_axisbelow(True)
