"""The walk through one pass (numpylm/stepping): its numbers are the model's, each gradient's proof is a proof, and a
wrong field of a record is found at that field."""

import numpy as np
import pytest
from page_examples import drawn

import numpylm as nlm
from numpylm import gru, lstm, rnn
from numpylm.affine import affine_backward
from numpylm.stepping import walk as walking
from numpylm.stepping.lines import lines_of
from numpylm.stepping.replay import prove
from numpylm.stepping.walk import Quantity, walk

T, D, H, V = 3, 2, 3, 5
TOKENS = np.array([[3, 0], [1, 1], [1, 4], [4, 4]])  # two sequences; tokens that occur twice: rows of dE are sums
INPUTS, TARGETS = TOKENS[:-1], TOKENS[1:]
MODELS = {
    "rnn": nlm.RNNLM(V, D, H),
    "rnn, relu, two layers": nlm.RNNLM(V, D, H, nonlinearity="relu", num_layers=2),
    "lstm": nlm.LSTMLM(V, D, H),
    "lstm, tied, two layers": nlm.LSTMLM(V, H, H, tie_weights=True, num_layers=2),
    "gru, two layers": nlm.GRULM(V, D, H, num_layers=2),
}
all_models = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)


def walk_of(model):
    """The whole Walk. (With drawn's seed no ReLU layer is all zero.)"""
    return walk(drawn(model), INPUTS, TARGETS, list(range(model.sizes.num_layers)), [0, 1, 2])


def gradients(walked):
    """(section's title, Quantity, t) of each gradient, in the order of the computation."""
    return [
        (section.title, quantity, t)
        for section in (*walked.backward, *walked.parameters)
        for quantity in section.quantities
        for t in section.steps
        if quantity.place
    ]


@pytest.mark.parametrize(
    ("function", "name", "numbers"),
    [(lstm.lstm_step, "c_t", "(7)"), (lstm.lstm_step_backward, "dh_prev", "(3–6)"), (lstm.lstm_step, "a_o", "")],
)
def test_a_line_has_the_numbers_of_its_equations(function, name, numbers):
    assert lines_of(function, name)[-1].equation == numbers


@all_models
def test_what_is_shown_is_what_the_model_computes_to_the_last_bit(model):
    walked, model = walk_of(model), drawn(model)
    out, trace = model.loss_and_gradients(INPUTS, TARGETS), model.forward(INPUTS).trace
    assert walked.loss == out.loss
    for layer, (steps, sections) in enumerate(
        zip([q.steps for q in trace.layers], layered(walked, model), strict=True)
    ):
        for t, (step, section) in enumerate(zip(steps, sections, strict=True)):
            shown = {quantity.symbol: quantity.values[t] for quantity in section.quantities}
            for name, value in step._asdict().items():
                assert np.array_equal(shown[name], value), (layer, t, name)
    shown = {q.symbol.removeprefix("d"): q.values[0] for section in walked.parameters for q in section.quantities}
    assert shown.keys() >= out.gradients.keys()
    for name, gradient in out.gradients.items():  # (the model may fold its projection: the same to rounding)
        np.testing.assert_allclose(shown[name], gradient, rtol=1e-12, atol=1e-15, err_msg=name)


def layered(walked, model):
    """The sections of the forward steps, layer by layer."""
    steps = walked.forward[1:-2]
    return [steps[layer * T : (layer + 1) * T] for layer in range(model.sizes.num_layers)]


@all_models
def test_every_gradient_and_every_field_of_a_record_is_proved(model):
    walked = walk_of(model)
    for title, quantity, t in gradients(walked):
        proof = walked.prove(quantity, t)
        assert proof.ok and proof.error < 1e-13, (title, quantity.symbol, proof)
        assert np.isfinite(proof.numeric).all()
    Step = {"rnn": rnn.RNNStepGradients, "lstm": lstm.LSTMStepGradients, "gru": gru.GRUStepGradients}[model.cell.name]
    for section in walked.backward:
        if section.title.startswith("Back"):
            assert [quantity.symbol for quantity in section.quantities if quantity.place] == list(Step._fields)
            assert all(quantity.lines for quantity in section.quantities)


@pytest.mark.parametrize("name", ["rnn", "lstm", "gru, two layers"])
def test_a_wrong_field_of_a_record_is_found_at_that_field(name, monkeypatch):
    module = {"rnn": rnn, "lstm": lstm, "gru": gru}[MODELS[name].cell.name]
    Step = getattr(module, f"{MODELS[name].cell.name.upper()}StepGradients")
    for k, field in enumerate(Step._fields):

        def wrong(*values, k=k):
            return Step(*values[:k], 1.01 * values[k], *values[k + 1 :])

        monkeypatch.setattr(module, Step.__name__, wrong)
        walked = walk_of(MODELS[name])
        title, quantity, _ = next(found for found in gradients(walked) if not walked.prove(*found[1:]).ok)
        assert (quantity.symbol, title[:18]) == (field, f"Back through t = {T - 1}"), field


def test_a_mistake_around_the_cell_is_found_too(monkeypatch):
    def wrong(*arguments):
        dx, dW, db = affine_backward(*arguments)
        return dx, 1.01 * dW, db

    monkeypatch.setattr(walking, "affine_backward", wrong)
    walked = walk_of(MODELS["lstm"])
    assert [found[1].symbol for found in gradients(walked) if not walked.prove(*found[1:]).ok] == ["dW_hy"]


def test_a_wrong_number_that_is_not_shown_is_found():
    truth = np.random.default_rng(2).standard_normal((8, 32))

    def along(name, k, t, directions):
        return (truth * directions).sum(axis=(1, 2))

    def proof(gradient):
        return prove(along, Quantity("dq", gradient[None], place=("q", 0)), 0, [0, 8 * 32 - 1])

    right = proof(truth)
    assert right.ok and np.isfinite(right.numeric).sum() == 2
    for index in ((5, 5), (7, 31)):
        wrong = truth.copy()
        wrong[index] += 1e-3
        assert not proof(wrong).ok
