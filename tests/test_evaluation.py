"""Evaluation against a loop that reads one token at a time and computes in plain Python."""

import math
import tracemalloc
from itertools import pairwise

import numpy as np
import pytest
from gradient_proofs import read_only
from hypothesis import given, settings
from hypothesis import strategies as st
from models import every_model, random_model

from numpylm import LSTMLM, evaluate, evaluation, perplexity, surprisals
from numpylm.evaluation import Evaluation, safe_exp

V = 7
MODEL = random_model("lstm", V, 4, 5, scale=1)  # far from uniform, it leans on its state


def stream(size, seed=1):
    return np.random.default_rng(seed).integers(0, V, size)


def naive(model, tokens):
    """(surprisals in nats, whether the guess was right), one token at a time."""
    nats, right, state = [], [], None
    for token, following in pairwise(tokens):
        out = model.forward(np.array([[token]]), state)
        state = out.state
        logits = out.logits[0, 0].tolist()
        nats.append(math.log(math.fsum(math.exp(a) for a in logits)) - logits[following])
        right.append(logits.index(max(logits)) == following)
    return nats, right


@every_model
def test_perplexity_is_e_to_the_mean_surprisal_token_by_token(kind):
    model, tokens = random_model(kind, V, 4, 5, scale=0.4, num_layers=2, dropout=0.5), stream(60)  # no value is dropped
    nats, right = naive(model, tokens)
    result = evaluate(model, tokens)
    assert perplexity(model, tokens) == result.perplexity == pytest.approx(math.exp(sum(nats) / 59), rel=1e-12)
    assert result.num_tokens == 59 and result.num_correct == sum(right) and 0 < sum(right) < 59
    assert result.total_nats == pytest.approx(sum(nats), rel=1e-12)
    assert result.loss == pytest.approx(sum(nats) / 59, rel=1e-12)
    assert result.bits_per_token == pytest.approx(sum(nats) / 59 / math.log(2), rel=1e-12)
    assert result.accuracy == sum(right) / 59
    np.testing.assert_allclose(surprisals(model, tokens), nats, rtol=1e-11)


@settings(max_examples=25)
@given(st.integers(2, 40), st.integers(1, 5000))
def test_the_size_of_the_windows_does_not_matter(size, values):
    """The state is carried from window to window: one row at a time gives what one window gives."""
    tokens = stream(size)
    whole, whole_nats = evaluate(MODEL, tokens), surprisals(MODEL, tokens)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluation, "WINDOW_VALUES", values)
        result, nats = evaluate(MODEL, tokens), surprisals(MODEL, tokens)
    assert (result.num_tokens, result.num_correct) == (whole.num_tokens, whole.num_correct)
    assert nats.shape == (size - 1,) and result.total_nats == pytest.approx(whole.total_nats, rel=1e-12)
    np.testing.assert_allclose(nats, whole_nats, rtol=1e-11)


@settings(max_examples=25)
@given(st.integers(1, 6), st.integers(0, 40), st.sampled_from([np.uint8, np.uint16, np.int32, np.uint64]))
def test_a_batch_is_the_parts_of_the_stream_each_read_from_a_zero_state(batch_size, more, dtype):
    tokens = read_only(stream(batch_size + 1 + more).astype(dtype))
    L = (len(tokens) - 1) // batch_size
    parts = [evaluate(MODEL, tokens[n * L : (n + 1) * L + 1]) for n in range(batch_size)]
    result = evaluate(MODEL, tokens, batch_size)
    assert result.num_tokens == batch_size * L == sum(part.num_tokens for part in parts)
    assert result.num_correct == sum(part.num_correct for part in parts)
    assert result.total_nats == pytest.approx(sum(part.total_nats for part in parts), rel=1e-12)
    assert perplexity(MODEL, tokens, batch_size) == result.perplexity


def test_float32_nats_are_added_up_in_double():
    """A hundred thousand equal surprisals: their sum is no further from the product than each one's own rounding."""
    model = LSTMLM(3, 1, 1)
    for array in model.parameters().values():
        array[...] = 0
    tokens = np.zeros(100_001, np.uint8)
    one = float(surprisals(model, tokens[:2])[0])
    assert evaluate(model, tokens, batch_size=100).total_nats == pytest.approx(100_000 * one, rel=1e-12)


@pytest.mark.parametrize(("sizes", "batch_size"), [((65, 64, 64), 1), ((5, 2, 128), 8), ((2000, 16, 16), 8)])
def test_memory_stays_near_what_a_window_may_have_however_long_the_stream(monkeypatch, sizes, batch_size):
    """Neither the logits nor the trace of a whole stream are held at once: not where V, not where H is large."""
    monkeypatch.setattr(evaluation, "WINDOW_VALUES", 2**17)
    model = LSTMLM(*sizes, num_layers=2)
    num_steps = evaluation.steps_at_a_time(model.sizes, batch_size)
    assert num_steps > 2 and evaluation.steps_at_a_time(model.sizes, 10**9) == 1
    tokens = np.zeros(batch_size * 4 * num_steps + 1, np.uint16)
    tracemalloc.start()
    try:
        evaluate(model, tokens, batch_size)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert 0.2 < peak / (4 * 2**17) < 4


@pytest.mark.parametrize("use", [evaluate, perplexity, surprisals])
@pytest.mark.parametrize(
    ("tokens", "error", "message"),
    [
        ([0, 1, V], ValueError, r"tokens must lie in 0..6 for a vocabulary of V = 7; got values in 0..7"),
        ([3], ValueError, "need at least 2 tokens"),
    ],
)
def test_tokens_that_cannot_be_read_are_refused(use, tokens, error, message):
    with pytest.raises(error, match=message):
        use(MODEL, tokens)


def test_perplexity_overflows_to_infinity_and_nan_stays_nan():
    assert safe_exp(709.5) == math.exp(709.5)
    assert safe_exp(710.0) == safe_exp(math.inf) == Evaluation(2000.0, 2, 0).perplexity == math.inf
    assert math.isnan(safe_exp(math.nan)) and math.isnan(Evaluation(math.nan, 2, 0).perplexity)
