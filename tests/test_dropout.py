"""Dropout: what the masks are, and where they act. That gradients pass through them is proved in test_model.py."""

import math

import numpy as np
import pytest
from models import every_model, random_model

from numpylm.dropout import KINDS, draw_mask, draw_masks

V, D, H, T, N = 5, 2, 3, 4, 2
every_dropout = pytest.mark.parametrize("dropout_kind", KINDS)
INPUTS, TARGETS = np.random.default_rng(0).integers(0, V, (2, T, N))


def arrays_of(masks):
    return [*masks.inputs, masks.output, *masks.recurrent]


@pytest.mark.parametrize("p", [0.1, 0.5, 0.8])
def test_a_mask_drops_a_share_p_has_mean_one_and_independent_entries(p):
    m = draw_mask(np.random.default_rng(0), p, (40, 40, 40), np.float64)
    assert set(np.unique(m)) == {0.0, 1 / (1 - p)}
    four_sigma = 4 * math.sqrt(p * (1 - p) / m.size)
    assert (m == 0).mean() == pytest.approx(p, abs=four_sigma)
    assert m.mean() == pytest.approx(1, abs=four_sigma / (1 - p))
    for axis in range(3):  # as many neighbours are both dropped as chance gives
        both = (m.take(range(39), axis) == 0) & (m.take(range(1, 40), axis) == 0)
        assert both.mean() == pytest.approx(p**2, abs=5 * math.sqrt(p**2 * (1 - p**2) / both.size))


def test_standard_masks_are_new_at_every_step_and_leave_the_recurrence_alone():
    masks = draw_masks(np.random.default_rng(3), 0.5, "standard", T, 20, [D, H], H, np.float32)
    assert [m.shape for m in masks.inputs] == [(T, 20, D), (T, 20, H)] and masks.output.shape == (T, 20, H)
    assert masks.recurrent == [None, None]
    for m in (*masks.inputs, masks.output):
        assert m.dtype == np.float32 and not any(np.array_equal(m[t], m[t + 1]) for t in range(T - 1))


def test_variational_masks_are_one_for_all_steps_and_another_for_each_sequence_and_layer():
    masks = draw_masks(np.random.default_rng(4), 0.5, "variational", T, 20, [H, H], H, np.complex128)
    assert [m.shape for m in masks.inputs] == [(1, 20, H)] * 2 and masks.output.shape == (1, 20, H)
    assert [m.shape for m in masks.recurrent] == [(20, H)] * 2
    flat = [m.ravel() for m in arrays_of(masks)]
    assert not any(np.array_equal(flat[i], flat[j]) for i in range(5) for j in range(i))
    assert len(np.unique(masks.recurrent[0], axis=0)) > 5 and {m.dtype for m in flat} == {np.dtype(np.complex128)}


@every_dropout
@every_model
def test_masks_come_from_the_generator_and_from_nothing_else(kind, dropout_kind):
    model = random_model(kind, V, D, H, num_layers=3, dropout=0.5, dropout_kind=dropout_kind, dtype=np.float32)
    first, second, third = (model.loss_and_gradients(INPUTS, TARGETS, rng=np.random.default_rng(k)) for k in (5, 5, 6))
    assert first.loss == second.loss != third.loss
    assert all(np.array_equal(first.gradients[name], second.gradients[name]) for name in first.gradients)
    assert {gradient.dtype for gradient in first.gradients.values()} == {np.dtype(np.float32)}
    without = model.forward(INPUTS)
    never = random_model(kind, V, D, H, num_layers=3, dtype=np.float32)
    rng = np.random.default_rng(7)
    assert np.array_equal(without.logits, never.forward(INPUTS, rng=rng).logits)
    assert rng.random() == np.random.default_rng(7).random(), "a dropout of zero, the default, draws nothing"
    assert arrays_of(without.trace.masks) == [None] * 7


@every_dropout
def test_the_masks_act_where_the_papers_say(dropout_kind):
    """An RNN of two layers, computed again with the masks of its trace, step by step."""
    model = random_model("tanh", V, D, H, num_layers=2, dropout=0.5, dropout_kind=dropout_kind)
    out = model.forward(INPUTS, rng=np.random.default_rng(9))
    p, masks = model.parameters(), out.trace.masks
    h = [np.zeros((N, H)), np.zeros((N, H))]
    for t in range(T):
        q = p["E"][INPUTS[t]]
        for layer in range(2):
            x = q * masks.inputs[layer][t if dropout_kind == "standard" else 0]
            h_in = h[layer] if dropout_kind == "standard" else h[layer] * masks.recurrent[layer]
            a = x @ p[f"layer_{layer}.W_xh"] + h_in @ p[f"layer_{layer}.W_hh"] + p[f"layer_{layer}.b_h"]
            q = h[layer] = np.tanh(a)
        logits = (q * masks.output[t if dropout_kind == "standard" else 0]) @ p["W_hy"] + p["b_y"]
        np.testing.assert_allclose(out.logits[t], logits, rtol=1e-12, atol=1e-13)
    for layer in range(2):
        np.testing.assert_allclose(out.state[layer].h, h[layer], rtol=1e-12)


@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_recurrent_dropout_spares_what_the_cell_carries_on(kind):
    """With h_{t-1} dropped whole, every gate sees zeros, but c_{t-1} (of the LSTM) and h_{t-1} (of (13)) remain."""
    model = random_model(kind, V, D, H)
    parameters = model.layer_parameters(0)
    x = np.random.default_rng(10).standard_normal((T, N, D))
    out = model.cell.forward(parameters, x, model.initial_state(N)[0], None, np.zeros((N, H)))
    parameters.W_h[...] = 0
    expected = model.cell.forward(parameters, x, model.initial_state(N)[0])
    np.testing.assert_allclose(out.h, expected.h, rtol=1e-13)
    assert np.abs(out.h[1:] - out.h[:-1]).min() > 0
