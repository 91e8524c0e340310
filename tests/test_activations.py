import numpy as np
import pytest
from gradient_proofs import prove

from numpylm import activations as act

rng = np.random.default_rng(0)
A = 3 * rng.standard_normal((4, 5))
COTANGENT = rng.standard_normal((4, 5))
PAIRS = [
    (act.sigmoid, act.sigmoid_backward),
    (act.tanh, act.tanh_backward),
    (act.relu, act.relu_backward),
    (act.softmax, act.softmax_backward),
    (act.log_softmax, act.log_softmax_backward),
]
EXTREMES = np.array([-1000.0, -100.0, -1.0, 0.0, 1.0, 100.0, 1000.0])


@pytest.mark.parametrize(("forward", "backward"), PAIRS)
def test_backward_is_the_derivative(forward, backward):
    assert np.abs(A).min() > 1e-3  # off the kink of relu
    prove(lambda a: (COTANGENT * forward(a)).sum(), {"a": A}, {"a": backward(COTANGENT, forward(A))})


@pytest.mark.parametrize(("forward", "backward"), PAIRS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128])
def test_extremes_are_finite_and_the_dtype_stays(forward, backward, dtype):
    y = forward(EXTREMES.astype(dtype))
    da = backward(np.ones_like(y), y)
    assert np.isfinite(y).all() and np.isfinite(da).all()
    assert y.dtype == da.dtype == dtype


def test_values_are_the_definitions():
    np.testing.assert_allclose(act.sigmoid(A), 1 / (1 + np.exp(-A)), rtol=1e-13)
    np.testing.assert_allclose(act.softmax(A), np.exp(A) / np.exp(A).sum(axis=-1, keepdims=True), rtol=1e-13)
    np.testing.assert_allclose(np.exp(act.log_softmax(A)), act.softmax(A), rtol=1e-14)
    np.testing.assert_array_equal(act.tanh(A), np.tanh(A))
    np.testing.assert_array_equal(act.log_softmax(np.array([0.0, -1000.0])), [0, -1000])  # its probability is 0


def test_relu_values_and_its_kink():
    np.testing.assert_array_equal(act.relu(np.array([-2.0, 0.0, 3.0])), [0, 0, 3])
    np.testing.assert_array_equal(act.relu_backward(np.array([5.0, 5.0, 5.0]), np.array([0.0, 0.0, 3.0])), [0, 0, 5])
    assert np.isnan(act.relu(np.array(np.nan)))
