"""What a trained acoustic model does with a language model: its own, which is trained on transcripts, or another one.

A run's own is in its folder language/, a run of `train` like any other: `sample RUN/language` lets it write.
"""

import sys
from pathlib import Path

from numpylm import require
from numpylm.commands import language
from numpylm.commands.model_choices import ModelChoices
from numpylm.commands.run import resume_run, start_run, train
from numpylm.commands.run_config import RunConfig, read_config
from numpylm.commands.run_folder import RunError, folder_of, read_json, write_whole
from numpylm.commands.trained import load_trained
from numpylm.commands.transcribe import read_utterance, utterances_of
from numpylm.ctc_decoding import Hypothesis, LanguageScore, rescored
from numpylm.data.error_rates import total_errors
from numpylm.data.grammar import generate_text
from numpylm.data.printable import on_one_line
from numpylm.data.speech.recordings import read_lists, read_said
from numpylm.data.speech.sentences import GRAMMAR
from numpylm.data.text import encode, stream_start
from numpylm.language_task import LanguageSettings
from numpylm.transcription_task import (
    Weights,
    choose_weights,
    first,
    log_probabilities,
    search,
    text_of,
    validation_lists,
)  # fmt: skip

WORDS_PER_UTTERANCE, GRAMMAR_SEED = 200, 3
FEWEST, READ = 400, 500_000  # characters of transcripts to train on; how many it reads in all epochs together
DEFAULT_WEIGHTS = Weights(0.5, 0.0)


def use(trained, choices):
    """Prints what is said in each file, or a list in its new order: the n_best texts of each."""
    model, vocabulary, _ = load_trained(trained, "speech")
    folder = folder_of(trained)
    own = folder / "language"
    path = choices.lm or (own if own.exists() else None)
    if choices.rescore is None:
        data, weights = read_config(folder).data, weights_for(model, vocabulary, folder, choices)
        score = language_score(path, vocabulary) if path is not None and weights.alpha else None
        for file in choices.files:
            log_y = log_probabilities(model, vocabulary, read_utterance(file, "", data).features)
            best = search([log_y], choices.beam, score, weights)[0][: choices.n_best]
            found = [(file, one.score, text_of(vocabulary, one.labels)) for one in best]
            print_found(found, scores=choices.n_best > 1, names=len(choices.files) > 1)
        return
    if path is None:
        raise ValueError("--rescore needs a language model: this run has none, so name one with --lm RUN")
    between, lists = (" " if vocabulary.level == "word" else ""), hypotheses_of(path, choices.rescore, vocabulary.level)
    if choices.said is None:
        weights = weights_for(model, vocabulary, folder, choices)
    else:
        said = [split(text, vocabulary.level) for text in read_said(choices.said, lists)]
        weights = chosen("the list", list(lists.values()), said, choices)
    for utterance, hypotheses in lists.items():
        best = rescored(hypotheses, *weights)[: choices.n_best]
        print_found([(utterance, one.score, between.join(one.labels)) for one in best], scores=True, names=True)


def hypotheses_of(path, file, level):
    """{utterance: Hypotheses} of a list of candidates, with the log-probabilities of a language model's run."""
    model, vocabulary, start = load_language(path)
    score = LanguageScore(model, range(len(vocabulary)), start)

    def hypothesis(before, text):
        ids = (encode(vocabulary, text).astype(int) + 1).tolist()  # label - 1 is the token's id
        return Hypothesis(split(text, level), before, before, score.log_p_ended(tuple(ids)))

    return {utterance: [hypothesis(*row) for row in rows] for utterance, rows in read_lists(file).items()}


def split(text, level):
    """The labels of a text."""
    return tuple(text.split() if level == "word" else text)


def print_found(found, scores, names):
    """Prints lines of utterance, score and text; of the text alone without scores and names."""
    for name, score, text in found:
        before = [on_one_line(name)] * (scores or names) + [f"{score:.4f}"] * scores
        print("\t".join([*before, on_one_line(text)]))


# The weights of a language model


def weights_for(model, vocabulary, folder, choices):
    """The Weights given; what is not given was chosen at the run's end, or is chosen anew for another --lm."""
    if choices.lm is None or len(choices.given) == 2 or choices.alpha == 0:
        return saved_weights(folder)._replace(**choices.given)
    try:
        valid = utterances_of("valid", read_config(folder))
    except (OSError, ValueError) as error:
        raise ValueError(f"the run's validation part is gone, so give both --alpha and --beta: {error}") from None
    lists = validation_lists(model, vocabulary, valid, language_score(choices.lm, vocabulary))
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


# Language models


def load_language(folder):
    """(model, vocabulary, the token of a line's end) of a language model's run. ValueError where it has no such end."""
    model, vocabulary, _ = load_trained(folder)
    start = stream_start(vocabulary)
    if start is None:
        raise ValueError(f"the language model {folder} has never read the end of a line, which ends an utterance here")
    return model, vocabulary, start


def language_score(folder, vocabulary):
    """The LanguageScore of a language model's run, for the labels of a vocabulary. ValueError where it does not fit."""
    model, known, start = load_language(folder)
    if known.level != vocabulary.level:
        raise ValueError(f"the language model {folder} reads {known.level}s, but the labels are {vocabulary.level}s")
    ids = {token: i for i, token in enumerate(known.tokens)}
    return LanguageScore(model, [ids.get(token, 0) for token in vocabulary.tokens[1:]], start)


def own_language(run):
    """The folder of the run's language model, trained now or already; None where there are too few transcripts.

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
            return None
        folder.mkdir(exist_ok=True)
        write_whole(path, text)
        corpus, epochs = language.CorpusChoices(str(path.resolve()), level=data.level), READ // len(text)
        settings = LanguageSettings(
            epochs=min(30, max(2, epochs)), batch_size=min(32, len(text) // 200), num_steps=16
        )  # fmt: skip
        config = RunConfig("language", ModelChoices(embedding_dim=32, hidden_dim=64), settings, corpus)
        trained = start_run(folder, language.KIND, language.complete(config, None))
    print("training the language model …", file=sys.stderr)
    if not train(trained):
        raise KeyboardInterrupt
    return folder
