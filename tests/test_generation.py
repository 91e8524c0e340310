"""Generation: the right distribution to draw from, drawn from as it says, with the state carried."""

import math

import numpy as np
import pytest
from gradient_proofs import read_only
from models import random_model

from numpylm import LSTMLM, generate, generate_batch, generate_stream
from numpylm.generation import draw, next_token_distribution

V = 8
LOGITS = np.array([0.5, -1.0, 2.0, 0.0, 1.5, -0.5, 1.0, -2.0])
FILTERS = [
    {"temperature": 0},
    {"temperature": 2.0},
    {"top_k": 3},
    {"top_p": 0.8},
    {"top_k": 6, "top_p": 0.7, "temperature": 4},
    {"top_k": V, "top_p": 1},
]
every_kind = pytest.mark.parametrize("kind", ["tanh", "lstm", "gru"])


def sharp_model(kind="lstm"):
    """A model whose next token depends on all the tokens before; with this seed no text repeats a single token."""
    return random_model(kind, V, 5, 6, num_layers=2, scale=1.5, seed=27)


def constant_model(logits):
    """A model that gives the same logits whatever came before."""
    model = LSTMLM(len(logits), 2, 2)
    model.parameters()["W_hy"][...] = 0
    model.parameters()["b_y"][...] = logits
    return model


def by_definition(logits, temperature=1.0, top_k=None, top_p=None):
    """The distribution, by the definitions, with loops."""
    weights = {token: math.exp((logit - max(logits)) / (temperature or 1e-3)) for token, logit in enumerate(logits)}
    order = sorted(weights, key=lambda token: -weights[token])[:top_k]
    if top_p is not None:
        total, kept = sum(weights[token] for token in order), []
        while sum(weights[token] for token in kept) < top_p * total and len(kept) < len(order):
            kept.append(order[len(kept)])
        order = kept
    total = sum(weights[token] for token in order)
    return np.array([weights[token] / total if token in order else 0.0 for token in range(len(logits))])


@pytest.mark.parametrize("options", FILTERS)
def test_the_distribution_is_that_of_the_definitions(options):
    found = next_token_distribution(np.stack([LOGITS, LOGITS[::-1]]), **options)
    np.testing.assert_allclose(found[0], by_definition(LOGITS, **options), rtol=1e-13, atol=1e-200)
    np.testing.assert_allclose(found[1], found[0][::-1], rtol=1e-13)


@every_kind
@pytest.mark.parametrize("options", [{"temperature": 0}, {"temperature": 4}, FILTERS[4], {"exclude": [6, 1]}])
def test_a_text_is_that_of_draws_over_the_whole_text_so_far(kind, options):
    """Before each token the whole text so far is read again, without a state that is carried."""
    model, rng, text = sharp_model(kind), np.random.default_rng(1), [3, 1, 4]
    filters = {name: value for name, value in options.items() if name != "exclude"}
    for _ in range(50):
        logits = model.forward(np.array(text)[:, None]).logits[-1, 0]
        logits[options.get("exclude", [])] = -np.inf
        y = by_definition(logits, **filters)
        text.append(int(np.searchsorted(np.cumsum(y), rng.random(), side="right")))
    assert len(set(text)) > 3
    prompt = read_only(np.array([3, 1, 4], np.uint8))
    found = generate(model, prompt, 50, rng=np.random.default_rng(1), **options)
    assert found.tolist() == text[3:] and found.dtype == int
    stream = generate_stream(model, prompt, rng=np.random.default_rng(1), **options)
    tokens = [next(stream) for _ in range(50)]
    assert tokens == text[3:] and all(type(token) is int for token in tokens)


def test_another_seed_gives_another_text_and_without_one_texts_differ():
    model = constant_model(np.zeros(V))
    texts = [generate(model, [1], 60, rng=rng).tolist() for rng in (*generators(2), None, None)]
    assert len(set(map(tuple, texts))) == 4


def test_draw_follows_the_running_sums():
    y = np.array([0.0, 0.25, 0.0, 0.5, 0.25, 0.0])
    nearly_one = 1 - 2**-53  # the largest number that Generator.random returns
    u = np.array([0.0, 0.2499, 0.25, 0.7499, 0.75, nearly_one])
    assert draw(np.tile(y, (6, 1)), u).tolist() == [1, 1, 3, 3, 4, 4]
    for size in (3, 1000):
        y = np.full((1, size), 1 / size)
        for row in (y, np.append(y, [[0]], axis=1)):
            assert draw(row, np.array([nearly_one])) == [size - 1]


@pytest.mark.parametrize(
    ("logits", "options", "kept"),
    [
        ([1, 3, 3, 1, 3], {"top_k": 2}, [1, 2]),
        ([1, 3, 3, 1, 3], {"top_k": 4}, [0, 1, 2, 4]),
        ([1, 3, 3, 1, 3], {"temperature": 0}, [1]),
        ([1, 3, 2], {"temperature": 0, "top_k": 2, "top_p": 0.9}, [1]),
        ([1, 3, 2], {"temperature": np.float32(0)}, [1]),
        ([1, 3, 2], {"top_k": 1, "temperature": 1e30}, [1]),
        ([1, 3, 2], {"top_k": 1, "temperature": 1e-30}, [1]),
        ([1, 3, 2], {"top_p": 1e-300, "temperature": 3}, [1]),
        ([0, 0, 0, 0], {"top_p": 0.5}, [0, 1]),
        ([0, 0, 0, 0], {"top_p": 0.51}, [0, 1, 2]),
        ([0, -40, -45], {"top_p": 1}, [0, 1, 2]),  # the first one's probability rounds to 1
        ([0, -math.inf, 0], {"temperature": 0.5, "top_k": 3, "top_p": 0.99}, [0, 2]),
        ([-1e30, 3, 1e30, 0], {"temperature": 5e-324}, [2]),
        ([-1e30, 3, 1e30, 0], {"temperature": 1e300}, [0, 1, 2, 3]),
    ],
)
def test_of_equals_the_lower_ids_are_kept_and_a_top_p_of_one_keeps_all(logits, options, kept):
    assert np.flatnonzero(next_token_distribution(np.array(logits, float), **options)).tolist() == kept


@pytest.mark.parametrize("bad", [math.nan, math.inf])
@pytest.mark.parametrize("temperature", [0, 1.0])
def test_a_model_that_has_diverged_generates_nothing(bad, temperature):
    with pytest.raises(ValueError, match="has the model diverged"):
        generate(constant_model([0.0, bad, 1.0]), [0], 1, temperature)


WRONG = [
    *({"temperature": value} for value in (-1, math.nan, math.inf, "1", True, None)),
    *({"top_k": value} for value in (0, V + 1, 2.0, True)),
    *({"top_p": value} for value in (0, 1.01, math.nan, "0.5")),
    *({"rng": value} for value in (0, np.random)),
    *({"num_tokens": value} for value in (-1, 1.5)),
    *({"prompt_tokens": value} for value in (np.zeros(0, int), [], [V], [-1], [[1]], 1, "ab", [True])),
]
MESSAGES = {
    "temperature": "temperature must be a finite number(, 0 or above)?; got",
    "top_k": r"top_k must be a positive integer|top_k must lie in 1..V = 8; got 9",
    "top_p": "0 < top_p <= 1; got",
    "rng": r"rng must be a numpy\.random\.Generator or None; got",
    "num_tokens": "num_tokens must be an integer, 0 or above",
    "prompt_tokens": r"tokens must be (integers|a stream)|must lie in 0\.\.7 for a vocabulary of V = 8",
}


@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_bad_arguments_are_refused_at_once(wrong):
    """Also where no token is asked for, and before the stream is read."""
    (name,) = wrong
    with pytest.raises((TypeError, ValueError), match=MESSAGES[name]):
        generate(sharp_model(), **{"num_tokens": 0, "prompt_tokens": [0], **wrong})
    if name != "num_tokens":
        with pytest.raises((TypeError, ValueError), match=MESSAGES[name]):
            generate_stream(sharp_model(), **{"prompt_tokens": [0], **wrong})


def test_excluded_tokens_are_never_drawn():
    """A text of one character: <unk> is in the vocabulary, and training never saw it."""
    model = constant_model([9, 0, 1, 2, 0])
    for options in ({}, {"temperature": 0}, {"temperature": 50.0}, {"top_k": 1}, {"top_p": 0.9}):
        tokens = generate(model, [1], 200, rng=np.random.default_rng(2), exclude=[0, 4], **options)
        assert set(tokens) <= {1, 2, 3}
    for wrong, message in (([5], "0..4"), ([-1], "0..4"), (range(5), "exclude leaves none of the V = 5 tokens")):
        with pytest.raises(ValueError, match=message):
            generate(model, [1], 1, exclude=wrong)


@every_kind
@pytest.mark.parametrize("options", [{"temperature": 0}, FILTERS[4]])
def test_texts_drawn_together_are_those_drawn_alone(kind, options):
    """Prompts of different lengths, one of them twice; each text has its generator, and ends at a stop token."""
    model, prompts = sharp_model(kind), [[3, 1, 4], [1], [5, 2], [1]]
    for stop in ((), [2, 7]):
        together = generate_batch(model, prompts, 40, rngs=generators(4), exclude=[6], stop=stop, **options)
        alone = [
            generate(model, prompt, 40, rng=rng, exclude=[6], stop=stop, **options)
            for prompt, rng in zip(prompts, generators(4), strict=True)
        ]
        assert [text.tolist() for text in together] == [text.tolist() for text in alone]
        assert options["temperature"] == 0 or together[1].tolist() != together[3].tolist()
        for text in together:
            assert len(text) == 40 or (stop and text[-1] in stop)
            assert not set(text[:-1]) & set(stop) and 6 not in text
    assert min(map(len, together)) < 40, "a text ends at a stop token"


def generators(K):
    return [np.random.default_rng(k) for k in range(K)]


def test_a_batch_needs_prompts_and_a_generator_for_each():
    model = sharp_model()
    for prompts, rngs, message in (
        ([], None, "one prompt or more"),
        ([[0], [1]], generators(1), "a generator for each of the K = 2 prompts; got 1"),
        ([[0], [V]], None, r"must lie in 0\.\.7"),
    ):
        with pytest.raises(ValueError, match=message):
            generate_batch(model, prompts, 3, rngs=rngs)
    with pytest.raises(ValueError, match=r"must lie in 0\.\.7"):
        generate(model, [0], 3, stop=[V])
    assert [text.tolist() for text in generate_batch(model, [[0], [1]], 0)] == [[], []]
