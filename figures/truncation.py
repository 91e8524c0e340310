"""Truncated backpropagation through time: the unrolled RNN in two windows, and what crosses the cut between them."""

from itertools import pairwise

from _diagrams import BACK, INPUT, OUTPUT, arrow, box, canvas, frame, label

from numpylm.plots import BLUE, GREY, ORANGE

HEIGHTS = {"x": 1.75, "h": 3.35, "L": 4.95}
T, FIRST, GAP, CUT = 3, 2.75, 1.75, 2.3  # steps of a window; where the columns stand; CUT is what a cut adds
REACH = (GAP + CUT) / 2  # from a cut to the next state
UP, DOWN = HEIGHTS["h"] + 0.17, HEIGHTS["h"] - 0.17  # the lanes of what goes forward and of what comes back


def draw():
    """The picture, as a Figure."""
    columns = [FIRST + t * GAP + t // T * CUT for t in range(2 * T)]
    figure, axes = canvas(16.6, 6.5, (10.24, 4.01))
    for k in range(2):
        one_window(axes, columns[k * T : (k + 1) * T], k)
    cut(axes, columns[0] - REACH, "0")
    cut(axes, (columns[T - 1] + columns[T]) / 2, str(T))
    cut(axes, columns[-1] + REACH, str(2 * T))
    arrow(axes, (1.6, 0.45), (2.5, 0.45), color=BLUE, lw=2)
    label(axes, 2.7, 0.45, "forward: the state crosses every cut", ha="left")
    arrow(axes, (9.8, 0.45), (8.9, 0.45), color=ORANGE, style=BACK, lw=2)
    label(axes, 10.0, 0.45, "backward: gradients stop at a cut", ha="left")
    return figure


def one_window(axes, columns, k):
    """T steps, each with its input and its loss, and the arrows between their states both ways."""
    frame(axes, columns[0] - 0.9, 1.05, columns[-1] + 0.9, 5.65)
    for j, x in enumerate(columns):
        tower(axes, x, k * T + j + 1)
    for left, right in pairwise(columns):
        arrow(axes, (left + 0.5, UP), (right - 0.5, UP), color=BLUE, lw=2)
        arrow(axes, (right - 0.5, DOWN), (left + 0.5, DOWN), color=ORANGE, style=BACK, lw=2)
    label(axes, columns[1], 6.0, f"window {k + 1}: $T = {T}$ steps", fontsize=15)


def tower(axes, x, t):
    """One step: input, state and loss, with what goes up and what comes down."""
    x_t, h, loss = HEIGHTS.values()
    box(axes, x, x_t, f"$x_{t}$", width=1.0, height=0.7, color=INPUT)
    box(axes, x, h, f"$h_{t}$", width=1.0)
    box(axes, x, loss, f"$L_{t}$", width=1.0, height=0.7, color=OUTPUT)
    for below, above in ((x_t + 0.35, h - 0.4), (h + 0.4, loss - 0.35)):
        arrow(axes, (x - 0.15, below), (x - 0.15, above), color=BLUE)
        arrow(axes, (x + 0.15, above), (x + 0.15, below), color=ORANGE, style=BACK)


def cut(axes, x, t):
    """Before, between and behind the windows: the state goes on, the gradient ends, and zeros come back."""
    arrow(axes, (x, 1.2), (x, 5.5), color=GREY, style=":", lw=1.5, head=False)
    first, last = t == "0", t == str(2 * T)
    arrow(axes, (x - (0.4 if first else REACH - 0.5), UP), (x + (0.4 if last else REACH - 0.5), UP), color=BLUE, lw=2)
    label(axes, x, UP + 0.42, f"$h_{t}$", fontsize=16, color=BLUE, background="white")
    if not first:
        label(axes, x - 0.3, DOWN - 0.02, "0", fontsize=15, color=ORANGE)
        arrow(axes, (x - 0.45, DOWN), (x - REACH + 0.5, DOWN), color=ORANGE, style=BACK, lw=2)
    if not last:
        arrow(axes, (x + REACH - 0.5, DOWN), (x + 0.3, DOWN), color=ORANGE, style=BACK, lw=2, head=False)
        arrow(axes, (x + 0.3, DOWN - 0.22), (x + 0.3, DOWN + 0.22), color=ORANGE, lw=3.5, head=False)
