"""The recurrent reader: every gradient by two numerical derivatives and by PyTorch, padding, dropout, bad input."""

import numpy as np
import pytest
from gradient_proofs import assert_same, prove, read_only

from numpylm.reader import Reader

rng = np.random.default_rng(0)
NUM_SENTENCES, N, J, D, H, V = 3, 3, 2, 5, 4, 7
LENGTHS = np.array([[2, 1, 2], [1, 2, 0], [2, 0, 0]])  # (I, N) words; 0: no such sentence
STORY = np.where(np.arange(J) < LENGTHS[:, :, None], rng.integers(0, V, (NUM_SENTENCES, N, J)), -1)
QUESTION = np.where(np.arange(J) < np.array([2, 1, 2])[:, None], rng.integers(0, V, (N, J)), -1)
ANSWERS = np.array([2, 6, 4])
KINDS = [
    {"cell": "lstm", "first": "question"},
    {"cell": "rnn", "first": "story", "num_layers": 2, "dropout": 0.4},
    {"cell": "rnn", "first": "story", "bidirectional": True},
    {"cell": "gru", "first": "question", "bidirectional": True, "num_layers": 2},
]


def model_of(**kind):
    """A model in float64 with parameters of order one."""
    model = Reader(V, D, H, dtype=np.float64, **kind)
    for array in model.parameters().values():
        array[...] = 0.7 * rng.standard_normal(array.shape)
    return model


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: " ".join(map(str, kind.values())))
def test_every_parameter_s_gradient(kind):
    model = model_of(**kind)

    def run(parameters):
        changed = model.with_parameters(parameters)
        return changed.loss_and_gradients(STORY, QUESTION, ANSWERS, rng=np.random.default_rng(1))

    prove(lambda **parameters: run(parameters).loss, model.parameters(), run(model.parameters()).gradients)


@pytest.mark.parametrize("kind", KINDS[:1] + KINDS[3:], ids=["lstm", "gru"])
def test_pytorch_agrees(kind):
    torch = pytest.importorskip("torch")
    model, layers = model_of(**kind), kind.get("num_layers", 1)
    both = kind.get("bidirectional", False)
    out = model.loss_and_gradients(STORY, QUESTION, ANSWERS)
    P = {name: torch.tensor(array, requires_grad=True) for name, array in model.parameters().items()}
    logits = []
    for n in range(N):  # story by story, without padding
        state = None
        for text, words in (("question", QUESTION[n]), ("story", STORY[:, n].reshape(-1))):
            x = P["E"][torch.tensor(words[words >= 0])][:, None]
            x, state = torch_stack(torch, P, text, x, state, layers, both)
        last = torch.cat([h for h, _ in state[-1]], dim=1)
        logits.append(last @ P["W_hy"] + P["b_y"])
    loss = torch.nn.functional.cross_entropy(torch.cat(logits), torch.tensor(ANSWERS))
    loss.backward()
    assert out.loss == pytest.approx(loss.item(), rel=1e-10)
    for name, gradient in out.gradients.items():
        np.testing.assert_allclose(gradient, P[name].grad.numpy(), rtol=0, atol=1e-10, err_msg=name)


def torch_stack(torch, P, text, x, state, layers, both):
    """A stack in PyTorch's own operations, one word at a time: (h, states by layer and direction)."""
    states = []
    for layer in range(layers):
        prefix = f"{text}." + (f"layer_{layer}." if layers > 1 else "")
        outs, ends = [], []
        for direction in ("forwards_", "backwards_") if both else ("",):
            weights = [P.get(prefix + direction + name) for name in ("W_x", "W_h", "b", "b_hn")]
            zeros = torch.zeros(1, len(weights[1]), dtype=torch.float64)
            h, c = (zeros, zeros) if state is None else state[layer][len(ends)]
            steps = []
            for x_t in x.flip(0) if direction == "backwards_" else x:
                h, c = torch_step(x_t, h, c, *weights)
                steps.append(h)
            outs.append(torch.stack(steps[::-1] if direction == "backwards_" else steps))
            ends.append((h, c))
        x = torch.cat(outs, dim=2)
        states.append(ends)
    return x, states


def torch_step(x_t, h, c, W_x, W_h, b, b_hn):
    """Equations (3) to (8), or, with b_hn, (10) to (13)."""
    xW, hW = x_t @ W_x + b, h @ W_h
    if b_hn is None:
        i, f, o, c_tilde = (xW + hW).chunk(4, dim=1)
        c = f.sigmoid() * c + i.sigmoid() * c_tilde.tanh()
        return o.sigmoid() * c.tanh(), c
    (x_r, x_z, x_n), (h_r, h_z, h_n) = xW.chunk(3, dim=1), hW.chunk(3, dim=1)
    r, z = (x_r + h_r).sigmoid(), (x_z + h_z).sigmoid()
    return (1 - z) * (x_n + r * (h_n + b_hn)).tanh() + z * h, c


def test_a_story_has_the_answer_that_it_has_alone():
    for kind in KINDS:
        model = model_of(**kind)
        logits = model.forward(STORY, QUESTION).logits
        for n in range(N):
            alone = STORY[LENGTHS[:, n] > 0, n : n + 1]
            np.testing.assert_allclose(model.forward(alone, QUESTION[n : n + 1]).logits[0], logits[n], atol=1e-13)


def test_what_is_read_first_and_the_order_of_words_matter():
    model = model_of(**KINDS[0])
    other = Reader.holding(model.sizes._replace(first="story"), model.parameters())
    logits = model.forward(STORY, QUESTION).logits
    assert not np.allclose(logits, other.forward(STORY, QUESTION).logits)
    assert not np.allclose(logits[:1], model.forward(STORY[::-1, :1], QUESTION[:1]).logits)


def test_two_calls_give_the_same_bits_and_inputs_may_be_read_only():
    model = model_of(**KINDS[3])
    first = model.loss_and_gradients(read_only(STORY), read_only(QUESTION), read_only(ANSWERS))
    assert_same(first.gradients, model.loss_and_gradients(STORY, QUESTION, ANSWERS).gradients)
    assert model.astype(np.float32).loss_and_gradients(STORY, QUESTION, ANSWERS).gradients["E"].dtype == np.float32


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"hidden_dim": 5, "bidirectional": True}, "H must be even"),
        ({"first": "answer"}, "first must be"),
        ({"cell": "cnn"}, "cell must be"),
        ({"num_layers": 0}, "num_layers must be"),
    ],
)
def test_what_does_not_fit_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        Reader(V, **arguments)
