"""One token drawn: logits, temperature and softmax, top-p, the draw, and the way back to the next step.

The logits are made up; both distributions are what numpylm/generation.py computes from them.
"""

import numpy as np
from _diagrams import INK, OUTPUT, arrow, box, canvas, label

from numpylm.generation import next_token_distribution
from numpylm.plots import BLUE, GREY, ORANGE

TOKENS = ("sleeps", "sings", "sees", "near", "sleep", "the")
LOGITS = np.array([2.1, 1.6, 1.2, 0.4, -0.8, -2.2])
TEMPERATURE, TOP_P = 0.8, 0.9
DRAWN = TOKENS.index("sings")


def draw():
    """The picture, as a Figure."""
    tempered = next_token_distribution(LOGITS, TEMPERATURE)
    filtered = next_token_distribution(LOGITS, TEMPERATURE, top_p=TOP_P)
    figure, axes = canvas(15, 5.8, (10, 5.8 / 15 * 10))
    draw_loop(axes)
    bars(axes, 2.35, "logits", LOGITS, "{:+.1f}")
    bars(axes, 6.05, f"softmax(logits / {TEMPERATURE})", tempered, "{:.2f}")
    bars(axes, 9.75, f"top-p, p = {TOP_P}", filtered, "{:.2f}")
    return figure


def draw_loop(axes):
    """The model, the token that is drawn, and the arrows between them."""
    axes.add_patch(state_loop())
    box(axes, 1, 3, "LSTM", width=1.5, height=1)
    label(axes, 1, 4.4, "state", fontsize=14)
    arrow(axes, (1.75, 3), (2.3, 3))
    arrow(axes, (5.4, 3), (5.95, 3))
    arrow(axes, (9.1, 3), (9.65, 3))
    arrow(axes, (12.8, 3), (13.35, 3))
    box(axes, 14.15, 3, TOKENS[DRAWN], width=1.5, height=1, color=OUTPUT)
    label(axes, 14.15, 3.85, "draw", fontsize=14)
    arrow(axes, (14.15, 2.5), (14.15, 0.45), (1, 0.45), (1, 2.5))
    label(axes, 7.5, 0.45, "the token that was drawn is the next input", fontsize=14, background="white")


def state_loop():
    """The arrow from the cell's top back into it: the state that is carried."""
    from matplotlib.patches import FancyArrowPatch

    ends = {"posA": (1.35, 3.5), "posB": (0.65, 3.5), "connectionstyle": "arc3,rad=1.3"}
    return FancyArrowPatch(**ends, arrowstyle="-|>", mutation_scale=14, color=BLUE, lw=2.2, zorder=2)


def bars(axes, left, title, values, form):
    """A small bar chart of the tokens' values; what the filter took away is "removed", what is drawn is hatched."""
    panel = axes.inset_axes((left + 0.95, 1.3, 2.1, 3.4), transform=axes.transData)
    for v, value in enumerate(values):
        drawn = v == DRAWN
        panel.barh(v, value, color=ORANGE if drawn else BLUE, hatch="//" if drawn else None, edgecolor="white")
        removed = value == 0
        side = max(value, 0)
        text = "removed" if removed else form.format(value)
        panel.annotate(text, (side, v), (4, 0), textcoords="offset points", va="center", fontsize=11,
                       color=GREY if removed else INK)  # fmt: skip
    low, high = min(values.min(), 0), values.max()
    panel.set(ylim=(len(values) - 0.4, -0.6), xlim=(low, high + 0.35 * (high - low)), xticks=[], facecolor="none")
    panel.set_yticks(range(len(TOKENS)), TOKENS, fontsize=12)
    panel.tick_params(length=0)
    panel.grid(False)
    panel.axvline(0, color=INK, lw=1)
    panel.spines[:].set_visible(False)
    label(axes, left + 1.7, 5.1, title, fontsize=14)
