"""From a text to batches: cut into N = 2 streams and windows of T = 3, each target the token after its input."""

from _diagrams import BACK, CELL, INPUT, arrow, box, canvas, frame, label

from numpylm.plots import BLUE, ORANGE

TOKENS = ("the", "king", "sees", "a", "cat", ".", "<eos>", "the", "cats", "sleep", ".", "<eos>", "many")
N, L, T = 2, 6, 3
COLORS = ("#edf4fa", "#a3cdbf")  # of the streams: light and dark, so that they differ in grey
COLUMNS = (2.7, 4.15, 5.6, 8.5, 9.95, 11.4)  # where the L steps of a stream stand
ROWS = (3.75, 1.4)  # where the N streams stand
WIDTH, TEXT_Y = 1.15, 6.75


def draw():
    """The picture, as a Figure."""
    figure, axes = canvas(13.1, 7.3, (10.24, 5.706))
    ribbon(axes)
    for k in range(L // T):
        first, last = COLUMNS[k * T], COLUMNS[k * T + T - 1]
        frame(axes, first - 0.8, 0.3, last + 0.8, 5.4)
        label(axes, (first + last) / 2, 5.1, f"window {k}", fontsize=15)
    for n, y in enumerate(ROWS):
        stream(axes, n, y)
    return figure


def ribbon(axes):
    """The text in order, one box a token, and below it which tokens belong to which stream."""
    for k, token in enumerate(TOKENS):
        x = 0.7 + 0.975 * k
        box(axes, x, TEXT_Y, "", width=0.9, height=0.66, color=INPUT if k == N * L else COLORS[k // L])
        word(axes, x, TEXT_Y, token, fontsize=11)
    for n in range(N):
        left, right = 0.3 + 0.975 * n * L, 1.1 + 0.975 * (n * L + L - 1)
        arrow(axes, (left, 6.2), (left, 6.05), (right, 6.05), (right, 6.2), head=False, lw=1.3)
        label(axes, (left + right) / 2, 5.83, f"stream {n}", fontsize=13.5)


def stream(axes, n, y):
    """One stream: inputs in boxes, above each its target, the state from step to step, and how far gradients reach."""
    label(axes, 0.75, y + 0.78, "targets", fontsize=13.5)
    label(axes, 0.75, y, f"stream {n}", fontsize=13.5)
    for t, x in enumerate(COLUMNS):
        box(axes, x, y, "", width=WIDTH, height=0.7, color=COLORS[n])
        word(axes, x, y, TOKENS[n * L + t])
        word(axes, x, y + 0.78, TOKENS[n * L + t + 1] + "?")
        before = 1.8 if t == 0 else COLUMNS[t - 1] + WIDTH / 2
        arrow(axes, (before, y), (x - WIDTH / 2, y), color=BLUE, lw=2)
    label(axes, 1.65, y, "0", color=BLUE)
    label(axes, (COLUMNS[T - 1] + COLUMNS[T]) / 2, y + 0.3, "state", fontsize=13.5, color=BLUE)
    for k in range(L // T):
        left, right = COLUMNS[k * T] - WIDTH / 2, COLUMNS[k * T + T - 1] + WIDTH / 2
        arrow(axes, (right, y - 0.63), (left, y - 0.63), color=ORANGE, style=BACK, lw=2)
        label(axes, (left + right) / 2, y - 0.63, "gradients", fontsize=13.5, color=ORANGE, background=CELL)


def word(axes, x, y, text, fontsize=13):
    """A token."""
    label(axes, x, y, text, fontsize=fontsize, family="monospace")
