from itertools import product

import numpy as np
import pytest
from gradient_proofs import assert_pytorchs, assert_same, prove, read_only
from translation_examples import MASK, SOURCE_LENGTHS, T_Y, TARGET_LENGTHS, V_X, V_Y, D, H, random_batch, random_model

from numpylm.loss import surprisal
from numpylm.parameters import parameter_shapes
from numpylm.torch_bridge import to_torch_state_dict
from numpylm.translation import EncoderDecoder

torch = pytest.importorskip("torch")
KINDS = [
    {"cell": cell, "attention": attention, "bidirectional": both, "num_layers": 1 + (cell == "gru")}
    for cell, attention, both in product(("rnn", "lstm", "gru"), ("none", "dot", "additive"), (False, True))
]


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_logits_loss_and_gradients_are_pytorchs(kind):
    from numpylm.kinds.translation_torch import Translator

    tied = kind["attention"] == "dot"
    model = random_model(1, tie_weights=tied, **kind)
    source, inputs, targets = random_batch(1)
    network = Translator(**model.config).double().eval()
    network.load_state_dict({name: torch.tensor(q) for name, q in to_torch_state_dict(model).items()})
    logits = network(torch.tensor(source), torch.tensor(SOURCE_LENGTHS), torch.tensor(inputs))
    np.testing.assert_allclose(model.forward(source, inputs, MASK).logits, logits.detach(), rtol=1e-10, atol=1e-10)

    loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), torch.tensor(targets).flatten(), ignore_index=-1)
    loss.backward()
    out = model.loss_and_gradients(source, inputs, targets, MASK)
    assert out.loss == pytest.approx(loss.item(), rel=1e-12)
    assert_pytorchs(to_torch_state_dict(model.with_parameters(out.gradients)), network)


@pytest.mark.parametrize(("kind", "from_chunk"), [(KINDS[3], True), (KINDS[10], False)], ids=str)
def test_every_gradient_with_dropout_and_masks(kind, from_chunk):
    """The state of an earlier chunk is taken as given: no gradient passes through it."""
    model = random_model(2, dropout=0.3, **kind)
    source, inputs, targets = random_batch(2)
    state = model.forward(source, inputs[::-1], MASK).state if from_chunk else None

    def loss(**parameters):
        given = model.with_parameters(parameters)
        logits = given.forward(source, inputs, MASK, cast(state, given.dtype), np.random.default_rng(5)).logits
        return surprisal(logits, targets).sum() / TARGET_LENGTHS.sum()

    out = model.loss_and_gradients(source, inputs, targets, MASK, state, np.random.default_rng(5))
    assert list(out.gradients) == list(model.parameters())
    prove(loss, model.parameters(), out.gradients)
    assert out.loss == pytest.approx(loss(**model.parameters()), rel=1e-12)


def cast(state, dtype):
    return state and tuple(type(layer)(*[q.astype(dtype) for q in layer]) for layer in state)


def test_chunks_of_the_target_equal_the_whole():
    model = random_model(4, cell="lstm", attention="additive", num_layers=2)
    source, inputs, targets = random_batch(4)
    whole = model.forward(source, inputs, MASK)
    first = model.forward(source, inputs[:1], MASK)
    rest = model.forward(source, inputs[1:], MASK, first.state)
    np.testing.assert_allclose(np.concatenate((first.logits, rest.logits)), whole.logits, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(rest.state[1].c, whole.state[1].c, rtol=1e-12, atol=1e-12)
    given = model.loss_and_gradients(source, inputs[1:], targets[1:], MASK, first.state)
    np.testing.assert_allclose(
        given.loss, surprisal(whole.logits[1:], targets[1:]).sum() / (TARGET_LENGTHS - 1).sum(), rtol=1e-12
    )


@pytest.mark.parametrize("attention", ["none", "dot", "additive"])
def test_advance_is_one_step_of_forward_for_several_hypotheses(attention):
    model = random_model(5, attention=attention, num_layers=2, cell="gru")
    source, inputs, _ = random_batch(5)
    encoded = model.encode(source, MASK)
    whole = model.forward(source, inputs, MASK)
    state = tuple(type(layer)(*[np.concatenate((q, q)) for q in layer]) for layer in encoded.state)  # K = 2
    for t in range(T_Y):
        logits, state = model.advance(np.concatenate((inputs[t], inputs[t])), state, encoded)
        np.testing.assert_allclose(logits, np.concatenate((whole.logits[t], whole.logits[t])), rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128])
@pytest.mark.parametrize("attention", ["dot", "additive"])
def test_dtype_follows_parameters_and_calls_leave_no_trace(dtype, attention):
    model = random_model(6, attention=attention, dropout=0.4).astype(dtype)
    source, inputs, targets = read_only(random_batch(6))
    before = {name: q.copy() for name, q in model.parameters().items()}
    forwards = [model.forward(source, inputs, MASK, rng=np.random.default_rng(1)) for _ in range(2)]
    assert_same(*forwards)
    arrays = [forwards[0].logits, *forwards[0].state[0]]
    if np.dtype(dtype).kind == "f":
        outs = [model.loss_and_gradients(source, inputs, targets, MASK, rng=np.random.default_rng(1)) for _ in range(2)]
        assert_same(*outs)
        arrays += outs[0].gradients.values()
    assert {q.dtype for q in arrays} == {np.dtype(dtype)}
    assert_same(model.parameters(), before)


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_config_makes_the_same_model_and_one_seed_every_dtype(kind):
    model = EncoderDecoder(V_X, V_Y, D, H, seed=3, **kind)
    again = EncoderDecoder(**model.config, seed=3)
    assert_same(model.parameters(), again.parameters())
    assert_same(
        EncoderDecoder(**model.config, seed=3, dtype=np.float64).astype(np.float32).parameters(), model.parameters()
    )
    shapes = {name: array.shape for name, array in model.parameters().items()}
    assert list(parameter_shapes(model.parts()).items()) == list(shapes.items())
    assert repr(model).startswith("EncoderDecoder(source_vocab_size=7, ")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"hidden_dim": 7}, "H must be even"),
        ({"attention": "Dot"}, "attention must be one of none, dot, additive"),
        ({"cell": "elman"}, "cell must be one of rnn, lstm, gru"),
        ({"attention": "none", "tie_weights": True}, "D must equal H"),
        ({"target_vocab_size": 0}, "target_vocab_size must be a positive integer"),
    ],
)
def test_wrong_sizes_are_named(wrong, message):
    with pytest.raises(ValueError, match=message):
        EncoderDecoder(
            **{"source_vocab_size": V_X, "target_vocab_size": V_Y, "embedding_dim": D, "hidden_dim": H, **wrong}
        )


def test_wrong_batches_are_named():
    model = random_model()
    source, inputs, targets = random_batch()
    with pytest.raises(ValueError, match=r"tokens must lie in 0\.\.6"):
        model.forward(source + 1, inputs)
    with pytest.raises(ValueError, match="source has N = 3 sentences, but inputs have 2"):
        model.forward(source, inputs[:, :2])
    with pytest.raises(ValueError, match="source_mask must be True for each sentence's tokens, at least one"):
        model.forward(source, inputs, ~MASK)
    with pytest.raises(ValueError, match=r"targets must have the shape of the inputs, \(T, N\) = \(4, 3\)"):
        model.loss_and_gradients(source, inputs, targets[:2])
    with pytest.raises(ValueError, match="state must be a tuple of L = 1"):
        model.forward(source, inputs, state=())
