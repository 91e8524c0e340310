"""What `transcribe RUN …` does: texts of .wav files by beam search, and lists of candidates in a new order."""

import sys

from numpylm.commands.run_config import read_config
from numpylm.commands.run_folder import folder_of
from numpylm.commands.trained import load_trained
from numpylm.commands.transcription import UNITS, read_utterance, utterances_of
from numpylm.commands.transcription_language import language_score, load_language, saved_weights
from numpylm.ctc_decoding import Hypothesis, LanguageScore, rescored
from numpylm.data.error_rates import total_errors
from numpylm.data.printable import on_one_line
from numpylm.data.speech.recordings import read_lists, read_said
from numpylm.data.text import encode
from numpylm.transcription_task import (
    NO_WEIGHTS,
    best_possible,
    choose_weights,
    first,
    log_probabilities,
    search,
    text_of,
    weights_of,
)  # fmt: skip


def use(trained, choices):
    """Prints what is said in each file, or a list in its new order."""
    folder = folder_of(trained)
    model, vocabulary, _ = load_trained(trained, "speech")
    own = folder / "language"
    language = choices.lm or (own if own.exists() else None)
    if choices.rescore is None:
        weights = weights_for(folder, model, vocabulary, choices)
        score = language_score(language, vocabulary) if language is not None and weights.alpha else None
        transcribe(model, vocabulary, read_config(folder).data, choices, score, weights)
        return
    if language is None:
        raise ValueError("--rescore needs a language model: this run has none, so name one with --lm RUN")
    level, lists = candidates(language, choices.rescore)
    weights = weights_on(level, lists, choices) if choices.said else weights_for(folder, model, vocabulary, choices)
    between = " " if level == "word" else ""
    for utterance, hypotheses in lists.items():
        best = rescored(hypotheses, *weights)[: choices.n_best]
        print_found([(utterance, one.score, between.join(one.labels)) for one in best], scores=True, names=True)


def weights_for(folder, model, vocabulary, choices):
    """The Weights given; what is not given was chosen at the run's end, or is chosen anew for another --lm."""
    if choices.lm is None or len(choices.given) == 2 or choices.alpha == 0:
        return saved_weights(folder)._replace(**choices.given)
    language = language_score(choices.lm, vocabulary)
    try:
        valid = utterances_of("valid", read_config(folder))
    except (OSError, ValueError) as error:
        raise ValueError(f"the run's validation part is gone, so give both --alpha and --beta: {error}") from None
    weights = weights_of(model, vocabulary, valid, language, **choices.given)
    print(f"chosen on the run's validation part: --alpha {weights.alpha:g} --beta {weights.beta:g}", file=sys.stderr)
    return weights


def weights_on(level, lists, choices):
    """The Weights with the fewest errors on a list, of which we know what was said."""
    texts = read_said(choices.said)
    for utterance in lists.keys() - texts.keys():
        raise ValueError(f"{choices.said} does not say what was said in {utterance!r}")
    said = [labels_of(texts[utterance], level) for utterance in lists]
    weights = choose_weights(list(lists.values()), said, **choices.given)
    before, after = (first([rescored(one, *used) for one in lists.values()]) for used in (NO_WEIGHTS, weights))
    ways = {"best score": before, "rescored": after, "oracle": map(best_possible, said, lists.values())}
    rates = ", ".join(f"{way} {100 * total_errors(said, heard).rate:.1f}" for way, heard in ways.items())
    print(f"chosen on this list: --alpha {weights.alpha:g} --beta {weights.beta:g}", file=sys.stderr)
    print(f"errors per 100 {UNITS[level]}s: {rates}", file=sys.stderr)
    return weights


def candidates(language, path):
    """(level, {utterance: Hypotheses}) of a list; labels are the words or characters that the language model reads."""
    model, vocabulary, start = load_language(language)
    score = LanguageScore(model, range(len(vocabulary)), start)

    def hypothesis(before, text):
        ids = tuple((encode(vocabulary, text).astype(int) + 1).tolist())  # label - 1 is the token's id
        return Hypothesis(labels_of(text, vocabulary.level), before, before, score.log_p_ended(ids))

    lists = read_lists(path).items()
    return vocabulary.level, {utterance: [hypothesis(*row) for row in rows] for utterance, rows in lists}


def labels_of(text, level):
    """The words or the characters of a text, a tuple."""
    return tuple(text.split() if level == "word" else text)


def transcribe(model, vocabulary, data, choices, language, weights):
    """Prints the n_best texts of each file."""
    for file in choices.files:
        log_y = log_probabilities(model, vocabulary, read_utterance(file, "", data).features)
        best = search([log_y], choices.beam, language, weights)[0][: choices.n_best]
        found = [(file, one.score, text_of(vocabulary, one.labels)) for one in best]
        print_found(found, scores=choices.n_best > 1, names=len(choices.files) > 1)


def print_found(found, scores, names):
    """Prints lines of utterance, score and text; of the text alone without scores and names."""
    for name, score, text in found:
        before = [on_one_line(name)] * (scores or names) + [f"{score:.4f}"] * scores
        print("\t".join([*before, on_one_line(text)]))
