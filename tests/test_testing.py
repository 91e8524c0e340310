"""numpylm.testing: a teacher's own test of a student's backward, in three lines."""

import numpy as np
import pytest

from numpylm.testing import assert_gradients


def forward(x, W, b):
    y = np.tanh(x @ W + b)
    return y, (x, W, y)


def backward(dy, cache):
    x, W, y = cache
    dy *= 1 - y**2  # in place: the caller's array is safe
    return dy @ W.T, x.T @ dy, dy.sum(axis=0)


def test_right_gradients_pass():
    assert assert_gradients(forward, backward, x=(2, 3), W=(3, 4), b=(4,)).ok


def test_wrong_gradients_fail_with_the_report():
    def wrong(dy, cache):
        dx, dW, db = backward(dy, cache)
        return dx, dW, 2 * db

    with pytest.raises(AssertionError, match=r"wrong is not the derivative of forward(.|\n)*b"):
        assert_gradients(forward, wrong, x=(2, 3), W=(3, 4), b=(4,))


def test_two_outputs_dicts_of_parameters_and_gradients_by_name():
    def step(x, parameters):
        a = parameters["W"] @ x
        return np.sin(a), np.cos(a), (x, a, parameters)

    def step_backward(ds, dc, cache):
        x, a, parameters = cache
        da = ds * np.cos(a) - dc * np.sin(a)
        return {"dx": parameters["W"].T @ da, "dW": da @ x.T}

    assert_gradients(step, step_backward, x=(3, 2), parameters={"W": (4, 3)})


@pytest.mark.parametrize(
    ("forward", "arguments", "message"),
    [
        (lambda x, W, b: np.tanh(x @ W + b), {}, "it takes dy, and forward returns 0 beside its cache"),
        (lambda x, W, b: (np.zeros(2, int), None), {}, "it takes dy, and forward returns 0 beside its cache"),
        (forward, {"b": np.ma.array(np.ones(4), mask=True)}, "b must be a plain array; got a masked array"),
    ],
)
def test_what_cannot_be_compared_is_told(forward, arguments, message):
    with pytest.raises((ValueError, TypeError), match=message):
        assert_gradients(forward, backward, **{"x": (2, 3), "W": (3, 4), "b": (4,)} | arguments)
