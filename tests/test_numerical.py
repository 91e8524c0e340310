import numpy as np
import pytest

from numpylm import central_difference, complex_step

X = np.array([[0.3, -1.2], [2.0, 0.7]])


def test_both_find_a_known_gradient():
    x = X.copy()
    np.testing.assert_allclose(central_difference(lambda: np.exp(x).sum(), x), np.exp(X), rtol=1e-9)
    z = X.astype(complex)
    np.testing.assert_allclose(complex_step(lambda: np.exp(z).sum(), z), np.exp(X), rtol=1e-15)


def test_the_array_is_restored():
    x, z = X.copy(), X.astype(complex)
    central_difference(lambda: (x**3).sum(), x)
    complex_step(lambda: (z**3).sum(), z)
    np.testing.assert_array_equal(x, X)
    np.testing.assert_array_equal(z, X)


def test_a_wrong_gradient_is_seen():
    x = X.copy()
    assert np.abs(central_difference(lambda: (x**2).sum(), x) - X).max() > 0.1


def test_complex_step_refuses_what_drops_the_imaginary_part():
    z = X.astype(complex)
    with pytest.raises(TypeError, match="stays complex; it returned float"):
        complex_step(lambda: float(np.abs(z).sum()), z)
