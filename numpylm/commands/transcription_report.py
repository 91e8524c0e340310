"""What a trained acoustic model does: it transcribes, ranks candidates again, and is measured, with a language model.

A run's own language model is trained on transcripts and kept in its folder: `sample RUN/language` lets it write.
"""

import sys
from dataclasses import replace
from functools import partial
from statistics import fmean

import numpy as np

from numpylm import LSTMLM, plots
from numpylm.base import require
from numpylm.checkpoint import save_checkpoint
from numpylm.commands.console import percent, print_examples, print_table
from numpylm.commands.run_folder import Report, read_config, read_json
from numpylm.commands.trained import checkpoint_path, load_trained, note_unknown, own_data, unknown_tokens
from numpylm.commands.transcribe import BUILT_IN, read_features, read_spoken
from numpylm.ctc import ctc_backward, ctc_forward
from numpylm.ctc_decoding import LEAST, Hypothesis, LanguageScore, beam_search, ranked
from numpylm.data import schema
from numpylm.data.features import HOP_SECONDS, write_wav
from numpylm.data.grammar import generate_text
from numpylm.data.printable import on_one_line
from numpylm.data.speech.recordings import read_lists, read_recordings, read_said
from numpylm.data.speech.synthesizer import GRAMMAR, spoken_sentences
from numpylm.data.text import decode, encode_stream, stream_start
from numpylm.kinds.language_task import UNITS, LanguageSettings, language_task
from numpylm.kinds.transcription_task import Heard, choose_weights, listen, log_probabilities, total_errors, with_labels
from numpylm.training import EpochReport, Progress, make_optimizer, training

WORDS_PER_UTTERANCE, GRAMMAR_SEED = 200, 3


def use(trained, choices):
    """Prints the n_best texts of each .wav file, or of each utterance of a list."""
    model, vocabulary, _ = load_trained(trained, "speech")
    folder = checkpoint_path(trained).parent
    language = language_score(folder, vocabulary, choices.lm)
    if choices.rescore is not None:
        return rescore(model, vocabulary, folder, language, choices)
    data = read_config(folder).data
    weights = weights_for(model, vocabulary, folder, language, choices)
    columns = 2 if choices.n_best > 1 else int(len(choices.files) > 1)  # before the text
    for file in choices.files:
        log_y = log_probabilities(model, vocabulary, read_features(file, data))
        found = beam_search(log_y, choices.beam, language, **weights, least=LEAST)
        print_best(file, found[: choices.n_best], weights, partial(decode, vocabulary), columns)


def rescore(model, vocabulary, folder, language, choices):
    """Ranks a list again by score + alpha log p + beta labels, and prints the n_best. Its labels are words, as text."""
    if language is None:
        raise ValueError("--rescore needs a language model: this run has none, so name one with --lm RUN")
    split, join = (str.split, " ".join) if vocabulary.level == "word" else (list, "".join)
    lists = {
        name: [Hypothesis(tuple(split(text)), score, language.log_p(split(text), ended=True)) for score, text in rows]
        for name, rows in read_lists(choices.rescore).items()
    }
    said = choices.said and [tuple(split(text)) for text in read_said(choices.said, lists)]
    weights = weights_for(model, vocabulary, folder, language, choices, said and Heard(said, {}, lists.values()))
    for name, found in lists.items():
        print_best(name, ranked(found, **weights)[: choices.n_best], weights, join)


def print_best(name, hypotheses, weights, text_of, columns=2):
    """Prints a line for each of the Hypotheses: as many columns of name and score, and the text of its labels."""
    for one in hypotheses:
        before = [on_one_line(name), f"{one.score(**weights):.4f}"][:columns]
        print("\t".join([*before, on_one_line(text_of(one.labels))]))


def weights_for(model, vocabulary, folder, language, choices, heard=None):
    """The alpha and beta given. What is not given was chosen at the run's end. It is chosen anew on a list of which we
    know what was said, heard, and, for another --lm, on the run's validation part."""
    if len(choices.given) == 2:
        return choices.given
    if heard is None and choices.lm is None:
        return saved_weights(folder) | choices.given
    where = "the run's validation part" if heard is None else "the list"
    if heard is None:
        try:
            heard = listen(model, vocabulary, own_data(folder, vocabulary).parts["valid"], language)
        except (OSError, ValueError) as error:
            raise ValueError(f"{where} is gone, so give both --alpha and --beta: {error}") from None
    weights = choose_weights(heard, **choices.given)
    print("chosen on {}: --alpha {alpha:g} --beta {beta:g}".format(where, **weights), file=sys.stderr)
    return weights


def saved_weights(folder):
    """The alpha and beta that a run has chosen at its end for its own language model; before that, none."""
    path = folder / "summary.json"
    if not path.exists():
        return {}
    summary = schema.record(str(path), read_json(path))
    return {name: require.finite_number(f"{path}: {name}", summary.get(name)) for name in ("alpha", "beta")}


def language_score(folder, vocabulary, other=None):
    """The LanguageScore of another run, or of the run's own language model, if it has one. A label is a token as text,
    or k, the vocabulary's token k. Raises ValueError for one of another level, or that has never read a line's end."""
    path = other or folder / "language" / "best.npz"
    if not other and not path.exists():
        return None
    model, known, _ = load_trained(path)
    if known.level != vocabulary.level or stream_start(known) is None:
        raise ValueError(f"{path} must read {vocabulary.level}s and line ends: train with --level {vocabulary.level}")
    ids = {token: i for i, token in enumerate(known.tokens)}
    ids |= {k: ids.get(token, 0) for k, token in enumerate(vocabulary.tokens)}
    return LanguageScore(model, lambda label: ids.get(label, 0), stream_start(known))


def train_language(run):
    """Trains the run's own language model on more of the built-in grammar, or on the transcripts of the training part:
    the fewer, the more epochs. The best on the transcripts that validate is kept."""
    vocabulary, parts, path = run.data.vocabulary, run.data.parts, run.folder / "language" / "best.npz"
    start = stream_start(vocabulary)
    train, valid = (np.concatenate([[start, *one.labels] for one in parts[part]]) for part in ("train", "valid"))
    if run.config.data.train is None:
        text = generate_text(WORDS_PER_UTTERANCE * len(parts["train"]), GRAMMAR_SEED, GRAMMAR)
        train = encode_stream(vocabulary, text)
    print("training the language model …", file=sys.stderr)
    epochs = min(30, max(3, 100_000 // len(train)))  # about 100,000 tokens in all
    settings = LanguageSettings(epochs=epochs, batch_size=min(16, 1 + len(train) // 40), num_steps=16)
    task, model = language_task(train, valid, settings, start), LSTMLM(len(vocabulary), 32, 64)
    path.parent.mkdir(exist_ok=True)
    for report in training(task, model, make_optimizer(settings), settings, Progress(np.random.default_rng(0))):
        if isinstance(report, EpochReport) and report.is_best:
            save_checkpoint(path, model, vocabulary)


def report(run, model):
    """Trains the language model, measures both on the test part, prints what came out, and returns the Report."""
    vocabulary, parts, data = run.data.vocabulary, run.data.parts, run.config.data
    train_language(run)
    language = language_score(run.folder, vocabulary)
    weights = choose_weights(listen(model, vocabulary, parts["valid"], language))
    heard = listen(model, vocabulary, parts["test"], language, **weights)
    found = measured(heard, vocabulary, weights)
    print_table(*found.table)
    print("  chosen on the validation part: alpha = {alpha:g}, beta = {beta:g}".format(**weights))
    ways = heard.said, heard.by_name["error_rate"], heard.by_name["error_rate_with_language_model"]
    lines = sorted(zip(*ways, strict=True), key=lambda labels: labels[1] == labels[2])  # first, what is corrected
    marks = ("said", "best path", "with language model")
    print_examples("Some transcripts", [zip(marks, [decode(vocabulary, q) for q in one], strict=True) for one in lines])
    shown = parts["test"][0]
    if data.train is None:
        print("\nThis speech is synthetic: a program spoke each sentence, with a voice that\n"
              "training has not heard. Human speech is harder (see --train).")  # fmt: skip
        for k, (_, sound) in enumerate(spoken_sentences(min(3, len(parts["test"])), BUILT_IN["test"][1])):
            write_wav(run.folder / f"test-{k}.wav", sound)
        shown = shown._replace(name=run.folder / "test-0.wav")
    with plots.may_fail("hearing.png"):
        draw_hearing(run.folder / "hearing.png", model, vocabulary, shown, data)
    return found


def evaluate(model, vocabulary, folder, options, own):
    """The Report of the run's own test part, or of the recordings in a folder: run_folder.py."""
    if own:
        utterances = own.parts["test"]
    else:
        recordings = read_recordings(options.text)
        note_unknown(unknown_tokens(vocabulary, " ".join(text for _, text, _ in recordings)))
        utterances = with_labels(vocabulary, read_spoken(recordings, read_config(folder).data))
    weights = saved_weights(folder)
    heard = listen(model, vocabulary, utterances, language_score(folder, vocabulary), **weights)
    return measured(heard, vocabulary, weights)


def measured(heard, vocabulary, weights):
    """The Report of a Heard, with a row for each way to decode: its errors in words, characters and utterances."""
    num_labels, unit = sum(map(len, heard.said)), UNITS[vocabulary.level]
    other, split = ("character", str) if unit == "word" else ("word", str.split)
    fields, rows = {"utterances": len(heard.said), **weights}, {}
    for name, labels in heard.by_name.items():
        errors = total_errors(heard.said, labels)
        wrong = fmean(said != found for said, found in zip(heard.said, labels, strict=True))
        texts = ([split(decode(vocabulary, one)) for one in each] for each in (heard.said, labels))
        by_other = total_errors(*texts).rate
        fields |= {name: errors.rate, f"{other}_{name}": by_other, f"sentence_{name}": wrong}
        way = name.removeprefix("error_rate").strip("_").replace("_", " ") or "best path"
        counts = (f"{100 * count / num_labels:.1f}" for count in (errors.total, *errors[:3]))
        rows[way] = [*counts, percent(by_other), percent(wrong)]
    title = f"Test utterances: {len(heard.said):,}, of {num_labels:,} {unit}s. Errors per 100 {unit}s"
    return Report(fields, (title, ("wrong", "subst.", "deleted", "inserted", f"{other}s", "utterances"), rows))


def draw_hearing(path, model, vocabulary, utterance, data):
    """Draws an utterance, whose name is its .wav file: log-mel features, probabilities of symbols, CTC's alignment."""
    name, features, labels = utterance
    trace = ctc_forward(model.forward(features[:, None]).logits, labels[:, None])[1]
    gamma = ctc_backward(trace).gamma[:, 0, 1::2].T  # (U, T): the probability that a path is at a label
    bands = read_features(name, replace(data, cepstra=0, stack=1)).T  # (B, F)
    seconds = len(features) * data.stack * HOP_SECONDS
    with plots.saved_figure(path, 10, 8, num_rows=3) as (top, middle, bottom):
        plots.draw_bands(top, bands, bands.shape[1] * HOP_SECONDS, f'"{decode(vocabulary, labels)}"')
        plots.draw_symbols(middle, np.exp(trace.log_y[:, 0]), vocabulary.tokens, seconds)
        plots.draw_alignment(bottom, gamma, [vocabulary.tokens[label] for label in labels], seconds)
