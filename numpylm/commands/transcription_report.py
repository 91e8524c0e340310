"""What a finished run of the acoustic model reports: error rates, transcripts, sounds to listen to, and a picture."""

import sys
from dataclasses import replace

from numpylm import plots
from numpylm.commands.console import cut, terminal_width
from numpylm.commands.kind import Report
from numpylm.commands.run_config import read_config
from numpylm.commands.transcription import SEEDS, UNITS, features_of, read_utterance, utterances_of
from numpylm.commands.transcription_language import language_score, own_language, saved_weights
from numpylm.commands.transcription_picture import draw_hearing
from numpylm.data.features import read_wav, write_wav
from numpylm.data.printable import on_one_line
from numpylm.data.speech.recordings import read_recordings
from numpylm.data.speech.sentences import spoken_sentences
from numpylm.transcription_task import BEAM, NO_WEIGHTS, choose_weights, listen, text_of, validation_lists

SHOWN = 8
WRITTEN = 3  # sounds
BEST = "error_rate_with_language_model"
NAMES = {
    "error_rate": "best path",
    "error_rate_beam": f"beam of {BEAM}, no language model",
    "error_rate_rescored": "its list rescored by the language model",
    BEST: f"beam of {BEAM} with the language model",
    "error_rate_oracle": "oracle: the best of that list",
}


def report(run, model):
    """Trains the language model, measures both on the test part, prints what came out, and returns the Report."""
    vocabulary, utterances = run.data.vocabulary, run.data.utterances
    folder = own_language(run)
    language = None if folder is None else language_score(folder, vocabulary)
    print("transcribing the test utterances …", file=sys.stderr)
    weights = NO_WEIGHTS
    if language is not None:
        weights = choose_weights(*validation_lists(model, vocabulary, utterances["valid"], language))
    heard = listen(model, vocabulary, utterances["test"], language, weights)
    print_errors(heard, run.task.unit, weights)
    print_transcripts(heard, vocabulary)
    if run.config.data.train is None:
        print("\nThis speech is synthetic: a program spoke each sentence, with a voice that training has not heard.")
        print("Human speech is harder (see --train).")
        for k, sound in enumerate(spoken_sentences(min(WRITTEN, len(utterances["test"])), SEEDS["test"])[1]):
            write_wav(run.folder / f"test-{k}.wav", sound)
    with plots.may_fail("hearing.png"):
        one = utterances["test"][0]
        sound = read_wav(run.folder / "test-0.wav" if run.config.data.train is None else one.name)
        bands = features_of(sound, replace(run.config.data, cepstra=0))
        draw_hearing(run.folder / "hearing.png", model, vocabulary, one, bands, run.config.data.stack)
    title = f"{run.config.model.model.upper()} and CTC on {cut(run.data.name, 40)}"
    return Report(fields_of(heard, weights), title, {}, None, "transcribe")


def evaluate(model, vocabulary, folder, text):
    """Measures the run's own test part, or the recordings of a folder: kind.py."""
    config, weights, own = read_config(folder), saved_weights(folder), folder / "language"
    if text:
        utterances = [read_utterance(one.path, one.text, config.data) for one in read_recordings(text)]
    else:
        utterances = utterances_of("test", config)
    language = language_score(own, vocabulary) if own.exists() else None
    heard = listen(model, vocabulary, utterances, language, weights)
    fields = {"utterances": len(utterances), **fields_of(heard, weights)}
    return fields, lambda: print_errors(heard, UNITS[config.data.level], weights)


def fields_of(heard, weights):
    """The fields of summary.json; what needs a language model is None without one."""
    rates = {name: errors.rate for name, errors in heard.errors.items()}
    sentences = {f"sentence_{name}": errors.sequence_rate for name, errors in heard.errors.items()}
    return dict.fromkeys(NAMES) | rates | sentences | weights._asdict()


def print_errors(heard, unit, weights):
    """Prints a table: a line for each way to decode."""
    num_labels = sum(map(len, heard.said))
    print(f"\nTest utterances: {len(heard.said):,} of {num_labels:,} {unit}s. Errors per 100 {unit}s:")
    print(f"{'substituted':>60}{'deleted':>10}{'inserted':>10}{'utterances':>13}")
    for name, errors in heard.errors.items():
        counts = (100 * count / num_labels for count in (errors.total, *errors[:3]))
        shown = "{:5.1f}:{:12.1f}{:10.1f}{:10.1f}".format(*counts)
        print(f"  {NAMES[name]:<40}{shown}{100 * errors.sequence_rate:11.1f} %")
    if BEST in heard.by_name:
        print(f"  chosen on the validation part: alpha = {weights.alpha:g}, beta = {weights.beta:g}")


def print_transcripts(heard, vocabulary):
    """Prints some transcripts: first those that the language model changed, then others."""
    best = heard.by_name.get(BEST, heard.by_name["error_rate_beam"])
    rows = list(zip(heard.said, map(tuple, heard.by_name["error_rate"]), best, strict=True))
    print("\nSaid, heard (best path), and with the language model where that differs")
    for said, alone, corrected in sorted(rows, key=lambda row: row[1] == row[2])[:SHOWN]:
        lines = [("said", said), ("heard", alone)] + [("with it", corrected)] * (corrected != alone)
        for word, labels in lines:
            mark = "" if word == "said" else "ok " if labels == said else "BAD"
            print(cut(f"  {word:<8}{mark:<5}{on_one_line(text_of(vocabulary, labels))}", terminal_width() - 1))
