"""N-gram language models: the baselines that stand beside every perplexity of a neural one.

Interpolated modified Kneser-Ney smoothing (Kneser and Ney, 1995; Chen and Goodman, 1999). An n-gram is a
context h of n - 1 tokens followed by a token w, and h' is h without its first token:

    p_n(w | h) = max(c(h w) - D(c(h w)), 0) / c(h)  +  λ(h) p_{n-1}(w | h')                   (1)
    λ(h)       = (D_1 N_1(h) + D_2 N_2(h) + D_3 N_3(h)) / c(h)                                (2)
    p_0(w)     = 1 / V                                                                        (3)
    D_k        = k - (k + 1) Y n_{k+1} / n_k   for k = 1, 2, 3,   Y = n_1 / (n_1 + 2 n_2)      (4)

c(h w)   at the highest order: how often h w occurs; below it: how many different tokens come before h w
c(h)     the sum of c(h w) over w; where it is zero, p_n(w | h) = p_{n-1}(w | h')
D(c)     the discount of a count c: D_1, D_2, and D_3 for three and more; D(0) = 0
N_k(h)   the number of tokens w with c(h w) = k, for k = 3 with c(h w) >= 3
n_k      the number of n-grams of this order with count k

Equation (3) gives every token some probability. A stream has no sentences: contexts reach across <eos>.

An n-gram is found by an integer: its code is (id of its first n - 1 tokens) V + last token, and its id is the
place of that code among the sorted codes of its order. So codes stay small whatever n is.
"""

from typing import NamedTuple

import numpy as np

from numpylm.base import require

FALLBACK_DISCOUNTS = (0.5, 1.0, 1.5)  # where (4) fails: too few n-grams, or no rare ones
BASELINE_ORDERS = {"unigram": 1, "bigram": 2, "5-gram": 5}
BLOCK_TOKENS = 2**18  # that are looked up at once
MOST_TOKENS = 2**24  # of a longer stream, we count only the n-grams of its beginning
UNSEEN_CODE = np.iinfo(np.int64).max


class NGramLevel(NamedTuple):
    """The K distinct n-grams of one order, and the C contexts they stand on (the n-grams of the order below).

    The last entry of each array stands for everything unseen: id K for n-grams, id C for contexts.
    """

    codes: np.ndarray  # (K + 1,) sorted int64; the last is UNSEEN_CODE
    discounted_probabilities: np.ndarray  # (K + 1,) the first term of (1), zero for unseen
    backoff_weights: np.ndarray  # (C + 1,) λ(h), one for unseen


class NGramModel(NamedTuple):
    """An n-gram model: `levels[k - 1]` holds the n-grams of k tokens, k = 1 .. order."""

    vocab_size: int
    levels: tuple[NGramLevel, ...]


def baseline_perplexities(train_tokens, test_tokens, vocab_size, most_tokens=MOST_TOKENS):
    """Perplexity per predicted token of the test stream, for the uniform, unigram, bigram and 5-gram models.

    Both streams are integers of shape (number of tokens,). `test_tokens[1:]` is predicted, its first token is
    only context. Raises ValueError or TypeError for streams that are too short or not integers in 0 .. V - 1.

    Counting needs memory for each token: of a training stream of more than `most_tokens` only the beginning is
    counted, and the names say so.
    """
    perplexities = {"uniform": float(vocab_size)}
    for name, order in BASELINE_ORDERS.items():
        counted = train_tokens
        if len(train_tokens) > most_tokens:
            counted, name = train_tokens[:most_tokens], f"{name} of the first {most_tokens:,}"
        model = fit_ngrams(counted, order, vocab_size)
        perplexities[name] = float(np.exp(mean_surprisal(model, test_tokens)))
    return perplexities


def mean_surprisal(model, tokens):
    """The mean of -log p of `tokens[1:]` in nats, in memory that does not grow with the stream's length."""
    tokens = _checked_stream(tokens, 2, model.vocab_size)
    num_context = max(1, len(model.levels) - 1)
    total = 0.0
    for first in range(1, len(tokens), BLOCK_TOKENS):
        start = max(0, first - num_context)
        block = token_log_probabilities(model, tokens[start : first + BLOCK_TOKENS])
        total -= float(block[first - start - 1 :].sum())
    return total / (len(tokens) - 1)


def fit_ngrams(tokens, order, vocab_size):
    """The n-gram model of a token stream, integers of shape (number of tokens,), at least `order` of them.

    `tokens` may be a memory-mapped array of any integer type; counting takes 60 to 170 bytes a token.
    Raises ValueError or TypeError if the stream is too short, not of integers, or not in 0 .. V - 1.
    """
    vocab_size = int(require.positive_integer("vocab_size", vocab_size))
    levels, num_contexts = [], 1  # the unigrams' context is the empty n-gram
    for codes, counts in count_ngrams(tokens, order, vocab_size):
        contexts = codes // vocab_size  # (K,) the id of each n-gram's context
        discount = np.append(0.0, modified_discounts(counts))[np.minimum(counts, 3)]
        context_counts = np.bincount(contexts, counts, num_contexts)  # (C,) c(h)
        reserved = np.bincount(contexts, discount, num_contexts)
        backoff = np.divide(reserved, context_counts, out=np.ones(num_contexts), where=context_counts > 0)  # (2)
        # An n-gram without a count, as only the stream's first can be, may stand on a context without a count.
        discounted = (counts - discount) / np.maximum(context_counts, 1)[contexts]
        levels.append(NGramLevel(np.append(codes, UNSEEN_CODE), np.append(discounted, 0.0), np.append(backoff, 1.0)))
        num_contexts = len(codes)
    return NGramModel(vocab_size, tuple(levels))


def token_log_probabilities(model, tokens):
    """log p(token | the order - 1 tokens before it) in nats, for `tokens[1:]`: shape (number of tokens - 1,).

    Near the start of the stream the context is what there is. Raises like `fit_ngrams`; 2 tokens are enough.
    """
    tokens = _checked_stream(tokens, 2, model.vocab_size)
    probability = np.full(len(tokens), 1 / model.vocab_size)  # (3)
    ids = np.zeros(len(tokens) + 1, np.int64)  # of the n-gram that starts at each place: first the empty one
    for length, level in enumerate(model.levels, start=1):
        context_ids = ids[:-1]
        codes = context_ids * model.vocab_size + tokens[length - 1 :]
        places = np.searchsorted(level.codes, codes)
        ids = np.where(level.codes[places] == codes, places, len(level.codes) - 1)
        backed_off = level.backoff_weights[context_ids] * probability[length - 1 :]
        probability[length - 1 :] = level.discounted_probabilities[ids] + backed_off  # (1)
    return np.log(probability[1:])


def count_ngrams(tokens, order, vocab_size):
    """For each length 1 .. order, the stream's n-grams: their sorted codes (K,) and counts c(h w) (K,)."""
    require.positive_integer("order", order)
    tokens = _checked_stream(tokens, order, vocab_size)
    shorter_codes = None
    ids = np.zeros(len(tokens) + 1, np.int64)  # of the n-gram that starts at each place: first the empty one
    for length in range(1, order + 1):
        codes_in_stream = ids[:-1] * vocab_size + tokens[length - 1 :]
        codes, first_place, new_ids, occurrences = np.unique(
            codes_in_stream, return_index=True, return_inverse=True, return_counts=True
        )
        if length > 1:  # each different n-gram puts one more token before the n-gram that starts one place later
            yield shorter_codes, np.bincount(ids[first_place + 1], minlength=len(shorter_codes))
        shorter_codes, ids = codes, new_ids
    yield codes, occurrences


def modified_discounts(counts):
    """D_1, D_2, D_3 of (4) for one order's counts; FALLBACK_DISCOUNTS if an n_k or D_k is not positive."""
    n_1, n_2, n_3, n_4 = (np.count_nonzero(counts == k) for k in (1, 2, 3, 4))
    discounts = FALLBACK_DISCOUNTS
    if min(n_1, n_2, n_3, n_4) > 0:
        Y = n_1 / (n_1 + 2 * n_2)
        discounts = (1 - 2 * Y * n_2 / n_1, 2 - 3 * Y * n_3 / n_2, 3 - 4 * Y * n_4 / n_3)
    return np.array(discounts if min(discounts) > 0 else FALLBACK_DISCOUNTS)


def _checked_stream(tokens, least, vocab_size):
    """The stream, which must have `least` tokens or more, all below vocab_size."""
    tokens = require.token_stream(tokens, require.positive_integer("vocab_size", vocab_size))
    if len(tokens) < least:
        raise ValueError(f"the token stream must have {least} tokens or more; got {len(tokens)}")
    return tokens.astype(np.int64) if tokens.dtype == np.uint64 else tokens  # int64 + uint64 would be a float
