import numpy as np
import pytest
from gradient_proofs import assert_same, prove, read_only

from numpylm.activations import log_softmax
from numpylm.loss import affine_cross_entropy, cross_entropy_backward, cross_entropy_forward, surprisal

rng = np.random.default_rng(0)
T, N, V = 4, 3, 5
LOGITS = 2 * rng.standard_normal((T, N, V))
TARGETS = np.array([[0, 4, -1], [2, -1, 1], [3, 3, 0], [-1, 1, 2]])
PREDICTED = [(t, n) for t in range(T) for n in range(N) if TARGETS[t, n] != -1]


def test_loss_is_the_mean_surprisal_of_predicted_tokens():
    expected = np.zeros((T, N))
    for place in PREDICTED:
        expected[place] = -log_softmax(LOGITS[place])[TARGETS[place]]
    other = LOGITS.copy()
    other[TARGETS == -1] = 1e3  # what is not predicted does not matter
    for logits in (LOGITS, other):
        np.testing.assert_allclose(surprisal(logits, TARGETS), expected, rtol=1e-13)
        loss, _ = cross_entropy_forward(logits, TARGETS)
        assert isinstance(loss, float) and loss == pytest.approx(expected.sum() / len(PREDICTED), rel=1e-14)


@pytest.mark.parametrize("targets", [TARGETS, np.abs(TARGETS), np.where(np.arange(T)[:, None] == T - 1, TARGETS, -1)])
def test_gradient_for_every_step_and_for_the_last_alone(targets):
    _, trace = cross_entropy_forward(LOGITS, targets)
    prove(
        lambda logits: cross_entropy_forward(logits, targets)[0],
        {"logits": LOGITS.copy()},
        {"logits": cross_entropy_backward(trace)},
    )


def test_every_gradient_of_the_output_layer():
    H, rng = 2, np.random.default_rng(1)
    h, W, b = rng.standard_normal((T, N, H)), rng.standard_normal((H, V)), rng.standard_normal(V)
    _, dh, dW, db = affine_cross_entropy(read_only(h), read_only(W), read_only(b), TARGETS)
    prove(
        lambda h, W, b: affine_cross_entropy(h, W, b, TARGETS)[0], {"h": h, "W": W, "b": b}, {"h": dh, "W": dW, "b": db}
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_huge_logits_stay_finite(dtype):
    logits = np.array([[[1000.0, -1000.0, 0.0]]], dtype=dtype)
    right, _ = cross_entropy_forward(logits, np.array([[0]]))
    wrong, trace = cross_entropy_forward(logits, np.array([[1]]))
    assert (right, wrong) == (0.0, 2000.0)
    assert (surprisal(logits, np.array([[0]])), surprisal(logits, np.array([[1]]))) == (0, 2000)
    dlogits = cross_entropy_backward(trace)
    assert dlogits.dtype == dtype
    np.testing.assert_array_equal(dlogits, [[[1, -1, 0]]])


def test_y_and_dlogits_may_be_written_over_the_logits():
    loss, trace = cross_entropy_forward(read_only(LOGITS), read_only(TARGETS))
    memory = LOGITS.copy()
    same_loss, same_trace = cross_entropy_forward(memory, TARGETS, overwrite=True)
    assert same_loss == loss and same_trace.y is memory
    assert_same(same_trace.y, trace.y)
    dlogits = cross_entropy_backward(same_trace, overwrite=True)
    assert dlogits is memory
    assert_same(dlogits, cross_entropy_backward(read_only(trace)))
