"""Generation: the right distribution to draw from, drawn from as it says, with the state carried."""

import math

import numpy as np
import pytest
from gradient_proofs import read_only
from hypothesis import given, settings
from hypothesis import strategies as st

from numpylm import GRULM, LSTMLM, RNNLM, generate, generate_stream
from numpylm.generation import draw, next_token_distribution

V = 8


def sharp_model(make=LSTMLM, num_layers=1, dtype=np.float32):
    """A model whose next token depends on all the tokens before."""
    model = make(V, 5, 6, num_layers=num_layers, dtype=dtype)
    rng = np.random.default_rng(27)  # a seed whose models repeat no single token
    for array in model.parameters().values():
        array[...] = 1.5 * rng.standard_normal(array.shape)
    return model


def constant_model(logits):
    """A model that gives the same logits whatever came before."""
    model = LSTMLM(len(logits), 2, 2)
    model.parameters()["W_hy"][...] = 0
    model.parameters()["b_y"][...] = logits
    return model


def rerun(model, prompt, num_tokens, choose):
    """Generation without carrying a state: before each token the whole text so far is read again."""
    text = list(prompt)
    for _ in range(num_tokens):
        text.append(choose(model.forward(np.array(text)[:, None]).logits[-1, 0]))
    return text[len(prompt) :]


every_model = pytest.mark.parametrize("make", [RNNLM, LSTMLM, GRULM])


@every_model
@pytest.mark.parametrize("num_layers", [1, 2])
def test_greedy_text_is_that_of_an_argmax_over_the_whole_text_so_far(make, num_layers):
    model = sharp_model(make, num_layers, np.float64)
    expected = rerun(model, [3, 1, 4], 40, lambda logits: int(np.argmax(logits)))
    assert len(set(expected)) > 1
    assert generate(model, [3, 1, 4], 40, temperature=0).tolist() == expected


@every_model
def test_sampled_text_is_that_of_draws_over_the_whole_text_so_far(make):
    model, rng = sharp_model(make, 2, np.float64), np.random.default_rng(1)

    def choose(logits):
        e = np.exp((logits - logits.max()) / 4)
        return int(np.searchsorted(np.cumsum(e / e.sum()), rng.random(), side="right"))

    expected = rerun(model, [2, 7], 60, choose)
    assert len(set(expected)) > 4
    assert generate(model, [2, 7], 60, temperature=4, rng=np.random.default_rng(1)).tolist() == expected


@pytest.mark.parametrize(
    "options",
    [
        {"top_k": 1},
        {"top_k": 1, "temperature": 1e30},
        {"top_k": 1, "temperature": 1e-30},
        {"top_p": 1e-9},
        {"top_p": 1e-300, "temperature": 3},
        {"temperature": 1e-30},
        {"temperature": 5e-324},
        {"temperature": 0, "top_k": 5, "top_p": 0.9},
        {"temperature": np.float32(0)},
    ],
)
def test_what_leaves_one_token_is_greedy(options):
    model = sharp_model()
    expected = generate(model, [0], 30, temperature=0)
    assert np.array_equal(generate(model, [0], 30, rng=np.random.default_rng(2), **options), expected)


def test_a_seed_settles_the_text_and_another_gives_another():
    model = sharp_model()
    first, second, third = (generate(model, [1], 50, rng=np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert np.array_equal(first, second) and not np.array_equal(first, third)


def test_without_a_generator_texts_differ():
    model = constant_model(np.zeros(V))
    assert not np.array_equal(generate(model, [1], 60), generate(model, [1], 60))


def test_the_stream_is_the_same_text_without_an_end():
    model = sharp_model()
    stream = generate_stream(model, [1], rng=np.random.default_rng(5))
    tokens = [next(stream) for _ in range(20)]
    assert all(type(token) is int for token in tokens)
    assert tokens == generate(model, [1], 20, rng=np.random.default_rng(5)).tolist()


@pytest.mark.parametrize("num_tokens", [0, 1, 7])
def test_the_result_is_a_row_of_integers(num_tokens):
    tokens = generate(sharp_model(), read_only(np.array([1, 2], np.uint8)), num_tokens)
    assert tokens.shape == (num_tokens,) and tokens.dtype == int
    assert ((tokens >= 0) & (tokens < V)).all()


def chi_square(counts, probabilities):
    """Of counts over the tokens that can come; those that cannot must not have."""
    possible = probabilities > 0
    assert not counts[~possible].any()
    expected = counts.sum() * probabilities[possible]
    return ((counts[possible] - expected) ** 2 / expected).sum()


LOGITS = np.array([0.5, -1.0, 2.0, 0.0, 1.5, -0.5, 1.0, -2.0])
FAR_TAIL = 29.9  # a chi-square of 7 degrees of freedom is above it once in ten thousand times


def expected_distribution(temperature=1.0, top_k=None, top_p=None):
    """By the definitions, with loops."""
    weights = {token: math.exp(logit / temperature) for token, logit in enumerate(LOGITS)}
    order = sorted(weights, key=lambda token: -weights[token])
    order = order[:top_k]
    if top_p is not None:
        total, kept, together = sum(weights[token] for token in order), [], 0.0
        for token in order:
            kept.append(token)
            together += weights[token] / total
            if together >= top_p:
                break
        order = kept
    total = sum(weights[token] for token in order)
    return np.array([weights[token] / total if token in order else 0.0 for token in range(V)])


FILTERS = [
    {},
    {"temperature": 0.5},
    {"temperature": 2.0},
    {"top_k": 3},
    {"top_p": 0.8},
    {"top_k": 4, "top_p": 0.7, "temperature": 1.3},
    {"top_k": V, "top_p": 1},
]


@pytest.mark.parametrize("options", FILTERS)
def test_the_distribution_is_the_definitions(options):
    y = next_token_distribution(LOGITS, **options)
    np.testing.assert_allclose(y, expected_distribution(**options), rtol=1e-13)
    assert y.sum() == pytest.approx(1, rel=1e-15)


def count_draws(options):
    y, rng = next_token_distribution(LOGITS, **options), np.random.default_rng(6)
    return np.bincount([draw(y, rng) for _ in range(4000)], minlength=V)


@pytest.mark.parametrize("options", FILTERS)
def test_tokens_are_drawn_as_often_as_the_distribution_says(options):
    assert chi_square(count_draws(options), expected_distribution(**options)) < FAR_TAIL


def test_the_chi_square_test_notices_a_temperature_that_is_a_little_off():
    assert chi_square(count_draws({"temperature": 1.15}), expected_distribution()) > FAR_TAIL


def test_a_generated_text_has_the_models_frequencies():
    options = {"temperature": 1.3, "top_k": 6, "top_p": 0.9}
    tokens = generate(constant_model(LOGITS), [0], 2000, rng=np.random.default_rng(6), **options)
    counts = np.bincount(tokens, minlength=V)
    assert chi_square(counts, expected_distribution(**options)) < FAR_TAIL
    assert np.count_nonzero(counts) == 5


def test_draw_follows_the_running_sums():
    class Fixed:
        def __init__(self, value):
            self.value = value

        def random(self):
            return self.value

    y = np.array([0.0, 0.25, 0.0, 0.5, 0.25, 0.0])
    nearly_one = 1 - 2**-53  # the largest number that Generator.random returns
    drawn = [draw(y, Fixed(u)) for u in (0.0, 0.2499, 0.25, 0.7499, 0.75, nearly_one)]
    assert drawn == [1, 1, 3, 3, 4, 4]
    for size in (3, 1000):
        y = np.full(size, 1 / size)
        assert draw(y, Fixed(nearly_one)) == size - 1 and draw(np.append(y, 0), Fixed(nearly_one)) == size - 1


def test_of_equals_the_lower_ids_are_kept():
    logits = np.array([1.0, 3.0, 3.0, 1.0, 3.0])
    assert np.flatnonzero(next_token_distribution(logits, top_k=2)).tolist() == [1, 2]
    assert np.flatnonzero(next_token_distribution(logits, top_k=4)).tolist() == [0, 1, 2, 4]
    assert np.flatnonzero(next_token_distribution(logits, temperature=0)).tolist() == [1]
    assert np.flatnonzero(next_token_distribution(np.zeros(4), top_p=0.5)).tolist() == [0, 1]
    assert np.flatnonzero(next_token_distribution(np.zeros(4), top_p=0.51)).tolist() == [0, 1, 2]


LOGIT_ROWS = st.lists(st.integers(-30, 30), min_size=1, max_size=12).map(lambda row: np.array(row, np.float32))


@settings(deadline=None, max_examples=100)
@given(LOGIT_ROWS, st.floats(0.05, 20), st.integers(1, 12), st.floats(1e-6, 1))
def test_filters_keep_the_most_probable_and_no_more_than_they_must(logits, temperature, top_k, top_p):
    full = next_token_distribution(logits, temperature)
    k = min(top_k, len(logits))
    by_k = next_token_distribution(logits, temperature, top_k=k)
    by_p = next_token_distribution(logits, temperature, top_p=top_p)
    assert np.count_nonzero(by_k) == min(k, np.count_nonzero(full))
    kept = np.flatnonzero(by_p)
    assert full[kept].sum() >= top_p * (1 - 1e-12)
    if len(kept) > 1:
        assert full[kept].sum() - full[kept].min() < top_p * (1 + 1e-12)
    for y in (by_k, by_p):
        left_out = np.flatnonzero(y == 0)
        assert full[left_out].max(initial=0) <= full[y > 0].min()
        np.testing.assert_allclose(y[y > 0], full[y > 0] / full[y > 0].sum(), rtol=1e-12)


def test_the_largest_filters_are_allowed_and_keep_every_token():
    model = sharp_model()
    texts = [
        generate(model, [0], 20, rng=np.random.default_rng(3), **options).tolist()
        for options in ({}, {"top_p": 1}, {"top_p": 1.0}, {"top_k": 8})
    ]
    assert texts[1:] == texts[:1] * 3


def test_a_top_p_of_one_keeps_even_what_rounding_would_lose():
    logits = np.array([0.0, -40.0, -45.0])  # the first one's probability rounds to 1
    assert np.count_nonzero(next_token_distribution(logits, top_p=1)) == 3


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("temperature", [5e-324, 1e-300, 1e-46, 1e-30, 1e30, 1e39, 1e300])
def test_extreme_temperatures_are_greedy_or_uniform_and_give_no_warning(dtype, temperature):
    logits = np.array([-1e30, 3.0, 1e30, 0.0], dtype)
    y = next_token_distribution(logits, temperature)
    if temperature < 1:
        assert y.tolist() == [0, 0, 1, 0]
    elif temperature > 1e35:
        np.testing.assert_allclose(y, 0.25, rtol=1e-4)
    near = next_token_distribution(np.array([1.0, 2.0], dtype), temperature)
    assert near.tolist() == ([0, 1] if temperature < 1 else [0.5, 0.5])


def test_a_logit_of_minus_infinity_is_never_drawn():
    y = next_token_distribution(np.array([0.0, -math.inf, 0.0]), 0.5, top_k=3, top_p=0.99)
    assert y.tolist() == [0.5, 0, 0.5]


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_model_that_has_diverged_generates_nothing(bad):
    model = constant_model([0.0, bad, 1.0])
    for temperature in (0, 1.0):
        with pytest.raises(ValueError, match="has the model diverged"):
            generate(model, [0], 1, temperature)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"temperature": -1}, ValueError, "temperature must be a finite number, 0 or above; got -1"),
        ({"temperature": math.nan}, ValueError, "temperature must be a finite number"),
        ({"temperature": math.inf}, ValueError, "temperature must be a finite number"),
        ({"temperature": "1"}, ValueError, "temperature must be a finite number"),
        ({"temperature": True}, ValueError, "temperature must be a finite number"),
        ({"temperature": None}, ValueError, "temperature must be a finite number"),
        ({"top_k": 0}, ValueError, "top_k must be a positive integer"),
        ({"top_k": 9}, ValueError, r"top_k must lie in 1..V = 8; got 9"),
        ({"top_k": 2.0}, ValueError, "top_k must be a positive integer"),
        ({"top_k": True}, ValueError, "top_k must be a positive integer"),
        ({"top_p": 0}, ValueError, "0 < top_p <= 1; got 0"),
        ({"top_p": 1.01}, ValueError, "0 < top_p <= 1"),
        ({"top_p": math.nan}, ValueError, "0 < top_p <= 1"),
        ({"top_p": "0.5"}, ValueError, "0 < top_p <= 1"),
        ({"rng": 0}, TypeError, "rng must be a numpy.random.Generator or None; got int"),
        ({"rng": np.random}, TypeError, "rng must be a numpy.random.Generator"),
        ({"num_tokens": -1}, ValueError, "num_tokens must be an integer, 0 or above"),
        ({"num_tokens": 1.5}, ValueError, "num_tokens must be an integer, 0 or above"),
        ({"prompt_tokens": np.zeros(0, int)}, ValueError, "not empty"),
        ({"prompt_tokens": []}, TypeError, "must be integers"),
        ({"prompt_tokens": [8]}, ValueError, r"must lie in 0..7 for a vocabulary of V = 8"),
        ({"prompt_tokens": [-1]}, ValueError, "got values in -1..-1"),
        ({"prompt_tokens": [[1]]}, ValueError, "must be a stream"),
        ({"prompt_tokens": 1}, ValueError, "must be a stream"),
        ({"prompt_tokens": "ab"}, TypeError, "must be integers"),
        ({"prompt_tokens": [True]}, TypeError, "must be integers"),
    ],
)
def test_bad_arguments_are_refused_at_once(options, error, message):
    """Also where no token is asked for, and before the stream is read."""
    arguments = {"prompt_tokens": [0], **options}
    with pytest.raises(error, match=message):
        generate(sharp_model(), **{"num_tokens": 0, **arguments})
    if "num_tokens" not in options:
        with pytest.raises(error, match=message):
            generate_stream(sharp_model(), **arguments)
