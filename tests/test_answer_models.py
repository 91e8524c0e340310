"""Memory network and reader: every gradient by two numerical derivatives and by PyTorch, padding, ages, bad input."""

import numpy as np
import pytest
from gradient_proofs import assert_pytorchs, assert_same, prove, read_only
from models import randomized

from numpylm import memory_network as memory
from numpylm.memory_network import MemoryNetwork
from numpylm.reader import Reader
from numpylm.torch_bridge import to_torch_state_dict

rng = np.random.default_rng(0)
NUM_SENTENCES, N, J, D, H, V, S = 5, 3, 4, 5, 2, 8, 7
LENGTHS = np.array([[4, 2, 3], [1, 4, 2], [3, 0, 2], [2, 0, 4], [4, 0, 0]])  # (I, N) words; 0: no such sentence
STORY = np.where(np.arange(J) < LENGTHS[:, :, None], rng.integers(0, V, (NUM_SENTENCES, N, J)), -1)
QUESTION = np.where(np.arange(J) < np.array([3, 4, 1])[:, None], rng.integers(0, V, (N, J)), -1)
ANSWERS = np.array([2, 7, 4])
KINDS = {
    "adjacent": (MemoryNetwork, {"num_hops": 3}),
    "layer-wise": (MemoryNetwork, {"num_hops": 2, "tying": "layer-wise"}),
    "lstm": (Reader, {"cell": "lstm", "first": "question"}),
    "rnn": (Reader, {"cell": "rnn", "first": "story", "num_layers": 2, "dropout": 0.4}),
    "gru": (Reader, {"cell": "gru", "first": "question", "bidirectional": True}),
}
each_kind = pytest.mark.parametrize("kind", KINDS)


def model_of(kind):
    """A model in float64 with parameters of order one."""
    Model, options = KINDS[kind]
    sizes = {"num_sentences": S} if Model is MemoryNetwork else {"hidden_dim": H}
    return randomized(Model(V, D, **sizes, **options, dtype=np.float64), rng)


def logits_of(model, story=STORY, question=QUESTION):
    return model.forward(story, question).logits


@pytest.mark.parametrize("position_encoding", [True, False])
def test_a_sentence_s_vector_is_its_equation(position_encoding):
    E, T = rng.standard_normal((V, D)), rng.standard_normal((S, D))
    ages = rng.standard_normal((NUM_SENTENCES, N, S))
    bags = np.concatenate((memory.bags_of(STORY, V, float, position_encoding), ages), axis=-1)
    m = memory.sentence_vectors_forward(bags, E, T)
    for i, n, d in np.ndindex(m.shape):
        words, expected = [word for word in STORY[i, n] if word >= 0], ages[i, n] @ T[:, d]
        for j, word in enumerate(words, start=1):
            weight = (1 - j / len(words)) - ((d + 1) / D) * (1 - 2 * j / len(words))  # (41)
            expected += (weight if position_encoding else 1) * E[word, d]
        assert m[i, n, d] == pytest.approx(expected, abs=1e-13)
    dm = rng.standard_normal(m.shape)
    dE, dT = memory.sentence_vectors_backward(dm, bags, E)
    prove(lambda E, T: (dm * memory.sentence_vectors_forward(bags, E, T)).sum(), {"E": E, "T": T}, {"E": dE, "T": dT})


@pytest.mark.parametrize("linear", [False, True])
def test_the_gradients_of_one_hop_and_none_for_padding(linear):
    mask, shape = LENGTHS > 0, (NUM_SENTENCES, N, D)
    arrays = {"m": rng.standard_normal(shape), "v": rng.standard_normal(shape), "u": rng.standard_normal((N, D))}
    du_next = rng.standard_normal((N, D))
    found = memory.hop_backward(du_next, memory.hop_forward(**arrays, mask=mask, linear=linear), mask, linear=linear)

    def loss(**given):
        return (du_next * memory.hop_forward(**given, mask=mask, linear=linear).u_next).sum()

    prove(loss, arrays, {name: getattr(found, f"d{name}") for name in arrays})
    assert (found.dv[~mask] == 0).all() and (found.dm[~mask] == 0).all()


@pytest.mark.parametrize(
    ("kind", "linear"), [(kind, False) for kind in KINDS] + [("adjacent", True), ("layer-wise", True)]
)
def test_every_parameter_s_gradient(kind, linear):
    model = model_of(kind)

    def run(**parameters):
        options = {"linear": linear} if isinstance(model, MemoryNetwork) else {"rng": np.random.default_rng(1)}
        return model.with_parameters(parameters).loss_and_gradients(STORY, QUESTION, ANSWERS, **options)

    parameters = model.parameters()
    prove(lambda **given: run(**given).loss, parameters, run(**parameters).gradients)


@pytest.mark.parametrize("kind", ["adjacent", "layer-wise"])
def test_pytorch_agrees_with_the_memory_network(kind):
    torch = pytest.importorskip("torch")
    model = model_of(kind)
    P = {name: torch.tensor(array, requires_grad=True) for name, array in model.parameters().items()}

    def vectors(words, table):
        real = torch.tensor(words >= 0)
        J_own = real.sum(-1, keepdim=True).clamp(min=1)
        j, d = torch.arange(1, words.shape[-1] + 1).double(), torch.arange(1, D + 1).double() / D
        weights = (1 - j / J_own)[..., None] - d * (1 - 2 * j / J_own)[..., None]
        return (weights * table[torch.tensor(np.maximum(words, 0))] * real[..., None]).sum(-2)

    age = (torch.tensor((LENGTHS > 0).sum(axis=0)) - 1 - torch.arange(NUM_SENTENCES)[:, None]).clamp(min=0)
    adjacent, K = kind == "adjacent", model.sizes.num_hops
    u = vectors(QUESTION, P["E_0" if adjacent else "B"])
    for k in range(K):
        A, C = (f"{k}", f"{k + 1}") if adjacent else ("A", "C")
        m, v = (vectors(STORY, P["E_" * adjacent + name]) + P[f"T_{name}"][age] for name in (A, C))
        e = torch.einsum("nd,ind->in", u, m).masked_fill(torch.tensor(LENGTHS == 0), -torch.inf)
        u = (u if adjacent else u @ P["W_u"]) + torch.einsum("in,ind->nd", e.softmax(0), v)
    logits = u @ P[f"E_{K}" if adjacent else "E_y"].T
    loss = torch.nn.functional.cross_entropy(logits, torch.tensor(ANSWERS))
    loss.backward()
    out = model.loss_and_gradients(STORY, QUESTION, ANSWERS)
    assert out.loss == pytest.approx(loss.item(), rel=1e-10)
    for name, gradient in out.gradients.items():
        np.testing.assert_allclose(gradient, P[name].grad.numpy(), rtol=0, atol=1e-10, err_msg=name)


@pytest.mark.parametrize("kind", ["lstm", "rnn", "gru"])
def test_pytorch_agrees_with_the_reader(kind):
    torch = pytest.importorskip("torch")
    from numpylm.kinds.translation_torch import Translator

    model = model_of(kind)
    network = Translator(**model.network.config).double().eval()
    network.load_state_dict({name: torch.tensor(q) for name, q in to_torch_state_dict(model.network).items()})
    network.target_embedding = network.source_embedding
    logits = []
    for n in range(N):  # story by story, without padding
        texts = [torch.tensor(words[words >= 0])[:, None] for words in (QUESTION[n], STORY[:, n])]
        source, inputs = texts if model.sizes.first == "question" else texts[::-1]
        logits.append(network(source, torch.tensor([len(source)]), inputs)[-1])
    loss = torch.nn.functional.cross_entropy(torch.cat(logits), torch.tensor(ANSWERS))
    loss.backward()
    out = model.loss_and_gradients(STORY, QUESTION, ANSWERS)
    assert out.loss == pytest.approx(loss.item(), rel=1e-10)
    assert_pytorchs(to_torch_state_dict(model.with_parameters(out.gradients).network), network)


@each_kind
def test_a_story_has_the_answer_that_it_has_alone(kind):
    model = model_of(kind)
    for n, logits in enumerate(logits_of(model)):
        alone = logits_of(model, STORY[LENGTHS[:, n] > 0, n : n + 1], QUESTION[n : n + 1])
        np.testing.assert_allclose(alone[0], logits, atol=1e-13)


def test_the_memory_network_reads_the_last_sentences_and_tells_them_apart_by_their_age():
    model = model_of("adjacent")
    long = np.concatenate((rng.integers(0, V, (4, 1, J)), STORY[:, :1]))  # nine sentences, S = 7
    short = logits_of(model, long[2:], QUESTION[:1])
    padded = np.concatenate((long, np.full((2, 1, J), -1)))
    for story in (long, padded):
        np.testing.assert_allclose(logits_of(model, story, QUESTION[:1]), short, atol=1e-13)
    swapped = long[[3, 2, 4, 5, 6, 7, 8]]
    assert not np.allclose(logits_of(model, swapped, QUESTION[:1]), short)
    ageless = model.with_parameters({name: q * (name[0] != "T") for name, q in model.parameters().items()})
    both = (logits_of(ageless, story, QUESTION[:1]) for story in (swapped, long[2:]))
    np.testing.assert_allclose(*both, atol=1e-13)


@each_kind
def test_two_calls_give_the_same_bits_inputs_may_be_read_only_and_an_answer_of_minus_one_is_not_counted(kind):
    model = model_of(kind)
    arrays = STORY, QUESTION, np.where(np.arange(N) == 1, -1, ANSWERS)
    out = model.loss_and_gradients(*arrays)
    assert_same(model.loss_and_gradients(*map(read_only, arrays)).gradients, out.gradients)
    kept = model.loss_and_gradients(STORY[:, [0, 2]], QUESTION[[0, 2]], ANSWERS[[0, 2]])
    assert out.loss == pytest.approx(kept.loss, rel=1e-13)
    for name, gradient in out.gradients.items():
        np.testing.assert_allclose(gradient, kept.gradients[name], atol=1e-13)
    gradients = model.astype(np.float32).loss_and_gradients(*arrays).gradients
    assert {gradient.dtype for gradient in gradients.values()} == {np.dtype(np.float32)}


LAST = "padding, -1, must come after them"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ((STORY[0], QUESTION), r"story must be of shape \(I, N, J\)"),
        ((STORY, QUESTION[:2]), r"got \(5, 3, 4\) and \(2, 4\)"),
        ((np.where(STORY == 1, V, STORY), QUESTION), "story must lie in -1..7"),
        ((STORY[:, :, ::-1], QUESTION), LAST),
        ((np.where(np.arange(NUM_SENTENCES)[:, None, None] == 1, -1, STORY), QUESTION), LAST),
        ((np.full_like(STORY, -1), QUESTION), LAST),
        ((STORY, np.where(np.arange(J) == 1, -1, QUESTION)), LAST),
        ((STORY, np.full_like(QUESTION, -1)), LAST),
    ],
)
def test_a_story_that_does_not_fit_is_refused(given, message):
    for kind in ("adjacent", "lstm"):
        with pytest.raises(ValueError, match=message):
            logits_of(model_of(kind), *given)


@pytest.mark.parametrize(
    ("Model", "arguments", "message"),
    [
        (MemoryNetwork, {"tying": "none"}, "tying must be"),
        (MemoryNetwork, {"num_hops": 0}, "num_hops must be"),
        (Reader, {"hidden_dim": 5, "bidirectional": True}, "H must be even"),
        (Reader, {"first": "answer"}, "first must be"),
        (Reader, {"cell": "cnn"}, "cell must be"),
        (Reader, {"vocab_size": 0}, "^vocab_size must be"),
    ],
)
def test_a_model_that_cannot_be_is_refused(Model, arguments, message):
    with pytest.raises(ValueError, match=message):
        Model(**{"vocab_size": V, **arguments})
