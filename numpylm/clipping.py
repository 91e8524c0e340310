"""Gradient clipping: one very large gradient must not undo what was learned (Pascanu, Mikolov and Bengio, 2013).

    by global norm    g  <-  g min(1, max_norm / ‖g‖)      ‖g‖² = the sum of squares over all parameters together
    by value          g  <-  min(max(g, -limit), limit)    entry by entry

Clipping by the global norm keeps the gradient's direction; clipping by value changes it. The training loop calls these
functions. A backward pass never clips, so that a gradient check can test it.
"""

import math

import numpy as np

from numpylm.base import require


def clip_by_global_norm(gradients, max_norm):
    """Return (clipped, norm): the gradients, scaled to a global norm of at most max_norm, and the norm before.

    clipped is a new dict; the given arrays do not change. If the norm is at most max_norm, clipped holds these arrays.
    If the norm is not finite, nothing is clipped: the caller must check the norm. Raises ValueError unless max_norm > 0
    (infinity only measures), TypeError unless gradients is a dict of arrays.
    """
    require.named_arrays("gradients", gradients)
    max_norm = checked_limit("max_norm", max_norm)
    norm = global_norm(gradients)
    if norm <= max_norm or not math.isfinite(norm):
        return dict(gradients), norm
    return {name: gradient * (max_norm / norm) for name, gradient in gradients.items()}, norm


def global_norm(gradients):
    """√ of the sum of squares of all entries of all gradients, as a float."""
    with np.errstate(over="ignore"):
        return math.hypot(*[array_norm(gradient) for gradient in gradients.values()])


def array_norm(gradient):
    """√ of the sum of squares of an array's entries, also if a square overflows the array's dtype."""
    flat = gradient.ravel()
    square = np.vdot(flat, flat).real
    if math.isfinite(square):
        return math.sqrt(square)
    largest = float(np.abs(flat).max())
    return largest * math.sqrt(np.vdot(flat / largest, flat / largest).real) if math.isfinite(largest) else largest


def clip_by_value(gradients, limit):
    """Return a new dict of gradients with every entry clipped to -limit..limit; the given arrays do not change.

    An infinite entry becomes limit or -limit; NaN stays NaN. Raises ValueError unless limit > 0, TypeError unless
    gradients is a dict of arrays.
    """
    require.named_arrays("gradients", gradients)
    limit = checked_limit("limit", limit)
    return {name: np.clip(gradient, -limit, limit) for name, gradient in gradients.items()}


def checked_limit(name, value):
    """value, which must be above 0, as a Python float: float32 gradients times it stay float32."""
    return float(require.expect(name, value, require.is_number(value) and value > 0, "a number above 0"))
