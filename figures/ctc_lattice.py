"""CTC's lattice for the labels a b b in eight frames: which steps a path may take, and how probable each place is.

The probabilities y are made up; gamma is what numpylm/ctc.py computes from them.
"""

import numpy as np

from numpylm.ctc import ctc_backward, ctc_forward, skips
from numpylm.figures.drawing import charts
from numpylm.plots import GREY

LABELS = np.array([[1], [2], [2]])  # a b b
NAMES = ("–", "a", "–", "b", "–", "b", "–")
HEARD = (0, 1, 1, 0, 2, 0, 2, 0)  # the symbol that is most probable at each frame


def draw():
    """The picture, as a Figure."""
    logits = np.zeros((len(HEARD), 1, 3))
    logits[np.arange(len(HEARD)), 0, HEARD] = 1.5
    _, trace = ctc_forward(logits, LABELS)
    gamma = ctc_backward(trace).gamma[:, 0]
    figure, axes = charts(10, 5.4)
    draw_steps(axes, *gamma.shape, skips(trace.states)[0])
    t, s = np.indices(gamma.shape)
    dots = axes.scatter(t, s, s=620, c=gamma, cmap="Blues", vmin=0, vmax=1, edgecolors="black", zorder=2)
    for place, value in np.ndenumerate(gamma):
        if value > 0:
            axes.text(*place, f"{value:.2f}"[1:], ha="center", va="center", fontsize=9,
                      color="white" if value > 0.6 else "black", zorder=3)  # fmt: skip
    axes.set_yticks(range(len(NAMES)), NAMES)
    axes.set(xlabel="frame t", ylabel="state s of l', the labels with blanks", ylim=(len(NAMES) - 0.5, -0.5))
    axes.grid(False)
    figure.colorbar(dots, label="gamma: a path is in s at t")
    return figure


def draw_steps(axes, T, S, may_skip):
    """A line for each step that a path may take: to stay, to go on by one, or by two over a blank."""
    for t in range(T - 1):
        for s in range(S):
            for by in (0, 1, 2):
                if s + by < S and (by < 2 or may_skip[s + by]):
                    axes.plot((t, t + 1), (s, s + by), color=GREY, lw=0.9, ls="--" if by == 2 else "-", zorder=1)
