"""How an acoustic model trains, and how it is measured.

A batch has N utterances of about the same length, so that little of it is padding: each epoch shuffles the utterances,
sorts them within groups of GROUP batches by length, and shuffles the batches.

Label k of the model is token k of the vocabulary. Token 0 is <unk>, which nobody says: its place is CTC's blank.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from numpylm.activations import log_softmax
from numpylm.choices import again
from numpylm.ctc import LOG_ZERO, ctc_forward
from numpylm.ctc_decoding import beam_search, best_path, rescored
from numpylm.data.batches import by_length
from numpylm.data.error_rates import Errors, oracle, total_errors
from numpylm.data.features import SoundError
from numpylm.data.text import decode, encoder, stream_start
from numpylm.loss import IGNORED
from numpylm.masking import lengths_to_mask
from numpylm.ranks import ALONE
from numpylm.training import Settings, Task, Validation, shuffled

GROUP = 20
LEAST = np.log(1e-4)  # of a symbol in a frame, that the beam search looks at
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
    """How much the language model counts (alpha), and what each label is paid (beta), in a beam search."""

    alpha: float
    beta: float


NO_WEIGHTS = Weights(0.0, 0.0)


def transcription_task(train, valid, vocabulary, settings, unit):
    """The Task of an acoustic model on lists of Utterances. Raises SoundError for one too short for its labels."""
    N, seed = settings.batch_size, settings.seed
    num_batches = -(-len(train) // N)
    lengths = [len(utterance.features) for utterance in train]
    labels = {part: encoded(vocabulary, utterances) for part, utterances in (("train", train), ("valid", valid))}

    def batches(epoch, first):
        places = by_length(lengths, shuffled(len(train), seed, epoch), N, GROUP)
        for k in shuffled(num_batches, seed + 1, epoch)[first:]:
            yield pad([train[i].features for i in places[k]], [labels["train"][i] for i in places[k]])

    def loss_and_gradients(model, batch, carried, rng):
        return model.loss_and_gradients(batch.features, batch.labels, batch.mask, rng)

    def validate(model, ranks=ALONE):
        nats, heard = 0.0, {}
        for places in by_length([len(one.features) for one in valid], range(len(valid)), 4 * N, GROUP)[
            ranks.rank :: ranks.size
        ]:
            batch = pad([valid[i].features for i in places], [labels["valid"][i] for i in places])
            logits = model.forward(batch.features, batch.mask).logits
            nats += ctc_forward(logits, batch.labels, batch.mask)[0] * num_targets(batch)
            for n, i in enumerate(places):
                heard[i] = best_path(logits[: len(valid[i].features), n])
        errors = total_errors([list(labels["valid"][i]) for i in heard], list(heard.values()))
        nats, *errors = ranks.total(np.array([nats, *errors])).tolist()
        return Validation(nats / Errors(*errors).num_labels, f"{unit} error rate {100 * Errors(*errors).rate:.1f} %")

    return Task(unit, num_batches, batches, num_targets, loss_and_gradients, validate, perplexity=False)


def encoded(vocabulary, utterances):
    """The labels of each Utterance. Raises SoundError where there are more of them than frames."""
    encode, found = encoder(vocabulary), []
    for utterance in utterances:
        labels = encode(utterance.text).astype(int)
        needed = len(labels) + int((labels[1:] == labels[:-1]).sum())
        if len(utterance.features) < needed:
            raise SoundError(
                f"{utterance.name} is too short for its transcript: it has {len(utterance.features)} frames, and CTC "
                f"needs {needed}, one for each of {len(labels)} labels and one between two equal ones"
            )
        found.append(labels)
    return found


def pad(features, labels):
    """The SpeechBatch of N utterances."""
    lengths = np.array([len(each) for each in features])
    padded = np.zeros((lengths.max(), len(features), features[0].shape[1]), features[0].dtype)
    padded_labels = np.full((max(map(len, labels)), len(labels)), IGNORED)
    for n, (frames, said) in enumerate(zip(features, labels, strict=True)):
        padded[: len(frames), n] = frames
        padded_labels[: len(said), n] = said
    return SpeechBatch(padded, lengths_to_mask(lengths, len(padded)), padded_labels)


def num_targets(batch):
    """How many labels a batch has."""
    return int((batch.labels != IGNORED).sum())


def log_probabilities(model, vocabulary, features):
    """log y_t of one utterance, (T, V + 1), from its features (T, B). A line's end is no label: nobody says it."""
    log_y = log_softmax(model.forward(features[:, None]).logits[:, 0])
    log_y[:, stream_start(vocabulary) or []] = LOG_ZERO
    return log_y


def search(log_ys, width, language=None, weights=NO_WEIGHTS):
    """For each log_y (T, V + 1) the `width` best Hypotheses, by a beam search with a LanguageScore, if given."""
    return [beam_search(log_y, width, language, *weights, LEAST) for log_y in log_ys]


def text_of(vocabulary, labels):
    """The text of a sequence of labels."""
    return decode(vocabulary, np.array(labels, dtype=int))


def choose_weights(lists, references):
    """The Weights with which rescored lists of Hypotheses have the fewest errors; references are tuples of labels."""

    def errors(weights):
        return total_errors(references, [rescored(one, *weights)[0].labels for one in lists]).total

    return min((Weights(alpha, beta) for alpha in ALPHAS for beta in BETAS), key=errors)


def best_possible(reference, hypotheses):
    """The labels of the Hypothesis of a list with the fewest errors."""
    return oracle(reference, [one.labels for one in hypotheses])
