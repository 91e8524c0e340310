"""The backward pass of one LSTM step: the two paths that meet in dc_t, and the one that leads on through f_t alone."""

from _diagrams import BACK, CELL, GATE, STATE, arrow, box, canvas, dot, frame, label, operation

from numpylm.plots import BLUE, ORANGE

C, TIMES, GATES, H = 6.0, 4.75, 3.2, 1.5  # heights: cell state, products, gates, hidden state
F_AT, I_AT, NEW_AT, O_AT, SUM_AT, RIGHT = 3.6, 5.3, 7.0, 8.7, 10.6, 13.5
GATE_GRADIENTS = (  # where, the gate, the factor, the equation's number
    (F_AT, "f", "$c_{t-1}$", 4), (I_AT, "i", r"$\tilde{c}_t$", 3), (NEW_AT, "c", "$i_t$", 6),
)  # fmt: skip
LINE = {"color": ORANGE, "style": BACK, "lw": 2}


def draw():
    """The picture, as a Figure."""
    figure, axes = canvas(15.6, 7.4, (10.24, 4.858))
    frame(axes, 1.75, 0.95, 12.85, 7.15, color=CELL)
    cell_path(axes)
    hidden_path(axes)
    gates(axes)
    equation = r"$dc_t = dc_{t+1} \odot f_{t+1} + dh_t \odot o_t \odot (1 - \tanh^2 c_t)$"
    label(axes, 7.8, 0.4, f"two paths meet:   {equation}", fontsize=16)
    return figure


def cell_path(axes):
    """From dc of the next step to dc of the step before: one sum, and one product with f_t."""
    thick = {**LINE, "lw": 3.2}
    arrow(axes, (RIGHT, C), (SUM_AT + 0.26, C), **thick)
    label(axes, RIGHT + 0.15, C, r"$dc_{t+1} \odot f_{t+1}$", ha="left", fontsize=16)
    label(axes, 11.8, C + 0.4, "path 1", color=ORANGE, fontsize=13)
    operation(axes, SUM_AT, C, "+", fontsize=20)
    arrow(axes, (SUM_AT - 0.26, C), (F_AT - 0.85 + 0.28, C), **thick)
    label(axes, SUM_AT - 0.9, C + 0.42, "$dc_t$", fontsize=20, color=ORANGE)
    operation(axes, F_AT - 0.85, C, r"$\odot$")
    label(axes, F_AT - 0.85, C + 0.55, "$f_t$", fontsize=17, color=BLUE)
    arrow(axes, (F_AT - 0.85 - 0.28, C), (1.15, C), **thick)
    label(axes, 0.65, C, "$dc_{t-1}$", fontsize=18)


def hidden_path(axes):
    """From dh_t through o_t and tanh up to dc_t."""
    arrow(axes, (RIGHT, H), (SUM_AT, H), (SUM_AT, GATES - 0.28 - 0.3), **LINE)
    label(axes, RIGHT + 0.15, H, "$dh_t$", ha="left", fontsize=18)
    for y, factor in ((GATES - 0.3, "$o_t$"), (TIMES - 0.2, r"$1 - \tanh^2 c_t$")):
        operation(axes, SUM_AT, y, r"$\odot$")
        label(axes, SUM_AT + 0.4, y, factor, ha="left", fontsize=16, color=BLUE)
    label(axes, 11.8, H + 0.4, "path 2", color=ORANGE, fontsize=13)
    arrow(axes, (SUM_AT, GATES - 0.02), (SUM_AT, TIMES - 0.48), **LINE)
    arrow(axes, (SUM_AT, TIMES + 0.08), (SUM_AT, C - 0.28), **LINE)


def gates(axes):
    """What dc_t and dh_t give to the four pre-activations, and all of them to dh_{t-1}."""
    for x, gate, factor, number in GATE_GRADIENTS:
        dot(axes, x, C, color=ORANGE)
        arrow(axes, (x, C), (x, TIMES + 0.28), **LINE)
        operation(axes, x, TIMES, r"$\odot$")
        label(axes, x + 0.38, TIMES, factor, ha="left", fontsize=16, color=BLUE)
        arrow(axes, (x, TIMES - 0.28), (x, GATES + 0.4), **LINE)
        gate_box(axes, x, gate, number)
    dot(axes, SUM_AT, H + 0.55, color=ORANGE)
    turn = O_AT + 0.95
    arrow(axes, (SUM_AT, H + 0.55), (turn, H + 0.55), (turn, TIMES), (O_AT + 0.28, TIMES), **LINE)
    operation(axes, O_AT, TIMES, r"$\odot$")
    label(axes, O_AT, TIMES + 0.5, r"$\tanh c_t$", fontsize=16, color=BLUE)
    arrow(axes, (O_AT, TIMES - 0.28), (O_AT, GATES + 0.4), **LINE)
    gate_box(axes, O_AT, "o", 5)
    arrow(axes, (O_AT, H), (1.15, H), **LINE)
    label(axes, 2.55, H + 0.38, r"$da_t W_h^\top$", fontsize=16, color=ORANGE)
    label(axes, 0.65, H, "$dh_{t-1}$", fontsize=18)


def gate_box(axes, x, gate, number):
    """The pre-activation's gradient, which goes down to the product with the weights."""
    box(axes, x, GATES, f"$da_{gate}$", width=1.1, color=STATE if gate == "c" else GATE, fontsize=17)
    label(axes, x + 0.6, GATES, f"({number})", fontsize=12, ha="left")
    arrow(axes, (x, GATES - 0.4), (x, H), head=False, **LINE)
