"""A picture of one utterance: its features, the probabilities of the symbols at each frame, and CTC's alignment."""

import numpy as np

from numpylm import plots
from numpylm.ctc import BLANK, ctc_backward, ctc_forward
from numpylm.data.features import HOP_SECONDS
from numpylm.transcription_task import encoded

LABELLED = 0.2  # a symbol whose probability is higher at some frame has a curve with its name


def draw_hearing(path, model, vocabulary, utterance, choices):
    """Draws the picture of an Utterance into a file. Raises ImportError where matplotlib is not installed."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    labels = encoded(vocabulary, [utterance])[0]
    trace = ctc_forward(model.forward(utterance.features[:, None]).logits, labels[:, None])[1]
    seconds = len(utterance.features) * choices.stack * HOP_SECONDS
    with rc_context(plots.STYLE | {"font.size": 10, "axes.grid": False}):
        figure = Figure(figsize=(10, 8), layout="constrained")
        top, middle, bottom = figure.subplots(3, sharex=True)
        draw_features(top, utterance.features.reshape(-1, choices.num_bands).T, seconds)
        top.set_title(f'"{utterance.text}"', parse_math=False)
        draw_symbols(middle, np.exp(trace.log_y[:, 0]), vocabulary, seconds)
        said = [vocabulary.tokens[label] for label in labels]
        draw_alignment(bottom, ctc_backward(trace).gamma[:, 0, 1::2].T, said, seconds)
        figure.savefig(path)


def draw_features(axes, features, seconds):
    """The normalised log-mel features (B, T): what the model reads."""
    axes.imshow(features, origin="lower", aspect="auto", extent=(0, seconds, 0, len(features)), cmap="magma",
                vmin=-2, vmax=2.5)  # fmt: skip
    axes.set_ylabel("mel band")


def draw_symbols(axes, y, vocabulary, seconds):
    """y (T, V + 1): a spike where the model hears a label; nearly everywhere else, it says blank."""
    t = (np.arange(len(y)) + 0.5) * seconds / len(y)
    axes.plot(t, y[:, BLANK], color=plots.GREY, linewidth=1, linestyle=":", label="blank")
    spoken = [k for k in np.flatnonzero(y.max(axis=0) > LABELLED) if k != BLANK]
    colors = {k: axes.plot(t, y[:, k], linewidth=1.5)[0].get_color() for k in spoken}
    spikes = sorted((peak, k) for k in spoken for peak in peaks(y[:, k]))
    for number, (peak, k) in enumerate(spikes):
        height = 2 + 11 * (number % 2)  # in two rows, so that names of words that follow quickly stay apart
        axes.annotate(vocabulary.tokens[k], (t[peak], y[peak, k]), (0, height), textcoords="offset points",
                      ha="center", color=colors[k], fontsize=9, parse_math=False)  # fmt: skip
    axes.set_ylim(0, 1.25)
    axes.set_ylabel("y, probability of a symbol")
    axes.legend(loc="center right")


def peaks(curve):
    """The frames of a curve's peaks that are higher than LABELLED."""
    padded = np.concatenate(([0], curve, [0]))
    return np.flatnonzero((curve > LABELLED) & (curve > padded[:-2]) & (curve >= padded[2:]))


def draw_alignment(axes, gamma, said, seconds):
    """gamma (U, T): how probable it is, given what was said, that a path is at each label at each frame."""
    axes.imshow(gamma, aspect="auto", extent=(0, seconds, len(said), 0), cmap="Blues", vmin=0, vmax=1)
    axes.set_yticks(np.arange(len(said)) + 0.5, said, parse_math=False)
    axes.set_ylabel("gamma, alignment")
    axes.set_xlabel("seconds")
