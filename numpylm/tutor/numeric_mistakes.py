"""Which error a numerical derivative has: every wrong step or formula leaves a trace of its own.

The forward difference is off by ε f''/2, the central difference by ε² f'''/6, the complex step by -ε² f'''/6; rounding
is off by about 1e-16 |f| / ε, at random. The check's own f has known derivatives: it is a sum of sin(x) x², and of
products of neighbours, which have no higher derivatives.
"""

import numpy as np

from numpylm.tutor.sentences import Finding

CLOSE = 0.02  # how exactly an error must follow a derivative


def findings(function, inputs, claimed):
    """A list with the Finding on the step or the formula, or an empty list if nothing is recognised."""
    words = numeric_mistake(function, inputs["f"], np.asarray(claimed["gradient"], dtype=float))
    return [Finding(words, is_explained=True)] if words else []


def numeric_mistake(function, f, gradient):
    """What is wrong with the step or the formula; None if nothing is recognised."""
    x, right, is_central = np.real(f.x), np.real(f.gradient()), function == "central_difference"
    tiny = is_central and multiple(gradient, right)
    if tiny and 0 < tiny < 1e-3:
        return multiplied(tiny)
    for factor, words in FACTORS.items():
        if np.allclose(gradient, factor * right, 1e-4, 1e-4):
            return words
    error = gradient - right
    along_second, along_third = multiple(error, second_derivative(x)), multiple(error, third_derivative(x))
    if is_central and along_second:
        return forward_difference(2 * along_second)
    if along_third and (along_third > 0) == is_central:
        return too_large(is_central, np.sqrt(6 * abs(along_third)))
    if not is_central:
        return NO_IMAGINARY_PART if np.ptp(gradient) <= 1e-6 * np.abs(gradient).max() else None
    return too_small(error, right)


FACTORS = {
    2.0: "it is twice the derivative: the two points lie 2 ε apart, so the difference is divided by 2 ε",
    0.5: "it is half the derivative: is the difference divided by ε twice, or is only one of the two points moved?",
    -1.0: "the sign is wrong: it is f(x + ε) - f(x - ε)",
    0.0: "it is zero: does f see the change? f() reads the array x itself, so change x[k] in place",
}
NO_IMAGINARY_PART = "every entry is the same: take the imaginary part of f(x + iε), f().imag"


def multiplied(factor):
    """What to say of a difference that is not divided by 2 ε, but multiplied by a power of ε."""
    step = np.sqrt(factor)
    if factor < 1e-7 or 0.9 < step / 1e-3 < 1.1:
        return (
            f"it is the right one times ε², {factor:.0e} with ε = {step:.0e}: `/ 2 * ε` divides by 2 and multiplies by "
            "ε; write `/ (2 * ε)`"
        )
    return f"it is the right one times {factor:.0e}: is the difference not divided by 2 ε?"


def forward_difference(step):
    """What to say of a one-sided difference."""
    kind = "forward" if step > 0 else "backward"
    return (
        f"this is the {kind} difference, with ε of about {abs(step):.0e}: its error is ε f''/2. The central difference "
        "takes f(x_k + ε) and f(x_k - ε), and is off by ε² f'''/6 alone"
    )


def too_large(is_central, step):
    """What to say of a step whose curvature shows."""
    better = "take 1e-5 or so" if is_central else "nothing is subtracted here, so that ε may be 1e-30"
    return f"ε is too large: the error is that of a step of about {step:.0e}; {better}"


def too_small(error, right):
    """What to say of errors that follow no derivative, and are small: rounding."""
    size = np.abs(error).max()
    if not 1e-8 < size < 0.05 * np.abs(right).max():
        return None
    return (
        f"the errors, up to {size:.0e}, follow no derivative of f: they are rounding, 1e-16 |f| / ε, and ε is too "
        "small; take 1e-5 or so"
    )


def multiple(error, slope):
    """The number k with error = k slope, or None."""
    k = (error * slope).sum() / (slope * slope).sum()
    return float(k) if k and np.abs(error - k * slope).max() <= CLOSE * np.abs(error).max() else None


def second_derivative(x):
    """Of sin(x) x², entry by entry."""
    return -np.sin(x) * x**2 + 4 * np.cos(x) * x + 2 * np.sin(x)


def third_derivative(x):
    """Of sin(x) x², entry by entry."""
    return -np.cos(x) * x**2 - 6 * np.sin(x) * x + 6 * np.cos(x)
