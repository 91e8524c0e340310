"""Exercise 11: the gradient checker itself     difficulty **

    central difference    ∂f/∂x_k ≈ (f(x_k + ε) - f(x_k - ε)) / 2ε       error about ε² f'''/6 + 1e-16 |f|/ε
    complex step          ∂f/∂x_k = Im f(x_k + iε) / ε                   error about ε² f'''/6, nothing is subtracted

f is a function of no arguments that reads the array x: change x[k] in place, call f(), and put x[k] back.
(f(x) with another array works as well.) Both functions return an array of x's shape, real float64. For the
complex step, x is complex.

The central difference must be right to 1e-8, the complex step to 1e-12: choose ε well.

Check it:  python -m numpylm check exercises/11_gradient_checker.py

Hints stand at the end of this file.
"""

import numpy as np

EXERCISE = ["central_difference", "complex_step"]


def central_difference(f, x):
    """Returns the gradient of f at x, a float64 array (N, D)."""
    raise NotImplementedError


def complex_step(f, x):
    """Returns the gradient of f at x, a complex128 array (N, D) without imaginary parts."""
    raise NotImplementedError


# -------------------- Hints, from a small one to a large one. Try without them first. --------------------

HINTS = """
1. for k in np.ndindex(x.shape): visits every entry, and x[k] reads or writes it.
2. Keep the old x[k] and put it back. If you subtract ε again instead, a rounding error stays.
3. In a central difference, curvature needs a small ε, and rounding needs a large one: about 1e-5 suits both.
4. The complex step subtracts nothing, so ε may be 1e-30. f().imag is the imaginary part.
"""
