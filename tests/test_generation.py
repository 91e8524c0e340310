"""Generation: the right distribution to draw from, drawn from as it says, with the state carried."""

import math

import numpy as np
import pytest
from gradient_proofs import read_only

from numpylm import GRULM, LSTMLM, RNNLM, generate, generate_batch, generate_stream
from numpylm.generation import draw, next_token_distribution

V = 8
LOGITS = np.array([0.5, -1.0, 2.0, 0.0, 1.5, -0.5, 1.0, -2.0])
FAR_TAIL = 29.9  # a chi-square of 7 degrees of freedom is above it once in ten thousand times
FILTERS = [
    {"temperature": 0.5},
    {"temperature": 2.0},
    {"top_k": 3},
    {"top_p": 0.8},
    {"top_k": 4, "top_p": 0.7, "temperature": 1.3},
    {"top_k": V, "top_p": 1},
]


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


@pytest.mark.parametrize("make", [RNNLM, LSTMLM, GRULM])
@pytest.mark.parametrize(("num_layers", "temperature"), [(1, 0), (2, 0), (2, 4)])
def test_a_text_is_that_of_draws_over_the_whole_text_so_far(make, num_layers, temperature):
    """Before each token the whole text so far is read again, without a state that is carried."""
    model, rng = sharp_model(make, num_layers, np.float64), np.random.default_rng(1)
    text = [3, 1, 4]
    for _ in range(50):
        logits = model.forward(np.array(text)[:, None]).logits[-1, 0]
        y = np.exp((logits - logits.max()) / max(temperature, 1e-9))
        drawn = np.searchsorted(np.cumsum(y / y.sum()), rng.random(), side="right")
        text.append(int(np.argmax(logits)) if temperature == 0 else int(drawn))
    assert len(set(text)) > 3
    prompt = read_only(np.array([3, 1, 4], np.uint8))
    found = generate(model, prompt, 50, temperature, rng=np.random.default_rng(1))
    assert found.tolist() == text[3:] and found.dtype == int
    assert generate(model, prompt, 0).shape == (0,)


def test_a_seed_settles_the_text_another_gives_another_and_without_one_texts_differ():
    model = sharp_model()
    first, second, third = (generate(model, [1], 50, rng=np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert np.array_equal(first, second) and not np.array_equal(first, third)
    stream = generate_stream(model, [1], rng=np.random.default_rng(3))
    tokens = [next(stream) for _ in range(50)]
    assert tokens == first.tolist() and all(type(token) is int for token in tokens)
    uniform = constant_model(np.zeros(V))
    assert not np.array_equal(generate(uniform, [1], 60), generate(uniform, [1], 60))


def chi_square(counts, probabilities):
    """Of counts over the tokens that can come; those that cannot must not have."""
    possible = probabilities > 0
    assert not counts[~possible].any()
    expected = counts.sum() * probabilities[possible]
    return ((counts[possible] - expected) ** 2 / expected).sum()


def expected_distribution(temperature=1.0, top_k=None, top_p=None):
    """By the definitions, with loops."""
    weights = {token: math.exp(logit / temperature) for token, logit in enumerate(LOGITS)}
    order = sorted(weights, key=lambda token: -weights[token])[:top_k]
    if top_p is not None:
        total, kept = sum(weights[token] for token in order), []
        while sum(weights[token] for token in kept) < top_p * total and len(kept) < len(order):
            kept.append(order[len(kept)])
        order = kept
    total = sum(weights[token] for token in order)
    return np.array([weights[token] / total if token in order else 0.0 for token in range(V)])


@pytest.mark.parametrize("options", FILTERS)
def test_tokens_are_drawn_as_often_as_the_definitions_say(options):
    expected = expected_distribution(**options)
    y, rng = next_token_distribution(LOGITS, **options), np.random.default_rng(6)
    np.testing.assert_allclose(y, expected, rtol=1e-13)
    counts = np.bincount(draw(np.tile(y, (4000, 1)), rng.random(4000)), minlength=V)
    assert chi_square(counts, expected) < FAR_TAIL
    if options == {"temperature": 2.0}:
        assert chi_square(counts, expected_distribution(2.3)) > FAR_TAIL, "the test notices a small error"
    tokens = generate(constant_model(LOGITS), [0], 2000, rng=np.random.default_rng(6), **options)
    assert chi_square(np.bincount(tokens, minlength=V), expected) < FAR_TAIL


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


def test_excluded_tokens_are_never_drawn_and_the_others_keep_their_proportions():
    """A text of one character: <unk> is in the vocabulary, and training never saw it."""
    model = LSTMLM(5, 3, 4, seed=1, dtype=np.float64)
    model.parameters()["b_y"][:] = [9, 0, 1, 2, 0]
    for options in ({}, {"temperature": 0}, {"temperature": 50.0}, {"top_k": 1}, {"top_p": 0.9}):
        tokens = generate(model, [1], 200, rng=np.random.default_rng(2), exclude=[0, 4], **options)
        assert set(tokens) <= {1, 2, 3}
    drawn = generate(model, [1], 3000, rng=np.random.default_rng(3), exclude=[0, 4])
    assert 0.5 < np.mean(drawn == 3) < 0.8, "e² of e⁰ + e¹ + e², about"
    for wrong, message in (([5], "0..4"), ([-1], "0..4"), (range(5), "exclude leaves none of the V = 5 tokens")):
        with pytest.raises(ValueError, match=message):
            generate(model, [1], 1, exclude=wrong)


@pytest.mark.parametrize("make", [RNNLM, LSTMLM, GRULM])
@pytest.mark.parametrize(
    "options", [{"temperature": 4}, {"temperature": 6, "top_k": 6, "top_p": 0.9}, {"temperature": 0}]
)
def test_texts_drawn_together_are_those_drawn_alone(make, options):
    """Prompts of different lengths, one of them twice; each text has its generator, and ends at a stop token."""
    model, prompts = sharp_model(make, 2, np.float64), [[3, 1, 4], [1], [5, 2], [1]]
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
