"""One unit of a trained LSTM over two sentences that differ in the number of their first noun: the unit that remembers
this number best until the verb comes."""

import numpy as np

from numpylm.data.text import encode, stream_start
from numpylm.figures.drawing import charts
from numpylm.figures.trained import corpus, trained
from numpylm.plots import BLUE, GREY, ORANGE

SENTENCES = {
    "many farmers": "the farmers near every mouse near these children near the small cats dance .",
    "one farmer": "the farmer near every mouse near these children near the small cats dances .",
}
VERB = -2  # the verb's place in a sentence
LOOKS = ((BLUE, "o-"), (ORANGE, "s--"))
PANELS = (
    ("input gate $i_t$ (3)", "i", (0, 1)), ("new value $\\tilde{c}_t$ (6)", "c_tilde", (-1, 1)),
    ("forget gate $f_t$ (4)", "f", (0, 1)), ("cell state $c_t$ (7)", "c", None),
    ("output gate $o_t$ (5)", "o", (0, 1)), ("state $h_t$ (8)", "h", (-1, 1)),
)  # fmt: skip


def draw():
    """The picture, as a Figure."""
    traces = [trace_of(sentence.split()) for sentence in SENTENCES.values()]
    unit = most_different(*[trace.c[VERB - 1, 0] for trace in traces])  # before the verb is read
    words = [a if a == b else f"{a}/{b}" for a, b in zip(*map(str.split, SENTENCES.values()), strict=True)]
    figure, panels = charts(10, 6.6, columns=2, rows=3, sharex=True)
    for axes, (title, field, limits) in zip(panels.flat, PANELS, strict=True):
        for trace, name, (color, style) in zip(traces, SENTENCES, LOOKS, strict=True):
            axes.plot(getattr(trace, field)[:, 0, unit], style, color=color, label=name, markersize=5, linewidth=1.8)
        axes.set_title(title, fontsize=13)
        axes.axvline(len(words) + VERB, color=GREY, linestyle=":", linewidth=1.5)
        axes.axhline(0, color=GREY, linewidth=1)
        if limits is not None:
            axes.set_ylim(limits[0] - 0.08, limits[1] + 0.08)
    for axes in panels[-1]:
        axes.set_xticks(range(len(words)), words, rotation=60, ha="right", rotation_mode="anchor", fontsize=11)
    panels[1, 1].legend(loc="best", fontsize=11)
    return figure


def trace_of(words):
    """The LSTM's trace over the words of one sentence, read after the end of another: fields (T, 1, H)."""
    model, vocabulary = trained("lstm"), corpus()[0]
    tokens = np.array([stream_start(vocabulary), *encode(vocabulary, " ".join(words))])[:, None]
    before = model.forward(tokens[:1]).state
    return model.forward(tokens[1:], before).trace.layers[0]


def most_different(c, other):
    """The unit whose cell states (H,) differ most."""
    return int(np.abs(c - other).argmax())
