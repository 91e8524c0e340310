"""What is said of claims before a value is compared, and of functions that return more than the loss."""

import numpy as np
import pytest

from numpylm import check_gradients

X = np.random.default_rng(3).standard_normal((2, 3))
W = np.ones(3)


def product(x, w):
    return (x * w).sum()


def test_a_claim_for_integers_is_not_passed_over():
    x = np.array([1, 2, 3])
    report = check_gradients(product, {"x": x, "w": W}, {"x": np.array([9.0, 9, 9]), "w": 1.0 * x})
    assert not report.ok and not report.worst.num_wrong
    assert report.complaints == [
        "x holds integers and was not checked: give it as real numbers, 1.0, 2.0, …, and not 1, 2, …"
    ]
    assert check_gradients(product, {"x": x, "w": W}, {"w": 1.0 * x}).ok
    assert check_gradients(product, {"x": x, "w": W}, {"x": np.zeros(3), "w": 1.0 * x}).ok  # tokens, for instance
    assert "w holds integers" in str(check_gradients(product, {"x": X, "w": 3}, {"x": 3 + 0 * X, "w": 999.0}))
    assert not check_gradients(product, {"x": W, "w": 3}, {"x": 3 * W, "w": 3.0}).ok  # right, but nobody looked


def test_a_list_of_numbers_is_an_array():
    x = np.array([1.0, 2.0])
    assert check_gradients(lambda x: (x * x).sum(), {"x": x}, {"x": [2.0, 4.0]}).ok
    assert check_gradients(lambda x: (x * x).sum(), {"x": X}, {"x": (2 * X).tolist()}).ok
    assert check_gradients(lambda x: (x * x).sum(), {"x": x}, lambda x: {"x": list(2 * x)}).ok
    assert check_gradients(lambda p: (p["x"] ** 2).sum(), {"p": {"x": x}}, {"p": {"x": (2.0, 4.0)}}).ok
    assert check_gradients(lambda x: (x * x).sum(), {"x": x}, {"x": [2.0, 5.0]}).worst.num_wrong == 1
    assert not check_gradients(lambda x: (x * x).sum(), {"x": X}, {"x": [[1.0], [2.0, 3.0]]}).ok


@pytest.mark.parametrize("claim", [None, 2 * X, (2 * X,), lambda x: 2 * x])
def test_gradients_without_names_are_refused(claim):
    with pytest.raises(TypeError, match=r'gradients must be a dict by the arguments\' names, {"x": …}; got '):
        check_gradients(lambda x: (x**2).sum(), {"x": X}, claim)


def test_what_the_function_does_not_use_needs_no_gradient():
    """As with a dict of parameters that always holds W_hy."""
    claim = {"w": X.sum(axis=0), "x": np.tile(W, (2, 1))}
    report = check_gradients(lambda x, w, unused: product(x, w), {"x": X, "w": W, "unused": X}, claim)
    assert report.ok and [row.name for row in report.rows] == ["x", "w"]
    report = check_gradients(lambda x, w, used: product(x, w) + 1e-9 * used.sum(), {"x": X, "w": W, "used": X}, claim)
    assert report.complaints == ["there is no gradient of used"]


def test_who_writes_into_what_is_said_and_does_no_harm():
    def f(c):
        return c**2

    def backward(c):
        nonlocal dc
        dc *= 2 * c  # the caller's cotangent
        return {"c": dc.copy()}

    dc, before = np.array([1.0, 2, 3]), np.array([1.0, 2, 3])
    report = check_gradients(f, {"c": W + 1}, backward, cotangents=dc)
    assert report.complaints == ["the backward pass changes cotangents in place: it must not write into arrays"]
    assert not report.worst.num_wrong  # its gradient is right
    np.testing.assert_array_equal(dc, before)
    x = X.copy()

    def writes_into_the_callers(x_given):
        nonlocal x
        x += 1
        return {"x_given": 2 * x_given}

    report = check_gradients(lambda x_given: (x_given**2).sum(), {"x_given": x}, writes_into_the_callers)
    assert report.complaints == [
        "the backward pass changes its argument x_given in place: it must not write into arrays"
    ]
    np.testing.assert_array_equal(x, X)


@pytest.mark.parametrize(
    ("arguments", "options", "error", "words"),
    [
        (X, {}, TypeError, "arguments must be a dict"),
        ({"n": np.arange(3)}, {}, ValueError, "nothing to differentiate"),
        ({"x": X * np.nan}, {}, ValueError, "f's value is nan"),
        ({"x": X}, {"method": "backward"}, ValueError, "method must be one of forward, central"),
        (
            {"x": X},
            {"cotangents": X},
            ValueError,
            r"what fits cotangents of shape \(2, 3\); it returned float64: return",
        ),
        ({"x": X + 1j}, {}, TypeError, "x is complex"),
        ({"x": X, "z": 1j}, {}, TypeError, "z is complex"),
        ({"a.b": X, "a": {"b": X}}, {}, ValueError, "two arrays have the name a.b"),
        ({"a": {1: X, "1": X}}, {}, ValueError, "two arrays have the name a.1"),
        ({"x": X.astype(object)}, {}, ValueError, "hold no floating-point numbers"),
        ({"x": X[:0]}, {}, ValueError, r"x is of shape \(0, 3\)\): nothing to differentiate"),
        ({"x": X}, {"max_entries": 0}, ValueError, "max_entries must be a positive integer; got 0"),
        ({"x": X}, {"max_entries": 2.5}, ValueError, "max_entries must be a positive integer; got 2.5"),
        ({"x": X}, {"rtol": np.nan}, ValueError, "rtol must be a finite number, 0 or above; got nan"),
        ({"x": X}, {"atol": -1}, ValueError, "atol must be a finite number, 0 or above; got -1"),
        ({"x": X}, {"cotangents": {"h": None}}, ValueError, "cotangents hold no array"),
    ],
)
def test_what_cannot_be_checked_is_refused(arguments, options, error, words):
    with pytest.raises(error, match=words):
        check_gradients(lambda x, **others: (x**2).sum(), arguments, {"x": 2 * X}, **options)


@pytest.mark.parametrize(("value", "what"), [((X.sum(), X), "tuple"), (X, r"ndarray of shape \(2, 3\)")])
def test_a_function_that_returns_no_number_is_refused(value, what):
    with pytest.raises(ValueError, match=f"it returned {what}: return the loss only, or give cotangents"):
        check_gradients(lambda x: value, {"x": X}, {"x": 2 * X})
