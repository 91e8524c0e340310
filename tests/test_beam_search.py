from itertools import product

import models
import numpy as np
import pytest
from translation_examples import MASK, N, random_batch, random_model

from numpylm.activations import log_softmax
from numpylm.beam_search import beam_search, continue_prompt, translate

START, END, LENGTH = 1, 2, 3
LANGUAGE_MODEL = models.random_model("lstm", 4, 3, 5, scale=1.0)


def all_hypotheses(log_probability, vocab_size, penalty):
    """Every sequence of at most LENGTH tokens that ends with END or has LENGTH tokens, the highest score first."""
    found = []
    for length in range(1, LENGTH + 1):
        for tokens in product(range(vocab_size), repeat=length):
            if END not in tokens[:-1] and (tokens[-1] == END or length == LENGTH):
                log_p = log_probability(tokens)
                found.append((log_p / ((5 + length) / 6) ** penalty, tokens))
    return sorted(found, reverse=True)


def language_model_log_probability(model, prompt):
    def log_probability(tokens):
        stream = np.array([*prompt, *tokens])
        log_y = log_softmax(model.forward(stream[:-1, None]).logits[:, 0])
        return sum(log_y[len(prompt) - 1 + i, token] for i, token in enumerate(tokens))

    return log_probability


@pytest.mark.parametrize("penalty", [0.0, 1.0])
def test_width_of_v_to_the_t_is_exhaustive_search(penalty):
    model, prompt = LANGUAGE_MODEL, [3, 0]
    found = continue_prompt(model, prompt, END, LENGTH, width=4**LENGTH, length_penalty=penalty, n_best=4**LENGTH)
    expected = all_hypotheses(language_model_log_probability(model, prompt), 4, penalty)
    assert len(found) == len(expected) == 3**3 + 1 + 3 + 9
    for hypothesis, (score, tokens) in zip(found, expected, strict=True):
        assert (*hypothesis.tokens, *([END] if hypothesis.is_complete else [])) == tokens
        assert hypothesis.score == pytest.approx(score, rel=1e-12)


def test_width_of_v_to_the_t_is_exhaustive_search_for_every_sentence_of_a_translation():
    model = random_model(1, attention="additive")
    source, _, _ = random_batch(1)
    found = translate(model, source, START, END, MASK, LENGTH, width=5**LENGTH, n_best=3)

    for n in range(N):

        def log_probability(tokens, n=n):
            inputs = np.array([START, *tokens[:-1]])[:, None]
            logits = model.forward(source[:, [n]], inputs, MASK[:, [n]]).logits[:, 0]
            return log_softmax(logits)[np.arange(len(tokens)), list(tokens)].sum()

        expected = all_hypotheses(log_probability, 5, 1.0)[:3]
        assert [h.score for h in found[n]] == pytest.approx([score for score, _ in expected], rel=1e-12)


@pytest.mark.parametrize("attention", ["none", "dot"])
def test_width_1_is_greedy(attention):
    model = random_model(2, attention=attention)
    source, _, _ = random_batch(2)
    found = translate(model, source, START, END, MASK, 6, width=1)
    for n in range(N):
        tokens = [START]
        while len(tokens) < 7 and tokens[-1] != END:
            logits = model.forward(source[:, [n]], np.array(tokens)[:, None], MASK[:, [n]]).logits
            tokens.append(int(logits[-1, 0].argmax()))
        assert found[n][0].tokens == [token for token in tokens[1:] if token != END]
        assert found[n][0].is_complete == (tokens[-1] == END)


def test_without_an_end_every_hypothesis_has_the_length_asked_for():
    found = continue_prompt(LANGUAGE_MODEL, [1], None, 5, width=3, n_best=3)
    assert [len(hypothesis.tokens) for hypothesis in found] == [5, 5, 5]
    assert found[0].score >= found[1].score >= found[2].score


def test_a_sentence_is_done_when_as_many_hypotheses_are_complete_as_the_beam_is_wide():
    steps = []

    def advance(tokens, state):
        steps.append(tokens)
        return np.log([[0.6, 1e-9, 0.4]] * len(tokens)), state

    ((first, second),) = beam_search(advance, (), [START], END, 10, width=2, length_penalty=0.0, n_best=2)
    assert (first.tokens, second.tokens, len(steps)) == ([], [0], 2)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"width": 0}, "width must be a positive integer"),
        ({"n_best": 6}, "a beam of width 5 finds at most 5 hypotheses; got n_best=6"),
        ({"length_penalty": -1}, r"length_penalty must lie in 0\.\.10; got -1"),
    ],
)
def test_wrong_searches_are_named(wrong, message):
    with pytest.raises(ValueError, match=message):
        continue_prompt(LANGUAGE_MODEL, [0], END, 5, **wrong)
