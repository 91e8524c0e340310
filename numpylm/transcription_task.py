"""How an acoustic model trains, and how it is measured.

Label k of the model is token k of the vocabulary. Token 0 is <unk>, which nobody says: its place is CTC's blank.
"""

from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

import numpy as np

from numpylm.activations import log_softmax
from numpylm.choices import again
from numpylm.ctc import LOG_ZERO, ctc_forward, require_fit
from numpylm.ctc_decoding import beam_search, best_path, rescored, with_language
from numpylm.data.batches import batches_by_length, by_length, side_by_side
from numpylm.data.error_rates import Errors, count_errors, total_errors
from numpylm.data.text import encoder, stream_start
from numpylm.loss import IGNORED, num_predicted
from numpylm.masking import lengths_to_mask
from numpylm.ranks import ALONE
from numpylm.training import Settings, Task, Validation

GROUP = 20  # so many batches at a time are sorted by length
BEAM = 10  # so many hypotheses a beam search keeps
LEAST = np.log(1e-4)  # in each frame, the beam search leaves out symbols that are less probable
ALPHAS = (0.5, 0.75, 0.25, 1.0, 1.5, 2.0, 0.0)  # of equally good ones, choose_weights takes the first
BETAS = (0.0, 1.0, 2.0, 3.0, -1.0)


@dataclass(frozen=True)
class SpeechSettings(Settings):
    """Settings whose defaults suit the built-in speech."""

    batch_size: int = again(Settings, "batch_size", 16, help="utterances in a batch")
    epochs: int | None = again(Settings, "epochs", 20)
    learning_rate: float | None = again(Settings, "learning_rate", 0.004, shown="0.004, for adam")


class Utterance(NamedTuple):
    """Where a sound is from, its features (T, B), and what was said."""

    name: str
    features: np.ndarray
    text: str


class SpeechBatch(NamedTuple):
    """features (T, N, B), mask (T, N) and labels (U, N); padding is 0, False and -1."""

    features: np.ndarray
    mask: np.ndarray
    labels: np.ndarray


class Weights(NamedTuple):
    """alpha: how much the language model counts; beta: what each label is paid."""

    alpha: float
    beta: float


NO_WEIGHTS = Weights(0.0, 0.0)
FIRST_WEIGHTS = Weights(0.75, 1.0)  # with these we look for candidates, to choose the weights on


def transcription_task(train, valid, vocabulary, settings, unit):
    """The Task of an acoustic model on lists of Utterances. Raises ValueError for one too short for its labels."""
    train, valid = with_labels(vocabulary, train), with_labels(vocabulary, valid)
    valid_places = by_length(lengths(valid), range(len(valid)), 4 * settings.batch_size, GROUP)

    def loss_and_gradients(model, batch, carried, rng):
        return model.loss_and_gradients(batch.features, batch.labels, batch.mask, rng)

    def validate(model, ranks=ALONE):
        nats, said, heard = 0.0, [], []
        for places in valid_places[ranks.rank :: ranks.size]:
            batch = pad([valid[i] for i in places])
            logits = model.forward(batch.features, batch.mask).logits
            nats += ctc_forward(logits, batch.labels, batch.mask)[0] * num_predicted(batch.labels)
            said += [valid[i][1] for i in places]
            heard += [best_path(logits[frames, n]) for n, frames in enumerate(batch.mask.T)]
        nats, *errors = ranks.total(np.array([nats, *total_errors(said, heard)])).tolist()
        errors = Errors(*errors)
        return Validation(nats / errors.num_labels, f"{unit} error rate {100 * errors.rate:.1f} %")

    num_batches, batches = batches_by_length(
        lengths(train), settings, GROUP, lambda places: pad([train[i] for i in places])
    )
    return Task(
        unit, num_batches, batches, lambda batch: num_predicted(batch.labels), loss_and_gradients, validate,
        perplexity=False,
    )  # fmt: skip


def encoded(vocabulary, utterances):
    """The labels of each Utterance. Raises ValueError where there are more of them than frames."""
    encode = encoder(vocabulary)
    found = [encode(utterance.text).astype(int) for utterance in utterances]
    for (name, features, _), labels in zip(utterances, found, strict=True):
        require_fit(labels[:, None], np.array([len(labels)]), np.array([len(features)]), [name])
    return found


def with_labels(vocabulary, utterances):
    """(features, labels) of each Utterance."""
    return [(one.features, labels) for one, labels in zip(utterances, encoded(vocabulary, utterances), strict=True)]


def lengths(pairs):
    """The number of frames of each of these pairs."""
    return [len(features) for features, _ in pairs]


def pad(pairs):
    """The SpeechBatch of the features and labels of N utterances."""
    features, labels = zip(*pairs, strict=True)
    padded = side_by_side(features, 0, features[0].dtype)
    mask = lengths_to_mask(np.array(lengths(pairs)), len(padded))
    return SpeechBatch(padded, mask, side_by_side(labels, IGNORED))


def log_probabilities(model, vocabulary, features):
    """log y_t of one utterance, (T, V + 1), from its features (T, B). A line's end is no label: nobody says it."""
    log_y = log_softmax(model.forward(features[:, None]).logits[:, 0])
    log_y[:, stream_start(vocabulary) or []] = LOG_ZERO
    return log_y


def search(log_ys, width, language=None, weights=NO_WEIGHTS):
    """For each log_y (T, V + 1) the `width` best Hypotheses, by a beam search with a LanguageScore, if given."""
    return [beam_search(log_y, width, language, *weights, LEAST) for log_y in log_ys]


class Heard(NamedTuple):
    """What was said and what was heard, lists of label sequences: by_name has one for each way to decode.

    lists: for each utterance the Hypotheses of the search by sound alone, and, with a language model, also those of the
    search with it. Then all of them have its log-probability.
    """

    said: list
    by_name: dict
    lists: list

    @property
    def errors(self):
        """The Errors of each way to decode."""
        return {name: total_errors(self.said, heard) for name, heard in self.by_name.items()}


def listen(model, vocabulary, utterances, language=None, weights=NO_WEIGHTS):
    """Heard, for Utterances, under the names of a run's summary; without a LanguageScore, only what needs none."""
    said = [tuple(labels.tolist()) for labels in encoded(vocabulary, utterances)]
    log_ys = [log_probabilities(model, vocabulary, utterance.features) for utterance in utterances]
    by_sound = search(log_ys, BEAM)
    by_name = {"error_rate": list(map(best_path, log_ys)), "error_rate_beam": first(by_sound)}
    lists = last = by_sound
    if language is not None:
        rated = [with_language(hypotheses, language) for hypotheses in by_sound]
        last = search(log_ys, BEAM, language, weights)
        by_name["error_rate_rescored"] = first(rated, *weights)
        by_name["error_rate_with_language_model"] = first(last, *weights)
        lists = [one + two for one, two in zip(rated, last, strict=True)]
    by_name["error_rate_oracle"] = list(map(best_possible, said, last))  # of the last search
    return Heard(said, by_name, lists)


def first(lists, alpha=0.0, beta=0.0):
    """The labels of the best Hypothesis of each list, with this alpha and beta."""
    return [rescored(one, alpha, beta)[0].labels for one in lists]


def best_possible(reference, hypotheses):
    """The labels of the Hypothesis of a list with the fewest errors: its oracle."""
    return min((one.labels for one in hypotheses), key=lambda labels: count_errors(reference, labels).total)


def candidates(model, vocabulary, utterances, language):
    """What choose_weights reads: lists of Hypotheses, found with a LanguageScore and without, and what was said."""
    heard = listen(model, vocabulary, utterances, language, FIRST_WEIGHTS)
    return heard.lists, heard.said


def choose_weights(lists, references, alpha=None, beta=None):
    """The Weights with which rescored lists of Hypotheses have the fewest errors; references are tuples of labels. An
    alpha or a beta that is given stays."""
    pairs = product(ALPHAS if alpha is None else [alpha], BETAS if beta is None else [beta])
    best = min(pairs, key=lambda weights: total_errors(references, first(lists, *weights)).total)
    return Weights(*best)
