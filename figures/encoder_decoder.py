"""The encoder-decoder without attention: one state between a source of three words and a target of three tokens."""

from itertools import pairwise

from _diagrams import CELL, INPUT, OUTPUT, arrow, box, canvas, frame, label

from numpylm.plots import BLUE, ORANGE

EQUATIONS = (
    "$s_t = \\mathrm{cell}(E_y[\\mathrm{input}_t], s_{t-1})$   (21)          "
    "$y_t = \\mathrm{softmax}(s_t W_{sy} + b_y)$   (23)"
)
TOKEN, STATE, PREDICTION = 1.5, 3.4, 5.2  # heights
SOURCE = ("the", "dog", "sleeps")
TARGET = (("<s>", "那只"), ("那只", "狗"), ("狗", "睡觉"))
PINYIN = {"那只": "nà zhī", "狗": "gǒu", "睡觉": "shuìjiào"}  # no font with Chinese characters is sure to be there
ENCODER, DECODER = (1.1, 3.0, 4.9), (7.9, 9.8, 11.7)  # where the columns stand


def draw():
    """The picture, as a Figure."""
    figure, axes = canvas(13, 7, (10.4, 5.6))
    frame(axes, 0.15, 2.6, 5.85, 4.2, CELL)
    frame(axes, 6.95, 2.6, 12.65, 4.2, CELL)
    label(axes, 2.05, 2.85, "encoder", fontsize=12)
    for j, (x, word) in enumerate(zip(ENCODER, SOURCE, strict=True), start=1):
        column(axes, x, f"$h_{j}$", word)
    for t, (x, (given, wanted)) in enumerate(zip(DECODER, TARGET, strict=True), start=1):
        column(axes, x, f"$s_{t}$", PINYIN.get(given, given))
        arrow(axes, (x, STATE + 0.4), (x, PREDICTION - 0.4))
        box(axes, x, PREDICTION, f"$y_{t}$", color=OUTPUT)
        label(axes, x, PREDICTION + 0.75, f"{PINYIN[wanted]}?", fontsize=13)
    states = [*ENCODER, *DECODER]
    for start, end in pairwise(states):
        color, lw = (ORANGE, 4) if start == ENCODER[-1] else (BLUE, 1.6)
        arrow(axes, (start + 0.6, STATE), (end - 0.6, STATE), color=color, lw=lw)
    label(axes, 6.4, STATE + 0.5, "$s_0$", color=ORANGE, fontsize=18)
    label(axes, 6.4, 2.1, "the bottleneck", color=ORANGE)
    label(axes, 8.85, 2.85, "decoder", fontsize=12)
    label(axes, 6.5, 0.45, EQUATIONS, fontsize=16)
    return figure


def column(axes, x, state, token):
    """A token below its state."""
    label(axes, x, TOKEN - 0.25, token, fontsize=13)
    arrow(axes, (x, TOKEN + 0.05), (x, STATE - 0.4))
    box(axes, x, STATE, state, color=INPUT if state.startswith("$h") else "#cfe3f2")
