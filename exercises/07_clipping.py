"""Exercise 7: gradient clipping     difficulty *

    by global norm    g <- g min(1, max_norm / ‖g‖)     ‖g‖² = the sum of the squares of ALL entries of ALL gradients
    by value          g <- min(max(g, -limit), limit)   entry by entry

gradients is a dict, name -> array, such as {"E": …, "W_xh": …, "b_h": …}. Return new dicts, and do not change
the dict that you get.

Check it:  python -m numpylm check exercises/07_clipping.py

Hints stand at the end of this file.
"""

import numpy as np

EXERCISE = ["clip_by_global_norm", "clip_by_value"]


def clip_by_global_norm(gradients, max_norm):
    """Returns (clipped, norm): a dict with the same names, and the global norm before clipping."""
    raise NotImplementedError


def clip_by_value(gradients, limit):
    """Returns clipped, a dict with the same names."""
    raise NotImplementedError


# -------------------- Hints, from a small one to a large one. Try without them first. --------------------

HINTS = """
1. One norm for all arrays together, not one for each: otherwise the gradient's direction changes.
2. If the norm is below max_norm, scale nothing: g / norm * max_norm would make the gradients larger.
3. {name: g * factor for name, g in gradients.items()} makes a new dict. np.clip cuts entries at limits.
"""
