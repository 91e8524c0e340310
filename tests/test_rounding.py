"""What rounding alone may do to a right gradient, and that it is not called wrong for it; nor a wrong one right."""

import numpy as np
import pytest

from numpylm import check_gradients
from numpylm.loss import cross_entropy_backward, cross_entropy_forward
from numpylm.proof.gradient_check import CHECKS

TARGETS = np.array([[0, 1, 2]])
X = np.random.default_rng(1).standard_normal((3, 4))
PER_ENTRY = [method for method in CHECKS if method != "projection"]


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def binary_cross_entropy(x):
    return -np.log(sigmoid(x)).sum()


def layer_norm_sum(x):
    return ((x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5)).sum()


def loss_of(x):
    return cross_entropy_forward(x, TARGETS)[0]


def verdict(f, x, claim, method="central"):
    report = check_gradients(f, {"x": x}, {"x": claim}, method)
    return "right" if report.ok else "WRONG" if report.worst.num_wrong else "not proved"


@pytest.mark.parametrize("method", PER_ENTRY)
@pytest.mark.parametrize("size", [5, 10, 20, 25, 30, 36, 40, 60, 100])
def test_confident_logits(size, method):
    logits = size * np.eye(3)[TARGETS]
    claim = cross_entropy_backward(cross_entropy_forward(logits, TARGETS)[1])
    said = verdict(loss_of, logits, claim, method)
    assert said == "right" or (said == "not proved" and 25 < size < 100)
    if size <= 40:
        assert verdict(loss_of, logits, 1.01 * claim if size <= 25 else claim + 1e-9, method) == "WRONG"


@pytest.mark.parametrize("method", PER_ENTRY)
@pytest.mark.parametrize("f", [lambda x: (x - x.mean()).sum(), layer_norm_sum])
@pytest.mark.parametrize("size", [1.0, 1e6])
def test_a_zero_that_is_left_by_cancellation_is_not_called_wrong(f, size, method):
    assert verdict(f, size * X, 0 * X, method) != "WRONG"
    assert verdict(f, size * X, 0 * X + 1e-3, method) != "right"
    assert verdict(f, X, 0 * X + 1e-3, method) == "WRONG"


@pytest.mark.parametrize("method", PER_ENTRY)
def test_entries_that_are_nothing_beside_the_largest_are_named(method):
    x = np.array([1e-8, 1.0])
    report = check_gradients(lambda x: (1 / x).sum(), {"x": x}, {"x": -np.array([1e16, 5])}, method)
    assert report.worst.num_wrong or "x[1] is too small to be judged: -5.0e+00 is claimed" in report.complaints[0]
    assert check_gradients(lambda x: (1 / x).sum(), {"x": x}, {"x": -1 / x**2}, method).ok
    x = np.array([50.0, -5, -6])
    report = check_gradients(lambda x: np.exp(x).sum(), {"x": x}, {"x": [1, 2, 2] * np.exp(x)}, method)
    assert not report.ok
    assert check_gradients(lambda x: np.exp(x).sum(), {"x": x}, {"x": np.exp(x)}, method).ok


@pytest.mark.parametrize("method", ["central", "complex", "projection"])
def test_a_float32_claim_that_is_small_beside_f_is_not_right(method):
    def f(x, y):
        return 1e4 + (x**2).sum() + 1e-4 * (y**2).sum()

    for factor, is_right in ((1, True), (1.5, False), (0, False)):
        claim = {"x": (2 * X).astype(np.float32), "y": (factor * 2e-4 * X).astype(np.float32)}
        given = {"x": X.astype(np.float32), "y": X.astype(np.float32)}
        report = check_gradients(f, given, claim, method)
        assert report.ok == is_right and (is_right or report.worst.num_wrong or "float32" in report.complaints[0])


@pytest.mark.parametrize("method", ["central", "complex"])
@pytest.mark.parametrize("size", [15, 25, 30, 40])
def test_entries_that_are_not_drawn_are_not_wrong_by_rounding_either(size, method):
    rng = np.random.default_rng(0)
    targets = rng.integers(0, 300, (5, 2))
    logits = size * np.eye(300)[targets] + rng.standard_normal((5, 2, 300))
    claim = cross_entropy_backward(cross_entropy_forward(logits, targets)[1])

    def f(logits):
        return cross_entropy_forward(logits, targets)[0]

    report = check_gradients(f, {"logits": logits}, {"logits": claim}, method, max_entries=50)
    assert not report.worst.num_wrong and (report.ok or size > 30), report
    claim[4, 1, 7] += 1e-3
    wrong = check_gradients(f, {"logits": logits}, {"logits": claim}, method, max_entries=50)
    assert wrong.worst.num_wrong == 1 and wrong.worst.index == (4, 1, 7)


def test_the_last_digit_of_a_right_backward_pass_is_nothing_beside_the_largest_derivative():
    def f(x, b):
        return (np.exp(x + b) / np.exp(x + b).sum(axis=1, keepdims=True) * X).sum()  # b shifts all logits alike

    s = np.exp(X) / np.exp(X).sum(axis=1, keepdims=True)
    dx = s * (X - (s * X).sum(axis=1, keepdims=True))
    for method in CHECKS:
        arguments = {"x": X, "b": np.array(0.7)}
        assert check_gradients(f, arguments, {"x": dx, "b": np.array(2e-16)}, method).ok
        assert not check_gradients(f, arguments, {"x": dx, "b": np.array(1e-9)}, method).ok
