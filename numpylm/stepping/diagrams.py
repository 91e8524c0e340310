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
    diagram.boxes.append(f'<text class="number" x="{x + width / 2 + 4}" y="{y + 4}">{equation}</text>')


def quantity(diagram, name, x, y, anchor="start"):
    """A quantity's name, with its value and its gradient below; y is the name's base line."""
    letters, subscript = NAMES.get(name) or name.split("_")
    label = f'<tspan class="letter">{letters}</tspan><tspan class="subscript" dy="3.5">{subscript}</tspan>'
    word = escape(WORDS[name])
    left = x - 4 if anchor == "start" else x - 62
    diagram.quantities.append(
        f'<g class="quantity" data-name="{name}" tabindex="0" role="button" aria-label="{name}, {word}">'
        f"<title>{word}</title>"
        f'<rect class="target" x="{left}" y="{y - 16}" width="66" height="52" rx="5"/>'
        f'<text class="name" x="{x}" y="{y}" text-anchor="{anchor}">{label}</text>'
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
    label = '<tspan class="letter">x</tspan><tspan class="subscript" dy="3.5">t</tspan>'
    diagram.quantities.append(
        f'<text class="name" x="60" y="430">{label}</text><text id="reads" x="80" y="430"></text>'
    )


def predicting(diagram, x, top):
    """From h_t at (x, top) down to the softmax, and what it predicts."""
    dot(diagram, x, top)
    wire(diagram, (x, top), (x, 292), flow="dh")
    box(diagram, x, 308, "softmax", kind="output", width=76)
    quantity(diagram, "y", RIGHT + 6, 344, "end")


def lstm(diagram):
    """Equations (3) to (8), as in figures/lstm_cell.png."""
    f, i, c, o, out = 96, 176, 256, 340, 432
    middle = (i + c) / 2
    wire(diagram, (LEFT, C), (f - 13, C), kind="state", head=False, flow="dc_prev")
    wire(diagram, (f + 13, C), (middle - 13, C), kind="state", head=False, flow="dc_t")
    wire(diagram, (middle + 13, C), (o, C), kind="state", head=False, flow="dc_t")
    wire(diagram, (o, C), (RIGHT, C), kind="state", flow="dc_next")
    wire(diagram, (o, C), (o, 109), flow="through_h")
    dot(diagram, o, C)
    box(diagram, o, 125, "tanh", kind="squash")
    wire(diagram, (o, 141), (o, 195), flow="dtanh_c_t")
    wire(diagram, (f, 292), (f, C + 13))
    wire(diagram, (i, 292), (i, 172), (middle - 13, 172))
    wire(diagram, (c, 292), (c, 172), (middle + 13, 172))
    wire(diagram, (middle, 159), (middle, C + 13))
    wire(diagram, (o, 292), (o, 221))
    wire(diagram, (o + 13, 208), (RIGHT, 208), flow="dh_t")
    for x, y, sign in ((f, C, "×"), (middle, C, "+"), (middle, 172, "×"), (o, 208, "×")):
        operation(diagram, x, y, sign)
    reading(diagram, [(x, 324) for x in (f, i, c, o)], o)
    for x, gate, result, sign, number in (
        (f, "f", "f_t", "σ", 4),
        (i, "i", "i_t", "σ", 3),
        (c, "c", "c_tilde_t", "tanh", 6),
        (o, "o", "o_t", "σ", 5),
    ):
        box(diagram, x, 308, sign, f"({number})", kind="squash" if sign == "tanh" else "gate", width=46)
        quantity(diagram, result, x + 7, 242)
        quantity(diagram, f"a_{gate}", x + 7, 343)
    diagram.boxes.append(f'<text class="number" x="{middle + 18}" y="{C + 22}">(7)</text>')
    diagram.boxes.append('<text class="number" x="303" y="212">(8)</text>')
    predicting(diagram, out, 208)
    quantity(diagram, "c_prev", LEFT, 34)
    quantity(diagram, "c_t", 424, 34)
    quantity(diagram, "tanh_c_t", o + 17, 158)
    quantity(diagram, "h_t", RIGHT + 6, 233, "end")
    return diagram


def gru(diagram):
    """Equations (10) to (13), as in figures/gru_cell.png."""
    letters = '<tspan class="letter">h</tspan><tspan class="subscript" dy="3.5">t−1</tspan>'
    diagram.boxes.append(f'<text class="name" x="{LEFT}" y="{C - 12}">{letters}</text>')
    z, r, n, out = 96, 206, 316, 440
    wire(diagram, (LEFT, C), (z - 13, C), kind="state", head=False)
    wire(diagram, (z + 13, C), (n - 13, C), kind="state", head=False)
    wire(diagram, (n + 13, C), (RIGHT, C), kind="state", flow="dh_t")
    wire(diagram, (z, 290), (z, C + 13))
    wire(diagram, (z, 146), (r - 13, 146), head=False)
    dot(diagram, z, 146)
    wire(diagram, (r + 13, 146), (n - 13, 146))
    wire(diagram, (n, 207), (n, 159), flow="dn_t")
    wire(diagram, (n, 133), (n, C + 13), flow="dn_t")
    wire(diagram, (n, 289), (n, 239))
    wire(diagram, (r + 23, 302), (n - 13, 302))
    for x, y, sign in ((z, C, "×"), (n, C, "+"), (n, 146, "×"), (r, 146, "1−"), (n, 302, "×")):
        operation(diagram, x, y, sign)
    reading(diagram, [(z, 322), (r, 318), (n, 315)], n)
    box(diagram, z, 306, "σ", "(11)", width=46)
    box(diagram, r, 302, "σ", "", width=46)
    box(diagram, n, 223, "tanh", "(12)", kind="squash", width=46)
    diagram.boxes.append(f'<text class="number" x="{r}" y="280" text-anchor="middle">(10)</text>')
    diagram.boxes.append(f'<text class="number" x="{n + 18}" y="{C + 22}">(13)</text>')
    places = {
        "z_t": (z + 7, 232), "a_z": (z + 7, 342), "r_t": (242, 264), "a_r": (r + 7, 342), "a_n": (n + 7, 256),
        "hWb_n": (n + 7, 342), "n_t": (n + 7, 170),
    }  # fmt: skip
    for name, (x, y) in places.items():
        quantity(diagram, name, x, y)
    predicting(diagram, out, C)
    quantity(diagram, "h_t", 424, 34)
    return diagram


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
