"""Numerical derivatives, to compare a gradient that was derived by hand with.

    central difference    df/dx ≈ (f(x + ε) - f(x - ε)) / 2ε      error: about ε² f'''/6, and rounding / ε
    complex step          df/dx ≈ Im f(x + i ε) / ε               error: about ε² f'''/6, and nothing is subtracted,
                                                                  so that ε = 1e-30 gives the exact derivative

The central difference's two errors balance near ε = ∛(machine epsilon), 6e-6 in float64. The complex step (Squire and
Trapp, 1998) asks for an analytic function, written without abs, comparisons of magnitude or a fixed real dtype.
"""

import numpy as np


def central_difference(f, x, epsilon=None):
    """The gradient of f, a function of no arguments that reads the float64 array x and returns a number, like x.

    x is changed entry by entry and restored. epsilon: the step, by default ∛(machine epsilon) for every entry.
    """
    epsilon = np.cbrt(np.finfo(x.dtype).eps) if epsilon is None else epsilon
    gradient = np.empty_like(x)
    for index in np.ndindex(x.shape):
        entry = x[index]
        x[index] = entry + epsilon
        above = f()
        x[index] = entry - epsilon
        below = f()
        x[index] = entry
        gradient[index] = (above - below) / (2 * epsilon)
    return gradient


def complex_step(f, x, epsilon=1e-30):
    """The gradient of f, a function of no arguments that reads the complex128 array x, as an array of floats.

    x is changed entry by entry and restored. Raises TypeError if f's value has lost its imaginary part on the way.
    """
    gradient = np.empty(x.shape)
    for index in np.ndindex(x.shape):
        entry = x[index]
        x[index] = entry + 1j * epsilon
        value = f()
        x[index] = entry
        if not np.iscomplexobj(value):
            raise TypeError(f"complex step needs a function that stays complex; it returned {type(value).__name__}")
        gradient[index] = np.imag(value) / epsilon
    return gradient
