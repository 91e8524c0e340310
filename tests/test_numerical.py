import numpy as np
import pytest

from numpylm import central_difference, complex_step
from numpylm.proof.numerical import METHODS, best_step, derivative, directional_derivative, gradient

X = np.array([[0.3, -1.2], [2.0, 0.7]])
ACCURACY = {"forward": 1e-6, "central": 1e-9, "fourth": 1e-11, "complex": 1e-15}


@pytest.mark.parametrize("method", METHODS)
def test_every_method_finds_a_known_gradient(method):
    x = X.astype(complex) if method == "complex" else X.copy()
    np.testing.assert_allclose(gradient(lambda: np.exp(x).sum(), x, method), np.exp(X), rtol=ACCURACY[method])


def test_the_error_falls_with_the_power_that_the_docstring_says():
    x = np.array([0.7])
    for method, order in (("forward", 1), ("central", 2), ("fourth", 4)):
        errors = [
            abs(derivative(lambda: np.sin(3 * x).sum(), x, (0,), method, epsilon) - 3 * np.cos(2.1))
            for epsilon in (0.04, 0.02)
        ]
        assert errors[0] / errors[1] == pytest.approx(2**order, rel=0.1)


def test_the_best_step_balances_curvature_and_rounding():
    points = np.linspace(0.9, 1.1, 50)  # at a single one rounding may vanish by luck, and the smallest step wins
    errors = {}
    for epsilon in 10.0 ** np.arange(-11, -1):
        x = points.copy()
        slopes = [derivative(lambda: np.exp(x[k]), x, (k,), "central", epsilon) for k in range(len(x))]  # noqa: B023
        errors[epsilon] = np.abs(slopes - np.exp(points)).mean()
    best = min(errors, key=errors.get)
    assert best_step(np.array([1.0]))[0] == pytest.approx(6.06e-6, rel=1e-2)
    assert 0.1 < best_step(x)[0] / best < 10


def test_the_array_is_restored_even_when_the_function_fails():
    x, z = X.copy(), X.astype(complex)
    central_difference(lambda: (x**3).sum(), x)
    complex_step(lambda: (z**3).sum(), z)

    def fails():
        raise RuntimeError

    for array in (x, z):
        with pytest.raises(RuntimeError):
            derivative(fails, array, (0, 0), "central")
    with pytest.raises(RuntimeError):
        directional_derivative(fails, [x], [np.ones_like(x)])
    np.testing.assert_array_equal(x, X)
    np.testing.assert_array_equal(z, X)


def test_directional_derivative_is_the_gradient_along_the_direction():
    rng = np.random.default_rng(0)
    x, y = X.copy(), rng.standard_normal(3)
    v, w = rng.standard_normal(X.shape), rng.standard_normal(3)
    expected = (np.cos(X) * v).sum() + 2 * y @ w
    found = directional_derivative(lambda: np.sin(x).sum() + (y**2).sum(), [x, y], [v, w], "fourth")
    assert found == pytest.approx(expected, rel=1e-10)
    z, u = X.astype(complex), y.astype(complex)
    exact = directional_derivative(lambda: np.sin(z).sum() + (u**2).sum(), [z, u], [v, w], "complex")
    assert exact == pytest.approx(expected, rel=1e-15)
