"""What a trained acoustic model does with a language model: its own, which is trained on transcripts, or another one.

A run's own is in its folder language/, a run of `train` like any other: `sample RUN/language` lets it write.
"""

import sys
from pathlib import Path

from numpylm import require
from numpylm.commands.model_choices import ModelChoices
from numpylm.commands.run import resume_run, start_run, train
from numpylm.commands.run_config import RunConfig, read_config
from numpylm.commands.run_folder import RunError, folder_of, read_json, write_whole
from numpylm.commands.train import KIND as LANGUAGE
from numpylm.commands.train import CorpusChoices, complete
from numpylm.commands.trained import load_trained
from numpylm.commands.transcribe import read_utterance, utterances_of
from numpylm.ctc_decoding import Hypothesis, LanguageScore, rescored, with_language
from numpylm.data.error_rates import total_errors
from numpylm.data.grammar import generate_text
from numpylm.data.printable import on_one_line
from numpylm.data.speech.recordings import read_lists, read_said
from numpylm.data.speech.synthesizer import GRAMMAR
from numpylm.data.text import decode, stream_start
from numpylm.language_task import LanguageSettings
from numpylm.transcription_task import Weights, candidates, choose_weights, first, log_probabilities, search

WORDS_PER_UTTERANCE, GRAMMAR_SEED = 200, 3
FEWEST, READ = 400, 500_000  # characters of transcripts to train on; how many it reads in all epochs together
DEFAULT_WEIGHTS = Weights(0.5, 0.0)


def use(trained, choices):
    """Prints what is said in each file, or a list in its new order: the n_best texts of each."""
    model, vocabulary, _ = load_trained(trained, "speech")
    folder = folder_of(trained)
    if choices.rescore is not None:
        return rescore(model, vocabulary, folder, choices)
    data = read_config(folder).data
    weights = weights_for(model, vocabulary, folder, choices)
    score = language_score(folder, vocabulary.level, vocabulary.tokens[1:], choices.lm) if weights.alpha else None
    columns = 2 if choices.n_best > 1 else int(len(choices.files) > 1)  # before the text
    for file in choices.files:
        log_y = log_probabilities(model, vocabulary, read_utterance(file, "", data).features)
        for one in search([log_y], choices.beam, score, weights)[0][: choices.n_best]:
            before = [on_one_line(file), f"{one.score:.4f}"][:columns]
            print("\t".join([*before, on_one_line(decode(vocabulary, one.labels))]))
    return 0


def rescore(model, vocabulary, folder, choices):
    """Prints a list of candidates in the order that a language model gives them. A label is a token of the list."""
    lists = read_lists(choices.rescore)
    by_words = vocabulary.level == "word"
    texts = [text for rows in lists.values() for _, text in rows]
    tokens = list(dict.fromkeys(token for text in texts for token in (text.split() if by_words else text)))
    number = {token: k for k, token in enumerate(tokens, start=1)}
    score = language_score(folder, vocabulary.level, tokens, choices.lm)
    if score is None:
        raise ValueError("--rescore needs a language model: this run has none, so name one with --lm RUN")

    def labels(text):
        return tuple(number.get(token, 0) for token in (text.split() if by_words else text))

    lists = {
        utterance: with_language([Hypothesis(labels(text), before, before, 0.0) for before, text in rows], score)
        for utterance, rows in lists.items()
    }
    if choices.said is None:
        weights = weights_for(model, vocabulary, folder, choices)
    else:
        said = list(map(labels, read_said(choices.said, lists)))
        weights = chosen("the list", list(lists.values()), said, choices)
    for utterance, hypotheses in lists.items():
        for one in rescored(hypotheses, *weights)[: choices.n_best]:
            text = (" " if by_words else "").join(tokens[label - 1] for label in one.labels)
            print(f"{on_one_line(utterance)}\t{one.score:.4f}\t{on_one_line(text)}")
    return 0


def weights_for(model, vocabulary, folder, choices):
    """The Weights given; what is not given was chosen at the run's end, or is chosen anew for another --lm."""
    if choices.given.keys() == {*Weights._fields}:
        return Weights(**choices.given)
    if choices.lm is None or choices.alpha == 0:
        return saved_weights(folder)._replace(**choices.given)
    try:
        valid = utterances_of("valid", read_config(folder))
    except (OSError, ValueError) as error:
        raise ValueError(f"the run's validation part is gone, so give both --alpha and --beta: {error}") from None
    score = language_score(folder, vocabulary.level, vocabulary.tokens[1:], choices.lm)
    lists = candidates(model, vocabulary, valid, score)
    return chosen("the run's validation part", *lists, choices)


def chosen(where, lists, said, choices):
    """The Weights with the fewest errors on lists of Hypotheses, after a line that says so."""
    weights = choose_weights(lists, said, **choices.given)
    before, after = (100 * total_errors(said, first(lists, *used)).rate for used in ((0, 0), weights))
    rates = f"{after:.1f} % of its labels wrong, and without a language model {before:.1f} %"
    print(f"chosen on {where}: --alpha {weights.alpha:g} --beta {weights.beta:g}; {rates}", file=sys.stderr)
    return weights


def saved_weights(folder):
    """The Weights that a run chose on its validation part for its own language model; DEFAULT_WEIGHTS without one."""
    path = Path(folder) / "summary.json"
    summary = read_json(path) if path.exists() else {}
    found = Weights(*[summary.get(name) for name in Weights._fields] if isinstance(summary, dict) else ("", ""))
    if None in found:
        return DEFAULT_WEIGHTS
    if not all(map(require.is_finite_number, found)):
        raise RunError(f"{path} is damaged: its alpha and beta must be finite numbers; give --alpha and --beta")
    return found


def language_score(folder, level, tokens, other=None):
    """The LanguageScore of another run, or of the one that a run's folder has, if any; label k is token number k,
    counted from 1. ValueError where the model reads another level, or has never read the end of a line."""
    path = other or folder / "language"
    if not other and not path.exists():
        return None
    model, known, _ = load_trained(path)
    if known.level != level:
        raise ValueError(f"the language model {path} reads {known.level}s, but the labels are {level}s")
    if stream_start(known) is None:
        raise ValueError(f"the language model {path} has never read the end of a line, which ends an utterance here")
    ids = {token: i for i, token in enumerate(known.tokens)}
    return LanguageScore(model, [ids.get(token, 0) for token in tokens], stream_start(known))


def train_language(run):
    """Trains the run's own language model, unless it is trained already, or there are too few transcripts.

    It reads more of the built-in grammar, or the transcripts of the training part; the fewer, the more epochs.
    """
    folder = run.folder / "language"
    path, data = folder / "text.txt", run.config.data
    if (folder / "last.npz").exists():
        trained = resume_run(folder, places={"corpus": str(path.resolve())})
    else:
        text = "".join(utterance.text + "\n" for utterance in run.data.parts["train"])
        if data.train is None:
            text = generate_text(WORDS_PER_UTTERANCE * data.num_utterances, GRAMMAR_SEED, GRAMMAR)
        if len(text) < FEWEST:
            print("no language model: there are too few transcripts to train one", file=sys.stderr)
            return
        folder.mkdir(exist_ok=True)
        write_whole(path, text)
        epochs = min(30, max(2, READ // len(text)))
        batch_size = min(32, len(text) // 200)
        settings = LanguageSettings(epochs=epochs, batch_size=batch_size, num_steps=16)
        corpus = CorpusChoices(str(path.resolve()), level=data.level)
        config = RunConfig("language", ModelChoices(embedding_dim=32, hidden_dim=64), settings, corpus)
        trained = start_run(folder, LANGUAGE, complete(config, None))
    print("training the language model …", file=sys.stderr)
    if not train(trained):
        raise KeyboardInterrupt
