"""How an encoder-decoder trains, is measured, and translates lines of text."""

import math
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np

from numpylm.base.choices import again
from numpylm.base.ranks import ALONE
from numpylm.beam_search import translate
from numpylm.data.batches import batches_by_length, by_length
from numpylm.data.pairs import Pair, encode_lines, pad
from numpylm.data.text import decode, stream_start
from numpylm.loss import num_predicted, surprisal
from numpylm.training import Settings, Task, Validation

GROUP = 50
DECODED = 64  # sentences that are translated at once


@dataclass(frozen=True)
class TranslationSettings(Settings):
    """Settings whose defaults suit translation."""

    batch_size: int = again(Settings, "batch_size", 64, help="pairs in a batch")
    epochs: int | None = again(Settings, "epochs", 4)
    max_norm: float = again(Settings, "max_norm", 1.0)


class EncodedPairs(NamedTuple):
    """The ids of each sentence, its end included, and the id that stands for a target's start and end."""

    sources: list
    targets: list
    end: int

    @property
    def lengths(self):
        """(length of the target, of the source) of each pair."""
        return list(zip(map(len, self.targets), map(len, self.sources), strict=True))


class PairScore(NamedTuple):
    """Mean nats per target token, ends included; how many tokens; how many of them are <unk>."""

    loss: float
    num_tokens: int
    num_unknown: int


def encode_pairs(vocabularies, pairs):
    """EncodedPairs of Pairs of lines; vocabularies has "source" and "target"."""
    encoded = [encode_lines(vocabularies[side], [getattr(pair, side) for pair in pairs]) for side in Pair._fields]
    return EncodedPairs(*encoded, stream_start(vocabularies["target"]))


def batch_of(pairs, places):
    """The PairBatch of the pairs at these places."""
    return pad([pairs.sources[i] for i in places], [pairs.targets[i] for i in places], pairs.end)


def translation_task(train, valid, settings, unit="target token"):
    """The Task of an encoder-decoder on EncodedPairs."""

    def loss_and_gradients(model, batch, carried, rng):
        out = model.loss_and_gradients(batch.source, batch.inputs, batch.targets, batch.source_mask, rng=rng)
        return out._replace(state=None)

    def validate(model, ranks=ALONE):
        return Validation(score_pairs(model, valid, ranks).loss)

    num_batches, batches = batches_by_length(train.lengths, settings, GROUP, partial(batch_of, train))
    return Task(unit, num_batches, batches, lambda batch: num_predicted(batch.targets), loss_and_gradients, validate)


def score_pairs(model, pairs, ranks=ALONE):
    """PairScore of EncodedPairs, the decoder reading the target that came (teacher forcing); ranks share the work."""
    nats, tokens = np.zeros(1), np.concatenate(pairs.targets)
    for places in by_length(pairs.lengths, range(len(pairs.sources)), DECODED, GROUP)[ranks.rank :: ranks.size]:
        batch = batch_of(pairs, places)
        logits = model.forward(batch.source, batch.inputs, batch.source_mask).logits
        nats += surprisal(logits, batch.targets).sum(dtype=float)
    return PairScore(ranks.total(nats).item() / tokens.size, tokens.size, int((tokens == 0).sum()))  # <unk> is id 0


def translate_lines(model, vocabularies, lines, **search):
    """For each line of source text the n_best translations, pairs (text, Hypothesis), the best first.

    search: width, length_penalty and n_best, as in beam_search.
    """
    sources = encode_lines(vocabularies["source"], lines)
    end = stream_start(vocabularies["target"])
    found = [None] * len(sources)
    for places in by_length([*map(len, sources)], range(len(sources)), DECODED, len(sources) or 1):
        batch = pad([sources[i] for i in places], [[end]] * len(places), end)
        longest = 3 * len(batch.source) + 10
        hypotheses = translate(model, batch.source, end, end, batch.source_mask, longest, **search)
        for i, best in zip(places, hypotheses, strict=True):
            found[i] = [(decode(vocabularies["target"], one.tokens), one) for one in best]
    return found


def attention_weights(model, vocabularies, source, target):
    """(alpha (T_y, T_x), source tokens, target tokens) while the model reads one line and writes the other."""
    pairs = encode_pairs(vocabularies, [Pair(source, target)])
    batch = batch_of(pairs, [0])
    alpha = model.forward(batch.source, batch.inputs, batch.source_mask).trace.attention.alpha[:, 0]
    ids = {"source": pairs.sources[0], "target": pairs.targets[0]}
    return alpha, *[[vocabularies[side].tokens[i] for i in ids[side]] for side in ids]


def bleu(translations, references, level):
    """Corpus BLEU of lines by sacreBLEU, and its signature; (None, None) where it is not installed."""
    try:
        from sacrebleu.metrics import BLEU
    except ImportError:
        return None, None
    metric = BLEU(tokenize="char" if level == "char" else "none", force=True)
    score = metric.corpus_score(translations, [references]).score
    return (score if math.isfinite(score) else None), str(metric.get_signature())
