"""Numerical derivatives: what a gradient that was derived by hand is compared with.

    forward           (f(x + ε) - f(x)) / ε                                           error about ε f''/2 + r/ε
    central           (f(x + ε) - f(x - ε)) / 2ε                                      error about ε² f'''/6 + r/ε
    fourth            (8 (f(x + ε) - f(x - ε)) - (f(x + 2ε) - f(x - 2ε))) / 12ε       error about ε⁴ f⁗'/30 + r/ε
    complex           Im f(x + i ε) / ε                                               error about ε² f'''/6, and no r

r is the rounding of f, about the machine epsilon times |f|. A small ε spoils the difference by rounding, a large one by
curvature; the best one balances the two: ε = eps^(1/2), eps^(1/3) and eps^(1/5) times the size of x, which is 6e-6 for
the central difference in float64. The complex step subtracts nothing, so that ε = 1e-30 gives the derivative to the
last bit; it asks for a function that is analytic: no abs, no buffer of a fixed real dtype.

Sources: Press et al., Numerical Recipes (2007), section 5.7; Fornberg (1988); Squire and Trapp (1998).
"""

import warnings

import numpy as np

from numpylm.base import require

ORDERS = {"forward": 2, "central": 3, "fourth": 5}  # the error's power of ε, plus one
METHODS = (*ORDERS, "complex")
COMPLEX_STEP = 1e-30
LOST = (
    "the function loses the imaginary part ({}); it may take np.abs, np.var, np.std, np.linalg.norm or .real, or fix a "
    "real dtype (np.zeros without dtype=x.dtype, .astype(float), float(…)): use method='central', or let the dtype "
    "follow the arguments"
)


class NotComplexSafe(TypeError):
    """A function whose value loses its imaginary part, so that the complex step would be silently wrong."""


def best_step(x, method="central"):
    """The ε that balances curvature against rounding for entries x of a real dtype: an array of x's shape."""
    if method == "complex":
        return np.full(np.shape(x), COMPLEX_STEP)
    return np.finfo(x.dtype).eps ** (1 / ORDERS[method]) * np.maximum(1, np.abs(x))


def derivative(f, x, index, method="central", epsilon=None):
    """∂f/∂x[index]: the derivative along the direction that is 1 at index and 0 elsewhere.

    f takes no arguments and reads the array x, which is changed and restored. x is real for the differences and
    complex128 for method "complex". Raises NotComplexSafe where that cannot work.
    """
    direction = np.zeros_like(x.real)
    direction[index] = 1
    epsilon = best_step(x[index], method)[()] if epsilon is None else epsilon
    return directional_derivative(f, [x], [direction], method, epsilon)


def directional_derivative(f, x, direction, method="central", epsilon=None):
    """Σ ∂f/∂x[k] direction[k] over a list of arrays x, all moved at once: a few evaluations, whatever their size.

    With a random direction this is the dot-product test: it must equal Σ gradient[k] · direction[k].
    """
    entries = [array.copy() for array in x]
    if epsilon is None:
        epsilon = COMPLEX_STEP if method == "complex" else np.finfo(x[0].dtype).eps ** (1 / ORDERS[method])

    def value(step):
        for array, entry, along_it in zip(x, entries, direction, strict=True):
            array[...] = entry + step * along_it
        try:
            return f()
        finally:
            for array, entry in zip(x, entries, strict=True):
                array[...] = entry

    return along(value, epsilon, method)


def along(value, epsilon, method):
    """The derivative at 0 of value, a function of one step."""
    if method == "forward":
        return (value(epsilon) - value(0)) / epsilon
    if method == "central":
        return (value(epsilon) - value(-epsilon)) / (2 * epsilon)
    if method == "fourth":
        near, far = value(epsilon) - value(-epsilon), value(2 * epsilon) - value(-2 * epsilon)
        return (8 * near - far) / (12 * epsilon)
    beside = complex_value(value, 1j * epsilon)
    return beside.imag / epsilon if np.isfinite(beside) else np.nan


def complex_value(f, x):
    """f(x), a complex number; NotComplexSafe where f drops the imaginary part, silently or with a warning."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", np.exceptions.ComplexWarning)
            value = f(x)
    except (TypeError, np.exceptions.ComplexWarning) as error:
        raise NotComplexSafe(LOST.format(error)) from error
    if not np.iscomplexobj(value):
        raise NotComplexSafe(LOST.format(f"it returns a real {type(value).__name__} for complex arguments"))
    return value


def gradient(f, x, method="central", epsilon=None):
    """Every ∂f/∂x[k], of x's shape."""
    require.expect("x", type(x), isinstance(x, np.ndarray), "a NumPy array, which f reads")
    result = np.empty(x.shape, dtype=x.real.dtype)
    for index in np.ndindex(x.shape):
        result[index] = derivative(f, x, index, method, epsilon)
    return result


def central_difference(f, x, epsilon=None):
    """The gradient of f, a function of no arguments that reads the float64 array x, by central differences."""
    return gradient(f, x, "central", epsilon)


def complex_step(f, x, epsilon=None):
    """The gradient of f, a function of no arguments that reads the complex128 array x, by the complex step."""
    return gradient(f, x, "complex", epsilon)
