"""numpylm, PyTorch and JAX compute the same in the benchmark: a step, greedy sampling, an evaluation.

The losses of four steps are compared with those in float64, whose gradients `numpylm gradcheck` proves. The later ones
depend on every gradient and its scale.
"""

import numpy as np
import pytest

import numpylm as nlm
from numpylm.bench import measurements
from numpylm.bench.in_numpylm import MAX_NORM
from numpylm.bench.measurements import each, implementation
from numpylm.bench.shapes import Shape, random_batch
from numpylm.model import MODELS


def test_ctc_is_the_same_in_pytorch():
    pytest.importorskip("torch")
    contestants = measurements.ctc("ctc", measurements.FRAMES._replace(T=40, N=3))
    (loss, dlogits), (right, right_dlogits) = (run() for run in contestants.values())
    assert loss == pytest.approx(right, rel=1e-5)
    np.testing.assert_allclose(dlogits, right_dlogits, rtol=0, atol=1e-6)


@pytest.mark.parametrize("attention", ["none", "dot", "additive"])
def test_steps_of_a_translator_are_the_same_in_pytorch(attention):
    """The later losses depend on the gradients and their scale. PyTorch's second biases learn too: hence 1e-3."""
    pytest.importorskip("torch")
    tiny = measurements.TRANSLATOR._replace(T=4, N=3, D=6, H=8, V=9)
    ours, theirs = measurements.translation("gru", tiny, learning_rate=30.0, attention=attention).values()
    losses, right = ([step() for _ in range(3)] for step in (ours, theirs))
    assert losses == pytest.approx(right, rel=1e-3) and losses[2] < 0.95 * losses[0]


SHAPE = Shape("tiny", T=6, N=3, D=5, H=7, V=11)
RATE = 100.0  # gradients of norm MAX_NORM then move the weights by 1 in all, far above their rounding


@pytest.fixture(params=MODELS)
def model(request):
    return MODELS[request.param](SHAPE.V, SHAPE.D, SHAPE.H, seed=1)


@pytest.fixture
def batch():
    return random_batch(SHAPE, np.random.default_rng(2))


def right_losses(model, batch, two_biases):
    """The losses before each of four steps in float64. two_biases: PyTorch learns bias_hh beside bias_ih."""
    exact, optimizer = model.astype(float), nlm.SGD(RATE)
    for _ in range(4):
        out = exact.loss_and_gradients(*batch)
        yield out.loss
        gradients = nlm.to_torch_state_dict(exact.with_parameters(out.gradients))
        if two_biases:
            bias_ih, bias_hh = (gradients[f"{exact.cell.name}.bias_{part}_l0"] for part in ("ih", "hh"))
            shared = 2 * SHAPE.H if exact.cell.name == "gru" else len(bias_ih)  # the GRU's b_hn has its own gradient
            bias_hh[:shared] = bias_ih[:shared]
        weights = nlm.to_torch_state_dict(exact)
        optimizer.step(weights, nlm.clip_by_global_norm(gradients, MAX_NORM)[0])
        nlm.load_torch_state_dict(exact, weights)


@pytest.mark.parametrize("name", ["numpylm", "torch", "jax"])
def test_all_compute_the_same_and_leave_the_model_alone(name, model, batch):
    if name != "numpylm":
        pytest.importorskip(name)
    one, before = implementation(name), {key: array.copy() for key, array in model.parameters().items()}
    step, right = one.train(model, batch, RATE), [*right_losses(model, batch, two_biases=name == "torch")]
    assert [step() for _ in right] == pytest.approx(right, rel=1e-5) and right[3] < 0.9 * right[0]
    assert one.sample(model, 20, True)() == nlm.generate(model.astype(float), [0], 20, temperature=0).tolist()
    assert len(one.sample(model, 9)()) == 9
    stream = np.random.default_rng(3).integers(SHAPE.V, size=50)
    assert one.evaluate(model, stream, 4)() == pytest.approx(nlm.evaluate(model.astype(float), stream, 4).loss, 1e-5)
    for parameter, array in model.parameters().items():
        np.testing.assert_array_equal(array, before[parameter])


def test_pytorchs_tokens_are_drawn_with_their_probabilities():
    torch = pytest.importorskip("torch")
    from numpylm.bench.in_torch import draw

    torch.manual_seed(0)
    y = torch.tensor([[0.5, 0.0, 0.3, 0.2]])
    counts = np.bincount([int(draw(y)) for _ in range(4000)], minlength=4)
    np.testing.assert_allclose(counts / 4000, y[0].numpy(), atol=0.03)


def test_many_texts_at_once_are_those_drawn_singly(monkeypatch):
    monkeypatch.setattr(measurements, "SAMPLED_TEXTS", 3)
    together, singly = (function() for function in measurements.batch_sampling("gru", SHAPE).values())
    assert np.array_equal(together, singly)
    assert np.size(together) == measurements.MEASUREMENTS["batch_sampling"].units(SHAPE)


def test_what_is_not_installed_is_left_out(monkeypatch):
    monkeypatch.setattr(measurements, "find_spec", lambda name: None)
    assert list(each("sample", MODELS["rnn"](5, 2, 3), 4)) == ["numpylm"]
