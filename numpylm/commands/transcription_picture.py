"""A picture of one utterance: its features, the probabilities of the symbols at each frame, and CTC's alignment."""

import numpy as np

from numpylm import plots
from numpylm.ctc import BLANK, ctc_backward, ctc_forward
from numpylm.data.features import HOP_SECONDS
from numpylm.transcription_task import encoded


def draw_hearing(path, model, vocabulary, utterance, bands, stack):
    """Draws the picture of an Utterance into a file; bands are its log-mel features, `stack` frames of 10 ms at once.

    Raises ImportError where matplotlib is not installed.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    labels = encoded(vocabulary, [utterance])[0]
    trace = ctc_forward(model.forward(utterance.features[:, None]).logits, labels[:, None])[1]
    T = len(utterance.features)
    seconds = T * stack * HOP_SECONDS
    with rc_context(plots.STYLE | {"font.size": 10, "axes.grid": False, "font.family": plots.font_families()}):
        figure = Figure(figsize=(10, 8), layout="constrained")
        top, middle, bottom = figure.subplots(3, sharex=True)
        draw_features(top, bands.reshape(T * stack, -1).T, seconds)
        top.set_title(f'"{utterance.text}"', parse_math=False)
        draw_symbols(middle, np.exp(trace.log_y[:, 0]), vocabulary, seconds)
        said = [vocabulary.tokens[label] for label in labels]
        draw_alignment(bottom, ctc_backward(trace).gamma[:, 0, 1::2].T, said, seconds)
        plots.save(figure, path)


def draw_features(axes, features, seconds):
    """The normalised log-mel features (B, T)."""
    axes.imshow(features, origin="lower", aspect="auto", extent=(0, seconds, 0, len(features)), cmap="magma",
                vmin=-2, vmax=2.5)  # fmt: skip
    axes.set_ylabel("mel band")


def draw_symbols(axes, y, vocabulary, seconds):
    """y (T, V + 1): a spike where the model hears a label; nearly everywhere else, it says blank."""
    t = (np.arange(len(y)) + 0.5) * seconds / len(y)
    symbols = y.argmax(axis=1)
    axes.plot(t, y[:, BLANK], color=plots.GREY, linewidth=1, linestyle=":", label="blank")
    heard = set(symbols.tolist()) - {BLANK}
    colors = {k: axes.plot(t, y[:, k], linewidth=1.5)[0].get_color() for k in sorted(heard)}
    begins = np.flatnonzero((symbols != BLANK) & (symbols != np.append(BLANK, symbols[:-1])))
    for number, (place, k) in enumerate(zip(begins, symbols[begins], strict=True)):
        height = 2 + 11 * (number % 2)  # in two rows, so that names of words that follow quickly stay apart
        axes.annotate(vocabulary.tokens[k], (t[place], y[place, k]), (0, height), textcoords="offset points",
                      ha="center", color=colors[k], fontsize=9, parse_math=False)  # fmt: skip
    axes.set_ylim(0, 1.25)
    axes.set_ylabel("y, probability of a symbol")
    axes.legend(loc="center right")


def draw_alignment(axes, gamma, said, seconds):
    """gamma (U, T): how probable it is, given what was said, that a path is at each label at each frame."""
    axes.imshow(gamma, aspect="auto", extent=(0, seconds, len(said), 0), cmap="Blues", vmin=0, vmax=1)
    axes.set_yticks(np.arange(len(said)) + 0.5, said, parse_math=False)
    axes.set_ylabel("gamma, alignment")
    axes.set_xlabel("seconds")
