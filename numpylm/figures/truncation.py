"""Truncated backpropagation through time: the unrolled RNN in two windows, and what crosses the cut between them."""

from itertools import pairwise

from numpylm.figures.diagram import DIAGRAM, INK, INPUT, OUTPUT, arrow, box, canvas, frame, label
from numpylm.plots import BLUE, ORANGE

HEIGHTS = {"x": 1.75, "h": 3.35, "L": 4.95}
T, WINDOWS, FIRST, GAP, CUT = 3, 2, 2.1, 1.75, 1.6  # steps, and where the columns stand; CUT is what a cut adds
UP, DOWN = 0.17, -0.17  # the lanes of what goes forward and of what comes back


def draw():
    """The picture, as a Figure."""
    from matplotlib import rc_context

    columns = [FIRST + t * GAP + t // T * CUT for t in range(WINDOWS * T)]
    with rc_context(DIAGRAM):
        figure, axes = canvas(14.4, 6.4, (10.24, 4.551))
        for k in range(WINDOWS):
            one_window(axes, columns[k * T : (k + 1) * T], k)
        cuts = [columns[0] - 1.35, (columns[T - 1] + columns[T]) / 2, columns[-1] + 1.35]
        for k, x in enumerate(cuts):
            cut(axes, x, k)
        key(axes)
    return figure


def one_window(axes, columns, k):
    """T steps, each with its input and its loss, and the arrows between their states both ways."""
    frame(axes, columns[0] - 1.0, 1.05, columns[-1] + 1.0, 5.65)
    for j, x in enumerate(columns):
        tower(axes, x, k * T + j + 1)
    for left, right in pairwise(columns):
        forward(axes, left + 0.5, right - 0.5)
        backward(axes, right - 0.5, left + 0.5)
    label(axes, columns[1], 5.95, f"window {k + 1}: $T = {T}$ steps", fontsize=14)


def tower(axes, x, t):
    """One step: input, state and loss, with what goes up and what comes down."""
    x_t, h, loss = HEIGHTS.values()
    box(axes, x, x_t, f"$x_{t}$", width=1.0, height=0.7, color=INPUT)
    box(axes, x, h, f"$h_{t}$", width=1.0)
    box(axes, x, loss, f"$L_{t}$", width=1.0, height=0.7, color=OUTPUT)
    for below, above in ((x_t + 0.35, h - 0.4), (h + 0.4, loss - 0.35)):
        arrow(axes, (x - 0.15, below), (x - 0.15, above), color=BLUE)
        arrow(axes, (x + 0.15, above), (x + 0.15, below), color=ORANGE, style=(0, (3, 1.5)))


def forward(axes, start, end):
    """A state that is handed to the next step."""
    arrow(axes, (start, HEIGHTS["h"] + UP), (end, HEIGHTS["h"] + UP), color=BLUE, lw=2)


def backward(axes, start, end):
    """A gradient that comes back from the next step."""
    arrow(axes, (start, HEIGHTS["h"] + DOWN), (end, HEIGHTS["h"] + DOWN), color=ORANGE, style=(0, (3, 1.5)), lw=2)


def cut(axes, x, k):
    """A window's edge: the state crosses it; the gradient that would is replaced by zeros."""
    h = HEIGHTS["h"]
    axes.plot([x, x], [1.05, 5.65], color=INK, lw=1, linestyle=(0, (1, 2)), zorder=1)
    first, last = k == 0, k == WINDOWS
    inside = 0.85 if first or last else (GAP + CUT) / 2 - 0.5  # from the cut to the next box
    forward(axes, x - (0.6 if first else inside), x + (0.5 if last else inside))
    if not first:
        label(axes, x - 0.22, h + DOWN, "0", fontsize=15, color=ORANGE, fontweight="bold")
        arrow(axes, (x - 0.36, h + DOWN), (x - inside, h + DOWN), color=ORANGE, style=(0, (3, 1.5)), lw=2)
    if not last:
        arrow(axes, (x + inside, h + DOWN), (x + 0.16, h + DOWN), color=ORANGE, style=(0, (3, 1.5)), lw=2, head=False)
        axes.plot([x + 0.14] * 2, [h + DOWN - 0.2, h + DOWN + 0.2], color=ORANGE, lw=3, zorder=4)
    state = f"$h_{k * T}$" if first or last else f"$h_{k * T}$, a value"
    label(axes, x, h + 0.62, state, fontsize=12, color=BLUE, background="white")


def key(axes):
    """What the two kinds of arrows are."""
    arrow(axes, (1.3, 0.5), (2.2, 0.5), color=BLUE, lw=2)
    label(axes, 2.4, 0.5, "forward: the state crosses every cut", ha="left", fontsize=13)
    arrow(axes, (8.4, 0.5), (7.5, 0.5), color=ORANGE, style=(0, (3, 1.5)), lw=2)
    label(axes, 8.6, 0.5, "backward: gradients stop at a cut", ha="left", fontsize=13)
