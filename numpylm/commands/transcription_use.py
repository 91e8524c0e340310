"""What `transcribe RUN …` does: texts of .wav files by beam search, and lists of candidates in a new order."""

import sys

from numpylm.commands.run_config import read_config
from numpylm.commands.run_folder import folder_of
from numpylm.commands.trained import load_trained
from numpylm.commands.transcription import read_utterance, utterances_of
from numpylm.commands.transcription_language import language_score, load_language, saved_weights
from numpylm.ctc_decoding import Hypothesis, LanguageScore, rescored
from numpylm.data.error_rates import total_errors
from numpylm.data.printable import on_one_line
from numpylm.data.speech.recordings import read_lists, read_said
from numpylm.data.text import encode
from numpylm.transcription_task import choose_weights, first, log_probabilities, search, text_of, validation_lists


def use(trained, choices):
    """Prints what is said in each file, or a list in its new order."""
    checkpoint = load_trained(trained, "speech")
    folder = folder_of(trained)
    own = folder / "language"
    language = choices.lm or (own if own.exists() else None)
    if choices.rescore is None:
        transcribe(checkpoint, folder, language, choices)
    elif language is None:
        raise ValueError("--rescore needs a language model: this run has none, so name one with --lm RUN")
    else:
        rescore(checkpoint, folder, language, choices)


def transcribe(checkpoint, folder, language, choices):
    """Prints the n_best texts of each file."""
    model, vocabulary, data = checkpoint.model, checkpoint.vocabulary, read_config(folder).data
    weights = weights_for(checkpoint, folder, choices)
    score = language_score(language, vocabulary) if language is not None and weights.alpha else None
    for file in choices.files:
        log_y = log_probabilities(model, vocabulary, read_utterance(file, "", data).features)
        best = search([log_y], choices.beam, score, weights)[0][: choices.n_best]
        found = [(file, one.score, text_of(vocabulary, one.labels)) for one in best]
        print_found(found, scores=choices.n_best > 1, names=len(choices.files) > 1)


def rescore(checkpoint, folder, language, choices):
    """Prints the n_best texts of each utterance of a list by the score with a language model."""
    model, vocabulary, start = load_language(language)
    score, between = LanguageScore(model, range(len(vocabulary)), start), " " if vocabulary.level == "word" else ""

    def split(text):
        return tuple(text.split() if between else text)

    def hypothesis(before, text):
        ids = (encode(vocabulary, text).astype(int) + 1).tolist()  # label - 1 is the token's id
        return Hypothesis(split(text), before, before, score.log_p_ended(tuple(ids)))

    lists = {utterance: [hypothesis(*row) for row in rows] for utterance, rows in read_lists(choices.rescore).items()}
    if choices.said is None:
        weights = weights_for(checkpoint, folder, choices)
    else:
        said = read_said(choices.said, lists)
        weights = chosen("the list", list(lists.values()), list(map(split, said)), choices)
    for utterance, hypotheses in lists.items():
        best = rescored(hypotheses, *weights)[: choices.n_best]
        print_found([(utterance, one.score, between.join(one.labels)) for one in best], scores=True, names=True)


def print_found(found, scores, names):
    """Prints lines of utterance, score and text; of the text alone without scores and names."""
    for name, score, text in found:
        before = [on_one_line(name)] * (scores or names) + [f"{score:.4f}"] * scores
        print("\t".join([*before, on_one_line(text)]))


def weights_for(checkpoint, folder, choices):
    """The Weights given; what is not given was chosen at the run's end, or is chosen anew for another --lm."""
    if choices.lm is None or len(choices.given) == 2 or choices.alpha == 0:
        return saved_weights(folder)._replace(**choices.given)
    model, vocabulary, _ = checkpoint
    language = language_score(choices.lm, vocabulary)
    try:
        valid = utterances_of("valid", read_config(folder))
    except (OSError, ValueError) as error:
        raise ValueError(f"the run's validation part is gone, so give both --alpha and --beta: {error}") from None
    return chosen("the run's validation part", *validation_lists(model, vocabulary, valid, language), choices)


def chosen(where, lists, said, choices):
    """The Weights with the fewest errors on lists of Hypotheses, after a line that says so."""
    weights = choose_weights(lists, said, **choices.given)
    before, after = (100 * total_errors(said, first(lists, *used)).rate for used in ((0, 0), weights))
    rates = f"{after:.1f} % of its labels wrong, and without a language model {before:.1f} %"
    print(f"chosen on {where}: --alpha {weights.alpha:g} --beta {weights.beta:g}; {rates}", file=sys.stderr)
    return weights
