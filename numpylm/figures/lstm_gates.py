"""A trained LSTM's gates over a sentence whose verb stands far from its noun: heat maps over words and units."""

import numpy as np

from numpylm.data.text import encode, stream_start
from numpylm.figures.trained import corpus, trained
from numpylm.plots import STYLE

SENTENCE = "the farmers near every mouse near these children near the small cats dance ."
PANELS = (
    ("input gate $i_t$ (3)", "i", (0, 1)),
    ("forget gate $f_t$ (4)", "f", (0, 1)),
    ("output gate $o_t$ (5)", "o", (0, 1)),
    ("cell state $c_t$ (7)", "c", (-3, 3)),
)


def draw():
    """The picture, as a Figure."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    words = SENTENCE.split()
    trace = trace_of(words)
    order = np.argsort(trace.f[:, 0].mean(axis=0))  # units that forget most come first
    with rc_context(STYLE | {"axes.grid": False}):
        figure = Figure(figsize=(10, 6.6), layout="constrained")
        panels = figure.subplots(2, 2, sharex=True, sharey=True)
        for axes, (title, field, limits) in zip(panels.flat, PANELS, strict=True):
            values = getattr(trace, field)[:, 0, order].T  # (H, T)
            image = axes.imshow(values, aspect="auto", cmap="cividis", vmin=limits[0], vmax=limits[1])
            axes.set_title(title)
            axes.set_xticks(range(len(words)), words, rotation=60, ha="right", rotation_mode="anchor")
            figure.colorbar(image, ax=axes, extend="both" if field == "c" else "neither")
        for axes in panels[:, 0]:
            axes.set_ylabel("hidden unit")
    return figure


def trace_of(words):
    """The LSTM's trace over the words of one sentence, read after the end of another: fields (T, 1, H)."""
    model, vocabulary = trained("lstm"), corpus()[0]
    tokens = np.array([stream_start(vocabulary), *encode(vocabulary, " ".join(words))])[:, None]
    before = model.forward(tokens[:1]).state
    return model.forward(tokens[1:], before).trace.layers[0]
