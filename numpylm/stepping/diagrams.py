"""The cells as SVG: wires, boxes and round operations, with a place for the number on each wire.

A quantity is a group that a reader can press; the page writes its value and its gradient into it:

    <g class="quantity" data-name="f_t"> … <text class="value"/><text class="gradient"/></g>

A path with data-flow="dc_t" becomes as wide as this gradient in the backward pass.
"""

from html import escape
from typing import NamedTuple

WIDTH, HEIGHT = 506, 446
C, BUS = 88, 394  # heights of the line of the cell state, and of what the gates read
LEFT, RIGHT = 14, 494
F_AT, I_AT, NEW_AT, O_AT = 96, 176, 256, 340  # where the LSTM's gates stand
SUM_AT = (I_AT + NEW_AT) / 2
Z_AT, R_AT, N_AT = 96, 206, 316  # where the GRU's stand
NAMES = {  # how a quantity is written in an equation: its letters, and its subscript
    "h_prev": ("h", "t−1"), "c_prev": ("c", "t−1"), "c_tilde_t": ("c̃", "t"), "tanh_c_t": ("tanh c", "t"),
    "hWb_n": ("hW + b", "n"), "y": ("y", "t"),
}  # fmt: skip
WORDS = {
    "x": "the input, a row of E", "h_prev": "the hidden state before this step", "c_prev": "the cell state before",
    "i_t": "the input gate: how much of c̃ is written", "f_t": "the forget gate: how much of the cell state is kept",
    "o_t": "the output gate: how much of tanh c_t leaves the cell", "c_tilde_t": "the candidate for the cell state",
    "c_t": "the cell state", "tanh_c_t": "the cell state, squashed", "h_t": "the hidden state",
    "r_t": "the reset gate: how much of h_{t-1} the candidate reads", "n_t": "the candidate for the hidden state",
    "z_t": "the update gate: how much of h_{t-1} is kept", "hWb_n": "the state's share of the candidate",
    "y": "the predicted distribution of the next token", "logits": "the scores of the next token",
    "xW_t": "the input's share", "hW_t": "the state's share", "a_t": "the pre-activation",
    **{f"a_{gate}": f"the pre-activation of {gate}" for gate in "ifocrzn"},
    **{f"xW_{gate}": f"the input's share of a_{gate}" for gate in "ifocrzn"},
    **{f"hW_{gate}": f"the state's share of a_{gate}" for gate in "rzn"},
    "dh": "what reaches h_t from the output (or the layer above)", "dh_next": "what reaches h_t from step t + 1",
    "dc_next": "what reaches c_t from step t + 1",
}  # fmt: skip


class Diagram(NamedTuple):
    """SVG elements: wires lie below, then boxes and operations, then the quantities."""

    wires: list
    boxes: list
    quantities: list


def svg(cell):
    """The diagram of a cell, "rnn", "lstm" or "gru"."""
    diagram = {"rnn": rnn, "lstm": lstm, "gru": gru}[cell](Diagram([], [], []))
    head = '<marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
    return "\n".join(
        [
            f'<svg id="diagram" viewBox="0 0 {WIDTH} {HEIGHT}" role="group" aria-label="The cell, with its numbers">',
            f'<defs>{head}<path d="M0 0.6 8 4 0 7.4z"/></marker></defs>',
            *diagram.wires, *diagram.boxes, *diagram.quantities, "</svg>",
        ]
    )  # fmt: skip


def wire(diagram, *points, flow=None, head=True, kind=""):
    """A line through points (x, y), and below it the band of the gradient that runs back along it."""
    path = "M" + " L".join(f"{x} {y}" for x, y in points)
    if flow:
        diagram.wires.insert(0, f'<path class="flow" data-flow="{flow}" d="{path}"/>')
    marker = ' marker-end="url(#head)"' if head else ""
    diagram.wires.append(f'<path class="wire {kind}"{marker} d="{path}"/>')


def dot(diagram, x, y):
    """Where a line branches."""
    diagram.boxes.append(f'<circle class="dot" cx="{x}" cy="{y}" r="3"/>')


def operation(diagram, x, y, sign):
    """A round operation."""
    diagram.boxes.append(f'<circle class="operation" cx="{x}" cy="{y}" r="13"/>')
    diagram.boxes.append(f'<text class="sign" x="{x}" y="{y + 5.5}">{sign}</text>')


def box(diagram, x, y, text, equation="", kind="gate", width=52):
    """A box with its equation's number at its right."""
    corner = f'x="{x - width / 2}" y="{y - 16}" width="{width}" height="32" rx="6"'
    diagram.boxes.append(f'<rect class="box {kind}" {corner}/><text class="sign" x="{x}" y="{y + 5.5}">{text}</text>')
    number(diagram, x + width / 2 + 4, y + 4, equation)


def number(diagram, x, y, equation):
    """An equation's number."""
    diagram.boxes.append(f'<text class="number" x="{x}" y="{y}">{equation}</text>')


def written(name):
    """A quantity as an equation has it: c̃ with the subscript t."""
    letters, subscript = NAMES.get(name) or name.split("_")
    return f'<tspan class="letter">{letters}</tspan><tspan class="subscript" dy="3.5">{subscript}</tspan>'


def quantity(diagram, name, x, y, anchor="start"):
    """A quantity's name, with its value and its gradient below; y is the name's base line."""
    word = escape(WORDS[name])
    left = x - 4 if anchor == "start" else x - 62
    diagram.quantities.append(
        f'<g class="quantity" data-name="{name}" tabindex="0" role="button" aria-label="{name}, {word}">'
        f"<title>{word}</title>"
        f'<rect class="target" x="{left}" y="{y - 16}" width="66" height="52" rx="5"/>'
        f'<text class="name" x="{x}" y="{y}" text-anchor="{anchor}">{written(name)}</text>'
        f'<text class="value" x="{x}" y="{y + 17}" text-anchor="{anchor}"></text>'
        f'<text class="gradient" x="{x}" y="{y + 32}" text-anchor="{anchor}"></text></g>'
    )


def reading(diagram, gates, last):
    """h_{t-1} and x_t on the line that all gates read: [(x, height of the gate's lower edge)]."""
    wire(diagram, (LEFT, BUS), (last, BUS), head=False, flow="dh_prev")
    wire(diagram, (50, 432), (50, BUS), head=False)
    dot(diagram, 50, BUS)
    for x, y in gates:
        wire(diagram, (x, BUS), (x, y))
        if x != last:
            dot(diagram, x, BUS)
    quantity(diagram, "h_prev", LEFT, BUS - 44)
    diagram.quantities.append(f'<text class="name" x="60" y="430">{written("x_t")}</text>')
    diagram.quantities.append('<text id="reads" x="80" y="430"></text>')


def predicting(diagram, x, top):
    """From h_t at (x, top) down to the softmax, and what it predicts."""
    dot(diagram, x, top)
    wire(diagram, (x, top), (x, 292), flow="dh")
    box(diagram, x, 308, "softmax", kind="output", width=76)
    quantity(diagram, "y", RIGHT + 6, 344, "end")


def lstm(diagram):
    """Equations (3) to (8), as in figures/lstm_cell.png."""
    lstm_state(diagram)
    lstm_gates(diagram)
    for x, y, sign in ((F_AT, C, "×"), (SUM_AT, C, "+"), (SUM_AT, 172, "×"), (O_AT, 208, "×")):
        operation(diagram, x, y, sign)
    number(diagram, SUM_AT + 18, C + 22, "(7)")
    number(diagram, O_AT - 37, 212, "(8)")
    predicting(diagram, 432, 208)
    quantity(diagram, "h_t", RIGHT + 6, 233, "end")
    return diagram


def lstm_state(diagram):
    """The cell state from left to right, and down through tanh to h_t."""
    wire(diagram, (LEFT, C), (F_AT - 13, C), kind="state", head=False, flow="dc_prev")
    wire(diagram, (F_AT + 13, C), (SUM_AT - 13, C), kind="state", head=False, flow="dc_t")
    wire(diagram, (SUM_AT + 13, C), (O_AT, C), kind="state", head=False, flow="dc_t")
    wire(diagram, (O_AT, C), (RIGHT, C), kind="state", flow="dc_next")
    wire(diagram, (O_AT, C), (O_AT, 109), flow="through_h")
    dot(diagram, O_AT, C)
    box(diagram, O_AT, 125, "tanh", kind="squash")
    wire(diagram, (O_AT, 141), (O_AT, 195), flow="dtanh_c_t")
    wire(diagram, (O_AT + 13, 208), (RIGHT, 208), flow="dh_t")
    quantity(diagram, "c_prev", LEFT, 34)
    quantity(diagram, "c_t", 424, 34)
    quantity(diagram, "tanh_c_t", O_AT + 17, 158)


def lstm_gates(diagram):
    """The four gates, what they read, and where their results go."""
    reading(diagram, [(x, 324) for x in (F_AT, I_AT, NEW_AT, O_AT)], O_AT)
    gates = ((F_AT, "f_t", "σ", 4), (I_AT, "i_t", "σ", 3), (NEW_AT, "c_tilde_t", "tanh", 6), (O_AT, "o_t", "σ", 5))
    for x, result, sign, equation in gates:
        box(diagram, x, 308, sign, f"({equation})", kind="squash" if sign == "tanh" else "gate", width=46)
        quantity(diagram, result, x + 7, 242)
        quantity(diagram, f"a_{result[0]}", x + 7, 343)
    wire(diagram, (F_AT, 292), (F_AT, C + 13))
    wire(diagram, (I_AT, 292), (I_AT, 172), (SUM_AT - 13, 172))
    wire(diagram, (NEW_AT, 292), (NEW_AT, 172), (SUM_AT + 13, 172))
    wire(diagram, (SUM_AT, 159), (SUM_AT, C + 13))
    wire(diagram, (O_AT, 292), (O_AT, 221))


def gru(diagram):
    """Equations (10) to (13), as in figures/gru_cell.png."""
    gru_wires(diagram)
    for x, y, sign in ((Z_AT, C, "×"), (N_AT, C, "+"), (N_AT, 146, "×"), (R_AT, 146, "1−"), (N_AT, 302, "×")):
        operation(diagram, x, y, sign)
    box(diagram, Z_AT, 306, "σ", "(11)", width=46)
    box(diagram, R_AT, 302, "σ", width=46)
    box(diagram, N_AT, 223, "tanh", "(12)", kind="squash", width=46)
    number(diagram, R_AT - 11, 280, "(10)")
    number(diagram, N_AT + 18, C + 22, "(13)")
    diagram.boxes.append(f'<text class="name" x="{LEFT}" y="{C - 12}">{written("h_prev")}</text>')
    for name, x, y in (
        ("z_t", Z_AT + 7, 232), ("a_z", Z_AT + 7, 342), ("r_t", 242, 264), ("a_r", R_AT + 7, 342),
        ("a_n", N_AT + 7, 256), ("hWb_n", N_AT + 7, 342), ("n_t", N_AT + 7, 170), ("h_t", 424, 34),
    ):  # fmt: skip
        quantity(diagram, name, x, y)
    predicting(diagram, 440, C)
    return diagram


def gru_wires(diagram):
    """h from left to right, the two ways of z_t, and how the candidate n_t comes about."""
    wire(diagram, (LEFT, C), (Z_AT - 13, C), kind="state", head=False)
    wire(diagram, (Z_AT + 13, C), (N_AT - 13, C), kind="state", head=False)
    wire(diagram, (N_AT + 13, C), (RIGHT, C), kind="state", flow="dh_t")
    wire(diagram, (Z_AT, 290), (Z_AT, C + 13))
    wire(diagram, (Z_AT, 146), (R_AT - 13, 146), head=False)
    dot(diagram, Z_AT, 146)
    wire(diagram, (R_AT + 13, 146), (N_AT - 13, 146))
    wire(diagram, (N_AT, 207), (N_AT, 159), flow="dn_t")
    wire(diagram, (N_AT, 133), (N_AT, C + 13), flow="dn_t")
    wire(diagram, (N_AT, 289), (N_AT, 239))
    wire(diagram, (R_AT + 23, 302), (N_AT - 13, 302))
    reading(diagram, [(Z_AT, 322), (R_AT, 318), (N_AT, 315)], N_AT)


def rnn(diagram):
    """Equation (1)."""
    middle, out = 220, 440
    wire(diagram, (middle, 184), (middle, C), (RIGHT, C), kind="state", flow="dh_t")
    box(diagram, middle, 200, "f", "(1)", kind="squash")
    reading(diagram, [(middle, 216)], middle)
    quantity(diagram, "a_t", middle + 8, 290)
    quantity(diagram, "h_t", 424, 34)
    predicting(diagram, out, C)
    return diagram
