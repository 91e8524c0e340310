"""Checks at the door: what passes comes back ready for use, all else is named in the message."""

import math

import numpy as np
import pytest

import numpylm as nlm
from numpylm import GRULM, LSTMLM, RNNLM
from numpylm.base import require

HUGE = 10**400  # an integer that no float can hold
NOT_NUMBERS = [None, "1", True, False, np.True_, [1], 1j, np.array([1.0])]


NUMBERS = [  # function, what passes, what is refused, and the message
    (require.positive_integer, (1, 7, np.int64(3), np.uint8(200), HUGE),
     (0, -1, 1.0, np.float64(2), math.nan, np.int32(0)), "size must be a positive integer; got"),
    (require.count, (0, 1, np.int64(3), HUGE), (-1, 0.0, math.nan), "size must be an integer, 0 or above; got"),
    (require.finite_number, (0, -3.5, np.float32(3e38), np.int64(1), 1e308, 10**300),
     (math.inf, -math.inf, math.nan, np.float32("inf"), HUGE, -HUGE), "size must be a finite number; got"),
    (require.positive_number, (1, 5e-324, np.float32(0.1)),
     (0, 0.0, -0.0, -1, np.float32(-1), math.inf, math.nan, HUGE), "size must be a finite number above 0; got"),
    (require.fraction, (0, 0.0, 0.5, np.float32(0.999), 1 - 2**-53),
     (1, 1.0, -0.001, math.nan, math.inf, HUGE), "size must be a number from 0 to below 1; got"),
]  # fmt: skip


@pytest.mark.parametrize(("function", "good", "bad", "message"), NUMBERS, ids=[row[0].__name__ for row in NUMBERS])
def test_numbers_are_numbers_and_in_their_range(function, good, bad, message):
    for number in good:
        assert function("size", number) is number
    for wrong in (*NOT_NUMBERS, *bad):
        with pytest.raises(ValueError, match=message):
            function("size", wrong)


def test_booleans_and_choices_are_nothing_else():
    for good in (True, False, np.True_):
        assert require.boolean("size", good) is good
    for wrong in (0, 1, None, "True", [], np.array([True])):
        with pytest.raises(ValueError, match="size must be True or False; got"):
            require.boolean("size", wrong)
    for choices in (("a", "b"), {"a": 0, "b": 1}):
        assert require.one_of("kind", "b", choices) == "b"
        for wrong in ("c", "", None, 1, ["a"], {"a": 1}, ("a", "b")):
            with pytest.raises(ValueError, match="kind must be one of a, b; got"):
                require.one_of("kind", wrong, choices)


@pytest.mark.parametrize("good", [np.float32, "float64", np.complex128, float, complex, np.dtype("float32")])
def test_the_three_float_dtypes_pass(good):
    assert require.float_dtype(good) == np.dtype(good) and isinstance(require.float_dtype(good), np.dtype)


@pytest.mark.parametrize("wrong", [np.float16, np.complex64, np.longdouble, int, bool, object, "U3", np.dtype(">f4")])
def test_other_dtypes_are_refused_at_once_and_not_when_they_cannot_be_saved(wrong):
    with pytest.raises(ValueError, match="dtype must be float32 to train, float64 or complex128 to check gradients"):
        require.float_dtype(wrong)
    with pytest.raises(ValueError, match="dtype must be"):
        LSTMLM(3, 2, 2, dtype=wrong)
    with pytest.raises(ValueError, match="dtype must be"):
        LSTMLM(3, 2, 2).astype(wrong)


@pytest.mark.parametrize("dtype", [np.int64, np.uint8, np.int32, np.uint64])
def test_arrays_of_integers_pass_without_being_copied(dtype):
    values = np.arange(6, dtype=dtype)
    assert require.integer_array("tokens", values) is values
    assert require.token_stream(values, 6) is values
    assert require.one_dimensional("tokens", values) is values
    assert require.tokens(values.reshape(3, 2), 6).dtype == dtype
    assert require.integer_array("tokens", [1, 2]).tolist() == [1, 2]


@pytest.mark.parametrize(
    ("function", "shapes", "message"),
    [
        (require.tokens, [(3,), (3, 0), (0, 3), (2, 2, 2)], r"be of shape \(T, N\), time first, .* >= 1; got shape \("),
        (require.token_stream, [(3, 1), (0,), ()], r"be a stream of shape .*, not empty; got shape \("),
        (lambda q, V: require.one_dimensional("tokens", q), [(3, 1), ()], r"\(number of tokens,\); got shape"),
    ],
)
def test_tokens_have_two_dimensions_and_streams_one(function, shapes, message):
    for shape in shapes:
        with pytest.raises(ValueError, match=message):
            function(np.zeros(shape, int), 5)


@pytest.mark.parametrize("wrong", [-1, 5, 2**62])
def test_ids_out_of_range_are_told_with_v(wrong):
    message = f"tokens must lie in 0..4 for a vocabulary of V = 5; got values in {min(0, wrong)}..{max(0, wrong)}"
    with pytest.raises(ValueError, match=message):
        require.tokens(np.array([[0], [wrong]]), 5)
    with pytest.raises(ValueError, match=message):
        require.token_stream(np.array([0, wrong]), 5)
    assert require.tokens(np.array([[0], [4]]), 5).tolist() == [[0], [4]]


def test_targets_may_be_minus_one_and_have_the_inputs_shape():
    assert require.targets([[-1, 4]], (1, 2), 5).tolist() == [[-1, 4]]
    for wrong in ([[-2, 0]], [[0, 5]]):
        with pytest.raises(ValueError, match=r"targets must lie in -1..4 for a vocabulary of V = 5"):
            require.targets(wrong, (1, 2), 5)
    with pytest.raises(ValueError, match=r"shape of the inputs, \(T, N\) = \(1, 2\); got \(2, 1\)"):
        require.targets([[0], [1]], (1, 2), 5)
    with pytest.raises(TypeError, match="targets must be integers"):
        require.targets([[0.0, 1.0]], (1, 2), 5)


def test_masks_are_booleans_of_the_tokens_shape():
    assert require.mask(None, (1, 2)) is None
    assert require.mask([[True, False]], (1, 2)).dtype == bool
    for wrong in ([[1, 0]], [[True], [False]], [True, False], "ab", [[1.0, 0.0]]):
        with pytest.raises(ValueError, match=r"mask must be booleans of the tokens' shape \(T, N\) = \(1, 2\); got"):
            require.mask(wrong, (1, 2))


STATES = [make(5, 3, 4, num_layers=2).initial_state(2) for make in (RNNLM, LSTMLM, GRULM)]


def test_a_float32_state_is_taken_up_by_a_float64_model_but_not_the_other_way():
    single, double = (LSTMLM(5, 3, 4, dtype=dtype).initial_state(2) for dtype in (np.float32, np.float64))
    assert require.state(single, double)[0].c.dtype == np.float64
    with pytest.raises(ValueError, match=r"state\[0\].h must be of the model's dtype float32; got float64"):
        require.state(double, single)


def test_states_of_another_model_or_batch_are_refused():
    rnn, lstm, gru = STATES
    layer = lstm[0]
    for wrong, message in [
        (None, "state must be a tuple of L = 2 layers"),
        (list(lstm), "state must be a tuple of L = 2 layers"),
        (lstm[:1], "state must be a tuple of L = 2 layers"),
        ((layer, layer, layer), "state must be a tuple of L = 2 layers"),
        (layer, r"state\[0\] must be a LSTMState; got a ndarray"),  # the record of one layer is itself a pair
        (gru, r"state\[0\] must be a LSTMState; got a GRUState"),
        ((layer, rnn[0]), r"state\[1\] must be a LSTMState; got a RNNState"),
        ((layer, tuple(layer)), r"state\[1\] must be a LSTMState; got a tuple"),
        ((layer, layer._replace(c=layer.c[:1])), r"state\[1\].c must be of shape \(N, H\) = \(2, 4\); got \(1, 4\)"),
        ((layer, layer._replace(h=None)), r"state\[1\].h must be of shape \(N, H\) = \(2, 4\); got \(\)"),
        ((layer._replace(h=layer.h + 1j), layer), r"state\[0\].h must be of the model's dtype float32; got complex"),
    ]:
        with pytest.raises(ValueError, match=message):
            require.state(wrong, lstm)


SENTENCE = np.array([[1], [2]])
NO_MODELS = [None, "runs/lstm", LSTMLM, nlm.EncoderDecoder(4, 4, 2, 2), nlm.Checkpoint(LSTMLM(4, 2, 2), None, None)]


@pytest.mark.parametrize("wrong", NO_MODELS, ids=lambda wrong: type(wrong).__name__)
def test_what_is_no_language_model_is_told_by_every_function_that_uses_one(wrong):
    for call in (
        lambda: nlm.generate(wrong, [1], 2),
        lambda: nlm.generate_batch(wrong, [[1]], 2),
        lambda: nlm.generate_stream(wrong, [1]),
        lambda: nlm.continue_prompt(wrong, [1]),
        lambda: nlm.perplexity(wrong, [1, 2]),
        lambda: nlm.surprisals(wrong, [1, 2]),
        lambda: nlm.load_torch_state_dict(wrong, {}),
    ):
        with pytest.raises(TypeError, match="model must be a language model such as"):
            call()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda model: nlm.generate_batch(model, 5, 2), "prompts must be a list; got int"),
        (lambda model: nlm.generate_batch(model, [[1]], 2, rngs=5), "rngs must be a list; got int"),
        (lambda model: nlm.generate(model, [1], 2, exclude=[1.5]), "tokens must be integers; got an array of float64"),
        (lambda model: nlm.generate(model, [1], 2, stop=np.ma.array([1, 2], mask=[0, 1])), "a masked array"),
        (lambda model: nlm.decode(nlm.build_vocabulary("ab", "char"), np.ma.array([1], mask=[1])), "a masked array"),
        (lambda model: nlm.decode(["a"], [0]), "vocabulary must be one of build_vocabulary; got list of 1"),
        (lambda model: nlm.pad_sequences(None), "sequences must be a list; got NoneType"),
        (lambda model: nlm.continue_prompt(model, [1], end=4), "end must be a token id in 0..3; got 4"),
        (lambda model: nlm.translate(NO_MODELS[3], SENTENCE, -1, 2), "start must be a token id in 0..3; got -1"),
        (lambda model: nlm.translate(model, SENTENCE, 1, 2), "model must be an encoder-decoder; got LSTMLM"),
        (lambda model: nlm.to_torch_state_dict("runs/lstm"), r"model must be a language model such as .*; got str"),
        (lambda model: nlm.evaluate(model, [1, 2], None), "batch_size must be a positive integer; got None"),
        (lambda model: nlm.save_checkpoint("new.npz", None), "model must be a model such as"),
        (lambda model: nlm.central_difference(None, [1.0]), "x must be a NumPy array, which f reads"),
    ],
)
def test_a_value_of_the_wrong_kind_is_told_by_its_name(call, message):
    with pytest.raises((TypeError, ValueError), match=message):
        call(LSTMLM(4, 2, 2))
