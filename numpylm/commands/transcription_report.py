"""What an acoustic model hears on test utterances: error rates, transcripts, sounds to listen to, and a picture."""

from dataclasses import replace

import numpy as np

from numpylm import plots
from numpylm.commands.kind import Report
from numpylm.commands.results import percent, print_examples, print_table
from numpylm.commands.run_config import read_config
from numpylm.commands.transcribe import SEEDS, features_of, read_utterance, utterances_of
from numpylm.commands.transcription_use import language_score, saved_weights, train_language, use  # noqa: F401
from numpylm.ctc import BLANK, ctc_backward, ctc_forward
from numpylm.data.features import HOP_SECONDS, read_wav, write_wav
from numpylm.data.speech.recordings import read_recordings
from numpylm.data.speech.synthesizer import spoken_sentences
from numpylm.data.text import decode
from numpylm.language_task import UNITS
from numpylm.transcription_task import BEAM, NO_WEIGHTS, candidates, choose_weights, encoded, listen

WRITTEN = 3  # sounds
BEST = "error_rate_with_language_model"
NAMES = {
    "error_rate": "best path",
    "error_rate_beam": f"beam of {BEAM}",
    "error_rate_rescored": "its list rescored",
    BEST: "beam with language model",
    "error_rate_oracle": "oracle of that list",
}
HEADS = ("wrong", "subst.", "deleted", "inserted", "utterances")


def report(run, model):
    """Trains the language model, measures both on the test part, prints what came out, and returns the Report."""
    vocabulary, utterances, data = run.data.vocabulary, run.data.parts, run.config.data
    train_language(run)
    language = language_score(run.folder, vocabulary.level, vocabulary.tokens[1:])
    weights = NO_WEIGHTS
    if language is not None:
        weights = choose_weights(*candidates(model, vocabulary, utterances["valid"], language))
    heard = listen(model, vocabulary, utterances["test"], language, weights)
    found = measured(heard, run.task.unit, weights)
    print()
    print_table(*found.table)
    if language is not None:
        print(f"  chosen on the validation part: alpha = {weights.alpha:g}, beta = {weights.beta:g}")
    print_transcripts(heard, vocabulary)
    if data.train is None:
        print("\nThis speech is synthetic: a program spoke each sentence, with a voice that training has not heard.")
        print("Human speech is harder (see --train).")
        for k, sound in enumerate(spoken_sentences(min(WRITTEN, len(utterances["test"])), SEEDS["test"])[1]):
            write_wav(run.folder / f"test-{k}.wav", sound)
    with plots.may_fail("hearing.png"):
        one = utterances["test"][0]
        sound = read_wav(run.folder / "test-0.wav" if data.train is None else one.name)
        draw_hearing(run.folder / "hearing.png", model, vocabulary, one, sound, data)
    return found


def evaluate(model, vocabulary, folder, options):
    """The Report of the run's own test part, or of the recordings in a folder: kind.py."""
    config = read_config(folder)
    if options.text:
        utterances = [read_utterance(one.path, one.text, config.data) for one in read_recordings(options.text)]
    else:
        utterances = utterances_of("test", config)
    weights = saved_weights(folder)
    language = language_score(folder, vocabulary.level, vocabulary.tokens[1:])
    heard = listen(model, vocabulary, utterances, language, weights)
    return measured(heard, UNITS[config.data.level], weights)


def measured(heard, unit, weights):
    """The Report of a Heard, with a row for each way to decode; what needs a language model is None without one."""
    rates = {name: errors.rate for name, errors in heard.errors.items()}
    sentences = {f"sentence_{name}": errors.sequence_rate for name, errors in heard.errors.items()}
    fields = {"utterances": len(heard.said)} | dict.fromkeys(NAMES) | rates | sentences | weights._asdict()
    num_labels = sum(map(len, heard.said))
    rows = {}
    for name, errors in heard.errors.items():
        counts = (100 * count / num_labels for count in (errors.total, *errors[:3]))
        rows[NAMES[name]] = [*(f"{count:.1f}" for count in counts), percent(errors.sequence_rate)]
    title = f"Test utterances: {len(heard.said):,}, of {num_labels:,} {unit}s. Errors per 100 {unit}s"
    return Report(fields, (title, HEADS, rows))


def print_transcripts(heard, vocabulary):
    """Prints some transcripts: first those that the language model changed, then others."""
    best = heard.by_name.get(BEST, heard.by_name["error_rate_beam"])
    rows = zip(heard.said, map(tuple, heard.by_name["error_rate"]), best, strict=True)
    examples = []
    for said, alone, corrected in sorted(rows, key=lambda row: row[1] == row[2]):
        lines = [("heard", alone)] + [("with it", corrected)] * (corrected != alone)
        marked = [(f"{word:<8}{'ok' if labels == said else 'BAD'}", labels) for word, labels in lines]
        examples.append([(mark, decode(vocabulary, labels)) for mark, labels in [("said", said), *marked]])
    print_examples("Said, heard (best path), and with the language model where that differs", examples)


def draw_hearing(path, model, vocabulary, utterance, sound, data):
    """Draws an utterance into a file: its log-mel features, the probabilities of the symbols at each frame, and CTC's
    alignment. Raises ImportError where matplotlib is not installed."""
    labels = encoded(vocabulary, [utterance])[0]
    trace = ctc_forward(model.forward(utterance.features[:, None]).logits, labels[:, None])[1]
    bands = features_of(sound, replace(data, cepstra=0, stack=1)).T  # (B, F)
    seconds = len(utterance.features) * data.stack * HOP_SECONDS
    with plots.saved_figure(path, 10, 8, num_rows=3) as (top, middle, bottom):
        top.set_title(f'"{utterance.text}"', parse_math=False)
        extent = (0, bands.shape[1] * HOP_SECONDS, 0, len(bands))
        top.imshow(bands, origin="lower", aspect="auto", extent=extent, cmap="magma", vmin=-2, vmax=2.5)
        top.set_ylabel("mel band")
        draw_symbols(middle, np.exp(trace.log_y[:, 0]), vocabulary, seconds)
        gamma = ctc_backward(trace).gamma[:, 0, 1::2].T  # (U, T): the probability that a path is at a label
        bottom.imshow(gamma, aspect="auto", extent=(0, seconds, len(gamma), 0), cmap="Blues", vmin=0, vmax=1)
        said = [vocabulary.tokens[label] for label in labels]
        size = min(10, 160 / len(said))  # so that many characters do not overlap
        bottom.set_yticks(np.arange(len(said)) + 0.5, said, parse_math=False, fontsize=size)
        bottom.set(xlabel="seconds", ylabel="gamma, alignment", xlim=(0, seconds))


def draw_symbols(axes, y, vocabulary, seconds):
    """y (T, V + 1): a spike where the model hears a label; nearly everywhere else, it says blank."""
    t = (np.arange(len(y)) + 0.5) * seconds / len(y)
    symbols = y.argmax(axis=1)
    axes.plot(t, y[:, BLANK], color=plots.GREY, linewidth=1, linestyle=":", label="blank")
    heard = set(symbols.tolist()) - {BLANK}
    colors = {k: axes.plot(t, y[:, k], linewidth=1.5)[0].get_color() for k in sorted(heard)}
    begins = np.flatnonzero((symbols != BLANK) & (symbols != np.append(BLANK, symbols[:-1])))
    for number, (begin, end) in enumerate(zip(begins, [*begins[1:], len(y)], strict=True)):
        k = symbols[begin]
        top = begin + y[begin:end, k].argmax()
        height = 2 + 11 * (number % 2)  # in two rows, so that names of words that follow quickly stay apart
        axes.annotate(vocabulary.tokens[k], (t[top], y[top, k]), (0, height), textcoords="offset points",
                      ha="center", color=colors[k], fontsize=9, parse_math=False)  # fmt: skip
    axes.set(ylim=(0, 1.4), ylabel="y, probability of a symbol")
    axes.legend(loc="upper left")
