import numpy as np
import pytest
from gradient_proofs import assert_same, prove, read_only

from numpylm.activations import log_softmax, softmax
from numpylm.loss import cross_entropy_backward, cross_entropy_forward, surprisal

rng = np.random.default_rng(0)
T, N, V = 4, 3, 5
LOGITS = 2 * rng.standard_normal((T, N, V))
TARGETS = np.array([[0, 4, -1], [2, -1, 1], [3, 3, 0], [-1, 1, 2]])


def naive_loss(logits, targets):
    nats = [
        -log_softmax(logits[t, n])[targets[t, n]]
        for t in range(len(targets))
        for n in range(targets.shape[1])
        if targets[t, n] != -1
    ]
    return sum(nats) / len(nats)


def test_loss_is_the_mean_surprisal_of_predicted_tokens():
    loss, _ = cross_entropy_forward(LOGITS, TARGETS)
    assert loss == pytest.approx(naive_loss(LOGITS, TARGETS), rel=1e-14)


@pytest.mark.parametrize("targets", [TARGETS, np.abs(TARGETS), np.where(np.arange(T)[:, None] == T - 1, TARGETS, -1)])
def test_gradient_for_every_step_and_for_the_last_alone(targets):
    _, trace = cross_entropy_forward(LOGITS, targets)
    prove(
        lambda logits: cross_entropy_forward(logits, targets)[0],
        {"logits": LOGITS.copy()},
        {"logits": cross_entropy_backward(trace)},
    )


def test_gradient_is_y_minus_onehot_over_the_count():
    _, trace = cross_entropy_forward(LOGITS, TARGETS)
    dlogits = cross_entropy_backward(trace)
    np.testing.assert_array_equal(dlogits[TARGETS == -1], 0)
    expected = (softmax(LOGITS) - np.eye(V)[TARGETS]) / (TARGETS != -1).sum()
    np.testing.assert_allclose(dlogits[TARGETS != -1], expected[TARGETS != -1], atol=1e-16)
    np.testing.assert_allclose(dlogits.sum(axis=-1), 0, atol=1e-16)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_huge_logits_stay_finite(dtype):
    logits = np.array([[[1000.0, -1000.0, 0.0]]], dtype=dtype)
    right, _ = cross_entropy_forward(logits, np.array([[0]]))
    wrong, trace = cross_entropy_forward(logits, np.array([[1]]))
    assert (right, wrong) == (0.0, 2000.0)
    assert (surprisal(logits, np.array([[0]])), surprisal(logits, np.array([[1]]))) == (0, 2000)
    np.testing.assert_array_equal(cross_entropy_backward(trace), [[[1, -1, 0]]])


def test_dtype_stays_and_inputs_are_left_alone():
    logits, targets = read_only(LOGITS.astype(np.float32)), read_only(TARGETS)
    loss, trace = cross_entropy_forward(logits, targets)
    assert isinstance(loss, float)
    trace = read_only(trace)
    assert cross_entropy_backward(trace).dtype == np.float32
    assert_same(cross_entropy_backward(trace), cross_entropy_backward(trace))


def test_no_predicted_token_is_an_error():
    with pytest.raises(ValueError, match="every target is -1"):
        cross_entropy_forward(LOGITS, np.full((T, N), -1))


def test_surprisal_is_the_loss_before_the_mean():
    other = LOGITS.copy()
    other[TARGETS == -1] = 1e3  # what is not predicted does not matter
    assert cross_entropy_forward(other, TARGETS)[0] == cross_entropy_forward(LOGITS, TARGETS)[0]
    nats = surprisal(LOGITS, TARGETS)
    np.testing.assert_array_equal(nats[TARGETS == -1], 0)
    assert nats.sum() / (TARGETS != -1).sum() == pytest.approx(naive_loss(LOGITS, TARGETS), rel=1e-14)


def test_y_and_dlogits_may_be_written_over_the_logits():
    loss, trace = cross_entropy_forward(read_only(LOGITS), TARGETS)
    memory = LOGITS.copy()
    same_loss, same_trace = cross_entropy_forward(memory, TARGETS, overwrite=True)
    assert same_loss == loss and same_trace.y is memory
    assert_same(same_trace.y, trace.y)
    dlogits = cross_entropy_backward(same_trace, overwrite=True)
    assert dlogits is memory
    assert_same(dlogits, cross_entropy_backward(read_only(trace)))
