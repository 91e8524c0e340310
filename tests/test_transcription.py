"""The acoustic model: every gradient by two numerical derivatives, unequal lengths, bad input."""

import numpy as np
import pytest
from gradient_proofs import assert_same, prove, read_only
from models import randomized

from numpylm.masking import lengths_to_mask
from numpylm.transcription import AcousticModel

rng = np.random.default_rng(0)
T, N, B, H, V = 6, 3, 5, 4, 3
FEATURES = rng.standard_normal((T, N, B))
LENGTHS = np.array([6, 4, 5])
MASK = lengths_to_mask(LENGTHS, T)
LABELS = np.array([[1, 2, 2], [3, -1, 1], [3, -1, -1]])  # (U, N)
KINDS = [("lstm", False, 1), ("gru", True, 1), ("rnn", True, 2)]
IDS = [f"{cell}, {'both directions' if both else 'forwards'}, {layers} layers" for cell, both, layers in KINDS]


def model_of(cell="lstm", bidirectional=True, num_layers=1, dropout=0.0):
    """A model in float64 with parameters of order one."""
    model = AcousticModel(V, B, H, num_layers, cell, bidirectional, dropout, dtype=np.float64)
    return randomized(model, rng, scale=1)


@pytest.mark.parametrize("kind", KINDS, ids=IDS)
def test_every_parameter_s_gradient(kind):
    model = model_of(*kind)

    def loss(**parameters):
        return model.with_parameters(parameters).loss_and_gradients(FEATURES, LABELS, MASK).loss

    prove(loss, model.parameters(), model.loss_and_gradients(FEATURES, LABELS, MASK).gradients)


def test_with_dropout_the_gradient_is_that_of_the_masks_drawn():
    model = model_of("rnn", True, 2, 0.5)

    def run(parameters):
        changed = model.with_parameters(parameters)
        return changed.loss_and_gradients(FEATURES, LABELS, MASK, np.random.default_rng(3))

    prove(lambda **parameters: run(parameters).loss, model.parameters(), run(model.parameters()).gradients)
    assert run(model.parameters()).loss != model.loss_and_gradients(FEATURES, LABELS, MASK).loss


@pytest.mark.parametrize("kind", KINDS, ids=IDS)
def test_an_utterance_has_the_logits_that_it_has_alone(kind):
    model = model_of(*kind)
    logits = model.forward(FEATURES, MASK).logits
    for n, length in enumerate(LENGTHS):
        alone = model.forward(FEATURES[:length, n : n + 1]).logits
        np.testing.assert_allclose(alone[:, 0], logits[:length, n], atol=1e-13)


def test_two_calls_give_the_same_bits_and_inputs_may_be_read_only():
    model = model_of()
    first = model.loss_and_gradients(read_only(FEATURES), read_only(LABELS), read_only(MASK))
    assert_same(first.gradients, model.loss_and_gradients(FEATURES, LABELS, MASK).gradients)


@pytest.mark.parametrize(
    ("features", "labels", "message"),
    [
        (FEATURES[:, :, :4], LABELS, "B = 5"),
        (FEATURES[0], LABELS, r"\(T, N, B\)"),
        (FEATURES, LABELS[:, :2], r"labels must be \(U, N = 3\), .*; got \(3, 2\)"),
        (FEATURES, LABELS + 1, "0 is the blank|1..V = 3"),
        (FEATURES, LABELS[::-1], "-1 only after"),
        (FEATURES[:2], LABELS, "utterance 0 has 2 frames"),
    ],
)
def test_what_does_not_fit_is_refused(features, labels, message):
    with pytest.raises(ValueError, match=message):
        model_of().loss_and_gradients(features, labels)


def test_sizes_are_checked():
    with pytest.raises(ValueError, match="H must be even"):
        AcousticModel(V, B, 5)
    with pytest.raises(ValueError, match="cell"):
        AcousticModel(V, B, H, cell="lstn")
