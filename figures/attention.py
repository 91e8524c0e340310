"""One target step of attention: scores, weights and the context vector, equations (17), (19), (20) and (22)."""

from _diagrams import GATE, INPUT, OUTPUT, STATE, arrow, box, canvas, label, operation

from numpylm.plots import BLUE, ORANGE

EQUATIONS = (
    "$e_{tj} = s_t \\cdot h_j$   (17)      "
    "$\\alpha_{tj} = e^{e_{tj}} / \\sum_k e^{e_{tk}}$   (19)      "
    "$\\mathrm{ctx}_t = \\sum_j \\alpha_{tj} h_j$   (20)"
)
COLUMNS = (1.2, 3.2, 5.2, 7.2)
WORDS = ("the", "dog", "sleeps", "<eos>")
WEIGHTS = (0.05, 0.8, 0.1, 0.05)  # an example, drawn as the lines' widths
SUM, DECODER = 4.2, 10.2  # where the sum and the decoder's column stand
STATES, PRODUCTS, CONTEXT = 2.2, 4.0, 5.9  # heights


def draw():
    """The picture, as a Figure."""
    figure, axes = canvas(13, 8.2, (9.8, 6.2))
    for j, (x, word, weight) in enumerate(zip(COLUMNS, WORDS, WEIGHTS, strict=True), start=1):
        label(axes, x, STATES - 0.85, word, family="monospace", fontsize=13)
        box(axes, x, STATES, f"$h_{j}$", color=INPUT)
        arrow(axes, (x, STATES + 0.4), (x, PRODUCTS - 0.3), lw=0.8 + 7 * weight, head=weight < 0.5)
        operation(axes, x, PRODUCTS, "×", color=GATE)
        label(axes, x + 0.3, PRODUCTS - 0.55, f"$\\alpha_{{t{j}}}$ = {weight}", fontsize=12, ha="left")
        arrow(axes, (x, PRODUCTS + 0.26), (SUM + (x - SUM) * 0.12, CONTEXT - 0.28), lw=0.8 + 7 * weight, head=False)
    operation(axes, SUM, CONTEXT, "+")
    arrow(axes, (SUM + 0.26, CONTEXT), (DECODER - 2.2, CONTEXT), color=ORANGE, lw=3)
    box(axes, DECODER - 1.6, CONTEXT, "$\\mathrm{ctx}_t$", color=STATE)
    arrow(axes, (DECODER - 1.0, CONTEXT), (DECODER + 0.5, CONTEXT), color=ORANGE, lw=3)
    decoder(axes, DECODER + 1.1)
    label(axes, 6.5, 0.5, EQUATIONS, fontsize=15)
    return figure


def decoder(axes, x):
    """The decoder's state, which asks, and what it makes of the answer."""
    arrow(axes, (x - 2.4, STATES), (x - 0.6, STATES), color=BLUE)
    label(axes, x - 2.9, STATES, "$s_{t-1}$")
    box(axes, x, STATES, "$s_t$")
    arrow(axes, (x, STATES + 0.4), (x, CONTEXT - 0.4))
    arrow(axes, (x, PRODUCTS), (COLUMNS[-1] + 0.26, PRODUCTS), style=(0, (3, 1.5)))
    label(axes, x - 1.7, PRODUCTS + 0.3, "scores, then softmax", fontsize=12)
    box(axes, x, CONTEXT, "$\\tilde{s}_t$")
    arrow(axes, (x, CONTEXT + 0.4), (x, CONTEXT + 0.85))
    box(axes, x, CONTEXT + 1.25, "$y_t$", color=OUTPUT)
