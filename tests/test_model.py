import numpy as np
import pytest
from gradient_proofs import assert_same, prove, read_only
from models import MODELS, every_model, random_model, random_state

import numpylm as nlm

V, D, H, T, N = 6, 3, 2, 4, 5
MASK = np.arange(T)[:, None] < np.array([4, 2, 3, 1, 4])
rng = np.random.default_rng(1)
INPUTS, TARGETS = rng.integers(0, V, (T, N)), rng.integers(-1, V, (T, N))  # of some places nothing is predicted
VARIANTS = {  # embedding_dim, options, mask, and the seed of dropout
    "one layer": (D, {}, None, None),
    "two layers, tied": (H, {"num_layers": 2, "tie_weights": True}, MASK, None),
    "dropout": (D, {"num_layers": 2, "dropout": 0.4}, MASK, 3),
    "variational dropout": (D, {"num_layers": 2, "dropout": 0.4, "dropout_kind": "variational"}, MASK, 3),
}


def prove_model(model, mask=None, dropout_seed=None):
    """Every parameter of a whole model, by both numerical derivatives."""
    state = random_state(model, N)

    def results(model):
        rng = None if dropout_seed is None else np.random.default_rng(dropout_seed)
        return model.loss_and_gradients(INPUTS, TARGETS, state, mask, rng)

    gradients = results(model).gradients
    assert list(gradients) == list(model.parameters())
    prove(lambda **parameters: results(model.with_parameters(parameters)).loss, model.parameters(), gradients)


@every_model
@pytest.mark.parametrize("variant", VARIANTS)
def test_every_gradient(kind, variant):
    embedding_dim, options, mask, dropout_seed = VARIANTS[variant]
    prove_model(random_model(kind, V, embedding_dim, H, **options), mask, dropout_seed)


@every_model
@pytest.mark.parametrize("vocab_size", [V, T * N])
def test_x_is_the_embedding_in_every_trace_whether_the_projection_is_folded_or_not(kind, vocab_size):
    model = random_model(kind, vocab_size, D, H, dropout=0.5)
    x = model.parameters()["E"][INPUTS]
    trace = model.forward(INPUTS).trace.layers[0]
    assert (trace.lookup is not None) == (vocab_size < T * N)
    np.testing.assert_array_equal(trace.x, x)
    dropped = model.forward(INPUTS, rng=np.random.default_rng(0)).trace
    np.testing.assert_array_equal(dropped.layers[0].x, x * dropped.masks.inputs[0])
    assert dropped.layers[0].lookup is None
    if vocab_size > V:
        prove_model(model)  # test_every_gradient has the folded table


@every_model
def test_calls_leave_no_trace(kind):
    model = random_model(kind, V, D, H, num_layers=2)
    inputs, targets, state = map(read_only, (INPUTS, TARGETS, random_state(model, N)))
    frozen = model.with_parameters(read_only(model.parameters()))
    assert_same(frozen.forward(inputs, state), frozen.forward(inputs, state))
    first, second = (frozen.loss_and_gradients(inputs, targets, state) for _ in range(2))
    assert first.loss == second.loss
    assert_same([first.gradients, first.state], [second.gradients, second.state])


def test_parameters_are_live_and_in_a_fixed_order():
    model = nlm.LSTMLM(V, D, H)
    assert list(model.parameters()) == ["E", "W_x", "W_h", "b", "W_hy", "b_y"]
    before = model.forward(np.array([[1]])).logits
    model.parameters()["b_y"][...] += 1
    np.testing.assert_allclose(model.forward(np.array([[1]])).logits, before + 1, rtol=1e-5)
    assert list(nlm.RNNLM(V, D, H).parameters()) == ["E", "W_xh", "W_hh", "b_h", "W_hy", "b_y"]
    stack = nlm.GRULM(V, H, H, num_layers=2, tie_weights=True)
    cell = ["W_x", "W_h", "b", "b_hn"]
    assert list(stack.parameters()) == [
        "E", *[f"layer_0.{name}" for name in cell], *[f"layer_1.{name}" for name in cell], "b_y",
    ]  # fmt: skip


def test_views_and_copies():
    model = nlm.LSTMLM(V, H, H, num_layers=2, tie_weights=True)
    assert np.shares_memory(model.output_matrix(), model.parameters()["E"])
    model.layer_parameters(1).W_hf[...] = 9
    np.testing.assert_array_equal(model.parameters()["layer_1.W_h"][:, H : 2 * H], 9)
    assert not (model.parameters()["layer_0.W_h"] == 9).any()
    copy = model.astype(np.complex128)
    copy.parameters()["b_y"][...] = 5
    assert copy.dtype == np.complex128 and not (model.parameters()["b_y"] == 5).any()
    for dtype in (np.float16, int, np.complex64):
        with pytest.raises(ValueError, match="dtype must be float32"):
            model.astype(dtype)
    for layer in (-1, 2, 7):
        with pytest.raises(ValueError, match=rf"layer must lie in 0..1; got {layer}"):
            model.layer_parameters(layer)


@every_model
def test_its_text_is_the_call_that_makes_it(kind):
    model = random_model(kind, V, D, H, num_layers=2, dropout=0.25, dtype=np.float32)
    assert "float32" in repr(model)
    again = eval(repr(model).replace("dtype=float32", "dtype='float32'"), {type(model).__name__: MODELS[kind]})
    assert again.config == model.config and again.dtype == model.dtype


GOOD = np.zeros((T, N), dtype=int)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"inputs": np.zeros((T, N))}, "tokens must be integers; got an array of float64"),
        ({"inputs": GOOD + V}, r"tokens must lie in 0..5 for a vocabulary of V = 6; got values in 6..6"),
        ({"targets": GOOD[:2]}, r"targets must have the shape of the inputs, \(T, N\) = \(4, 5\)"),
        ({"targets": GOOD - 1}, "every target is -1"),
        ({"state": nlm.RNNLM(V, D, H).initial_state(N)}, r"state\[0\] must be a LSTMState; got a RNNState"),
        ({"mask": np.ma.ones((T, N), bool)}, "mask must be a plain array; got a masked array"),
        ({"mask": np.ones((T, N))}, r"mask must be booleans of the tokens' shape"),
        ({"rng": 3}, r"rng must be a numpy.random.Generator or None; got int"),
    ],
)
def test_bad_data(changed, message):
    """One of each kind: test_check.py has what is wrong with tokens, targets, masks and states."""
    model, data = nlm.LSTMLM(V, D, H), {"inputs": GOOD, "targets": GOOD} | changed
    with pytest.raises((TypeError, ValueError), match=message):
        model.loss_and_gradients(**data)
    tokens = data.pop("inputs")
    if data.pop("targets") is GOOD:
        with pytest.raises((TypeError, ValueError), match=message):
            model.forward(tokens, **data)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"vocab_size": 0}, "vocab_size must be a positive integer; got 0"),
        ({"hidden_dim": 2.5}, "hidden_dim must be a positive integer; got 2.5"),
        ({"num_layers": True}, "num_layers must be a positive integer"),
        ({"dropout": 1.0}, "dropout must be a number from 0 to below 1; got 1.0"),
        ({"dropout_kind": "none"}, "dropout_kind must be one of standard, variational"),
        ({"tie_weights": True}, "D must equal H; got embedding_dim=3, hidden_dim=2"),
        ({"dtype": np.int32}, "dtype must be float32 to train"),
        ({"seed": -1}, "seed must be an integer, 0 or above"),
        ({"forget_bias": np.nan}, "forget_bias must be a finite number"),
    ],
)
def test_bad_arguments(changed, message):
    with pytest.raises(ValueError, match=message):
        nlm.LSTMLM(**{"vocab_size": V, "embedding_dim": D, "hidden_dim": H} | changed)
