"""Backpropagation through time in the unrolled RNN: two gradients meet in each state, and dW_hh is a sum over steps."""

from _diagrams import BACK, INPUT, OUTPUT, arrow, box, canvas, label, operation

from numpylm.plots import BLUE, ORANGE

X, H, LOSS, SUM = 2.35, 4.35, 6.5, 0.6  # heights
FIRST, GAP, MEET = 2.9, 3.9, 1.35  # where h_1 stands, from step to step, from h_t to the place where gradients meet
T = 3


def draw():
    """The picture, as a Figure."""
    figure, axes = canvas(14.2, 8.0, (10.24, 5.769))
    for t in range(1, T + 1):
        forward(axes, FIRST + (t - 1) * GAP, t)
        backward(axes, FIRST + (t - 1) * GAP, t)
    label(axes, 0.55, H + 0.2, "$h_0$", color=BLUE, fontsize=17)
    label(axes, 0.55, H - 0.2, "$dh_0$", color=ORANGE, fontsize=17)
    terms = " + ".join(rf"h_{t - 1}^\top da_{t}" for t in range(1, T + 1))
    box(axes, FIRST + GAP, SUM, f"$dW_{{hh}} = {terms}$", width=6.4, height=0.8, color="white", fontsize=17)
    label(axes, 7.1, 7.5, r"$dh_t$: the sum of two gradients.   $da_t = dh_t \odot f\,'(a_t)$", fontsize=15)
    return figure


def forward(axes, x, t):
    """The boxes of one step, and the forward pass between them in thin blue lines."""
    box(axes, x, X, f"$x_{t}$", width=1.1, color=INPUT)
    box(axes, x, H, f"$h_{t}$", width=1.1)
    box(axes, x, LOSS, f"$L_{t}$", width=1.1, color=OUTPUT)
    before = 0.9 if t == 1 else x - GAP + 0.55
    arrow(axes, (before, H + 0.2), (x - 0.55, H + 0.2), color=BLUE, lw=1.1)
    for below, above in ((X, H), (H, LOSS)):
        arrow(axes, (x - 0.2, below + 0.4), (x - 0.2, above - 0.4), color=BLUE, lw=1.1)


def backward(axes, x, t):
    """The gradients of one step in dashed orange lines."""
    back = {"color": ORANGE, "style": BACK, "lw": 2}
    words = {"color": ORANGE, "fontsize": 14}
    meet, low = x + MEET, H - 0.2
    arrow(axes, (x + 0.55, LOSS), (meet, LOSS), (meet, low + 0.26), **back)
    label(axes, meet + 0.15, LOSS - 0.75, rf"$\partial L_{t} / \partial h_{t}$", ha="left", **words)
    arrow(axes, (x + GAP - 0.55 if t < T else meet + 1.15, low), (meet + 0.26, low), **back)
    if t == T:
        label(axes, meet + 1.35, low, "$0$", color=ORANGE, fontsize=17)
    else:
        label(axes, (meet + x + GAP - 0.3) / 2, low - 0.42, rf"$da_{t + 1} W_{{hh}}^\top$", **words)
    operation(axes, meet, low, "+", fontsize=18)
    arrow(axes, (meet - 0.26, low), (x + 0.55, low), **back)
    label(axes, (x + 0.55 + meet - 0.2) / 2, low - 0.36, f"$dh_{t}$", **words)
    arrow(axes, (x + 0.2, H - 0.4), (x + 0.2, X + 0.4), **back)
    label(axes, x + 0.35, (X + H) / 2 - 0.12, rf"$da_{t} W_{{xh}}^\top$", ha="left", **words)
    arrow(axes, (x - 0.4, H - 0.4), (x - 0.4, X + 0.9), (x - 0.85, X + 0.9), (x - 0.85, SUM + 0.9),
          (FIRST + GAP + (t - 2) * 2.2, SUM + 0.9), (FIRST + GAP + (t - 2) * 2.2, SUM + 0.4), **back)  # fmt: skip
    label(axes, x - 0.95, SUM + 1.35, rf"$h_{t - 1}^\top da_{t}$", ha="right", **words)
    if t == 1:
        arrow(axes, (x - 0.55, low), (0.9, low), **back)
