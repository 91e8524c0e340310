"""method="projection": right gradients at kinks, at stationary points and of tiny size, and wrong ones beside them."""

import numpy as np
import pytest

from numpylm import check_gradients
from numpylm.proof.numerical import NotComplexSafe

X = np.random.default_rng(2).standard_normal((3, 4))
TIED = np.array([1.0, 2, 2])


def by_projection(f, x, claim, **options):
    return check_gradients(f, {"x": x}, {"x": claim}, "projection", **options)


def test_a_direction_across_a_kink_is_left_to_another_method():
    weights = np.arange(1, 13).reshape(3, 4)

    def relu(x):
        return (np.maximum(x, 0) * weights).sum()

    x = np.where(np.abs(X) < 0.5, 0.0, X)
    report = by_projection(relu, x, weights * (x > 0) + 0.3 * (x == 0))
    assert not report.ok and not report.worst.num_wrong
    assert "method='central' in place of" in report.complaints[0] and "unjudged" in str(report)
    assert by_projection(relu, X, weights * (X > 0)).ok
    assert by_projection(relu, X, weights * (X > 0) * 1.0001).worst.num_wrong


@pytest.mark.parametrize(
    "f", [lambda x: (x**3).sum(), lambda x: (1 - np.cos(x)).sum(), lambda x: (np.tanh(x) ** 3).sum()]
)
def test_a_zero_at_a_stationary_point_is_right(f):
    assert by_projection(f, np.zeros((3, 4)), np.zeros((3, 4))).ok
    assert by_projection(f, np.zeros((3, 4)), np.full((3, 4), 1e-6)).worst.num_wrong


def test_no_slope_and_overflow_are_not_proved():
    x = np.array([709.7])
    report = by_projection(lambda x: np.exp(x).sum(), x, np.exp(x))
    assert not report.worst.num_wrong and "to one side, along a direction of x" in report.complaints[0]
    with pytest.raises(NotComplexSafe, match="not finite a little beside"):
        check_gradients(lambda x: np.exp(x).sum(), {"x": x}, {"x": np.exp(x)}, "complex")
    x = np.array([1e-30])
    with pytest.raises(NotComplexSafe, match="its numbers are as small as the step, 1e-30"):
        check_gradients(lambda x: (1 / x).sum(), {"x": x}, {"x": -1 / x**2}, "complex")


def test_the_complex_step_tells_of_kinks_too():
    report = check_gradients(lambda x: x.max(), {"x": TIED}, {"x": np.array([0.0, 1, 0])}, "complex")
    assert report.ok and report.rows[0].kinks.any()
