"""Which error a numerical derivative has: every wrong step or formula leaves a trace of its own.

The forward difference is off by ε f''/2, the central difference by ε² f'''/6; rounding is off by about 1e-16 |f| / ε.
The check's own f is a sum of sin(x) x², and of products of neighbours, which have no higher derivatives.
"""

import numpy as np

from numpylm.tutor.sentences import Finding

CLOSE = 0.02  # how exactly an error must follow a derivative
FACTORS = {
    2.0: "it is twice the derivative: the two points lie 2 ε apart, so the difference is divided by 2 ε",
    0.5: "it is half the derivative: is the difference divided by ε twice, or is only one of the two points moved?",
    -1.0: "the sign is wrong: it is f(x + ε) - f(x - ε)",
    0.0: "it is zero: does f see the change? f() reads the array x itself, so change x[k] in place",
}
ONE_SIDED = (
    "this is the {} difference, with ε of about {:.0e}: its error is ε f''/2. The central difference takes f(x_k + ε) "
    "and f(x_k - ε), and is off by ε² f'''/6 alone"
)
TINY = (
    "it is the right one times {:.0e}: is the difference not divided by 2 ε? `/ 2 * ε` divides by 2 and multiplies by "
    "ε; write `/ (2 * ε)`"
)


def findings(function, inputs, claimed):
    """A list with the Finding on the step or the formula, or an empty list if nothing is recognised."""
    words = numeric_mistake(function, inputs["f"], np.asarray(claimed["gradient"], dtype=float))
    return [Finding(words)] if words else []


def numeric_mistake(function, f, gradient):
    """What is wrong with the step or the formula; None if nothing is recognised."""
    x, right = np.real(f.x), np.real(f.gradient())
    k = multiple(gradient, right)
    if k and 0 < k < 1e-3:
        return TINY.format(k)
    for factor, words in FACTORS.items():
        if np.allclose(gradient, factor * right, 1e-4, 1e-4):
            return words
    error = gradient - right
    second = multiple(error, -np.sin(x) * x**2 + 4 * np.cos(x) * x + 2 * np.sin(x))
    third = multiple(error, -np.cos(x) * x**2 - 6 * np.sin(x) * x + 6 * np.cos(x))
    if second:
        return ONE_SIDED.format("forward" if second > 0 else "backward", abs(2 * second))
    if third:
        return f"ε is too large: the error is that of a step of about {np.sqrt(6 * abs(third)):.0e}; take 1e-5 or so"
    size = np.abs(error).max()
    if function == "central_difference" and 1e-8 < size < 0.05 * np.abs(right).max():
        return f"the errors, up to {size:.0e}, are rounding, 1e-16 |f| / ε: ε is too small; take 1e-5 or so"
    return None


def multiple(error, slope):
    """The number k with error = k slope, or None."""
    k = (error * slope).sum() / (slope * slope).sum()
    return float(k) if k and np.abs(error - k * slope).max() <= CLOSE * np.abs(error).max() else None
