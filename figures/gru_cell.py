"""One step of the GRU: every symbol of equations (10) to (13) where it is computed."""

from _diagrams import CELL, GATE, STATE, arrow, box, canvas, dot, frame, label, operation

from numpylm.plots import BLUE

H, KEPT, NEW, GATES, H_BUS, X_BUS = 6.6, 5.6, 4.65, 3.45, 2.2, 1.55  # heights
Z_AT, R_AT, RESET_AT, INPUT_AT, TANH_AT, SUM_AT = 3.3, 5.5, 7.3, 8.7, 9.95, 11.3  # where things stand
LEFT, RIGHT = 1.15, 12.9


def draw():
    """The picture, as a Figure."""
    figure, axes = canvas(13.8, 7.7, (10.2, 5.69))
    frame(axes, 1.55, 1.1, 12.15, 7.45, color=CELL)
    buses(axes)
    gate(axes, Z_AT, "z", 11)
    gate(axes, R_AT, "r", 10)
    candidate(axes)
    update(axes)
    equations = (
        r"$n_t = \tanh(x_t W_{xn} + b_n + r_t \odot (h_{t-1} W_{hn} + b_{hn}))$   (12)      "
        r"$h_t = (1 - z_t) \odot n_t + z_t \odot h_{t-1}$   (13)"
    )
    label(axes, 7.7, 0.5, equations, fontsize=15)
    return figure


def buses(axes):
    """The state's straight path, and the lines from which the gates read h_{t-1} and x_t."""
    arrow(axes, (LEFT, H), (RIGHT, H), color=BLUE, lw=3)
    label(axes, 0.7, H, "$h_{t-1}$", fontsize=20)
    label(axes, RIGHT + 0.4, H, "$h_t$", fontsize=20)
    dot(axes, 2.0, H, color=BLUE)
    arrow(axes, (2.0, H), (2.0, H_BUS), (RESET_AT, H_BUS), (RESET_AT, NEW - 0.28), color=BLUE)
    label(axes, 0.7, X_BUS, "$x_t$", fontsize=20)
    arrow(axes, (LEFT, X_BUS), (INPUT_AT, X_BUS), (INPUT_AT, NEW - 0.28))


def gate(axes, x, name, number):
    """A gate, which reads x_t and h_{t-1}."""
    for bus, side, color in ((X_BUS, -0.3, "#222222"), (H_BUS, 0.3, BLUE)):
        arrow(axes, (x + side, bus), (x + side, GATES - 0.4), color=color)
        dot(axes, x + side, bus, color=color)
    box(axes, x, GATES, r"$\sigma$", width=1.2, color=GATE, fontsize=20)
    label(axes, x - 0.4, 2.63, f"$W_{{x{name}}}$", ha="right")
    label(axes, x + 0.4, 2.63, f"$W_{{h{name}}}\\ b_{name}$", ha="left")
    label(axes, x + 0.68, GATES, f"({number})", fontsize=13, ha="left")
    label(axes, x - 0.3, GATES + 0.68, f"${name}_t$", fontsize=18)


def candidate(axes):
    """Equation (12): the reset gate acts on the state's share, after the product with W_hn."""
    arrow(axes, (R_AT, GATES + 0.4), (R_AT, NEW), (RESET_AT - 0.28, NEW))
    operation(axes, RESET_AT, NEW, r"$\odot$")
    arrow(axes, (RESET_AT + 0.26, NEW), (INPUT_AT - 0.28, NEW))
    operation(axes, INPUT_AT, NEW, "+", fontsize=20)
    arrow(axes, (INPUT_AT + 0.26, NEW), (TANH_AT - 0.56, NEW))
    box(axes, TANH_AT, NEW, "tanh", width=1.1, color=STATE, fontsize=15)
    label(axes, TANH_AT, NEW - 0.65, "(12)", fontsize=13)
    label(axes, RESET_AT + 0.1, 3.3, "$W_{hn}\\ b_{hn}$", ha="left")
    label(axes, INPUT_AT + 0.1, 3.3, "$W_{xn}\\ b_n$", ha="left")
    label(axes, SUM_AT - 0.3, NEW + 0.32, "$n_t$", fontsize=18)


def update(axes):
    """Equation (13): z_t says how much of h_{t-1} stays, 1 - z_t how much of n_t comes."""
    arrow(axes, (Z_AT, GATES + 0.4), (Z_AT, H - 0.28))
    operation(axes, Z_AT, H, r"$\odot$")
    dot(axes, Z_AT, KEPT)
    arrow(axes, (Z_AT, KEPT), (TANH_AT - 0.3, KEPT))
    operation(axes, TANH_AT, KEPT, "$1-$", radius=0.3, fontsize=15)
    arrow(axes, (TANH_AT + 0.3, KEPT), (SUM_AT - 0.28, KEPT))
    arrow(axes, (TANH_AT + 0.55, NEW), (SUM_AT, NEW), (SUM_AT, KEPT - 0.28))
    operation(axes, SUM_AT, KEPT, r"$\odot$")
    arrow(axes, (SUM_AT, KEPT + 0.26), (SUM_AT, H - 0.28))
    operation(axes, SUM_AT, H, "+", fontsize=20)
