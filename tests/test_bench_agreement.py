"""Agreement: the right training step passes in numpylm, PyTorch and JAX, and every planted wrong one is caught."""

import numpy as np
import pytest

import numpylm as nlm
from numpylm.bench import implementations
from numpylm.bench.agreement import evaluation_disagreement, sampling_disagreement, training_disagreement
from numpylm.bench.implementations import MAX_NORM, Step, implementation, installed, numpylm_train
from numpylm.bench.shapes import SHAPES, Batch, Shape, random_batch
from numpylm.model import MODELS

SHAPE = Shape("tiny", T=6, N=3, D=5, H=7, V=11)
OURS = implementation("numpylm")


@pytest.fixture(params=MODELS)
def model(request):
    return MODELS[request.param](SHAPE.V, SHAPE.D, SHAPE.H, seed=1)


@pytest.fixture
def batch():
    return random_batch(SHAPE, np.random.default_rng(2))


@pytest.fixture
def stream():
    return np.random.default_rng(3).integers(SHAPE.V, size=50)


@pytest.mark.parametrize("name", ["numpylm", "torch", "jax"])
def test_the_implementations_agree_in_training_sampling_and_evaluation(name, model, batch, stream):
    if name != "numpylm":
        pytest.importorskip(name)
    before = {name: array.copy() for name, array in model.parameters().items()}
    one = installed()[name]
    assert training_disagreement(model, batch, one) is None
    assert sampling_disagreement(model, one) is None
    assert evaluation_disagreement(model, stream, 4, one) is None
    assert len(one.sample(model, 9)()) == 9
    for parameter, array in model.parameters().items():
        np.testing.assert_array_equal(array, before[parameter], "an implementation changed the model it was given")


def wrong_step(model, batch, learning_rate, change, rate=1.0, loss_factor=1.0):
    """numpylm's step with a change to its gradients, a function of a name -> gradient dict, or to its rate or loss."""
    model = model.astype(model.dtype)

    def run():
        out = model.loss_and_gradients(batch.inputs, batch.targets)
        nlm.SGD(rate * learning_rate).step(model.parameters(), change(out.gradients))
        return out.loss * loss_factor

    return Step(run, lambda: nlm.to_torch_state_dict(model))


def clipped(gradients):
    return nlm.clip_by_global_norm(gradients, MAX_NORM)[0]


def without(name):
    return lambda gradients: clipped(gradients) | {name: np.zeros_like(gradients[name])}


def as_bfloat16(array):
    """The upper sixteen bits of each float32."""
    return (array.view(np.uint32) & np.uint32(0xFFFF0000)).view(np.float32)


MISTAKES = {
    "no update at all": {"change": lambda g: {name: 0 * array for name, array in g.items()}},
    "no clipping": {"change": lambda g: g},
    "each array clipped alone": {"change": lambda g: {n: clipped({n: a})[n] for n, a in g.items()}},
    "a rate one per cent too high": {"change": clipped, "rate": 1.01},
    "another loss": {"change": clipped, "loss_factor": 1.01},
    "no number": {"change": clipped, "loss_factor": np.nan},
    "no gradient of b_y": {"change": without("b_y")},
    "no gradient of E": {"change": without("E")},
    "bfloat16": {"change": lambda g: {name: as_bfloat16(array) for name, array in clipped(g).items()}},
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_planted_wrong_step_is_caught(mistake, model, batch):
    def train(model, batch, learning_rate):
        return wrong_step(model, batch, learning_rate, **MISTAKES[mistake])

    assert training_disagreement(model, batch, OURS._replace(train=train))


def test_the_same_step_without_a_mistake_passes(model, batch):
    def train(model, batch, learning_rate):
        return wrong_step(model, batch, learning_rate, clipped)

    assert training_disagreement(model, batch, OURS._replace(train=train)) is None


def test_a_step_on_other_tokens_is_caught(model, batch):
    def train(model, batch, learning_rate):
        return numpylm_train(model, Batch(batch.targets, batch.inputs), learning_rate)

    assert training_disagreement(model, batch, OURS._replace(train=train)).startswith("its loss is")


def test_other_tokens_and_other_nats_are_caught(model, stream):
    def sample(model, num_tokens, greedy):
        return lambda: [0] * num_tokens

    def evaluate(model, tokens, batch_size):
        return lambda: 1.01 * nlm.evaluate(model, tokens, batch_size).loss

    assert sampling_disagreement(model, OURS._replace(sample=sample)).startswith("greedily it draws")
    assert evaluation_disagreement(model, stream, 4, OURS._replace(evaluate=evaluate)).startswith("it finds")


@pytest.mark.parametrize("name", "ABD")
def test_every_timed_step_has_to_scale_its_gradients(name):
    shape = SHAPES[name]
    batch = random_batch(shape, np.random.default_rng(0))
    out = nlm.RNNLM(shape.V, shape.D, shape.H).loss_and_gradients(batch.inputs, batch.targets)
    assert nlm.clip_by_global_norm(out.gradients, MAX_NORM)[1] > 10 * MAX_NORM


def test_pytorchs_tokens_are_drawn_with_their_probabilities():
    torch = pytest.importorskip("torch")
    from numpylm.bench.in_torch import draw

    torch.manual_seed(0)
    y = torch.tensor([[0.5, 0.0, 0.3, 0.2]])
    counts = np.bincount([int(draw(y)) for _ in range(4000)], minlength=4)
    np.testing.assert_allclose(counts / 4000, y[0].numpy(), atol=0.03)
    assert counts[1] == 0


def test_what_is_not_installed_is_left_out(monkeypatch):
    monkeypatch.setattr(implementations, "find_spec", lambda name: None)
    assert list(installed()) == ["numpylm"]
    assert implementation("torch") is None
