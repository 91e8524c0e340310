"""method="projection": right gradients at kinks, at stationary points and of tiny size, and wrong ones beside them."""

import numpy as np
import pytest

from numpylm import check_gradients
from numpylm.loss import cross_entropy_backward, cross_entropy_forward
from numpylm.proof.problem import Problem
from numpylm.proof.numerical import NotComplexSafe

X = np.random.default_rng(2).standard_normal((3, 4))
WITH_ZEROS = np.where(np.abs(X) < 0.5, 0.0, X)
TIED = np.array([1.0, 2, 2])


def relu(x):
    return (np.maximum(x, 0) * np.arange(1, 13).reshape(3, 4)).sum()


def drelu(x):
    return np.arange(1, 13).reshape(3, 4) * (x > 0)


AT_KINKS = {  # f, x, the gradient
    "relu": (relu, WITH_ZEROS, drelu(WITH_ZEROS)),
    "relu, not complex-safe": (lambda x: relu(x.astype(float)), WITH_ZEROS, drelu(WITH_ZEROS)),
    "L1": (lambda x: np.abs(x).sum() + (x**2).sum(), WITH_ZEROS, np.sign(WITH_ZEROS) + 2 * WITH_ZEROS),
    "clip": (lambda x: np.clip(x, -1, 1).sum(), np.array([1.0, -1, 0.5, 3]), np.array([1.0, 1, 1, 0])),
    "a tie": (lambda x: x.max() + (x**2).sum(), np.array([1.0, 2, 2]), np.array([2.0, 5, 4])),
}


def by_projection(f, x, claim, **options):
    return check_gradients(f, {"x": x}, {"x": claim}, "projection", **options)


@pytest.mark.filterwarnings("ignore::numpy.exceptions.ComplexWarning")
@pytest.mark.parametrize("what", AT_KINKS)
def test_a_kink_is_judged_by_its_two_slopes(what):
    f, x, gradient = AT_KINKS[what]
    report = by_projection(f, x, gradient)
    assert report.ok and "at a kink" in str(report)
    wrong, smooth = gradient.astype(float), 0 if what == "a tie" else np.abs(x).argmax()
    wrong.flat[smooth] += 0.01
    assert by_projection(f, x, wrong).worst.num_wrong == 1
    wrong = np.where(x == x.flat[smooth], gradient, gradient + 20.0)  # outside the slopes at the kinks
    assert by_projection(f, x, wrong).worst.num_wrong == 1


def test_where_all_lies_at_kinks_nothing_is_proved():
    report = by_projection(lambda x: np.maximum(x, 0).sum(), np.zeros(3), np.full(3, 0.3))
    assert not report.ok and not report.worst.num_wrong
    assert "use method='central'" in report.complaints[0] and "unjudged" in str(report)


def test_many_kinks_are_not_searched_for_ever():
    x = np.where(np.arange(4000) % 2, 0.0, 1.0)
    report = by_projection(lambda x: np.maximum(x, 0).sum(), x, 1.0 * (x > 0))
    assert not report.worst.num_wrong and "there is a kink" in report.complaints[0]


@pytest.mark.parametrize(
    "f", [lambda x: (x**3).sum(), lambda x: (1 - np.cos(x)).sum(), lambda x: (np.tanh(x) ** 3).sum()]
)
def test_a_zero_at_a_stationary_point_is_right(f):
    assert by_projection(f, np.zeros((3, 4)), np.zeros((3, 4))).ok
    assert by_projection(f, np.zeros((3, 4)), np.full((3, 4), 1e-6)).worst.num_wrong


def test_confident_logits_by_projection():
    targets = np.array([[0, 1, 2]])
    for size in (5, 20, 25, 30, 40, 60):
        logits = size * np.eye(3)[targets]
        claim = cross_entropy_backward(cross_entropy_forward(logits, targets)[1])
        report = by_projection(lambda x: cross_entropy_forward(x, targets)[0], logits, claim)
        assert not report.worst.num_wrong and report.ok == (size <= 30)
        wrong = by_projection(lambda x: cross_entropy_forward(x, targets)[0], logits, 1.1 * claim)
        assert not wrong.ok and (wrong.worst.num_wrong or size > 25)


def test_nothing_is_right_beside_a_large_error():
    f32 = np.float32

    def f(x, y):
        return 1e4 + (x**2).sum() + 1e-4 * (y**2).sum()

    for factor in (1.0, 1.5):
        claim = {"x": (2 * X).astype(f32), "y": (factor * 2e-4 * X).astype(f32)}
        report = check_gradients(f, {"x": X.astype(f32), "y": X.astype(f32)}, claim, "projection")
        for row in report.rows:
            assert row.num_wrong or row.is_unjudged or row.relative_error < 2e-3
        assert report.ok == (factor == 1)


def test_no_slope_and_overflow_are_not_proved():
    x = np.array([709.7])
    report = by_projection(lambda x: np.exp(x).sum(), x, np.exp(x))
    assert not report.worst.num_wrong and "not finite along a direction of x" in report.complaints[0]
    with pytest.raises(NotComplexSafe, match="not finite a little beside"):
        check_gradients(lambda x: np.exp(x).sum(), {"x": x}, {"x": np.exp(x)}, "complex")
    x = np.array([1e-30])
    with pytest.raises(NotComplexSafe, match="1e-30 is as small as the step itself"):
        check_gradients(lambda x: (1 / x).sum(), {"x": x}, {"x": -1 / x**2}, "complex")


def test_an_underflow_of_the_complex_step_is_named():
    with pytest.raises(NotComplexSafe, match="less than a floating-point number can be; scale f"):
        check_gradients(lambda x: 1e-300 * x.sum(), {"x": X}, {"x": np.full((3, 4), 1e-300)}, "complex")


def test_the_complex_step_tells_of_kinks_too():
    report = check_gradients(lambda x: x.max(), {"x": TIED}, {"x": np.array([0.0, 1, 0])}, "complex")
    assert report.rows[0].num_kinks == 2 and "2 entries lie at a kink" in str(report)
    assert check_complex_step(Problem(lambda x: x.max(), {"x": TIED}, None))
    assert not check_complex_step(Problem(lambda x: (x**2).sum(), {"x": TIED}, None, "central"))


@pytest.mark.parametrize("method", ["central", "complex", "projection"])
def test_a_function_that_cannot_be_relied_on_proves_nothing(method):
    noise = np.random.default_rng(0)

    def centred(x):
        x -= x.mean()
        return (x**2).sum()

    for f in (centred, lambda x: (x**2).sum() + noise.standard_normal()):
        report = check_gradients(f, {"x": X}, {"x": 3 * X}, method)
        assert str(report).startswith("gradients are NOT PROVED") and report.complaints


def test_halves_make_up_the_whole():
    direction = {"x": X, "y": np.array([0.0, 1.0, 2.0])}
    first, second = halves(direction)
    assert abs(np.count_nonzero(first["x"]) - np.count_nonzero(second["x"])) <= 2
    for name, v in direction.items():
        np.testing.assert_array_equal(first[name] + second[name], v)
