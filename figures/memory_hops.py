"""Three hops of a memory network, equations (43) to (47), and the two ways of the gradient back through each."""

from _diagrams import BACK, GATE, INPUT, OUTPUT, STATE, arrow, box, canvas, label, operation

from numpylm.plots import BLUE, ORANGE

EQUATIONS = (
    "$e_{ki} = u_k \\cdot m_i$   (43)    $p_k = \\mathrm{softmax}(e_k)$   (44)    "
    "$r_k = \\sum_i p_{ki} v_i$   (45)    $u_{k+1} = u_k + r_k$   (46)"
)
QUESTION, STEP = 1.9, 3.2  # where u_0 stands, and how far apart the hops are
LINE, READ, LOOK, STORY = 6.0, 4.3, 2.9, 1.5  # heights: u and the sums, r, p, the sentences
GAP = 0.3  # between an arrow forwards and its gradient


def draw():
    """The picture, as a Figure."""
    figure, axes = canvas(14.6, 8.2, (9.8, 5.5))
    label(axes, 0.6, LINE, "question", fontsize=12)
    box(axes, QUESTION, LINE, "$u_0$")
    for k in range(3):
        hop(axes, k, QUESTION + k * STEP)
    last = QUESTION + 3 * STEP
    arrow(axes, (last + 0.6, LINE), (last + 1.2, LINE))
    box(axes, last + 1.8, LINE, "$y$", color=OUTPUT)
    arrow(axes, (last + 1.5, LINE + 1.0), (QUESTION, LINE + 1.0), color=ORANGE, lw=3, style=BACK)
    label(axes, QUESTION + 1.5 * STEP, LINE + 1.45, "the short way of the gradient: du as it is, (46)", fontsize=13)
    label(axes, last + 0.1, READ, "the second way:", fontsize=13, color=BLUE, ha="left")
    label(axes, last + 0.1, READ - 0.45, "(45), (44), (43)", fontsize=13, color=BLUE, ha="left")
    box(axes, QUESTION + 1.55 * STEP, STORY, "the sentences: $m_i$ to compare, $v_i$ to read", 3.1 * STEP, color=INPUT)
    label(axes, 7.3, 0.5, EQUATIONS, fontsize=14)
    return figure


def hop(axes, k, x):
    """From u_k at x to u_{k+1}: the way that adds u_k itself, and the way through what was read."""
    plus = x + 0.62 * STEP
    arrow(axes, (x + 0.6, LINE), (plus - 0.26, LINE))
    operation(axes, plus, LINE, "+")
    arrow(axes, (plus + 0.26, LINE), (x + STEP - 0.6, LINE))
    box(axes, x + STEP, LINE, f"$u_{k + 1}$")
    box(axes, x + 0.25, LOOK, f"$p_{k}$", color=GATE)
    box(axes, plus, READ, f"$r_{k}$", color=STATE)
    arrow(axes, (x, LINE - 0.4), (x, LOOK + 0.4))
    arrow(axes, (x + 0.25, STORY + 0.4), (x + 0.25, LOOK - 0.4))
    arrow(axes, (x + 0.85, LOOK), (plus - 0.3, LOOK), (plus - 0.3, READ - 0.4))
    arrow(axes, (plus + 0.3, STORY + 0.4), (plus + 0.3, READ - 0.4))
    arrow(axes, (plus, READ + 0.4), (plus, LINE - 0.26))
    arrow(axes, (plus + GAP, LINE - 0.4), (plus + GAP, READ + 0.4), color=BLUE, style=BACK)
    arrow(axes, (plus - 0.6, READ), (x + 0.65, READ), (x + 0.65, LOOK + 0.4), color=BLUE, style=BACK)
    arrow(axes, (x + GAP, LOOK + 0.4), (x + GAP, LINE - 0.4), color=BLUE, style=BACK)
