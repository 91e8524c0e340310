"""From a text to batches: cut into N = 2 streams and windows of T = 3, each target the token after its input."""

from numpylm.figures.diagram import DIAGRAM, INPUT, OUTPUT, STATE, arrow, box, canvas, frame, label
from numpylm.plots import BLUE, ORANGE

TOKENS = ("the", "king", "sees", "a", "cat", ".", "<eos>", "the", "cats", "sleep", ".", "<eos>", "many")
N, L, T = 2, 6, 3
COLUMNS = (2.5, 3.95, 5.4, 8.2, 9.65, 11.1)  # where the L steps of a stream stand
ROWS = (3.9, 1.45)  # where the N streams stand
WIDTH, TEXT_Y = 1.15, 6.45


def draw():
    """The picture, as a Figure."""
    from matplotlib import rc_context

    with rc_context(DIAGRAM):
        figure, axes = canvas(12.8, 7.2, (10.24, 5.76))
        ribbon(axes)
        for k in range(L // T):
            first, last = COLUMNS[k * T], COLUMNS[k * T + T - 1]
            frame(axes, first - 0.8, 0.35, last + 0.8, 5.6)
            label(axes, (first + last) / 2, 5.32, f"window {k}")
        for n, y in enumerate(ROWS):
            stream(axes, n, y)
    return figure


def ribbon(axes):
    """The text in order, one box a token, and below it which inputs belong to which stream."""
    for k, token in enumerate(TOKENS):
        x = 0.7 + 0.95 * k
        color = INPUT if k == N * L else (STATE, OUTPUT)[k // L]
        box(axes, x, TEXT_Y, "", width=0.9, height=0.62, color=color)
        word(axes, x, TEXT_Y, token, fontsize=10.5)
    for n in range(N):
        left, right = 0.3 + 0.95 * n * L, 1.1 + 0.95 * (n * L + L - 1)
        arrow(axes, (left, 5.98), (right, 5.98), head=False)
        label(axes, (left + right) / 2, 5.98, f"stream {n}", fontsize=12.5, background="white")


def stream(axes, n, y):
    """One stream: inputs in boxes, above each its target, the state from step to step, and how far gradients reach."""
    label(axes, 0.68, y + 0.75, "targets", fontsize=12.5)
    label(axes, 0.68, y, f"stream {n}", fontsize=12.5)
    for t, x in enumerate(COLUMNS):
        box(axes, x, y, "", width=WIDTH, height=0.7, color=(STATE, OUTPUT)[n])
        word(axes, x, y, TOKENS[n * L + t])
        word(axes, x, y + 0.75, TOKENS[n * L + t + 1] + "?")
        before = 1.6 if t == 0 else COLUMNS[t - 1] + WIDTH / 2
        arrow(axes, (before, y), (x - WIDTH / 2, y), color=BLUE, lw=2)
    label(axes, 1.48, y, "0", color=BLUE)
    label(axes, (COLUMNS[T - 1] + COLUMNS[T]) / 2, y + 0.25, "state", fontsize=12.5, color=BLUE)
    for k in range(L // T):
        left, right = COLUMNS[k * T] - WIDTH / 2, COLUMNS[k * T + T - 1] + WIDTH / 2
        arrow(axes, (right, y - 0.6), (left, y - 0.6), color=ORANGE, style="--")
        label(axes, (left + right) / 2, y - 0.6, "gradients", fontsize=12.5, color=ORANGE, background="#fafafa")


def word(axes, x, y, text, fontsize=12.5):
    """A token."""
    label(axes, x, y, text, fontsize=fontsize, family="monospace")
