"""The memory network: every gradient by two numerical derivatives and by PyTorch, padding, ages, bad input."""

import numpy as np
import pytest
from gradient_proofs import assert_same, prove, read_only

from numpylm.memory_hop import hop_backward, hop_forward
from numpylm.memory_network import MemoryNetwork
from numpylm.sentence_vectors import bags_of, sentence_vectors_forward

rng = np.random.default_rng(0)
NUM_SENTENCES, N, J, D, V, S = 5, 3, 4, 6, 8, 7
LENGTHS = np.array([[4, 2, 3], [1, 4, 2], [3, 0, 2], [2, 0, 4], [4, 0, 0]])  # (I, N) words; 0: no such sentence
STORY = np.where(np.arange(J) < LENGTHS[:, :, None], rng.integers(0, V, (NUM_SENTENCES, N, J)), -1)
QUESTION = np.where(np.arange(J) < np.array([3, 4, 1])[:, None], rng.integers(0, V, (N, J)), -1)
ANSWERS = np.array([2, 7, 4])
KINDS = [("adjacent", 3, True), ("layer-wise", 2, True), ("adjacent", 1, False)]


def model_of(tying="adjacent", num_hops=3, position_encoding=True):
    """A model in float64 with parameters of order one."""
    model = MemoryNetwork(V, D, num_hops, S, tying, position_encoding, np.float64)
    for array in model.parameters().values():
        array[...] = 0.7 * rng.standard_normal(array.shape)
    return model


def weight(j, d, J):
    """l_jd of equation (41), with j and d counted from 1."""
    return (1 - j / J) - (d / D) * (1 - 2 * j / J)


def test_a_sentence_s_vector_is_its_equation():
    E = rng.standard_normal((V, D))
    m = sentence_vectors_forward(bags_of(STORY, V, float), E)
    bag = sentence_vectors_forward(bags_of(STORY, V, float, position_encoding=False), E)
    for i, n in np.ndindex(NUM_SENTENCES, N):
        words = [word for word in STORY[i, n] if word >= 0]
        for d in range(D):
            expected = sum(weight(j + 1, d + 1, len(words)) * E[word, d] for j, word in enumerate(words))
            assert m[i, n, d] == pytest.approx(expected, abs=1e-13)
        np.testing.assert_allclose(bag[i, n], sum((E[word] for word in words), np.zeros(D)), atol=1e-14)


@pytest.mark.parametrize("linear", [False, True])
@pytest.mark.parametrize("layer_wise", [False, True])
def test_the_gradients_of_one_hop(linear, layer_wise):
    mask = LENGTHS > 0
    arrays = {
        "u": rng.standard_normal((N, D)),
        "m": rng.standard_normal((NUM_SENTENCES, N, D)),
        "v": rng.standard_normal((NUM_SENTENCES, N, D)),
    }
    if layer_wise:
        arrays["W_u"] = rng.standard_normal((D, D))
    du_next = rng.standard_normal((N, D))

    def forward(u, m, v, W_u=None):
        return hop_forward(u, m, v, mask, W_u, linear)

    found = hop_backward(du_next, forward(**arrays), mask, arrays.get("W_u"), linear)
    prove(
        lambda **given: (du_next * forward(**given).u_next).sum(),
        arrays,
        {name: getattr(found, f"d{name}") for name in arrays},
    )
    assert (found.dv[~mask] == 0).all() and (found.dm[~mask] == 0).all()


@pytest.mark.parametrize("linear", [False, True])
@pytest.mark.parametrize("kind", KINDS, ids=["adjacent", "layer-wise", "bag of words"])
def test_every_parameter_s_gradient(kind, linear):
    model = model_of(*kind)

    def loss(**parameters):
        changed = model.with_parameters(parameters)
        return changed.loss_and_gradients(STORY, QUESTION, ANSWERS, linear).loss

    out = model.loss_and_gradients(STORY, QUESTION, ANSWERS, linear)
    prove(loss, model.parameters(), out.gradients)


def test_a_story_has_the_answer_that_it_has_alone():
    model = model_of()
    logits = model.forward(STORY, QUESTION).logits
    for n in range(N):
        alone = STORY[LENGTHS[:, n] > 0, n : n + 1]
        np.testing.assert_allclose(model.forward(alone, QUESTION[n : n + 1]).logits[0], logits[n], atol=1e-13)


def test_only_the_last_sentences_of_a_long_story_count():
    model = model_of()
    long = np.concatenate((rng.integers(0, V, (4, 1, J)), STORY[:, :1]))  # nine sentences, S = 7
    short = model.forward(long[2:], QUESTION[:1]).logits
    np.testing.assert_array_equal(model.forward(long, QUESTION[:1]).logits, short)
    padded = np.concatenate((long, np.full((2, 1, J), -1)))
    np.testing.assert_allclose(model.forward(padded, QUESTION[:1]).logits, short, atol=1e-14)


def test_the_order_of_sentences_matters_by_their_age_alone():
    model = model_of()
    swapped = STORY[[1, 0, 2, 3, 4], :1]
    assert not np.allclose(
        model.forward(swapped, QUESTION[:1]).logits, model.forward(STORY[:, :1], QUESTION[:1]).logits
    )
    for name, array in model.parameters().items():
        if name.startswith("T_"):
            array[...] = 0
    np.testing.assert_allclose(
        model.forward(swapped, QUESTION[:1]).logits, model.forward(STORY[:, :1], QUESTION[:1]).logits, atol=1e-13
    )


@pytest.mark.parametrize("kind", KINDS[:2], ids=["adjacent", "layer-wise"])
def test_pytorch_agrees(kind):
    torch = pytest.importorskip("torch")
    model = model_of(*kind)
    out = model.loss_and_gradients(STORY, QUESTION, ANSWERS)
    P = {name: torch.tensor(array, requires_grad=True) for name, array in model.parameters().items()}

    def vectors(words, table):
        real = torch.tensor(words >= 0)
        J_own = real.sum(-1, keepdim=True).clamp(min=1)
        j, d = torch.arange(1, words.shape[-1] + 1).double(), torch.arange(1, D + 1).double() / D
        weights = (1 - j / J_own)[..., None] - d * (1 - 2 * j / J_own)[..., None]
        looked_up = table[torch.tensor(np.maximum(words, 0))]
        return (weights * looked_up * real[..., None]).sum(-2)

    count = torch.tensor((LENGTHS > 0).sum(axis=0))
    age = (count - 1 - torch.arange(NUM_SENTENCES)[:, None]).clamp(min=0)
    mask = torch.tensor(LENGTHS > 0)
    adjacent = kind[0] == "adjacent"
    u = vectors(QUESTION, P["E_0"] if adjacent else P["B"])
    for k in range(kind[1]):
        A, T_A, C, T_C = (P[name] for name in model.tables(k))
        m, v = vectors(STORY, A) + T_A[age], vectors(STORY, C) + T_C[age]
        e = torch.einsum("nd,ind->in", u, m).masked_fill(~mask, -torch.inf)
        r = torch.einsum("in,ind->nd", e.softmax(0), v)
        u = (u if adjacent else u @ P["W_u"]) + r
    logits = u @ (P[f"E_{kind[1]}"].T if adjacent else P["W_uy"])
    loss = torch.nn.functional.cross_entropy(logits, torch.tensor(ANSWERS))
    loss.backward()
    assert out.loss == pytest.approx(loss.item(), rel=1e-10)
    for name, gradient in out.gradients.items():
        np.testing.assert_allclose(gradient, P[name].grad.numpy(), rtol=0, atol=1e-10, err_msg=name)


def test_two_calls_give_the_same_bits_and_inputs_may_be_read_only():
    model = model_of()
    first = model.loss_and_gradients(read_only(STORY), read_only(QUESTION), read_only(ANSWERS))
    assert_same(first.gradients, model.loss_and_gradients(STORY, QUESTION, ANSWERS).gradients)


def test_an_answer_of_minus_one_is_not_counted():
    model = model_of()
    kept = model.loss_and_gradients(STORY[:, [0, 2]], QUESTION[[0, 2]], ANSWERS[[0, 2]])
    without = model.loss_and_gradients(STORY, QUESTION, np.where(np.arange(N) == 1, -1, ANSWERS))
    assert without.loss == pytest.approx(kept.loss, rel=1e-13)
    for name, gradient in without.gradients.items():
        np.testing.assert_allclose(gradient, kept.gradients[name], atol=1e-13)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda story, question: (story[0], question), r"story must be of shape \(I, N, J\)"),
        (lambda story, question: (story, question[:2]), r"story must be of shape \(I, N, J\)"),
        (lambda story, question: (np.where(story == 1, V, story), question), "story must lie in -1..7"),
        (lambda story, question: (story[:, :, ::-1], question), "padding, -1, after each sentence"),
        (lambda story, question: (story[::-1], question), "its padding after them"),
        (lambda story, question: (story, np.full_like(question, -1)), "a question with a word"),
    ],
)
def test_what_does_not_fit_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        model_of().forward(*change(STORY, QUESTION))
