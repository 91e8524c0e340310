"""Masks: each sequence of a padded batch gets exactly what it gets alone, forward and backward.

That masked gradients are the loss's derivatives is proved in test_model.py, and for each cell in test_rnn.py and its
like."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from models import every_model, random_model, random_state

from numpylm import lengths_to_mask, pad_sequences

V, D, H = 4, 2, 3
LENGTHS = (4, 1, 6, 3)  # predictions in each sequence
SEQUENCES = [np.random.default_rng(0).integers(0, V, length + 1) for length in LENGTHS]
INPUTS, TARGETS, MASK = pad_sequences(SEQUENCES)


def one_sequence(state, n):
    """The state of the n-th sequence alone."""
    return tuple(type(layer)(*[array[n : n + 1] for array in layer]) for layer in state)


@every_model
@pytest.mark.parametrize("num_layers", [1, 2])
def test_everything_is_that_of_each_sequence_alone(kind, num_layers):
    model = random_model(kind, V, D, H, num_layers=num_layers)
    state = random_state(model, len(LENGTHS))
    out, together = model.forward(INPUTS, state, MASK), model.loss_and_gradients(INPUTS, TARGETS, state, MASK)
    total, sums = 0.0, dict.fromkeys(together.gradients, 0.0)
    for n, (sequence, length) in enumerate(zip(SEQUENCES, LENGTHS, strict=True)):
        start = one_sequence(state, n)
        alone = model.forward(sequence[:-1, None], start)
        np.testing.assert_allclose(out.logits[:length, n], alone.logits[:, 0], rtol=1e-12, atol=1e-13)
        for layer, layer_alone in zip(one_sequence(out.state, n), alone.state, strict=True):
            np.testing.assert_allclose(layer, layer_alone, rtol=1e-12, atol=1e-13)
        for trace, layer in zip(out.trace.layers, out.state, strict=True):  # after its end a state stands still
            assert np.array_equal(trace.h[length - 1 :, n], np.broadcast_to(layer.h[n], (7 - length, H)))
        # a loss is a mean over predicted tokens; sums can be compared
        part = model.loss_and_gradients(sequence[:-1, None], sequence[1:, None], start)
        total += length * part.loss
        sums = {name: sums[name] + length * part.gradients[name] for name in sums}
    M = sum(LENGTHS)
    assert M * together.loss == pytest.approx(total, rel=1e-13)
    for name, expected in sums.items():
        assert np.abs(expected).max() > 1e-3
        np.testing.assert_allclose(M * together.gradients[name], expected, rtol=1e-10, atol=1e-12, err_msg=name)


@every_model
def test_no_steps_keep_the_state_and_a_mask_of_true_is_no_mask(kind):
    model = random_model(kind, V, D, H, num_layers=2)
    state = random_state(model, len(LENGTHS))
    out = model.forward(INPUTS, state, lengths_to_mask([0, 6, 0, 6], 6))
    for layer, before in zip(out.state, state, strict=True):
        for array, given_array in zip(layer, before, strict=True):
            assert np.array_equal(array[::2], given_array[::2]) and not np.isclose(array, given_array)[1::2].any()
    plain, masked = (model.loss_and_gradients(INPUTS, TARGETS, state, m) for m in (None, np.ones_like(MASK)))
    assert masked.loss == plain.loss
    assert all(np.array_equal(masked.gradients[name], gradient) for name, gradient in plain.gradients.items())


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
        ([1, 4], 3, r"must lie in 0..T = 3; got 1..4"),
        ([-1, 2], 3, r"must lie in 0..T = 3; got -1..2"),
        ([1, 2], 2.5, "num_steps must be an integer, 0 or above"),
    ],
)
def test_wrong_lengths_are_refused(lengths, num_steps, message):
    with pytest.raises(ValueError, match=message):
        lengths_to_mask(lengths, num_steps)
