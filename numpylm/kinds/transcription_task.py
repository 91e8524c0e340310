"""How an acoustic model trains, and how it is measured.

Label k of the model is token k of the vocabulary. Token 0 is <unk>, which nobody says: its place is CTC's blank.
"""

from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

import numpy as np

from numpylm.activations import log_softmax
from numpylm.base.choices import again
from numpylm.base.ranks import ALONE
from numpylm.ctc import LOG_ZERO, ctc_forward, require_fit
from numpylm.ctc_decoding import LEAST, beam_search, best_path, ranked
from numpylm.data.batches import batches_by_length, by_length, side_by_side
from numpylm.data.text import encoder, stream_start
from numpylm.loss import IGNORED, num_predicted
from numpylm.masking import lengths_to_mask
from numpylm.training import Settings, Task, Validation

GROUP, BEAM = 20, 10  # batches that are sorted by length at a time; hypotheses that a beam search keeps
ALPHAS = (0.5, 0.75, 0.25, 1.0, 1.5, 2.0, 0.0)  # of equally good ones, choose_weights takes the first
BETAS = (0.0, 1.0, 2.0, 3.0, -1.0)


@dataclass(frozen=True)
class SpeechSettings(Settings):
    """Settings whose defaults suit the built-in speech."""

    batch_size: int = again(Settings, "batch_size", 16, help="utterances in a batch")
    epochs: int | None = again(Settings, "epochs", 20)
    learning_rate: float | None = again(Settings, "learning_rate", 0.004, shown="0.004, for adam")


class Utterance(NamedTuple):
    """Where a sound is from, its features (T, B), and the labels (U,) of what was said."""

    name: str
    features: np.ndarray
    labels: np.ndarray


def with_labels(vocabulary, spoken, note=""):
    """Utterances of (name, features, text) each. ValueError, with name and note, where there are too many labels."""
    encode = encoder(vocabulary)
    utterances = [Utterance(name, features, encode(text).astype(int)) for name, features, text in spoken]
    names, features, labels = zip(*utterances, strict=True)
    require_fit(side_by_side(labels, IGNORED), np.array([*map(len, features)]), [name + note for name in names])
    return utterances


def transcription_task(train, valid, settings, unit):
    """The Task of an acoustic model on lists of Utterances."""
    train_frames, valid_frames = ([len(one.features) for one in utterances] for utterances in (train, valid))
    valid_places = by_length(valid_frames, range(len(valid)), 4 * settings.batch_size, GROUP)

    def loss_and_gradients(model, batch, carried, rng):
        return model.loss_and_gradients(*batch, rng)

    def validate(model, ranks=ALONE):
        nats, said, heard = 0.0, [], []
        for places in valid_places[ranks.rank :: ranks.size]:
            features, labels, mask = pad([valid[i] for i in places])
            logits = model.forward(features, mask).logits
            nats += ctc_forward(logits, labels, mask)[0] * num_predicted(labels)
            said += [valid[i].labels for i in places]
            heard += [best_path(logits[frames, n]) for n, frames in enumerate(mask.T)]
        nats, *errors = ranks.total(np.array([nats, *total_errors(said, heard)])).tolist()
        errors = Errors(*errors)
        return Validation(nats / errors.num_labels, f"{unit} error rate {100 * errors.rate:.1f} %")

    batches = batches_by_length(train_frames, settings, GROUP, lambda places: pad([train[i] for i in places]))
    return Task(unit, *batches, lambda batch: num_predicted(batch[1]), loss_and_gradients, validate, perplexity=False)


def pad(utterances):
    """features (T, N, B), labels (U, N) and mask (T, N) of N Utterances; padding is 0, -1 and False."""
    _, features, labels = zip(*utterances, strict=True)
    padded = side_by_side(features, 0, features[0].dtype)
    mask = lengths_to_mask(np.array([*map(len, features)]), len(padded))
    return padded, side_by_side(labels, IGNORED), mask


def log_probabilities(model, vocabulary, features):
    """log y_t of one utterance, (T, V + 1), from its features (T, B). A line's end is no label: nobody says it."""
    log_y = log_softmax(model.forward(features[:, None]).logits[:, 0])
    log_y[:, stream_start(vocabulary) or []] = LOG_ZERO
    return log_y


class Heard(NamedTuple):
    """Of each utterance: the labels said; the labels that each way to decode has heard; and the Hypotheses of both
    searches, by sound alone and with a language model, all with its log-probability."""

    said: list
    by_name: dict
    lists: list


def listen(model, vocabulary, utterances, language=None, alpha=0.5, beta=0.0):
    """Heard, for Utterances, under the names of a run's summary; without a LanguageScore, only what needs none."""
    said = [tuple(utterance.labels.tolist()) for utterance in utterances]
    log_ys = [log_probabilities(model, vocabulary, utterance.features) for utterance in utterances]
    by_sound = fused = [beam_search(log_y, BEAM, language, least=LEAST) for log_y in log_ys]
    by_name = {"error_rate": [tuple(best_path(log_y)) for log_y in log_ys], "error_rate_beam": best_labels(by_sound)}
    if language is not None:
        fused = [beam_search(log_y, BEAM, language, alpha, beta, LEAST) for log_y in log_ys]
        by_name["error_rate_rescored"] = best_labels(by_sound, alpha, beta)
        by_name["error_rate_with_language_model"] = best_labels(fused, alpha, beta)
    by_name["error_rate_oracle"] = [oracle(*pair) for pair in zip(said, fused, strict=True)]
    return Heard(said, by_name, [one + two for one, two in zip(by_sound, fused, strict=True)])


def best_labels(lists, alpha=0.0, beta=0.0):
    """The labels of the best Hypothesis of each list, with this alpha and beta."""
    return [ranked(hypotheses, alpha, beta)[0].labels for hypotheses in lists]


def oracle(said, hypotheses):
    """The labels of the Hypothesis of a list with the fewest errors."""
    return min((one.labels for one in hypotheses), key=lambda labels: count_errors(said, labels).total)


def choose_weights(heard, **given):
    """{"alpha": …, "beta": …} with which the lists of a Heard have the fewest errors; one that is given stays."""
    tried = [{"alpha": alpha, "beta": beta} | given for alpha, beta in product(ALPHAS, BETAS)]
    return min(tried, key=lambda weights: total_errors(heard.said, best_labels(heard.lists, **weights)).total)


class Errors(NamedTuple):
    """The fewest changes that turn what was said, num_labels labels, into what was heard (Levenshtein, 1966)."""

    substitutions: int
    deletions: int
    insertions: int
    num_labels: int

    @property
    def total(self):
        """All changes."""
        return self.substitutions + self.deletions + self.insertions

    @property
    def rate(self):
        """Changes per label that was said; NaN where none was."""
        return self.total / self.num_labels if self.num_labels else float("nan")


# One number counts four things, as its digits in base MOST: changes, and of them deletions, insertions, substitutions.
# So the smallest number has the fewest changes. MOST is larger than a sequence's number of labels.
MOST = 10**6
SUBSTITUTION, INSERTION, DELETION, CHANGE = (MOST**k for k in range(4))


def count_errors(reference, hypothesis):
    """The Errors of one hypothesis, both sequences of labels, by dynamic programming (Wagner and Fischer, 1974)."""
    deleted, inserted, substituted = CHANGE + DELETION, CHANGE + INSERTION, CHANGE + SUBSTITUTION
    row = [j * inserted for j in range(len(hypothesis) + 1)]  # row[j]: from the reference so far to hypothesis[:j]
    for said in reference:
        above, row = row, [row[0] + deleted]
        for j, heard in enumerate(hypothesis):
            kept = above[j] + (substituted if said != heard else 0)
            row.append(min(kept, above[j + 1] + deleted, row[j] + inserted))
    substitutions, insertions, deletions = (row[-1] // MOST**k % MOST for k in range(3))
    return Errors(substitutions, deletions, insertions, len(reference))


def total_errors(references, hypotheses):
    """The Errors of many pairs, added up."""
    counted = [Errors(0, 0, 0, 0), *map(count_errors, references, hypotheses)]
    return Errors(*map(sum, zip(*counted, strict=True)))
