"""Gradient clipping: one steep step must not undo what was learned (Pascanu, Mikolov and Bengio, 2013).

    by global norm    g  <-  g min(1, max_norm / ‖g‖)      ‖g‖² = the sum of squares over all parameters together
    by value          g  <-  min(max(g, -limit), limit)    entry by entry

The global norm keeps the gradient's direction; clipping by value bends it. Both are functions of gradients that the
training loop calls: a backward pass never clips, so that it can be checked.
"""

import math

import numpy as np

from numpylm import require


def clip_by_global_norm(gradients, max_norm):
    """Name -> gradient scaled so that the global norm is at most max_norm, and the norm before: (clipped, norm).

    The gradients given are left as they are; where nothing is clipped the same arrays come back in a new dict.
    If the norm is not finite, the gradients come back as they are, and the caller must look at the norm.
    Raises ValueError unless max_norm > 0 (infinity only measures), TypeError for what is no dict of arrays.
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
    """√ of the sum of squares of an array's entries, also where a square would overflow the array's dtype."""
    flat = gradient.ravel()
    square = np.vdot(flat, flat).real
    if math.isfinite(square):
        return math.sqrt(square)
    largest = float(np.abs(flat).max())
    return largest * math.sqrt(np.vdot(flat / largest, flat / largest).real) if math.isfinite(largest) else largest


def clip_by_value(gradients, limit):
    """Name -> gradient with every entry brought into -limit..limit; the gradients given are left as they are.

    An infinite entry becomes the limit, with its sign; NaN stays NaN. Raises ValueError unless limit > 0, TypeError for
    what is no dict of arrays.
    """
    require.named_arrays("gradients", gradients)
    limit = checked_limit("limit", limit)
    return {name: np.clip(gradient, -limit, limit) for name, gradient in gradients.items()}


def checked_limit(name, value):
    """value as a Python float, which leaves float32 gradients float32 (a NumPy float64 would not); above 0."""
    if not require.is_number(value) or not value > 0:
        raise ValueError(f"{name} must be a number above 0; got {value!r}")
    return float(value)
