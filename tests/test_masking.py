"""Masks: each sequence of a padded batch gets exactly what it gets alone, forward and backward."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numpylm import GRULM, LSTMLM, RNNLM, central_difference, lengths_to_mask, pad_sequences
from numpylm.masking import freeze, freeze_backward

V, D, H = 4, 2, 3
LENGTHS = (4, 1, 6, 3)  # predictions in each sequence


def small_model(kind, num_layers, seed=0, **options):
    """A float64 model whose parameters, biases too, are all of order one."""
    make = {"tanh": RNNLM, "relu": RNNLM, "lstm": LSTMLM, "gru": GRULM}[kind]
    if kind == "relu":
        options["nonlinearity"] = "relu"
    model = make(V, D, H, num_layers=num_layers, dtype=np.float64, **options)
    rng = np.random.default_rng(seed)
    for array in model.parameters().values():
        array[...] = 0.6 * rng.standard_normal(array.shape)
    return model


def random_state(model, batch_size, seed=1):
    rng = np.random.default_rng(seed)
    return tuple(
        type(layer)(*[rng.standard_normal(array.shape) for array in layer]) for layer in model.initial_state(batch_size)
    )


def one_sequence(state, n):
    """The state of the n-th sequence alone."""
    return tuple(type(layer)(*[array[n : n + 1] for array in layer]) for layer in state)


def random_sequences(seed=2):
    rng = np.random.default_rng(seed)
    return [rng.integers(0, V, length + 1) for length in LENGTHS]


models = pytest.mark.parametrize(
    ("kind", "num_layers"), [(kind, layers) for kind in ("tanh", "relu", "lstm", "gru") for layers in (1, 2)]
)


@models
def test_logits_and_state_are_those_of_each_sequence_alone(kind, num_layers):
    model, sequences = small_model(kind, num_layers), random_sequences()
    inputs, _, mask = pad_sequences(sequences)
    state = random_state(model, len(sequences))
    out = model.forward(inputs, state, mask)
    for n, sequence in enumerate(sequences):
        alone = model.forward(sequence[:-1, None], one_sequence(state, n))
        np.testing.assert_allclose(out.logits[: LENGTHS[n], n], alone.logits[:, 0], rtol=1e-12, atol=1e-13)
        for layer, layer_alone in zip(one_sequence(out.state, n), alone.state, strict=True):
            np.testing.assert_allclose(layer, layer_alone, rtol=1e-12, atol=1e-13)


@models
def test_loss_and_gradients_are_the_sums_of_those_of_each_sequence_alone(kind, num_layers):
    model, sequences = small_model(kind, num_layers), random_sequences()
    state = random_state(model, len(sequences))
    inputs, targets, mask = pad_sequences(sequences)
    together = model.loss_and_gradients(inputs, targets, state, mask)
    alone = [
        model.loss_and_gradients(sequence[:-1, None], sequence[1:, None], one_sequence(state, n))
        for n, sequence in enumerate(sequences)
    ]
    M = sum(LENGTHS)  # a loss is a mean over predicted tokens; sums are what can be compared
    total = sum(length * out.loss for length, out in zip(LENGTHS, alone, strict=True))
    assert M * together.loss == pytest.approx(total, rel=1e-13)
    for name, gradient in together.gradients.items():
        expected = sum(length * out.gradients[name] for length, out in zip(LENGTHS, alone, strict=True))
        assert np.abs(expected).max() > 1e-3
        np.testing.assert_allclose(M * gradient, expected, rtol=1e-10, atol=1e-12, err_msg=name)


@models
def test_after_a_sequences_end_its_state_stands_still(kind, num_layers):
    model, sequences = small_model(kind, num_layers), random_sequences()
    inputs, _, mask = pad_sequences(sequences)
    state = random_state(model, len(sequences))
    out = model.forward(inputs, state, mask)
    for trace, layer in zip(out.trace.layers, out.state, strict=True):
        for n, length in enumerate(LENGTHS):
            assert np.array_equal(trace.h[length - 1 :, n], np.broadcast_to(layer.h[n], (7 - length, H)))
            assert not np.array_equal(trace.h[length - 1, n], trace.h[length - 2, n]) or length == 1


@models
def test_what_stands_in_the_padding_makes_no_difference(kind, num_layers):
    model = small_model(kind, num_layers)
    inputs, targets, mask = pad_sequences(random_sequences())
    garbage = np.where(mask, inputs, V - 1)
    assert not np.array_equal(garbage, inputs)
    first = model.loss_and_gradients(inputs, targets, mask=mask)
    second = model.loss_and_gradients(garbage, targets, mask=mask)
    assert first.loss == second.loss
    for layer, other in zip(first.state, second.state, strict=True):
        assert np.array_equal(layer, other)
    for name, gradient in first.gradients.items():
        np.testing.assert_allclose(gradient, second.gradients[name], rtol=1e-13, atol=1e-15, err_msg=name)


@models
def test_masked_gradients_are_the_losss_derivatives(kind, num_layers):
    """Every target is predicted, also where the state is frozen, so that the way around a frozen step counts."""
    model = small_model(kind, num_layers, seed=3)
    rng = np.random.default_rng(4)
    inputs, targets = rng.integers(0, V, (2, 4, 3))
    mask = np.array([[1, 0, 1], [1, 1, 0], [0, 0, 1], [1, 0, 1]], dtype=bool)  # holes in the middle, and an end
    state = random_state(model, 3)
    gradients = model.loss_and_gradients(inputs, targets, state, mask).gradients

    def loss():
        return model.loss_and_gradients(inputs, targets, state, mask).loss

    for name, array in model.parameters().items():
        numeric = central_difference(loss, array)
        np.testing.assert_allclose(gradients[name], numeric, rtol=1e-6, atol=1e-8, err_msg=name)


def test_masks_and_tied_weights_and_dropout_go_together():
    model = LSTMLM(V, H, H, num_layers=2, tie_weights=True, dropout=0.5, dropout_kind="variational", dtype=np.float64)
    inputs, targets, mask = pad_sequences(random_sequences())
    gradients = model.loss_and_gradients(inputs, targets, mask=mask, rng=np.random.default_rng(5)).gradients

    def loss():
        return model.loss_and_gradients(inputs, targets, mask=mask, rng=np.random.default_rng(5)).loss

    for name in ("E", "layer_1.W_h"):
        numeric = central_difference(loss, model.parameters()[name])
        np.testing.assert_allclose(gradients[name], numeric, rtol=1e-6, atol=1e-8, err_msg=name)


@models
def test_a_sequence_of_no_tokens_keeps_the_state_it_came_with(kind, num_layers):
    model = small_model(kind, num_layers)
    state = random_state(model, 2)
    out = model.forward(np.zeros((3, 2), int), state, lengths_to_mask([0, 3], 3))
    for layer, given_layer in zip(out.state, state, strict=True):
        for array, given_array in zip(layer, given_layer, strict=True):
            assert np.array_equal(array[0], given_array[0])
            assert not np.array_equal(array[1], given_array[1])


@models
def test_a_mask_of_true_is_no_mask(kind, num_layers):
    model = small_model(kind, num_layers)
    inputs, targets = np.random.default_rng(6).integers(0, V, (2, 4, 3))
    plain = model.loss_and_gradients(inputs, targets)
    masked = model.loss_and_gradients(inputs, targets, mask=np.ones((4, 3), bool))
    assert masked.loss == plain.loss
    for name, gradient in plain.gradients.items():
        assert np.array_equal(masked.gradients[name], gradient), name


@pytest.mark.parametrize("make", [RNNLM, LSTMLM, GRULM])
def test_masked_float32_stays_float32(make):
    model = make(V, D, H, num_layers=2)
    inputs, targets, mask = pad_sequences(random_sequences())
    out = model.loss_and_gradients(inputs, targets, mask=mask)
    arrays = [*out.gradients.values(), *[array for layer in out.state for array in layer]]
    assert {array.dtype for array in arrays} == {np.dtype(np.float32)}


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 8).flatmap(lambda T: st.tuples(st.just(T), st.lists(st.integers(0, T), max_size=5))))
def test_lengths_to_mask_counts_each_sequences_tokens_from_its_beginning(given_lengths):
    T, lengths = given_lengths
    mask = lengths_to_mask(np.array(lengths, np.uint8), T)
    assert mask.shape == (T, len(lengths)) and mask.dtype == bool
    for n, length in enumerate(lengths):
        assert mask[:, n].tolist() == [True] * length + [False] * (T - length)


@pytest.mark.parametrize(
    ("lengths", "num_steps", "message"),
    [
        ([1.0, 2.0], 3, "lengths must be N integers"),
        ([True, False], 3, "lengths must be N integers"),
        ([[1, 2]], 3, "lengths must be N integers"),
        (2, 3, "lengths must be N integers"),
        ([1, 4], 3, r"must lie in 0..T = 3; got 1..4"),
        ([-1, 2], 3, r"must lie in 0..T = 3; got -1..2"),
        ([1, 2], -3, "num_steps must be an integer, 0 or above"),
        ([1, 2], 2.5, "num_steps must be an integer, 0 or above"),
    ],
)
def test_lengths_that_cannot_be_are_refused(lengths, num_steps, message):
    with pytest.raises(ValueError, match=message):
        lengths_to_mask(lengths, num_steps)


@pytest.mark.parametrize(
    "mask", [np.ones((3, 2), int), np.ones((2, 3), bool), np.ones(3, bool), np.ones((3, 2, 1), bool), "yes", True]
)
def test_a_model_refuses_masks_of_another_shape_or_dtype(mask):
    with pytest.raises(ValueError, match=r"mask must be booleans of the tokens' shape \(T, N\) = \(3, 2\)"):
        LSTMLM(V, D, H).forward(np.zeros((3, 2), int), mask=mask)


def test_freeze_chooses_and_its_backward_divides():
    mask = np.array([[True, False]])
    q_t, q_prev, dq = np.random.default_rng(7).standard_normal((3, 2, H))
    q = freeze(mask, 0, q_t, q_prev)
    assert np.array_equal(q[0], q_t[0]) and np.array_equal(q[1], q_prev[1])
    dq_t, dq_prev = freeze_backward(mask, 0, dq)
    assert np.array_equal(dq_t[0], dq[0]) and np.array_equal(dq_prev[1], dq[1])
    assert not dq_t[1].any() and not dq_prev[0].any()
