"""One step of the LSTM: every symbol of equations (3) to (8) where it is computed, and the cell state's path."""

from _diagrams import CELL, GATE, STATE, arrow, box, canvas, dot, frame, label, operation

from numpylm.plots import BLUE

C, PRODUCT, GATES, H = 6.1, 4.75, 3.2, 1.75  # heights: cell state, i ⊙ c̃, gates, hidden state
F_AT, I_AT, NEW_AT, O_AT = 3.3, 5.3, 7.3, 9.3  # where the gates stand
SUM_AT, OUT_AT, RIGHT = (I_AT + NEW_AT) / 2, 10.9, 12.7


def draw():
    """The picture, as a Figure."""
    figure, axes = canvas(13.6, 7.2, (10.2, 5.4))
    frame(axes, 1.85, 1.15, 11.65, 6.95, color=CELL)
    state_paths(axes)
    gates(axes)
    update(axes)
    output(axes)
    return figure


def state_paths(axes):
    """c from left to right, and what the gates read: h_{t-1} from the left, x_t from below."""
    arrow(axes, (1.15, C), (RIGHT, C), color=BLUE, lw=3)
    label(axes, 0.7, C, "$c_{t-1}$", fontsize=20)
    label(axes, RIGHT + 0.4, C, "$c_t$", fontsize=20)
    arrow(axes, (1.15, H), (O_AT, H), head=False)
    label(axes, 0.7, H, "$h_{t-1}$", fontsize=20)
    arrow(axes, (2.3, 0.7), (2.3, H), head=False)
    dot(axes, 2.3, H)
    label(axes, 2.3, 0.4, "$x_t$", fontsize=20)


def gates(axes):
    """The four gates, each with its weights, its equation's number and its result."""
    for x, gate, result, number in (
        (F_AT, "f", "$f_t$", 4),
        (I_AT, "i", "$i_t$", 3),
        (NEW_AT, "c", r"$\tilde{c}_t$", 6),
        (O_AT, "o", "$o_t$", 5),
    ):
        arrow(axes, (x, H), (x, GATES - 0.4))
        if x != O_AT:
            dot(axes, x, H)
        f, color = ("tanh", STATE) if gate == "c" else (r"$\sigma$", GATE)
        box(axes, x, GATES, f, width=1.1, color=color, fontsize=15 if gate == "c" else 20)
        weights = f"$W_{{x{gate}}}\\ W_{{h{gate}}}\\ b_{gate}$"
        label(axes, x + 0.12, (H + GATES - 0.4) / 2 + 0.02, weights, fontsize=14, ha="left")
        label(axes, x + 0.62, GATES + 0.02, f"({number})", fontsize=13, ha="left")
        label(axes, x - 0.3, GATES + 0.68, result, fontsize=18)


def update(axes):
    """Equation (7): what is kept of c_{t-1}, and what is added."""
    arrow(axes, (F_AT, GATES + 0.4), (F_AT, C - 0.28))
    operation(axes, F_AT, C, r"$\odot$")
    for x, side in ((I_AT, -1), (NEW_AT, 1)):
        arrow(axes, (x, GATES + 0.4), (x, PRODUCT), (SUM_AT + side * 0.28, PRODUCT))
    operation(axes, SUM_AT, PRODUCT, r"$\odot$")
    arrow(axes, (SUM_AT, PRODUCT + 0.26), (SUM_AT, C - 0.28))
    operation(axes, SUM_AT, C, "+", fontsize=20)
    label(axes, SUM_AT + 0.02, C + 0.52, r"$c_t = f_t \odot c_{t-1} + i_t \odot \tilde{c}_t$   (7)", fontsize=16)


def output(axes):
    """Equation (8): the cell state, squashed, let out by the output gate."""
    dot(axes, OUT_AT, C, color=BLUE)
    arrow(axes, (OUT_AT, C), (OUT_AT, 5.24))
    box(axes, OUT_AT, 4.9, "tanh", width=1.1, height=0.7, color=STATE, fontsize=15)
    turn = GATES + 0.85
    arrow(axes, (OUT_AT, 4.55), (OUT_AT, turn + 0.28))
    arrow(axes, (O_AT, GATES + 0.4), (O_AT, turn), (OUT_AT - 0.28, turn))
    operation(axes, OUT_AT, turn, r"$\odot$")
    arrow(axes, (OUT_AT, turn - 0.26), (OUT_AT, H), (RIGHT, H))
    label(axes, RIGHT + 0.4, H, "$h_t$", fontsize=20)
    label(axes, 13.4, 0.6, r"$h_t = o_t \odot \tanh(c_t)$   (8)", fontsize=16, ha="right")
    sum_of_gates = r"$i_t = \sigma(x_t W_{xi} + h_{t-1} W_{hi} + b_i)$   (3), and so (4) to (6)"
    label(axes, 2.95, 0.6, sum_of_gates, fontsize=16, ha="left")
