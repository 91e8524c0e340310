"""The RNN language model, folded and unrolled over three steps: equations (1) and (2) with the names of the code."""

from _diagrams import INPUT, OUTPUT, arrow, box, canvas, label

from numpylm.plots import BLUE

EQUATIONS = (
    "$h_t = f(x_t W_{xh} + h_{t-1} W_{hh} + b_h)$   (1)          "
    r"$y_t = \mathrm{softmax}(h_t W_{hy} + b_y)$   (2)"
)
HEIGHTS = {"token": 1.3, "x": 2.5, "h": 4.1, "y": 5.7}
FOLDED, FIRST, GAP = 1.2, 5.4, 2.6  # where the columns stand
STEPS = (("t-1", "the", "dog"), ("t", "dog", "barks"), ("t+1", "barks", "<eos>"))


def draw():
    """The picture, as a Figure."""
    figure, axes = canvas(12.8, 6.9, (10.24, 5.52))
    fold(axes, FOLDED)
    label(axes, (FOLDED + FIRST) / 2 - 0.15, HEIGHTS["h"], "=", fontsize=26)
    columns = [FIRST + k * GAP for k in range(3)]
    for x, (time, token, target) in zip(columns, STEPS, strict=True):
        tower(axes, x, time)
        label(axes, x, HEIGHTS["token"], token, family="monospace", fontsize=13)
        label(axes, x, HEIGHTS["y"] + 0.75, f"{target}?", family="monospace", fontsize=13)
    pass_state_on(axes, columns)
    label(axes, 6.4, 0.45, EQUATIONS, fontsize=16)
    return figure


def fold(axes, x):
    """One cell whose state comes back to it a step later."""
    tower(axes, x, "t")
    label(axes, x, HEIGHTS["token"], r"token$_t$")
    h, right = HEIGHTS["h"], x + 1.1
    arrow(axes, (x + 0.6, h + 0.2), (right, h + 0.2), (right, h - 0.2), (x + 0.6, h - 0.2), color=BLUE)
    label(axes, right, h + 0.5, "$W_{hh}$", color=BLUE)


def tower(axes, x, time):
    """Token, embedding, state and prediction of one step, from the bottom to the top."""
    token, x_t, h, y = HEIGHTS.values()
    arrow(axes, (x, token + 0.25), (x, x_t - 0.4))
    label(axes, x + 0.28, (token + x_t) / 2 - 0.08, "$E$")
    box(axes, x, x_t, f"$x_{{{time}}}$", color=INPUT)
    arrow(axes, (x, x_t + 0.4), (x, h - 0.4))
    label(axes, x + 0.42, (x_t + h) / 2, "$W_{xh}$")
    box(axes, x, h, f"$h_{{{time}}}$")
    arrow(axes, (x, h + 0.4), (x, y - 0.4))
    label(axes, x + 0.42, (h + y) / 2, "$W_{hy}$")
    box(axes, x, y, f"$y_{{{time}}}$", color=OUTPUT)


def pass_state_on(axes, columns):
    """The arrows from state to state, from the one before the first column to the one after the last."""
    h = HEIGHTS["h"]
    starts = [columns[0] - GAP + 0.2, *columns]
    ends = [*columns, columns[-1] + GAP - 0.2]
    for start, end in zip(starts, ends, strict=True):
        arrow(axes, (start + 0.6, h), (end - 0.6, h), color=BLUE)
        label(axes, (start + end) / 2, h + 0.3, "$W_{hh}$", color=BLUE)
