"""Exercise 4: the affine map of a whole sequence     difficulty *

    y = x W + b

x (T, N, H)   W (H, V)   b (V,)   y and dy (T, N, V)

Each of the T·N rows of x is an example, and meets the same W and b. affine_backward returns a tuple (dx, dW,
db), each in the shape of x, W and b.

Check it:  python -m numpylm check exercises/04_affine.py

Hints stand at the end of this file.
"""

import numpy as np

EXERCISE = ["affine_forward", "affine_backward"]


def affine_forward(x, W, b):
    """Returns y (T, N, V)."""
    raise NotImplementedError


def affine_backward(dy, x, W):
    """Returns (dx, dW, db)."""
    raise NotImplementedError


# -------------------- Hints, from a small one to a large one. Try without them first. --------------------

HINTS = """
1. With one row, y_j = Σ_i x_i W_ij + b_j. What are ∂y_j/∂x_i, ∂y_j/∂W_ij and ∂y_j/∂b_j?
2. Shapes lead the way: only one product of dy (.., V) and W (H, V) is of x's shape.
3. Every row uses W, so W's gradient is a sum over rows: x.reshape(-1, H) turns (T, N, H) into rows.
4. db has no T and no N: sum over both.
"""
