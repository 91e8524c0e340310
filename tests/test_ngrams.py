"""N-gram baselines against hand calculation, a slow reference, and the laws of probability."""

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numpylm.data import ngrams
from numpylm.data.ngrams import (
    baseline_perplexities,
    fit_ngrams,
    mean_surprisal,
    modified_discounts,
    token_log_probabilities,
)


def markov_stream(length: int, vocab_size: int, seed: int) -> np.ndarray:
    """Tokens drawn from a random bigram model with a few likely successors of each token."""
    rng = np.random.default_rng(seed)
    transitions = rng.dirichlet(np.full(vocab_size, 0.2), vocab_size)
    tokens = [0]
    for _ in range(length - 1):
        tokens.append(rng.choice(vocab_size, p=transitions[tokens[-1]]))
    return np.array(tokens)


def next_token_distribution(model, context) -> np.ndarray:
    """p(w | context) for every w, shape (V,), by asking for each stream context + [w]."""
    streams = [[*context, token] for token in range(model.vocab_size)]
    return np.exp([token_log_probabilities(model, stream)[-1] for stream in streams])


def perplexity(model, tokens) -> float:
    return float(np.exp(-token_log_probabilities(model, tokens).mean()))


class SlowKneserNey:
    """Equations (1) to (4) word for word, with dictionaries of tuples."""

    def __init__(self, tokens, order, vocab_size):
        self.order, self.vocab_size = order, vocab_size
        self.counts = [defaultdict(int) for _ in range(order + 1)]
        grams = [[tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1)] for n in range(order + 1)]
        for gram in grams[order]:
            self.counts[order][gram] += 1
        for n in range(1, order):
            for gram in set(grams[n + 1]):
                self.counts[n][gram[1:]] += 1

    def discount(self, n, count):
        n_k = [sum(c == k for c in self.counts[n].values()) for k in range(5)]
        if 0 in n_k[1:]:
            discounts = [0, 0.5, 1.0, 1.5]
        else:
            y = n_k[1] / (n_k[1] + 2 * n_k[2])
            discounts = [0] + [k - (k + 1) * y * n_k[k + 1] / n_k[k] for k in (1, 2, 3)]
            if min(discounts[1:]) <= 0:
                discounts = [0, 0.5, 1.0, 1.5]
        return discounts[min(count, 3)]

    def probability(self, context, token):
        n = len(context) + 1
        lower = self.probability(context[1:], token) if n > 1 else 1 / self.vocab_size
        following = [self.counts[n].get((*context, w), 0) for w in range(self.vocab_size)]
        if sum(following) == 0:
            return lower
        count = following[token]
        kept = max(count - self.discount(n, count), 0)
        reserved = sum(self.discount(n, c) for c in following)
        return (kept + reserved * lower) / sum(following)


# Values


def test_a_bigram_model_by_hand():
    # Each token comes after just one other, so the lower order is uniform: 1/3 each.
    # After 0: 1 twice, 2 once. (2 - 1)/3 and (1 - 1/2)/3, and half of the mass for the lower order.
    model = fit_ngrams([0, 1, 0, 1, 0, 2], order=2, vocab_size=3)
    assert next_token_distribution(model, [0]) == pytest.approx([1 / 6, 1 / 2, 1 / 3])
    assert next_token_distribution(model, [1]) == pytest.approx([2 / 3, 1 / 6, 1 / 6])
    assert next_token_distribution(model, [2]) == pytest.approx([1 / 3, 1 / 3, 1 / 3])


def test_discounts_by_hand_and_where_the_formula_fails():
    counts = np.repeat([1, 2, 3, 4, 9], [8, 4, 2, 1, 5])  # Y = 8/16
    assert modified_discounts(counts) == pytest.approx([0.5, 1.25, 2.0])
    for counts in ([], [1, 1, 2, 3], [5, 6, 7], [1, 1, 1, 1, 2, 3, *[4] * 10]):
        assert modified_discounts(np.array(counts)).tolist() == [0.5, 1.0, 1.5]


@pytest.mark.parametrize("order", [1, 2, 3, 5])
@pytest.mark.parametrize("length", [5, 30, 400])
def test_agrees_with_a_slow_model_of_dictionaries(order, length):
    train = markov_stream(length, 6, seed=1).tolist()
    test = [*markov_stream(30, 6, seed=1).tolist(), *np.random.default_rng(2).integers(0, 6, 30).tolist()]
    slow = SlowKneserNey(train, order, 6)
    expected = [slow.probability(tuple(test[max(0, t - order + 1) : t]), test[t]) for t in range(1, len(test))]
    fast = np.exp(token_log_probabilities(fit_ngrams(train, order, 6), test))
    np.testing.assert_allclose(fast, expected, rtol=1e-12)


# Laws


@pytest.mark.parametrize("order", [1, 2, 5])
@settings(deadline=None, max_examples=30)
@given(data=st.data())
def test_the_distribution_after_any_context_sums_to_one(order, data):
    tokens = st.integers(0, 6)
    train = data.draw(st.lists(tokens, min_size=5, max_size=60))
    context = data.draw(st.lists(tokens, min_size=1, max_size=7))
    start = data.draw(st.integers(0, len(train) - 1))
    model = fit_ngrams(train, order, vocab_size=8)  # token 7 is never seen
    for some_context in (context, train[start : start + 4], train[-4:]):
        distribution = next_token_distribution(model, some_context)
        assert abs(distribution.sum() - 1) < 1e-12
        assert distribution.min() > 0


# Baselines


def test_baselines_come_in_the_order_of_their_strength_on_markov_text():
    stream = markov_stream(20_000, 12, seed=6)
    perplexities = baseline_perplexities(stream[:18_000], stream[18_000:], 12)
    assert list(perplexities) == ["uniform", "unigram", "bigram", "5-gram"]
    assert perplexities["uniform"] == 12
    assert perplexities["bigram"] < 0.7 * perplexities["unigram"] < 0.7 * perplexities["uniform"]
    assert perplexities["5-gram"] < 1.1 * perplexities["bigram"]
    assert perplexities["bigram"] == perplexity(fit_ngrams(stream[:18_000], 2, 12), stream[18_000:])


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.uint64])
def test_any_integer_type_gives_the_same(dtype):
    stream = markov_stream(1000, 200, seed=8)
    expected = baseline_perplexities(stream, stream, 200)
    assert baseline_perplexities(stream.astype(dtype), stream.astype(dtype), np.array(200, dtype)[()]) == expected


# Streams that are too long to be sorted, or to be looked up at once


@pytest.mark.parametrize("order", [1, 2, 5])
@pytest.mark.parametrize("block", [1, 3, 100])
def test_a_stream_looked_up_block_by_block_has_the_same_mean(monkeypatch, order, block):
    monkeypatch.setattr(ngrams, "BLOCK_TOKENS", block)
    model = fit_ngrams(markov_stream(400, 6, seed=12), order, 6)
    for length in (2, 3, 6, 60):
        tokens = markov_stream(length, 6, seed=13)
        assert mean_surprisal(model, tokens) == pytest.approx(-token_log_probabilities(model, tokens).mean(), rel=1e-12)


def test_of_a_longer_stream_the_beginning_is_counted_and_the_names_say_so():
    stream, test = markov_stream(3000, 12, seed=14), markov_stream(300, 12, seed=15)
    short = baseline_perplexities(stream, test, 12, most_tokens=1000)
    names = ["uniform", *(f"{name} of the first 1,000" for name in ("unigram", "bigram", "5-gram"))]
    assert list(short) == names
    assert list(short.values()) == list(baseline_perplexities(stream[:1000], test, 12).values())
    assert short[names[-1]] != baseline_perplexities(stream, test, 12, most_tokens=3000)["5-gram"]


@pytest.mark.parametrize(
    ("tokens", "order", "vocab_size", "error", "message"),
    [
        ([1], 2, 3, ValueError, "must have 2 tokens or more; got 1"),
        ([[1, 2], [2, 1]], 2, 3, ValueError, r"must be a stream .*; got shape \(2, 2\)"),
        ([0.0, 1.0], 2, 3, TypeError, "must be integers"),
        ([0, 3], 2, 3, ValueError, "V = 3; got values in 0..3"),
        ([0, 0, 0], 0, 3, ValueError, "order must be"),
        ([0, 0, 0], 2, 0, ValueError, "vocab_size must be"),
    ],
)
def test_bad_streams_orders_and_vocabulary_sizes_are_refused(tokens, order, vocab_size, error, message):
    with pytest.raises(error, match=message):
        fit_ngrams(tokens, order, vocab_size)
    if order and vocab_size:
        with pytest.raises(error, match=message):
            token_log_probabilities(fit_ngrams([0, 1, 2], 2, 3), tokens)
